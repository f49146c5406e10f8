/* SPDX-License-Identifier: Apache-2.0 */
/* What `idf.py flash` leaves on a new chip. */
#include <stdio.h>

#include "bowline/esp_md5.h"
#include "bowline/esp_slot.h"
#include "esp.h"
#include "posix/esp_flash.h"

enum { ROWS = 7 };

struct row {
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;
    uint32_t size;
    const char *label;
};

static const struct row rows[] = {
    {BL_ESP_TYPE_DATA, BL_ESP_DATA_NVS, DEVICE_ESP_NVS, DEVICE_ESP_NVS_SIZE,
     "nvs"},
    {BL_ESP_TYPE_DATA, BL_ESP_DATA_OTA, DEVICE_ESP_OTADATA,
     BL_ESP_OTADATA_SIZE, "otadata"},
    {BL_ESP_TYPE_DATA, 1, DEVICE_ESP_PHY, DEVICE_ESP_PHY_SIZE, "phy_init"},
    {BL_ESP_TYPE_APP, BL_ESP_APP_OTA, DEVICE_ESP_SLOT_A, DEVICE_ESP_SLOT_SIZE,
     "ota_0"},
    {BL_ESP_TYPE_APP, BL_ESP_APP_OTA + 1, DEVICE_ESP_SLOT_B,
     DEVICE_ESP_SLOT_SIZE, "ota_1"},
    {DEVICE_ESP_STORE_TYPE, 0, DEVICE_ESP_STORE, DEVICE_ESP_STORE_SIZE,
     "bowline"},
};

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static void make_table(uint8_t table[ROWS * BL_ESP_ROW])
{
    uint8_t *p = table;

    memset(table, 0, ROWS * BL_ESP_ROW);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p[0] = 0xAA;
        p[1] = 0x50;
        p[2] = rows[i].type;
        p[3] = rows[i].subtype;
        put32(p + 4, rows[i].offset);
        put32(p + 8, rows[i].size);
        memcpy(p + 12, rows[i].label, strlen(rows[i].label));
        p += BL_ESP_ROW;
    }
    memset(p, 0xFF, 16);
    p[0] = 0xEB;
    p[1] = 0xEB;
    bl_esp_md5(table, (size_t)(p - table), p + 16);
}

/* On the first chips the ROM looks for it at 0x1000, on the later ones at 0:
 * of those this port knows none that differs. */
static uint32_t bootloader_at(const struct bl_esp_chip *chip)
{
    switch (chip->id) {
    case BL_ESP_CHIP_ESP32:
    case BL_ESP_CHIP_S2:
        return 0x1000;
    case BL_ESP_CHIP_P4:
    case BL_ESP_CHIP_C5:
        return 0x2000;
    default:
        return 0;
    }
}

static int write_padded(const struct bl_flash *flash, uint32_t at,
                        bl_span bytes)
{
    uint8_t part[256];

    for (size_t from = 0; from < bytes.n; from += sizeof part) {
        size_t n = bytes.n - from < sizeof part ? bytes.n - from : sizeof part;

        memset(part, 0xFF, sizeof part);
        memcpy(part, bytes.p + from, n);
        if (flash->write(flash->ctx, at + (uint32_t)from, part, sizeof part) !=
            BL_OK) {
            return -1;
        }
    }
    return 0;
}

static int write_front(const struct device_config *config,
                       const struct bl_esp_chip *chip, bl_span bootloader,
                       struct error *err)
{
    const struct bl_flash *flash = config->layout.flash;
    uint32_t at = bootloader_at(chip);
    uint8_t table[ROWS * BL_ESP_ROW];

    if (bootloader.n > BL_ESP_TABLE_OFFSET - at) {
        return error_set(err, "the bootloader is larger than the room before "
                              "the partition table");
    }
    make_table(table);
    if (write_padded(flash, at, bootloader) != 0 ||
        write_padded(flash, BL_ESP_TABLE_OFFSET,
                     bl_span_of(table, sizeof table)) != 0 ||
        flash->sync(flash->ctx) != BL_OK) {
        return error_set(err, "%s: writing the chip", config->dir);
    }
    return 0;
}

int esp_factory(const struct device_config *config, bl_span bootloader,
                struct error *err)
{
    const struct bl_esp_chip *chip = bl_esp_chip_named(config->chip);
    struct bl_esp_image image;
    struct esp_board board;

    if (chip == NULL) {
        return error_set(err,
                         "\"%s\" is no chip of Espressif's that is known "
                         "here: say e.g. --chip ESP32-S3",
                         config->chip);
    }
    if (write_front(config, chip, bootloader, err) != 0 ||
        esp_board_open(&board, config, err) != 0) {
        return -1;
    }
    if (!bl_esp_slot_whole(config->layout.flash, &board.slots.ota[0], chip->id,
                           &image)) {
        return error_set(err,
                         "the factory image is not one that an %s "
                         "starts: bowline inspect says what it is",
                         chip->name);
    }
    return 0;
}
