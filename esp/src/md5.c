/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/esp_md5.h"

#include <string.h>

#include "esp_bytes.h"

/* floor(2^32 * |sin(i + 1)|), RFC 1321 section 3.4. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
    0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
    0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const uint8_t turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t rotate(uint32_t v, uint32_t n)
{
    return v << n | v >> (32 - n);
}

/* What round `i` mixes, and which word of the block it takes. */
static uint32_t mixed(const uint32_t s[4], uint32_t i, uint32_t *word)
{
    switch (i / 16) {
    case 0:
        *word = i;
        return (s[1] & s[2]) | (~s[1] & s[3]);
    case 1:
        *word = (5 * i + 1) % 16;
        return (s[3] & s[1]) | (~s[3] & s[2]);
    case 2:
        *word = (3 * i + 5) % 16;
        return s[1] ^ s[2] ^ s[3];
    default:
        *word = 7 * i % 16;
        return s[2] ^ (s[1] | ~s[3]);
    }
}

static void block(struct bl_esp_md5 *c, const uint8_t *p)
{
    uint32_t s[4];
    uint32_t i;

    memcpy(s, c->h, sizeof s);
    for (i = 0; i < 64; i++) {
        uint32_t word;
        uint32_t sum = mixed(s, i, &word) + s[0] + sines[i];

        sum += bl_esp_get32(p + (size_t)4 * word);
        s[0] = s[3];
        s[3] = s[2];
        s[2] = s[1];
        s[1] += rotate(sum, turns[i / 16][i % 4]);
    }
    for (i = 0; i < 4; i++) {
        c->h[i] += s[i];
    }
}

void bl_esp_md5_init(struct bl_esp_md5 *c)
{
    c->h[0] = 0x67452301;
    c->h[1] = 0xefcdab89;
    c->h[2] = 0x98badcfe;
    c->h[3] = 0x10325476;
    c->bytes = 0;
}

void bl_esp_md5_update(struct bl_esp_md5 *c, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n > 0) {
        size_t at = (size_t)(c->bytes % 64);
        size_t part = 64 - at < n ? 64 - at : n;

        memcpy(c->block + at, p, part);
        c->bytes += part;
        p += part;
        n -= part;
        if (at + part == 64) {
            block(c, c->block);
        }
    }
}

void bl_esp_md5_final(struct bl_esp_md5 *c, uint8_t digest[BL_ESP_MD5_SIZE])
{
    static const uint8_t one = 0x80;
    static const uint8_t zero = 0;
    uint64_t bits = c->bytes * 8;
    uint8_t length[8];
    uint32_t i;

    bl_esp_md5_update(c, &one, 1);
    while (c->bytes % 64 != 56) {
        bl_esp_md5_update(c, &zero, 1);
    }
    for (i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (8 * i));
    }
    bl_esp_md5_update(c, length, sizeof length);
    for (i = 0; i < BL_ESP_MD5_SIZE; i++) {
        digest[i] = (uint8_t)(c->h[i / 4] >> (8 * (i % 4)));
    }
}

void bl_esp_md5(const void *data, size_t n, uint8_t digest[BL_ESP_MD5_SIZE])
{
    struct bl_esp_md5 c;

    bl_esp_md5_init(&c);
    bl_esp_md5_update(&c, data, n);
    bl_esp_md5_final(&c, digest);
}
