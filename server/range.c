/* SPDX-License-Identifier: Apache-2.0 */
#include "range.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 18 };

/* Digits at *p, which moves on; -1 when there are none, or too many. */
static int take_number(const char **p, uint64_t *out)
{
    const char *from = *p;

    *out = 0;
    while (**p >= '0' && **p <= '9' && *p - from < DIGITS_MAX) {
        *out = *out * 10 + (uint64_t)(**p - '0');
        (*p)++;
    }
    return *p == from || (**p >= '0' && **p <= '9') ? -1 : 0;
}

/* "-N": the last N bytes. */
static enum range_kind take_suffix(const char *p, uint64_t size,
                                   struct range *out)
{
    uint64_t n;

    if (take_number(&p, &n) != 0 || *p != '\0') {
        return RANGE_WHOLE;
    }
    if (n == 0 || size == 0) {
        return RANGE_BEYOND;
    }
    out->n = n < size ? n : size;
    out->from = size - out->n;
    return RANGE_PART;
}

static enum range_kind put(uint64_t from, uint64_t last, uint64_t size,
                           struct range *out)
{
    if (from >= size) {
        return RANGE_BEYOND;
    }
    out->from = from;
    out->n = (last < size ? last + 1 : size) - from;
    return RANGE_PART;
}

enum range_kind range_read(const char *text, uint64_t size, struct range *out)
{
    uint64_t last = UINT64_MAX - 1;
    uint64_t from;
    const char *p;

    *out = (struct range){0, size, false};
    if (text == NULL || strncasecmp(text, "bytes=", 6) != 0) {
        return RANGE_WHOLE;
    }
    p = text + 6;
    if (*p == '-') {
        return take_suffix(p + 1, size, out);
    }
    if (take_number(&p, &from) != 0 || *p++ != '-') {
        return RANGE_WHOLE;
    }
    out->open = *p == '\0';
    if (!out->open &&
        (take_number(&p, &last) != 0 || *p != '\0' || last < from)) {
        out->open = false;
        return RANGE_WHOLE;
    }
    return put(from, last, size, out);
}
