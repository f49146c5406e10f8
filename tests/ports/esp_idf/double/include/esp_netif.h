/* SPDX-License-Identifier: Apache-2.0 */
/* For the example, which is compiled here and not linked. */
#ifndef ESP_NETIF_H
#define ESP_NETIF_H

#include "esp_err.h"

esp_err_t esp_netif_init(void);

#endif
