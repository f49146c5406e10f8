/* SPDX-License-Identifier: Apache-2.0 */
/* When will it be finished? A guess, and no promise. */
#include "steer.h"

/* Further ahead than this, a guess says nothing. */
static const uint64_t horizon = 5ULL * 365 * 86400;

static uint32_t needed_of(const struct plan *plan, uint32_t stage,
                          const struct steer_pace *pace)
{
    uint64_t all = pace->stage_devices[stage];

    return (uint32_t)((all * plan->stage[stage].gates.confirmed_percent + 99) /
                      100);
}

struct present {
    uint64_t took; /* until enough are confirmed, from the stage's begin */
    uint64_t left; /* of it, with the soak time */
};

/* False: nothing to say. */
static bool look_at_present(const struct plan *plan, uint32_t stage,
                            const struct steer_pace *pace, struct present *out)
{
    uint64_t soak = plan->stage[stage].gates.soak_s;
    uint64_t elapsed =
        pace->now > pace->stage_since ? pace->now - pace->stage_since : 0;
    uint32_t needed = needed_of(plan, stage, pace);
    uint64_t done;

    if (pace->gates_since != 0) {
        uint64_t soaked =
            pace->now > pace->gates_since ? pace->now - pace->gates_since : 0;

        out->took = elapsed > soaked ? elapsed - soaked : 0;
        out->left = soak > soaked ? soak - soaked : 0;
        return true;
    }
    if (pace->confirmed <= pace->confirmed_at_start || elapsed == 0) {
        return false;
    }
    done = pace->confirmed - pace->confirmed_at_start;
    out->took = elapsed;
    out->left = soak;
    if (needed > pace->confirmed) {
        uint64_t more = elapsed * (needed - pace->confirmed) / done;

        out->took += more;
        out->left += more;
    }
    return true;
}

/* How long a later stage takes. */
static uint64_t look_ahead(const struct plan *plan, uint32_t stage,
                           const struct steer_pace *pace, uint64_t took)
{
    uint32_t before = pace->stage_devices[stage - 1];
    uint32_t all = pace->stage_devices[stage];
    uint64_t new = all > before ? all - before : 0;
    uint64_t limited =
        plan->rate_per_hour == 0 ? 0 : new * 3600 / plan->rate_per_hour;

    took = new == 0 ? 0 : took;
    took = took > limited ? took : limited;
    if (new > 0 && took < pace->poll_interval_s) {
        took = pace->poll_interval_s;
    }
    return took + plan->stage[stage].gates.soak_s;
}

uint64_t steer_finish(const struct plan *plan, uint32_t stage,
                      const struct steer_pace *pace)
{
    struct present present;
    uint64_t left;

    for (uint32_t i = stage; i < plan->n_stages; i++) {
        if (plan->stage[i].gates.manual) {
            return 0;
        }
    }
    if (stage >= plan->n_stages || pace->stage_devices[stage] == 0 ||
        pace->now < plan->start_at ||
        !look_at_present(plan, stage, pace, &present)) {
        return 0;
    }
    left = present.left;
    for (uint32_t i = stage + 1; i < plan->n_stages && left < horizon; i++) {
        left += look_ahead(plan, i, pace, present.took);
    }
    return left < horizon ? pace->now + left : 0;
}
