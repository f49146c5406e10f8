/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patch that is not trusted, through the decoder as the fuzzers build it
 * (hostile_memory.c: gaps between the parts of its memory, which the address
 * sanitizer watches), every promise of delta.h looked at. Nothing is
 * allocated: some ten microseconds a patch.
 */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include "bowline/delta.h"

enum {
    HOSTILE_NOW = 2048,  /* bytes of a new image, at most */
    HOSTILE_PATCH = 4096 /* of a patch */
};

/* Work of one patch, counted. */
struct hostile_work {
    uint32_t steps; /* of the codec */
    uint32_t sites; /* units that were looked for in old code */
    uint32_t reads; /* calls of io->old and io->written */
};

struct hostile {
    bl_status status;
    const char *broken; /* a promise that was not kept, or NULL */
    bool refused;       /* by its head */
    uint32_t now_n;     /* bytes of `now`; in place all, unwritten ones 0 */
    uint8_t now[HOSTILE_NOW];
    struct hostile_work work;
};

/* The patch for the old image; `portions` is 0: all at once, else it seeds
 * portions, and the decoder's memory moves between them. */
void hostile_apply(const uint8_t *old, uint32_t old_n, const uint8_t *patch,
                   size_t n, uint32_t portions, struct hostile *h);

/* Both came to the same? */
bool hostile_same(const struct hostile *a, const struct hostile *b);

/*
 * The most work there may be for each byte of the new image. A step gives a
 * byte or more, but for an operation's two first ones, a page's, those of
 * regions and two for each entry of a map. A unit is looked for 8 times at
 * most, when each byte is a copy of its own: before a copy no more old code is
 * walked than the copy has, and three bytes. Streams: the tables of a block
 * are 335 units that may take 8 bytes; units of old streams may be passed
 * over, 8 for each byte of either image.
 */
enum {
    HOSTILE_STEPS = 4,
    HOSTILE_STEPS_STREAM = 96,
    HOSTILE_STEPS_HEAD = 512,
    HOSTILE_SITES = 8,
    HOSTILE_READS = 64,
    HOSTILE_UNITS = 8,
    HOSTILE_READS_HEAD = 64
};

#endif
