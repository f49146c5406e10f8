/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

int stop_at(const struct stop *s, uint64_t done, uint64_t all,
            struct error *error)
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

struct stop stop_part(const struct stop *s, uint32_t k, uint32_t n)
{
    uint32_t all = s->to - s->from;
    struct stop part = {s->options, s->from + all * k / n,
                        s->from + all * (k + 1) / n};
    return part;
}
