/* SPDX-License-Identifier: Apache-2.0 */
/* Flash, partitions, otadata, restart. */
#include "chip.h"

#include <stdio.h>
#include <string.h>

#include "esp_ota_ops.h"

struct chip chip;

/* Noise that depends on the place, in the stead of AES. */
static uint8_t veil(uint32_t at)
{
    return (uint8_t)(0xA5U ^ at ^ (at >> 7));
}

/* --- The chip ------------------------------------------------------------ */

enum sim_release_name chip_image(int slot)
{
    const uint8_t *at = chip.flash.bytes + chip.slots.ota[slot].offset;
    const esp_partition_t *part = &chip.part[2 + slot];

    for (unsigned i = 0; i < SIM_RELEASES; i++) {
        const struct sim_release *r = &chip.server.fixture->release[i];
        uint32_t n = 0;

        while (n < SIM_APP_SIZE &&
               (uint8_t)(at[n] ^ (part->encrypted ? veil(n) : 0)) ==
                   r->app[n]) {
            n++;
        }
        if (n == SIM_APP_SIZE) {
            return (enum sim_release_name)i;
        }
    }
    return SIM_R_NONE;
}

/* In the stead of esp_image_verify: the images of sim/ have no head. */
static bool whole(void *ctx, const struct bl_area *slot)
{
    (void)ctx;
    return chip_image(slot->offset == CHIP_OTA_0 ? 0 : 1) != SIM_R_NONE;
}

static void add(const char *label, esp_partition_type_t type, int subtype,
                uint32_t address, uint32_t size)
{
    esp_partition_t *p = &chip.part[chip.n_parts++];

    p->type = type;
    p->subtype = (esp_partition_subtype_t)subtype;
    p->address = address;
    p->size = size;
    p->erase_size = BL_ESP_FLASH_SECTOR;
    (void)snprintf(p->label, sizeof p->label, "%s", label);
}

int chip_open(const struct sim_fixture *fixture)
{
    struct sim_geometry geometry = {CHIP_SIZE, BL_ESP_FLASH_SECTOR, 4, 0xFF};

    memset(&chip, 0, sizeof chip);
    if (sim_flash_open(&chip.flash, &geometry) != 0) {
        return -1;
    }
    add("otadata", ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA,
        CHIP_OTADATA, BL_ESP_OTADATA_SIZE);
    add("bowline", ESP_PARTITION_TYPE_DATA, 0x42, CHIP_OWN, CHIP_OWN_SIZE);
    add("ota_0", ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0,
        CHIP_OTA_0, CHIP_SLOT_SIZE);
    add("ota_1", ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1,
        CHIP_OTA_1, CHIP_SLOT_SIZE);
    chip.slots.otadata = (struct bl_area){CHIP_OTADATA, BL_ESP_OTADATA_SIZE};
    chip.slots.ota[0] = (struct bl_area){CHIP_OTA_0, CHIP_SLOT_SIZE};
    chip.slots.ota[1] = (struct bl_area){CHIP_OTA_1, CHIP_SLOT_SIZE};
    chip.slots.n_ota = 2;
    chip.ota.flash = &chip.flash.flash;
    chip.ota.slots = &chip.slots;
    chip.ota.options.rollback = true;
    chip.ota.whole = whole;
    chip.server.fixture = fixture;
    chip.server.root = 1;
    chip.now_us = 1000000;
    return 0;
}

void chip_close(void)
{
    sim_flash_close(&chip.flash);
}

bool chip_bootloader(void)
{
    bl_status status = bl_esp_boot_run(&chip.ota, &chip.running);

    return !chip.flash.dead && status == BL_OK && chip.running >= 0;
}

void chip_leave(enum chip_end why)
{
    longjmp(chip.out, (int)why);
}

/* Nothing runs on without power. */
static esp_err_t flash_result(bl_status status)
{
    if (chip.flash.dead) {
        chip_leave(CHIP_CUT);
    }
    return status == BL_OK ? ESP_OK : ESP_FAIL;
}

/* --- esp_partition ------------------------------------------------------- */

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t sub,
                                                const char *label)
{
    for (unsigned i = 0; i < chip.n_parts; i++) {
        const esp_partition_t *p = &chip.part[i];

        if (p->type == type &&
            (sub == ESP_PARTITION_SUBTYPE_ANY || p->subtype == sub) &&
            (label == NULL || strcmp(label, p->label) == 0)) {
            return p;
        }
    }
    return NULL;
}

