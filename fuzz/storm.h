/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile patches by number: round r of seed s is always the same BATCH of
 * them, all for one old image, so a run can stop anywhere and go on, and each
 * finding is made again from two numbers.
 */
#ifndef FUZZ_STORM_H
#define FUZZ_STORM_H

#include "hostile.h"
#include "symbols.h"

enum {
    STORM_BATCH = 8,
    STORM_IMAGES = 72,
    STORM_GOOD = 4 /* patches of the encoder for each image */
};

enum storm_source {
    STORM_SYMBOLS, /* drawn symbols, as they are */
    STORM_STREWN,  /* and damaged */
    STORM_DAMAGED, /* a patch of the encoder, damaged */
    STORM_NOISE,   /* behind a head that is possible */
    STORM_SOURCES
};

struct storm_patch {
    uint32_t image;
    enum storm_source source;
    size_t n;
    uint8_t p[HOSTILE_PATCH];
};

const struct symbols_old *storm_image(uint32_t image);
const struct storm_patch *storm_good(uint32_t image, uint32_t which);

/* The patches of a round, one after the other; `before` is the one before. */
struct storm {
    struct draw d;
    uint32_t at; /* in the round */
    struct storm_patch patch, whole;
    struct symbols_walk walk;
    bool exact; /* the walk tells what must come of `patch` */
};

void storm_round(struct storm *s, uint64_t seed, uint64_t round);
void storm_next(struct storm *s);

/* One patch and all that is promised: NULL, or what was broken. */
const char *storm_try(const struct storm *s, uint32_t portions,
                      struct hostile *h);

#endif
