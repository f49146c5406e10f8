/* SPDX-License-Identifier: Apache-2.0 */
#include "esp.h"

#include <stdio.h>

#include "bowline/esp_slot.h"
#include "posix/esp_flash.h"
#include "posix/platform.h"
#include "trial.h"

/* --- The chip -------------------------------------------------------------
 */

static bool whole(void *ctx, const struct bl_area *slot)
{
    const struct esp_board *board = ctx;

    return bl_esp_slot_whole(board->ota.flash, slot, board->chip_id, NULL);
}

static int same_place(const struct bl_esp_slots *slots,
                      const struct device_config *config)
{
    const struct bl_area *area = config->layout.component[0].area;

    for (int i = 0; i < 2; i++) {
        const struct bl_area *slot = bl_esp_slot(slots, i);

        if (slot == NULL || slot->offset != area[i].offset ||
            slot->size != area[i].size) {
            return -1;
        }
    }
    return slots->otadata.size == BL_ESP_OTADATA_SIZE ? 0 : -1;
}

int esp_board_open(struct esp_board *board, const struct device_config *config,
                   struct error *err)
{
    const struct bl_esp_chip *chip = bl_esp_chip_named(config->chip);
    struct bl_esp_table_finding finding;
    uint8_t buffer[BL_ESP_TABLE_SIZE];
    struct bl_esp_table table;
    bl_status status;

    memset(board, 0, sizeof *board);
    board->config = config;
    if (chip == NULL) {
        return error_set(err,
                         "%s/device.conf: \"%s\" is no chip of "
                         "Espressif's that is known here",
                         config->dir, config->chip);
    }
    status = bl_esp_table_read(config->layout.flash, BL_ESP_TABLE_OFFSET,
                               buffer, &table, &finding);
    if (status == BL_FLASH) {
        return error_status(err, status, "%s", config->flash_path);
    }
    if (status != BL_OK) {
        return error_set(err, "%s: partition table, row %u: %s",
                         config->flash_path, (unsigned)finding.row,
                         bl_esp_table_fault_text(finding.fault));
    }
    bl_esp_slots_of(&table, &board->slots);
    if (same_place(&board->slots, config) != 0) {
        return error_set(err,
                         "%s: the partition table has not the slots of "
                         "this board",
                         config->flash_path);
    }
    board->chip_id = chip->id;
    board->ota.flash = config->layout.flash;
    board->ota.slots = &board->slots;
    board->ota.options.rollback = true;
    board->ota.ctx = board;
    board->ota.whole = whole;
    return 0;
}

/* --- The bootloader ------------------------------------------------------ */

uint8_t esp_bootloader(struct esp_board *board)
{
    const char *who = board->config->name;
    uint32_t state = BL_ESP_OTA_UNDEFINED;
    int index;

    if (bl_esp_boot_run(&board->ota, &index) != BL_OK) {
        platform_say(who, "bootloader: no bootable app partitions in the "
                          "partition table");
        return BL_SLOT_NONE;
    }
    if (bl_esp_ota_state(&board->ota, index, &state) != BL_OK) {
        platform_say(who, "bootloader: starts ota_%d", index);
    } else {
        platform_say(who, "bootloader: starts ota_%d, %s in otadata", index,
                     bl_esp_ota_state_name(state));
    }
    return index == 0 ? BL_SLOT_A : BL_SLOT_B;
}

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

static bl_status gather(const struct esp_board *board, uint8_t running,
                        bl_reset_cause cause, struct bowline_facts *facts)
{
    struct bl_esp_ota_record record[2];
    bl_status status = bl_esp_ota_read(&board->ota, record);
    int active;

    if (status != BL_OK) {
        return status;
    }
    memset(facts, 0, sizeof *facts);
    facts->running = running;
    facts->reset = cause;
    facts->tries = board->config->boot_tries;
    active = bl_esp_ota_active(record);
    facts->next = active < 0 ? (uint8_t)BL_SLOT_NONE
                             : (uint8_t)bl_esp_ota_slot(&record[active], 2);
    note_record(facts, record, 0);
    note_record(facts, record, 1);
    status = bl_state_load(&board->config->layout, &facts->state);
    facts->has_state = status == BL_OK;
    return status == BL_FLASH ? BL_FLASH : BL_OK;
}

static bl_status save(const struct esp_board *board, struct bl_state *state)
{
    return bl_state_save(&board->config->layout, state);
}

