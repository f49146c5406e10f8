/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/devices/{id}: one device, its removal, its way back. */
#include "census.h"
#include "device_view.h"
#include "outcomes.h"
#include "report.h"
#include "router.h"

#include "host/file.h"

#include <stdlib.h>

/* --- One device ------------------------------------------------------------
 */

void device_show(struct server *s, struct http_request *rq)
{
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = device_named(s, rq);
    if (d != NULL) {
        json_t *out = device_json(s, d);

        devices_unlock(s->devices, d);
        api_json(rq, 200, out);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

struct removal {
    uint32_t number;
    struct rollout *silent; /* that counts it as silent; or NULL */
    uint8_t outcome;
};

static int write_delete(struct server *s, void *ctx, struct error *err)
{
    const struct removal *r = ctx;

    if (r->silent != NULL &&
        outcome_put_silent(&s->store, r->number, r->silent->id, r->outcome,
                           (uint64_t)time(NULL), err) != 0) {
        return -1;
    }
    return store_device_delete(&s->store, r->number, err);
}

/* What it failed stays counted. */
static void keep_gone(const struct server *s, const struct device *d,
                      const struct rollout *silent)
{
    const struct product *p = catalog_product_number(&s->catalog, d->product);

    for (struct rollout *r = p->newest; r != NULL; r = r->older) {
        bool failed = r == silent || number_set_has(&r->failed, d->number);

        if (rollout_open(r->state) && failed &&
            catalog_add_gone(r, d->id) != 0) {
            log_error("no-memory", LOG_INT("rollout", r->id),
                      LOG_TEXT("advice", "a removed device that failed is "
                                         "counted again after a restart"));
        }
    }
}

static int find_removed(struct server *s, struct http_request *rq,
                        struct removal *out)
{
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = device_named(s, rq);
    if (d != NULL) {
        *out = (struct removal){d->number, census_silent(s, d), d->s.outcome};
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    return d == NULL ? -1 : 0;
}

/* Written: no poll may hold on to the pin. */
static void remove_it(struct server *s, const struct removal *r)
{
    struct device *d;

    pthread_rwlock_wrlock(&s->catalog.lock);
    d = devices_lock_number(s->devices, r->number);
    keep_gone(s, d, r->silent);
    report_count(&s->catalog, d, -1);
    pin_free(d->pin);
    d->pin = NULL;
    devices_remove_locked(s->devices, d);
    stream_fleet(s->stream);
    pthread_rwlock_unlock(&s->catalog.lock);
}

void device_delete(struct server *s, struct http_request *rq)
{
    struct removal removal;

    pthread_mutex_lock(&s->admin);
    if (find_removed(s, rq, &removal) == 0 &&
        api_change(s, rq, write_delete, &removal, "device-delete",
                   rq->param[0], "") == 0) {
        remove_it(s, &removal);
        http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
    }
    pthread_mutex_unlock(&s->admin);
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
    const struct journal_news none = {NULL, 0, NULL, 0, false};
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
                       const json_t *body)
{
    const struct product *product;
    struct release *release;
    uint32_t of_product;
    uint8_t bytes[8192];
    uint32_t number;
    uint8_t id[16];
    bl_span permit;
    struct pin *pin;

    if (device_find(s, rq, &number, &of_product) != 0) {
        return;
    }
    product = catalog_product_number(&s->catalog, of_product);
    release = api_find_release(s, rq, product, body);
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
    api_with_body(s, rq, pin_device);
}
