/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/fleet: how all of it is, from the census: no walk for a request
 * where devices are many. */
#include "api.h"
#include "census.h"
#include "census_history.h"
#include "delta_keeper.h"
#include "rollout_view.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROLLOUTS_SHOWN = 20, POINTS = 200, DAY = 86400 };

/* --- Parts ----------------------------------------------------------------
 */

static json_t *versions_of(const struct census_product *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->n_versions; i++) {
        json_array_append_new(
            list, json_pack("{s:s, s:I}", "version", p->version[i].version,
                            "devices", (json_int_t)p->version[i].devices));
    }
    return list;
}

static const char *newest_version(struct server *s, const struct product *p)
{
    const struct release *r =
        catalog_release_sequence(&s->catalog, p, p->highest);

    return r == NULL ? "" : r->version;
}

static void put_products(struct server *s, const struct census *c, json_t *out)
{
    json_t *products = json_array();
    json_t *versions = json_array();

    for (uint32_t i = 0; i < c->n_products; i++) {
        const struct product *p = catalog_product_number(&s->catalog, i);
        const struct census_product *n = &c->product[i];

        if (p == NULL) {
            continue;
        }
        json_array_append_new(
            products,
            json_pack("{s:s, s:I, s:o, s:s}", "name", p->name, "devices",
                      (json_int_t)n->devices, "running", versions_of(n),
                      "newest", newest_version(s, p)));
        for (uint32_t k = 0; k < n->n_versions; k++) {
            json_array_append_new(
                versions,
                json_pack("{s:s, s:s, s:I}", "product", p->name, "version",
                          n->version[k].version, "devices",
                          (json_int_t)n->version[k].devices));
        }
    }
    json_object_set_new(out, "products", products);
    json_object_set_new(out, "versions", versions);
}

static json_t *states_json(const struct census *c)
{
    json_t *out = json_object();

    for (int i = 0; i <= BL_STATE_REFUSED; i++) {
        json_object_set_new(out, bl_device_state_name((bl_device_state)i),
                            json_integer(c->states[i]));
    }
    return out;
}

static json_t *attention_json(struct server *s, const struct census *c)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < c->n_attention; i++) {
        const struct census_device *d = &c->needs[i];
        const struct product *p =
            catalog_product_number(&s->catalog, d->product);
        char why[CENSUS_WHY];

        census_why(d, why);
        json_array_append_new(
            list,
            json_pack("{s:o, s:s, s:s, s:s, s:s, s:o}", "id",
                      api_hex(d->id, 16), "name", d->name, "product",
                      p == NULL ? "" : p->name, "why", why, "code",
                      d->lost ? WHY_SILENT : rollout_why_name(d->why), "since",
                      time_or_null(d->lost ? d->last_seen : d->since)));
    }
    return list;
}

struct totals {
    uint32_t running; /* by themselves */
    uint32_t stuck;   /* running, but no further without a person */
    uint32_t paused;
    uint32_t waiting;
};

static json_t *rollouts_json(struct server *s, const struct census *c,
                             struct totals *t)
{
    json_t *list = json_array();

    for (uint32_t i = s->catalog.rollouts.n; i-- > 0;) {
        struct rollout *r = s->catalog.rollouts.at[i];

        if (r == NULL || !rollout_open(r->state)) {
            continue;
        }
        if (r->state == ROLLOUT_RUNNING) {
            bool stuck = rollout_needs_person(s, r, c);

            t->stuck += stuck;
            t->running += !stuck;
        }
        t->paused += r->state == ROLLOUT_PAUSED;
        t->waiting += r->state == ROLLOUT_APPROVAL;
        if (json_array_size(list) < ROLLOUTS_SHOWN) {
            json_array_append_new(list, rollout_json(s, r, c, false));
        }
    }
    return list;
}

/* --- In one sentence ------------------------------------------------------
 */

static const char *level_of(const struct census *c, const struct totals *t)
{
    if (c->devices == 0) {
        return "empty";
    }
    if (t->paused > 0 || c->attention > c->devices / 20) {
        return "bad";
    }
    return c->attention > 0 || t->waiting > 0 || t->stuck > 0 ||
                   c->silent > c->devices / 10
               ? "watch"
               : "good";
}

