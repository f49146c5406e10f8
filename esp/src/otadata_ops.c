/* SPDX-License-Identifier: Apache-2.0 */
/* What ESP-IDF's esp_ota_ops does for a running application. */
#include "otadata_flash.h"

/* The application's side counts slots from ota_0 on, up to the first gap. */
static uint32_t count(const struct bl_esp_ota *ota)
{
    uint32_t n = 0;

    while (n < BL_ESP_OTA_SLOTS && ota->slots->ota[n].size != 0) {
        n++;
    }
    return n;
}

static bool below_efuse(const struct bl_esp_ota *ota,
                        const struct bl_area *slot)
{
    uint32_t version;

    return ota->options.anti_rollback &&
           (!ota->describe(ota->ctx, slot, &version) ||
            version < ota->efuse(ota->ctx));
}

/* --- Choosing what boots ------------------------------------------------- */

/* Rewrites a record's number and state; its label stays as it was. */
static bl_status rewrite(const struct bl_esp_ota *ota,
                         struct bl_esp_ota_record record[2], int i,
                         uint32_t number, uint32_t state)
{
    record[i].number = number;
    record[i].state = state;
    record[i].crc = bl_esp_ota_crc(number);
    return bl_esp_ota_write(ota, i, &record[i]);
}

static bl_status point_to(const struct bl_esp_ota *ota, uint32_t slot)
{
    struct bl_esp_ota_record record[2];
    uint32_t n = count(ota);
    uint32_t number = slot + 1;
    uint32_t state =
        ota->options.rollback ? BL_ESP_OTA_NEW : BL_ESP_OTA_UNDEFINED;
    int active;
    bl_status status = bl_esp_ota_read(ota, record);

    if (status != BL_OK) {
        return status;
    }
    if (slot >= n) {
        return BL_ARGUMENT;
    }
    active = bl_esp_ota_active(record);
    if (active < 0) {
        return rewrite(ota, record, 0, number, state);
    }
    if (bl_esp_ota_slot(&record[active], n) == slot) {
        return rewrite(ota, record, active, record[active].number, state);
    }
    status = bl_esp_ota_number(record[active].number, slot, n, &number);
    if (status != BL_OK) {
        return status;
    }
    return rewrite(ota, record, active ^ 1, number, state);
}

static bl_status erase(const struct bl_esp_ota *ota,
                       const struct bl_area *area)
{
    if (ota->flash->erase(ota->flash->ctx, area->offset, area->size) !=
            BL_OK ||
        ota->flash->sync(ota->flash->ctx) != BL_OK) {
        return BL_FLASH;
    }
    return BL_OK;
}

bl_status bl_esp_ota_set_boot(const struct bl_esp_ota *ota, int index)
{
    const struct bl_area *slot = bl_esp_slot(ota->slots, index);

    if (slot == NULL || index == BL_ESP_TEST) {
        return BL_ARGUMENT;
    }
    if (!ota->whole(ota->ctx, slot)) {
        return BL_SLOT_CORRUPT;
    }
    if (ota->slots->otadata.size == 0) {
        return BL_STATE_NONE;
    }
    if (index == BL_ESP_FACTORY) {
        return erase(ota, &ota->slots->otadata);
    }
    if (below_efuse(ota, slot)) {
        bl_status status = erase(ota, slot);

        return status == BL_OK ? BL_SEQUENCE_LOW : status;
    }
    return point_to(ota, (uint32_t)index);
}

/* What boots where otadata says nothing. */
static bl_status default_slot(const struct bl_esp_ota *ota, int *index)
{
    int i;

    if (bl_esp_slot(ota->slots, BL_ESP_FACTORY) != NULL) {
        *index = BL_ESP_FACTORY;
        return BL_OK;
    }
    for (i = 0; i < BL_ESP_OTA_SLOTS; i++) {
        if (ota->slots->ota[i].size != 0) {
            *index = i;
            return BL_OK;
        }
    }
    if (bl_esp_slot(ota->slots, BL_ESP_TEST) == NULL) {
        return BL_NO_IMAGE;
    }
    *index = BL_ESP_TEST;
    return BL_OK;
}

