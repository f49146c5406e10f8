/* SPDX-License-Identifier: Apache-2.0 */
/* The past of one device: its events, and what they make of its time. */
#include "device_view.h"
#include "router.h"

#include "host/file.h"

struct event_list {
    struct server *s;
    const struct product *product;
    json_t *items;
};

static int add_event(void *ctx, sqlite3_stmt *row)
{
    struct event_list *l = ctx;
    uint64_t sequence = (uint64_t)sqlite3_column_int64(row, 5);
    int code = sqlite3_column_int(row, 4);
    int slot = sqlite3_column_int(row, 6);
    const struct release *r =
        catalog_release_sequence(&l->s->catalog, l->product, sequence);

    json_array_append_new(
        l->items,
        json_pack(
            "{s:I, s:I, s:I, s:s, s:s, s:i, s:s, s:I, s:o, s:s, s:i,"
            " s:s, s:I, s:I}",
            "number", (json_int_t)sqlite3_column_int64(row, 0), "boot",
            (json_int_t)sqlite3_column_int64(row, 1), "uptime",
            (json_int_t)sqlite3_column_int64(row, 2), "state",
            bl_device_state_name((bl_device_state)sqlite3_column_int(row, 3)),
            "code", bl_status_name((bl_status)code), "code_number", code,
            "meaning", bl_status_meaning((bl_status)code), "sequence",
            (json_int_t)sequence, "version",
            text_or_null(r == NULL ? NULL : r->version), "slot",
            slot == 0   ? "A"
            : slot == 1 ? "B"
                        : "",
            "attempt", sqlite3_column_int(row, 7), "reset",
            bl_reset_cause_name((bl_reset_cause)sqlite3_column_int(row, 8)),
            "received", (json_int_t)sqlite3_column_int64(row, 9), "life",
            (json_int_t)sqlite3_column_int64(row, 10)));
    return 0;
}

static void list_events(struct server *s, struct http_request *rq,
                        uint32_t number, struct event_list *l)
{
    struct error err = {BL_OK, 0, ""};
    struct api_page page;
    uint64_t next = 0;
    int result;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    l->items = json_array();
    pthread_rwlock_rdlock(&s->catalog.lock);
    result = db_each(
        &s->store.db, &err, add_event, l,
        "SELECT number, boot, uptime, state, code, sequence, slot, attempt,"
        " reset, received, life FROM events WHERE device = ?"
        " AND (life, number) < (?, ?)"
        " ORDER BY life DESC, number DESC LIMIT ?",
        "iiii", (int64_t)number,
        page.after == 0 ? INT64_MAX : (int64_t)(page.after >> 32),
        (int64_t)(page.after & UINT32_MAX), (int64_t)page.limit);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (result != 0) {
        json_decref(l->items);
        api_store_error(rq, &err);
        return;
    }
    if (json_array_size(l->items) == page.limit) {
        json_t *last = json_array_get(l->items, page.limit - 1);

        /* The number, under the life: most devices have but one. */
        next = (uint64_t)json_integer_value(json_object_get(last, "life"))
                   << 32 |
               (uint64_t)json_integer_value(json_object_get(last, "number"));
    }
    api_list(rq, l->items, next);
}

void device_events(struct server *s, struct http_request *rq)
{
    struct event_list l = {s, NULL, NULL};
    struct device *d;
    uint32_t number = 0;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = device_named(s, rq);
    if (d != NULL) {
        number = d->number;
        l.product = catalog_product_number(&s->catalog, d->product);
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (number != 0) {
        store_lock(&s->store);
        list_events(s, rq, number, &l);
        store_unlock(&s->store);
    }
}

/* --- Timeline -------------------------------------------------------------
 */

enum { TIMELINE_MAX = 500 };

struct timeline {
    struct server *s;
    const struct product *product;
    json_t *items;  /* newest first, until they are turned round */
    uint64_t later; /* when the state after it began; 0: it goes on */
};

/* The newest of the release's rollouts that had begun by then. */
static json_t *rollout_of(const struct product *p, const struct release *r,
                          uint64_t at)
{
    for (const struct rollout *o = p->newest; o != NULL && r != NULL;
         o = o->older) {
        if (o->release == r && o->created <= at) {
            return json_integer((json_int_t)o->id);
        }
    }
    return json_null();
}

static int add_span(void *ctx, sqlite3_stmt *row)
{
    struct timeline *t = ctx;
    int code = sqlite3_column_int(row, 1);
    uint64_t sequence = (uint64_t)sqlite3_column_int64(row, 2);
    uint64_t since = (uint64_t)sqlite3_column_int64(row, 3);
    uint64_t until = t->later == 0 ? (uint64_t)time(NULL) : t->later;
    const struct release *r =
        catalog_release_sequence(&t->s->catalog, t->product, sequence);

    json_array_append_new(
        t->items,
        json_pack(
            "{s:s, s:I, s:o, s:I, s:s, s:o, s:o, s:o}", "state",
            bl_device_state_name((bl_device_state)sqlite3_column_int(row, 0)),
            "since", (json_int_t)since, "until",
            t->later == 0 ? json_null() : json_integer((json_int_t)t->later),
            "seconds", (json_int_t)(until > since ? until - since : 0),
            "version", r == NULL ? "" : r->version, "rollout",
            rollout_of(t->product, r, since), "code",
            code == 0 ? json_null()
                      : json_string(bl_status_name((bl_status)code)),
            "meaning",
            code == 0 ? json_null()
                      : json_string(bl_status_meaning((bl_status)code))));
    t->later = since;
    return 0;
}

static json_t *turned_round(json_t *items)
{
    json_t *list = json_array();

    for (size_t i = json_array_size(items); i-- > 0;) {
        json_array_append(list, json_array_get(items, i));
    }
    json_decref(items);
    return list;
}

void device_timeline(struct server *s, struct http_request *rq)
{
    struct timeline t = {s, NULL, NULL, 0};
    struct error err = {BL_OK, 0, ""};
    uint32_t number = 0;
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = device_named(s, rq);
    if (d != NULL) {
        number = d->number;
        t.product = catalog_product_number(&s->catalog, d->product);
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (number == 0) {
        return;
    }
    t.items = json_array();
    store_lock(&s->store);
    pthread_rwlock_rdlock(&s->catalog.lock);
    db_each(&s->store.db, &err, add_span, &t,
            "SELECT state, code, sequence, received FROM events"
            " WHERE device = ? ORDER BY life DESC, number DESC LIMIT ?",
            "ii", (int64_t)number, (int64_t)TIMELINE_MAX);
    pthread_rwlock_unlock(&s->catalog.lock);
    store_unlock(&s->store);
    api_list(rq, turned_round(t.items), 0);
}
