/* SPDX-License-Identifier: Apache-2.0 */
/* Results for a person, printed from the JSON that --json gives. */
#ifndef PRINT_H
#define PRINT_H

#include "tool.h"

/* Each key of an object on its line; silent with --json. */
void print_object(struct call *c, json_t *object);
/* A line of heads and a line for each object of a list. */
void print_table(struct call *c, const json_t *rows,
                 const char *const *columns, size_t n);
/* One value as text; `key` tells times and sizes. Kept. */
const char *print_scalar(struct call *c, const char *key, const json_t *value);
const char *print_list(struct call *c, const char *key, const json_t *list);

#endif
