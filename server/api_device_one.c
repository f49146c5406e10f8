/* SPDX-License-Identifier: Apache-2.0 */
/* One device: why it is as it is, where its bucket is, what may be changed. */
#include "device_input.h"
#include "device_view.h"
#include "device_why.h"
#include "router.h"

#include "host/file.h"

#include <stdlib.h>

void device_why(struct server *s, struct http_request *rq)
{
    json_t *out = NULL;
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = device_named(s, rq);
    if (d != NULL) {
        out = device_why_json(s, d);
        devices_unlock(s->devices, d);
        api_json(rq, 200, out);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static json_t *stage_of(const struct rollout *r, const uint8_t id[16])
{
    uint64_t rank = rollout_rank(r->id, id);

    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        if (rank < r->cut[i]) {
            return json_integer(i);
        }
    }
    return json_null();
}

void device_bucket(struct server *s, struct http_request *rq)
{
    const char *text = http_query(rq, "rollout");
    const struct rollout *r;
    uint8_t id[16];
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    r = text == NULL ? NULL
                     : catalog_rollout(&s->catalog, strtoull(text, NULL, 10));
    d = device_named(s, rq);
    if (d != NULL) {
        memcpy(id, d->id, 16);
        devices_unlock(s->devices, d);
        if (r == NULL) {
            api_error(rq, 404, "not-found", "there is no rollout %s",
                      text == NULL ? "(?rollout= is missing)" : text);
        } else {
            api_json(rq, 200,
                     json_pack("{s:I, s:o}", "bucket",
                               (json_int_t)rollout_bucket(r->id, id), "stage",
                               stage_of(r, id)));
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- Changing -------------------------------------------------------------
 */

struct new_facts {
    uint32_t number;
    uint32_t product;
    char *name; /* NULL: as it is */
    char *tags;
    char *channel; /* "": stable */
};

static int write_facts(struct server *s, void *ctx, struct error *err)
{
    const struct new_facts *n = ctx;

    return db_run(&s->store.db, err,
                  "UPDATE devices SET name = COALESCE(?, name),"
                  " tags = COALESCE(?, tags), channel = COALESCE(?, channel)"
                  " WHERE number = ?",
                  "ttti", n->name, n->tags, n->channel, (int64_t)n->number);
}

static void swap(char **mine, char **theirs)
{
    char *old = *mine;

    *mine = *theirs;
    *theirs = old;
}

static void apply_facts(struct server *s, struct http_request *rq,
                        struct new_facts *n)
{
    struct device *d;
    json_t *out;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = devices_lock_number(s->devices, n->number);
    if (d != NULL) {
        if (n->name != NULL) {
            swap(&d->name, &n->name);
        }
        if (n->tags != NULL) {
            swap(&d->tags, &n->tags);
        }
        if (n->channel != NULL) {
            if (n->channel[0] == '\0') {
                free(n->channel);
                n->channel = NULL;
            }
            swap(&d->channel, &n->channel);
        }
        out = device_json(s, d);
        devices_unlock(s->devices, d);
        api_json(rq, 200, out);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static int read_facts(struct server *s, struct http_request *rq,
                      const json_t *body, struct new_facts *n)
{
    if (json_object_get(body, "name") != NULL) {
        const char *name = api_text_or_none(rq, body, "name", 128);

        n->name = name == NULL ? NULL : strdup(name);
        if (n->name == NULL ||
            device_check_name(s, rq, n->name, n->product, n->number) != 0) {
            return -1;
        }
    }
    if (json_object_get(body, "tags") != NULL) {
        n->tags = device_read_tags(rq, body);
        if (n->tags == NULL) {
            return -1;
        }
    }
    if (json_object_get(body, "channel") != NULL) {
        n->channel = device_read_channel(rq, body);
        return n->channel == NULL ? -1 : 0;
    }
    return 0;
}

static void change(struct server *s, struct http_request *rq,
                   const json_t *body)
{
    struct new_facts n = {0, 0, NULL, NULL, NULL};

    if (device_find(s, rq, &n.number, &n.product) == 0 &&
        read_facts(s, rq, body, &n) == 0 &&
        api_change(s, rq, write_facts, &n, "device-change", rq->param[0],
                   "") == 0) {
        apply_facts(s, rq, &n);
    }
    free(n.name);
    free(n.tags);
    free(n.channel);
}

void device_change(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, change);
}
