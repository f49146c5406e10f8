/* SPDX-License-Identifier: Apache-2.0 */
/* Small made-up pairs of images in each instruction set: random code with
 * pointers, and the same with a block put in, references rewritten. */
#ifndef PAIR_H
#define PAIR_H

#include "encode.h"

enum {
    PAIR_SIZE = 6000,
    PAIR_ROOM = 8192,
    PAIR_AT = 2000, /* where the block is put in */
    PAIR_MORE = 64,
    PAIR_BASE = 0x08004000,
    PAIR_PATCH = 4096
};

struct pair {
    uint8_t old[PAIR_ROOM], now[PAIR_ROOM];
    uint32_t old_n, now_n;
    struct bl_region regions[2][3];
    struct bl_operation operations[8];
    struct bl_move map[4];
    struct bl_plan plan;
    uint8_t patch[PAIR_PATCH];
    uint32_t patch_n;
};

/* The plan's pointers lead into *p. */
void pair_make(struct pair *p, uint32_t isa, uint32_t seed);
/* An ESP image of two segments, with checksum and SHA-256. */
void pair_make_esp(struct pair *p);
/* plan -> patch */
void pair_encode(struct pair *p);

/* Applying a patch in memory, every access checked. */
struct target {
    const uint8_t *old;
    uint32_t old_n;
    uint8_t now[PAIR_ROOM];
    uint32_t now_n, limit;
    bl_status fails; /* returned by reads of the old image from then on */
};

struct bl_delta_io target_io(struct target *t);

/* Whole, in portions of `portion` bytes, 0: random ones. `moved`: between
 * calls the memory is copied elsewhere and the decoder taken up there. */
bl_status pair_apply(const struct pair *p, uint32_t portion, bool moved,
                     struct target *t);
/* The same with any bytes as the patch. */
bl_status patch_apply(const uint8_t *patch, size_t n, uint32_t portion,
                      bool moved, struct target *t);

uint32_t pair_random(uint32_t *state);

#endif
