/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_ESP_ERR_H
#define DOUBLE_ESP_ERR_H

#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503
#define ESP_ERR_OTA_ROLLBACK_FAILED 0x1505
typedef int esp_err_t;

#endif
