/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_steer.h"

#include "clock.h"

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
        .gates_since = stage == r->stage ? clock_of(s, st->gates_since) : 0,
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
        .poll_interval_s = s->config.poll_interval_s > 0
                               ? (uint32_t)s->config.poll_interval_s
                               : 1800,
    };
    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        pace.stage_devices[i] = rollout_devices(r, i, c);
    }
    at = steer_finish(&r->plan, r->stage, &pace);
    return at == 0 ? 0 : real_of(s, at, f.time);
}
