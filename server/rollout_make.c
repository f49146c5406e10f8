/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_make.h"

#include "clock.h"
#include "decide.h"

#include "host/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* --- What stands in the way ------------------------------------------------
 */

static bool same_target(const struct plan *a, const struct plan *b)
{
    return strcmp(a->query_text, b->query_text) == 0 &&
           strcmp(a->channel, b->channel) == 0 && a->include.n == 0 &&
           b->include.n == 0;
}

const struct rollout *rollout_same(const struct rollout_wish *wish)
{
    const struct rollout *r = wish->product->newest;

    for (; r != NULL; r = r->older) {
        if (rollout_open(r->state) && r->release == wish->release &&
            r->kind == wish->kind && same_target(&r->plan, &wish->plan)) {
            return r;
        }
    }
    return NULL;
}

uint32_t rollout_open_count(const struct product *product)
{
    uint32_t n = 0;

    for (const struct rollout *r = product->newest; r != NULL; r = r->older) {
        n += rollout_open(r->state);
    }
    return n;
}

bool rollout_for_nobody(const struct rollout_placed *placed)
{
    return !placed->takers && placed->wanted > 0 &&
           placed->blocked == placed->wanted;
}

bool rollout_leads_forward(struct server *s, const struct product *product,
                           const struct release *release)
{
    bool seen = false;

    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);
        bool above;

        if (d == NULL) {
            continue;
        }
        above = d->product == product->number &&
                (d->s.sequence >= release->sequence ||
                 d->s.floor >= release->sequence);
        seen |= d->product == product->number && d->s.first_seen != 0;
        devices_unlock(s->devices, d);
        if (above) {
            return false;
        }
    }
    return seen;
}

/* --- Making ---------------------------------------------------------------
 */

struct new_rollout {
    const struct rollout_wish *wish;
    struct store_rollout row;
    struct steering steering;
    struct rollout *draft; /* for its stages' text */
    char *plan;
    char *steer;
    char *stages;
};

static int read_number(void *ctx, sqlite3_stmt *row)
{
    *(uint64_t *)ctx = (uint64_t)sqlite3_column_int64(row, 0);
    return 1;
}

/* Only who holds the admin lock makes rows. */
uint64_t rollout_next_id(struct server *s)
{
    uint64_t last = 0;

    store_lock(&s->store);
    db_each(&s->store.db, NULL, read_number, &last,
            "SELECT seq FROM sqlite_sequence WHERE name = 'rollouts'", "");
    store_unlock(&s->store);
    return last + 1;
}

static int write_texts(struct new_rollout *new)
{
    json_t *plan = plan_json(&new->wish->plan);

    new->plan = plan == NULL ? NULL : json_dumps(plan, JSON_COMPACT);
    json_decref(plan);
    new->steer = steering_text(&new->steering);
    new->stages = rollout_stages_text(new->draft);
    new->row.plan = new->plan;
    new->row.steer = new->steer;
    new->row.stages = new->stages;
    return new->plan == NULL || new->steer == NULL || new->stages == NULL ? -1
                                                                          : 0;
}

/* What was placed in advance holds unless somebody else took the number. */
static int place(struct server *s, struct new_rollout *new)
{
    uint64_t id = rollout_next_id(s);
    struct rollout_placed placed = new->wish->placed;

    if (placed.id != id && rollout_place(s, new->wish, id, &placed) != 0) {
        return -1;
    }
    memcpy(new->draft->cut, placed.cut, sizeof placed.cut);
    memcpy(new->draft->stage_devices, placed.devices, sizeof placed.devices);
    return 0;
}

static int prepare(struct server *s, struct new_rollout *new,
                   struct error *err)
{
    const struct rollout_wish *w = new->wish;
    uint64_t now = (uint64_t)time(NULL);

