/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <stdbool.h>

enum { HOUR_S = 3600, SECOND = 1000000 };

static uint64_t each_us(uint32_t per_hour)
{
    return (uint64_t)HOUR_S * SECOND / per_hour;
}

/* How far ahead of an even pace it may be. */
static uint64_t ahead_us(uint32_t per_hour)
{
    uint64_t each = each_us(per_hour);
    uint64_t minute = (uint64_t)60 * SECOND;

    return minute > each ? minute - each : 0;
}

uint32_t pace_wait(_Atomic uint64_t *due_us, uint32_t per_hour,
                   uint64_t now_us)
{
    uint64_t due;

    if (per_hour == 0) {
        return 0;
    }
    due = atomic_load(due_us);
    if (due <= now_us + ahead_us(per_hour)) {
        return 0;
    }
    return (uint32_t)((due - now_us - ahead_us(per_hour)) / SECOND) + 1;
}

void pace_take(_Atomic uint64_t *due_us, uint32_t per_hour, uint64_t now_us)
{
    uint64_t due = atomic_load(due_us);
    uint64_t next;

    if (per_hour == 0) {
        return;
    }
    do {
        next = (due > now_us ? due : now_us) + each_us(per_hour);
    } while (!atomic_compare_exchange_weak(due_us, &due, next));
}
