/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/rollouts. A rollout makes no rows for its devices: each is judged
 * when it polls (rollout.c). */
#include "api.h"
#include "rollout_view.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

/* In the transaction: what was active ends, the new one is written. The
 * buckets depend on the id, and the id on the row: the stages are written
 * once the id is known. */
struct new_rollout {
    const struct rollout_wish *wish;
    struct rollout *active;
    struct store_rollout row;
    char *stages;
};

static int write_rollout(struct server *s, void *ctx, struct error *err)
{
    struct new_rollout *new = ctx;
    struct rollout *active = new->active;

    if (active != NULL && rollout_store_state(s, active, ROLLOUT_ABORTED,
                                              active->stage, err) != 0) {
        return -1;
    }
    if (store_rollout_add(&s->store, &new->row, err) != 0) {
        return -1;
    }
    new->stages = rollout_place_stages(s, new->wish, new->row.id);
    new->row.stages = new->stages;
    if (new->stages == NULL) {
        return error_set(err, "no memory");
    }
    return db_run(&s->store.db, err,
                  "UPDATE rollouts SET stages = ? WHERE number = ?", "ti",
                  new->stages, (int64_t) new->row.id);
}

/* In memory, once it is stored. */
static struct rollout *begin_rollout(struct server *s,
                                     const struct new_rollout *new)
{
    uint64_t now = (uint64_t)time(NULL);
    struct rollout *r;

    pthread_rwlock_wrlock(&s->catalog.lock);
    if (new->active != NULL) {
        rollout_set_state(new->active, ROLLOUT_ABORTED, new->active->stage);
    }
    r = catalog_add_rollout(&s->catalog, &new->row, now, now);
    pthread_rwlock_unlock(&s->catalog.lock);
    return r;
}

void rollout_create(struct server *s, struct http_request *rq,
                    const struct rollout_wish *wish)
{
    struct new_rollout new = {
        .wish = wish,
        .active = catalog_active(wish->product),
        .row.product = wish->product->number,
        .row.release = wish->release->number,
        .row.name = wish->name,
        .row.kind = wish->kind,
        .row.state = ROLLOUT_RUNNING,
        .row.stages = "",
        .row.permit = wish->permit,
    };
    const char *action =
        wish->kind == ROLLOUT_ROLLBACK ? "product-rollback" : "rollout-start";
    struct rollout *r = NULL;

    if (api_change(s, rq, write_rollout, &new, action, wish->product->name,
                   wish->release->version) == 0) {
        r = begin_rollout(s, &new);
        if (r == NULL) {
            api_error(rq, 503, "memory", "no memory; restart the server");
        }
    }
    free(new.stages);
    if (r == NULL) {
        return;
    }
    log_info("rollout-start", LOG_INT("rollout", r->id),
             LOG_TEXT("product", r->product->name),
             LOG_TEXT("version", r->release->version),
             LOG_TEXT("by", rq->actor));
    stream_rollout(s, r, "created");
    api_json(rq, wish->status, rollout_json(s, r, true));
}

/* What would run for ever without a device that can take it. */
static int check_takers(struct server *s, struct http_request *rq,
                        const struct rollout_wish *wish)
{
    struct rollout_look look;
    char reason[256];

    rollout_look(s, wish->product, wish->release, NULL, &look);
    if (look.devices == 0 || look.blocked < look.devices) {
        return 0;
    }
    rollout_blocked_reason(&look, wish->release, reason, sizeof reason);
    api_error(rq, 409, "floor", "no device of %s can take %s: %s",
              wish->product->name, wish->release->version, reason);
    return -1;
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
    if (check_takers(s, rq, wish) == 0) {
        rollout_create(s, rq, wish);
    }
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
        api_json(rq, 200, rollout_json(s, r, true));
    }
    pthread_mutex_unlock(&s->admin);
}

static json_t *listed(struct server *s, const struct http_request *rq,
                      void *entry)
{
    struct rollout *r = entry;
    const char *product = http_query(rq, "product");
    const char *state = http_query(rq, "state");

    if ((product != NULL && strcmp(product, r->product->name) != 0) ||
        (state != NULL && strcmp(state, rollout_state_name(r->state)) != 0)) {
        return NULL;
    }
    return rollout_json(s, r, false);
}

