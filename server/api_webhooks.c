/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks as operators see them. The URL may hold a secret of the receiver's:
 * only an admin sees it, the audit log names its host. */
#include "api.h"
#include "router.h"
#include "webhooks.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static struct webhook_policy policy_of(struct server *s)
{
    struct webhook_policy p = {s->config.webhook_allow_http != 0,
                               s->config.webhook_allow_private != 0,
                               s->config.webhook_ca};

    return p;
}

static json_t *hook_json(const struct webhook *hook)
{
    json_t *events = json_array();

    for (uint32_t i = 0; i < hook->n_events; i++) {
        json_array_append_new(events, json_string(hook->event[i]));
    }
    return json_pack(
        "{s:I, s:s, s:o, s:b, s:I, s:s}", "id", (json_int_t)hook->number,
        "url", hook->url, "events", events, "enabled", hook->enabled,
        "created", (json_int_t)hook->created, "created_by", hook->created_by);
}

/* --- Reading --------------------------------------------------------------
 */

static int list_one(void *ctx, const struct webhook *hook)
{
    return json_array_append_new(ctx, hook_json(hook));
}

void webhook_list(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    json_t *items = json_array();
    int result;

    store_lock(&s->store);
    result = webhook_rows(&s->store, list_one, items, &err);
    store_unlock(&s->store);
    if (result != 0) {
        json_decref(items);
        api_store_error(rq, &err);
        return;
    }
    api_list(rq, items, 0);
}

/* The webhook of the path, in memory of its own; NULL and the error is set. */
static struct webhook *named(struct server *s, struct http_request *rq)
{
    struct webhook *hook = calloc(1, sizeof *hook);
    struct error err = {BL_OK, 0, ""};
    char *end;
    long long number = strtoll(rq->param[0], &end, 10);
    int result = 1;

    if (hook != NULL && *end == '\0') {
        store_lock(&s->store);
        result = webhook_row(&s->store, number, hook, &err);
        store_unlock(&s->store);
    }
    if (result == 0) {
        return hook;
    }
    free(hook);
    if (result < 0) {
        api_store_error(rq, &err);
    } else {
        api_error(rq, 404, "not-found", "there is no webhook %s",
                  rq->param[0]);
    }
    return NULL;
}

void webhook_show(struct server *s, struct http_request *rq)
{
    struct webhook *hook = named(s, rq);

    if (hook != NULL) {
        api_json(rq, 200, hook_json(hook));
        free(hook);
    }
}

/* --- Changing -------------------------------------------------------------
 */

static int read_url(struct server *s, struct http_request *rq,
                    const json_t *body, struct webhook *hook)
{
    const struct webhook_policy policy = policy_of(s);
    const char *url = api_text(rq, body, "url", WEBHOOK_URL);
    const char *fault;

    if (url == NULL) {
        return -1;
    }
    fault = webhook_url_fault(url, &policy);
    if (fault != NULL) {
        api_error(rq, 422, "url", "%s", fault);
        return -1;
    }
    snprintf(hook->url, sizeof hook->url, "%s", url);
    return 0;
}

static int read_events(struct http_request *rq, const json_t *list,
                       struct webhook *hook)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > WEBHOOK_EVENTS) {
        api_error(rq, 400, "field",
                  "\"events\" must be a list of at most %d types",
                  WEBHOOK_EVENTS);
        return -1;
    }
    json_array_foreach(list, i, one)
    {
        const char *pattern = json_string_value(one);

        if (pattern == NULL || !webhook_pattern_good(pattern)) {
            api_error(rq, 400, "field",
                      "\"events\" must hold types like \"rollout.pause\", "
                      "\"rollout.*\" or \"*\"");
            return -1;
        }
        snprintf(hook->event[i], WEBHOOK_PATTERN, "%s", pattern);
    }
    hook->n_events = (uint32_t)json_array_size(list);
    return 0;
}

static int make_secret(struct http_request *rq, struct webhook *hook)
{
    uint8_t random[32];
    char hex[65];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        api_error(rq, 503, "random", "no random numbers");
        return -1;
    }
    hex_encode(random, sizeof random, hex);
    snprintf(hook->secret, sizeof hook->secret, "whsec_%s", hex);
    return 0;
}

static int read_secret(struct http_request *rq, const json_t *body,
                       struct webhook *hook)
{
    const char *secret = api_text(rq, body, "secret", WEBHOOK_SECRET - 1);

    if (secret == NULL) {
        return -1;
    }
    if (strlen(secret) < WEBHOOK_SECRET_MIN) {
        api_error(rq, 400, "field", "\"secret\" must have %d to %d characters",
                  WEBHOOK_SECRET_MIN, WEBHOOK_SECRET - 1);
        return -1;
    }
    snprintf(hook->secret, sizeof hook->secret, "%s", secret);
    return 0;
}

