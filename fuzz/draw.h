/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that decide what a hostile patch is: the bytes of a fuzzer's input
 * as long as there are any, then a generator that these have seeded. */
#ifndef FUZZ_DRAW_H
#define FUZZ_DRAW_H

#include <stddef.h>
#include <stdint.h>

struct draw {
    const uint8_t *p;
    size_t n;
    uint64_t state;
};

/* 0 .. below - 1 */
static inline uint32_t draw(struct draw *d, uint32_t below)
{
    uint64_t v = 0;

    if (d->n > 0) {
        for (uint32_t most = below - 1; most > 0 && d->n > 0; most >>= 8) {
            v = v << 8 | *d->p++;
            d->n--;
            d->state = (d->state ^ v) * 0x9e3779b97f4a7c15U;
        }
        return (uint32_t)(v % below);
    }
    d->state += 0x9e3779b97f4a7c15U;
    v = (d->state ^ d->state >> 30) * 0xbf58476d1ce4e5b9U;
    v ^= v >> 31;
    return (uint32_t)((v >> 32) * below >> 32);
}

/* True in `of_256` of 256 cases. */
static inline int draw_chance(struct draw *d, uint32_t of_256)
{
    return draw(d, 256) < of_256;
}

#endif
