/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For devices with one slot: in which order the blocks of the new image are
 * written over the old one, which old blocks are saved before, and what can
 * not be copied then because it is gone.
 */
#ifndef DIFF_IN_PLACE_H
#define DIFF_IN_PLACE_H

#include "image.h"
#include "plan.h"

struct in_place {
    struct operations operations; /* those given, what is gone as new bytes */
    struct bl_page *pages;
    uint32_t pages_n;
    struct bl_piece *pieces; /* of pages, in the stash */
    uint32_t lost;           /* bytes that are gone */
};

/* By settings->block, slots, stash; the last becomes 0 when it is not used.
 */
int in_place_plan(const struct layout *l, const struct operations *from,
                  struct bl_settings *settings, struct in_place *out,
                  struct error *error);
void in_place_free(struct in_place *p);

/* The options for one slot: -1 with an error when they cannot be. */
int in_place_check(const struct diff_options *options, struct error *error);
uint8_t in_place_bits(const struct diff_options *options);
uint8_t in_place_slots(const struct diff_options *options);
uint8_t in_place_stash(const struct diff_options *options);

#endif