    new->row = (struct store_rollout){.product = w->product->number,
                                      .release = w->release->number,
                                      .name = w->name,
                                      .kind = w->kind,
                                      .permit = w->permit};
    new->row.state = w->approval                       ? ROLLOUT_APPROVAL
                     : w->plan.start_at > clock_now(s) ? ROLLOUT_SCHEDULED
                                                       : ROLLOUT_RUNNING;
    steering_read("", &new->steering);
    snprintf(new->steering.created_by, sizeof new->steering.created_by, "%s",
             w->actor);
    people_owner(&s->people, w->actor, new->steering.person);
    new->steering.returns_from = w->returns_from;
    if (new->row.state == ROLLOUT_RUNNING) {
        new->steering.started = now;
        new->steering.since[0] = now;
    }
    new->draft->plan.n_stages = w->plan.n_stages;
    memcpy(new->draft->plan.stage, w->plan.stage, sizeof w->plan.stage);
    if (place(s, new) != 0 || write_texts(new) != 0) {
        return error_set(err, "no memory");
    }
    return 0;
}

/* What was open ends in the same commit. */
static int end_others(struct server *s, const struct rollout_wish *w,
                      struct error *err)
{
    for (struct rollout *r = w->product->newest; r != NULL && w->instead;
         r = r->older) {
        struct rollout_next next;

        if (!rollout_open(r->state)) {
            continue;
        }
        rollout_now(r, &next);
        next.state = ROLLOUT_ABORTED;
        rollout_next_reason(&next, w->actor, "%s rolled the product back",
                            w->actor);
        if (rollout_store(s, r, &next, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A product's rollback is about the product; else it names the rollout. */
static int audit_made(struct server *s, const struct new_rollout *new,
                      struct error *err)
{
    const struct rollout_wish *w = new->wish;
    bool back = w->kind == ROLLOUT_ROLLBACK;
    char id[24];
    char detail[300];

    snprintf(id, sizeof id, "%" PRIu64, new->row.id);
    snprintf(detail, sizeof detail, "%s %s", w->product->name,
             w->release->version);
    return store_audit(&s->store, w->actor,
                       back                        ? "product-rollback"
                       : w->kind == ROLLOUT_RETURN ? "rollout-return"
                                                   : "rollout-start",
                       back ? w->product->name : id,
                       back ? w->release->version : detail, err);
}

static int store_it(struct server *s, struct new_rollout *new,
                    struct error *err)
{
    const struct rollout_wish *w = new->wish;

    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (end_others(s, w, err) != 0 ||
        store_rollout_add(&s->store, &new->row, err) != 0 ||
        audit_made(s, new, err) != 0) {
        return store_abort(&s->store);
    }
    return store_commit(&s->store, err);
}

static void end_others_here(const struct rollout_wish *w)
{
    for (struct rollout *r = w->product->newest; r != NULL && w->instead;
         r = r->older) {
        struct rollout_next next;

        if (rollout_open(r->state)) {
            rollout_now(r, &next);
            next.state = ROLLOUT_ABORTED;
            rollout_next_reason(&next, w->actor, "%s rolled the product back",
                                w->actor);
            rollout_set(r, &next);
        }
    }
}

/* In memory, once it is stored. */
static struct rollout *begin(struct server *s, const struct new_rollout *new,
                             struct error *err)
{
    uint64_t now = (uint64_t)time(NULL);
    struct rollout *r;

    pthread_rwlock_wrlock(&s->catalog.lock);
    end_others_here(new->wish);
    r = catalog_add_rollout(&s->catalog, &new->row, now, now);
    if (r != NULL) {
        memcpy(r->stage_devices, new->draft->stage_devices,
               sizeof r->stage_devices);
        r->touched_us = monotonic_us();
        r->begun_here = true;
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (r == NULL) {
        error_set(err, "no memory; restart the server");
        return NULL;
    }
    rollout_tell(s, r, "created");
    log_info("rollout-start", LOG_INT("rollout", r->id),
             LOG_TEXT("product", r->product->name),
             LOG_TEXT("version", r->release->version),
             LOG_TEXT("by", new->wish->actor));
    return r;
}

struct rollout *rollout_make(struct server *s, const struct rollout_wish *wish,
                             struct error *err)
{
    struct new_rollout new = {.wish = wish,
                              .draft = calloc(1, sizeof *new.draft)};
    struct rollout *r = NULL;

    if (new.draft == NULL) {
        error_set(err, "no memory");
    } else if (prepare(s, &new, err) == 0 && store_it(s, &new, err) == 0) {
        r = begin(s, &new, err);
    }
    free(new.draft);
    free(new.plan);
    free(new.steer);
    free(new.stages);
    return r;
}
