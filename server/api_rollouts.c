/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/rollouts. A rollout makes no rows for its devices: each is judged
 * when it polls (rollout.c). */
#include "api.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Stages ----------------------------------------------------------------
 */

/* Buckets of all devices of the product, as counts by bucket. */
static void count_buckets(struct server *s, const struct product *product,
                          uint64_t id, uint32_t counts[ROLLOUT_BUCKETS])
{
    memset(counts, 0, ROLLOUT_BUCKETS * sizeof counts[0]);
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (d->product == product->number) {
            counts[rollout_bucket(id, d->id)]++;
        }
        devices_unlock(s->devices, d);
    }
}

/* docs/PROTOCOL.md: a stage's limit is raised until it holds a device. */
static void set_limits(struct rollout *r, const uint32_t *counts)
{
    uint32_t first = 0;

    while (first < ROLLOUT_BUCKETS && counts[first] == 0) {
        first++;
    }
    for (uint32_t i = 0; i < r->n_stages; i++) {
        r->limit[i] = r->percent[i] * (ROLLOUT_BUCKETS / 100);
        if (first < ROLLOUT_BUCKETS && r->limit[i] <= first) {
            r->limit[i] = first + 1;
        }
    }
}

static void recount(struct server *s, struct rollout *r)
{
    uint32_t generation = atomic_load(&r->product->generation);
    uint32_t *counts;

    if (r->counted && r->generation == generation) {
        return;
    }
    counts = malloc(ROLLOUT_BUCKETS * sizeof *counts);
    if (counts == NULL) {
        return;
    }
    count_buckets(s, r->product, r->id, counts);
    for (uint32_t i = 0; i < r->n_stages; i++) {
        uint32_t n = 0;

        for (uint32_t b = 0; b < r->limit[i] && b < ROLLOUT_BUCKETS; b++) {
            n += counts[b];
        }
        r->stage_devices[i] = n;
    }
    free(counts);
    r->generation = generation;
    r->counted = true;
}

/* The admin lock guards the counts of stages. */
uint32_t rollout_devices(struct server *s, const struct rollout *r,
                         uint32_t stage)
{
    recount(s, catalog_rollout(&s->catalog, r->id));
    return r->stage_devices[stage];
}

/* --- As JSON ----------------------------------------------------------------
 */

static json_int_t counted(const struct rollout *r, int outcome)
{
    return (json_int_t)atomic_load(&r->count[outcome]);
}

static json_t *counts_json(struct server *s, const struct rollout *r)
{
    json_int_t installing = counted(r, BL_STATE_VERIFYING) +
                            counted(r, BL_STATE_INSTALLING) +
                            counted(r, BL_STATE_REBOOTING);

    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "eligible",
        (json_int_t)rollout_devices(s, r, r->stage), "offered",
        counted(r, BL_STATE_OFFERED), "waiting", counted(r, BL_STATE_WAITING),
        "downloading", counted(r, BL_STATE_DOWNLOADING), "installing",
        installing, "testing", counted(r, BL_STATE_TESTING), "confirmed",
        counted(r, BL_STATE_CONFIRMED), "returned",
        counted(r, BL_STATE_RETURNED), "failed", counted(r, BL_STATE_FAILED),
        "refused", counted(r, BL_STATE_REFUSED));
}

static json_t *stages_json(struct server *s, const struct rollout *r)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < r->n_stages; i++) {
        json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:I}", "percent", (json_int_t)r->percent[i],
                      "limit_bucket", (json_int_t)r->limit[i], "devices",
                      (json_int_t)rollout_devices(s, r, i)));
    }
    return list;
}

json_t *rollout_json(struct server *s, struct rollout *r)
{
    char salt[24];

    snprintf(salt, sizeof salt, "%" PRIu64, r->id);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:I, s:s, s:I, s:I, s:I,"
        " s:o}",
        "id", (json_int_t)r->id, "name", r->name, "product", r->product->name,
        "version", r->release->version, "manifest",
        api_hex(r->release->manifest, 32), "kind", rollout_kind_name(r->kind),
        "state", rollout_state_name(r->state), "stages", stages_json(s, r),
        "stage", (json_int_t)r->stage, "salt", salt, "created",
        (json_int_t)r->created, "started", (json_int_t)r->created, "changed",
        (json_int_t)r->changed, "counts", counts_json(s, r));
}

