/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <string.h>

/* Negative numbers are shifted right below: rounding down, on every compiler
 * that this is built with. */
typedef char bl_shift_is_arithmetic[(-1 >> 1) == -1 ? 1 : -1];

enum {
    SQUASH_END = 2879,
    BYTE_LIMIT = 5, /* counts of the tables: what is new weighs more */
    MATCH_LIMIT = 14,
    GATE_LIMIT = 14,
    GATE_SURE = 256, /* of 65536: when no more was amiss, nothing is learnt */
    GATE_WEIGHT = 36000,  /* 0.55 of 65536 */
    GATE_BOUND = 1 << 19, /* of weights, 65536 being 1 */
    BYTE_WEIGHT = 1500,   /* 0.37 of 4096 */
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
    uint32_t e = bl_log2(q);
    uint32_t i;
    int32_t a;

    q <<= 15 - e;
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

static BL_ONCE int32_t stretch_counter(bl_counter c)
{
    uint32_t p = c & 0xFFF0U;

    return bl_stretch(p < 16 ? 16 : p);
}

/* Opinions of a bit: log odds that it is 1, each with the counter that says it
 * and its weight. A guess says how likely its own bit is: turned when that is
 * 0. */
struct opinion {
    bl_counter *counter;
    int16_t *weight;
    int32_t odds;
    uint8_t turn, limit;
};

struct opinions {
    uint32_t n;
    struct opinion o[BL_INPUTS - 1];
};

static void ask(struct opinions *all, bl_counter *counter, int16_t *weight,
                uint32_t limit, uint32_t turn)
{
    struct opinion *o = &all->o[all->n];
    int32_t said = stretch_counter(*counter);

    o->counter = counter;
    o->weight = weight;
    o->odds = turn != 0 ? -said : said;
    o->turn = (uint8_t)turn;
    o->limit = (uint8_t)limit;
    all->n++;
}

static void ask_contexts(const struct bl_model *m, const struct bl_byte *b,
                         uint32_t node, int16_t *w, struct opinions *all)
{
    uint32_t k;

    node *= 0x9E3779B1U;
    for (k = 0; k < BL_CONTEXTS; k++) {
        uint32_t x = (b->context[k] + node) * 0x85EBCA6BU;

        x ^= x >> 15;
        x *= 0x2C1B3C6DU;
        ask(all, &m->table[(uint32_t)((uint64_t)x * m->counters >> 32)], w + k,
            BYTE_LIMIT, 0);
    }
}

static void ask_guesses(struct bl_model *m, const struct bl_byte *b,
                        uint32_t bit, int16_t *w, struct opinions *all)
{
    uint32_t k;

    for (k = 0; k < 2; k++) {
        if (b->guess[k] >= 0) {
            ask(all, &m->match[k][b->place * 8 + bit], w + k, MATCH_LIMIT,
                ~((uint32_t)b->guess[k] >> bit) & 1);
        }
    }
}

static void move_weight(int16_t *weight, int32_t step)
{
    int32_t w = *weight + ((step + (1 << 14)) >> 15);

    *weight = (int16_t)(w > INT16_MAX   ? INT16_MAX
                        : w < INT16_MIN ? INT16_MIN
                                        : w);
}

static uint32_t code_mix(struct bl_coder *rc, uint32_t y, int16_t *bias,
                         const struct opinions *all)
{
    int32_t dot = *bias * 256;
    int32_t wrong;
    uint32_t p;
    uint32_t k;

    for (k = 0; k < all->n; k++) {
        dot += *all->o[k].weight * all->o[k].odds;
    }
    p = bl_squash(dot >> 12);
    p = p < LEAST ? LEAST : p > 65536 - LEAST ? 65536 - LEAST : p;
    y = bl_code_bit(rc, y, p);
    wrong = (int32_t)(y << 12) - (int32_t)(p >> 4);
    move_weight(bias, wrong * 256);
    for (k = 0; k < all->n; k++) {
        const struct opinion *o = &all->o[k];

        move_weight(o->weight, wrong * o->odds);
        bl_count(o->counter, y ^ o->turn, o->limit);
    }
    return y;
}

uint32_t bl_code_byte(struct bl_coder *rc, struct bl_model *m, uint32_t byte,
                      struct bl_byte *b)
{
    uint32_t row = b->place > 9 ? 9 : b->place;
    uint32_t node = 1;
    uint32_t bit = 8;
    uint32_t k;

    if (b->guess[1] == b->guess[0]) {
        b->guess[1] = -1;
    }
    while (bit > 0) {
        int16_t *w = m->weight[row * 4 + (b->guess[0] >= 0 ? 2U : 0U) +
                               (b->guess[1] >= 0 ? 1U : 0U)];
        struct opinions all;
        uint32_t y;

        bit--;
        all.n = 0;
        ask_contexts(m, b, node, w, &all);
        ask_guesses(m, b, bit, w + BL_CONTEXTS, &all);
        y = code_mix(rc, byte >> bit & 1, w + BL_INPUTS - 1, &all);
        /* a guess that was wrong once is asked no more */
        for (k = 0; k < 2; k++) {
            if (((uint32_t)b->guess[k] >> bit & 1) != y) {
                b->guess[k] = -1;
            }
        }
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
    if (wrong < GATE_SURE && wrong > -GATE_SURE) {
        return y; /* nothing to learn */
    }
    for (k = 0; k < BL_GATE_CONTEXTS; k++) {
        w[k] = clamp_weight(w[k] + ((in[k] * wrong) >> 16));
        bl_count(f[k], y, GATE_LIMIT);
    }
    return y;
}
