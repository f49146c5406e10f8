/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of the ESP reader: walk, and descriptors. */
#ifndef IMAGE_ESP_H
#define IMAGE_ESP_H

#include "image.h"

uint16_t esp_u16(const uint8_t *p);
uint32_t esp_u32(const uint8_t *p);
/* Does an application or bootloader descriptor stand at its place? */
bool esp_has_descriptor(bl_span file);
/* Reads it, and checks what it says of the image. */
void esp_read_descriptor(bl_span file, struct image *out);

#endif
