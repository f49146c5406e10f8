/* SPDX-License-Identifier: Apache-2.0 */
/* The trial of a new image: health checks, confirmation, the way back. */
#include "client_private.h"

/* --- What the journal knows of the last trial ------------------------------
 */

static uint32_t one(bl_device_state state)
{
    return 1U << state;
}

bool bl_client_last_event(const struct bl_client *c, uint64_t sequence,
                          uint32_t states, struct bl_event *out)
{
    struct bl_event event[BL_CLIENT_EVENTS];
    uint32_t after = 0;
    uint32_t n = 0;
    bool found = false;

    while (bl_journal_read(&c->journal, after, event, BL_CLIENT_EVENTS, &n) ==
               BL_OK &&
           n > 0) {
        for (uint32_t i = 0; i < n; i++) {
            if (event[i].sequence == sequence && event[i].state < 32 &&
                (states >> event[i].state & 1U) != 0) {
                *out = event[i];
                found = true;
            }
        }
        after = event[n - 1].number;
    }
    return found;
}

static bool last_trial_event(const struct bl_client *c, uint64_t sequence,
                             struct bl_event *out)
{
    uint32_t trial = one(BL_STATE_INSTALLING) | one(BL_STATE_REBOOTING) |
                     one(BL_STATE_TESTING) | one(BL_STATE_CONFIRMED) |
                     one(BL_STATE_RETURNED);

    return bl_client_last_event(c, sequence, trial, out);
}

/* A cut between the state record and the journal left the end of a trial
 * untold: tell it now, once. */
static void finish_story(struct bl_client *c)
{
    const struct bl_slot_record *other = &c->state.slot[c->slot ^ 1U];
    const struct bl_slot_record *own = &c->state.slot[c->slot];
    uint64_t sequence = c->state.outcome_sequence;
    bool returned = c->state.outcome != BL_OK;
    struct bl_event last;

    /* Unless a newer installation has begun to tell another story. */
    if (returned ? other->status != BL_SLOT_BAD || other->sequence != sequence
                 : own->sequence != sequence) {
        return;
    }
    if (sequence == 0 || !last_trial_event(c, sequence, &last)) {
        return;
    }
    if (last.state != BL_STATE_RETURNED && last.state != BL_STATE_CONFIRMED) {
        c->sequence = sequence;
        bl_client_enter(c, returned ? BL_STATE_RETURNED : BL_STATE_CONFIRMED,
                        (bl_status)c->state.outcome);
    } else if (returned && last.boot + 1 >= c->state.boots) {
        c->device_state = BL_STATE_RETURNED;
    }
}

/* The slot that was confirmed has rotted, and this one was never confirmed, or
 * even given up. Told once: the journal need not know of every boot. */
static void tell_last_resort(struct bl_client *c)
{
    struct bl_event last;

    c->sequence = c->state.slot[c->slot ^ 1U].sequence;
    if (bl_client_last_event(c, c->sequence, one(BL_STATE_FAILED), &last) &&
        last.code == BL_SLOT_CORRUPT) {
        c->device_state = BL_STATE_FAILED;
    } else {
        bl_client_enter(c, BL_STATE_FAILED, BL_SLOT_CORRUPT);
    }
}

void bl_client_trial_init(struct bl_client *c)
{
    const struct bl_slot_record *other = &c->state.slot[c->slot ^ 1U];

    if (bl_client_on_trial(c)) {
        c->sequence = c->state.slot[c->slot].sequence;
        c->health_due_ms = c->now_ms;
        bl_client_enter(c, BL_STATE_TESTING, BL_OK);
        return;
    }
    finish_story(c);
    if (!bl_client_confirmed(c)) {
        tell_last_resort(c);
    }
    if (other->status == BL_SLOT_BAD) {
        /* It came back once; not again before the next regular poll. */
        memcpy(c->refused, other->manifest, 32);
        c->retry_ms = c->now_ms + bl_client_interval_ms(c);
    }
}

/* --- The end of a trial -----------------------------------------------------
 */

static void confirm(struct bl_client *c)
{
    struct bl_state next = c->state;

    bl_state_confirm(&next);
    if (bl_state_save(c->config.layout, &next) != BL_OK) {
        return; /* still on trial; the next round tries again */
    }
    c->state = next;
    bl_client_enter(c, BL_STATE_CONFIRMED, BL_OK);
    c->ask = true;
    if (c->backoffs == 0) {
        c->due_ms = c->now_ms;
    }
}

void bl_client_give_up(struct bl_client *c, bl_status why)
{
    struct bl_state next = c->state;

    c->phase = PHASE_RESET;
    bl_state_return(&next, why);
    if (bl_state_save(c->config.layout, &next) != BL_OK) {
        return; /* the boot code will count the tries down */
    }
    bl_client_enter(c, BL_STATE_RETURNED, why);
    c->state = next;
}

bl_status bl_client_return(struct bl_client *c, bl_status why)
{
    if (!bl_client_on_trial(c) || c->phase == PHASE_RESET) {
        return BL_BUSY;
    }
    if (why == BL_OK) {
        return BL_ARGUMENT; /* an outcome of 0 says confirmed */
    }
    bl_client_give_up(c, why);
    return BL_OK;
}

/* --- Health checks ----------------------------------------------------------
 */

static bl_health worst(const struct bl_client *c)
{
    bl_health result = BL_HEALTH_PASS;

    for (uint32_t i = 0; i < c->config.n_health; i++) {
        const struct bl_health_check *check = &c->config.health[i];
        bl_health h = check->check(check->ctx);

        if (h == BL_HEALTH_FAIL) {
            return BL_HEALTH_FAIL;
        }
        if (h != BL_HEALTH_PASS) {
            result = BL_HEALTH_PENDING;
        }
    }
    if (c->config.n_health == 0 && !c->reached) {
        return BL_HEALTH_PENDING;
    }
    return result;
}

static void check_health(struct bl_client *c)
{
    bl_health h = worst(c);

    c->health_due_ms =
        c->now_ms + (uint64_t)c->config.timing.health_interval * 1000;
    if (h == BL_HEALTH_PASS) {
        confirm(c);
        return;
    }
    c->health_failed =
        h == BL_HEALTH_FAIL ? (uint8_t)(c->health_failed + 1) : 0;
    if (c->health_failed > 0 &&
        c->health_failed >= c->config.health_failures) {
        bl_client_give_up(c, BL_HEALTH);
    }
}

void bl_client_test(struct bl_client *c)
{
    uint64_t deadline =
        c->started_ms + (uint64_t)c->config.timing.confirm_deadline * 1000;

    if (c->phase == PHASE_RESET) {
        return;
    }
    if (c->now_ms >= c->health_due_ms ||
        (c->config.n_health == 0 && c->reached)) {
        check_health(c);
    }
    if (bl_client_on_trial(c) && c->phase != PHASE_RESET) {
        if (c->now_ms >= deadline) {
            bl_client_give_up(c, BL_DEADLINE);
        } else if (deadline < c->health_due_ms) {
            c->health_due_ms = deadline;
        }
    }
}
