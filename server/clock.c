/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

static uint64_t speed(const struct server *s)
{
    return s->config.clock_speed < 1 ? 1 : (uint64_t)s->config.clock_speed;
}

uint64_t clock_of(const struct server *s, uint64_t real)
{
    uint64_t began = s->started;

    if (real == 0 || speed(s) == 1) {
        return real;
    }
    return real >= began ? began + (real - began) * speed(s)
           : (began - real) * speed(s) >= began
               ? 1
               : began - (began - real) * speed(s);
}

uint64_t clock_now(const struct server *s)
{
    return clock_of(s, (uint64_t)time(NULL));
}

uint32_t clock_real_s(const struct server *s, uint64_t seconds)
{
    uint64_t real = seconds / speed(s);

    return real == 0 ? 1 : real > UINT32_MAX ? UINT32_MAX : (uint32_t)real;
}

uint64_t clock_us(const struct server *s)
{
    return monotonic_us() * speed(s);
}
