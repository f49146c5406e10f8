/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP application images: segments become regions, the chip's number names
 * the instruction set and the RAM.
 */
#include "bowline/esp_chip.h"
#include "image.h"

enum {
    ESP_MAGIC = 0xe9,
    ESP_HEADER = 24,
    ESP8266_HEADER = 8,
    ESP_CHIP = 12, /* offset of the chip's number */
    ESP_SEGMENTS = BL_REGIONS
};

static const struct chip {
    uint16_t id;
    uint8_t isa;
    struct bl_range ram;
} chips[] = {
    {BL_ESP_CHIP_ESP32, BL_DELTA_XTENSA, {0x3ffae000, 0x40000000}},
    {BL_ESP_CHIP_S2, BL_DELTA_XTENSA, {0x3ffb0000, 0x40000000}},
    {BL_ESP_CHIP_C3, BL_DELTA_RISCV, {0x3fc80000, 0x3fce0000}},
    {BL_ESP_CHIP_S3, BL_DELTA_XTENSA, {0x3fc88000, 0x3fd00000}},
    {BL_ESP_CHIP_C2, BL_DELTA_RISCV, {0x3fca0000, 0x3fce0000}},
    {BL_ESP_CHIP_C6, BL_DELTA_RISCV, {0x40800000, 0x40880000}},
    {BL_ESP_CHIP_H2, BL_DELTA_RISCV, {0x40800000, 0x40850000}},
    {BL_ESP_CHIP_P4, BL_DELTA_RISCV, {0x4ff00000, 0x4ffc0000}},
    {BL_ESP_CHIP_C61, BL_DELTA_RISCV, {0x40800000, 0x40850000}},
    {BL_ESP_CHIP_C5, BL_DELTA_RISCV, {0x40800000, 0x40860000}},
};

static const struct chip esp8266 = {
    0, BL_DELTA_XTENSA, {0x3ffe8000, 0x40000000}};

/* Code is where instruction buses are: 0x40000000 and above. */
static bool is_code(uint32_t address)
{
    return address >= 0x40000000u && address < 0x50000000u;
}

static bool esp_regions(struct image *i, uint32_t header)
{
    if (i->n < header + 8 || i->p[0] != ESP_MAGIC || i->p[1] == 0 ||
        i->p[1] > ESP_SEGMENTS) {
        return false;
    }
    uint32_t at = header;
    i->regions = 0;
    for (uint32_t k = 0; k < i->p[1]; k++) {
        if (at > i->n || i->n - at < 8) {
            return false;
        }
        uint32_t address = image_u32(i, at);
        uint32_t size = image_u32(i, at + 4);
        if (size > i->n - at - 8 || address > UINT32_MAX - size) {
            return false;
        }
        struct bl_region r = {at + 8, address, size, is_code(address)};
        i->region[i->regions++] = r;
        at += 8 + size;
    }
    return true;
}

static const struct chip *chip_find(uint32_t id)
{
    for (size_t k = 0; k < sizeof chips / sizeof *chips; k++) {
        if (chips[k].id == id) {
            return &chips[k];
        }
    }
    return NULL;
}

static bool esp_as(struct layout *l, const struct chip *chip, uint32_t header,
                   const char *found)
{
    if (chip == NULL || !esp_regions(&l->old, header) ||
        !esp_regions(&l->now, header)) {
        return false;
    }
    l->kind = IMAGE_ESP;
    l->code.isa = chip->isa;
    l->code.rams = 1;
    l->code.ram[0] = chip->ram;
    l->esp_short = header == ESP8266_HEADER;
    l->found = found;
    return true;
}

bool esp_detect(struct layout *l)
{
    const struct chip *chip = chip_find(image_u16(&l->old, ESP_CHIP));
    return esp_as(l, chip, ESP_HEADER, "from the ESP image header") ||
           esp_as(l, &esp8266, ESP8266_HEADER,
                  "from the ESP8266 image header");
}
