/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two models that ask several counters: of bytes, and of gates, flags that
 * are asked for often.
 */
#ifndef BL_DELTA_MODEL_H
#define BL_DELTA_MODEL_H

#include "coder.h"

enum {
    BL_CONTEXTS = 2,  /* of a byte */
    BL_PLACES = 11,   /* of a byte in its unit */
    BL_STANDINGS = 4, /* of guesses */
    BL_GATE_CONTEXTS = 2
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
    bl_counter guess[BL_PLACES * 8 * BL_STANDINGS]; /* right or wrong */
};

/* Contexts of a byte: what they are of, and below that 16 bits of what it is.
 */
enum {
    BL_CONTEXT_BYTE = 0x00000,
    BL_CONTEXT_UNIT = 0x20000,
    BL_CONTEXT_MEMBER = 0x40000,
    BL_CONTEXT_OTHER = 0x10000 /* and that for the second one */
};

/* What is known before a byte is coded. */
struct bl_byte {
    uint32_t place; /* 0 .. BL_PLACES - 1 */
    uint32_t context[BL_CONTEXTS];
    int32_t guess[2]; /* whole bytes; -1: none */
};

/* Sets all to the beginning; the pointers and masks are set before. */
void bl_model_start(struct bl_model *m);

/* The decoder's functions have no parameter for what is to be coded. */
#define bl_code_byte(rc, m, byte, b)                                          \
    (BL_UNUSED(byte) bl_model_byte(rc, m, BL_Y(byte) b))
#define bl_code_gate(rc, m, gate, y, one, other)                              \
    (BL_UNUSED(y) bl_model_gate(rc, m, gate, BL_Y(y) one, other))

/* b->guess is used up. */
uint32_t bl_model_byte(struct bl_coder *rc, struct bl_model *m,
                       BL_Y(uint32_t byte) struct bl_byte *b);

/* `one`, `other`: values of its contexts, any numbers. */
uint32_t bl_model_gate(struct bl_coder *rc, struct bl_model *m,
                       enum bl_gate gate, BL_Y(uint32_t y) uint32_t one,
                       uint32_t other);

#endif
