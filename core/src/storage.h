/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to core: what state, journal, slots and installation share when
 * they touch flash.
 */
#ifndef BOWLINE_STORAGE_H
#define BOWLINE_STORAGE_H

#include "bowline/flash.h"

enum { BL_IO_CHUNK = 64 /* bytes that a check keeps on the stack */ };

/* CRC-32 of IEEE 802.3 (zlib's); `crc` is 0 at first, then what it returned.
 */
uint32_t bl_crc32(uint32_t crc, const void *data, size_t n);

uint32_t bl_get32(const uint8_t *p);
void bl_put32(uint8_t *p, uint32_t v);

/*
 * A record's numbers, each `size` bytes of little endian at `at` and an
 * unsigned integer of that very size at `offset` in a struct. One table
 * writes and reads, so that both cannot differ.
 */
struct bl_field {
    uint8_t at;
    uint8_t size;
    uint8_t offset;
};
#define BL_FIELD(at, type, member)                                            \
    {                                                                         \
        at, sizeof(((type *)NULL)->member), offsetof(type, member)            \
    }
void bl_fields_put(const struct bl_field *field, size_t n, const void *from,
                   uint8_t *record);
void bl_fields_get(const struct bl_field *field, size_t n,
                   const uint8_t *record, void *to);

/* The next multiple of `unit`, a power of two. `v` is at most 2^31. */
uint32_t bl_round_up(uint32_t v, uint32_t unit);
/* Is every one of `n` bytes `value`? */
bool bl_all(const uint8_t *p, size_t n, uint8_t value);

/* Does flash from `offset` read as erased for `n` bytes? */
bl_status bl_flash_erased(const struct bl_flash *flash, uint32_t offset,
                          uint32_t n, bool *erased) BL_MUST_CHECK;
/* BL_OK when flash holds these bytes, BL_READ_BACK when not. */
bl_status bl_flash_compare(const struct bl_flash *flash, uint32_t offset,
                           const uint8_t *data, uint32_t n) BL_MUST_CHECK;
/*
 * Erases an area and writes `head`, then `body` to its start, padded to whole
 * write units, and reads both back. BL_NO_SPACE when they do not fit.
 */
bl_status bl_flash_store(const struct bl_flash *flash,
                         const struct bl_area *area, bl_span head,
                         bl_span body, uint8_t *io,
                         size_t io_size) BL_MUST_CHECK;

/* The same into an area that is erased; they fit, and io has room for a write
 * unit at least. */
bl_status bl_flash_fill(const struct bl_flash *flash,
                        const struct bl_area *area, bl_span head, bl_span body,
                        uint8_t *io, size_t io_size) BL_MUST_CHECK;

/* Number of the component with this encoded id; BL_COMPONENT: none. */
bl_status bl_component_find(const struct bl_layout *layout, bl_span id,
                            uint32_t *index) BL_MUST_CHECK;

/*
 * The search that both logs (state, journal) share: a block holds records in
 * places of equal size, filled in turn. `*end` becomes the offset, within the
 * area, behind the last place that is not erased. A torn record is not
 * erased, so that it is stepped over and never written again.
 */
bl_status bl_log_end(const struct bl_flash *flash, const struct bl_area *area,
                     uint32_t place, uint32_t *end) BL_MUST_CHECK;
/*
 * Appends `n` bytes, at most one place of them, in the first place of `area`
 * from `*offset` on that keeps them; `*offset` becomes the end of that place.
 * BL_NO_SPACE when the area is full.
 *
 * A place that a power cut left undefined can read as erased and yet not take
 * what is written to it. Nothing but reading back tells, and the next place
 * is as good.
 */
bl_status bl_log_append(const struct bl_flash *flash,
                        const struct bl_area *area, uint32_t place,
                        const uint8_t *record, uint32_t n,
                        uint32_t *offset) BL_MUST_CHECK;

#endif
