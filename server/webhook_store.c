/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks and their deliveries in the database. */
#include "webhooks.h"

#include "api.h"
#include "server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_AT_ONCE = 200 };

/* --- Webhooks -------------------------------------------------------------
 */

static void read_events(struct webhook *hook, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    const json_t *one;
    size_t i;

    hook->n_events = 0;
    json_array_foreach(list, i, one)
    {
        const char *pattern = json_string_value(one);

        if (pattern != NULL && hook->n_events < WEBHOOK_EVENTS) {
            snprintf(hook->event[hook->n_events++], WEBHOOK_PATTERN, "%s",
                     pattern);
        }
    }
    json_decref(list);
}

static char *write_events(const struct webhook *hook)
{
    json_t *list = json_array();
    char *text;

    for (uint32_t i = 0; i < hook->n_events; i++) {
        json_array_append_new(list, json_string(hook->event[i]));
    }
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

struct rows {
    webhook_each each;
    void *ctx;
};

static int read_row(void *ctx, sqlite3_stmt *row)
{
    const struct rows *r = ctx;
    struct webhook *hook = calloc(1, sizeof *hook);
    int result;

    if (hook == NULL) {
        return 1;
    }
    hook->number = sqlite3_column_int64(row, 0);
    snprintf(hook->url, sizeof hook->url, "%s", db_text(row, 1));
    read_events(hook, db_text(row, 2));
    snprintf(hook->secret, sizeof hook->secret, "%s", db_text(row, 3));
    hook->enabled = sqlite3_column_int64(row, 4) != 0;
    hook->position = sqlite3_column_int64(row, 5);
    hook->created = sqlite3_column_int64(row, 6);
    snprintf(hook->created_by, sizeof hook->created_by, "%s", db_text(row, 7));
    result = r->each(r->ctx, hook);
    free(hook);
    return result;
}

#define COLUMNS                                                               \
    "number, url, events, secret, enabled, position, created, created_by"

int webhook_rows(struct store *store, webhook_each each, void *ctx,
                 struct error *err)
{
    struct rows r = {each, ctx};

    return db_each(&store->db, err, read_row, &r,
                   "SELECT " COLUMNS " FROM webhooks ORDER BY number", "");
}

struct one_row {
    struct webhook *out;
    bool found;
};

static int keep_row(void *ctx, const struct webhook *hook)
{
    struct one_row *one = ctx;

    *one->out = *hook;
    one->found = true;
    return 1;
}

int webhook_row(struct store *store, int64_t number, struct webhook *out,
                struct error *err)
{
    struct one_row one = {out, false};
    struct rows r = {keep_row, &one};

    if (db_each(&store->db, err, read_row, &r,
                "SELECT " COLUMNS " FROM webhooks WHERE number = ?", "i",
                number) != 0) {
        return -1;
    }
    return one.found ? 0 : 1;
}

/* It begins behind the line that tells of it, which comes next. */
int webhook_add(struct store *store, struct webhook *hook, struct error *err)
{
    char *events = write_events(hook);
    int result =
        events == NULL
            ? error_set(err, "no memory")
            : db_run(&store->db, err,
                     "INSERT INTO webhooks (url, events, secret, enabled,"
                     " position, created, created_by) VALUES (?, ?, ?, ?,"
                     " (SELECT coalesce(max(number), 0) + 1 FROM audit), ?,"
                     " ?)",
                     "tttiit", hook->url, events, hook->secret,
                     (int64_t)hook->enabled, hook->created, hook->created_by);

    free(events);
    hook->number = sqlite3_last_insert_rowid(store->db.handle);
    return result;
}

/* One that is enabled again begins with what comes. */
int webhook_put(struct store *store, const struct webhook *hook,
                struct error *err)
{
    char *events = write_events(hook);
    int result =
        events == NULL
            ? error_set(err, "no memory")
            : db_run(&store->db, err,
                     "UPDATE webhooks SET url = ?, events = ?, secret = ?,"
                     " position = CASE WHEN enabled = 0 AND ? = 1 THEN"
                     " (SELECT coalesce(max(number), 0) FROM audit)"
                     " ELSE position END, enabled = ? WHERE number = ?",
                     "tttiii", hook->url, events, hook->secret,
                     (int64_t)hook->enabled, (int64_t)hook->enabled,
                     hook->number);

    free(events);
    return result;
}

int webhook_delete(struct store *store, int64_t number, struct error *err)
{
    return db_run(&store->db, err, "DELETE FROM webhooks WHERE number = ?",
                  "i", number);
}

/* --- The queue ------------------------------------------------------------
 */

struct line {
    int64_t number;
    int64_t time;
    const char *actor;
    const char *action;
    const char *object;
    const char *detail;
    bl_span hash; /* of the chain: who gets it has a witness */
};

struct queueing {
    struct server *s;
    struct webhook *hook;
    struct error *err;
    uint32_t lines;
    int64_t room;
    int result;
};

/* What a number means without another request. */
static json_t *rollout_of(struct server *s, const struct line *l)
{
    char *end;
    unsigned long long id = strtoull(l->object, &end, 10);
    const struct rollout *r = NULL;
    json_t *out = NULL;

    if (strncmp(l->action, "rollout-", 8) != 0 || *end != '\0' ||
        end == l->object) {
        return NULL;
    }
    pthread_rwlock_rdlock(&s->catalog.lock);
    r = catalog_rollout(&s->catalog, id);
    if (r != NULL) {
        out = json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)r->id,
                        "name", r->name, "product", r->product->name,
                        "version", r->release->version);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    return out;
}

