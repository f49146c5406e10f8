/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two models that mix several opinions: of bytes, and of gates, flags that
 * are asked for often. Opinions are log odds times 256 ("stretched"
 * probabilities); the mix is their weighted sum, "squashed" to a probability.
 * Integers only.
 */
#ifndef BL_DELTA_MODEL_H
#define BL_DELTA_MODEL_H

#include "coder.h"

enum {
    BL_CONTEXTS = 2, /* of a byte */
    BL_INPUTS = BL_CONTEXTS + 3,
    BL_WEIGHTS = 40,
    BL_PLACES = 11, /* of a byte in its unit */
    BL_GATE_CONTEXTS = 2,
    BL_GATE_SETS = 8 /* of weights */
};

/* Decisions that are made often, each with contexts of its own. */
enum bl_gate {
    BL_GATE_CANDIDATE, /* is it the right one? */
    BL_GATE_UNIT,      /* is the prediction wrong? */
    BL_GATE_WINDOW,    /* are all its units as predicted? */
    BL_GATES
};

struct bl_model {
    bl_counter *table; /* shared by the contexts of a byte */
    bl_counter *gates; /* by gate, context, value of it */
    uint32_t counters; /* in `table` */
    uint32_t gate_n;   /* values of a context, a power of two */
    int32_t gate_weight[BL_GATES * BL_GATE_SETS * BL_GATE_CONTEXTS];
    int16_t weight[BL_WEIGHTS][BL_INPUTS];
    bl_counter match[2][BL_PLACES * 8];
};

/* What is known before a byte is coded. */
struct bl_byte {
    uint32_t place;                /* 0 .. BL_PLACES - 1 */
    uint32_t context[BL_CONTEXTS]; /* hashes */
    int32_t guess[2];              /* whole bytes; -1: none */
};

/* Sets all to the beginning; the pointers and masks are set before. */
void bl_model_start(struct bl_model *m);

uint32_t bl_code_byte(struct bl_coder *rc, struct bl_model *m, uint32_t byte,
                      struct bl_byte *b); /* b->guess is used up */

/* `context` and `set` are any numbers. */
uint32_t bl_code_gate(struct bl_coder *rc, struct bl_model *m,
                      enum bl_gate gate, uint32_t y,
                      const uint32_t context[BL_GATE_CONTEXTS], uint32_t set);

/* A hash of two numbers, never 0. */
uint32_t bl_mix(uint32_t a, uint32_t b);

int32_t bl_stretch(uint32_t p); /* of 65536; 1 .. 65535 */
uint32_t bl_squash(int32_t d);  /* 1 .. 65535 */

#endif
