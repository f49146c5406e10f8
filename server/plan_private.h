/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a plan that are numbers or switches, as tables: reading,
 * refusing, filling in and writing go over the same rows. */
#ifndef SERVER_PLAN_PRIVATE_H
#define SERVER_PLAN_PRIVATE_H

#include "plan.h"

enum plan_kind { PLAN_BOOL, PLAN_U8, PLAN_U32, PLAN_I32, PLAN_U64 };

struct plan_member {
    const char *name;
    size_t offset;
    enum plan_kind kind;
    int64_t low;
    int64_t high;
    int64_t standard; /* when it is not said */
};

struct plan_table {
    const struct plan_member *row;
    size_t n;
};

extern const struct plan_table plan_scalars;   /* of struct plan */
extern const struct plan_table plan_retries;   /* of struct plan, in "retry" */
extern const struct plan_table plan_gate_rows; /* of struct plan_gates */

extern const char plan_days[7][4]; /* "mon", ... */

void plan_put(void *base, const struct plan_member *m, int64_t value);
int64_t plan_get(const void *base, const struct plan_member *m);
void plan_put_standards(const struct plan_table *table, void *base);

/* An object with these members and no others but `others`, names divided by
 * spaces that the caller reads. What is not said stays as it is. */
int plan_read_members(const json_t *object, const struct plan_table *table,
                      const char *others, void *base, struct error *err);
/* A text of `least` to `most` bytes, or NULL. */
const char *plan_read_text(const json_t *value, size_t least, size_t most,
                           struct error *err);

/* plan_lists.c */
int plan_read_stages(const json_t *list, const struct plan_gates *standard,
                     struct plan *p, struct error *err);
int plan_read_windows(const json_t *list, struct plan *p, struct error *err);
int plan_read_ids(const json_t *list, struct plan_ids *ids, struct error *err);
int plan_read_permits(const json_t *list, struct plan *p, struct error *err);

#endif