static char *body_of(const char *id, const char *type, int64_t time,
                     json_t *data)
{
    json_t *body = json_pack("{s:s, s:s, s:I, s:o}", "id", id, "type", type,
                             "time", (json_int_t)time, "data", data);
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);

    json_decref(body);
    return text;
}

/* Behind those that wait for a receiver that is down: see is_down(). */
static int queue(struct store *store, int64_t webhook, const char *id,
                 const char *type, const char *body, struct error *err)
{
    int64_t now = (int64_t)time(NULL);

    return db_run(&store->db, err,
                  "INSERT INTO deliveries (webhook, event, type, body,"
                  " created, tries, next, last, status, error, ms)"
                  " VALUES (?, ?, ?, ?, ?, 0, max(?, (SELECT"
                  " coalesce(max(next), 0) FROM deliveries WHERE webhook = ?"
                  " AND next > 0 AND tries > 0 AND NOT (status BETWEEN 400"
                  " AND 499 AND status NOT IN (408, 429)))), 0, 0, '', 0)",
                  "itttiii", webhook, id, type, body, now, now, webhook);
}

static int queue_line(struct queueing *q, const struct line *l,
                      const char *type)
{
    json_t *data = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:o}", "number", (json_int_t)l->number,
        "actor", l->actor, "action", l->action, "object", l->object, "detail",
        l->detail, "hash", api_hex(l->hash.p, l->hash.n));
    json_t *rollout = rollout_of(q->s, l);
    char id[32];
    char *body;
    int result;

    if (rollout != NULL) {
        json_object_set_new(data, "rollout", rollout);
    }
    snprintf(id, sizeof id, "audit-%" PRId64, l->number);
    body = body_of(id, type, l->time, data);
    if (body == NULL) {
        return 0; /* text that is no UTF-8 is not there */
    }
    result = queue(&q->s->store, q->hook->number, id, type, body, q->err);
    free(body);
    return result;
}

static int look_at(void *ctx, sqlite3_stmt *row)
{
    struct queueing *q = ctx;
    struct line l = {sqlite3_column_int64(row, 0),
                     sqlite3_column_int64(row, 1),
                     db_text(row, 2),
                     db_text(row, 3),
                     db_text(row, 4),
                     db_text(row, 5),
                     db_blob(row, 6)};
    char type[64];

    webhook_type(l.action, type, sizeof type);
    if (webhook_wants(q->hook, type)) {
        if (q->room == 0) {
            return 1;
        }
        q->room--;
        q->result = queue_line(q, &l, type);
        if (q->result != 0) {
            return 1;
        }
    }
    q->hook->position = l.number;
    q->lines++;
    return 0;
}

static int read_number(void *ctx, sqlite3_stmt *row)
{
    *(int64_t *)ctx = sqlite3_column_int64(row, 0);
    return 1;
}

/* In a transaction of the caller's. */
int webhook_queue(struct server *s, struct webhook *hook, bool *more,
                  struct error *err)
{
    struct queueing q = {s, hook, err, 0, 0, 0};
    int64_t from = hook->position;
    int64_t waiting = 0;

    if (db_each(&s->store.db, err, read_number, &waiting,
                "SELECT count(*) FROM deliveries"
                " WHERE webhook = ? AND next > 0",
                "i", hook->number) != 0) {
        return -1;
    }
    q.room = waiting < WEBHOOK_QUEUE ? WEBHOOK_QUEUE - waiting : 0;
    if (db_each(&s->store.db, err, look_at, &q,
                "SELECT number, time, actor, action, object, detail, hash"
                " FROM audit WHERE number > ? ORDER BY number LIMIT ?",
                "ii", from, (int64_t)LINES_AT_ONCE) != 0 ||
        q.result != 0) {
        return -1;
    }
    *more = q.lines == LINES_AT_ONCE;
    return hook->position == from
               ? 0
               : db_run(&s->store.db, err,
                        "UPDATE webhooks SET position = ? WHERE number = ?",
                        "ii", hook->position, hook->number);
}

