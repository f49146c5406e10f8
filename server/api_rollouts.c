/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/rollouts: making and reading. A rollout makes no rows for its
 * devices: each is judged when it polls (rollout.c). */
#include "api_rollouts.h"

#include "host/advice.h"
#include "rollout_preview.h"
#include "rollout_view.h"
#include "router.h"
#include "worker.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Creating -------------------------------------------------------------
 */

static int find_names(struct server *s, struct http_request *rq,
                      const json_t *body, struct rollout_wish *wish)
{
    const char *product = api_text(rq, body, "product", CATALOG_NAME - 1);

    if (product == NULL) {
        return -1;
    }
    wish->name = api_text_or_none(rq, body, "name", CATALOG_NAME - 1);
    if (wish->name == NULL) {
        return -1;
    }
    wish->product = catalog_product(&s->catalog, product);
    if (wish->product == NULL) {
        api_error(rq, 404, "not-found", "there is no product %s", product);
        return -1;
    }
    wish->release = api_find_release(s, rq, wish->product, body);
    return wish->release == NULL ? -1 : 0;
}

/* -1 and the error is set; else wish->plan is the caller's to free. */
static int read_wish(struct server *s, struct http_request *rq,
                     const json_t *body, struct rollout_wish *wish)
{
    struct error err = {BL_OK, 0, ""};

    if (plan_read(body, &wish->plan, &err) != 0) {
        api_error(rq, 400, "plan", "%s", err.text);
        return -1;
    }
    if (find_names(s, rq, body, wish) != 0) {
        plan_free(&wish->plan);
        return -1;
    }
    wish->actor = rq->actor;
    wish->approval = settings_four_eyes(s);
    return 0;
}

/* What would run for ever without a device that can take it. */
static int check_takers(struct http_request *rq,
                        const struct rollout_wish *wish)
{
    const struct rollout_placed *p = &wish->placed;
    char reason[256];

    if (!rollout_for_nobody(p)) {
        return 0;
    }
    rollout_blocked_reason(p->blocked, p->wanted, wish->release, reason,
                           sizeof reason);
    api_error(rq, 409, "floor", "no device of %s can take %s: %s",
              wish->product->name, wish->release->version, reason);
    return -1;
}

static int check_others(struct http_request *rq,
                        const struct rollout_wish *wish)
{
    const struct rollout *same = rollout_same(wish);

    if (same != NULL) {
        api_error(rq, 409, "active",
                  "rollout %" PRIu64 " of %s, of the same release, is %s; "
                  "finish or abort it first",
                  same->id, wish->product->name,
                  rollout_state_name(same->state));
        return -1;
    }
    if (rollout_open_count(wish->product) >= CATALOG_ACTIVE) {
        api_error(rq, 409, "active",
                  "%s has %d rollouts that are not over; finish or abort one "
                  "first",
                  wish->product->name, CATALOG_ACTIVE);
        return -1;
    }
    return 0;
}

/* One that core refuses would be found out when devices must go back. */
int rollout_check_permits(struct server *s, struct http_request *rq,
                          const struct product *product,
                          const struct plan *plan)
{
    static const uint8_t nobody[BL_ID_SIZE] = {0};

    for (uint32_t i = 0; i < plan->n_permits; i++) {
        const struct plan_permit *p = &plan->permit[i];
        bl_status status;

        if (!s->catalog.has_root) {
            api_error(rq, 409, "no-root", "there is no root document yet");
            return -1;
        }
        status = bl_permit_check(p->permit, &s->catalog.root, nobody,
                                 product->class_id, p->manifest,
                                 (uint64_t)time(NULL), s->crypto);
        if (status != BL_OK) {
            api_error(rq, 422, bl_status_name(status),
                      "permits[%" PRIu32 "] is refused: %s", i,
                      bl_status_meaning(status));
            return -1;
        }
    }
    return 0;
}

int rollout_reply_new(struct server *s, struct http_request *rq, int status,
                      const struct rollout_wish *wish)
{
    struct error err = {BL_OK, 0, ""};
    struct rollout *r = rollout_make(s, wish, &err);

    if (r == NULL) {
        api_store_error(rq, &err);
        return -1;
    }
    rollout_reply(s, rq, status, r);
    return 0;
}

/* All that can be said before the walk. -1 and the error is set. */
static int prepare(struct server *s, struct http_request *rq,
                   const json_t *body, struct rollout_wish *wish, uint64_t *id)
{
    int result = -1;

    pthread_mutex_lock(&s->admin);
    if (read_wish(s, rq, body, wish) == 0) {
        if (rollout_check_permits(s, rq, wish->product, &wish->plan) == 0 &&
            check_others(rq, wish) == 0) {
            *id = rollout_next_id(s);
            result = 0;
        } else {
            plan_free(&wish->plan);
        }
    }
    pthread_mutex_unlock(&s->admin);
    return result;
}

