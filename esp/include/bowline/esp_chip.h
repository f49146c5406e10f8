/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Espressif's chips: numbers as in an image's header, names as on the box,
 * and what an image has to fit into.
 */
#ifndef BOWLINE_ESP_CHIP_H
#define BOWLINE_ESP_CHIP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BL_ESP_CHIP_ESP32 = 0x0000,
    BL_ESP_CHIP_S2 = 0x0002,
    BL_ESP_CHIP_C3 = 0x0005,
    BL_ESP_CHIP_S3 = 0x0009,
    BL_ESP_CHIP_C2 = 0x000C,
    BL_ESP_CHIP_C6 = 0x000D,
    BL_ESP_CHIP_H4_BETA = 0x000E, /* seen in pre-production images of 2022 */
    BL_ESP_CHIP_H2 = 0x0010,
    BL_ESP_CHIP_P4 = 0x0012,
    BL_ESP_CHIP_C61 = 0x0014,
    BL_ESP_CHIP_C5 = 0x0017,
    BL_ESP_CHIP_H21 = 0x0019,
    BL_ESP_CHIP_H4 = 0x001C,
    BL_ESP_CHIP_S31 = 0x0020,
    BL_ESP_CHIP_NONE = 0xFFFF,
    /* Its images carry no number; ours, outside of what 16 bits can say. */
    BL_ESP_CHIP_ESP8266 = 0x10000
};

struct bl_esp_range {
    uint32_t from;
    uint32_t to; /* the first address behind it */
};

struct bl_esp_chip {
    uint32_t id;
    const char *name; /* "ESP32-S3" */
    /* Bits of eFuse that anti-rollback can burn: so often, and never more,
     * can secure_version rise in a device's life. 0: not known. */
    uint8_t secure_versions;
    /* Where flash is mapped: data, code. Equal on chips with one bus for
     * both; 0, 0 where not known. */
    struct bl_esp_range data;
    struct bl_esp_range code;
};

/* NULL when the number, or the name, is no chip's. Names are compared without
 * regard to case, '-' and '_': "esp32s3" (IDF_TARGET) is ESP32-S3. */
const struct bl_esp_chip *bl_esp_chip(uint32_t id);
const struct bl_esp_chip *bl_esp_chip_named(const char *name);

#endif
