/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of images to make deltas of: noise, programs in each instruction set,
 * raw, as ESP image, as ELF file, with compressed members; what is new is a
 * later version, an edited copy, or something else. Each by its number, the
 * same on every machine.
 */
#ifndef TESTS_DIFF_MADE_H
#define TESTS_DIFF_MADE_H

#include "diff/diff.h"
#include "pairs.h"

enum { MADE_ROOM = 1 << 15 };

struct made {
    uint8_t old[MADE_ROOM], now[MADE_ROOM];
    size_t old_n, now_n;
    struct diff_options options;
};

/* Pair `number`, with options to go with it. */
void made_pair(uint32_t number, struct made *m);

/* An image of kind `kind` (any number), in two versions, of some hundred bytes
 * for each of `functions`. */
void made_images(struct dice *d, uint32_t kind, uint32_t functions,
                 struct made *m);

#endif
