/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the applier for one slot share. */
#ifndef BL_DELTA_IN_PLACE_PRIVATE_H
#define BL_DELTA_IN_PLACE_PRIVATE_H

#include "bowline/delta_in_place.h"
#include "codec.h"

enum {
    BL_IN_PLACE_UNIT = 256, /* of flash, at most; blocks have no less */
    BL_IN_PLACE_BACK = 64   /* bytes that are read back at once */
};

struct bl_applier {
    const struct bl_in_place *p;
    struct bl_delta_info info;
    struct bl_delta_io io;
    struct bl_delta *decoder;
    uint32_t *held;    /* by slot: the block that lies in it, UINT32_MAX: none;
                          after a cut the decoder may not be so far yet */
    uint32_t saves;    /* blocks that were saved, as the decoder counts them */
    uint32_t sequence; /* of the last checkpoint; 0: there is none */
    uint32_t area;     /* that it lies in: 0 or 1 */
    uint32_t note;     /* where the next note goes, from the area's begin */
    uint32_t crc;      /* of its memory */
    uint32_t id;       /* of the patch */
    bool ended;
    bool stale; /* another patch has ended there */
};

/* Bytes of one of the two areas. */
uint32_t bl_in_place_area(const struct bl_delta_info *info, uint32_t unit);

/* Where old bytes are while they are in no stash: in a slot or the image. */
uint32_t bl_in_place_held(const struct bl_applier *a, uint32_t offset);
/* Where the stash of an area has them, so many grains from its begin. */
uint32_t bl_in_place_stash(const struct bl_applier *a, uint32_t area,
                           uint32_t grains);

/* Writes, and reads back. `n` is a multiple of the unit; or any for _put. */
bl_status bl_in_place_write(struct bl_applier *a, uint32_t offset,
                            const uint8_t *data, uint32_t n);
bl_status bl_in_place_put(struct bl_applier *a, uint32_t offset,
                          const uint8_t *data, uint32_t n);
bl_status bl_in_place_sync(const struct bl_applier *a);

/* Looks for the last checkpoint of this patch: sequence, area, ended; stale.
 * BL_DELTA_BASE: another patch is not at its end. */
bl_status bl_in_place_find(struct bl_applier *a);
/* Reads it, and the notes behind it. */
bl_status bl_in_place_take_up(struct bl_applier *a);
/* Makes another one, at a block's begin. */
bl_status bl_in_place_keep(struct bl_applier *a,
                           const struct bl_delta_page *page);
/* The block was saved. BL_NO_SPACE: no room to note it; a checkpoint makes
 * some. */
bl_status bl_in_place_note(struct bl_applier *a,
                           const struct bl_delta_page *page);
/* The new image is whole. */
bl_status bl_in_place_end(struct bl_applier *a);
/* CRC-32, as zlib's. */
uint32_t bl_in_place_crc(uint32_t crc, const uint8_t *data, uint32_t n);
/* No checkpoint is left. */
bl_status bl_in_place_clear(struct bl_applier *a);

#endif
