/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_ESP_EVENT_H
#define DOUBLE_ESP_EVENT_H

#include "esp_err.h"

typedef const char *esp_event_base_t;
#define ESP_EVENT_DECLARE_BASE(id) extern esp_event_base_t const id

#ifdef __cplusplus
extern "C"
#endif
    esp_err_t
    esp_event_loop_create_default(void);

#endif
