/* SPDX-License-Identifier: Apache-2.0 */
/* Private to esp/: what the bootloader's and the application's side share. */
#ifndef BOWLINE_ESP_OTADATA_FLASH_H
#define BOWLINE_ESP_OTADATA_FLASH_H

#include "bowline/esp_otadata.h"

/* Erases sector i of otadata and writes the record there. */
bl_status
bl_esp_ota_write(const struct bl_esp_ota *ota, int i,
                 const struct bl_esp_ota_record *record) BL_MUST_CHECK;

#endif