bl_status bl_esp_ota_get_boot(const struct bl_esp_ota *ota, int *index)
{
    struct bl_esp_ota_record record[2];
    uint32_t n = count(ota);
    int active;
    bl_status status = bl_esp_ota_read(ota, record);

    if (status != BL_OK) {
        return status;
    }
    active = bl_esp_ota_active(record);
    if (active < 0 || n == 0) {
        return default_slot(ota, index);
    }
    *index = (int)bl_esp_ota_slot(&record[active], n);
    return BL_OK;
}

bl_status bl_esp_ota_next(const struct bl_esp_ota *ota, int running,
                          int *index)
{
    int first = BL_ESP_NOTHING;
    int i;

    for (i = 0; i < BL_ESP_OTA_SLOTS; i++) {
        if (ota->slots->ota[i].size == 0) {
            continue;
        }
        if (first == BL_ESP_NOTHING) {
            first = i;
        }
        if (running >= 0 && i > running) {
            *index = i;
            return BL_OK;
        }
    }
    if (first == BL_ESP_NOTHING) {
        return BL_STATE_NONE;
    }
    *index = first;
    return BL_OK;
}

/* --- Before an update ---------------------------------------------------- */

bl_status bl_esp_ota_forget_inactive(const struct bl_esp_ota *ota, int running)
{
    struct bl_esp_ota_record record[2];
    struct bl_area sector;
    const struct bl_esp_ota_record *other;
    uint32_t n = count(ota);
    int active;

    if (bl_esp_ota_read(ota, record) != BL_OK) {
        return BL_BUSY;
    }
    active = bl_esp_ota_active(record);
    if (active < 0 || n == 0) {
        return BL_BUSY;
    }
    other = &record[active ^ 1];
    if (other->number == BL_ESP_OTA_BLANK ||
        other->crc != bl_esp_ota_crc(other->number) ||
        (int)bl_esp_ota_slot(other, n) == running) {
        return BL_BUSY;
    }
    sector.offset = ota->slots->otadata.offset +
                    (uint32_t)(active ^ 1) * BL_ESP_FLASH_SECTOR;
    sector.size = BL_ESP_FLASH_SECTOR;
    return erase(ota, &sector);
}

bl_status bl_esp_ota_begin(const struct bl_esp_ota *ota, int running,
                           int index)
{
    uint32_t state;
    bl_status status;

    if (index < 0 || index == running ||
        bl_esp_slot(ota->slots, index) == NULL) {
        return BL_ARGUMENT;
    }
    if (!ota->options.rollback) {
        return BL_OK;
    }
    if (bl_esp_ota_state(ota, running, &state) == BL_OK &&
        state == BL_ESP_OTA_PENDING) {
        return BL_BUSY;
    }
    status = bl_esp_ota_forget_inactive(ota, running);
    return status == BL_FLASH ? BL_FLASH : BL_OK;
}

/* --- The trial ----------------------------------------------------------- */

bl_status bl_esp_ota_set_state(const struct bl_esp_ota *ota, uint32_t state)
{
    struct bl_esp_ota_record record[2];
    int active;
    bl_status status = bl_esp_ota_read(ota, record);

    if (status != BL_OK) {
        return status;
    }
    active = bl_esp_ota_active(record);
    if (active < 0 || count(ota) == 0) {
        return BL_BUSY;
    }
    if (record[active].state == state) {
        return BL_OK;
    }
    return rewrite(ota, record, active, record[active].number, state);
}

