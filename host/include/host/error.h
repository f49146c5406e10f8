/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error of host code: one sentence that gains its prefix as it climbs, so
 * that a person reads where, what and what to do: "release: thermostat.bin:
 * embedded version is 1.0.9, not 1.1.0; build it anew or say --version".
 * Functions return 0, or -1 with the error set. NULL is allowed.
 */
#ifndef HOST_ERROR_H
#define HOST_ERROR_H

#include "bowline/status.h"

struct error {
    bl_status status; /* BL_OK when the cause is not one of core's */
    int code;         /* errno, HTTP status: what fits; 0 when none */
    char text[512];
};

/* Each returns -1, for `return error_set(...)`. */
int error_set(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds ": " and the text and number of `errno`. */
int error_errno(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds the status's meaning and name. */
int error_status(struct error *err, bl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "text: " in front. */
int error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
