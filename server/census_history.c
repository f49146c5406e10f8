/* SPDX-License-Identifier: Apache-2.0 */
#include "census_history.h"

#include "clock.h"

#include <stdlib.h>

enum {
    DENSE_S = 5,
    DENSE_FOR_S = 600,
    SPARSE_S = 300,
    KEEP_S = 400 * 86400,
    SERIES = 16,
    POINTS_MAX = 1000
};

static bool is_dense(const struct server *s, uint64_t now)
{
    uint64_t changed = atomic_load(&s->rollout_changed);

    return now < s->started + DENSE_FOR_S || now < changed + DENSE_FOR_S;
}

static char *versions_text(const struct census_product *p)
{
    json_t *out = json_object();
    char *text;

    for (uint32_t i = 0; i < p->n_versions; i++) {
        json_object_set_new(out, p->version[i].version,
                            json_integer(p->version[i].devices));
    }
    text = json_dumps(out, JSON_COMPACT);
    json_decref(out);
    return text;
}

static int write_rows(struct server *s, const struct census *c,
                      struct error *err)
{
    for (uint32_t i = 0; i < c->n_products; i++) {
        char *text;
        int result;

        if (c->product[i].devices == 0) {
            continue;
        }
        text = versions_text(&c->product[i]);
        result = text == NULL
                     ? error_set(err, "no memory")
                     : db_run(&s->store.db, err,
                              "INSERT OR REPLACE INTO census (product, time,"
                              " counts) VALUES (?, ?, ?)",
                              "iit", (int64_t)i, (int64_t)c->time, text);
        free(text);
        if (result != 0) {
            return -1;
        }
    }
    return 0;
}

/* Dense rows are for the day; what is older is thinned to every five
 * minutes, and in the end forgotten. */
static int prune(struct server *s, uint64_t now, struct error *err)
{
    if (db_run(&s->store.db, err, "DELETE FROM census WHERE time < ?", "i",
               (int64_t)now - KEEP_S) != 0) {
        return -1;
    }
    return db_run(&s->store.db, err,
                  "DELETE FROM census WHERE time < ? AND (product, time) NOT"
                  " IN (SELECT product, MIN(time) FROM census"
                  " GROUP BY product, time / 300)",
                  "i", (int64_t)now - 86400);
}

void census_history_add(struct server *s, struct census_history *h,
                        const struct census *c)
{
    uint64_t step = is_dense(s, c->time) ? DENSE_S : SPARSE_S;
    struct error err;

    if (c->devices == 0 || c->time < h->last + step ||
        store_begin(&s->store, &err) != 0) {
        return;
    }
    if (write_rows(s, c, &err) != 0 ||
        (c->time > h->pruned + 3600 && prune(s, c->time, &err) != 0)) {
        store_abort(&s->store);
        return;
    }
    if (store_commit(&s->store, &err) == 0) {
        h->last = c->time;
        h->pruned = c->time > h->pruned + 3600 ? c->time : h->pruned;
    }
}

/* --- Reading --------------------------------------------------------------
 */

struct series {
    json_t *times;
    json_t *values; /* version -> list, as long as times */
};

static void put_values(struct series *out, const json_t *counts)
{
    size_t n = json_array_size(out->times);
    const char *version;
    json_t *count;
    json_t *list;

    json_object_foreach((json_t *)(uintptr_t)counts, version, count)
    {
        list = json_object_get(out->values, version);
        if (list == NULL) {
            if (json_object_size(out->values) == SERIES) {
                continue;
            }
            list = json_array();
            json_object_set_new(out->values, version, list);
        }
        while (json_array_size(list) + 1 < n) {
            json_array_append_new(list, json_integer(0));
        }
        json_array_append(list, count);
    }
}

static int read_row(void *ctx, sqlite3_stmt *row)
{
    struct series *out = ctx;
    json_t *counts = json_loads(db_text(row, 1), 0, NULL);

    if (counts != NULL) {
        json_array_append_new(
            out->times,
            json_integer((json_int_t)sqlite3_column_int64(row, 0)));
        put_values(out, counts);
        json_decref(counts);
    }
    return 0;
}

static int read_time(void *ctx, sqlite3_stmt *row)
{
    *(uint64_t *)ctx = (uint64_t)sqlite3_column_int64(row, 0);
    return 1;
}

static json_t *series_json(const struct series *from)
{
    json_t *list = json_array();
    const char *version;
    json_t *values;

    json_object_foreach(from->values, version, values)
    {
        while (json_array_size(values) < json_array_size(from->times)) {
            json_array_append_new(values, json_integer(0));
        }
        json_array_append_new(list, json_pack("{s:s, s:O}", "version", version,
                                              "values", values));
    }
    return list;
}

json_t *census_history_json(struct server *s, const struct history_query *q)
{
    uint32_t points = q->points < 2            ? 2
                      : q->points > POINTS_MAX ? POINTS_MAX
                                               : q->points;
    struct series out = {json_array(), json_object()};
    uint64_t from = q->to;
    uint64_t step;
    json_t *json;

    store_lock(&s->store);
    /* What there is fills the chart: a young server's day is short. */
    db_each(&s->store.db, NULL, read_time, &from,
            "SELECT time FROM census WHERE product = ? AND time >= ?"
            " ORDER BY time LIMIT 1",
            "ii", (int64_t)q->product, (int64_t)q->from);
    step = (from > q->to ? 0 : (q->to - from) / points) + 1;
    /* The last row of each step. */
    db_each(&s->store.db, NULL, read_row, &out,
            "SELECT MAX(time), counts FROM census WHERE product = ?"
            " AND time BETWEEN ? AND ? GROUP BY (time - ?) / ? ORDER BY 1",
            "iiiii", (int64_t)q->product, (int64_t)from, (int64_t)q->to,
            (int64_t)from, (int64_t)step);
    store_unlock(&s->store);
    json = json_pack("{s:O, s:o}", "times", out.times, "series",
                     series_json(&out));
    json_decref(out.times);
    json_decref(out.values);
    return json;
}
