/* SPDX-License-Identifier: Apache-2.0 */
#include "otadata_rig.h"

#include <stdlib.h>

#include "support/cmocka_all.h"

static bool whole(void *ctx, const struct bl_area *slot)
{
    struct rig *rig = ctx;
    const uint8_t *p = rig->sim.bytes + slot->offset;

    return !rig->sim.dead && p[0] == RIG_IMAGE &&
           p[slot->size - 1] == RIG_IMAGE;
}

static bool describe(void *ctx, const struct bl_area *slot,
                     uint32_t *secure_version)
{
    struct rig *rig = ctx;
    const uint8_t *p = rig->sim.bytes + slot->offset;

    if (p[0] != RIG_IMAGE) {
        return false;
    }
    *secure_version = p[1];
    return true;
}

static uint32_t efuse(void *ctx)
{
    return ((struct rig *)ctx)->efuse;
}

static bl_status raise_efuse(void *ctx, uint32_t secure_version)
{
    struct rig *rig = ctx;

    if (rig->sim.dead) {
        return BL_FLASH;
    }
    assert_true(secure_version > rig->efuse); /* fuses only go one way */
    rig->efuse = secure_version;
    return BL_OK;
}

static void place(struct bl_area *area, uint32_t *at, uint32_t size)
{
    area->offset = *at;
    area->size = size;
    *at += size;
}

void rig_open(struct rig *rig, uint32_t n_ota, bool factory)
{
    struct sim_geometry geometry = {0, BL_ESP_FLASH_SECTOR, 4, 0xFF};
    uint32_t at = BL_ESP_FLASH_SECTOR; /* nothing of use lies at 0 */
    uint32_t i;

    memset(rig, 0, sizeof *rig);
    place(&rig->slots.otadata, &at, BL_ESP_OTADATA_SIZE);
    if (factory) {
        place(&rig->slots.factory, &at, BL_ESP_FLASH_SECTOR);
    }
    for (i = 0; i < n_ota; i++) {
        place(&rig->slots.ota[i], &at, BL_ESP_FLASH_SECTOR);
    }
    rig->slots.n_ota = n_ota;
    geometry.size = at;
    assert_int_equal(sim_flash_open(&rig->sim, &geometry), 0);
    rig->ota.flash = &rig->sim.flash;
    rig->ota.slots = &rig->slots;
    rig->ota.ctx = rig;
    rig->ota.whole = whole;
    rig->ota.describe = describe;
    rig->ota.efuse = efuse;
    rig->ota.raise = raise_efuse;
}

void rig_close(struct rig *rig)
{
    sim_flash_close(&rig->sim);
}

void rig_copy(struct rig *to, const struct rig *from)
{
    sim_flash_copy(&to->sim, &from->sim);
    to->ota.options = from->ota.options;
    to->efuse = from->efuse;
}

static void must(bl_status status)
{
    assert_int_equal(status, BL_OK);
}

void rig_no_image(struct rig *rig, int index)
{
    const struct bl_flash *flash = &rig->sim.flash;
    const struct bl_area *slot = bl_esp_slot(&rig->slots, index);

    assert_non_null(slot);
    must(flash->erase(flash->ctx, slot->offset, slot->size));
}

void rig_image(struct rig *rig, int index, uint32_t secure_version)
{
    const struct bl_flash *flash = &rig->sim.flash;
    const struct bl_area *slot = bl_esp_slot(&rig->slots, index);
    uint8_t image[BL_ESP_FLASH_SECTOR];

    rig_no_image(rig, index);
    memset(image, 0x11, sizeof image);
    image[0] = RIG_IMAGE;
    image[1] = (uint8_t)secure_version;
    image[sizeof image - 1] = RIG_IMAGE;
    must(flash->write(flash->ctx, slot->offset, image, sizeof image));
}

void rig_record(struct rig *rig, int i, const struct bl_esp_ota_record *r)
{
    const struct bl_flash *flash = &rig->sim.flash;
    uint32_t at =
        rig->slots.otadata.offset + (uint32_t)i * BL_ESP_FLASH_SECTOR;
    uint8_t bytes[BL_ESP_OTA_RECORD];

    bl_esp_ota_put(r, bytes);
    must(flash->erase(flash->ctx, at, BL_ESP_FLASH_SECTOR));
    must(flash->write(flash->ctx, at, bytes, sizeof bytes));
}

struct bl_esp_ota_record rig_made(uint32_t number, uint32_t state)
{
    struct bl_esp_ota_record r = rig_blank();

    r.number = number;
    r.state = state;
    r.crc = bl_esp_ota_crc(number);
    return r;
}

struct bl_esp_ota_record rig_blank(void)
{
    struct bl_esp_ota_record r;

    memset(&r, 0xFF, sizeof r);
    return r;
}
