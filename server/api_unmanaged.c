/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/unmanaged: devices that update with a client of their own. */
#include "api.h"
#include "device_view.h"
#include "host/file.h"
#include "router.h"
#include "unmanaged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *version_of(const struct server *s, uint32_t release)
{
    const struct release *r = catalog_release_number(&s->catalog, release);

    return r == NULL ? json_null() : json_string(r->version);
}

/* The rollout that sent it what it got last. */
static json_t *rollout_of(const struct unmanaged *u)
{
    return u->offer == 0 ? json_null()
                         : json_integer((json_int_t)(u->offer / 2));
}

static json_t *got_json(const struct server *s, const struct unmanaged *u)
{
    if (u->got == 0) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:I, s:I}", "version", version_of(s, u->got),
                     "rollout", rollout_of(u), "when", (json_int_t)u->got_at,
                     "bytes", (json_int_t)u->got_bytes);
}

static json_t *row_json(const struct server *s, const struct unmanaged *u)
{
    const struct product *p = catalog_product_number(&s->catalog, u->product);
    char id[33];

    hex_encode(u->id, 16, id);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:s, s:I,"
        " s:I, s:I}",
        "number", (json_int_t)u->number, "id", id, "name", u->key, "product",
        p == NULL ? "" : p->name, "channel", u->channel, "client",
        ask_client_name((enum ask_client)u->client), "version",
        text_or_null(u->version), "chip", text_or_null(u->chip), "runs",
        version_of(s, u->runs), "got", got_json(s, u), "status",
        (json_int_t)u->status, "why", u->why, "asked", (json_int_t)u->asked,
        "first_seen", (json_int_t)u->first_seen, "last_seen",
        (json_int_t)u->last_seen);
}

static json_t *collect(struct server *s, const struct api_page *page,
                       uint32_t product, uint64_t *next)
{
    json_t *items = json_array();
    uint32_t after = (uint32_t)page->after;
    struct unmanaged u;

    *next = 0;
    while (unmanaged_next(s->unmanaged, after, &u)) {
        if (product != 0 && u.product != product) {
            after = u.number;
            continue;
        }
        if (json_array_size(items) == page->limit) {
            *next = after;
            break;
        }
        after = u.number;
        json_array_append_new(items, row_json(s, &u));
    }
    return items;
}

void unmanaged_list(struct server *s, struct http_request *rq)
{
    const char *name = http_query(rq, "product");
    const struct product *p;
    struct api_page page;
    uint64_t next;
    json_t *items;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    pthread_rwlock_rdlock(&s->catalog.lock);
    p = name == NULL ? NULL : catalog_product(&s->catalog, name);
    if (name != NULL && p == NULL) {
        api_error(rq, 404, "not-found", "there is no product %s", name);
    } else if (page.after >= UINT32_MAX) {
        api_list(rq, json_array(), 0);
    } else {
        items = collect(s, &page, p == NULL ? 0 : p->number, &next);
        api_list(rq, items, next);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- Forgotten -------------------------------------------------------------
 */

static int write_nothing(struct server *s, void *ctx, struct error *err)
{
    (void)s;
    (void)ctx;
    (void)err;
    return 0;
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(text, &end, 10);
    return text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
                   n > UINT32_MAX
               ? 0
               : (uint32_t)n;
}

/* It comes back when it asks again: this is no lock. */
void unmanaged_delete(struct server *s, struct http_request *rq)
{
    uint32_t number = read_number(rq->param[0]);
    struct unmanaged u;

    pthread_mutex_lock(&s->admin);
    if (unmanaged_find(s->unmanaged, number, &u) != 0) {
        api_error(rq, 404, "not-found", "there is no such unmanaged device");
    } else if (api_change(s, rq, write_nothing, NULL, "unmanaged-delete",
                          u.key, "") == 0) {
        (void)unmanaged_forget(s->unmanaged, number);
        stream_fleet(s->stream);
        http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
    }
    pthread_mutex_unlock(&s->admin);
}
