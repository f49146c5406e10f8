/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches for one slot whose order of blocks, slots and stash are drawn: what
 * the format allows, not what an encoder that wants small patches does.
 */
#ifndef TESTS_DIFF_IN_PLACE_DRAWN_H
#define TESTS_DIFF_IN_PLACE_DRAWN_H

#include <stdbool.h>

#include "diff/pairs.h"

enum { DRAWN_BLOCK = 256, DRAWN_ROOM = 12 * DRAWN_BLOCK };

struct drawn_pair {
    uint8_t old[DRAWN_ROOM], now[DRAWN_ROOM];
    uint32_t old_n, now_n, spare;
    uint8_t patch[3 * DRAWN_ROOM];
    size_t patch_n;
};

/* The old image is the begin of `noise` (DRAWN_ROOM bytes), or drawn. */
bool drawn_make(struct dice *d, const uint8_t *noise, struct drawn_pair *out);

#endif
