/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled query: steps that run one after the other over one truth value.
 * A step compares (and sets the value), inverts it, or jumps forward over the
 * other side of an `and` or `or` that is decided already.
 */
#ifndef SERVER_QUERY_PRIVATE_H
#define SERVER_QUERY_PRIVATE_H

#include "query.h"

enum query_op {
    QUERY_EQUAL,
    QUERY_UNEQUAL,
    QUERY_LESS,
    QUERY_LESS_EQUAL,
    QUERY_MORE,
    QUERY_MORE_EQUAL,
    QUERY_GLOB,
    QUERY_IN,
    QUERY_NOT,     /* inverts */
    QUERY_IF_TRUE, /* jumps to `to` when the value is true */
    QUERY_IF_FALSE
};

struct query_step {
    uint8_t op;
    uint16_t name;   /* places in `pool` */
    uint16_t values; /* one behind the other, each with its zero */
    uint16_t n_values;
    uint16_t to;
};

/* A comparison, its `not` and the jump before it; a `not` for each pair of
 * parentheses. */
enum { QUERY_STEPS = 4 * QUERY_TERMS, QUERY_POOL = QUERY_TEXT + 8 };

struct query {
    uint32_t n;
    uint32_t pool_n;
    struct query_step step[QUERY_STEPS];
    char pool[QUERY_POOL];
};

bool query_glob(const char *pattern, const char *text);

#endif
