/* SPDX-License-Identifier: Apache-2.0 */
#include "coder.h"

enum {
    TOP = 1 << 24,
    LIMIT = 12,
    LONGER = 0xC000 /* a bit more of a number that was not met before */
};

#if BL_DELTA_ENCODE

/* log2(1 + i / 32) * 4096 */
static const uint16_t logarithms[33] = {
    0,    182,  358,  530,  696,  858,  1016, 1169, 1319, 1465, 1607,
    1746, 1882, 2015, 2145, 2272, 2396, 2518, 2637, 2754, 2869, 2982,
    3092, 3200, 3307, 3412, 3514, 3615, 3715, 3812, 3908, 4003, 4096,
};

/* Bits * 256 that a symbol of probability p / 65536 costs. */
static uint64_t cost_of(uint32_t p)
{
    uint32_t e = bl_bits(p) - 1;
    uint32_t m = (p << (16 - e)) & 0xFFFF;
    uint32_t i = m >> 11;
    uint32_t part = m & 0x7FF;
    uint32_t log =
        logarithms[i] +
        (((uint32_t)logarithms[i + 1] - logarithms[i]) * part >> 11);

    return ((16U - e) * 4096U - log) / 16U;
}

void bl_coder_start(struct bl_coder *rc, uint8_t *out, size_t size)
{
    rc->range = UINT32_MAX;
    rc->low = 0;
    rc->moved = 0;
    rc->out = out;
    rc->n = 0;
    rc->size = size;
    rc->full = false;
}

static void add(struct bl_coder *rc, uint32_t much)
{
    size_t i = rc->n;

    rc->low += much;
    if (rc->low < much && !rc->full) {
        while (i > 0 && ++rc->out[--i] == 0) {
        }
    }
}

static void move(struct bl_coder *rc)
{
    if (rc->n < rc->size) {
        rc->out[rc->n] = (uint8_t)(rc->low >> 24);
        rc->n++;
    } else {
        rc->full = true;
    }
    rc->moved++;
    rc->low <<= 8;
}

/* The number of the last range that has most zeros behind, and of those all
 * that the decoder puts in again left away. More would need zeros in the five
 * bytes before by chance: the decoder refuses that patch, so there is none. */
void bl_coder_finish(struct bl_coder *rc)
{
    uint32_t zeros = 31;
    uint32_t i;
    uint32_t up;

    do {
        zeros--;
        up = (0U - rc->low) & ((1U << zeros) - 1U);
    } while (up >= rc->range);
    add(rc, up);
    for (i = 0; i < 4; i++) {
        move(rc);
    }
    for (i = 0; i < BL_SPARE && rc->n > 0 && rc->out[rc->n - 1] == 0; i++) {
        rc->n--;
    }
}

static void account(struct bl_coder *rc, uint32_t y, uint32_t p)
{
    *rc->cost += cost_of(y != 0 ? p : 65536 - p);
}

static uint32_t choose(struct bl_coder *rc, uint32_t y, uint32_t bound)
{
    if (y == 0) {
        add(rc, bound);
    }
    return y;
}

#else

static uint8_t next(struct bl_coder *rc)
{
    uint8_t b;

    if (rc->waiting == 0) {
        rc->spare =
            rc->spare <= BL_SPARE ? (uint8_t)(rc->spare + 1) : rc->spare;
        return 0;
    }
    b = rc->in[rc->first];
    rc->first = (uint8_t)((rc->first + 1) % BL_INPUT);
    rc->waiting--;
    return b;
}

static void move(struct bl_coder *rc)
{
    rc->code = rc->code << 8 | next(rc);
}

void bl_coder_start(struct bl_coder *rc)
{
    uint32_t i;

    rc->range = UINT32_MAX;
    rc->code = 0;
    for (i = 0; i < 4; i++) {
        move(rc);
    }
}

static uint32_t choose(struct bl_coder *rc, uint32_t y, uint32_t bound)
{
    (void)y;
    if (rc->code < bound) {
        return 1;
    }
    rc->code -= bound;
    return 0;
}

#endif

