/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/devices */
#include "api.h"
#include "decide.h"
#include "report.h"
#include "router.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- A device as JSON ------------------------------------------------------
 */

static const char *wait_name(uint8_t wait)
{
    static const char *const name[] = {"", "window", "consent", "battery",
                                       "network"};

    return wait < 5 ? name[wait] : "unknown";
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static const char *noted_version(struct server *s, const struct device *d)
{
    const struct product *p = catalog_product_number(&s->catalog, d->product);
    const struct release *r =
        catalog_release_sequence(&s->catalog, p, d->s.noted_sequence);

    return r == NULL ? "a release" : r->version;
}

/* "returned from 1.2.0: boot-tries (watchdog)" */
static json_t *history(struct server *s, const struct device *d)
{
    char text[256];
    uint8_t state = d->s.noted_state;
    const char *code = bl_status_name((bl_status)d->s.noted_code);
    const char *version;

    if (d->s.first_seen == 0) {
        return json_string("never seen");
    }
    if (state < BL_STATE_CONFIRMED && d->s.noted_code == BL_OK) {
        return json_string("");
    }
    version = noted_version(s, d);
    if (state == BL_STATE_CONFIRMED) {
        snprintf(text, sizeof text, "confirmed %s", version);
    } else if (state == BL_STATE_RETURNED && d->s.noted_reset != 0) {
        snprintf(text, sizeof text, "returned from %s: %s (%s)", version, code,
                 bl_reset_cause_name((bl_reset_cause)d->s.noted_reset));
    } else if (state == BL_STATE_RETURNED) {
        snprintf(text, sizeof text, "returned from %s: %s", version, code);
    } else {
        snprintf(text, sizeof text, "%s %s: %s",
                 bl_device_state_name((bl_device_state)state), version, code);
    }
    return json_string(text);
}

static const char *target_kind(uint64_t order, const struct rollout *r)
{
    if (order % 2 == 1) {
        return "device";
    }
    return r != NULL && r->kind == ROLLOUT_ROLLBACK ? "product" : "rollout";
}

static json_t *target(struct server *s, struct device *d, bool *updated)
{
    uint64_t order;
    struct rollout_verdict v = device_decide(s, d, &order);
    const struct release *release;
    const struct rollout *rollout;
    bl_span permit;

    *updated = false;
    if (!v.wanted) {
        return json_null();
    }
    release = catalog_offer(&s->catalog, d->pin, order, &permit);
    rollout = order % 2 == 0 ? catalog_rollout(&s->catalog, order / 2) : NULL;
    *updated = d->s.offer == order && d->s.outcome == BL_STATE_CONFIRMED &&
               v.why == ROLLOUT_RUNS;
    return json_pack("{s:s, s:o, s:o, s:s}", "version", release->version,
                     "manifest", api_hex(release->manifest, 32), "rollout",
                     rollout == NULL ? json_null()
                                     : json_integer((json_int_t)rollout->id),
                     "kind", target_kind(order, rollout));
}

static const char *why_text(const struct device *d, enum rollout_why why)
{
    if (d->s.first_seen == 0) {
        return "it has not been seen yet";
    }
    switch (why) {
    case ROLLOUT_STAGE:
        return "its turn comes in a later stage";
    case ROLLOUT_PAUSE:
        return "the rollout is paused";
    case ROLLOUT_TRIED:
        return "it tried this release and did not keep it";
    case ROLLOUT_NEWER:
        return "it has, or has tried, something newer";
    case ROLLOUT_FLOOR:
        return "its anti-rollback floor is above the release's sequence "
               "number; release it again, under a new version";
    case ROLLOUT_TRIAL:
        return "the image it runs is still on trial";
    case ROLLOUT_RUNS:
        return d->s.confirmed != 0 ? "it runs what it should"
                                   : "it runs what it should, still on trial";
    case ROLLOUT_OFFER:
        return "an update is offered";
    case ROLLOUT_NOTHING:
    default:
        return "no rollout wants anything of it";
    }
}

static json_t *when(uint32_t seconds)
{
    return seconds == 0 ? json_null() : json_integer(seconds);
}

static json_t *progress(const struct device_state *s)
{
    if (s->state != BL_STATE_DOWNLOADING || s->total == 0) {
        return json_null();
    }
    return json_pack("{s:I, s:I}", "done", (json_int_t)s->done, "total",
                     (json_int_t)s->total);
}

static void add_reported(json_t *out, struct server *s, const struct device *d)
{
    const struct device_state *st = &d->s;
    bool seen = st->first_seen != 0;
    json_t *code =
        st->noted_code == 0
            ? json_null()
            : json_string(bl_status_name((bl_status)st->noted_code));
    json_t *part = json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:o, s:b, s:s, s:o, s:s, s:o, s:o, s:o,"
        " s:o, s:I, s:I, s:o}",
        "hardware", st->hardware, "version", st->version, "sequence",
        (json_int_t)st->sequence, "manifest",
        seen ? api_hex(st->manifest, 32) : json_null(), "image",
        seen ? api_hex(st->image, 32) : json_null(), "slot",
        seen ? json_string(st->slot == 0 ? "A" : "B") : json_null(),
        "confirmed", st->confirmed != 0, "state",
        bl_device_state_name((bl_device_state)st->state), "code", code,
        "reset", bl_reset_cause_name((bl_reset_cause)st->noted_reset),
        "progress", progress(st), "wait",
        text_or_null(st->state == BL_STATE_WAITING ? wait_name(st->wait)
                                                   : NULL),
        "last_seen", when(st->last_seen), "first_seen", when(st->first_seen),
        "root_version", (json_int_t)st->root_version, "floor",
        (json_int_t)st->floor, "history", history(s, d));

    json_object_update(out, part);
    json_decref(part);
}

