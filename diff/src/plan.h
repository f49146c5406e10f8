/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that make up a plan (encode.h): operations and moves. */
#ifndef DIFF_PLAN_H
#define DIFF_PLAN_H

#include "diff/diff.h"
#include "encode.h"

/* Cover the new image in order. */
struct operations {
    struct bl_operation *o;
    uint32_t n, room;
};

struct moves {
    struct bl_move *m;
    uint32_t n, room;
};

/* Both join what continues what is there. */
int operations_add(struct operations *list, uint32_t length, uint32_t old,
                   struct error *error);
int moves_add(struct moves *list, uint32_t at, int32_t shift,
              struct error *error);
int moves_copy(const struct moves *from, struct moves *to,
               struct error *error);
void operations_free(struct operations *list);
void moves_free(struct moves *list);

/* Where `at` went; before the first entry as the first says, if `before`,
 * else it stays. */
uint32_t moves_apply(const struct moves *list, uint32_t at, bool before);

/* The two maps of an alignment. */
struct maps {
    struct moves image, ram;
};

void maps_free(struct maps *m);

/* Where the target of a site is in the new image, by the maps. */
uint32_t maps_target(const struct maps *m, const struct bl_view *old,
                     const struct bl_view *now, const struct bl_site *s);

#endif
