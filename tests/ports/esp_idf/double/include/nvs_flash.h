/* SPDX-License-Identifier: Apache-2.0 */
/* For the example, which is compiled here and not linked. */
#ifndef NVS_FLASH_H
#define NVS_FLASH_H

#include "esp_err.h"

esp_err_t nvs_flash_init(void);

#endif
