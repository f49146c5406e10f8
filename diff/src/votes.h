/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Votes: each reference in a copy says where its target went. Gathered once
 * for an alignment; the maps are chosen by them.
 */
#ifndef DIFF_VOTES_H
#define DIFF_VOTES_H

#include "plan.h"

/* `weight` references (in 1/256) say that `at` went by `shift`. */
struct vote {
    uint32_t at;
    int32_t shift;
    uint32_t weight;
};

struct votes {
    struct vote *v; /* by at, then shift; each pair once */
    uint32_t n, room;
};

/* Of offsets in the image, and of addresses in RAM. */
int votes_gather(struct bl_view *old, struct bl_view *now,
                 const struct operations *operations, struct votes *image,
                 struct votes *ram, struct error *error);
void votes_free(struct votes *v);

#endif