/* --- Creating
 * ---------------------------------------------------------------- */

static int read_stages(struct http_request *rq, const json_t *body,
                       struct rollout_wish *wish)
{
    json_t *list = json_object_get(body, "stages");
    json_int_t last = 0;
    size_t n = json_array_size(list);

    if (n < 1 || n > ROLLOUT_STAGES) {
        api_error(rq, 400, "stages",
                  "\"stages\" must list 1 to %d percentages, for instance "
                  "[1, 10, 100]",
                  ROLLOUT_STAGES);
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_array_get(list, i);
        json_int_t v = json_integer_value(value);

        if (!json_is_integer(value) || v <= last || v > 100) {
            api_error(rq, 400, "stages",
                      "stages must be whole percentages "
                      "that rise, at most 100");
            return -1;
        }
        wish->percent[i] = (uint32_t)v;
        last = v;
    }
    wish->n_stages = (uint32_t)n;
    return 0;
}

/* In the transaction: what was active ends, the new one is written. */
static int store_changes(struct server *s, struct http_request *rq,
                         const struct rollout *active,
                         struct store_rollout *row, const char *product,
                         const char *version, struct error *err)
{
    const char *action =
        row->kind == ROLLOUT_ROLLBACK ? "product-rollback" : "rollout-start";

    if (active != NULL &&
        store_rollout_set(&s->store, active->id, ROLLOUT_ABORTED,
                          active->stage, err) != 0) {
        return -1;
    }
    if (store_rollout_add(&s->store, row, err) != 0) {
        return -1;
    }
    return store_audit(&s->store, rq->actor, action, product, version, err);
}

/* The buckets depend on the id, and the id on the row: the stages are written
 * once the id is known, in the same transaction. */
static int store_stages(struct server *s, const struct rollout_wish *wish,
                        struct store_rollout *row, char **text,
                        struct error *err)
{
    struct rollout *r = calloc(1, sizeof *r);
    uint32_t *counts = malloc(ROLLOUT_BUCKETS * sizeof *counts);
    int result = -1;

    if (r != NULL && counts != NULL) {
        r->n_stages = wish->n_stages;
        memcpy(r->percent, wish->percent, sizeof r->percent);
        count_buckets(s, wish->product, row->id, counts);
        set_limits(r, counts);
        *text = rollout_stages_text(r);
        row->stages = *text;
        result = *text == NULL ? -1
                               : db_run(&s->store.db, err,
                                        "UPDATE rollouts SET stages = ?"
                                        " WHERE number = ?",
                                        "ti", *text, (int64_t)row->id);
    }
    free(r);
    free(counts);
    return result;
}

static int store_rollout(struct server *s, struct http_request *rq,
                         const struct rollout_wish *wish,
                         const struct rollout *active,
                         struct store_rollout *row, char **text)
{
    struct error err = {BL_OK, 0, "no memory"};

    if (store_begin(&s->store, &err) != 0) {
        api_store_error(rq, &err);
        return -1;
    }
    if (store_changes(s, rq, active, row, wish->product->name,
                      wish->release->version, &err) != 0 ||
        store_stages(s, wish, row, text, &err) != 0) {
        store_abort(&s->store);
        api_store_error(rq, &err);
        return -1;
    }
    if (store_commit(&s->store, &err) != 0) {
        api_store_error(rq, &err);
        return -1;
    }
    return 0;
}

