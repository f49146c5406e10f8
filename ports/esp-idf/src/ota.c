/* SPDX-License-Identifier: Apache-2.0 */
#include "ota.h"

#include "esp_ota_ops.h"
#include "esp_system.h"
#include "sdkconfig.h"

#include <string.h>

/* --- otadata ------------------------------------------------------------- */

static const esp_partition_t *otadata(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                    ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
}

static esp_err_t read_records(const esp_partition_t *part,
                              struct bl_esp_ota_record record[2])
{
    uint8_t bytes[BL_ESP_OTA_RECORD];
    esp_err_t err = ESP_OK;

    for (uint32_t i = 0; i < 2 && err == ESP_OK; i++) {
        err = esp_partition_read(part, i * BL_ESP_FLASH_SECTOR, bytes,
                                 sizeof bytes);
        if (err == ESP_OK) {
            bl_esp_ota_get(bytes, &record[i]);
        }
    }
    return err;
}

static bool written(const struct bl_esp_ota_record *record)
{
    return record->number != BL_ESP_OTA_BLANK &&
           record->crc == bl_esp_ota_crc(record->number);
}

/* Also when the table has more slots than the two that are used. */
static uint32_t slot_of(const struct bl_esp_ota_record *record)
{
    uint8_t n = esp_ota_get_app_partition_count();

    return bl_esp_ota_slot(record, n < 2 ? 2 : n);
}

/* Of two records of one slot the newer one; -1: there is none. */
static int record_of(const struct bl_esp_ota_record record[2], uint8_t slot)
{
    int found = -1;

    for (int i = 0; i < 2; i++) {
        if (written(&record[i]) && slot_of(&record[i]) == slot &&
            (found < 0 || record[i].number > record[found].number)) {
            found = i;
        }
    }
    return found;
}

static esp_err_t write_record(const esp_partition_t *part, int i,
                              const struct bl_esp_ota_record *record)
{
    size_t at = (size_t)i * BL_ESP_FLASH_SECTOR;
    uint8_t bytes[BL_ESP_OTA_RECORD];
    esp_err_t err = esp_partition_erase_range(part, at, BL_ESP_FLASH_SECTOR);

    if (err == ESP_OK) {
        bl_esp_ota_put(record, bytes);
        err = esp_partition_write(part, at, bytes, sizeof bytes);
    }
    return err;
}

/* --- Facts --------------------------------------------------------------- */

bl_reset_cause bowline_reset_cause(void)
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
    case ESP_RST_BROWNOUT:
        return BL_RESET_POWER;
    case ESP_RST_SW:
    case ESP_RST_DEEPSLEEP:
        return BL_RESET_SOFTWARE;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return BL_RESET_WATCHDOG;
    case ESP_RST_PANIC:
        return BL_RESET_CRASH;
    default:
        return BL_RESET_UNKNOWN;
    }
}

esp_err_t bowline_ota_facts(const struct bowline_store *store,
                            struct bowline_facts *facts)
{
    const esp_partition_t *part = otadata();
    struct bl_esp_ota_record record[2];
    bl_status status;
    esp_err_t err;
    int active;

    memset(facts, 0, sizeof *facts);
    facts->running =
        bowline_store_slot(store, esp_ota_get_running_partition());
    if (part == NULL || facts->running == BL_SLOT_NONE) {
        return ESP_ERR_NOT_FOUND;
    }
    err = read_records(part, record);
    if (err != ESP_OK) {
        return err;
    }
    for (uint8_t slot = BL_SLOT_A; slot <= BL_SLOT_B; slot++) {
        int i = record_of(record, slot);

        facts->recorded[slot] = i >= 0;
        facts->record[slot] = i >= 0 ? record[i].state : 0;
    }
    active = bl_esp_ota_active(record);
    facts->next = active < 0 || slot_of(&record[active]) > BL_SLOT_B
                      ? BL_SLOT_NONE
                      : (uint8_t)slot_of(&record[active]);
    facts->reset = bowline_reset_cause();
    facts->tries = CONFIG_BOWLINE_BOOT_TRIES;
    status = bl_state_load(&store->layout, &facts->state);
    facts->has_state = status == BL_OK;
    return status == BL_FLASH ? ESP_FAIL : ESP_OK;
}

/* --- Changes ------------------------------------------------------------- */

/* VALID goes through esp_ota_ops: with anti-rollback it burns the eFuse. */
esp_err_t bowline_ota_set(const struct bowline_facts *facts, uint32_t state)
{
    const esp_partition_t *part = otadata();
    struct bl_esp_ota_record record[2];
    esp_err_t err;
    int i;

    if (state == BL_ESP_OTA_VALID) {
        return esp_ota_mark_app_valid_cancel_rollback();
    }
    if (part == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    err = read_records(part, record);
    if (err != ESP_OK) {
        return err;
    }
    i = record_of(record, facts->running);
    if (i < 0) {
        return ESP_ERR_NOT_FOUND;
    }
    record[i].state = state;
    return write_record(part, i, &record[i]);
}

esp_err_t bowline_ota_forget(const struct bowline_store *store,
                             const struct bowline_facts *facts)
{
    const esp_partition_t *part = otadata();
    struct bl_esp_ota_record record[2];
    uint8_t other = (uint8_t)(facts->running ^ 1U);
    int own;
    esp_err_t err =
        part == NULL ? ESP_ERR_NOT_FOUND : read_records(part, record);

    if (err != ESP_OK) {
        return err;
    }
    own = record_of(record, facts->running);
    if (own < 0 || bl_esp_ota_refused(&record[own])) {
        /* Nothing in otadata names this slot: with the other's record gone
         * the bootloader would begin at ota_0. */
        err = esp_ota_set_boot_partition(store->part[1 + facts->running]);
        if (err == ESP_OK) {
            err = esp_ota_mark_app_valid_cancel_rollback();
        }
        if (err == ESP_OK) {
            err = read_records(part, record);
        }
    }
    for (int i = 0; i < 2 && err == ESP_OK; i++) {
        if (written(&record[i]) && slot_of(&record[i]) == other) {
            err = esp_partition_erase_range(
                part, (size_t)i * BL_ESP_FLASH_SECTOR, BL_ESP_FLASH_SECTOR);
        }
    }
    return err;
}

esp_err_t bowline_ota_forward(const struct bowline_store *store, uint8_t slot)
{
    esp_err_t err = bowline_store_fill(store, slot);

    return err == ESP_OK ? esp_ota_set_boot_partition(store->part[1 + slot])
                         : err;
}

esp_err_t bowline_ota_back(const struct bowline_store *store)
{
    struct bowline_facts facts;
    esp_err_t err = bowline_ota_facts(store, &facts);

    if (err != ESP_OK) {
        return err;
    }
    if (facts.next != facts.running) {
        return ESP_ERR_OTA_ROLLBACK_FAILED; /* it was tried, and not loaded */
    }
    err = esp_ota_mark_app_invalid_rollback_and_reboot();
    if (err != ESP_OK) {
        /* otadata does not know the other slot; it may be whole yet. */
        err =
            esp_ota_set_boot_partition(store->part[1 + (facts.running ^ 1U)]);
    }
    if (err == ESP_OK) {
        esp_restart();
    }
    return err;
}
