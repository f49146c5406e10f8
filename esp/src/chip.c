/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/esp_chip.h"

#include <stddef.h>

#define UNKNOWN_RANGE                                                         \
    {                                                                         \
        0, 0                                                                  \
    }

static const struct bl_esp_chip chips[] = {
    {BL_ESP_CHIP_ESP32,
     "ESP32",
     32,
     {0x3F400000, 0x3F800000},
     {0x400D0000, 0x40400000}},
    {BL_ESP_CHIP_S2,
     "ESP32-S2",
     16,
     {0x3F000000, 0x3F400000},
     {0x40080000, 0x40800000}},
    {BL_ESP_CHIP_C3,
     "ESP32-C3",
     16,
     {0x3C000000, 0x3C800000},
     {0x42000000, 0x42800000}},
    {BL_ESP_CHIP_S3,
     "ESP32-S3",
     16,
     {0x3C000000, 0x3E000000},
     {0x42000000, 0x44000000}},
    {BL_ESP_CHIP_C2,
     "ESP32-C2",
     4,
     {0x3C000000, 0x3C400000},
     {0x42000000, 0x42400000}},
    {BL_ESP_CHIP_C6,
     "ESP32-C6",
     16,
     {0x42000000, 0x43000000},
     {0x42000000, 0x43000000}},
    {BL_ESP_CHIP_H4_BETA, "ESP32-H4 (2022 sample)", 16, UNKNOWN_RANGE,
     UNKNOWN_RANGE},
    {BL_ESP_CHIP_H2,
     "ESP32-H2",
     16,
     {0x42000000, 0x43000000},
     {0x42000000, 0x43000000}},
    {BL_ESP_CHIP_P4,
     "ESP32-P4",
     16,
     {0x40000000, 0x44000000},
     {0x40000000, 0x44000000}},
    {BL_ESP_CHIP_C61,
     "ESP32-C61",
     16,
     {0x42000000, 0x44000000},
     {0x42000000, 0x44000000}},
    {BL_ESP_CHIP_C5,
     "ESP32-C5",
     9,
     {0x42000000, 0x44000000},
     {0x42000000, 0x44000000}},
    {BL_ESP_CHIP_H21, "ESP32-H21", 16, UNKNOWN_RANGE, UNKNOWN_RANGE},
    {BL_ESP_CHIP_H4, "ESP32-H4", 16, UNKNOWN_RANGE, UNKNOWN_RANGE},
    {BL_ESP_CHIP_S31,
     "ESP32-S31",
     16,
     {0x40000000, 0x44000000},
     {0x40000000, 0x44000000}},
    {BL_ESP_CHIP_ESP8266, "ESP8266", 0, UNKNOWN_RANGE, UNKNOWN_RANGE}};

static const size_t n_chips = sizeof chips / sizeof chips[0];

const struct bl_esp_chip *bl_esp_chip(uint32_t id)
{
    size_t i;

    for (i = 0; i < n_chips; i++) {
        if (chips[i].id == id) {
            return &chips[i];
        }
    }
    return NULL;
}

/* The next character that counts, in capitals; 0 at the end. */
static char next(const char **p)
{
    char c;

    while (**p == '-' || **p == '_') {
        (*p)++;
    }
    c = **p;
    if (c != '\0') {
        (*p)++;
    }
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool same_name(const char *a, const char *b)
{
    char x;

    do {
        x = next(&a);
        if (x != next(&b)) {
            return false;
        }
    } while (x != '\0');
    return true;
}

const struct bl_esp_chip *bl_esp_chip_named(const char *name)
{
    size_t i;

    for (i = 0; i < n_chips; i++) {
        if (same_name(chips[i].name, name)) {
            return &chips[i];
        }
    }
    return NULL;
}
