/* SPDX-License-Identifier: Apache-2.0 */
/* GET and PATCH /api/v1/settings, and who asks for their values. */
#include "settings.h"

#include "api.h"
#include "delta_keeper.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct wanted {
    bool four_eyes;
    uint32_t approvals;
    bool deltas;
    bool set_deltas; /* else the configuration's holds on */
};

static struct wanted now_set(struct server *s)
{
    struct wanted w = {atomic_load(&s->settings.four_eyes),
                       atomic_load(&s->settings.approvals),
                       atomic_load(&s->settings.deltas), false};

    return w;
}

static void apply(struct server *s, struct wanted w)
{
    atomic_store(&s->settings.four_eyes, w.four_eyes);
    atomic_store(&s->settings.approvals, w.approvals);
    atomic_store(&s->settings.deltas, w.deltas);
}

static int take_row(void *ctx, sqlite3_stmt *row)
{
    struct wanted *w = ctx;
    const char *name = db_text(row, 0);
    int64_t value = sqlite3_column_int64(row, 1);

    if (strcmp(name, "four_eyes") == 0) {
        w->four_eyes = value != 0;
    } else if (strcmp(name, "deltas") == 0) {
        w->deltas = value != 0;
    } else if (strcmp(name, "approvals") == 0 && value >= 1 &&
               value <= SETTINGS_APPROVALS_MAX) {
        w->approvals = (uint32_t)value;
    }
    return 0;
}

int settings_load(struct server *s, struct error *err)
{
    struct wanted w = {s->config.four_eyes != 0, 1, s->config.deltas != 0,
                       false};

    if (db_each(&s->store.db, err, take_row, &w,
                "SELECT name, value FROM settings", "") != 0) {
        return -1;
    }
    apply(s, w);
    return 0;
}

bool settings_four_eyes(struct server *s)
{
    return atomic_load(&s->settings.four_eyes);
}

uint32_t settings_approvals(struct server *s)
{
    return settings_four_eyes(s) ? atomic_load(&s->settings.approvals) : 0;
}

bool settings_deltas(struct server *s)
{
    return atomic_load(&s->settings.deltas);
}

static void reply(struct server *s, struct http_request *rq)
{
    struct wanted w = now_set(s);

    api_json(rq, 200,
             json_pack("{s:b, s:I, s:b}", "four_eyes", w.four_eyes,
                       "approvals", (json_int_t)w.approvals, "deltas",
                       w.deltas));
}

void settings_show(struct server *s, struct http_request *rq)
{
    reply(s, rq);
}

static int read_wanted(struct http_request *rq, const json_t *body,
                       struct wanted *w)
{
    const json_t *four = json_object_get(body, "four_eyes");
    const json_t *n = json_object_get(body, "approvals");
    const json_t *deltas = json_object_get(body, "deltas");
    size_t known = (size_t)(four != NULL) + (size_t)(n != NULL) +
                   (size_t)(deltas != NULL);

    if (known == 0 || known != json_object_size(body)) {
        api_error(rq, 400, "field",
                  "settings are \"four_eyes\", \"approvals\" and "
                  "\"deltas\"");
        return -1;
    }
    if ((four != NULL && !json_is_boolean(four)) ||
        (deltas != NULL && !json_is_boolean(deltas)) ||
        (n != NULL && (!json_is_integer(n) || json_integer_value(n) < 1 ||
                       json_integer_value(n) > SETTINGS_APPROVALS_MAX))) {
        api_error(rq, 400, "field",
                  "\"four_eyes\" and \"deltas\" must be true or false, "
                  "\"approvals\" a number from 1 to %d",
                  SETTINGS_APPROVALS_MAX);
        return -1;
    }
    w->four_eyes = four == NULL ? w->four_eyes : json_is_true(four);
    w->set_deltas = deltas != NULL;
    w->deltas = deltas == NULL ? w->deltas : json_is_true(deltas);
    w->approvals = n == NULL ? w->approvals : (uint32_t)json_integer_value(n);
    return 0;
}

static int put(struct server *s, const char *name, int64_t value,
               struct error *err)
{
    return db_run(&s->store.db, err,
                  "INSERT OR REPLACE INTO settings (name, value)"
                  " VALUES (?, ?)",
                  "ti", name, value);
}

static int write_settings(struct server *s, void *ctx, struct error *err)
{
    const struct wanted *w = ctx;

    if (put(s, "four_eyes", w->four_eyes, err) != 0 ||
        put(s, "approvals", w->approvals, err) != 0) {
        return -1;
    }
    return w->set_deltas ? put(s, "deltas", w->deltas, err) : 0;
}

static void change(struct server *s, struct http_request *rq,
                   const json_t *body)
{
    struct wanted w = now_set(s);
    char detail[96];

    if (read_wanted(rq, body, &w) != 0) {
        return;
    }
    snprintf(detail, sizeof detail,
             "four_eyes=%s approvals=%" PRIu32 " deltas=%s",
             w.four_eyes ? "true" : "false", w.approvals,
             w.deltas ? "true" : "false");
    if (api_change(s, rq, write_settings, &w, "settings", "", detail) == 0) {
        apply(s, w);
        delta_keeper_wake(s->delta_keeper);
        reply(s, rq);
    }
}

void settings_change(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, change);
}
