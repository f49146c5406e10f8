/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a raw image shows of itself. Code calls the same functions again and
 * again, and a call's target is relative: so the instruction set whose calls
 * meet most often is the one, and the places where calls meet are functions,
 * whatever the load address. Pointers to functions and strings then tell the
 * address.
 */
#ifndef DIFF_CODE_GUESS_H
#define DIFF_CODE_GUESS_H

#include "image.h"

/* Offsets, sorted, no duplicates. */
struct places {
    uint32_t *at;
    uint32_t n, room;
};

void places_free(struct places *p);

/* Functions by calls of instruction set `isa`: `out` has the targets that are
 * called at least twice. Returns how many calls went to a place that had been
 * called already. */
uint32_t guess_functions(const struct image *i, uint8_t isa,
                         struct places *out);

/* Starts of zero-terminated texts. */
void guess_strings(const struct image *i, struct places *out);

/* The load address at which most words point at functions and strings; false
 * when too few do. */
bool guess_base(const struct image *i, uint8_t isa,
                const struct places *functions, uint32_t *base);

/* RAM by the words that lie near each other outside of the image. */
struct bl_range guess_ram(const struct image *i, uint8_t isa, uint32_t base);

#endif
