/* SPDX-License-Identifier: Apache-2.0 */
/* The list of /api/v1/devices: filters, a query, an order. */
#include "device_filter.h"
#include "device_view.h"
#include "router.h"
#include "worker.h"

#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { SORT_MAX = 100000, KEY = 64 };

/* --- By number ------------------------------------------------------------
 */

/* Polls go on: the catalog is read-locked, a device only while it is read. */
static uint64_t collect(struct server *s, struct device_filter *f,
                        const struct api_page *page, json_t *items)
{
    uint64_t last = page->after;

    for (uint64_t i = page->after + 1; i <= devices_last(s->devices); i++) {
        struct device *d;

        catalog_breathe(&s->catalog, i);
        d = devices_lock_number(s->devices, (uint32_t)i);

        if (d == NULL) {
            continue;
        }
        if (device_filter_has(f, d)) {
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

/* --- In an order ----------------------------------------------------------
 */

struct sorted {
    char key[KEY];
    uint32_t number;
};

struct sorting {
    struct sorted *at;
    uint32_t n;
    const char *by;
    bool down;
};

static void make_key(const char *by, const struct device *d, char out[KEY])
{
    if (strcmp(by, "name") == 0) {
        snprintf(out, KEY, "%s", d->name);
    } else if (strcmp(by, "version") == 0) {
        snprintf(out, KEY, "%s", d->s.version);
    } else if (strcmp(by, "state") == 0) {
        snprintf(out, KEY, "%02u", d->s.state);
    } else if (strcmp(by, "hardware") == 0) {
        snprintf(out, KEY, "%s", d->s.hardware);
    } else if (strcmp(by, "battery") == 0) {
        snprintf(out, KEY, "%03u", d->s.battery);
    } else if (strcmp(by, "channel") == 0) {
        snprintf(out, KEY, "%s", d->channel == NULL ? "stable" : d->channel);
    } else {
        snprintf(out, KEY, "%012u", d->s.last_seen);
    }
}

static bool is_sort(const char *by)
{
    static const char *const name[] = {"name",     "version", "state",
                                       "hardware", "battery", "channel",
                                       "last_seen"};

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        if (strcmp(by, name[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int by_key(const void *a, const void *b)
{
    const struct sorted *x = a;
    const struct sorted *y = b;
    int order = query_compare(x->key, y->key);

    return order != 0              ? order
           : x->number < y->number ? -1
                                   : x->number > y->number;
}

static int gather(struct server *s, struct device_filter *f,
                  struct sorting *out)
{
    out->at = calloc(SORT_MAX, sizeof *out->at);
    if (out->at == NULL) {
        return -1;
    }
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d;

        catalog_breathe(&s->catalog, i);
        d = devices_lock_number(s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (device_filter_has(f, d)) {
            if (out->n == SORT_MAX) {
                devices_unlock(s->devices, d);
                return -1;
            }
            make_key(out->by, d, out->at[out->n].key);
            out->at[out->n++].number = i;
        }
        devices_unlock(s->devices, d);
    }
    qsort(out->at, out->n, sizeof out->at[0], by_key);
    return 0;
}

/* `after` is a place in the order here. */
static uint64_t put_sorted(struct server *s, const struct sorting *o,
                           const struct api_page *page, json_t *items)
{
    uint64_t i = page->after;

    for (; i < o->n && json_array_size(items) < page->limit; i++) {
        uint64_t place = o->down ? o->n - 1 - i : i;
        struct device *d =
            devices_lock_number(s->devices, o->at[place].number);

        if (d != NULL) {
            json_array_append_new(items, device_json(s, d));
            devices_unlock(s->devices, d);
        }
    }
    return i < o->n ? i : 0;
}

/* -1 and the error is set. */
static int list_sorted(struct server *s, struct device_filter *f,
                       struct http_request *rq, const struct api_page *page,
                       const char *sort, json_t *items, uint64_t *next)
{
    struct sorting o = {.down = sort[0] == '-'};
    int result;

    o.by = sort + (o.down ? 1 : 0);
    if (!is_sort(o.by)) {
        api_error(rq, 400, "field",
                  "sort must be name, version, state, hardware, battery, "
                  "channel or last_seen, with a - before it to turn it round");
        return -1;
    }
    result = gather(s, f, &o);
    if (result != 0) {
        api_error(rq, 400, "too-many",
                  "more than %d devices cannot be sorted: narrow the list",
                  SORT_MAX);
    } else {
        *next = put_sorted(s, &o, page, items);
    }
    free(o.at);
    return result;
}

/* --- The request ----------------------------------------------------------
 */

static void list(struct server *s, struct http_request *rq,
                 struct device_filter *f)
{
    const char *sort = http_query(rq, "sort");
    struct api_page page;
    json_t *items;
    uint64_t next = 0;
    int result = 0;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    items = json_array();
    pthread_rwlock_rdlock(&s->catalog.lock);
    device_filter_look_up(f);
    if (sort != NULL && sort[0] != '\0') {
        result = list_sorted(s, f, rq, &page, sort, items, &next);
    } else {
        next = collect(s, f, &page, items);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (result == 0) {
        api_list(rq, items, next);
    } else {
        json_decref(items);
    }
}

static void list_devices(struct server *s, struct http_request *rq)
{
    struct device_filter *f = device_filter_read(s, rq);

    if (f != NULL) {
        list(s, rq, f);
        device_filter_free(f);
    }
}

/* With neither filter nor order it ends with its page. */
static bool is_walk(const struct http_request *rq)
{
    static const char *const narrows[] = {
        "sort",    "query",   "search",  "q",         "product", "state",
        "version", "rollout", "outcome", "attention", NULL};

    for (int i = 0; narrows[i] != NULL; i++) {
        if (http_query(rq, narrows[i]) != NULL) {
            return true;
        }
    }
    return false;
}

void device_list(struct server *s, struct http_request *rq)
{
    if (is_walk(rq)) {
        worker_walk(s->walks, rq, list_devices);
    } else {
        list_devices(s, rq);
    }
}