/* Says it, once, where something could not be written: the device goes on. */
static void trouble(const struct esp_board *board, const char *what,
                    bl_status status)
{
    platform_say(board->config->name, "otadata: %s: %s (%s)", what,
                 bl_status_meaning(status), bl_status_name(status));
}

static bl_status set_record(const struct esp_board *board, uint8_t running,
                            uint32_t state)
{
    return state == BL_ESP_OTA_VALID
               ? bl_esp_ota_mark_valid(&board->ota, running)
               : bl_esp_ota_set_state(&board->ota, state);
}

/* Nothing in otadata may be left that refuses the other slot; and something
 * must name this one, or the bootloader would begin at ota_0. */
static bl_status forget_other(const struct esp_board *board,
                              const struct bowline_facts *facts)
{
    bl_status status = BL_OK;

    if (facts->next != facts->running) {
        status = bl_esp_ota_set_boot(&board->ota, facts->running);
        if (status == BL_OK) {
            status = bl_esp_ota_mark_valid(&board->ota, facts->running);
        }
    }
    if (status == BL_OK) {
        status = bl_esp_ota_forget_inactive(&board->ota, facts->running);
    }
    return status == BL_BUSY ? BL_OK : status;
}

/* True: restart into it. False: it cannot be started, and is given up. */
static bool forward(const struct esp_board *board, struct bl_state *state)
{
    bl_status status = bl_esp_ota_set_boot(&board->ota, state->trial);

    if (status == BL_OK) {
        return true;
    }
    trouble(board, "the new image cannot be chosen", status);
    if (status != BL_FLASH) {
        bl_state_return(state, BL_SLOT_CORRUPT);
        status = save(board, state);
        if (status != BL_OK) {
            trouble(board, "the state record", status);
        }
    }
    return false;
}

static bool back(const struct esp_board *board, uint8_t running)
{
    bl_status status = bl_esp_ota_mark_invalid(&board->ota);

    if (status != BL_OK) {
        status = bl_esp_ota_set_boot(&board->ota, running ^ 1);
    }
    if (status != BL_OK) {
        trouble(board, "no other image can be started", status);
    }
    return status == BL_OK;
}

/* --- Before the client runs ---------------------------------------------- */

static bool early(const struct esp_board *board,
                  const struct bowline_facts *facts)
{
    struct bowline_early v;
    bl_status status = BL_OK;

    bowline_decide_early(facts, &v);
    if (v.save) {
        status = save(board, &v.state);
    }
    if (status == BL_OK && v.set) {
        status = set_record(board, facts->running, v.record);
    }
    if (status != BL_OK) {
        trouble(board, "this start could not be counted", status);
    }
    return v.spent;
}

static bool settle(const struct esp_board *board,
                   const struct bowline_facts *facts)
{
    struct bowline_settled v;
    bl_status status = BL_OK;

    bowline_decide_settled(facts, &v);
    if (v.save) {
        status = save(board, &v.state);
    }
    if (status == BL_OK && v.valid) {
        status = set_record(board, facts->running, BL_ESP_OTA_VALID);
    }
    if (status == BL_OK && v.forget) {
        status = forget_other(board, facts);
    }
    if (status != BL_OK) {
        trouble(board, "a step of the trial", status);
        return false;
    }
    if (v.way == BOWLINE_FORWARD) {
        return forward(board, &v.state);
    }
    return v.way == BOWLINE_BACK && facts->next == facts->running &&
           back(board, facts->running);
}

bool esp_settle(struct esp_board *board, uint8_t running, bl_reset_cause cause)
{
    struct bowline_facts facts;
    bl_status status = gather(board, running, cause, &facts);
    bool spent = false;

    if (status == BL_OK) {
        spent = early(board, &facts);
        status = gather(board, running, cause, &facts);
    }
    if (status != BL_OK) {
        trouble(board, "cannot be read", status);
        return false;
    }
    facts.spent = spent;
    return settle(board, &facts);
}

/* --- While it runs ------------------------------------------------------- */

void esp_confirmed(struct esp_board *board, uint8_t running)
{
    bl_status status = bl_esp_ota_mark_valid(&board->ota, running);

    if (status != BL_OK) {
        trouble(board, "the image that was confirmed", status);
    }
}

void esp_before_reset(struct esp_board *board, uint8_t running)
{
    struct bl_state state;

    if (bl_state_load(&board->config->layout, &state) != BL_OK) {
        return;
    }
    if (state.trial <= BL_SLOT_B && state.trial != running) {
        (void)forward(board, &state);
    } else if (state.active <= BL_SLOT_B && state.active != running) {
        (void)back(board, running);
    }
}