bl_status bl_esp_ota_mark_valid(const struct bl_esp_ota *ota, int running)
{
    const struct bl_area *slot = bl_esp_slot(ota->slots, running);
    struct bl_esp_ota_record record[2];
    uint32_t version;
    bl_status status = bl_esp_ota_read(ota, record);
    int active;

    if (status != BL_OK) {
        return status;
    }
    active = bl_esp_ota_active(record);
    if (active >= 0 && record[active].state == BL_ESP_OTA_VALID) {
        return BL_OK; /* the fuse was raised then, or is at the next start */
    }
    status = bl_esp_ota_set_state(ota, BL_ESP_OTA_VALID);
    if (status != BL_OK || !ota->options.anti_rollback) {
        return status;
    }
    if (slot == NULL || !ota->describe(ota->ctx, slot, &version)) {
        return BL_STATE_NONE;
    }
    return version > ota->efuse(ota->ctx) ? ota->raise(ota->ctx, version)
                                          : BL_OK;
}

bool bl_esp_ota_can_return(const struct bl_esp_ota *ota)
{
    struct bl_esp_ota_record record[2];
    const struct bl_area *slot;
    uint32_t n = count(ota);
    int active;
    int back = BL_ESP_FACTORY;

    if (n == 0 || bl_esp_ota_read(ota, record) != BL_OK) {
        return false;
    }
    active = bl_esp_ota_active(record);
    if (active < 0) {
        return false;
    }
    if (bl_esp_ota_usable(&record[active ^ 1])) {
        back = (int)bl_esp_ota_slot(&record[active ^ 1], n);
    } else if (ota->options.anti_rollback) {
        return false; /* there is no factory application then */
    }
    slot = bl_esp_slot(ota->slots, back);
    return slot != NULL && ota->whole(ota->ctx, slot) &&
           !below_efuse(ota, slot);
}

bl_status bl_esp_ota_mark_invalid(const struct bl_esp_ota *ota)
{
    struct bl_esp_ota_record record[2];
    bl_status status = bl_esp_ota_read(ota, record);

    if (status != BL_OK) {
        return status;
    }
    if (bl_esp_ota_active(record) < 0 || count(ota) == 0) {
        return BL_BUSY;
    }
    if (!bl_esp_ota_can_return(ota)) {
        return BL_NO_IMAGE;
    }
    return bl_esp_ota_set_state(ota, BL_ESP_OTA_INVALID);
}

/* --- What it says -------------------------------------------------------- */

bl_status bl_esp_ota_state(const struct bl_esp_ota *ota, int index,
                           uint32_t *state)
{
    struct bl_esp_ota_record record[2];
    uint32_t n = count(ota);
    int i;

    if (index < 0 || index >= BL_ESP_OTA_SLOTS) {
        return BL_ARGUMENT;
    }
    if (n == 0 || bl_esp_ota_read(ota, record) != BL_OK) {
        return BL_STATE_NONE;
    }
    for (i = 0; i < 2; i++) {
        if ((int)bl_esp_ota_slot(&record[i], n) == index &&
            record[i].crc == bl_esp_ota_crc(record[i].number)) {
            *state = record[i].state;
            return BL_OK;
        }
    }
    return BL_STATE_NONE;
}

static bool given_up(const struct bl_esp_ota_record *record)
{
    return record->number != BL_ESP_OTA_BLANK &&
           record->crc == bl_esp_ota_crc(record->number) &&
           (record->state == BL_ESP_OTA_INVALID ||
            record->state == BL_ESP_OTA_ABORTED);
}

bl_status bl_esp_ota_last_invalid(const struct bl_esp_ota *ota, int *index)
{
    struct bl_esp_ota_record record[2];
    const struct bl_area *slot;
    uint32_t n = count(ota);
    int which = 0;
    int found;

    if (n == 0 || bl_esp_ota_read(ota, record) != BL_OK) {
        return BL_STATE_NONE;
    }
    if (!given_up(&record[0])) {
        which = 1;
    } else if (given_up(&record[1]) && record[1].number < record[0].number) {
        which = 1; /* of two, ESP-IDF names the lower number */
    }
    if (!given_up(&record[which])) {
        return BL_STATE_NONE;
    }
    found = (int)bl_esp_ota_slot(&record[which], n);
    slot = bl_esp_slot(ota->slots, found);
    if (slot == NULL || !ota->whole(ota->ctx, slot)) {
        return BL_STATE_NONE;
    }
    *index = found;
    return BL_OK;
}
