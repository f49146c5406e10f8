/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/esp_partition.h"

const char *bl_esp_table_fault_text(enum bl_esp_table_fault fault)
{
    static const char *const text[] = {
#define FAULT_TEXT(name, text) text,
        BL_ESP_TABLE_FAULTS(FAULT_TEXT)
#undef FAULT_TEXT
    };

    return (size_t)fault < sizeof text / sizeof text[0] ? text[fault]
                                                        : "unknown";
}

struct name {
    uint8_t type;
    uint8_t subtype;
    const char *text;
};

static const struct name names[] = {
    {BL_ESP_TYPE_APP, 0x00, "factory"},
    {BL_ESP_TYPE_APP, 0x10, "ota_0"},
    {BL_ESP_TYPE_APP, 0x11, "ota_1"},
    {BL_ESP_TYPE_APP, 0x12, "ota_2"},
    {BL_ESP_TYPE_APP, 0x13, "ota_3"},
    {BL_ESP_TYPE_APP, 0x14, "ota_4"},
    {BL_ESP_TYPE_APP, 0x15, "ota_5"},
    {BL_ESP_TYPE_APP, 0x16, "ota_6"},
    {BL_ESP_TYPE_APP, 0x17, "ota_7"},
    {BL_ESP_TYPE_APP, 0x18, "ota_8"},
    {BL_ESP_TYPE_APP, 0x19, "ota_9"},
    {BL_ESP_TYPE_APP, 0x1A, "ota_10"},
    {BL_ESP_TYPE_APP, 0x1B, "ota_11"},
    {BL_ESP_TYPE_APP, 0x1C, "ota_12"},
    {BL_ESP_TYPE_APP, 0x1D, "ota_13"},
    {BL_ESP_TYPE_APP, 0x1E, "ota_14"},
    {BL_ESP_TYPE_APP, 0x1F, "ota_15"},
    {BL_ESP_TYPE_APP, 0x20, "test"},
    {BL_ESP_TYPE_APP, 0x30, "tee_0"},
    {BL_ESP_TYPE_APP, 0x31, "tee_1"},
    {BL_ESP_TYPE_DATA, 0x00, "ota"},
    {BL_ESP_TYPE_DATA, 0x01, "phy"},
    {BL_ESP_TYPE_DATA, 0x02, "nvs"},
    {BL_ESP_TYPE_DATA, 0x03, "coredump"},
    {BL_ESP_TYPE_DATA, 0x04, "nvs_keys"},
    {BL_ESP_TYPE_DATA, 0x05, "efuse"},
    {BL_ESP_TYPE_DATA, 0x06, "undefined"},
    {BL_ESP_TYPE_DATA, 0x81, "fat"},
    {BL_ESP_TYPE_DATA, 0x82, "spiffs"},
    {BL_ESP_TYPE_DATA, 0x83, "littlefs"},
    {BL_ESP_TYPE_DATA, 0x90, "tee_ota"},
    {BL_ESP_TYPE_BOOTLOADER, 0x00, "primary"},
    {BL_ESP_TYPE_BOOTLOADER, 0x01, "ota"},
    {BL_ESP_TYPE_BOOTLOADER, 0x02, "recovery"},
    {BL_ESP_TYPE_TABLE, 0x00, "primary"},
    {BL_ESP_TYPE_TABLE, 0x01, "ota"},
};

const char *bl_esp_type_name(uint8_t type)
{
    static const char *const text[] = {"app", "data", "bootloader",
                                       "partition_table"};

    return type < sizeof text / sizeof text[0] ? text[type] : "";
}

const char *bl_esp_subtype_name(uint8_t type, uint8_t subtype)
{
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].type == type && names[i].subtype == subtype) {
            return names[i].text;
        }
    }
    return "";
}
