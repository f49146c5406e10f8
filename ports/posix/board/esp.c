/* SPDX-License-Identifier: Apache-2.0 */
#include "esp.h"

#include <stdio.h>

#include "bowline/esp_slot.h"
#include "posix/esp_flash.h"
#include "posix/platform.h"

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

/* --- The component for ESP-IDF --------------------------------------------
 */

static void tell_trouble(void *ctx, const char *what, bl_status status)
{
    const struct esp_board *board = ctx;

    platform_say(board->config->name, "otadata: %s: %s (%s)", what,
                 bl_status_meaning(status), bl_status_name(status));
}

void esp_board_follow(struct esp_board *board, struct esp_follow *follow)
{
    follow->ota = &board->ota;
    follow->layout = &board->config->layout;
    follow->tries = board->config->boot_tries;
    follow->trouble = tell_trouble;
    follow->ctx = board;
}
