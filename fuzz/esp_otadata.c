/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chip's flash in which everything is hostile: partition table, otadata,
 * images. The table is read and explained, the bootloader boots, and every
 * call of the application's side is made. Nothing may be touched outside of
 * the flash, and what boots must be whole.
 */
#include <stdlib.h>
#include <string.h>

#include "bowline/esp_otadata.h"
#include "bowline/esp_slot.h"

enum { FLASH = 0x10000, TABLE = 0x1000 };

struct world {
    uint8_t bytes[FLASH];
    uint32_t efuse;
};

static bool inside(uint32_t offset, uint32_t n)
{
    return offset <= FLASH && n <= FLASH - offset;
}

static bl_status read_flash(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    struct world *w = ctx;

    if (!inside(offset, n)) {
        return BL_FLASH;
    }
    memcpy(data, w->bytes + offset, n);
    return BL_OK;
}

static bl_status write_flash(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    struct world *w = ctx;

    if (!inside(offset, n)) {
        return BL_FLASH;
    }
    memcpy(w->bytes + offset, data, n);
    return BL_OK;
}

static bl_status erase_flash(void *ctx, uint32_t offset, uint32_t n)
{
    struct world *w = ctx;

    if (!inside(offset, n) || offset % BL_ESP_FLASH_SECTOR != 0) {
        return BL_FLASH;
    }
    memset(w->bytes + offset, 0xFF, n);
    return BL_OK;
}

static bl_status sync_flash(void *ctx)
{
    (void)ctx;
    return BL_OK;
}

static struct bl_flash flash_of(struct world *w)
{
    struct bl_flash flash = {w,           FLASH,       BL_ESP_FLASH_SECTOR,
                             1,           0xFF,        read_flash,
                             write_flash, erase_flash, sync_flash};

    return flash;
}

/* Half of all images are called whole by their first byte, since random bytes
 * never are. */
static bool whole(void *ctx, const struct bl_area *slot)
{
    struct world *w = ctx;
    struct bl_flash flash = flash_of(w);
    struct bl_esp_image image;

    if (bl_esp_slot_whole(&flash, slot, BL_ESP_ANY_CHIP, &image)) {
        return true;
    }
    return inside(slot->offset, 1) && (w->bytes[slot->offset] & 1) != 0;
}

static bool describe(void *ctx, const struct bl_area *slot,
                     uint32_t *secure_version)
{
    struct world *w = ctx;

    if (!inside(slot->offset, 2)) {
        return false;
    }
    *secure_version = w->bytes[slot->offset + 1];
    return true;
}

static uint32_t efuse(void *ctx)
{
    return ((struct world *)ctx)->efuse;
}

static bl_status raise_efuse(void *ctx, uint32_t secure_version)
{
    struct world *w = ctx;

    if (secure_version <= w->efuse) {
        abort(); /* a fuse cannot go back */
    }
    w->efuse = secure_version;
    return BL_OK;
}

static void explain(const struct bl_esp_table *table)
{
    struct bl_esp_table_finding finding;
    struct bl_esp_partition p;
    uint32_t next = 0;
    uint32_t i;

    for (i = 0; i < table->rows; i++) {
        bl_esp_table_at(table, i, &p);
        if (p.label[BL_ESP_LABEL] != '\0' ||
            bl_esp_type_name(p.type) == NULL ||
            bl_esp_subtype_name(p.type, p.subtype) == NULL) {
            abort();
        }
    }
    do {
        bl_esp_table_check(table, &next, &finding);
        if (finding.row > table->rows || finding.other > table->rows) {
            abort();
        }
    } while (finding.fault != BL_ESP_TABLE_OK);
}

static void application(const struct bl_esp_ota *ota, int running, int wanted)
{
    uint32_t state;
    int index;
    bl_status s;

    s = bl_esp_ota_begin(ota, running, wanted);
    s = bl_esp_ota_set_boot(ota, wanted);
    s = bl_esp_ota_get_boot(ota, &index);
    s = bl_esp_ota_next(ota, running, &index);
    s = bl_esp_ota_state(ota, wanted, &state);
    s = bl_esp_ota_last_invalid(ota, &index);
    s = bl_esp_ota_mark_valid(ota, running);
    s = bl_esp_ota_set_state(ota, BL_ESP_OTA_NEW);
    s = bl_esp_ota_mark_invalid(ota);
    s = bl_esp_ota_forget_inactive(ota, running);
    (void)s;
    (void)bl_esp_ota_can_return(ota);
}

/* A table may lay an image over otadata: then a write spoils what boots. */
static bool apart(const struct bl_area *a, const struct bl_area *b)
{
    return (uint64_t)a->offset + a->size <= b->offset ||
           (uint64_t)b->offset + b->size <= a->offset;
}

static void live(struct bl_esp_ota *ota, int wanted)
{
    int index = BL_ESP_NOTHING;

    for (int i = 0; i < 2; i++) {
        if (bl_esp_boot_run(ota, &index) == BL_OK) {
            const struct bl_area *slot = bl_esp_slot(ota->slots, index);

            if (slot == NULL || (apart(slot, &ota->slots->otadata) &&
                                 !whole(ota->ctx, slot))) {
                abort();
            }
        }
        application(ota, index, wanted);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct bl_flash flash = flash_of(&w);
    struct bl_esp_table_finding finding;
    struct bl_esp_slots slots;
    struct bl_esp_table table;
    struct bl_esp_ota ota;
    uint8_t buffer[BL_ESP_TABLE_SIZE];

    if (size < 2 || size - 2 > FLASH - TABLE) {
        return 0;
    }
    memset(w.bytes, 0xFF, sizeof w.bytes);
    memcpy(w.bytes + TABLE, data + 2, size - 2);
    w.efuse = data[0] >> 4;
    if (bl_esp_table_read(&flash, TABLE, buffer, &table, &finding) != BL_OK) {
        if (bl_esp_table_fault_text(finding.fault) == NULL) {
            abort();
        }
        return 0;
    }
    explain(&table);
    bl_esp_slots_of(&table, &slots);
    memset(&ota, 0, sizeof ota);
    ota.flash = &flash;
    ota.slots = &slots;
    ota.options.rollback = (data[0] & 3) != 0;
    ota.options.anti_rollback = (data[0] & 3) == 3;
    ota.ctx = &w;
    ota.whole = whole;
    ota.describe = describe;
    ota.efuse = efuse;
    ota.raise = raise_efuse;
    live(&ota, (int)(data[1] % 20) - 3);
    return 0;
}
