/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#include <string.h>

uint32_t dice_roll(struct dice *d, uint32_t below)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((d->state >> 33) % below);
}

void fill_noise(struct dice *d, uint8_t *p, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        p[k] = (uint8_t)dice_roll(d, 256);
    }
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v);
    put16(p + 2, v >> 16);
}

static void put_call(uint8_t *p, int32_t jump)
{
    uint32_t j = (uint32_t)(jump - 4), s = j >> 24 & 1;
    uint32_t a = (j >> 23 & 1) ^ s ^ 1, b = (j >> 22 & 1) ^ s ^ 1;
    put16(p, 0xf000 | s << 10 | (j >> 12 & 0x3ff));
    put16(p + 2, 0xd000 | a << 13 | b << 11 | (j >> 1 & 0x7ff));
}

enum { FUNCTION = 64, TEXT = 16, VECTOR_TABLE = 64 };

/* Where function k lies. */
static uint32_t place(uint32_t k, uint32_t where, uint32_t moved)
{
    return VECTOR_TABLE + k * FUNCTION + (k >= where ? moved : 0);
}

static void put_function(struct dice *d, uint8_t *p, uint32_t k,
                         uint32_t where, uint32_t moved, uint32_t functions,
                         uint32_t base, uint32_t texts)
{
    uint32_t at = place(k, where, moved);
    uint8_t *f = p + at;
    put16(f, 0xb510); /* push {r4, lr} */
    for (uint32_t o = 2; o < 56; o += 2) {
        put16(f + o, 0x1800 | dice_roll(d, 0x400)); /* adds, subs */
    }
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t to = place(dice_roll(d, functions), where, moved);
        put_call(f + 4 + c * 12, (int32_t)to - (int32_t)(at + 4 + c * 12));
    }
    put16(f + 54, 0xbd10); /* pop {r4, pc} */
    put32(f + 56, base + texts + TEXT * dice_roll(d, functions));
    put32(f + 60, dice_roll(d, 2) == 0
                      ? base + place(dice_roll(d, functions), where, moved) + 1
                      : 0x20000000 + 4 * dice_roll(d, 1024));
}

size_t make_firmware(uint32_t seed, uint32_t base, uint32_t functions,
                     uint32_t where, uint32_t moved, uint8_t *p, size_t room)
{
    struct dice d = {seed}, other = {seed ^ 0x5555};
    uint32_t texts = place(functions, 0, moved);
    size_t n = texts + (size_t)functions * TEXT;
    if (n > room) {
        return 0;
    }
    memset(p, 0, n);
    put32(p, 0x20001000);
    for (uint32_t k = 1; k < VECTOR_TABLE / 4; k++) {
        put32(p + 4 * k, base + place(k % functions, where, moved) + 1);
    }
    fill_noise(&other, p + VECTOR_TABLE + where * FUNCTION, moved);
    for (uint32_t k = 0; k < functions; k++) {
        put_function(&d, p, k, where, moved, functions, base, texts);
        for (uint32_t c = 0; c < TEXT - 1; c++) {
            p[texts + k * TEXT + c] = (uint8_t)('a' + dice_roll(&d, 26));
        }
    }
    return n;
}

static void cut_out(uint8_t *p, size_t *n, size_t at, size_t length)
{
    memmove(p + at, p + at + length, *n - at - length);
    *n -= length;
}

void mutate(struct dice *d, uint8_t *p, size_t *n, size_t room)
{
    uint32_t times = 1 + dice_roll(d, 6);
    for (uint32_t k = 0; k<times && * n> 1; k++) {
        size_t at = dice_roll(d, (uint32_t)*n);
        size_t most = *n - at < 300 ? *n - at : 300;
        size_t length = 1 + dice_roll(d, (uint32_t)most);
        size_t to = dice_roll(d, (uint32_t)(*n - length + 1));
        uint32_t what = dice_roll(d, 4);
        if (what == 0) {
            fill_noise(d, p + at, length);
        } else if (what == 1 && *n > length) {
            cut_out(p, n, at, length);
        } else if (what == 2 && *n + length <= room) {
            memmove(p + at + length, p + at, *n - at);
            *n += length;
        } else {
            memmove(p + to, p + at, length);
        }
    }
}

void damage(struct dice *d, uint8_t *p, size_t n)
{
    uint32_t times = 1 + dice_roll(d, 3);

    for (uint32_t k = 0; k < times; k++) {
        uint8_t *b = p + dice_roll(d, (uint32_t)n);

        if (dice_roll(d, 2) == 0) {
            *b ^= (uint8_t)(1U << dice_roll(d, 8));
        } else {
            *b = (uint8_t)(dice_roll(d, 2) == 0 ? 0 : dice_roll(d, 256));
        }
    }
}
