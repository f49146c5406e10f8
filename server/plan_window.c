/* SPDX-License-Identifier: Apache-2.0 */
/* Recurring windows: all in seconds of one week that begins on Monday. */
#include "plan.h"

enum { DAY = 86400, WEEK = 7 * DAY, MONDAY = 3 * DAY };

/* Second of the week at the device; 1970 began on a Thursday. */
static uint32_t week_second(uint64_t now, int east)
{
    int64_t s = (int64_t)(now % WEEK) + MONDAY + (int64_t)east * 60 % WEEK;

    return (uint32_t)((s + WEEK) % WEEK);
}

static uint32_t length(const struct plan_window *w)
{
    uint32_t minutes =
        w->to_minute > w->from_minute
            ? (uint32_t)(w->to_minute - w->from_minute)
            : (uint32_t)(w->to_minute + PLAN_MINUTES_A_DAY - w->from_minute);

    return minutes * 60;
}

struct look {
    uint32_t rest;     /* seconds until the open ones are closed, 0: none is */
    uint32_t opens_in; /* the next one that is not open */
};

static struct look look_at(const struct plan *p, uint32_t second)
{
    struct look look = {0, WEEK};

    for (uint32_t i = 0; i < p->n_windows; i++) {
        const struct plan_window *w = &p->window[i];
        uint32_t n = length(w);

        for (uint32_t d = 0; d < 7; d++) {
            uint32_t begin = d * DAY + w->from_minute * 60U;
            uint32_t since = (second + WEEK - begin) % WEEK;

            if ((w->days >> d & 1U) == 0) {
                continue;
            }
            if (since < n) {
                look.rest = n - since > look.rest ? n - since : look.rest;
            } else if (WEEK - since < look.opens_in) {
                look.opens_in = WEEK - since;
            }
        }
    }
    return look;
}

/* Windows that touch or overlap are one. 0: it never closes. */
static uint32_t close_after(const struct plan *p, uint32_t second,
                            uint32_t rest)
{
    uint32_t total = 0;

    while (rest > 0) {
        total += rest;
        if (total >= WEEK) {
            return 0;
        }
        rest = look_at(p, (second + total) % WEEK).rest;
    }
    return total;
}

bool plan_window_open(const struct plan *p, uint64_t now, int east,
                      uint32_t *opens_in, uint32_t *closes_in)
{
    uint32_t second = week_second(now, east);
    struct look look;

    *opens_in = 0;
    *closes_in = 0;
    if (p->n_windows == 0 || (p->deadline != 0 && now >= p->deadline)) {
        return true;
    }
    look = look_at(p, second);
    if (look.rest > 0) {
        *closes_in = close_after(p, second, look.rest);
    } else {
        *opens_in = look.opens_in;
    }
    if (p->deadline != 0) {
        uint64_t left = p->deadline - now;

        if (*opens_in > left) {
            *opens_in = (uint32_t)left;
        }
        if (*closes_in >= left) {
            *closes_in = 0;
        }
    }
    return look.rest > 0;
}
