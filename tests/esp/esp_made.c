/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_made.h"

#include <string.h>

#include "bowline/sha256.h"

void made_u16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

void made_u32(uint8_t *p, uint32_t value)
{
    made_u16(p, value);
    made_u16(p + 2, value >> 16);
}

static void header(uint8_t *p)
{
    p[0] = 0xE9;
    p[1] = 2;
    p[2] = 2;
    p[3] = 0x20;
    made_u32(p + 4, 0x40374000);
    p[8] = 0xEE;
    made_u16(p + 12, BL_ESP_CHIP_S3);
    made_u16(p + 17, 99);
    p[23] = 1;
}

static void descriptor(uint8_t *p)
{
    made_u32(p, 0xABCD5432);
    (void)strcpy((char *)p + 16, "1.2.3");
    (void)strcpy((char *)p + 48, "thermostat");
    (void)strcpy((char *)p + 80, "12:00:00");
    (void)strcpy((char *)p + 96, "Jan  1 2026");
    (void)strcpy((char *)p + 112, "v5.5");
    memset(p + 144, 0x5A, 32);
    made_u16(p + 178, 199);
    p[180] = 16;
}

static uint8_t sum(const uint8_t *p, size_t n, uint8_t start)
{
    while (n-- > 0) {
        start ^= *p++;
    }
    return start;
}

void made_seal(uint8_t image[MADE_SIZE])
{
    uint8_t checksum = sum(image + 32, MADE_DATA, 0xEF);

    image[MADE_HASH - 1] =
        sum(image + 32 + MADE_DATA + 8, MADE_CODE, checksum);
    bl_sha256(image, MADE_HASH, image + MADE_HASH);
}

void made_image(uint8_t out[MADE_SIZE])
{
    uint8_t *code = out + 32 + MADE_DATA;
    size_t i;

    memset(out, 0, MADE_SIZE);
    header(out);
    made_u32(out + 24, 0x3C000020);
    made_u32(out + 28, MADE_DATA);
    descriptor(out + 32);
    made_u32(code, 0x40374000);
    made_u32(code + 4, MADE_CODE);
    for (i = 0; i < MADE_CODE; i++) {
        code[8 + i] = (uint8_t)(i * 7 + 3);
    }
    made_seal(out);
}
