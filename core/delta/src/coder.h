/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary range coder and adaptive numbers. One function codes a symbol on both
 * sides: the encoder gives what is to be coded and gets it back; the decoder
 * gives anything, BL_SAY(x) being 0 there, and gets what was coded.
 */
#ifndef BL_DELTA_CODER_H
#define BL_DELTA_CODER_H

#include "names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if BL_DELTA_ENCODE
#define BL_SAY(x) (x)
#define BL_Y(x) x,
#define BL_UNUSED(x)
#else
#define BL_SAY(x) 0
#define BL_Y(x)
#define BL_UNUSED(x) (void)(x),
#endif

/* The decoder's functions have no parameter for what is to be coded. */
#define bl_code_bit(rc, y, p) (BL_UNUSED(y) bl_coder_bit(rc, BL_Y(y) p))
#define bl_code_bits(rc, v, n) (BL_UNUSED(v) bl_coder_bits(rc, BL_Y(v) n))
#define bl_code_flag(rc, y, c) (BL_UNUSED(y) bl_coder_flag(rc, BL_Y(y) c))
#define bl_code_number(rc, v, m) (BL_UNUSED(v) bl_coder_number(rc, BL_Y(v) m))
#define bl_code_signed(rc, v, m) (BL_UNUSED(v) bl_coder_signed(rc, BL_Y(v) m))

/* Bits of v (not 0) below its highest one. */
static inline uint32_t bl_log2(uint32_t v)
{
#if defined(__ARM_FEATURE_CLZ) || defined(__x86_64__) || defined(__aarch64__)
    return 31U - (uint32_t)__builtin_clz(v);
#else
    uint32_t n = 0;

    for (; v >= 16; v >>= 4) {
        n += 4;
    }
    for (; v > 1; v >>= 1) {
        n++;
    }
    return n;
#endif
}

/* The least n with v < 2^n. */
static inline uint32_t bl_bits(uint32_t v)
{
    return v == 0 ? 0 : bl_log2(v) + 1;
}

enum {
    BL_INPUT = 128, /* bytes of patch that wait in the decoder; of 2^n */
    BL_STEP = 96,   /* no step takes more */
    BL_SPARE = 8,   /* zeros that may be missing at the end of a patch */
    BL_COUNTER = 0x8000,
    BL_UNARY = 22
};

struct bl_coder {
    uint32_t range;
#if BL_DELTA_ENCODE
    uint32_t low;
    uint32_t moved; /* bytes, so far: the decoder has read 4 more */
    uint8_t *out;
    size_t n, size;
    bool full;
    uint64_t *cost; /* where bits * 256 are added */
#else
    uint32_t code;
    uint8_t *in; /* of BL_INPUT bytes */
    uint8_t first, waiting;
    uint8_t spare; /* zeros read behind the end */
#endif
};

/* A probability of 12 bits and how often it was used, in 4 bits. */
typedef uint16_t bl_counter;

/* A number: its length in unary, its two upper bits in context. */
struct bl_number {
    bl_counter length[BL_UNARY];
    bl_counter bits[14][3];
};

#if BL_DELTA_ENCODE
void bl_coder_start(struct bl_coder *rc, uint8_t *out, size_t size);
void bl_coder_finish(struct bl_coder *rc);
#else
void bl_coder_start(struct bl_coder *rc);
#endif

/* p: probability of 1, of 65536; 1 .. 65535 */
uint32_t bl_coder_bit(struct bl_coder *rc, BL_Y(uint32_t y) uint32_t p);
/* `n` bits of even chance */
uint32_t bl_coder_bits(struct bl_coder *rc, BL_Y(uint32_t value) uint32_t n);

void bl_counters(bl_counter *c, size_t n); /* as at the beginning */
void bl_count(bl_counter *c, uint32_t y, uint32_t limit);
uint32_t bl_coder_flag(struct bl_coder *rc, BL_Y(uint32_t y) bl_counter *c);
uint32_t bl_coder_number(struct bl_coder *rc,
                         BL_Y(uint32_t v) struct bl_number *m);
int32_t bl_coder_signed(struct bl_coder *rc,
                        BL_Y(int32_t v) struct bl_number *m);
/* 32 bits in few when most of the low or high ones are zeros. */
uint32_t bl_code_round(struct bl_coder *rc, uint32_t v);

#endif
