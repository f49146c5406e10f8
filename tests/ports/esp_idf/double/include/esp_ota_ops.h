/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_OPS_H
#define ESP_OTA_OPS_H

#include "esp_partition.h"

#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503
#define ESP_ERR_OTA_SMALL_SEC_VER 0x1504
#define ESP_ERR_OTA_ROLLBACK_FAILED 0x1505
#define ESP_ERR_OTA_ROLLBACK_INVALID_STATE 0x1506

const esp_partition_t *esp_ota_get_running_partition(void);
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);
uint8_t esp_ota_get_app_partition_count(void);

#endif
