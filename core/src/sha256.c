/* SPDX-License-Identifier: Apache-2.0 */
/* FIPS 180-4, written for size: one loop, a rolling message schedule. */
#include "bowline/sha256.h"

#include <string.h>

static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

/* Word i of the schedule, in place of word i - 16. */
static uint32_t schedule(uint32_t w[16], unsigned i)
{
    uint32_t a = w[(i + 1) % 16], b = w[(i + 14) % 16];

    w[i % 16] += (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[(i + 9) % 16] +
                 (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    return w[i % 16];
}

static void compress(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[16], s[8], t1, t2;
    unsigned i;

    for (i = 0; i < 16; i++, p += 4) {
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
               (uint32_t)p[2] << 8 | p[3];
    }
    memcpy(s, h, sizeof s);
    /* The eight variables stay where they are and their names move: after
     * round i, a stands at -i - 1 modulo 8. Sixty-four rounds bring it home.
     */
    for (i = 0; i < 64; i++) {
        uint32_t a = s[(0 - i) % 8], b = s[(1 - i) % 8], c = s[(2 - i) % 8];
        uint32_t e = s[(4 - i) % 8], f = s[(5 - i) % 8], g = s[(6 - i) % 8];

        t1 = s[(7 - i) % 8] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
             ((e & (f ^ g)) ^ g) + round_constant[i] +
             (i < 16 ? w[i] : schedule(w, i));
        t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
             ((a & b) | (c & (a | b)));
        s[(3 - i) % 8] += t1;
        s[(7 - i) % 8] = t1 + t2;
    }
    for (i = 0; i < 8; i++) {
        h[i] += s[i];
    }
}

void bl_sha256_init(struct bl_sha256 *c)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                      0xa54ff53a, 0x510e527f, 0x9b05688c,
                                      0x1f83d9ab, 0x5be0cd19};

    memcpy(c->h, start, sizeof c->h);
    c->bytes = 0;
}

void bl_sha256_update(struct bl_sha256 *c, const void *data, size_t n)
{
    const uint8_t *p = (const uint8_t *)data;
    size_t held = (size_t)(c->bytes % 64);

    if (n == 0) {
        return;
    }
    c->bytes += n;
    if (held != 0) {
        size_t take = n < 64 - held ? n : 64 - held;

        memcpy(c->block + held, p, take);
        if (held + take < 64) {
            return;
        }
        compress(c->h, c->block);
        p += take;
        n -= take;
    }
    for (; n >= 64; p += 64, n -= 64) {
        compress(c->h, p);
    }
    memcpy(c->block, p, n);
}

void bl_sha256_final(struct bl_sha256 *c, uint8_t digest[BL_SHA256_SIZE])
{
    size_t held = (size_t)(c->bytes % 64);
    uint64_t bits = c->bytes << 3;
    unsigned i;

    c->block[held++] = 0x80;
    if (held > 56) {
        memset(c->block + held, 0, 64 - held);
        compress(c->h, c->block);
        held = 0;
    }
    memset(c->block + held, 0, 56 - held);
    for (i = 0; i < 8; i++) {
        c->block[56 + i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    compress(c->h, c->block);
    for (i = 0; i < BL_SHA256_SIZE; i++) {
        digest[i] = (uint8_t)(c->h[i / 4] >> (24 - 8 * (i % 4)));
    }
}

void bl_sha256(const void *data, size_t n, uint8_t digest[BL_SHA256_SIZE])
{
    struct bl_sha256 c;

    bl_sha256_init(&c);
    bl_sha256_update(&c, data, n);
    bl_sha256_final(&c, digest);
}
