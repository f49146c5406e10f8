/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two models that mix several opinions: of bytes, and of the flag "this
 * unit is as predicted". Opinions are log odds times 256 ("stretched"
 * probabilities); the mix is their weighted sum, "squashed" to a probability.
 * Integers only.
 */
#ifndef BL_DELTA_MODEL_H
#define BL_DELTA_MODEL_H

#include "coder.h"

enum {
    BL_CONTEXTS = 6, /* hashed contexts of a byte */
    BL_INPUTS = BL_CONTEXTS + 3,
    BL_WEIGHTS = 40,
    BL_PLACES = 11, /* of a byte in its unit */
    BL_CHOICES = 4, /* contexts of "this candidate is right" */
    BL_CHOICE_COUNTERS = 128,
    BL_CHOICE_SETS = 8,
    BL_FLAG_SETS = 16 /* weights by the run of right predictions */
};

/* A probability of 22 bits and how often it was used, in 10. */
typedef uint32_t bl_fine;

struct bl_gate {
    int32_t weight[BL_CHOICE_SETS][BL_CHOICES];
    bl_counter counter[BL_CHOICES][BL_CHOICE_COUNTERS];
};

struct bl_model {
    bl_counter *table; /* shared by the contexts of a byte */
    bl_fine *flag[3];  /* by three contexts: 128, 128, 256; 64 each */
    uint32_t counters; /* in `table` */
    uint32_t flag_mask[3];
    int32_t flag_weight[BL_FLAG_SETS][3];
    int16_t weight[BL_WEIGHTS][BL_INPUTS];
    struct bl_gate gate[3];
    bl_counter match[2][BL_PLACES * 8];
};

/* What is known before a byte is coded. */
struct bl_byte {
    uint32_t place;                /* 0 .. BL_PLACES - 1 */
    uint32_t context[BL_CONTEXTS]; /* hashes; 0: not used */
    int32_t guess[2];              /* whole bytes; -1: none */
};

/* Sets all to the beginning; the pointers and masks are set before. */
void bl_model_start(struct bl_model *m);

uint32_t bl_code_byte(struct bl_coder *rc, struct bl_model *m, uint32_t byte,
                      struct bl_byte *b); /* b->guess is used up */

/* y: 1 when the prediction was wrong. `context` are any numbers. */
uint32_t bl_code_unit_flag(struct bl_coder *rc, struct bl_model *m, uint32_t y,
                           const uint32_t context[3], uint32_t set);

/* Is this candidate the right one? */
uint32_t bl_code_choice(struct bl_coder *rc, struct bl_model *m, uint32_t y,
                        const uint32_t context[BL_CHOICES], uint32_t set);

uint32_t bl_code_window(struct bl_coder *rc, struct bl_model *m, uint32_t y,
                        const uint32_t context[BL_CHOICES], uint32_t set);

/* A hash of two numbers, never 0. */
uint32_t bl_mix(uint32_t a, uint32_t b);

int32_t bl_stretch(uint32_t p); /* of 65536; 1 .. 65535 */
uint32_t bl_squash(int32_t d);  /* 1 .. 65535 */

#endif