void rollout_list(struct server *s, struct http_request *rq)
{
    pthread_mutex_lock(&s->admin);
    api_list_newest(s, rq, &s->catalog.rollouts, listed);
    pthread_mutex_unlock(&s->admin);
}

static const struct {
    const char *name;
    uint8_t least;
    uint8_t most;
} outcome_filter[] = {
    {"confirmed", BL_STATE_CONFIRMED, BL_STATE_CONFIRMED},
    {"returned", BL_STATE_RETURNED, BL_STATE_RETURNED},
    {"failed", BL_STATE_FAILED, BL_STATE_FAILED},
    {"refused", BL_STATE_REFUSED, BL_STATE_REFUSED},
};

static int read_outcome(struct http_request *rq, struct outcome_query *q)
{
    const char *name = http_query(rq, "outcome");

    q->least = BL_STATE_RETURNED;
    q->most = BL_STATE_REFUSED;
    if (name == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizeof outcome_filter / sizeof outcome_filter[0];
         i++) {
        if (strcmp(name, outcome_filter[i].name) == 0) {
            q->least = outcome_filter[i].least;
            q->most = outcome_filter[i].most;
            return 0;
        }
    }
    api_error(rq, 400, "field",
              "outcome must be confirmed, returned, failed or refused");
    return -1;
}

void rollout_outcomes(struct server *s, struct http_request *rq)
{
    struct outcome_query q = {0};
    struct api_page page;

    if (api_page_read(rq, &page) != 0 || read_outcome(rq, &q) != 0) {
        return;
    }
    q.after = page.after;
    q.limit = page.limit;
    pthread_mutex_lock(&s->admin);
    const struct rollout *r = named(s, rq);
    if (r != NULL) {
        q.rollout = r->id;
        rollout_reply_outcomes(s, rq, &q);
    }
    pthread_mutex_unlock(&s->admin);
}

/* --- Changing
 * ------------------------------------------------------------------ */

struct change {
    const char *action;
    const char *what; /* for those who listen */
    uint8_t state;
    uint32_t stage;
};

struct new_state {
    struct rollout *rollout;
    const struct change *change;
};

static int write_state(struct server *s, void *ctx, struct error *err)
{
    const struct new_state *new = ctx;

    return rollout_store_state(s, new->rollout, new->change->state,
                               new->change->stage, err);
}

static void apply(struct server *s, struct http_request *rq, struct rollout *r,
                  const struct change *c)
{
    struct new_state new = {r, c};

    if (api_change(s, rq, write_state, &new, c->action, rq->param[0],
                   r->product->name) != 0) {
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    rollout_set_state(r, c->state, c->stage);
    pthread_rwlock_unlock(&s->catalog.lock);
    log_info(c->action, LOG_INT("rollout", r->id), LOG_INT("stage", r->stage),
             LOG_TEXT("by", rq->actor));
    stream_rollout(s, r, c->what);
    api_json(rq, 200, rollout_json(s, r, true));
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
    struct change c = {"rollout-pause", "paused", ROLLOUT_PAUSED, r->stage};

    if (r->state != ROLLOUT_RUNNING) {
        refuse_change(rq, r, "only a running one can be paused");
        return;
    }
    apply(s, rq, r, &c);
}

static void resume_it(struct server *s, struct http_request *rq,
                      struct rollout *r)
{
    struct change c = {"rollout-resume", "resumed", ROLLOUT_RUNNING, r->stage};

    if (r->state != ROLLOUT_PAUSED) {
        refuse_change(rq, r, "only a paused one can be resumed");
        return;
    }
    apply(s, rq, r, &c);
}

static void abort_it(struct server *s, struct http_request *rq,
                     struct rollout *r)
{
    struct change c = {"rollout-abort", "aborted", ROLLOUT_ABORTED, r->stage};

    if (r->state == ROLLOUT_ABORTED || r->state == ROLLOUT_FINISHED) {
        refuse_change(rq, r, "it has ended already");
        return;
    }
    apply(s, rq, r, &c);
}

static void advance_it(struct server *s, struct http_request *rq,
                       struct rollout *r)
{
    struct change c = {"rollout-advance", "advanced", ROLLOUT_RUNNING,
                       r->stage + 1};

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
