/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

int stop_at(struct stop *s, uint64_t done, uint64_t all, struct error *error)
{
    if (s == NULL || s->options->progress == NULL) {
        return 0;
    }
    uint64_t part = s->to - s->from;
    uint32_t at = s->from + (uint32_t)(all == 0 ? 0 : done * part / all);
    if (s->options->progress(s->options->ctx, at)) {
        return 0;
    }
    return error_set(error, "delta: stopped");
}

void stop_part(struct stop *s, uint32_t to)
{
    s->from = s->to;
    s->to = to > s->from ? to : s->from;
}
