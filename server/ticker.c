/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's own hand. What it does is what an operator could do, with an
 * audit line of "bowline". It decides by steer.h; counts that began before
 * the rollout's last change decide nothing.
 */
#include "ticker.h"

#include "clock.h"
#include "rollout_change.h"
#include "rollout_return.h"
#include "rollout_steer.h"

#include "host/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { WATCHED_S = 60 /* so often it is stored, of the engine's seconds */ };

static int do_it(struct server *s, struct rollout *r,
                 const struct rollout_next *next, const char *action,
                 const char *what, const char *detail)
{
    const struct rollout_act act = {ROLLOUT_SELF, action, what, detail};
    struct error err = {BL_OK, 0, ""};

    if (rollout_apply(s, r, next, &act, &err) != 0) {
        log_error("rollout", LOG_INT("rollout", r->id),
                  LOG_TEXT("action", action), LOG_TEXT("error", err.text),
                  LOG_TEXT("advice", "it is tried again in a second"));
        return -1;
    }
    return 0;
}

static void begin(struct server *s, struct rollout *r)
{
    struct rollout_next next;

    if (r->plan.start_at <= clock_now(s)) {
        rollout_now(r, &next);
        rollout_next_begin(&next, (uint64_t)time(NULL));
        do_it(s, r, &next, "rollout-begin", "resumed",
              "its start time has come");
    }
}

static void advance(struct server *s, struct rollout *r,
                    const struct steer_facts *f, const struct steer_verdict *v)
{
    struct rollout_next next;

    rollout_now(r, &next);
    rollout_next_stage(&next, (uint64_t)time(NULL));
    next.steering.confirmed_at_start = f->now.confirmed;
    do_it(s, r, &next, "rollout-advance", "advanced", v->reason);
}

/* Who has it already may go back by itself, too, as far as that is allowed
 * without anybody's signature. */
static void return_by_itself(struct server *s, struct rollout *r)
{
    const struct return_wish wish = {.actor = ROLLOUT_SELF};
    struct error err = {BL_OK, 0, ""};
    struct rollout_next next;

    if (return_begin(s, r, &wish, &err) == 0) {
        return;
    }
    log_warning("rollout-return", LOG_INT("rollout", r->id),
                LOG_TEXT("error", err.text));
    rollout_now(r, &next);
    rollout_next_reason(&next, ROLLOUT_SELF, "%.250s; no return by itself: %s",
                        r->steering.reason, err.text);
    do_it(s, r, &next, "rollout-return-failed", "counts", err.text);
}

static void pause_it(struct server *s, struct rollout *r,
                     const struct steer_verdict *v)
{
    struct rollout_next next;

    rollout_now(r, &next);
    next.state = ROLLOUT_PAUSED;
    next.steering.gates_since = 0;
    rollout_next_reason(&next, ROLLOUT_SELF, "paused by itself: %s",
                        v->reason);
    if (do_it(s, r, &next, "rollout-pause", "paused", v->reason) == 0 &&
        r->plan.on_failure == PLAN_RETURN) {
        return_by_itself(s, r);
    }
}