void rollout_create(struct server *s, struct http_request *rq,
                    const struct rollout_wish *wish)
{
    struct rollout *active = catalog_active(wish->product);
    uint64_t now = (uint64_t)time(NULL);
    char *text = NULL;
    struct rollout *r;
    struct store_rollout row = {
        .product = wish->product->number,
        .release = wish->release->number,
        .name = wish->name,
        .kind = wish->kind,
        .state = ROLLOUT_RUNNING,
        .stages = "",
        .permit = wish->permit,
    };

    if (store_rollout(s, rq, wish, active, &row, &text) != 0) {
        free(text);
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    if (active != NULL) {
        active->state = ROLLOUT_ABORTED;
        active->changed = now;
    }
    r = catalog_add_rollout(&s->catalog, &row, now, now);
    pthread_rwlock_unlock(&s->catalog.lock);
    free(text);
    if (r == NULL) {
        api_error(rq, 503, "memory", "no memory; restart the server");
        return;
    }
    log_info("rollout-start", LOG_INT("rollout", r->id),
             LOG_TEXT("product", r->product->name),
             LOG_TEXT("version", r->release->version),
             LOG_TEXT("by", rq->actor));
    api_json(rq, wish->status, rollout_json(s, r));
}

static void start(struct server *s, struct http_request *rq,
                  const json_t *body, struct rollout_wish *wish)
{
    const struct rollout *active;

    wish->release = api_find_release(s, rq, wish->product, body);
    if (wish->release == NULL) {
        return;
    }
    active = catalog_active(wish->product);
    if (active != NULL) {
        api_error(rq, 409, "active",
                  "rollout %" PRIu64 " of %s is %s; finish or abort it first",
                  active->id, wish->product->name,
                  rollout_state_name(active->state));
        return;
    }
    rollout_create(s, rq, wish);
}

static void read_and_start(struct server *s, struct http_request *rq,
                           const json_t *body)
{
    struct rollout_wish wish = {.kind = ROLLOUT_UPDATE, .status = 201};
    const char *product = api_text(rq, body, "product", CATALOG_NAME - 1);

    if (product == NULL || read_stages(rq, body, &wish) != 0) {
        return;
    }
    wish.name = api_text_or_none(rq, body, "name", CATALOG_NAME - 1);
    if (wish.name == NULL) {
        return;
    }
    wish.product = catalog_product(&s->catalog, product);
    if (wish.product == NULL) {
        api_error(rq, 404, "not-found", "there is no product %s", product);
        return;
    }
    start(s, rq, body, &wish);
}

void rollout_add(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);

    if (body == NULL) {
        return;
    }
    pthread_mutex_lock(&s->admin);
    read_and_start(s, rq, body);
    pthread_mutex_unlock(&s->admin);
    json_decref(body);
}

/* --- Reading
 * ------------------------------------------------------------------ */

static struct rollout *named(struct server *s, struct http_request *rq)
{
    char *end;
    unsigned long long id = strtoull(rq->param[0], &end, 10);
    struct rollout *r = *end != '\0' ? NULL : catalog_rollout(&s->catalog, id);

    if (r == NULL) {
        api_error(rq, 404, "not-found", "there is no rollout %s",
                  rq->param[0]);
    }
    return r;
}

void rollout_show(struct server *s, struct http_request *rq)
{
    struct rollout *r;

    pthread_mutex_lock(&s->admin);
    r = named(s, rq);
    if (r != NULL) {
        api_json(rq, 200, rollout_json(s, r));
    }
    pthread_mutex_unlock(&s->admin);
}

void rollout_list(struct server *s, struct http_request *rq)
{
    const char *product = http_query(rq, "product");
    const char *state = http_query(rq, "state");
    struct api_page page;
    json_t *items;
    uint64_t next = 0;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    items = json_array();
    pthread_mutex_lock(&s->admin);
    for (uint64_t i = page.after + 1; i < s->catalog.rollouts.n; i++) {
        struct rollout *r = s->catalog.rollouts.at[i];

        if (r == NULL ||
            (product != NULL && strcmp(product, r->product->name) != 0) ||
            (state != NULL &&
             strcmp(state, rollout_state_name(r->state)) != 0)) {
            continue;
        }
        if (json_array_size(items) == page.limit) {
            next = page.after;
            break;
        }
        json_array_append_new(items, rollout_json(s, r));
        page.after = i;
    }
    pthread_mutex_unlock(&s->admin);
    api_list(rq, items, next);
}

