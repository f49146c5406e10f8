/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/boot.h"

static bool sound(const struct bl_boot_slot *slot)
{
    return slot->present && slot->whole && slot->trusted;
}

static bool good(const struct bl_boot_slot *slot)
{
    return sound(slot) && slot->above_floor;
}

static bool ready(const struct bl_state *state, uint8_t slot)
{
    uint8_t status = state->slot[slot].status;

    return status == BL_SLOT_READY || status == BL_SLOT_CONFIRMED;
}

/* `state` is the one that the verdict has by now. */
static bool bootable(const struct bl_boot_facts *facts,
                     const struct bl_state *state, uint8_t slot)
{
    return slot <= BL_SLOT_B && good(&facts->slot[slot]) && ready(state, slot);
}

/* Bootable, or kept from it by the security floor alone. */
static bool active_runs(const struct bl_boot_facts *facts,
                        const struct bl_state *state)
{
    return state->active <= BL_SLOT_B && sound(&facts->slot[state->active]) &&
           ready(state, state->active);
}

static void start(struct bl_boot_verdict *verdict, uint8_t slot, bl_status why)
{
    verdict->slot = slot;
    verdict->save = true;
    verdict->why = why;
}

/* --- No trial ------------------------------------------------------------ */

/* The newer of the slots that may boot. */
static uint8_t any_bootable(const struct bl_boot_facts *facts,
                            const struct bl_state *state)
{
    bool a = bootable(facts, state, BL_SLOT_A);
    bool b = bootable(facts, state, BL_SLOT_B);

    if (a && b) {
        return facts->slot[1].sequence > facts->slot[0].sequence ? BL_SLOT_B
                                                                 : BL_SLOT_A;
    }
    return a ? BL_SLOT_A : b ? BL_SLOT_B : BL_SLOT_NONE;
}

/* An image that was given up, but is whole and authentic: of two the one above
 * the floor, then the active one, which has run before. */
static uint8_t any_given_up(const struct bl_boot_facts *facts,
                            const struct bl_state *state)
{
    uint8_t first = state->active == BL_SLOT_B ? BL_SLOT_B : BL_SLOT_A;
    uint8_t found = BL_SLOT_NONE;
    uint8_t i;

    for (i = 0; i < 2; i++) {
        uint8_t slot = (uint8_t)(first ^ i);

        if (!sound(&facts->slot[slot]) ||
            state->slot[slot].status != BL_SLOT_BAD) {
            continue;
        }
        if (found == BL_SLOT_NONE || (!facts->slot[found].above_floor &&
                                      facts->slot[slot].above_floor)) {
            found = slot;
        }
    }
    return found;
}

/* Better than a device that nobody can reach any more. What is started so may
 * not be what one wants, but it can take an update. */
static void last_resort(const struct bl_boot_facts *facts, bl_status why,
                        struct bl_boot_verdict *verdict)
{
    struct bl_state *state = &verdict->state;
    uint8_t slot;

    if (active_runs(facts, state)) {
        start(verdict, state->active, why == BL_OK ? BL_SECURITY_FLOOR : why);
        return;
    }
    slot = any_given_up(facts, state);
    if (slot != BL_SLOT_NONE) {
        state->active = slot;
        start(verdict, slot, BL_SLOT_CORRUPT);
    }
}

/* A confirmed image that crashed or hung is started again: it was found good,
 * and going back by oneself from it would undo an update for a passing cause.
 * The corrupt one keeps its record, in case flash reads well another time. */
static void decide_active(const struct bl_boot_facts *facts, bl_status why,
                          struct bl_boot_verdict *verdict)
{
    struct bl_state *state = &verdict->state;
    uint8_t other;

    if (bootable(facts, state, state->active)) {
        start(verdict, state->active, why);
        return;
    }
    other = any_bootable(facts, state);
    if (other != BL_SLOT_NONE) {
        state->active = other;
        start(verdict, other, BL_SLOT_CORRUPT);
    } else {
        last_resort(facts, why, verdict);
    }
}

/* --- A trial ------------------------------------------------------------- */