int webhook_queue_test(struct store *store, const struct webhook *hook,
                       const char *actor, int64_t *number, struct error *err)
{
    char id[64];
    char *body;
    int result;

    snprintf(id, sizeof id, "test-%" PRId64 "-%" PRId64, hook->number,
             (int64_t)time(NULL));
    body = body_of(id, "test", (int64_t)time(NULL),
                   json_pack("{s:I, s:s}", "webhook", (json_int_t)hook->number,
                             "actor", actor));
    result = body == NULL ? error_set(err, "no memory")
                          : queue(store, hook->number, id, "test", body, err);
    free(body);
    *number = sqlite3_last_insert_rowid(store->db.handle);
    return result;
}

/* --- Deliveries -----------------------------------------------------------
 */

struct due {
    struct webhook_delivery *out;
    int64_t now;
    const int64_t *busy;
    uint32_t n_busy;
    int64_t wait_s;
};

static bool is_busy(const struct due *d, int64_t webhook)
{
    for (uint32_t i = 0; i < d->n_busy; i++) {
        if (d->busy[i] == webhook) {
            return true;
        }
    }
    return false;
}

static int take_due(void *ctx, sqlite3_stmt *row)
{
    struct due *d = ctx;
    int64_t next = sqlite3_column_int64(row, 5);

    if (is_busy(d, sqlite3_column_int64(row, 1))) {
        return 0;
    }
    if (next > d->now) {
        d->wait_s = next - d->now;
        return 1;
    }
    d->out->body = strdup(db_text(row, 4));
    if (d->out->body != NULL) {
        d->out->number = sqlite3_column_int64(row, 0);
        d->out->webhook = sqlite3_column_int64(row, 1);
        d->out->tries = (uint32_t)sqlite3_column_int64(row, 2);
        snprintf(d->out->type, sizeof d->out->type, "%s", db_text(row, 3));
    }
    return 1;
}

int webhook_due(struct store *store, int64_t now, const int64_t *busy,
                uint32_t n_busy, struct webhook_delivery *out, int64_t *wait_s,
                struct error *err)
{
    struct due d = {out, now, busy, n_busy, 60};
    int result;

    memset(out, 0, sizeof *out);
    result = db_each(&store->db, err, take_due, &d,
                     "SELECT d.number, d.webhook, d.tries, d.type, d.body,"
                     " d.next FROM deliveries d JOIN webhooks w"
                     " ON w.number = d.webhook WHERE d.next > 0"
                     " AND w.enabled = 1 ORDER BY d.next, d.number",
                     "");
    *wait_s = d.wait_s;
    return result;
}

/* A receiver that is down gets nothing else meanwhile: its order is kept, and
 * it is not beaten while it is down. One that does not want this one may want
 * the next. */
static bool is_down(const struct webhook_result *r)
{
    return r->status < 400 || r->status >= 500 || r->status == 408 ||
           r->status == 429;
}

int webhook_done(struct store *store, const struct webhook_delivery *d,
                 const struct webhook_result *r, int64_t next,
                 struct error *err)
{
    if (db_run(&store->db, err,
               "UPDATE deliveries SET tries = tries + 1, next = ?, last = ?,"
               " status = ?, error = ?, ms = ? WHERE number = ?",
               "iiitii", next, (int64_t)time(NULL), (int64_t)r->status,
               r->error, (int64_t)r->ms, d->number) != 0) {
        return -1;
    }
    if (next == 0 || !is_down(r)) {
        return 0;
    }
    return db_run(&store->db, err,
                  "UPDATE deliveries SET next = ? WHERE webhook = ?"
                  " AND next > 0 AND next < ?",
                  "iii", next, d->webhook, next);
}

int webhook_prune(struct store *store, int64_t before, struct error *err)
{
    return db_run(&store->db, err,
                  "DELETE FROM deliveries WHERE next = 0 AND created < ?", "i",
                  before);
}

int webhook_waiting(struct store *store, int64_t *n, struct error *err)
{
    *n = 0;
    return db_each(&store->db, err, read_number, n,
                   "SELECT count(*) FROM deliveries WHERE next > 0", "");
}
