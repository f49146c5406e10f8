/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/releases/{}/deltas, /api/v1/deltas: the patches to a release. */
#include "api.h"
#include "delta_keeper.h"
#include "router.h"

#include <inttypes.h>
#include <stdlib.h>

enum { RAM_PRESET = 2 /* 12 KB */ };

static json_t *version_of(const struct catalog *c, const uint8_t image[32])
{
    const struct release *r = delta_release(c, image);

    return r == NULL ? json_null() : json_string(r->version);
}

static json_t *share_of(const struct delta *one)
{
    if (one->size == 0 || one->full == 0) {
        return json_null();
    }
    return json_real((double)one->size / (double)one->full);
}

static json_t *digest_or_null(const struct delta *one)
{
    return atomic_load(&one->state) == DELTA_READY ? api_hex(one->patch, 32)
                                                   : json_null();
}

/* Catalog and table are locked. */
static json_t *delta_json(const struct server *s, const struct delta *one)
{
    json_t *made = one->made == 0 ? json_null() : json_integer(one->made);

    return json_pack(
        "{s:I, s:o, s:o, s:o, s:I, s:s, s:s, s:b, s:o, s:I, s:I, s:o, s:I,"
        " s:o, s:f, s:I, s:I, s:I, s:I}",
        "number", (json_int_t)one->number, "from",
        version_of(&s->catalog, one->base), "base", api_hex(one->base, 32),
        "target", api_hex(one->target, 32), "ram",
        (json_int_t)delta_class_ram[one->ram], "state",
        delta_state_name(atomic_load(&one->state)), "reason", one->reason,
        "offered", delta_offered(&s->deltas, one), "patch",
        digest_or_null(one), "size", (json_int_t)one->size, "full_size",
        (json_int_t)one->full, "share", share_of(one), "queued",
        (json_int_t)one->queued, "made", made, "seconds",
        (double)one->ms / 1000.0, "devices", (json_int_t)one->devices,
        "installed", (json_int_t)atomic_load(&one->installs), "failed",
        (json_int_t)atomic_load(&one->failures), "saved",
        (json_int_t)atomic_load(&one->saved));
}

static bool is_to(const struct delta *one, const struct release *r)
{
    return memcmp(one->target, r->digests.image[0], 32) == 0 ||
           memcmp(one->target, r->digests.image[1], 32) == 0;
}

/* Most devices first, then the newest. */
static int by_devices(const void *a, const void *b)
{
    const struct delta *x = *(const struct delta *const *)a;
    const struct delta *y = *(const struct delta *const *)b;

    if (x->devices != y->devices) {
        return x->devices > y->devices ? -1 : 1;
    }
    return x->number > y->number ? -1 : x->number < y->number;
}

static json_t *list_of(struct server *s, const struct release *r,
                       uint64_t *saved)
{
    const struct deltas *d = &s->deltas;
    const struct delta **found = calloc(d->n + 1, sizeof *found);
    json_t *items = json_array();
    uint32_t n = 0;

    *saved = 0;
    for (uint32_t i = 0; found != NULL && i < d->n_rows; i++) {
        if (d->row[i] != NULL && is_to(d->row[i], r)) {
            found[n++] = d->row[i];
            *saved += atomic_load(&d->row[i]->saved);
        }
    }
    if (n > 0) {
        qsort(found, n, sizeof *found, by_devices);
    }
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(items, delta_json(s, found[i]));
    }
    free(found);
    return items;
}

void delta_list(struct server *s, struct http_request *rq)
{
    const struct release *r = api_release_named(s, rq);
    uint64_t saved = 0;
    json_t *items;

    if (r == NULL) {
        return;
    }
    pthread_rwlock_rdlock(&s->catalog.lock);
    pthread_rwlock_rdlock(&s->deltas.lock);
    items = list_of(s, r, &saved);
    pthread_rwlock_unlock(&s->deltas.lock);
    pthread_rwlock_unlock(&s->catalog.lock);
    api_json(rq, 200,
             json_pack("{s:o, s:n, s:I, s:b, s:I}", "items", items, "next",
                       "saved", (json_int_t)saved, "enabled",
                       settings_deltas(s), "payload_bytes",
                       (json_int_t)r->payload_bytes));
}

static void reply(struct server *s, struct http_request *rq, int status,
                  const struct delta *one)
{
    json_t *out;

    pthread_rwlock_rdlock(&s->catalog.lock);
    pthread_rwlock_rdlock(&s->deltas.lock);
    out = delta_json(s, one);
    pthread_rwlock_unlock(&s->deltas.lock);
    pthread_rwlock_unlock(&s->catalog.lock);
    api_json(rq, status, out);
}

