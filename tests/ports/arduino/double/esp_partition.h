/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_ESP_PARTITION_H
#define DOUBLE_ESP_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef enum {
    ESP_PARTITION_TYPE_APP = 0,
    ESP_PARTITION_TYPE_DATA = 1
} esp_partition_type_t;

typedef enum {
    ESP_PARTITION_SUBTYPE_APP_OTA_0 = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_1 = 0x11,
    ESP_PARTITION_SUBTYPE_DATA_SPIFFS = 0x82,
    ESP_PARTITION_SUBTYPE_ANY = 0xff
} esp_partition_subtype_t;

typedef struct {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    uint32_t address;
    uint32_t size;
    char label[17];
} esp_partition_t;

#ifdef __cplusplus
extern "C" {
#endif
const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t sub,
                                                const char *label);
esp_err_t esp_partition_read(const esp_partition_t *p, size_t at, void *to,
                             size_t n);
esp_err_t esp_partition_write(const esp_partition_t *p, size_t at,
                              const void *from, size_t n);
esp_err_t esp_partition_erase_range(const esp_partition_t *p, size_t at,
                                    size_t n);
#ifdef __cplusplus
}
#endif

#endif