static void finish(struct server *s, struct rollout *r, const char *why)
{
    struct rollout_next next;

    rollout_now(r, &next);
    next.state = ROLLOUT_FINISHED;
    next.steering.until[r->stage] = (uint64_t)time(NULL);
    do_it(s, r, &next, "rollout-finish", "finished", why);
}

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void set_watching(struct server *s, struct rollout *r)
{
    pthread_rwlock_wrlock(&s->catalog.lock);
    r->watching = true;
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* Is there anything to store? Soak time that has been watched for a while is,
 * too. */
static bool has_moved(const struct server *s, const struct steering *st,
                      const struct steering *next, bool watched)
{
    uint32_t often = clock_real_s(s, WATCHED_S);

    return next->gates_since != st->gates_since ||
           next->seen_failures != st->seen_failures ||
           next->seen_bad_signature != st->seen_bad_signature ||
           (watched && st->gates_since != 0 &&
            next->watched >= st->watched + often);
}

/* When the gates are first met the soak time begins. It outlives us, but for
 * the time in which nobody watched. */
static void move_soak(const struct rollout *r, bool met, bool watched,
                      struct steering *next)
{
    const struct steering *st = &r->steering;

    if (!met) {
        next->gates_since = 0;
    } else if (st->gates_since == 0) {
        next->gates_since = (uint64_t)time(NULL);
    } else if (watched) {
        next->gates_since = rollout_gates_since(r);
    }
    if (watched || st->gates_since == 0) {
        next->watched = (uint64_t)time(NULL);
    }
}

/* What was made good since an operator resumed is no licence for fresh
 * failures. */
static void keep_course(struct server *s, struct rollout *r,
                        const struct steer_facts *f,
                        const struct steer_verdict *v)
{
    const struct steering *st = &r->steering;
    struct rollout_next next;
    struct error err;

    rollout_now(r, &next);
    move_soak(r, v->gates_met, !f->unwatched, &next.steering);
    next.steering.seen_failures = lower(st->seen_failures, v->failures);
    next.steering.seen_bad_signature =
        lower(st->seen_bad_signature, f->now.bad_signature);
    if (!has_moved(s, st, &next.steering, !f->unwatched)) {
        if (!f->unwatched && !r->watching) {
            set_watching(s, r);
        }
        return;
    }
    if (store_begin(&s->store, &err) != 0) {
        return;
    }
    if (rollout_store(s, r, &next, &err) != 0) {
        store_abort(&s->store);
        return;
    }
    if (store_commit(&s->store, &err) == 0) {
        pthread_rwlock_wrlock(&s->catalog.lock);
        r->steering.gates_since = next.steering.gates_since;
        r->steering.seen_failures = next.steering.seen_failures;
        r->steering.seen_bad_signature = next.steering.seen_bad_signature;
        r->steering.watched = next.steering.watched;
        r->watching = r->watching || !f->unwatched;
        pthread_rwlock_unlock(&s->catalog.lock);
        rollout_tell(s, r, "counts");
    }
}

/* Every device of the last stage is confirmed, by the table: no outcome is
 * written after the end. */
static bool all_confirmed(struct server *s, const struct rollout *r,
                          const struct steer_facts *f)
{
    uint32_t count[BL_STATE_REFUSED + 1];

    return f->last && f->now.devices > 0 &&
           f->now.confirmed >= f->now.devices &&
           outcome_counts(&s->store, r->id, count, NULL) == 0 &&
           count[BL_STATE_CONFIRMED] >= f->now.devices;
}

static void steer(struct server *s, struct rollout *r, const struct census *c)
{
    struct steer_facts f;
    struct steer_verdict v;

    rollout_steer_facts(s, r, r->stage, c, &f);
    steer_decide(&f, &v);
    if (!f.unwatched && all_confirmed(s, r, &f)) {
        finish(s, r, "every device is confirmed");
        return;
    }
    switch (v.action) {
    case STEER_ADVANCE:
        advance(s, r, &f, &v);
        break;
    case STEER_PAUSE:
        pause_it(s, r, &v);
        break;
    case STEER_FINISH:
        /* Who is under way is waited for: what becomes of it is counted
         * until the end only. */
        if (f.now.offered == 0 && f.now.retrying == 0) {
            finish(s, r, v.reason);
        }
        break;
    case STEER_HOLD:
    default:
        keep_course(s, r, &f, &v);
        break;
    }
}

/* Something moved: pages that show it look again. */
static void tell_counts(struct server *s, struct rollout *r,
                        const struct census *c)
{
    const struct census_rollout *found = census_of(c, r->id);
    struct steer_counts sum;
    uint64_t now;

    if (found == NULL) {
        return;
    }
    census_sum(found, r->plan.n_stages - 1, &sum);
    now = ((uint64_t)sum.confirmed << 40) ^ ((uint64_t)sum.offered << 20) ^
          ((uint64_t)(sum.returned + sum.failed + sum.refused + sum.silent)
           << 8) ^
          sum.devices;
    for (int i = BL_STATE_OFFERED; i <= BL_STATE_TESTING; i++) {
        now = now * 31 + atomic_load(&r->count[i]);
    }
    if (now != r->told) {
        r->told = now;
        stream_publish(s->stream, "rollout",
                       json_pack("{s:I, s:s, s:s, s:I, s:s}", "id",
                                 (json_int_t)r->id, "product",
                                 r->product->name, "state",
                                 rollout_state_name(r->state), "stage",
                                 (json_int_t)r->stage, "what", "counts"));
    }
}

static void tick_one(struct server *s, struct rollout *r,
                     const struct census *c)
{
    if (r->state == ROLLOUT_SCHEDULED) {
        begin(s, r);
    } else if (r->state == ROLLOUT_RUNNING && c->whole &&
               c->began_us > r->touched_us && census_of(c, r->id) != NULL) {
        steer(s, r, c);
    }
}

void ticker_tick(struct server *s)
{
    const struct census *c;

    pthread_mutex_lock(&s->admin);
    c = census_hold(s);
    for (uint32_t i = 0; i < s->catalog.rollouts.n; i++) {
        struct rollout *r = s->catalog.rollouts.at[i];

        if (r != NULL && rollout_open(r->state)) {
            tick_one(s, r, c);
            tell_counts(s, r, c);
        }
    }
    census_release(c);
    pthread_mutex_unlock(&s->admin);
}
