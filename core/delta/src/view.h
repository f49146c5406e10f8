/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as the walk over its code sees it: bytes at offsets, regions that
 * say which address each offset has, and what is known of its code. In the
 * encoder's compilation the bytes lie in memory. In the decoder they are read
 * through the caller's function and a few cached lines.
 *
 * Reading outside the image gives zeros. A failed read gives zeros too and
 * stays in `status`, which is looked at once for each step.
 */
#ifndef BL_DELTA_VIEW_H
#define BL_DELTA_VIEW_H

#include "names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bowline/delta.h"

enum {
    BL_REGIONS = 15,   /* at most, of either image */
    BL_RAM_RANGES = 2, /* at most */
    BL_LINES = 2,      /* cached lines of the old image, of */
    BL_LINE = 64,      /* bytes each */
    BL_NEAR = 192,     /* bytes that a window of a copy reads at once */
    BL_WINDOW = 128    /* bytes of the old image in such a window */
};

/* What a region holds. In a table (.eh_frame_hdr) words are distances from the
 * region's own address. Each entry of a table of symbols (.dynsym; of 16 bytes
 * in ELF32, of 24 in ELF64) begins with the place of its name in the strings
 * behind the region. Relocations name a symbol by its number in there. */
enum {
    BL_REGION_DATA,
    BL_REGION_CODE,
    BL_REGION_TABLE,
    BL_REGION_SYMBOLS_16,
    BL_REGION_SYMBOLS_24,
    BL_REGION_RELOCS_8, /* of ELF32 REL, .rel.dyn */
    BL_REGION_RELOCS_24 /* of ELF64 RELA */
};

/* What a word refers to by, beside addresses. */
enum bl_role {
    BL_ROLE_NONE,
    BL_ROLE_TABLE,     /* a distance from `base` */
    BL_ROLE_SYMBOL_16, /* upper 24 bits: number of an entry behind `base` */
    BL_ROLE_SYMBOL_24  /* all bits */
};

/* Bytes offset .. offset + length - 1 of the image are loaded at `address`.
 * Regions are sorted by offset and do not overlap there. */
struct bl_region {
    uint32_t offset;
    uint32_t address;
    uint32_t length;
    uint32_t kind;
};

/* Addresses low .. high - 1 are RAM: a word of such a value is a pointer. */
struct bl_range {
    uint32_t low, high;
};

/* What is known of the code of both images. */
struct bl_code {
    uint8_t isa; /* enum bl_delta_isa */
    bool pic;    /* position-independent: words relative to themselves */
    uint8_t rams;
    struct bl_range ram[BL_RAM_RANGES];
};

struct bl_line {
    uint32_t at; /* a multiple of BL_LINE; UINT32_MAX: holds nothing */
    uint8_t bytes[BL_LINE];
};

/* Of the old image; see the caller's functions in `io`. */
struct bl_cache {
    const struct bl_delta_io *io;
    bl_status status;
    uint8_t next; /* line that is given up next */
    uint32_t near_at;
    uint8_t near[BL_NEAR];
    struct bl_line line[BL_LINES];
};

static inline void bl_set4(uint8_t *b, uint32_t value)
{
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    b[2] = (uint8_t)(value >> 16);
    b[3] = (uint8_t)(value >> 24);
}

struct bl_place;

/* Little-endian fields of a unit. */
static inline uint32_t bl_get2(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

static inline uint32_t bl_get4(const uint8_t *b)
{
    return bl_get2(b) | bl_get2(b + 2) << 16;
}

struct bl_view {
    uint32_t size;
    uint32_t regions_n;
    struct bl_region here; /* that bl_view_region found last */
    uint32_t low, span;    /* of all addresses; span 0: not looked for */
    struct bl_range may[1 + BL_RAM_RANGES]; /* low, length: of all, of RAM */
    const struct bl_region *regions;
    const struct bl_code *code;
    struct bl_place *paged; /* of the old image in place, else NULL */
#if BL_DELTA_ENCODE
    const uint8_t *data;
#else
    struct bl_cache *cache; /* only the old image's */
#endif
};

/* The region that has the offset. Outside all of them: one of a byte that
 * nothing refers to; without any: one of code. */
const struct bl_region *bl_view_here(struct bl_view *v, uint32_t offset);

static inline const struct bl_region *bl_view_region(struct bl_view *v,
                                                     uint32_t offset)
{
    return offset - v->here.offset < v->here.length ? &v->here
                                                    : bl_view_here(v, offset);
}

/* The regions are known: what asks for addresses becomes quicker. */
void bl_view_close(struct bl_view *v);

/* Reads what is from `offset` on, a multiple of BL_LINE, for the calls that
 * come. */
#if BL_DELTA_ENCODE
static inline void bl_view_near(struct bl_view *v, uint32_t offset)
{
    (void)v;
    (void)offset;
}
#else
void bl_view_near(struct bl_view *v, uint32_t offset);
#endif

/* The address of an offset. Outside all regions: one that nothing refers to.
 */
uint32_t bl_view_address(const struct bl_view *v, uint32_t offset);

/* The region that has the address, NULL: none has; the first address behind a
 * region counts as in it. */
const struct bl_region *bl_view_loaded(const struct bl_view *v,
                                       uint32_t address);

/* The offset of an address. Returns false, *offset untouched, when no region
 * has it. */
bool bl_view_offset(const struct bl_view *v, uint32_t address,
                    uint32_t *offset);

#if BL_DELTA_ELF
/* What stands at this offset, if it is a word. *base is only set with a role.
 */
enum bl_role bl_view_role(const struct bl_view *v, const struct bl_region *r,
                          uint32_t offset, uint32_t *base);

#endif

/* Is there code at this offset? True everywhere when there are no regions. */
bool bl_view_executable(const struct bl_view *v, uint32_t offset);

/* Is this address in RAM? */
bool bl_view_ram(const struct bl_code *code, uint32_t address);

/* Little-endian values at any offset. */
uint8_t bl_view_byte(struct bl_view *v, uint32_t offset);
uint32_t bl_view_word(struct bl_view *v, uint32_t offset);

/* Were bytes at .. end + 2 read at once? And a word of them. */
static inline bool bl_view_is_near(const struct bl_view *v, uint32_t at,
                                   uint32_t end)
{
#if BL_DELTA_ENCODE
    (void)v;
    return at <= end;
#else
    return at <= end && at >= v->cache->near_at &&
           end - v->cache->near_at <= BL_NEAR - 3;
#endif
}

static inline uint32_t bl_view_word_near(struct bl_view *v, uint32_t offset)
{
#if BL_DELTA_ENCODE
    return bl_view_word(v, offset);
#else
    return bl_get4(v->cache->near + (offset - v->cache->near_at));
#endif
}

#if !BL_DELTA_ENCODE
/* What is cached is not what is there any more. */
void bl_view_forget(struct bl_cache *c);
#endif

/* Regions of an ESP image from its segment headers, the first of them at
 * `first` (24; 8 for ESP8266): how many were found, at most `limit`. */
uint32_t bl_view_esp(struct bl_view *v, uint32_t first,
                     struct bl_region *regions, uint32_t limit);

#endif
