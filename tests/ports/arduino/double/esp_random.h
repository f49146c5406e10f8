/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_ESP_RANDOM_H
#define DOUBLE_ESP_RANDOM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C"
#endif
    void
    esp_fill_random(void *to, size_t n);

#endif
