/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate streams of a pair of images that are worth being coded as tokens:
 * those that changed, except where their bytes are cheaper.
 */
#ifndef DIFF_STREAMS_H
#define DIFF_STREAMS_H

#include "encode.h"
#include "member_plan.h"

struct streams {
    struct members old, now;
    struct bl_plan_member *list; /* of bl_plan */
    struct member_plan *plans;   /* one for each */
    uint32_t *pairs;             /* of each: member of `old` */
    uint32_t n;
    uint64_t saved; /* bytes of patch, about */
};

/* Begins zeroed. Freed by streams_free, also when finding failed. */
int streams_find(const uint8_t *from, uint32_t from_n, const uint8_t *to,
                 uint32_t to_n, struct streams *out, const struct stop *stop,
                 struct error *error);
void streams_free(struct streams *s);

/* Makes the bytes of the streams match nothing, in images that are aligned:
 * copies into them and out of them would be chance. */
void streams_mask(const struct streams *s, uint8_t *old, uint8_t *now);

#endif
