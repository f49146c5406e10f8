/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a long work in parts, and the caller's wish to stop. */
#ifndef DIFF_PROGRESS_H
#define DIFF_PROGRESS_H

#include "diff/diff.h"

struct stop {
    const struct diff_options *options;
    uint32_t from, to; /* of 1000: the part that is being done */
};

/* `done` of `all` of this part are done. -1: the caller wants to stop. */
int stop_at(const struct stop *s, uint64_t done, uint64_t all,
            struct error *error);

/* Part `k` of `n` equal ones of this part. */
struct stop stop_part(const struct stop *s, uint32_t k, uint32_t n);

#endif