static void reply_error(struct http_request *rq, const struct error *err)
{
    if (err->code == 409) {
        api_error(rq, 409, "delta", "%s", err->text);
    } else {
        api_store_error(rq, err);
    }
}

/* --- Orders ---------------------------------------------------------------
 */

/* A class by its bytes; 12 KB when it is not said. */
static int read_ram(struct http_request *rq, const json_t *body, uint8_t *ram)
{
    const json_t *value = json_object_get(body, "ram");

    *ram = RAM_PRESET;
    for (uint8_t i = 0; value != NULL && i < DELTA_CLASSES; i++) {
        if (json_integer_value(value) == delta_class_ram[i]) {
            *ram = i;
            return 0;
        }
    }
    if (value != NULL) {
        api_error(rq, 400, "field",
                  "\"ram\" must be 6144, 8192, 12288, 16384 or 32768");
        return -1;
    }
    return 0;
}

/* What is ordered would wait, and nobody would say for what. */
static bool are_off(struct server *s, struct http_request *rq)
{
    if (settings_deltas(s)) {
        return false;
    }
    api_error(rq, 409, "deltas-off",
              "patches are switched off, so none is made; an admin switches "
              "them on: bowline settings --deltas on");
    return true;
}

/* From the image of slot A, and from that of slot B where that is another. */
static struct delta *order_both(struct server *s, struct http_request *rq,
                                const struct release *from,
                                const struct release *to, uint8_t ram)
{
    bool same =
        memcmp(from->digests.image[0], from->digests.image[1], 32) == 0 &&
        memcmp(to->digests.image[0], to->digests.image[1], 32) == 0;
    struct delta *one = NULL;

    for (int slot = same ? 0 : 1; slot >= 0; slot--) {
        struct delta what = {.ram = ram, .isas = (1U << BL_DELTA_ISAS) - 1};
        struct error err = {BL_OK, 0, ""};

        memcpy(what.base, from->digests.image[slot], 32);
        memcpy(what.target, to->digests.image[1 - slot], 32);
        one = delta_order(s, rq->actor, &what, &err);
        if (one == NULL) {
            reply_error(rq, &err);
            return NULL;
        }
    }
    return one;
}

static void order(struct server *s, struct http_request *rq,
                  const json_t *body)
{
    const struct release *to = api_release_named(s, rq);
    const char *version =
        to == NULL ? NULL : api_text(rq, body, "from", CATALOG_VERSION);
    const struct release *from;
    const struct delta *one;
    uint8_t ram;

    if (version == NULL || read_ram(rq, body, &ram) != 0 || are_off(s, rq)) {
        return;
    }
    from = catalog_release_version(to->product, &s->catalog, version);
    if (from == NULL) {
        api_error(rq, 404, "not-found", "%s has no release %s",
                  to->product->name, version);
        return;
    }
    if (from == to) {
        api_error(rq, 409, "delta", "a patch leads from another release");
        return;
    }
    one = order_both(s, rq, from, to, ram);
    if (one != NULL) {
        reply(s, rq, 202, one);
    }
}

void delta_add(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, order);
}

static struct delta *named(struct server *s, struct http_request *rq)
{
    char *end;
    unsigned long number = strtoul(rq->param[0], &end, 10);
    struct delta *one = *end != '\0' || number > UINT32_MAX
                            ? NULL
                            : deltas_row(&s->deltas, (uint32_t)number);

    if (one == NULL) {
        api_error(rq, 404, "not-found", "there is no patch %s", rq->param[0]);
    }
    return one;
}

/* Both take an empty body, too. */
static void act(struct server *s, struct http_request *rq, bool remake)
{
    struct error err = {BL_OK, 0, ""};
    struct delta *one;
    int result;

    pthread_mutex_lock(&s->admin);
    one = named(s, rq);
    if (one != NULL && !(remake && are_off(s, rq))) {
        result = remake ? delta_remake(s, rq->actor, one, &err)
                        : delta_withdraw(s, rq->actor, one,
                                         "an operator withdrew it", &err);
        if (result == 0) {
            reply(s, rq, 200, one);
        } else {
            reply_error(rq, &err);
        }
    }
    pthread_mutex_unlock(&s->admin);
}

void delta_action_remake(struct server *s, struct http_request *rq)
{
    act(s, rq, true);
}

void delta_action_withdraw(struct server *s, struct http_request *rq)
{
    act(s, rq, false);
}