/* The catalog and the device are locked. */
static json_t *device_json(struct server *s, struct device *d)
{
    const struct product *p = catalog_product_number(&s->catalog, d->product);
    json_t *tags = json_loads(d->tags, 0, NULL);
    json_t *out =
        json_pack("{s:o, s:s, s:s, s:o}", "id", api_hex(d->id, BL_ID_SIZE),
                  "name", d->name, "product", p->name, "tags",
                  tags == NULL ? json_array() : tags);
    uint64_t order;
    struct rollout_verdict v = device_decide(s, d, &order);
    bool updated;

    add_reported(out, s, d);
    json_object_set_new(out, "target", target(s, d, &updated));
    json_object_set_new(out, "updated", json_boolean(updated));
    json_object_set_new(out, "why", json_string(why_text(d, v.why)));
    return out;
}

/* --- Registration ---------------------------------------------------------
 */

static char *read_tags(struct http_request *rq, const json_t *body)
{
    json_t *tags = json_object_get(body, "tags");
    size_t i;
    json_t *tag;

    if (tags == NULL || json_is_null(tags)) {
        return strdup("[]");
    }
    if (!json_is_array(tags) || json_array_size(tags) > 32) {
        api_error(rq, 400, "field", "\"tags\" must be a list of at most 32");
        return NULL;
    }
    json_array_foreach(tags, i, tag)
    {
        if (!json_is_string(tag) || json_string_length(tag) > 64) {
            api_error(rq, 400, "field",
                      "a tag must be text of at most 64 bytes");
            return NULL;
        }
    }
    return json_dumps(tags, JSON_COMPACT);
}

static int write_device(struct server *s, void *ctx, struct error *err)
{
    struct device *d = ctx;

    return store_device_add(&s->store, d, &d->number, err);
}

