/* SPDX-License-Identifier: Apache-2.0 */
/* From which units of an old deflate stream a new one is made. */
#ifndef DIFF_MEMBER_PLAN_H
#define DIFF_MEMBER_PLAN_H

#include "member.h"
#include "members.h"
#include "progress.h"

/* Operations cover the new stream's units in order; one with 0 units ends
 * the list. */
struct member_plan {
    struct bl_member_operation *o;
    uint32_t n;
    uint32_t bytes; /* of a patch that they take, about */
};

/* `was` of `old`, the image of `image_n` bytes. It may be NULL: then all
 * units are new. */
int member_plan_make(const uint8_t *image, uint32_t image_n,
                     const struct members *old, const struct member *was,
                     const struct members *now, const struct member *is,
                     struct member_plan *out, const struct stop *stop,
                     struct error *error);
void member_plan_free(struct member_plan *plan);

#endif
