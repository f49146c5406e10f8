/* SPDX-License-Identifier: Apache-2.0 */
/* A release that was pushed, not offered: up to where an offered one is when
 * its manifest has come. */
#include "client_private.h"

static bool is_free(const struct bl_client *c)
{
    return !bl_client_on_trial(c) &&
           (c->phase == PHASE_IDLE || c->phase == PHASE_OFFER ||
            c->phase == PHASE_WAIT);
}

/* No policy comes with a push; the application has its word all the same. */
static bool is_ready(struct bl_client *c)
{
    struct bl_policy none;

    memset(&none, 0, sizeof(none));
    bl_client_take_policy(c, &none);
    c->consent = BL_CONSENT_OPEN;
    bl_client_judge_wait(c);
    return c->wait == BL_WAIT_NONE;
}

static void forget_offer(struct bl_client *c)
{
    struct bl_delta_offer none;

    memset(&none, 0, sizeof(none));
    if (c->config.delta != NULL) {
        c->config.delta->offer(c, &none);
    }
    c->permit = BL_SEQUENCE_LOW;
    c->attempt = 0;
    c->sequence = 0;
}

bl_status bl_client_push(struct bl_client *c, uint64_t now_ms,
                         bl_span envelope)
{
    bl_status s;

    c->now_ms = now_ms;
    if (!is_free(c)) {
        return BL_BUSY;
    }
    if (envelope.n > c->config.envelope_size) {
        return BL_TOO_LARGE;
    }
    memmove(c->config.envelope, envelope.p, envelope.n);
    c->received = (uint32_t)envelope.n;
    s = bl_suit_read(bl_span_of(c->config.envelope, c->received), &c->suit);
    if (s != BL_OK) {
        return s;
    }
    memcpy(c->wanted, c->suit.digest, 32);
    c->phase = PHASE_IDLE; /* what was on offer is asked for anew */
    c->ask = true;
    if (memcmp(c->wanted, c->running, 32) == 0 || !is_ready(c)) {
        return BL_BUSY;
    }
    forget_offer(c);
    c->pushed = true;
    bl_client_enter(c, BL_STATE_OFFERED, BL_OK);
    bl_client_begin(c);
    return c->phase == PHASE_IDLE ? c->refused_why : BL_OK;
}