/* --- Changing
 * ------------------------------------------------------------------ */

struct change {
    const char *action;
    uint8_t state;
    uint32_t stage;
};

static void apply(struct server *s, struct http_request *rq, struct rollout *r,
                  const struct change *c)
{
    struct error err = {BL_OK, 0, ""};

    if (store_begin(&s->store, &err) != 0) {
        api_store_error(rq, &err);
        return;
    }
    if (store_rollout_set(&s->store, r->id, c->state, c->stage, &err) != 0 ||
        store_audit(&s->store, rq->actor, c->action, rq->param[0],
                    r->product->name, &err) != 0) {
        store_abort(&s->store);
        api_store_error(rq, &err);
        return;
    }
    if (store_commit(&s->store, &err) != 0) {
        api_store_error(rq, &err);
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    r->state = c->state;
    r->stage = c->stage;
    r->changed = (uint64_t)time(NULL);
    pthread_rwlock_unlock(&s->catalog.lock);
    log_info(c->action, LOG_INT("rollout", r->id), LOG_INT("stage", r->stage),
             LOG_TEXT("by", rq->actor));
    api_json(rq, 200, rollout_json(s, r));
}

static void refuse_change(struct http_request *rq, const struct rollout *r,
                          const char *what)
{
    api_error(rq, 409, "state", "rollout %" PRIu64 " is %s: %s", r->id,
              rollout_state_name(r->state), what);
}

static void pause_it(struct server *s, struct http_request *rq,
                     struct rollout *r)
{
    struct change c = {"rollout-pause", ROLLOUT_PAUSED, r->stage};

    if (r->state != ROLLOUT_RUNNING) {
        refuse_change(rq, r, "only a running one can be paused");
        return;
    }
    apply(s, rq, r, &c);
}

static void resume_it(struct server *s, struct http_request *rq,
                      struct rollout *r)
{
    struct change c = {"rollout-resume", ROLLOUT_RUNNING, r->stage};

    if (r->state != ROLLOUT_PAUSED) {
        refuse_change(rq, r, "only a paused one can be resumed");
        return;
    }
    apply(s, rq, r, &c);
}

static void abort_it(struct server *s, struct http_request *rq,
                     struct rollout *r)
{
    struct change c = {"rollout-abort", ROLLOUT_ABORTED, r->stage};

    if (r->state == ROLLOUT_ABORTED || r->state == ROLLOUT_FINISHED) {
        refuse_change(rq, r, "it has ended already");
        return;
    }
    apply(s, rq, r, &c);
}

static void advance_it(struct server *s, struct http_request *rq,
                       struct rollout *r)
{
    struct change c = {"rollout-advance", ROLLOUT_RUNNING, r->stage + 1};

    if (r->state != ROLLOUT_RUNNING) {
        refuse_change(rq, r, "only a running one can advance");
    } else if (r->stage + 1 >= r->n_stages) {
        refuse_change(rq, r, "it is in its last stage");
    } else {
        apply(s, rq, r, &c);
    }
}

static void change(struct server *s, struct http_request *rq,
                   void (*how)(struct server *, struct http_request *,
                               struct rollout *))
{
    struct rollout *r;

    pthread_mutex_lock(&s->admin);
    r = named(s, rq);
    if (r != NULL) {
        how(s, rq, r);
    }
    pthread_mutex_unlock(&s->admin);
}

void rollout_pause(struct server *s, struct http_request *rq)
{
    change(s, rq, pause_it);
}

void rollout_resume(struct server *s, struct http_request *rq)
{
    change(s, rq, resume_it);
}

void rollout_abort(struct server *s, struct http_request *rq)
{
    change(s, rq, abort_it);
}

void rollout_advance(struct server *s, struct http_request *rq)
{
    change(s, rq, advance_it);
}
