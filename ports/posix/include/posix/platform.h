/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness and time of a POSIX system, in the form core wants. */
#ifndef POSIX_PLATFORM_H
#define POSIX_PLATFORM_H

#include "bowline/status.h"

#include <stddef.h>
#include <stdint.h>

/* For bl_client_config; `ctx` is not used. */
bl_status platform_random(void *ctx, void *out, size_t n);
/* Seconds since 1970; 0 while the clock plainly was never set. */
uint64_t platform_now(void *ctx);
/* Milliseconds since some past instant; never falls. */
uint64_t platform_ms(void);
void platform_sleep_ms(uint32_t ms);

/*
 * One line on stderr: time of day, who, what. Written by one call, so that
 * the lines of many processes do not mix.
 */
void platform_say(const char *who, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
