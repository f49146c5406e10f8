/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an offer may go on: the policy that came with it, the device's
 * conditions, the person at it, and the application's last word. */
#include "client_private.h"

void bl_client_look_around(struct bl_client *c)
{
    c->conditions.utc_offset = BL_OFFSET_UNKNOWN;
    c->conditions.battery = BL_BATTERY_UNKNOWN;
    c->conditions.flags = 0;
    if (c->config.conditions != NULL) {
        c->config.conditions(c->config.ctx, &c->conditions);
    }
}

void bl_client_take_policy(struct bl_client *c, const struct bl_policy *policy)
{
    c->policy = *policy;
    c->window_ms =
        policy->window_s == 0 ? 0 : c->now_ms + policy->window_s * 1000ULL;
}

void bl_client_judge_wait(struct bl_client *c)
{
    if (c->consent == BL_CONSENT_LATER && c->now_ms >= c->consent_ms) {
        c->consent = BL_CONSENT_OPEN;
    }
    c->policy.closed = c->window_ms != 0 && c->now_ms >= c->window_ms;
    bl_client_look_around(c);
    c->wait =
        bl_policy_wait(&c->policy, &c->conditions, (bl_consent)c->consent);
    if (c->wait == BL_WAIT_NONE && c->config.ready != NULL) {
        c->wait = c->config.ready(c->config.ctx);
    }
}

/* The wanted release is on offer, and the device not yet on its way to it. */
static bool on_offer(const struct bl_client *c)
{
    return c->phase >= PHASE_OFFER && c->phase < PHASE_REBOOT;
}

static bl_status say(struct bl_client *c, bl_consent consent)
{
    if (!on_offer(c)) {
        return BL_BUSY;
    }
    c->consent = (uint8_t)consent;
    if (c->phase == PHASE_WAIT) {
        c->work_due_ms = 0;
    }
    return BL_OK;
}

bl_status bl_client_consent(struct bl_client *c, bool yes)
{
    return say(c, yes ? BL_CONSENT_YES : BL_CONSENT_NO);
}

bl_status bl_client_postpone(struct bl_client *c, uint64_t now_ms,
                             uint32_t seconds)
{
    bl_status status = say(c, BL_CONSENT_LATER);

    if (status == BL_OK) {
        c->consent_ms = now_ms + seconds * 1000ULL;
    }
    return status;
}