/* Also as a last resort: an active slot that was given up has run since. */
static bool active_starts(const struct bl_boot_facts *facts,
                          const struct bl_state *state)
{
    uint8_t slot = state->active;

    return active_runs(facts, state) ||
           (slot <= BL_SLOT_B && sound(&facts->slot[slot]) &&
            state->slot[slot].status == BL_SLOT_BAD);
}

static void give_up(const struct bl_boot_facts *facts, bl_status why,
                    struct bl_boot_verdict *verdict)
{
    bl_state_return(&verdict->state, why);
    verdict->state.trial_reset = (uint8_t)facts->reset;
    decide_active(facts, why, verdict);
}

static void decide_trial(const struct bl_boot_facts *facts,
                         struct bl_boot_verdict *verdict)
{
    const struct bl_state *state = &verdict->state;
    uint8_t trial = state->trial;

    if (state->tries == 0) {
        if (bootable(facts, state, trial) && !active_starts(facts, state)) {
            start(verdict, trial, BL_SLOT_CORRUPT);
        } else {
            give_up(facts, BL_RESET, verdict);
        }
    } else if (bootable(facts, state, trial)) {
        verdict->state.tries--;
        start(verdict, trial, BL_OK);
    } else {
        give_up(facts, BL_SLOT_CORRUPT, verdict);
    }
}

/* --- No state ------------------------------------------------------------ */

static void record(const struct bl_boot_facts *facts, uint8_t slot,
                   bl_slot_status status, struct bl_state *state)
{
    struct bl_slot_record *r = &state->slot[slot];

    r->status = (uint8_t)status;
    r->root_version = facts->root_version;
    r->sequence = facts->slot[slot].sequence;
    memcpy(r->manifest, facts->slot[slot].manifest, sizeof r->manifest);
}

static void decide_pair(const struct bl_boot_facts *facts,
                        struct bl_boot_verdict *verdict)
{
    uint8_t higher = facts->slot[1].sequence > facts->slot[0].sequence ? 1 : 0;
    uint8_t lower = (uint8_t)(1 - higher);
    struct bl_state *state = &verdict->state;

    record(facts, lower, BL_SLOT_CONFIRMED, state);
    record(facts, higher, BL_SLOT_READY, state);
    state->active = lower;
    state->floor = facts->slot[lower].sequence;
    state->trial = higher;
    /* This boot is the first of the tries. */
    state->tries =
        (uint8_t)((facts->tries == 0 ? BL_BOOT_TRIES : facts->tries) - 1);
    start(verdict, higher, BL_STATE_NONE);
}

/* Nothing says which slot was confirmed. The newer image goes on trial, so
 * that a bad one is returned as ever; the floor is what both attest. */
static void decide_anew(const struct bl_boot_facts *facts,
                        struct bl_boot_verdict *verdict)
{
    struct bl_state *state = &verdict->state;
    uint8_t only;

    memset(state, 0, sizeof *state);
    state->active = BL_SLOT_NONE;
    state->trial = BL_SLOT_NONE;
    if (good(&facts->slot[0]) && good(&facts->slot[1])) {
        decide_pair(facts, verdict);
    } else if (good(&facts->slot[0]) || good(&facts->slot[1])) {
        only = good(&facts->slot[0]) ? BL_SLOT_A : BL_SLOT_B;
        record(facts, only, BL_SLOT_CONFIRMED, state);
        state->active = only;
        state->floor = facts->slot[only].sequence;
        start(verdict, only, BL_STATE_NONE);
    }
}

/* --- All of it ----------------------------------------------------------- */

void bl_boot_decide(const struct bl_boot_facts *facts,
                    struct bl_boot_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->slot = BL_SLOT_NONE;
    verdict->why = BL_NO_IMAGE;
    verdict->state = facts->state;
    if (!facts->has_state) {
        decide_anew(facts, verdict);
    } else if (facts->state.trial <= BL_SLOT_B &&
               facts->state.trial != facts->state.active) {
        decide_trial(facts, verdict);
    } else {
        verdict->state.trial = BL_SLOT_NONE;
        verdict->state.tries = 0;
        decide_active(facts, BL_OK, verdict);
    }
    if (verdict->slot == BL_SLOT_NONE) {
        verdict->state = facts->state;
        return;
    }
    verdict->state.last_reset = (uint8_t)facts->reset;
    verdict->state.boots++;
}
