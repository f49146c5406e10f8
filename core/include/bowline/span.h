/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of bytes that somebody else owns. A span never owns, never ends with
 * a zero byte, and is valid as long as the bytes it points into are.
 */
#ifndef BOWLINE_SPAN_H
#define BOWLINE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct bl_span {
    const uint8_t *p;
    size_t n;
} bl_span;

static inline bl_span bl_span_of(const void *p, size_t n)
{
    bl_span s;

    s.p = (const uint8_t *)p;
    s.n = n;
    return s;
}

/* Equal content? Not constant time: for public data. */
static inline bool bl_span_equal(bl_span a, bl_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#endif
