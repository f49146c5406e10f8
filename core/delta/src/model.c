/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <string.h>

/* Negative numbers are shifted right below: rounding down, on every compiler
 * that this is built with. */
typedef char bl_shift_is_arithmetic[(-1 >> 1) == -1 ? 1 : -1];

enum {
    SQUASH_END = 2879,
    BYTE_LIMIT = 7, /* counts of the tables: what is new weighs more */
    MATCH_LIMIT = 14,
    GATE_LIMIT = 14,
    GATE_WEIGHT = 20000,  /* 0.3 of 65536 */
    GATE_BOUND = 1 << 19, /* of weights, 65536 being 1 */
    BYTE_WEIGHT = 1228,   /* 0.3 of 4096 */
    LEAST = 32            /* probability of a bit of a byte, of 65536 */
};

/* -256 * ln(p / (65536 - p)) for p = 2^(i / 4) * (1 + i % 4 / 4) */
static const uint16_t odds[62] = {
    2839, 2782, 2735, 2696, 2662, 2605, 2558, 2518, 2484, 2427, 2380,
    2341, 2307, 2250, 2203, 2163, 2129, 2072, 2025, 1986, 1952, 1895,
    1848, 1808, 1774, 1717, 1670, 1631, 1597, 1539, 1492, 1453, 1419,
    1361, 1314, 1275, 1240, 1182, 1135, 1095, 1061, 1002, 955,  914,
    879,  820,  771,  730,  693,  632,  581,  537,  498,  432,  375,
    326,  281,  202,  131,  64,   0,    0};

/* 2 * 65536 / (1 + exp(i / 4)), and what fits of it */
static const uint16_t tails[46] = {
    65535, 57386, 49485, 42051, 35251, 29190, 23911, 19405, 15624, 12498,
    9943,  7876,  6216,  4893,  3842,  3012,  2357,  1843,  1440,  1124,
    877,   684,   533,   416,   324,   253,   197,   153,   119,   93,
    72,    56,    44,    34,    27,    21,    16,    13,    10,    8,
    6,     5,     4,     3,     2,     2};

int32_t bl_stretch(uint32_t p)
{
    uint32_t q = p > 32768 ? 65536 - p : p;
    uint32_t e = 15;
    uint32_t i;
    int32_t a;

    for (; q < 32768; q <<= 1) {
        e--;
    }
    i = e * 4 + (q >> 13 & 3);
    a = odds[i];
    a -= ((a - (int32_t)odds[i + 1]) * (int32_t)(q & 0x1FFF)) >> 13;
    return p > 32768 ? a : -a;
}

uint32_t bl_squash(int32_t d)
{
    uint32_t x = (uint32_t)(d < 0 ? -d : d);
    uint32_t i;
    uint32_t p;

    if (x > SQUASH_END) {
        x = SQUASH_END;
    }
    i = x >> 6;
    p = tails[i];
    p = (p - (((p - tails[i + 1]) * (x & 63)) >> 6)) >> 1;
    return d < 0 ? p : 65536 - p;
}

uint32_t bl_mix(uint32_t a, uint32_t b)
{
    uint32_t x = a * 0x9E3779B1U + b * 0x7FEB352DU + 0x1234567U;

    x ^= x >> 15;
    x *= 0x846CA68BU;
    x ^= x >> 13;
    return x | 1;
}

void bl_model_start(struct bl_model *m)
{
    uint32_t i;
    uint32_t k;

    bl_counters(m->table, m->counters);
    bl_counters(m->match[0], sizeof m->match / sizeof m->match[0][0]);
    bl_counters(m->gates, BL_GATES * BL_GATE_CONTEXTS * m->gate_n);
    for (i = 0; i < BL_GATES * BL_GATE_SETS * BL_GATE_CONTEXTS; i++) {
        m->gate_weight[i] = GATE_WEIGHT;
    }
    for (i = 0; i < BL_WEIGHTS; i++) {
        for (k = 0; k < BL_INPUTS; k++) {
            m->weight[i][k] = BYTE_WEIGHT;
        }
    }
}

/* What is asked for one bit: counters (NULL: none) and what they say. */
struct opinions {
    bl_counter *counter[BL_INPUTS - 1];
    bool turn[BL_INPUTS - 1]; /* a guess, and its bit is 0 */
    int32_t in[BL_INPUTS];
};

static BL_ONCE int32_t stretch_counter(bl_counter c)
{
    uint32_t p = c & 0xFFF0U;

    return bl_stretch(p < 16 ? 16 : p);
}

static bl_counter *context_counter(const struct bl_model *m, uint32_t context,
                                   uint32_t node)
{
    uint32_t x = (context + node * 0x9E3779B1U) * 0x85EBCA6BU;

    x ^= x >> 15;
    x *= 0x2C1B3C6DU;
    x ^= x >> 14;
    x *= 0x9E3779B1U;
    return &m->table[(uint32_t)((uint64_t)x * m->counters >> 32)];
}

