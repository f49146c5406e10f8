/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

enum {
    GATE_LIMIT = 4, /* counts: what is new weighs more */
    BYTE_LIMIT = 6,
    MEMBER_LIMIT = 12,
    GUESS_LIMIT = 8,
    OFTEN = 4, /* a counter that was used so often is as good as any */
    LEAST = 16 /* probability, of 65536 */
};

/* A negative number is shifted right below: rounding down, on every compiler
 * that this is built with. */
typedef char bl_shift_is_arithmetic[(-1 >> 1) == -1 ? 1 : -1];

void bl_model_start(struct bl_model *m)
{
    bl_counters(m->table, m->counters);
    bl_counters(m->guess, sizeof m->guess / sizeof m->guess[0]);
    bl_counters(m->gates, BL_GATES * BL_GATE_CONTEXTS * m->gate_n);
}

/* --- two opinions of a bit --- */

static int32_t uses(bl_counter c)
{
    return (c & 15U) < OFTEN ? (int32_t)(c & 15U) : OFTEN;
}

/* Between both, nearer to the one that was used more often. */
static uint32_t mean(bl_counter a, bl_counter b)
{
    int32_t away = (int32_t)(a >> 4) - (int32_t)(b >> 4);

    return (b & 0xFFF0U) +
           (uint32_t)((away * (16 + 3 * (uses(a) - uses(b)))) >> 1);
}

static uint32_t doubt(bl_counter c)
{
    return (c >> 4) < 2048 ? c >> 4 : 4095U - (c >> 4);
}

static uint32_t surer(bl_counter a, bl_counter b)
{
    return (doubt(a) < doubt(b) ? a : b) & 0xFFF0U;
}

static uint32_t code(struct bl_coder *rc, BL_Y(uint32_t y) uint32_t p)
{
    p = p < LEAST ? LEAST : p > 65536 - LEAST ? 65536 - LEAST : p;
    return bl_coder_bit(rc, BL_Y(y) p);
}

/* A bit that both have an opinion of. New bytes are as unsure as they look;
 * all else is rather sure than not. */
static uint32_t code_both(struct bl_coder *rc, BL_Y(uint32_t y) bl_counter *a,
                          bl_counter *b, uint32_t limit)
{
    uint32_t p = mean(*a, *b);
    uint32_t bit;

    if (limit != BYTE_LIMIT) {
        p = (p + surer(*a, *b)) / 2;
    }
    bit = code(rc, BL_Y(y) p);
    bl_count(a, bit, limit);
    bl_count(b, bit, limit);
    return bit;
}

/* --- bytes --- */

/* The counter of a bit in a context. */
static bl_counter *counter_of(const struct bl_model *m, uint32_t context,
                              uint32_t node)
{
    uint32_t x = context * 0x85EBCA6BU + node * 0x9E3779B1U;

    x ^= x >> 15;
    x *= 0x2C1B3C6DU;
    return &m->table[(uint32_t)((uint64_t)x * m->counters >> 32)];
}

static uint32_t code_new(struct bl_coder *rc, const struct bl_model *m,
                         BL_Y(uint32_t y) const struct bl_byte *b,
                         uint32_t node)
{
    bool member = BL_DELTA_DEFLATE && b->context[0] >= BL_CONTEXT_MEMBER;

    return code_both(rc, BL_Y(y) counter_of(m, b->context[0], node),
                     counter_of(m, b->context[1], node),
                     member ? MEMBER_LIMIT : BYTE_LIMIT);
}

/* How the guesses stand: the second one alone; the first one alone, with the
 * second one, or against it at this bit. */
static uint32_t standing(const int32_t guess[2], uint32_t bit)
{
    return guess[0] < 0   ? 0
           : guess[1] < 0 ? 1
                          : 2 + ((uint32_t)(guess[0] ^ guess[1]) >> bit & 1);
}

uint32_t bl_model_byte(struct bl_coder *rc, struct bl_model *m,
                       BL_Y(uint32_t byte) struct bl_byte *b)
{
    uint32_t node = 1;
    uint32_t bit = 8;
    uint32_t k;

    if (b->guess[1] == b->guess[0]) {
        b->guess[1] = -1;
    }
    while (bit > 0) {
        int32_t guess = b->guess[b->guess[0] >= 0 ? 0 : 1];
        uint32_t y;

        bit--;
        if (guess < 0) {
            y = code_new(rc, m, BL_Y(byte >> bit & 1) b, node);
        } else {
            uint32_t g = (uint32_t)guess >> bit & 1;
            bl_counter *c = &m->guess[(b->place * 8 + bit) * BL_STANDINGS +
                                      standing(b->guess, bit)];

            y = code(rc, BL_Y((byte >> bit & 1) ^ g) * c & 0xFFF0U);
            bl_count(c, y, GUESS_LIMIT);
            y ^= g;
        }
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

/* --- gates --- */

uint32_t bl_model_gate(struct bl_coder *rc, struct bl_model *m,
                       enum bl_gate gate, BL_Y(uint32_t y) uint32_t one,
                       uint32_t other)
{
    uint32_t mask = m->gate_n - 1;
    bl_counter *row = m->gates + gate * BL_GATE_CONTEXTS * m->gate_n;

    return code_both(rc, BL_Y(y) row + (one & mask),
                     row + m->gate_n + (other & mask), GATE_LIMIT);
}