/* The members that are there. */
static int read_members(struct server *s, struct http_request *rq,
                        const json_t *body, struct webhook *hook)
{
    const json_t *events = json_object_get(body, "events");
    const json_t *enabled = json_object_get(body, "enabled");

    if (json_object_get(body, "url") != NULL &&
        read_url(s, rq, body, hook) != 0) {
        return -1;
    }
    if (events != NULL && read_events(rq, events, hook) != 0) {
        return -1;
    }
    if (json_object_get(body, "secret") != NULL &&
        read_secret(rq, body, hook) != 0) {
        return -1;
    }
    if (enabled != NULL && !json_is_boolean(enabled)) {
        api_error(rq, 400, "field", "\"enabled\" must be true or false");
        return -1;
    }
    hook->enabled = enabled == NULL ? hook->enabled : json_is_true(enabled);
    return 0;
}

static int count_one(void *ctx, const struct webhook *hook)
{
    (void)hook;
    ++*(uint32_t *)ctx;
    return 0;
}

static int write_add(struct server *s, void *ctx, struct error *err)
{
    return webhook_add(&s->store, ctx, err);
}

static int write_put(struct server *s, void *ctx, struct error *err)
{
    return webhook_put(&s->store, ctx, err);
}

static int write_delete(struct server *s, void *ctx, struct error *err)
{
    const struct webhook *hook = ctx;

    return webhook_delete(&s->store, hook->number, err);
}

/* What the audit log says of it. */
static void detail_of(const struct webhook *hook, char *out, size_t size)
{
    char host[256];

    webhook_host(hook->url, host, sizeof host);
    snprintf(out, size, "%s%s", host, hook->enabled ? "" : " (off)");
}

static void reply_with_secret(struct http_request *rq,
                              const struct webhook *hook)
{
    json_t *out = hook_json(hook);

    json_object_set_new(out, "secret", json_string(hook->secret));
    api_json(rq, 201, out);
}

static bool is_full(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    uint32_t n = 0;
    int result;

    store_lock(&s->store);
    result = webhook_rows(&s->store, count_one, &n, &err);
    store_unlock(&s->store);
    if (result != 0) {
        api_store_error(rq, &err);
    } else if (n >= WEBHOOKS_MAX) {
        api_error(rq, 409, "full", "there are %d webhooks already",
                  WEBHOOKS_MAX);
    }
    return result != 0 || n >= WEBHOOKS_MAX;
}

static void add(struct server *s, struct http_request *rq, const json_t *body,
                struct webhook *hook)
{
    char detail[300];

    hook->enabled = true;
    hook->created = (int64_t)time(NULL);
    snprintf(hook->created_by, sizeof hook->created_by, "%s", rq->actor);
    if (read_url(s, rq, body, hook) != 0 ||
        read_members(s, rq, body, hook) != 0 ||
        (hook->secret[0] == '\0' && make_secret(rq, hook) != 0)) {
        return;
    }
    detail_of(hook, detail, sizeof detail);
    pthread_mutex_lock(&s->admin);
    if (!is_full(s, rq) &&
        api_change(s, rq, write_add, hook, "webhook-add", detail, "") == 0) {
        reply_with_secret(rq, hook);
    }
    pthread_mutex_unlock(&s->admin);
    webhooks_wake(s->webhooks);
}

void webhook_create(struct server *s, struct http_request *rq)
{
    struct webhook *hook = calloc(1, sizeof *hook);
    json_t *body = hook == NULL ? NULL : api_body(rq);

    if (body != NULL) {
        add(s, rq, body, hook);
    }
    json_decref(body);
    free(hook);
}

static void change(struct server *s, struct http_request *rq,
                   struct webhook *hook, const json_t *body)
{
    char detail[300];

    if (read_members(s, rq, body, hook) != 0) {
        return;
    }
    detail_of(hook, detail, sizeof detail);
    if (api_change(s, rq, write_put, hook, "webhook-change", rq->param[0],
                   detail) == 0) {
        api_json(rq, 200, hook_json(hook));
        webhooks_wake(s->webhooks);
    }
}

void webhook_change(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);
    struct webhook *hook;

    if (body == NULL) {
        return;
    }
    pthread_mutex_lock(&s->admin);
    hook = named(s, rq);
    if (hook != NULL) {
        change(s, rq, hook, body);
    }
    pthread_mutex_unlock(&s->admin);
    free(hook);
    json_decref(body);
}

