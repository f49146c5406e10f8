/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing, and running what query_compile.c made. */
#include "query_private.h"

#include <string.h>

/* --- Versions ------------------------------------------------------------ */

enum { PARTS = 16, RC = -1, BETA = -2, ALPHA = -3 };

/* As core's bl_version_parse reads them, but numbers of any size. */
struct part {
    int kind; /* 0: digits; else RC, BETA, ALPHA */
    const char *digits;
    size_t n; /* without leading zeros */
};

struct version {
    bool negative;
    bool plain; /* nothing left over, no leading zeros */
    uint32_t n;
    struct part part[PARTS];
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_number(const char **text, struct version *v)
{
    struct part *part = &v->part[v->n];
    const char *p = *text;

    if (!is_digit(*p) || v->n == PARTS) {
        return false;
    }
    while (*p == '0') {
        p++;
    }
    part->kind = 0;
    part->digits = p;
    while (is_digit(*p)) {
        p++;
    }
    part->n = (size_t)(p - part->digits);
    if (part->digits > *text + (part->n == 0)) {
        v->plain = false;
    }
    v->n++;
    *text = p;
    return true;
}

static bool read_numbers(const char **text, struct version *v)
{
    while (**text == '.') {
        ++*text;
        if (!read_number(text, v)) {
            return false;
        }
    }
    return true;
}

static int read_stage(const char **text)
{
    static const char *const name[] = {"-rc", "-beta", "-alpha"};

    for (int i = 0; i < 3; i++) {
        size_t n = strlen(name[i]);
        char after = '\0';

        if (strncmp(*text, name[i], n) != 0) {
            continue;
        }
        after = (*text)[n];
        if (after == '\0' || after == '.' || after == '+') {
            *text += n;
            return RC - i;
        }
    }
    return 0;
}

static bool read_version(const char *text, struct version *v)
{
    int stage;

    v->n = 0;
    v->plain = true;
    v->negative = *text == '-';
    text += v->negative;
    if (!read_number(&text, v) || !read_numbers(&text, v)) {
        return false;
    }
    stage = read_stage(&text);
    if (stage != 0) {
        if (v->n == PARTS) {
            return false;
        }
        v->part[v->n++] = (struct part){stage, NULL, 0};
        if (!read_numbers(&text, v)) {
            return false;
        }
    }
    if (*text != '\0') {
        v->plain = false;
    }
    return *text == '\0' || *text == '-' || *text == '+';
}

static int compare_parts(const struct part *a, const struct part *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    return a->n == 0 ? 0 : memcmp(a->digits, b->digits, a->n);
}

static int compare_versions(const struct version *a, const struct version *b)
{
    static const struct part zero = {0, NULL, 0};
    int order = 0;

    if (a->negative != b->negative) {
        return a->negative ? -1 : 1;
    }
    for (uint32_t i = 0; order == 0 && (i < a->n || i < b->n); i++) {
        order = compare_parts(i < a->n ? &a->part[i] : &zero,
                              i < b->n ? &b->part[i] : &zero);
    }
    return a->negative ? -order : order;
}

int query_compare(const char *a, const char *b)
{
    struct version va;
    struct version vb;
    int order;

    if (!read_version(a, &va) || !read_version(b, &vb)) {
        return strcmp(a, b);
    }
    order = compare_versions(&va, &vb);
    if (order != 0 || (va.plain && vb.plain)) {
        return order;
    }
    /* "10-kitchen" is not "10-cellar", and "010" is not "10". */
    if (va.plain != vb.plain) {
        return va.plain ? -1 : 1;
    }
    return strcmp(a, b);
}

/* --- Globs --------------------------------------------------------------- */

/* Behind the character at `p`: UTF-8. */
static const char *next(const char *p)
{
    p++;
    while (((uint8_t)*p & 0xC0) == 0x80) {
        p++;
    }
    return p;
}

bool query_glob(const char *pattern, const char *text)
{
    const char *star = NULL; /* behind the last one that was met */
    const char *again = text;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (*pattern == '?') {
            pattern++;
            text = next(text);
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            again = next(again);
            text = again;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

/* --- Running ------------------------------------------------------------- */

static bool is_one_of(const char *fact, const char *value, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (query_compare(fact, value) == 0) {
            return true;
        }
        value += strlen(value) + 1;
    }
    return false;
}

static bool holds(const struct query_step *step, const char *fact,
                  const char *value)
{
    switch (step->op) {
    case QUERY_LESS:
        return query_compare(fact, value) < 0;
    case QUERY_LESS_EQUAL:
        return query_compare(fact, value) <= 0;
    case QUERY_MORE:
        return query_compare(fact, value) > 0;
    case QUERY_MORE_EQUAL:
        return query_compare(fact, value) >= 0;
    case QUERY_GLOB:
        return query_glob(value, fact);
    default: /* =, !=, in */
        return is_one_of(fact, value, step->n_values);
    }
}

static bool compare(const struct query *q, const struct query_step *step,
                    query_fact fact, void *ctx)
{
    const char *name = q->pool + step->name;
    const char *value = q->pool + step->values;
    const char *first = fact(ctx, name, 0);
    bool many = strcmp(name, "tag") == 0;
    bool any = false;

    if (first == NULL) {
        return false;
    }
    any = holds(step, first, value);
    for (unsigned i = 1; many && !any; i++) {
        const char *more = fact(ctx, name, i);

        if (more == NULL) {
            break;
        }
        any = holds(step, more, value);
    }
    return step->op == QUERY_UNEQUAL ? !any : any;
}

bool query_match(const struct query *q, query_fact fact, void *ctx)
{
    bool value = true;
    uint32_t at = 0;

    if (q == NULL) {
        return true;
    }
    while (at < q->n) {
        const struct query_step *step = &q->step[at++];

        switch (step->op) {
        case QUERY_NOT:
            value = !value;
            break;
        case QUERY_IF_TRUE:
            at = value ? step->to : at;
            break;
        case QUERY_IF_FALSE:
            at = value ? at : step->to;
            break;
        default:
            value = compare(q, step, fact, ctx);
        }
    }
    return value;
}
