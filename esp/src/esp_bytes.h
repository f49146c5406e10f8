/* SPDX-License-Identifier: Apache-2.0 */
/* Private to esp/: numbers of little endian, as all of these formats have. */
#ifndef BOWLINE_ESP_BYTES_H
#define BOWLINE_ESP_BYTES_H

#include <stdint.h>

static inline uint32_t bl_esp_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static inline void bl_esp_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

#endif
