/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the reader: bytes, faults, descriptors. */
#ifndef IMAGE_PRIVATE_H
#define IMAGE_PRIVATE_H

#include "bowline/esp_image.h"

enum {
    ESP_HEADER = 24,
    ESP_SEGMENT_HEADER = 8,
    ESP_DESCRIPTOR = ESP_HEADER + ESP_SEGMENT_HEADER, /* its place */
    ESP_APP_SIZE = 256,
    ESP_BOOTLOADER_SIZE = 80,
    ESP_NO_SEGMENT = 255
};

static inline uint16_t esp_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t esp_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* Notes a fault of no segment; more than BL_ESP_FAULTS are forgotten. */
void esp_fault(struct bl_esp_image *out, enum bl_esp_problem problem,
               uint32_t offset, uint32_t found, uint32_t wanted);
void esp_fault_add(struct bl_esp_image *out, const struct bl_esp_fault *fault);

/* Does a descriptor stand in the first bytes of the file? */
bool esp_is_app(bl_span head);
bool esp_is_bootloader(bl_span head);
/* Sets the role, reads the descriptor. */
void esp_descriptor_read(bl_span head, struct bl_esp_image *out);
/* What descriptor, chip and segments say of each other: faults. */
void esp_descriptor_judge(struct bl_esp_image *out);

#endif