void webhook_remove(struct server *s, struct http_request *rq)
{
    struct webhook *hook;
    char detail[300];

    pthread_mutex_lock(&s->admin);
    hook = named(s, rq);
    if (hook != NULL) {
        detail_of(hook, detail, sizeof detail);
        if (api_change(s, rq, write_delete, hook, "webhook-delete",
                       rq->param[0], detail) == 0) {
            http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
        }
    }
    pthread_mutex_unlock(&s->admin);
    free(hook);
}

/* --- Deliveries -----------------------------------------------------------
 */

static json_t *time_or_null(int64_t t)
{
    return t == 0 ? json_null() : json_integer(t);
}

static json_t *delivery_json(sqlite3_stmt *row)
{
    int64_t next = sqlite3_column_int64(row, 5);
    const char *error = db_text(row, 8);
    bool tried = sqlite3_column_int64(row, 4) > 0;

    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:s, s:I}",
                     "id", (json_int_t)sqlite3_column_int64(row, 0), "event",
                     db_text(row, 1), "type", db_text(row, 2), "state",
                     next > 0                    ? "waiting"
                     : tried && error[0] == '\0' ? "delivered"
                                                 : "failed",
                     "created", (json_int_t)sqlite3_column_int64(row, 3),
                     "tries", (json_int_t)sqlite3_column_int64(row, 4), "next",
                     time_or_null(next), "last",
                     time_or_null(sqlite3_column_int64(row, 6)), "status",
                     (json_int_t)sqlite3_column_int64(row, 7), "error", error,
                     "ms", (json_int_t)sqlite3_column_int64(row, 9));
}

struct deliveries {
    json_t *items;
    uint64_t last;
};

static int add_delivery(void *ctx, sqlite3_stmt *row)
{
    struct deliveries *d = ctx;

    d->last = (uint64_t)sqlite3_column_int64(row, 0);
    return json_array_append_new(d->items, delivery_json(row));
}

#define DELIVERY                                                              \
    "SELECT number, event, type, created, tries, next, last, status, error,"  \
    " ms FROM deliveries WHERE webhook = ?"

static void list_deliveries(struct server *s, struct http_request *rq,
                            const struct webhook *hook,
                            const struct api_page *page)
{
    struct deliveries d = {json_array(), 0};
    struct error err = {BL_OK, 0, ""};
    int64_t before = page->after == 0 ? INT64_MAX : (int64_t)page->after;
    int result;

    store_lock(&s->store);
    result = db_each(&s->store.db, &err, add_delivery, &d,
                     DELIVERY " AND number < ? ORDER BY number DESC LIMIT ?",
                     "iii", hook->number, before, (int64_t)page->limit);
    store_unlock(&s->store);
    if (result != 0) {
        json_decref(d.items);
        api_store_error(rq, &err);
        return;
    }
    api_list(rq, d.items,
             json_array_size(d.items) == page->limit ? d.last : 0);
}

void webhook_deliveries(struct server *s, struct http_request *rq)
{
    struct api_page page;
    struct webhook *hook;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    hook = named(s, rq);
    if (hook != NULL) {
        list_deliveries(s, rq, hook, &page);
        free(hook);
    }
}

struct test {
    const struct webhook *hook;
    const char *actor;
    int64_t number;
};

static int write_test(struct server *s, void *ctx, struct error *err)
{
    struct test *t = ctx;

    return webhook_queue_test(&s->store, t->hook, t->actor, &t->number, err);
}

static void reply_test(struct server *s, struct http_request *rq,
                       const struct test *t)
{
    struct deliveries d = {json_array(), 0};
    struct error err = {BL_OK, 0, ""};

    store_lock(&s->store);
    db_each(&s->store.db, &err, add_delivery, &d, DELIVERY " AND number = ?",
            "ii", t->hook->number, t->number);
    store_unlock(&s->store);
    if (json_array_size(d.items) == 1) {
        api_json(rq, 202, json_incref(json_array_get(d.items, 0)));
    } else {
        api_error(rq, 500, "store", "%s", err.text);
    }
    json_decref(d.items);
}

void webhook_test(struct server *s, struct http_request *rq)
{
    struct webhook *hook;

    pthread_mutex_lock(&s->admin);
    hook = named(s, rq);
    if (hook != NULL && !hook->enabled) {
        api_error(rq, 409, "off", "webhook %s is off: enable it first",
                  rq->param[0]);
    } else if (hook != NULL) {
        struct test t = {hook, rq->actor, 0};

        if (api_change(s, rq, write_test, &t, "webhook-test", rq->param[0],
                       "") == 0) {
            reply_test(s, rq, &t);
        }
    }
    pthread_mutex_unlock(&s->admin);
    free(hook);
    webhooks_wake(s->webhooks);
}
