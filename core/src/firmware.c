/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/firmware.h"

#include <stdbool.h>
#include <string.h>

struct out {
    int32_t *p;
    uint32_t n;
    uint32_t max;
};

static bool put(struct out *o, int32_t v)
{
    if (o->n == o->max) {
        return false;
    }
    o->p[o->n++] = v;
    return true;
}

/* One number of decimal digits; moves `*text` behind it. */
static bool number(const char **text, struct out *o)
{
    const char *p = *text;
    int32_t v = 0;

    if (*p < '0' || *p > '9') {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        int32_t d = *p - '0';

        if (v > (INT32_MAX - d) / 10) {
            return false;
        }
        v = v * 10 + d;
    }
    *text = p;
    return put(o, v);
}

/* ".n" as often as it comes. */
static bool more_numbers(const char **text, struct out *o)
{
    while (**text == '.') {
        ++*text;
        if (!number(text, o)) {
            return false;
        }
    }
    return true;
}

/* What stands behind '-': -1, -2, -3, or 0 for anything else. */
static int32_t pre_release(const char **text)
{
    static const char *const names[] = {"rc", "beta", "alpha"};
    int32_t i;

    for (i = 0; i < 3; i++) {
        size_t n = strlen(names[i]);
        const char *end = *text;
        size_t same = 0;

        while (same < n && *end == names[i][same]) {
            end++;
            same++;
        }
        if (same == n && (*end == '\0' || *end == '.' || *end == '+')) {
            *text = end;
            return -1 - i;
        }
    }
    return 0;
}

uint32_t bl_version_parse(const char *text, int32_t *out, uint32_t max)
{
    struct out o = {NULL, 0, 0};
    int32_t kind;

    o.p = out;
    o.max = max;
    if (!number(&text, &o) || !more_numbers(&text, &o)) {
        return 0;
    }
    if (*text == '-') {
        text++;
        kind = pre_release(&text);
        if (kind == 0) {
            return o.n;
        }
        if (!put(&o, kind) || !more_numbers(&text, &o)) {
            return 0;
        }
    }
    return *text == '\0' || *text == '+' ? o.n : 0;
}

int bl_version_compare(const int32_t *a, uint32_t n_a, const int32_t *b,
                       uint32_t n_b)
{
    uint32_t i;

    for (i = 0; i < n_a || i < n_b; i++) {
        int32_t x = i < n_a ? a[i] : 0;
        int32_t y = i < n_b ? b[i] : 0;

        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}
