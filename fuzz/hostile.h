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

/* The most work there may be, said in docs/TESTING.md: for each byte of the
 * new image, for each of the old one (with streams), for each symbol of head
 * and maps. */
enum { HOSTILE_STEPS = 6, HOSTILE_SITES = 66, HOSTILE_READS = 100 };

#endif