uint32_t bl_coder_bit(struct bl_coder *rc, BL_Y(uint32_t y) uint32_t p)
{
#if !BL_DELTA_ENCODE
    uint32_t y = 0;
#endif
    uint32_t bound = (uint32_t)((uint64_t)rc->range * p >> 16);

#if BL_DELTA_ENCODE
    account(rc, y, p);
#endif
    y = choose(rc, y, bound);
    rc->range = y != 0 ? bound : rc->range - bound;
    while (rc->range < TOP) {
        move(rc);
        rc->range <<= 8;
    }
    return y;
}

uint32_t bl_coder_bits(struct bl_coder *rc, BL_Y(uint32_t value) uint32_t n)
{
    uint32_t out = 0;

    while (n > 0) {
        n--;
        out = out << 1 | bl_code_bit(rc, BL_SAY(value >> n & 1), 32768);
    }
    return out;
}

void bl_counters(bl_counter *c, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        c[i] = BL_COUNTER;
    }
}

void bl_count(bl_counter *c, uint32_t y, uint32_t limit)
{
    /* About 65536 / (n + 1.6): the n-th of the counts moves so much. */
    static const uint16_t rates[16] = {24576, 16384, 11000, 8500, 6800, 5700,
                                       4900,  4300,  3800,  3400, 3100, 2850,
                                       2600,  2400,  2250,  2100};
    uint32_t n = *c & 15U;
    uint32_t p = (uint32_t)*c >> 4;

    if (y != 0) {
        p += ((4095 - p) * rates[n] + 32768) >> 16;
    } else {
        p -= (p * rates[n] + 32768) >> 16;
    }
    if (n < limit) {
        n++;
    }
    *c = (bl_counter)(p << 4 | n);
}

uint32_t bl_coder_flag(struct bl_coder *rc, BL_Y(uint32_t y) bl_counter *c)
{
#if !BL_DELTA_ENCODE
    uint32_t y = 0;
#endif
    uint32_t p = (uint32_t)*c >> 4;

    y = bl_code_bit(rc, y, (p < 1 ? 1 : p) * 16 + 8);
    bl_count(c, y, LIMIT);
    return y;
}

/* v + 1 is a one and `length` more bits. */
uint32_t bl_coder_number(struct bl_coder *rc,
                         BL_Y(uint32_t v) struct bl_number *m)
{
#if BL_DELTA_ENCODE
    uint32_t bits = bl_bits(v + 1);
#endif
    uint32_t length = 0;
    uint32_t value = 1;
    uint32_t i;

    while (length < 31) {
        uint32_t k = length < BL_UNARY ? length : BL_UNARY - 1;

        if (m->length[k] == BL_COUNTER) {
            m->length[k] = LONGER;
        }
        if (bl_code_flag(rc, BL_SAY(length + 1 < bits), &m->length[k]) == 0) {
            break;
        }
        length++;
    }
    for (i = length; i > 0; i--) {
        uint32_t y = BL_SAY((v + 1) >> (i - 1) & 1);
        uint32_t row = length < 13 ? length : 13;

        if (i == length) {
            y = bl_code_flag(rc, y, &m->bits[row][0]);
        } else if (i + 1 == length) {
            y = bl_code_flag(rc, y, &m->bits[row][1 + (value & 1)]);
        } else {
            y = bl_code_bit(rc, y, 32768);
        }
        value = value << 1 | y;
    }
    return value - 1;
}

int32_t bl_coder_signed(struct bl_coder *rc,
                        BL_Y(int32_t v) struct bl_number *m)
{
#if BL_DELTA_ENCODE
    uint32_t sign = v < 0 ? UINT32_MAX : 0;
#endif
    uint32_t z = bl_code_number(rc, BL_SAY(((uint32_t)v << 1) ^ sign), m);

    return (int32_t)(z >> 1 ^ (0U - (z & 1)));
}

uint32_t bl_code_round(struct bl_coder *rc, uint32_t v)
{
    uint32_t shift = 0;
    uint32_t n = 0;

#if BL_DELTA_ENCODE
    while (shift < 31 && (v >> shift & 1) == 0) {
        shift++;
    }
    n = v == 0 ? 1 : bl_bits(v >> shift >> 1);
#endif
    shift = bl_code_bits(rc, shift, 5);
    n = bl_code_bits(rc, n, 5);
    if (shift + n > 31) {
        return 0;
    }
    /* between the highest one and the lowest */
    v = bl_code_bits(rc, BL_SAY(v >> shift >> 1), n > 0 ? n - 1 : 0);
    return (1U << n | v << 1 | 1) << shift;
}
