/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan holds, its defaults, and writing it out. */
#include "plan_private.h"

#include "host/file.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Tables -------------------------------------------------------------- */

#define YEAR_9999 253402300799
#define MANY 1000000000
#define DAYS(n) ((n)*86400)

#define ROW(type, name, kind, low, high, standard)                            \
    {                                                                         \
#name, offsetof(struct type, name), kind, low, high, standard         \
    }
#define TABLE(rows)                                                           \
    {                                                                         \
        rows, sizeof rows / sizeof rows[0]                                    \
    }

static const struct plan_member scalars[] = {
    ROW(plan, start_at, PLAN_U64, 0, YEAR_9999, 0),
    ROW(plan, deadline, PLAN_U64, 0, YEAR_9999, 0),
    ROW(plan, consent, PLAN_BOOL, 0, 1, 0),
    ROW(plan, min_battery_percent, PLAN_U8, 0, 100, 0),
    ROW(plan, metered, PLAN_BOOL, 0, 1, 1),
    ROW(plan, roaming, PLAN_BOOL, 0, 1, 1),
    ROW(plan, rate_per_hour, PLAN_U32, 0, MANY, 0),
    ROW(plan, max_downloads, PLAN_U32, 0, MANY, 0),
    ROW(plan, priority, PLAN_I32, -100, 100, 0),
    ROW(plan, security, PLAN_BOOL, 0, 1, 0)};
const struct plan_table plan_scalars = TABLE(scalars);

static const struct plan_member retries[] = {
    ROW(plan, attempts, PLAN_U8, 1, 10, 2),
    ROW(plan, quarantine_s, PLAN_U32, 0, DAYS(30), DAYS(1))};
const struct plan_table plan_retries = TABLE(retries);

static const struct plan_member gates[] = {
    ROW(plan_gates, confirmed_percent, PLAN_U8, 0, 100, 95),
    ROW(plan_gates, min_sample, PLAN_U32, 0, MANY, 5),
    ROW(plan_gates, soak_s, PLAN_U32, 0, DAYS(90), 3600),
    ROW(plan_gates, max_failed_percent, PLAN_U8, 0, 100, 10),
    ROW(plan_gates, min_failed, PLAN_U32, 1, MANY, 2),
    ROW(plan_gates, manual, PLAN_BOOL, 0, 1, 0)};
const struct plan_table plan_gate_rows = TABLE(gates);

const char plan_days[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

void plan_put(void *base, const struct plan_member *m, int64_t value)
{
    void *at = (char *)base + m->offset;

    switch (m->kind) {
    case PLAN_BOOL:
        *(bool *)at = value != 0;
        break;
    case PLAN_U8:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case PLAN_U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case PLAN_I32:
        *(int32_t *)at = (int32_t)value;
        break;
    case PLAN_U64:
        *(uint64_t *)at = (uint64_t)value;
        break;
    }
}

int64_t plan_get(const void *base, const struct plan_member *m)
{
    const void *at = (const char *)base + m->offset;

    switch (m->kind) {
    case PLAN_BOOL:
        return *(const bool *)at;
    case PLAN_U8:
        return *(const uint8_t *)at;
    case PLAN_U32:
        return *(const uint32_t *)at;
    case PLAN_I32:
        return *(const int32_t *)at;
    default:
        return (int64_t) * (const uint64_t *)at;
    }
}

void plan_put_standards(const struct plan_table *table, void *base)
{
    for (size_t i = 0; i < table->n; i++) {
        plan_put(base, &table->row[i], table->row[i].standard);
    }
}

/* --- Default, ids, end --------------------------------------------------- */

void plan_default(struct plan *p)
{
    struct plan_gates *gate = &p->stage[0].gates;

    memset(p, 0, sizeof *p);
    plan_put_standards(&plan_scalars, p);
    plan_put_standards(&plan_retries, p);
    p->n_stages = 1;
    p->stage[0].percent = 100;
    gate->confirmed_percent = 100;
    gate->max_failed_percent = 100;
    gate->min_failed = 1;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

bool plan_has_id(const struct plan_ids *ids, const uint8_t id[16])
{
    return ids->n > 0 && bsearch(id, ids->at, ids->n, sizeof ids->at[0],
                                 compare_ids) != NULL;
}

void plan_free(struct plan *p)
{
    query_free(p->query);
    free(p->include.at);
    free(p->exclude.at);
    for (uint32_t i = 0; i < p->n_permits; i++) {
        free((void *)(uintptr_t)p->permit[i].permit.p);
    }
    memset(p, 0, sizeof *p);
}

/* --- Writing ------------------------------------------------------------- */

static void write_members(json_t *object, const struct plan_table *table,
                          const void *base)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct plan_member *m = &table->row[i];
        int64_t value = plan_get(base, m);

        (void)json_object_set_new(object, m->name,
                                  m->kind == PLAN_BOOL
                                      ? json_boolean(value != 0)
                                      : json_integer(value));
    }
}

