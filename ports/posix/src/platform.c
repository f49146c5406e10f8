/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/platform.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

bl_status platform_random(void *ctx, void *out, size_t n)
{
    uint8_t *p = out;

    (void)ctx;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return BL_ARGUMENT;
        }
        p += got;
        n -= (size_t)got;
    }
    return BL_OK;
}

uint64_t platform_now(void *ctx)
{
    const time_t first_release = 1700000000; /* nobody runs this before */
    time_t now = time(NULL);

    (void)ctx;
    return now < first_release ? 0 : (uint64_t)now;
}

uint64_t platform_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000U + (uint64_t)t.tv_nsec / 1000000U;
}

void platform_sleep_ms(uint32_t ms)
{
    struct timespec t = {(time_t)(ms / 1000U), (long)(ms % 1000U) * 1000000L};

    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

void platform_say(const char *who, const char *format, ...)
{
    char line[768];
    struct tm local;
    time_t now = time(NULL);
    size_t n;
    int part;
    va_list args;

    (void)localtime_r(&now, &local);
    n = strftime(line, sizeof line, "%H:%M:%S ", &local);
    part = snprintf(line + n, sizeof line - n, "%s: ", who);
    n += part > 0 ? (size_t)part : 0;
    va_start(args, format);
    part = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    n += part > 0 ? (size_t)part : 0;
    if (n > sizeof line - 2) {
        n = sizeof line - 2;
    }
    line[n++] = '\n';
    (void)!write(STDERR_FILENO, line, n);
}