/* Another one may have come meanwhile, or the wish for a second pair of
 * eyes. */
static void make(struct server *s, struct http_request *rq,
                 struct rollout_wish *wish)
{
    pthread_mutex_lock(&s->admin);
    wish->approval = settings_four_eyes(s);
    if (check_others(rq, wish) == 0) {
        rollout_reply_new(s, rq, 201, wish);
    }
    pthread_mutex_unlock(&s->admin);
}

/* Products and releases stay: nobody waits for the walk with the admin
 * lock. */
static void start(struct server *s, struct http_request *rq)
{
    struct rollout_wish wish = {.kind = ROLLOUT_UPDATE};
    json_t *body = api_body(rq);
    uint64_t id;

    if (body != NULL && prepare(s, rq, body, &wish, &id) == 0) {
        if (rollout_place(s, &wish, id, &wish.placed) != 0) {
            api_error(rq, 503, "memory", "no memory");
        } else if (check_takers(rq, &wish) == 0) {
            make(s, rq, &wish);
        }
        plan_free(&wish.plan);
    }
    json_decref(body);
}

static void preview(struct server *s, struct http_request *rq)
{
    struct rollout_wish wish = {.kind = ROLLOUT_UPDATE};
    json_t *body = api_body(rq);
    int result;

    if (body == NULL) {
        return;
    }
    pthread_mutex_lock(&s->admin);
    result = read_wish(s, rq, body, &wish);
    pthread_mutex_unlock(&s->admin);
    if (result == 0) {
        api_json(rq, 200, rollout_preview_json(s, &wish));
        plan_free(&wish.plan);
    }
    json_decref(body);
}

void rollout_add(struct server *s, struct http_request *rq)
{
    worker_change(s->changes, rq, start);
}

void rollout_preview(struct server *s, struct http_request *rq)
{
    worker_walk(s->walks, rq, preview);
}

/* --- Reading --------------------------------------------------------------
 */

struct rollout *rollout_named(struct server *s, struct http_request *rq)
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
    r = rollout_named(s, rq);
    if (r != NULL) {
        rollout_reply(s, rq, 200, r);
    }
    pthread_mutex_unlock(&s->admin);
}

void rollout_plan(struct server *s, struct http_request *rq)
{
    const struct rollout *r;
    json_t *plan;

    pthread_mutex_lock(&s->admin);
    r = rollout_named(s, rq);
    if (r != NULL) {
        plan = plan_json(&r->plan);
        json_object_set_new(plan, "product", json_string(r->product->name));
        json_object_set_new(plan, "version", json_string(r->release->version));
        json_object_set_new(plan, "name", json_string(r->name));
        api_json(rq, 200, plan);
    }
    pthread_mutex_unlock(&s->admin);
}

static bool is_wanted(const struct http_request *rq, const struct rollout *r)
{
    const char *product = http_query(rq, "product");
    const char *state = http_query(rq, "state");

    return (product == NULL || strcmp(product, r->product->name) == 0) &&
           (state == NULL || strcmp(state, rollout_state_name(r->state)) == 0);
}

static json_t *listed(struct server *s, const struct http_request *rq,
                      void *entry)
{
    struct rollout *r = entry;
    const struct census *c;
    json_t *out;

    if (!is_wanted(rq, r)) {
        return NULL;
    }
    c = census_hold(s);
    out = rollout_json(s, r, c, false);
    census_release(c);
    return out;
}

void rollout_list(struct server *s, struct http_request *rq)
{
    pthread_mutex_lock(&s->admin);
    census_release(census_fresh(s));
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
    const struct rollout *r = rollout_named(s, rq);
    if (r != NULL) {
        q.rollout = r->id;
        rollout_reply_outcomes(s, rq, &q);
    }
    pthread_mutex_unlock(&s->admin);
}

#define CODE(name, number, reason, text, meaning) number,
static const int code_numbers[] = {BL_STATUS_LIST(CODE)};
#undef CODE

void status_codes(struct server *s, struct http_request *rq)
{
    json_t *list = json_array();

    (void)s;
    for (size_t i = 0; i < sizeof code_numbers / sizeof code_numbers[0]; i++) {
        bl_status code = (bl_status)code_numbers[i];

        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s}", "number",
                                              code_numbers[i], "name",
                                              bl_status_name(code), "meaning",
                                              bl_status_meaning(code),
                                              "advice", status_advice(code)));
    }
    api_list(rq, list, 0);
}