static bool inside(const esp_partition_t *part, size_t offset, size_t size)
{
    return offset <= part->size && size <= part->size - offset;
}

esp_err_t esp_partition_read_raw(const esp_partition_t *part, size_t offset,
                                 void *out, size_t size)
{
    const struct bl_flash *flash = &chip.flash.flash;

    if (!inside(part, offset, size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    return flash_result(flash->read(
        flash->ctx, part->address + (uint32_t)offset, out, (uint32_t)size));
}

esp_err_t esp_partition_read(const esp_partition_t *part, size_t offset,
                             void *out, size_t size)
{
    esp_err_t err = esp_partition_read_raw(part, offset, out, size);
    uint8_t *p = out;

    for (size_t i = 0; part->encrypted && i < size; i++) {
        p[i] ^= veil((uint32_t)(offset + i));
    }
    return err;
}

esp_err_t esp_partition_write(const esp_partition_t *part, size_t offset,
                              const void *data, size_t size)
{
    const struct bl_flash *flash = &chip.flash.flash;
    static uint8_t copy[CHIP_SLOT_SIZE];

    if (!inside(part, offset, size) || size > sizeof copy) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (part->encrypted && (offset % 16 != 0 || size % 16 != 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    memcpy(copy, data, size);
    for (size_t i = 0; part->encrypted && i < size; i++) {
        copy[i] ^= veil((uint32_t)(offset + i));
    }
    return flash_result(flash->write(
        flash->ctx, part->address + (uint32_t)offset, copy, (uint32_t)size));
}

esp_err_t esp_partition_erase_range(const esp_partition_t *part, size_t offset,
                                    size_t size)
{
    const struct bl_flash *flash = &chip.flash.flash;

    if (!inside(part, offset, size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    return flash_result(flash->erase(
        flash->ctx, part->address + (uint32_t)offset, (uint32_t)size));
}

void chip_program(int slot, enum sim_release_name name)
{
    const esp_partition_t *part = &chip.part[2 + slot];
    static uint8_t padded[SIM_APP_SIZE + 16];
    size_t size = (SIM_APP_SIZE + 15U) & ~(size_t)15U;

    memset(padded, 0xFF, sizeof padded);
    memcpy(padded, chip.server.fixture->release[name].app, SIM_APP_SIZE);
    (void)esp_partition_erase_range(part, 0, part->size);
    (void)esp_partition_write(part, 0, padded, size);
}

/* --- esp_ota_ops --------------------------------------------------------- */

static esp_err_t ota_result(bl_status status)
{
    if (chip.flash.dead) {
        chip_leave(CHIP_CUT);
    }
    switch (status) {
    case BL_OK:
        return ESP_OK;
    case BL_SLOT_CORRUPT:
        return ESP_ERR_OTA_VALIDATE_FAILED;
    case BL_NO_IMAGE:
        return ESP_ERR_OTA_ROLLBACK_FAILED;
    case BL_ARGUMENT:
        return ESP_ERR_INVALID_ARG;
    case BL_STATE_NONE:
        return ESP_ERR_NOT_FOUND;
    default:
        return ESP_FAIL;
    }
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    return &chip.part[2 + chip.running];
}

uint8_t esp_ota_get_app_partition_count(void)
{
    return (uint8_t)chip.slots.n_ota;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    int slot = (int)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_0;
    esp_err_t err;

    if (chip.refuse_images) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    err = ota_result(bl_esp_ota_set_boot(&chip.ota, slot));
    if (chip.rots) {
        chip.flash.bytes[partition->address + 100] ^= 1;
    }
    return err;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    return ota_result(bl_esp_ota_mark_valid(&chip.ota, chip.running));
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = ota_result(bl_esp_ota_mark_invalid(&chip.ota));

    if (err == ESP_OK) {
        esp_restart();
    }
    return err;
}

/* --- esp_system ---------------------------------------------------------- */

esp_reset_reason_t esp_reset_reason(void)
{
    return chip.reset;
}

void esp_restart(void)
{
    chip_leave(CHIP_RESTART);
}