static json_t *write_stages(const struct plan *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->n_stages; i++) {
        const struct plan_stage *stage = &p->stage[i];
        json_t *one = json_object();
        json_t *gate = json_object();

        if (stage->percent > 0) {
            (void)json_object_set_new(one, "percent",
                                      json_integer(stage->percent));
        } else {
            (void)json_object_set_new(one, "count",
                                      json_integer(stage->count));
        }
        write_members(gate, &plan_gate_rows, &stage->gates);
        (void)json_object_set_new(one, "gates", gate);
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *write_ids(const struct plan_ids *ids)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < ids->n; i++) {
        char hex[33];

        hex_encode(ids->at[i], 16, hex);
        (void)json_array_append_new(list, json_string(hex));
    }
    return list;
}

static json_t *write_target(const struct plan *p)
{
    json_t *target = json_object();

    (void)json_object_set_new(target, "query", json_string(p->query_text));
    (void)json_object_set_new(target, "channel", json_string(p->channel));
    (void)json_object_set_new(target, "include", write_ids(&p->include));
    (void)json_object_set_new(target, "exclude", write_ids(&p->exclude));
    return target;
}

static json_t *write_windows(const struct plan *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->n_windows; i++) {
        const struct plan_window *w = &p->window[i];
        json_t *days = json_array();

        for (unsigned d = 0; d < 7; d++) {
            if ((w->days >> d & 1U) != 0) {
                (void)json_array_append_new(days, json_string(plan_days[d]));
            }
        }
        (void)json_array_append_new(
            list, json_pack("{s:o, s:o, s:o}", "days", days, "from",
                            json_sprintf("%02u:%02u", w->from_minute / 60U,
                                         w->from_minute % 60U),
                            "to",
                            json_sprintf("%02u:%02u", w->to_minute / 60U,
                                         w->to_minute % 60U)));
    }
    return list;
}

static json_t *write_permits(const struct plan *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->n_permits; i++) {
        const struct plan_permit *permit = &p->permit[i];
        char *base64 = malloc(4 * ((permit->permit.n + 2) / 3) + 1);
        char hex[65];

        if (base64 == NULL) {
            json_decref(list);
            return NULL;
        }
        (void)EVP_EncodeBlock((unsigned char *)base64, permit->permit.p,
                              (int)permit->permit.n);
        hex_encode(permit->manifest, 32, hex);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s}", "manifest", hex, "permit", base64));
        free(base64);
    }
    return list;
}

json_t *plan_json(const struct plan *p)
{
    json_t *plan = json_object();
    json_t *retry = json_object();

    write_members(plan, &plan_scalars, p);
    write_members(retry, &plan_retries, p);
    (void)json_object_set_new(plan, "retry", retry);
    (void)json_object_set_new(plan, "stages", write_stages(p));
    (void)json_object_set_new(plan, "target", write_target(p));
    (void)json_object_set_new(plan, "windows", write_windows(p));
    (void)json_object_set_new(
        plan, "on_failure",
        json_string(p->on_failure == PLAN_RETURN ? "return" : "pause"));
    if (json_object_set_new(plan, "permits", write_permits(p)) != 0) {
        json_decref(plan);
        return NULL;
    }
    return plan;
}
