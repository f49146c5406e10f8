/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One unit of a copy: what it is predicted to be (predict.c), and what is said
 * when that is wrong (correct.c). unit.c walks.
 */
#ifndef BL_DELTA_UNIT_H
#define BL_DELTA_UNIT_H

#include "codec.h"

/* Those whose target may be said. */
#define BL_KINDS_SAID (BL_KIND(BL_SITE_CALL) | BL_KIND(BL_SITE_L32R))

/* How a candidate came about; numbers stand in contexts. */
enum bl_type { BL_BY_MAP, BL_UNCHANGED, BL_BY_CONTENT };

enum { BL_CANDIDATES = 3 };

struct bl_unit {
    struct bl_site site;
    uint32_t at;      /* offset in the old image */
    uint32_t skip;    /* bytes that an earlier page has */
    uint32_t take;    /* bytes that this one has */
    uint32_t was;     /* what its distance counts from */
    uint32_t address; /* the same in the new image */
    uint32_t class;
    uint32_t predicted; /* target */
    uint32_t mask;      /* of its bytes in a word */
    uint32_t said;      /* in encoding: the new bytes */
    uint32_t candidate[BL_CANDIDATES];
    uint8_t type[BL_CANDIDATES];
    uint32_t candidates;
    uint32_t entry; /* of the map that the target is in */
};

/* The bytes that an earlier page has: only in place; 0 for compilers to see.
 */
static inline uint32_t bl_unit_skip(const struct bl_unit *u)
{
#if BL_DELTA_IN_PLACE
    return u->skip;
#else
    (void)u;
    return 0;
#endif
}

static inline uint32_t bl_unit_mask(uint32_t n)
{
    return n == 4 ? UINT32_MAX : (1U << (8 * n)) - 1;
}

/* How often the last ones of this type and class were wrong. */
static inline uint8_t *bl_candidate_history(struct bl_codec *c, uint32_t type,
                                            uint32_t class)
{
    return &c->history.candidates[type * BL_SITE_CLASSES + class];
}

/* What a distance in the unit counts from, in both images. */
void bl_unit_place(struct bl_codec *c, struct bl_unit *u);

/* What it may be, the likeliest first; at least one. */
void bl_unit_predict(struct bl_codec *c, struct bl_unit *u);

/* None of the candidates is right: the bytes. */
uint32_t bl_unit_correct(struct bl_codec *c, const struct bl_unit *u);

/* What there is to guess bytes by. */
enum bl_guess { BL_GUESS_NONE, BL_GUESS_UNIT, BL_GUESS_SITE };

/* n bytes, as a word. Guesses are `predicted` and `again` (the prediction plus
 * the last difference). */
uint32_t bl_code_bytes(struct bl_codec *c, uint32_t n, uint32_t said,
                       uint32_t predicted, uint32_t again,
                       enum bl_guess guess);

#endif
