/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_change.h"

#include "census.h"
#include "delta_keeper.h"

#include "host/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void rollout_now(const struct rollout *r, struct rollout_next *out)
{
    *out =
        (struct rollout_next){.state = r->state,
                              .stage = r->stage,
                              .steering = r->steering,
                              .sent = atomic_load(&r->sent),
                              .saved = atomic_load(&r->saved),
                              .delta_saved = atomic_load(&r->delta_saved),
                              .delta_devices = atomic_load(&r->delta_devices)};
    out->steering.sent += out->sent;
    out->steering.saved += out->saved;
    out->steering.delta_saved += out->delta_saved;
    out->steering.delta_devices += out->delta_devices;
}

void rollout_next_begin(struct rollout_next *n, uint64_t now)
{
    n->state = ROLLOUT_RUNNING;
    n->steering.started = now;
    n->steering.since[0] = now;
    n->steering.reason[0] = '\0';
    n->steering.by[0] = '\0';
}

void rollout_next_stage(struct rollout_next *n, uint64_t now)
{
    n->steering.until[n->stage] = now;
    n->stage++;
    n->steering.since[n->stage] = now;
    n->steering.gates_since = 0;
    n->steering.advance_asked = false;
}

void rollout_clip(char *text)
{
    size_t n = strlen(text);
    size_t from = n;

    /* Back to the first byte of the last character. */
    while (from > 0 && n - from < 4 &&
           ((unsigned char)text[from - 1] & 0xC0) == 0x80) {
        from--;
    }
    if (from > 0) {
        unsigned char first = (unsigned char)text[from - 1];
        size_t whole = first >= 0xF0   ? 4
                       : first >= 0xE0 ? 3
                       : first >= 0xC0 ? 2
                                       : 1;

        if (n - (from - 1) < whole) {
            text[from - 1] = '\0';
        }
    }
}

void rollout_next_reason(struct rollout_next *n, const char *by,
                         const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(n->steering.reason, sizeof n->steering.reason, format, args);
    va_end(args);
    rollout_clip(n->steering.reason);
    snprintf(n->steering.by, sizeof n->steering.by, "%s", by);
}

static bool is_end(uint8_t state)
{
    return !rollout_open(state);
}

/* What it was when it ended stays: devices come and go. */
static int store_end(struct server *s, struct rollout *r, struct error *err)
{
    char *text = rollout_ended_text(r);
    int result = text == NULL
                     ? error_set(err, "no memory")
                     : store_rollout_ended(&s->store, r->id, text, err);

    free(text);
    return result;
}

static int store_plan(struct server *s, const struct rollout *r,
                      const struct rollout_next *next, struct error *err)
{
    json_t *plan = next->plan == NULL ? NULL : plan_json(next->plan);
    char *plan_text = plan == NULL ? NULL : json_dumps(plan, JSON_COMPACT);
    char *steer = steering_text(&next->steering);
    int result = -1;

    if (steer == NULL || (next->plan != NULL && plan_text == NULL)) {
        error_set(err, "no memory");
    } else {
        result = store_rollout_steer(&s->store, r->id, plan_text, steer, err);
    }
    json_decref(plan);
    free(plan_text);
    free(steer);
    return result;
}

static int store_name(struct server *s, const struct rollout *r,
                      const struct rollout_next *next, struct error *err)
{
    return next->name == NULL
               ? 0
               : db_run(&s->store.db, err,
                        "UPDATE rollouts SET name = ? WHERE number = ?", "ti",
                        next->name, (int64_t)r->id);
}

static int store_stages(struct server *s, const struct rollout *r,
                        const struct rollout_next *next, struct error *err)
{
    return next->stages == NULL
               ? 0
               : db_run(&s->store.db, err,
                        "UPDATE rollouts SET stages = ? WHERE number = ?",
                        "ti", next->stages, (int64_t)r->id);
}

