/* SPDX-License-Identifier: Apache-2.0 */
/* What ESP-IDF's bootloader does with a flash: choose, write, load. */
#include "otadata_flash.h"

/* --- Records in flash ---------------------------------------------------- */

bl_status bl_esp_ota_read(const struct bl_esp_ota *ota,
                          struct bl_esp_ota_record record[2])
{
    const struct bl_flash *flash = ota->flash;
    const struct bl_area *area = &ota->slots->otadata;
    struct bl_esp_ota_record read[2];
    uint32_t i;

    if (area->size < BL_ESP_OTADATA_SIZE) {
        return BL_STATE_NONE;
    }
    for (i = 0; i < 2; i++) {
        uint8_t bytes[BL_ESP_OTA_RECORD];

        if (flash->read(flash->ctx, area->offset + i * BL_ESP_FLASH_SECTOR,
                        bytes, sizeof bytes) != BL_OK) {
            return BL_FLASH;
        }
        bl_esp_ota_get(bytes, &read[i]);
    }
    memcpy(record, read, sizeof read);
    return BL_OK;
}

bl_status bl_esp_ota_write(const struct bl_esp_ota *ota, int i,
                           const struct bl_esp_ota_record *record)
{
    const struct bl_flash *flash = ota->flash;
    uint32_t at =
        ota->slots->otadata.offset + (uint32_t)i * BL_ESP_FLASH_SECTOR;
    uint8_t bytes[BL_ESP_OTA_RECORD];

    bl_esp_ota_put(record, bytes);
    if (flash->erase(flash->ctx, at, BL_ESP_FLASH_SECTOR) != BL_OK ||
        flash->write(flash->ctx, at, bytes, sizeof bytes) != BL_OK ||
        flash->sync(flash->ctx) != BL_OK) {
        return BL_FLASH;
    }
    return BL_OK;
}

/* --- Choosing ------------------------------------------------------------ */

static void describe_slots(const struct bl_esp_ota *ota,
                           struct bl_esp_choose_facts *facts)
{
    int i;

    facts->efuse = ota->efuse(ota->ctx);
    for (i = 0; i < BL_ESP_OTA_SLOTS; i++) {
        const struct bl_area *slot = bl_esp_slot(ota->slots, i);

        facts->described[i] =
            slot != NULL &&
            ota->describe(ota->ctx, slot, &facts->secure_version[i]);
    }
}

/* A write that fails is not the end: the device must start. */
static void write_those(const struct bl_esp_ota *ota,
                        const struct bl_esp_choice *choice, bool aborted)
{
    int i;

    for (i = 0; i < 2; i++) {
        if (choice->write[i] &&
            (choice->record[i].state == BL_ESP_OTA_ABORTED) == aborted) {
            bl_status ignored = bl_esp_ota_write(ota, i, &choice->record[i]);

            (void)ignored;
        }
    }
}

/* What is given up is written first: were the one that starts before it, a
 * cut could leave neither. */
static void carry_out(const struct bl_esp_ota *ota,
                      const struct bl_esp_choose_facts *facts,
                      const struct bl_esp_choice *choice)
{
    write_those(ota, choice, true);
    write_those(ota, choice, false);
    if (choice->efuse != facts->efuse) {
        bl_status ignored = ota->raise(ota->ctx, choice->efuse);

        (void)ignored;
    }
}

static bool choose(const struct bl_esp_ota *ota, struct bl_esp_choice *choice)
{
    struct bl_esp_choose_facts facts;

    memset(&facts, 0, sizeof facts);
    if (bl_esp_ota_read(ota, facts.record) != BL_OK) {
        return false;
    }
    facts.options = ota->options;
    facts.n_ota = ota->slots->n_ota;
    facts.factory = ota->slots->factory.size != 0;
    if (facts.options.anti_rollback) {
        describe_slots(ota, &facts);
    }
    bl_esp_boot_choose(&facts, choice);
    carry_out(ota, &facts, choice);
    return true;
}

/* --- Loading ------------------------------------------------------------- */

static bool loads(const struct bl_esp_ota *ota, int index)
{
    const struct bl_area *slot = bl_esp_slot(ota->slots, index);
    uint32_t version = 0;

    if (slot == NULL) {
        return false;
    }
    if (ota->options.anti_rollback &&
        (!ota->describe(ota->ctx, slot, &version) ||
         version < ota->efuse(ota->ctx))) {
        return false;
    }
    return ota->whole(ota->ctx, slot);
}

/* From where the choice fell down to the factory application, then up. */
static int load(const struct bl_esp_ota *ota, int start)
{
    int i;

    for (i = start; i >= BL_ESP_FACTORY; i--) {
        if (loads(ota, i)) {
            return i;
        }
    }
    for (i = start + 1; i < BL_ESP_OTA_SLOTS; i++) {
        if (loads(ota, i)) {
            return i;
        }
    }
    return loads(ota, BL_ESP_TEST) ? BL_ESP_TEST : BL_ESP_NOTHING;
}

/* A device that was flashed without otadata: from now on it has one. */
static void write_initial(const struct bl_esp_ota *ota, int index)
{
    struct bl_esp_ota_record record;
    bl_status ignored;
    uint32_t version;

    memset(&record, 0xFF, sizeof record);
    record.number = (uint32_t)index + 1;
    record.state = BL_ESP_OTA_VALID;
    record.crc = bl_esp_ota_crc(record.number);
    ignored = bl_esp_ota_write(ota, 0, &record);
    if (ota->options.anti_rollback &&
        ota->describe(ota->ctx, bl_esp_slot(ota->slots, index), &version) &&
        version > ota->efuse(ota->ctx)) {
        ignored = ota->raise(ota->ctx, version);
    }
    (void)ignored;
}

bl_status bl_esp_boot_run(const struct bl_esp_ota *ota, int *index)
{
    struct bl_esp_choice choice;
    int found;

    memset(&choice, 0, sizeof choice);
    choice.index = BL_ESP_FACTORY;
    if (ota->slots->otadata.size != 0 && !choose(ota, &choice)) {
        return BL_NO_IMAGE; /* an otadata that is too small, or not readable */
    }
    found = load(ota, choice.index);
    if (found == BL_ESP_NOTHING) {
        return BL_NO_IMAGE;
    }
    if (choice.initial && found >= 0) {
        write_initial(ota, found);
    }
    *index = found;
    return BL_OK;
}