/* The token is shown this one time. */
static void reply_registered(struct server *s, struct http_request *rq,
                             const uint8_t id[16], const char *token)
{
    struct device *d;
    json_t *out = NULL;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = devices_lock(s->devices, id);
    if (d != NULL) {
        report_count(&s->catalog, d, 1);
        out = device_json(s, d);
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (out != NULL) {
        json_object_set_new(out, "token", json_string(token));
    }
    api_json(rq, 201, out);
}

static int check_name(struct server *s, struct http_request *rq,
                      const char *name, const struct product *product)
{
    struct error err = {BL_OK, 0, ""};
    bool taken;

    if (store_device_named(&s->store, product->number, name, &taken, &err) !=
        0) {
        api_store_error(rq, &err);
        return -1;
    }
    if (taken) {
        api_error(rq, 409, "name-taken",
                  "another device of %s is named %s; give this one a name of "
                  "its own",
                  product->name, name);
        return -1;
    }
    return 0;
}

static void register_device(struct server *s, struct http_request *rq,
                            struct device *d, const struct product *product)
{
    struct error err = {BL_OK, 0, ""};
    char token[AUTH_DEVICE_TOKEN + 1];
    char id[33];
    struct device *there = devices_lock(s->devices, d->id);

    if (there != NULL) {
        devices_unlock(s->devices, there);
        api_error(rq, 409, "exists",
                  "the device is registered already; delete it first to give "
                  "it a new token");
        return;
    }
    if (check_name(s, rq, d->name, product) != 0) {
        return;
    }
    d->product = product->number;
    if (auth_new_device_token(d->id, token, d->token, &err) != 0) {
        api_error(rq, 500, "random", "%s", err.text);
        return;
    }
    hex_encode(d->id, 16, id);
    if (api_change(s, rq, write_device, d, "device-add", id, product->name) !=
        0) {
        return;
    }
    if (devices_add(s->devices, d, &err) != 0) {
        api_error(rq, 503, "memory", "%s; restart the server", err.text);
        return;
    }
    d->name = NULL; /* the table owns them now */
    d->tags = NULL;
    reply_registered(s, rq, d->id, token);
    explicit_bzero(token, sizeof token);
}

static int read_device(struct http_request *rq, const json_t *body,
                       struct device *d)
{
    const char *id = api_text(rq, body, "id", 32);
    const char *name;

    if (id == NULL) {
        return -1;
    }
    if (hex_decode(id, strlen(id), d->id, 16) != 0) {
        api_error(rq, 400, "field", "\"id\" must be 32 hex digits");
        return -1;
    }
    name = api_text_or_none(rq, body, "name", 128);
    d->name = name == NULL ? NULL : strdup(name);
    d->tags = d->name == NULL ? NULL : read_tags(rq, body);
    return d->tags == NULL ? -1 : 0;
}

void device_add(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);
    const struct product *product = NULL;
    struct device d;
    const char *name;

    memset(&d, 0, sizeof d);
    if (body == NULL) {
        return;
    }
    name = api_text(rq, body, "product", CATALOG_NAME - 1);
    if (name != NULL && read_device(rq, body, &d) == 0) {
        pthread_mutex_lock(&s->admin);
        product = catalog_product(&s->catalog, name);
        if (product == NULL) {
            api_error(rq, 404, "not-found", "there is no product %s", name);
        } else {
            register_device(s, rq, &d, product);
        }
        pthread_mutex_unlock(&s->admin);
    }
    free(d.name);
    free(d.tags);
    json_decref(body);
}

/* --- One device ------------------------------------------------------------
 */

/* Locked, or the error is set. The caller holds the catalog's lock. */
static struct device *named(struct server *s, struct http_request *rq)
{
    uint8_t id[16];
    struct device *d = NULL;

    if (hex_decode(rq->param[0], strlen(rq->param[0]), id, 16) == 0) {
        d = devices_lock(s->devices, id);
    }
    if (d == NULL) {
        api_error(rq, 404, "not-found", "there is no device %s", rq->param[0]);
    }
    return d;
}

void device_show(struct server *s, struct http_request *rq)
{
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = named(s, rq);
    if (d != NULL) {
        json_t *out = device_json(s, d);

        devices_unlock(s->devices, d);
        api_json(rq, 200, out);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static int write_delete(struct server *s, void *ctx, struct error *err)
{
    return store_device_delete(&s->store, *(uint32_t *)ctx, err);
}

void device_delete(struct server *s, struct http_request *rq)
{
    struct device *d;
    uint32_t number;

    pthread_mutex_lock(&s->admin);
    d = named(s, rq);
    if (d != NULL) {
        number = d->number;
        devices_unlock(s->devices, d);
        if (api_change(s, rq, write_delete, &number, "device-delete",
                       rq->param[0], "") == 0) {
            /* Written: no poll may hold on to the pin. */
            pthread_rwlock_wrlock(&s->catalog.lock);
            d = devices_lock_number(s->devices, number);
            report_count(&s->catalog, d, -1);
            pin_free(d->pin);
            d->pin = NULL;
            devices_remove_locked(s->devices, d);
            pthread_rwlock_unlock(&s->catalog.lock);
            http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
        }
    }
    pthread_mutex_unlock(&s->admin);
}

/* --- Lists ------------------------------------------------------------------
 */

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
            " s:s, s:I}",
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
            "received", (json_int_t)sqlite3_column_int64(row, 9)));
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
        " reset, received FROM events WHERE device = ? AND number < ?"
        " ORDER BY number DESC LIMIT ?",
        "iii", (int64_t)number,
        page.after == 0 ? INT64_MAX : (int64_t)page.after,
        (int64_t)page.limit);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (result != 0) {
        json_decref(l->items);
        api_store_error(rq, &err);
        return;
    }
    if (json_array_size(l->items) == page.limit) {
        json_t *last = json_array_get(l->items, page.limit - 1);

        next = (uint64_t)json_integer_value(json_object_get(last, "number"));
    }
    api_list(rq, l->items, next);
}

