/* SPDX-License-Identifier: Apache-2.0 */
/* A small application image, made after the format's description. */
#ifndef ESP_MADE_H
#define ESP_MADE_H

#include "bowline/esp_image.h"

enum {
    MADE_DATA = 1024, /* bytes of the first segment */
    MADE_CODE = 512,
    MADE_END = 24 + 8 + MADE_DATA + 8 + MADE_CODE, /* of the segments */
    MADE_HASH = (MADE_END + 16) / 16 * 16,
    MADE_SIZE = MADE_HASH + 32
};

/* An ESP32-S3 application, version "1.2.3" of "thermostat". */
void made_image(uint8_t out[MADE_SIZE]);
/* Checksum and hash anew, after a change. */
void made_seal(uint8_t image[MADE_SIZE]);
void made_u16(uint8_t *p, uint32_t value);
void made_u32(uint8_t *p, uint32_t value);

#endif
