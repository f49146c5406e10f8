/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices? An expression over what is known of a device, compiled once
 * and evaluated at each poll: no allocation, no lock, no clock.
 *
 *   hardware = "rev-b" and not tag = lab and (version < 1.4.0 or region in
 *   (eu, "us-east")) and name ~ "kitchen-*"
 *
 *   expression = term {("and" | "or") term}       "and" binds tighter
 *   term       = ["not"] (comparison | "(" expression ")")
 *   comparison = NAME OP value | NAME "in" "(" value {"," value} ")"
 *   OP         = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"  (glob: * and ?)
 *   value      = word of [A-Za-z0-9_.:+-] | '"' text '"'
 *
 * NAME: id, name, product, hardware, version, channel, tag (any of them),
 * state, slot, sequence, or an attribute that devices report. The operators
 * compare as versions (1.4.2, 1.4-rc.1, 10, -70) when both sides are such,
 * else as text: 1.4 = 1.4.0, and 1.9 < 1.10; but 010 != 10. What a device has
 * not told makes a comparison false, `!=` too; `not` turns that round.
 * `tag != lab`: has tags, none of which is lab.
 */
#ifndef SERVER_QUERY_H
#define SERVER_QUERY_H

#include "host/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Comparisons, and parentheses in parentheses. */
enum { QUERY_TEXT = 1024, QUERY_TERMS = 64, QUERY_DEPTH = 16 };

struct query;

/* Text of at most QUERY_TEXT bytes. NULL and *err: what is wrong, and at
 * which character ("character 14: ..."). An empty text is NULL, too, with
 * err->text "": every device. */
struct query *query_compile(const char *text, struct error *err);
void query_free(struct query *q);

/* The facts by name: value number `i` (from 0) of `name`, or NULL when there
 * is none (any more). Only tag has several. */
typedef const char *(*query_fact)(void *ctx, const char *name, unsigned i);

/* NULL q: true. Re-entrant. */
bool query_match(const struct query *q, query_fact fact, void *ctx);

/* <0, 0, >0: as the operators compare. */
int query_compare(const char *a, const char *b);

#endif
