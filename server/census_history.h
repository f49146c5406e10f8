/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which versions ran when: rows of the table census, one for each product and
 * five minutes; each five seconds in the first ten minutes after the start and
 * after each change of a rollout, so that what happens then is seen to happen.
 */
#ifndef SERVER_CENSUS_HISTORY_H
#define SERVER_CENSUS_HISTORY_H

#include "census.h"

struct census_history {
    uint64_t last; /* seconds: the newest row */
    uint64_t pruned;
};

/* Writes a row for each product when it is time for one. */
void census_history_add(struct server *s, struct census_history *h,
                        const struct census *c);

struct history_query {
    uint32_t product;
    uint64_t from;
    uint64_t to;
    uint32_t points;
};

/* {"times": [], "series": [{"version", "values": []}]} */
json_t *census_history_json(struct server *s, const struct history_query *q);

#endif
