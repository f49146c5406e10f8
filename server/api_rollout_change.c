/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH /api/v1/rollouts/{id}: what of its plan may change while it runs. */
#include "api_rollouts.h"

#include "access.h"
#include "rollout_view.h"
#include "router.h"

#include <stdio.h>
#include <stdlib.h>

/* Stages that have begun stay as they are, and so does whom it is for. */
static const char *const free_members[] = {
    "windows",  "deadline",   "rate_per_hour", "max_downloads",
    "priority", "on_failure", "consent",       "min_battery_percent",
    "metered",  "roaming",    "permits",       "retry",
};

struct patch {
    struct rollout *r;
    const json_t *body;
    json_t *plan; /* as it shall be */
};

static bool is_free(const char *name)
{
    for (size_t i = 0; i < sizeof free_members / sizeof free_members[0]; i++) {
        if (strcmp(name, free_members[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Gates for all: of the stages that are not over. */
static void patch_gates(struct patch *p, const json_t *gates)
{
    json_t *stages = json_object_get(p->plan, "stages");

    for (size_t i = p->r->stage; i < json_array_size(stages); i++) {
        json_t *stage = json_array_get(stages, i);
        json_t *own = json_object_get(stage, "gates");

        if (own == NULL) {
            own = json_object();
            json_object_set_new(stage, "gates", own);
        }
        json_object_update(own, (json_t *)(uintptr_t)gates);
    }
}

/* -1: the error is set. */
static int patch_member(struct patch *p, struct http_request *rq,
                        const char *name, json_t *value)
{
    bool begun = p->r->steering.started != 0;

    if (strcmp(name, "name") == 0) {
        return 0;
    }
    if (strcmp(name, "gates") == 0 && json_is_object(value)) {
        patch_gates(p, value);
        return 0;
    }
    if (is_free(name) || strcmp(name, "stages") == 0 ||
        (strcmp(name, "start_at") == 0 && !begun)) {
        json_object_set(p->plan, name, value);
        return 0;
    }
    api_error(rq, 409, "member",
              "\"%s\" cannot be changed%s: start another rollout", name,
              strcmp(name, "start_at") == 0 ? " once it has begun" : "");
    return -1;
}

static int check_stages(struct patch *p, struct http_request *rq,
                        const struct plan *new)
{
    const struct plan *old = &p->r->plan;

    for (uint32_t i = 0; i <= p->r->stage; i++) {
        if (i >= new->n_stages ||
            new->stage[i].percent != old->stage[i].percent ||
            new->stage[i].count != old->stage[i].count) {
            api_error(rq, 409, "stages",
                      "stages that have begun stay: the first %u",
                      p->r->stage + 1);
            return -1;
        }
    }
    return 0;
}

/* Where its stages end: those that have begun, where they did. */
static int place_stages(struct server *s, struct patch *p, struct plan *new,
                        uint64_t cut[ROLLOUT_STAGES])
{
    struct rollout_wish wish = {.product = p->r->product,
                                .release = p->r->release,
                                .kind = p->r->kind,
                                .plan = *new};
    struct rollout_placed placed;

    if (rollout_place(s, &wish, p->r->id, &placed) != 0) {
        return -1;
    }
    memcpy(cut, placed.cut, sizeof placed.cut);
    for (uint32_t i = 0; i < new->n_stages; i++) {
        uint64_t least = p->r->cut[i <= p->r->stage ? i : p->r->stage];

        if (i <= p->r->stage || cut[i] < least) {
            cut[i] = least;
        }
    }
    return 0;
}

static char *stages_text(const struct patch *p, const struct plan *new,
                         const uint64_t cut[ROLLOUT_STAGES])
{
    struct rollout *draft = calloc(1, sizeof *draft);
    char *text = NULL;

    (void)p;
    if (draft != NULL) {
        draft->plan.n_stages = new->n_stages;
        memcpy(draft->plan.stage, new->stage, sizeof new->stage);
        memcpy(draft->cut, cut, sizeof draft->cut);
        text = rollout_stages_text(draft);
    }
    free(draft);
    return text;
}

static void store_patch(struct server *s, struct http_request *rq,
                        struct patch *p, struct plan *new)
{
    const struct rollout_act act = {rq->actor, "rollout-change", "counts",
                                    NULL};
    const char *name = json_string_value(json_object_get(p->body, "name"));
    uint64_t cut[ROLLOUT_STAGES] = {0};
    struct error err = {BL_OK, 0, ""};
    struct rollout_next next;
    char *text = NULL;

    rollout_now(p->r, &next);
    next.plan = new;
    next.name = name;
    next.steering.gates_since = 0; /* the gates may be others now */
    if (p->r->state == ROLLOUT_APPROVAL) {
        next.steering.n_approvals = 0; /* of what it was */
    }
    if (place_stages(s, p, new, cut) == 0) {
        text = stages_text(p, new, cut);
    }
    next.stages = text;
    next.cut = cut;
    if (text == NULL) {
        api_error(rq, 503, "memory", "no memory");
        plan_free(new);
    } else if (rollout_apply(s, p->r, &next, &act, &err) != 0) {
        api_store_error(rq, &err);
        plan_free(new);
    } else {
        rollout_reply(s, rq, 200, p->r);
    }
    free(text);
}

/* What somebody else has approved, or is asked to, does not become another
 * by one person's hand. */
static int check_four_eyes(struct server *s, struct http_request *rq,
                           const struct patch *p)
{
    const struct steering *st = &p->r->steering;

    if (json_object_size(p->body) == 1 &&
        json_object_get(p->body, "name") != NULL) {
        return 0;
    }
    if (p->r->state == ROLLOUT_APPROVAL) {
        if (access_is_person(s, st->person, st->created_by, rq->actor)) {
            return 0;
        }
        api_error(rq, 403, "own",
                  "%s made this rollout and alone may change it before it is "
                  "approved; deny it instead",
                  st->created_by);
        return -1;
    }
    if (st->n_approvals == 0 && !settings_four_eyes(s)) {
        return 0;
    }
    api_error(rq, 409, "approved",
              "a plan that takes an approval stays as it is; pause or abort "
              "it, or start another");
    return -1;
}

static void patch(struct server *s, struct http_request *rq, struct patch *p)
{
    struct error err = {BL_OK, 0, ""};
    struct plan *new = calloc(1, sizeof *new);
    const char *name;
    json_t *value;
    int result = new == NULL ? -1 : check_four_eyes(s, rq, p);

    json_object_foreach((json_t *)(uintptr_t)p->body, name, value)
    {
        if (result == 0) {
            result = patch_member(p, rq, name, value);
        }
    }
    if (result == 0 &&
        api_text_or_none(rq, p->body, "name", CATALOG_NAME - 1) == NULL) {
        result = -1;
    }
    if (result == 0 && plan_read(p->plan, new, &err) != 0) {
        api_error(rq, 400, "plan", "%s", err.text);
        result = -1;
    }
    if (result == 0 &&
        (check_stages(p, rq, new) != 0 ||
         (json_object_get(p->body, "permits") != NULL &&
          rollout_check_permits(s, rq, p->r->product, new) != 0))) {
        plan_free(new);
        result = -1;
    }
    if (result == 0) {
        store_patch(s, rq, p, new);
    }
    free(new);
}

static void change(struct server *s, struct http_request *rq,
                   const json_t *body)
{
    struct patch p = {rollout_named(s, rq), body, NULL};

    if (p.r == NULL) {
        return;
    }
    if (!rollout_open(p.r->state)) {
        api_error(rq, 409, "state", "rollout %s is %s: it has ended",
                  rq->param[0], rollout_state_name(p.r->state));
        return;
    }
    p.plan = plan_json(&p.r->plan);
    patch(s, rq, &p);
    json_decref(p.plan);
}

static void change_it(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, change);
}

void rollout_change(struct server *s, struct http_request *rq)
{
    worker_change(s->changes, rq, change_it);
}
