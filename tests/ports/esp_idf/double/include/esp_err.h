/* SPDX-License-Identifier: Apache-2.0 */
/* Host double of ESP-IDF: names and numbers as there (5.x). */
#ifndef ESP_ERR_H
#define ESP_ERR_H

#include "sdkconfig.h"

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_INVALID_SIZE 0x104
#define ESP_ERR_NOT_FOUND 0x105

#define ESP_ERROR_CHECK(x) double_check(x)

void double_check(esp_err_t code);
const char *esp_err_to_name(esp_err_t code);

#endif
