/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of /api/v1/devices: the devices, and the events of one. */
#include "device_view.h"
#include "router.h"

#include "host/file.h"

struct filter {
    const struct product *product;
    const char *product_name;
    const char *state;
    const char *version;
    const char *text;
};

static bool wanted(const struct filter *f, const struct device *d)
{
    char id[33];

    if (f->product_name != NULL &&
        (f->product == NULL || d->product != f->product->number)) {
        return false;
    }
    if (f->state != NULL &&
        strcmp(f->state, bl_device_state_name((bl_device_state)d->s.state)) !=
            0) {
        return false;
    }
    if (f->version != NULL && strcmp(f->version, d->s.version) != 0) {
        return false;
    }
    if (f->text == NULL || f->text[0] == '\0') {
        return true;
    }
    hex_encode(d->id, 16, id);
    return strncmp(id, f->text, strlen(f->text)) == 0 ||
           strstr(d->name, f->text) != NULL ||
           strstr(d->tags, f->text) != NULL;
}

/* Polls go on: the catalog is read-locked, a device only while it is read. */
static uint64_t collect(struct server *s, const struct filter *f,
                        const struct api_page *page, json_t *items)
{
    uint64_t last = page->after;

    for (uint64_t i = page->after + 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, (uint32_t)i);

        if (d == NULL) {
            continue;
        }
        if (wanted(f, d)) {
            if (json_array_size(items) == page->limit) {
                devices_unlock(s->devices, d);
                return last;
            }
            json_array_append_new(items, device_json(s, d));
            last = i;
        }
        devices_unlock(s->devices, d);
    }
    return 0;
}

void device_list(struct server *s, struct http_request *rq)
{
    struct filter f = {
        .product_name = http_query(rq, "product"),
        .state = http_query(rq, "state"),
        .version = http_query(rq, "version"),
        .text = http_query(rq, "q"),
    };
    struct api_page page;
    json_t *items;
    uint64_t next;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    items = json_array();
    pthread_rwlock_rdlock(&s->catalog.lock);
    f.product = f.product_name == NULL
                    ? NULL
                    : catalog_product(&s->catalog, f.product_name);
    next = collect(s, &f, &page, items);
    pthread_rwlock_unlock(&s->catalog.lock);
    api_list(rq, items, next);
}

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
