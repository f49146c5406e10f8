/* SPDX-License-Identifier: Apache-2.0 */
#include "host/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void start(struct error *err, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void start(struct error *err, const char *format, va_list args)
{
    err->status = BL_OK;
    err->code = 0;
    (void)vsnprintf(err->text, sizeof err->text, format, args);
}

static void add(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct error *err, const char *format, ...)
{
    size_t n = strlen(err->text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(err->text + n, sizeof err->text - n, format, args);
    va_end(args);
}

int error_set(struct error *err, const char *format, ...)
{
    va_list args;

    if (err != NULL) {
        va_start(args, format);
        start(err, format, args);
        va_end(args);
    }
    return -1;
}

int error_errno(struct error *err, const char *format, ...)
{
    int number = errno;
    va_list args;

    if (err != NULL) {
        va_start(args, format);
        start(err, format, args);
        va_end(args);
        err->code = number;
        add(err, ": %s (errno %d)", strerror(number), number);
    }
    return -1;
}

int error_status(struct error *err, bl_status status, const char *format, ...)
{
    va_list args;

    if (err != NULL) {
        va_start(args, format);
        start(err, format, args);
        va_end(args);
        err->status = status;
        add(err, ": %s (%s)", bl_status_meaning(status),
            bl_status_name(status));
    }
    return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char old[sizeof err->text];
    va_list args;
    size_t n;

    if (err == NULL) {
        return -1;
    }
    memcpy(old, err->text, sizeof old);
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    n = strlen(err->text);
    (void)snprintf(err->text + n, sizeof err->text - n, ": %s", old);
    return -1;
}
