/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <string.h>

static uint8_t other_of(uint8_t slot)
{
    return (uint8_t)(slot ^ 1U);
}

static bool is(const struct bowline_facts *f, uint8_t slot, uint32_t record)
{
    return f->recorded[slot] && f->record[slot] == record;
}

/* Started, or to be started, and neither confirmed nor refused. */
static bool open_end(const struct bowline_facts *f, uint8_t slot)
{
    return is(f, slot, BL_ESP_OTA_PENDING) || is(f, slot, BL_ESP_OTA_NEW);
}

static bool on_trial(const struct bl_state *state, uint8_t slot)
{
    return state->trial == slot && state->trial != state->active;
}

/* --- Early --------------------------------------------------------------- */

/* Somebody else has put this image here, as an esp_https_ota of before: it is
 * a trial all the same, and the other slot is what ran until now. */
static void adopt(const struct bowline_facts *f, struct bl_state *state)
{
    uint8_t other = other_of(f->running);

    memset(state, 0, sizeof *state);
    state->active = other;
    state->slot[other].status = BL_SLOT_CONFIRMED;
    state->slot[f->running].status = BL_SLOT_READY;
    state->trial = f->running;
    state->tries = f->tries;
}

static void count(const struct bowline_facts *f, struct bowline_early *v)
{
    if (v->state.tries == 0) {
        /* One boot too many: somebody has confirmed it in otadata. Unless it
         * runs because the other could not be loaded. */
        v->spent = f->next == f->running;
        v->set = v->spent;
        v->record = BL_ESP_OTA_INVALID;
        return;
    }
    v->state.tries--;
    v->state.trial_reset = BL_RESET_UNKNOWN; /* see try_again */
    v->save = true;
    v->no_rollback = is(f, f->running, BL_ESP_OTA_NEW);
    v->record = v->state.tries > 0 ? BL_ESP_OTA_NEW : BL_ESP_OTA_PENDING;
    v->set = f->next == f->running && !is(f, f->running, v->record);
}

void bowline_decide_early(const struct bowline_facts *f,
                          struct bowline_early *v)
{
    memset(v, 0, sizeof *v);
    v->state = f->state;
    if (!f->has_state) {
        if (open_end(f, f->running)) {
            adopt(f, &v->state);
            count(f, v);
        }
        return;
    }
    if (on_trial(&f->state, f->running)) {
        count(f, v);
    } else if (f->state.trial == BL_SLOT_NONE &&
               f->state.active == f->running && f->next == f->running &&
               open_end(f, f->running)) {
        v->set = true;
        v->record = BL_ESP_OTA_VALID;
    }
}

/* --- Settled ------------------------------------------------------------- */

static void give_up(const struct bowline_facts *f, bl_status why,
                    struct bowline_settled *v)
{
    bl_state_return(&v->state, why);
    v->state.trial_reset = (uint8_t)f->reset;
    v->forget = f->recorded[other_of(f->running)];
}

/* Aborted by a power cut, it may be innocent. When the hook has not counted
 * a start since the last time this is one try less: it shall end. */
static void try_again(const struct bowline_facts *f, struct bowline_settled *v)
{
    if (v->state.tries > 0 && v->state.trial_reset == BL_RESET_POWER) {
        v->state.tries--;
    }
    if (v->state.tries == 0) {
        give_up(f, BL_RESET, v);
        return;
    }
    v->state.trial_reset = BL_RESET_POWER;
    v->way = BOWLINE_FORWARD;
}

/* This one runs, the other is on trial. */
static void other_on_trial(const struct bowline_facts *f,
                           struct bowline_settled *v)
{
    uint8_t other = other_of(f->running);

    if (is(f, other, BL_ESP_OTA_ABORTED)) {
        if (f->reset == BL_RESET_POWER) {
            try_again(f, v);
        } else {
            give_up(f, BL_RESET, v);
        }
    } else if (is(f, other, BL_ESP_OTA_INVALID)) {
        /* By its own judgement, or in a boot too many. */
        give_up(f, v->state.tries == 0 ? BL_RESET : BL_HEALTH, v);
    } else if (f->next == other) {
        give_up(f, BL_SLOT_CORRUPT, v); /* the bootloader could not load it */
    } else if (v->state.tries == 0) {
        give_up(f, BL_RESET, v);
    } else {
        v->way = BOWLINE_FORWARD; /* the step was cut */
    }
}

/* The bootloader has started a slot that the record does not name. */
static void not_the_active(const struct bowline_facts *f,
                           struct bowline_settled *v)
{
    uint8_t other = other_of(f->running);
    struct bl_state again = v->state;

    if (v->state.slot[f->running].status == BL_SLOT_BAD) {
        v->way = BOWLINE_BACK;
        return;
    }
    if (!is(f, other, BL_ESP_OTA_ABORTED)) {
        return; /* it could not be loaded, or somebody flashed this one: the
                   client takes note that this one is active */
    }
    /* Confirmed, and a cut before otadata had it: one more trial. */
    again.active = f->running;
    if (bl_state_try(&again, other, f->tries) == BL_OK) {
        v->state = again;
        v->way = BOWLINE_FORWARD;
    }
}

static void anew(const struct bowline_facts *f, struct bl_state *state)
{
    memset(state, 0, sizeof *state);
    state->active = f->running;
    state->trial = BL_SLOT_NONE;
    state->slot[f->running].status = BL_SLOT_CONFIRMED;
}

void bowline_decide_settled(const struct bowline_facts *f,
                            struct bowline_settled *v)
{
    uint8_t other = other_of(f->running);

    memset(v, 0, sizeof *v);
    v->state = f->state;
    v->save = true;
    if (!f->has_state) {
        anew(f, &v->state);
    }
    v->state.last_reset = (uint8_t)f->reset;
    v->state.boots++;
    if (v->state.trial == v->state.active) {
        v->state.trial = BL_SLOT_NONE;
    }
    if (v->state.trial == f->running) {
        v->way = f->spent ? BOWLINE_BACK : BOWLINE_STAY;
    } else if (v->state.trial == other) {
        other_on_trial(f, v);
    } else if (v->state.active == f->running) {
        v->valid = f->next == f->running && open_end(f, f->running);
        v->forget = is(f, other, BL_ESP_OTA_ABORTED) ||
                    is(f, other, BL_ESP_OTA_INVALID) ||
                    is(f, other, BL_ESP_OTA_PENDING);
    } else {
        not_the_active(f, v);
    }
}