/* Contexts say how likely a 1 is; guesses, how likely their bit. */
static void ask(struct bl_model *m, const struct bl_byte *b, uint32_t node,
                uint32_t bit, struct opinions *o)
{
    uint32_t k;

    for (k = 0; k < BL_INPUTS - 1; k++) {
        bl_counter *c = NULL;

        o->in[k] = 0;
        o->turn[k] = false;
        if (k < BL_CONTEXTS) {
            if (b->context[k] != 0) {
                c = context_counter(m, b->context[k], node);
                o->in[k] = stretch_counter(*c);
            }
        } else if (b->guess[k - BL_CONTEXTS] >= 0) {
            c = &m->match[k - BL_CONTEXTS][b->place * 8 + bit];
            o->in[k] = stretch_counter(*c);
            if (((uint32_t)b->guess[k - BL_CONTEXTS] >> bit & 1) == 0) {
                o->turn[k] = true;
                o->in[k] = -o->in[k];
            }
        }
        o->counter[k] = c;
    }
    o->in[k] = 256;
}

static uint32_t mix_bit(struct bl_coder *rc, int16_t *w, uint32_t y,
                        const struct opinions *o)
{
    int32_t dot = 0;
    int32_t wrong;
    uint32_t p;
    uint32_t k;

    for (k = 0; k < BL_INPUTS; k++) {
        dot += w[k] * o->in[k];
    }
    p = bl_squash(dot >> 12);
    p = p < LEAST ? LEAST : p > 65536 - LEAST ? 65536 - LEAST : p;
    y = bl_code_bit(rc, y, p);
    wrong = (int32_t)(y << 12) - (int32_t)(p >> 4);
    for (k = 0; k < BL_INPUTS; k++) {
        int32_t x = w[k] + ((o->in[k] * wrong + (1 << 14)) >> 15);

        w[k] = (int16_t)(x > INT16_MAX   ? INT16_MAX
                         : x < INT16_MIN ? INT16_MIN
                                         : x);
    }
    return y;
}

/* A guess that was wrong once is asked no more. */
static void learn(const struct opinions *o, struct bl_byte *b, uint32_t y)
{
    uint32_t k;

    for (k = 0; k < BL_INPUTS - 1; k++) {
        uint32_t right = y ^ (o->turn[k] ? 1U : 0U);

        if (o->counter[k] == NULL) {
            continue;
        }
        if (k >= BL_CONTEXTS && right == 0) {
            b->guess[k - BL_CONTEXTS] = -1;
        }
        bl_count(o->counter[k], right,
                 k < BL_CONTEXTS ? BYTE_LIMIT : MATCH_LIMIT);
    }
}

uint32_t bl_code_byte(struct bl_coder *rc, struct bl_model *m, uint32_t byte,
                      struct bl_byte *b)
{
    struct opinions o;
    uint32_t row = b->place > 9 ? 9 : b->place;
    uint32_t node = 1;
    uint32_t bit = 8;

    if (b->guess[1] == b->guess[0]) {
        b->guess[1] = -1;
    }
    while (bit > 0) {
        uint32_t set = row * 4 + (b->guess[0] >= 0 ? 2U : 0U) +
                       (b->guess[1] >= 0 ? 1U : 0U);
        uint32_t y;

        bit--;
        ask(m, b, node, bit, &o);
        y = mix_bit(rc, m->weight[set], byte >> bit & 1, &o);
        learn(&o, b, y);
        node = node << 1 | y;
    }
    return node & 0xFF;
}

static int32_t clamp_weight(int32_t w)
{
    return w > GATE_BOUND ? GATE_BOUND : w < -GATE_BOUND ? -GATE_BOUND : w;
}

/* Sums of products are kept in two halves: 64 bits are slow on small
 * processors. A weight is at most 2^19, an opinion below 2^12. */
uint32_t bl_code_gate(struct bl_coder *rc, struct bl_model *m,
                      enum bl_gate gate, uint32_t y,
                      const uint32_t context[BL_GATE_CONTEXTS], uint32_t set)
{
    bl_counter *f[BL_GATE_CONTEXTS];
    int32_t in[BL_GATE_CONTEXTS];
    int32_t *w = m->gate_weight +
                 (gate * BL_GATE_SETS + set % BL_GATE_SETS) * BL_GATE_CONTEXTS;
    bl_counter *row = m->gates + gate * BL_GATE_CONTEXTS * m->gate_n;
    int32_t high = 0;
    uint32_t low = 0;
    int32_t wrong;
    uint32_t p;
    uint32_t k;

    for (k = 0; k < BL_GATE_CONTEXTS; k++) {
        int32_t product;

        f[k] = row + (context[k] & (m->gate_n - 1));
        row += m->gate_n;
        in[k] = stretch_counter(*f[k]);
        product = w[k] * in[k];
        high += product >> 16;
        low += (uint32_t)product & 0xFFFF;
    }
    p = bl_squash(high + (int32_t)(low >> 16));
    y = bl_code_bit(rc, y, p);
    wrong = (int32_t)(y << 16) - (int32_t)p;
    for (k = 0; k < BL_GATE_CONTEXTS; k++) {
        w[k] = clamp_weight(w[k] + ((in[k] * wrong) >> 16));
        bl_count(f[k], y, GATE_LIMIT);
    }
    return y;
}