void device_events(struct server *s, struct http_request *rq)
{
    struct event_list l = {s, NULL, NULL};
    struct device *d;
    uint32_t number = 0;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = named(s, rq);
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

/* --- Rollback of one device -------------------------------------------------
 */

static uint64_t pin_order(const struct product *p)
{
    return (p->newest == NULL ? 0 : p->newest->id * 2) + 1;
}

struct new_pin {
    uint32_t device;
    const struct pin *pin;
};

static int write_pin(struct server *s, void *ctx, struct error *err)
{
    const struct new_pin *new = ctx;

    return store_device_pin(&s->store, new->device, new->pin->order,
                            new->pin->release->number, new->pin->permit, err);
}

/* The catalog is locked for writing: no poll may hold on to the old pin. */
static void apply_pin(struct server *s, struct http_request *rq,
                      uint32_t number, struct pin *pin)
{
    const struct journal_news none = {NULL, 0, NULL, 0};
    struct device *d;
    json_t *out;

    pthread_rwlock_wrlock(&s->catalog.lock);
    d = devices_lock_number(s->devices, number);
    if (d->s.offer == pin->order) {
        report_outcome(&s->catalog, d, BL_STATE_IDLE, 0);
        d->s.offer = 0;
    }
    pin_free(d->pin);
    d->pin = pin;
    journal_state(s->journal, d, &none);
    out = device_json(s, d);
    devices_unlock(s->devices, d);
    pthread_rwlock_unlock(&s->catalog.lock);
    api_json(rq, 202,
             json_pack("{s:s, s:O}", "device", rq->param[0], "target",
                       json_object_get(out, "target")));
    json_decref(out);
}

/* A permit is for the way back; forward goes a rollout, in stages. */
static int check_back(struct server *s, struct http_request *rq,
                      uint32_t number, const struct release *release)
{
    struct device *d = devices_lock_number(s->devices, number);
    bool forward = d->s.first_seen != 0 && d->s.sequence < release->sequence &&
                   d->s.floor < release->sequence;

    devices_unlock(s->devices, d);
    if (forward) {
        api_error(rq, 409, "not-older",
                  "%s is newer than what the device runs: that is no way "
                  "back; start a rollout of it",
                  release->version);
        return -1;
    }
    return 0;
}

static void pin_device(struct server *s, struct http_request *rq,
                       const json_t *body, uint32_t number,
                       const struct product *product)
{
    struct release *release = api_find_release(s, rq, product, body);
    uint8_t bytes[8192];
    uint8_t id[16];
    bl_span permit;
    struct pin *pin;

    hex_decode(rq->param[0], strlen(rq->param[0]), id, 16);
    if (release == NULL || check_back(s, rq, number, release) != 0 ||
        api_permit(s, rq, body, product, release, id, bytes, sizeof bytes,
                   &permit) != 0) {
        return;
    }
    pin = pin_new(pin_order(product), release, permit);
    if (pin == NULL) {
        api_error(rq, 503, "memory", "no memory");
        return;
    }
    struct new_pin new = {number, pin};
    if (api_change(s, rq, write_pin, &new, "device-rollback", rq->param[0],
                   release->version) == 0) {
        apply_pin(s, rq, number, pin);
    } else {
        pin_free(pin);
    }
}

void device_rollback(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);
    const struct product *product;
    struct device *d;

    if (body == NULL) {
        return;
    }
    pthread_mutex_lock(&s->admin);
    d = named(s, rq);
    if (d != NULL) {
        uint32_t number = d->number;

        product = catalog_product_number(&s->catalog, d->product);
        devices_unlock(s->devices, d);
        pin_device(s, rq, body, number, product);
    }
    pthread_mutex_unlock(&s->admin);
    json_decref(body);
}
