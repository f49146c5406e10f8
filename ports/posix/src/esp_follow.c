/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/esp_follow.h"

#include "trial.h"

/* --- otadata and the state record ---------------------------------------- */

static bool written(const struct bl_esp_ota_record *r)
{
    return r->number != BL_ESP_OTA_BLANK &&
           r->crc == bl_esp_ota_crc(r->number);
}

static void note_record(struct bowline_facts *facts,
                        const struct bl_esp_ota_record record[2], int i)
{
    uint32_t slot = bl_esp_ota_slot(&record[i], 2);
    const struct bl_esp_ota_record *other = &record[i ^ 1];

    if (!written(&record[i]) ||
        (written(other) && bl_esp_ota_slot(other, 2) == slot &&
         other->number > record[i].number)) {
        return; /* of two records of one slot the newer one counts */
    }
    facts->recorded[slot] = true;
    facts->record[slot] = record[i].state;
}

static bl_status gather(const struct esp_follow *f, uint8_t running,
                        bl_reset_cause cause, struct bowline_facts *facts)
{
    struct bl_esp_ota_record record[2];
    bl_status status = bl_esp_ota_read(f->ota, record);
    int active;

    if (status != BL_OK) {
        return status;
    }
    memset(facts, 0, sizeof *facts);
    facts->running = running;
    facts->reset = cause;
    facts->tries = f->tries;
    active = bl_esp_ota_active(record);
    facts->next = active < 0 ? (uint8_t)BL_SLOT_NONE
                             : (uint8_t)bl_esp_ota_slot(&record[active], 2);
    note_record(facts, record, 0);
    note_record(facts, record, 1);
    status = bl_state_load(f->layout, &facts->state);
    facts->has_state = status == BL_OK;
    return status == BL_FLASH ? BL_FLASH : BL_OK;
}

static bl_status save(const struct esp_follow *f, struct bl_state *state)
{
    return bl_state_save(f->layout, state);
}

/* Where something could not be written: told, and the device goes on. */
static void trouble(const struct esp_follow *f, const char *what,
                    bl_status status)
{
    if (f->trouble != NULL) {
        f->trouble(f->ctx, what, status);
    }
}

static bl_status set_record(const struct esp_follow *f, uint8_t running,
                            uint32_t state)
{
    return state == BL_ESP_OTA_VALID ? bl_esp_ota_mark_valid(f->ota, running)
                                     : bl_esp_ota_set_state(f->ota, state);
}

/* Nothing in otadata may be left that refuses the other slot; and something
 * must name this one, or the bootloader would begin at ota_0. */
static bl_status forget_other(const struct esp_follow *f,
                              const struct bowline_facts *facts)
{
    bl_status status = BL_OK;

    if (facts->next != facts->running) {
        status = bl_esp_ota_set_boot(f->ota, facts->running);
        if (status == BL_OK) {
            status = bl_esp_ota_mark_valid(f->ota, facts->running);
        }
    }
    if (status == BL_OK) {
        status = bl_esp_ota_forget_inactive(f->ota, facts->running);
    }
    return status == BL_BUSY ? BL_OK : status;
}

/* True: restart into it. False: it cannot be started, and is given up. */
static bool forward(const struct esp_follow *f, struct bl_state *state)
{
    bl_status status = bl_esp_ota_set_boot(f->ota, state->trial);

    if (status == BL_OK) {
        return true;
    }
    trouble(f, "the new image cannot be chosen", status);
    if (status != BL_FLASH) {
        bl_state_return(state, BL_SLOT_CORRUPT);
        status = save(f, state);
        if (status != BL_OK) {
            trouble(f, "the state record", status);
        }
    }
    return false;
}

static bool back(const struct esp_follow *f, uint8_t running)
{
    bl_status status = bl_esp_ota_mark_invalid(f->ota);

    if (status != BL_OK) {
        status = bl_esp_ota_set_boot(f->ota, running ^ 1);
    }
    if (status != BL_OK) {
        trouble(f, "no other image can be started", status);
    }
    return status == BL_OK;
}

/* --- Before the client runs ---------------------------------------------- */

static bool early(const struct esp_follow *f,
                  const struct bowline_facts *facts)
{
    struct bowline_early v;
    bl_status status = BL_OK;

    bowline_decide_early(facts, &v);
    if (v.save) {
        status = save(f, &v.state);
    }
    if (status == BL_OK && v.set) {
        status = set_record(f, facts->running, v.record);
    }
    if (status != BL_OK) {
        trouble(f, "this start could not be counted", status);
    }
    return v.spent;
}

static bool settle(const struct esp_follow *f,
                   const struct bowline_facts *facts)
{
    struct bowline_settled v;
    bl_status status = BL_OK;

    bowline_decide_settled(facts, &v);
    if (v.save) {
        status = save(f, &v.state);
    }
    if (status == BL_OK && v.valid) {
        status = set_record(f, facts->running, BL_ESP_OTA_VALID);
    }
    if (status == BL_OK && v.forget) {
        status = forget_other(f, facts);
    }
    if (status != BL_OK) {
        trouble(f, "a step of the trial", status);
        return false;
    }
    if (v.way == BOWLINE_FORWARD) {
        return forward(f, &v.state);
    }
    return v.way == BOWLINE_BACK && facts->next == facts->running &&
           back(f, facts->running);
}

bool esp_follow_start(const struct esp_follow *f, uint8_t running,
                      bl_reset_cause cause)
{
    struct bowline_facts facts;
    bl_status status = gather(f, running, cause, &facts);
    bool spent = false;

    if (status == BL_OK) {
        spent = early(f, &facts);
        status = gather(f, running, cause, &facts);
    }
    if (status != BL_OK) {
        trouble(f, "cannot be read", status);
        return false;
    }
    facts.spent = spent;
    return settle(f, &facts);
}

/* --- While it runs ------------------------------------------------------- */

void esp_follow_confirmed(const struct esp_follow *f, uint8_t running)
{
    bl_status status = bl_esp_ota_mark_valid(f->ota, running);

    if (status != BL_OK) {
        trouble(f, "the image that was confirmed", status);
    }
}

void esp_follow_reset(const struct esp_follow *f, uint8_t running)
{
    struct bl_state state;

    if (bl_state_load(f->layout, &state) != BL_OK) {
        return;
    }
    if (state.trial <= BL_SLOT_B && state.trial != running) {
        (void)forward(f, &state);
    } else if (state.active <= BL_SLOT_B && state.active != running) {
        (void)back(f, running);
    }
}
