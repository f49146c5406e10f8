/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing the maps that a patch opens with: from the copies themselves, or
 * by the votes of the references in them.
 */
#ifndef DIFF_MAP_H
#define DIFF_MAP_H

#include "votes.h"

/* As the copies go; where two tell of the same old bytes, the longer. */
int map_copies(const struct operations *operations, struct moves *out,
               struct error *error);

/* Leaves the `limit` entries that most references need. */
void map_limit(struct moves *map, const struct votes *votes, uint32_t old_size,
               uint32_t limit);

/* By votes: the map of at most `limit` entries for which references that it
 * gets wrong and entries together cost least. Entries are cheap where a copy
 * begins. `copies` is the map of map_copies. `dear`: what an entry costs, in
 * 1/256 of the usual. */
int map_vote(const struct operations *operations, const struct votes *votes,
             const struct moves *copies, uint32_t dear, uint32_t limit,
             struct moves *out, struct error *error);

/* The same for RAM, where there are no copies. */
int map_ram(const struct votes *votes, uint32_t limit, struct moves *out,
            struct error *error);

#endif
