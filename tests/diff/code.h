/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made-up programs, linked at two times: functions that call each other, load
 * texts and pointers, branch; in each instruction set. From a seed, the same
 * on every machine.
 */
#ifndef TESTS_DIFF_CODE_H
#define TESTS_DIFF_CODE_H

#include "bowline/delta.h"
#include "pairs.h"

enum { CODE_FUNCTIONS = 64, CODE_RAM = 0x20000000 };

struct code {
    uint8_t isa; /* enum bl_delta_isa */
    uint32_t base;
    uint32_t n;                      /* functions; each has a text, too */
    uint32_t seed[CODE_FUNCTIONS];   /* what a function does */
    uint8_t order[CODE_FUNCTIONS];   /* in which they are linked */
    uint8_t gap[CODE_FUNCTIONS];     /* bytes of padding before each, * 4 */
    uint32_t offset[CODE_FUNCTIONS]; /* set by code_link, of each function */
    uint32_t text[CODE_FUNCTIONS];
};

/* A program of `n` functions. */
void code_make(struct dice *d, struct code *c, uint32_t isa, uint32_t base,
               uint32_t n);

/* The next version: some functions are others, grew, swapped places. */
void code_revise(struct dice *d, struct code *c);

/* The image: functions, texts, a table of pointers to both. Its bytes, at
 * most `room`; 0 when there is no room. */
size_t code_link(struct code *c, uint8_t *p, size_t room);

#endif