int rollout_store(struct server *s, struct rollout *r,
                  const struct rollout_next *next, struct error *err)
{
    if (is_end(next->state) && !r->ended && store_end(s, r, err) != 0) {
        return -1;
    }
    if (store_plan(s, r, next, err) != 0 || store_name(s, r, next, err) != 0 ||
        store_stages(s, r, next, err) != 0) {
        return -1;
    }
    return store_rollout_set(&s->store, r->id, next->state, next->stage, err);
}

static bool begins_stage(const struct rollout *r,
                         const struct rollout_next *next)
{
    return next->stage != r->stage ||
           next->steering.since[next->stage] != r->steering.since[r->stage];
}

void rollout_set(struct rollout *r, const struct rollout_next *next)
{
    r->begun_here = r->begun_here || begins_stage(r, next);
    r->state = next->state;
    r->stage = next->stage;
    r->steering = next->steering;
    r->ended = is_end(next->state);
    r->changed = (uint64_t)time(NULL);
    r->touched_us = monotonic_us();
    atomic_fetch_sub(&r->sent, next->sent);
    atomic_fetch_sub(&r->saved, next->saved);
    atomic_fetch_sub(&r->delta_saved, next->delta_saved);
    atomic_fetch_sub(&r->delta_devices, next->delta_devices);
    if (next->plan != NULL) {
        plan_free(&r->plan);
        r->plan = *next->plan;
    }
    if (next->cut != NULL) {
        memcpy(r->cut, next->cut, sizeof r->cut);
    }
    if (next->name != NULL) {
        snprintf(r->name, sizeof r->name, "%s", next->name);
    }
    catalog_arrange(r->product);
}

/* Before the transaction: how large its stages are at the end. */
static void count_end(struct server *s, struct rollout *r)
{
    const struct census *c = census_fresh(s);
    const struct census_rollout *found = census_of(c, r->id);

    for (uint32_t i = 0; found != NULL && i < r->plan.n_stages; i++) {
        struct steer_counts sum;

        census_sum(found, i, &sum);
        r->stage_devices[i] = sum.devices;
        r->stage_confirmed[i] = sum.confirmed;
        r->stage_failed[i] =
            sum.returned + sum.failed + sum.refused + sum.silent;
    }
    if (found != NULL) {
        r->blocked = found->blocked;
        r->targets = found->targets;
    }
    census_release(c);
}

void rollout_tell(struct server *s, const struct rollout *r, const char *what)
{
    atomic_store(&s->rollout_changed, (uint64_t)time(NULL));
    if (strcmp(what, "counts") != 0) {
        delta_keeper_wake(s->delta_keeper);
    }
    stream_publish(s->stream, "rollout",
                   json_pack("{s:I, s:s, s:s, s:I, s:s}", "id",
                             (json_int_t)r->id, "product", r->product->name,
                             "state", rollout_state_name(r->state), "stage",
                             (json_int_t)r->stage, "what", what));
}

static int write_change(struct server *s, struct rollout *r,
                        const struct rollout_next *next,
                        const struct rollout_act *act, struct error *err)
{
    char id[24];

    snprintf(id, sizeof id, "%llu", (unsigned long long)r->id);
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (rollout_store(s, r, next, err) != 0 ||
        store_audit(&s->store, act->actor, act->action, id,
                    act->detail == NULL ? r->product->name : act->detail,
                    err) != 0) {
        return store_abort(&s->store);
    }
    return store_commit(&s->store, err);
}

int rollout_apply(struct server *s, struct rollout *r,
                  const struct rollout_next *next,
                  const struct rollout_act *act, struct error *err)
{
    if (is_end(next->state) && !r->ended) {
        count_end(s, r);
    }
    if (write_change(s, r, next, act, err) != 0) {
        return -1;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    rollout_set(r, next);
    pthread_rwlock_unlock(&s->catalog.lock);
    rollout_tell(s, r, act->what);
    log_info(act->action, LOG_INT("rollout", r->id),
             LOG_INT("stage", r->stage), LOG_TEXT("by", act->actor),
             LOG_TEXT("detail", act->detail));
    return 0;
}
