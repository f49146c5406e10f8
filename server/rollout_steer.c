/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_steer.h"

#include "clock.h"

#include <time.h>

enum { INTERVAL_S = 1800 /* of devices, when the server sets none */ };

static uint32_t interval_of(const struct server *s)
{
    return s->config.poll_interval_s > 0 ? (uint32_t)s->config.poll_interval_s
                                         : INTERVAL_S;
}

bool rollout_watched(const struct server *s, const struct rollout *r,
                     const struct census *c)
{
    uint64_t wait_us = clock_real_s(s, interval_of(s)) * (uint64_t)1000000;

    return r->begun_here ||
           (c->whole && c->began_us >= s->started_us + wait_us);
}

uint64_t rollout_gates_since(const struct rollout *r)
{
    const struct steering *st = &r->steering;
    uint64_t now = (uint64_t)time(NULL);

    if (st->gates_since == 0 || r->watching) {
        return st->gates_since;
    }
    return st->watched < st->gates_since || st->watched > now
               ? now
               : st->gates_since + (now - st->watched);
}

void rollout_steer_facts(const struct server *s, const struct rollout *r,
                         uint32_t stage, const struct census *c,
                         struct steer_facts *out)
{
    const struct steering *st = &r->steering;

    *out = (struct steer_facts){
        .plan = &r->plan,
        .stage = stage,
        .last = stage + 1 == r->plan.n_stages,
        .time = clock_now(s),
        .stage_since = clock_of(s, st->since[stage]),
        .gates_since =
            stage == r->stage ? clock_of(s, rollout_gates_since(r)) : 0,
        .unwatched = !rollout_watched(s, r, c),
        .advance_asked = st->advance_asked,
        .seen_failures = st->seen_failures,
        .seen_bad_signature = st->seen_bad_signature,
    };
    if (r->ended) {
        out->now.devices = r->stage_devices[stage];
        out->now.confirmed = r->stage_confirmed[stage];
        out->now.failed = r->stage_failed[stage];
        return;
    }
    census_sum(census_of(c, r->id), stage, &out->now);
}

uint32_t rollout_devices(const struct rollout *r, uint32_t stage,
                         const struct census *c)
{
    const struct census_rollout *found = r->ended ? NULL : census_of(c, r->id);
    struct steer_counts sum;

    if (found == NULL || !c->whole) {
        return r->stage_devices[stage];
    }
    census_sum(found, stage, &sum);
    return sum.devices;
}

static uint64_t real_of(const struct server *s, uint64_t at, uint64_t now)
{
    uint64_t real = (uint64_t)time(NULL);

    return at <= now ? real : real + clock_real_s(s, at - now);
}

uint64_t rollout_expected_finish(const struct server *s,
                                 const struct rollout *r,
                                 const struct census *c)
{
    struct steer_facts f;
    struct steer_pace pace;
    uint64_t at;

    if (r->state != ROLLOUT_RUNNING || census_of(c, r->id) == NULL) {
        return 0;
    }
    rollout_steer_facts(s, r, r->stage, c, &f);
    pace = (struct steer_pace){
        .now = f.time,
        .stage_since = f.stage_since,
        .gates_since = f.gates_since,
        .confirmed = f.now.confirmed,
        .confirmed_at_start = r->steering.confirmed_at_start,
        .poll_interval_s = interval_of(s),
    };
    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        pace.stage_devices[i] = rollout_devices(r, i, c);
    }
    at = steer_finish(&r->plan, r->stage, &pace);
    return at == 0 ? 0 : real_of(s, at, f.time);
}