static void add(char *out, size_t size, uint32_t n, const char *one,
                const char *many)
{
    size_t used = strlen(out);

    if (n > 0 && used < size) {
        snprintf(out + used, size - used, "; %" PRIu32 " %s", n,
                 n == 1 ? one : many);
    }
}

static void say(const struct census *c, const struct totals *t, char *out,
                size_t size)
{
    uint32_t heard = c->seen - c->silent;

    if (c->devices == 0) {
        snprintf(out, size, "no device is registered yet");
        return;
    }
    snprintf(out, size, "%" PRIu32 " of %" PRIu32 " device%s heard of", heard,
             c->devices, c->devices == 1 ? " was" : "s were");
    add(out, size, c->attention, "needs a person", "need a person");
    add(out, size, t->paused, "rollout is paused", "rollouts are paused");
    add(out, size, t->waiting, "rollout waits for approval",
        "rollouts wait for approval");
    add(out, size, t->stuck, "rollout goes no further without a person",
        "rollouts go no further without a person");
    add(out, size, t->running, "rollout is running", "rollouts are running");
    if (t->paused + t->running + t->stuck + t->waiting + c->attention == 0) {
        size_t used = strlen(out);

        snprintf(out + used, size - used, "; nothing is wrong");
    }
}

static json_int_t percent(uint32_t part, uint32_t all)
{
    return all == 0 ? 100 : (json_int_t)((uint64_t)part * 100 / all);
}

void fleet_show(struct server *s, struct http_request *rq)
{
    struct totals t = {0};
    const struct census *c;
    char sentence[300];
    json_t *rollouts;
    json_t *out;

    pthread_mutex_lock(&s->admin);
    c = census_fresh(s);
    rollouts = rollouts_json(s, c, &t);
    say(c, &t, sentence, sizeof sentence);
    out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I}",
                    "sentence", sentence, "level", level_of(c, &t), "devices",
                    (json_int_t)c->devices, "seen", (json_int_t)c->seen,
                    "silent", (json_int_t)c->silent, "updated_percent",
                    percent(c->updated, c->wanted), "states", states_json(c),
                    "rollouts", rollouts, "attention", attention_json(s, c),
                    "attention_count", (json_int_t)c->attention, "time",
                    (json_int_t)c->time);
    put_products(s, c, out);
    json_object_set_new(out, "deltas",
                        delta_totals_json(s, (int64_t)time(NULL)));
    census_release(c);
    pthread_mutex_unlock(&s->admin);
    api_json(rq, 200, out);
}

/* --- Over time ------------------------------------------------------------
 */

/* -1 and the error is set. */
static int read_time(struct http_request *rq, const char *name,
                     uint64_t preset, uint64_t *out)
{
    const char *text = http_query(rq, name);
    char *end;

    *out = preset;
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    *out = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' ||
        *out > (uint64_t)INT64_MAX) {
        api_error(rq, 400, "field", "%s must be a whole number", name);
        return -1;
    }
    return 0;
}

static const struct product *product_of(struct server *s,
                                        struct http_request *rq)
{
    const char *name = http_query(rq, "product");
    const struct product *p = NULL;

    pthread_rwlock_rdlock(&s->catalog.lock);
    if (name != NULL && name[0] != '\0') {
        p = catalog_product(&s->catalog, name);
    } else {
        for (uint32_t i = 0; p == NULL && i < s->catalog.products.n; i++) {
            p = s->catalog.products.at[i];
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    return p;
}

void fleet_history(struct server *s, struct http_request *rq)
{
    uint64_t now = (uint64_t)time(NULL);
    const struct product *p = product_of(s, rq);
    struct history_query q = {0};
    uint64_t points;

    if (read_time(rq, "to", now, &q.to) != 0 ||
        read_time(rq, "from", q.to > DAY ? q.to - DAY : 0, &q.from) != 0 ||
        read_time(rq, "points", POINTS, &points) != 0) {
        return;
    }
    if (q.from > q.to) {
        api_error(rq, 400, "field", "from must not be after to");
        return;
    }
    if (p == NULL && http_query(rq, "product") != NULL) {
        api_error(rq, 404, "not-found", "there is no product %s",
                  http_query(rq, "product"));
        return;
    }
    q.product = p == NULL ? 0 : p->number;
    q.points = points > UINT32_MAX ? UINT32_MAX : (uint32_t)points;
    api_json(rq, 200, census_history_json(s, &q));
}
