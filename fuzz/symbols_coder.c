/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands for coder.c and model.c in the walk with drawn symbols: each
 * function draws a symbol, has the encoder write it, and gives it back. The
 * walk's own coder is not used.
 */
#include "encode.h"
#include "symbols.h"

struct symbols_ways symbols_ways;

static struct bl_coder out;
static uint8_t *first;
static uint64_t cost;

/* The names that the walk calls (symbols_names.h), as decoders have them. */
void symbols_coder_start(struct bl_coder *rc);
uint32_t symbols_coder_bit(struct bl_coder *rc, uint32_t p);
uint32_t symbols_coder_bits(struct bl_coder *rc, uint32_t n);
uint32_t symbols_coder_flag(struct bl_coder *rc, bl_counter *c);
uint32_t symbols_coder_number(struct bl_coder *rc, struct bl_number *m);
int32_t symbols_coder_signed(struct bl_coder *rc, struct bl_number *m);
uint32_t symbols_code_round(struct bl_coder *rc, uint32_t v);
void symbols_counters(bl_counter *c, size_t n);
void symbols_count(bl_counter *c, uint32_t y, uint32_t limit);
void symbols_model_start(struct bl_model *m);
uint32_t symbols_model_byte(struct bl_coder *rc, struct bl_model *m,
                            struct bl_byte *b);
uint32_t symbols_model_gate(struct bl_coder *rc, struct bl_model *m,
                            enum bl_gate gate, uint32_t one, uint32_t other);

void symbols_begin(const struct bl_head *h, uint8_t *p, size_t room)
{
    uint32_t n = bl_head_write(h, p);

    first = p;
    bl_coder_start(&out, p + n, room - n);
    out.cost = &cost;
}

size_t symbols_end(bool *whole)
{
    bl_coder_finish(&out);
    *whole = !out.full;
    return (size_t)(out.out - first) + out.n;
}

/* --- draws --- */

static struct draw *dice(void)
{
    return symbols_ways.d;
}

/* Any: small, near to an edge, or of any length. */
static uint32_t wild_number(void)
{
    uint32_t bits;

    switch (draw(dice(), 5)) {
    case 0:
        return draw(dice(), 4);
    case 1:
        return symbols_ways.edge[draw(dice(), 8)] + draw(dice(), 3) - 1;
    case 2:
        return 0U - symbols_ways.edge[draw(dice(), 8)] + draw(dice(), 3) - 1;
    case 3:
        return (2U << draw(dice(), 31)) - 1 - draw(dice(), 2);
    default:
        bits = draw(dice(), 32);
        return 1U << bits | draw(dice(), 1U << bits);
    }
}

static bool wild(void)
{
    return draw_chance(dice(), symbols_ways.wild) != 0;
}

/* Half of the tame ones are small. */
static uint32_t tame_span(void)
{
    uint32_t span = symbols_ways.span > 0 ? symbols_ways.span : 1;

    return draw(dice(), 2) == 0 && span > 16 ? 16 : span;
}

static uint32_t draw_flag(uint32_t p)
{
    uint32_t likelier = p > 32768 ? 1 : 0;

    if (symbols_ways.lean != 0 && draw(dice(), 8) != 0) {
        return draw_chance(dice(), symbols_ways.lean) ? 1 : 0;
    }
    return draw_chance(dice(), symbols_ways.likely) ? likelier
                                                    : draw(dice(), 2);
}

static uint32_t draw_byte(const struct bl_byte *b)
{
    static const uint8_t marks[] = {0, 255, 0xF5, 0xF6, 0xF7, 1, 8, 127};

    if (symbols_ways.tokens > 0) {
        symbols_ways.tokens--;
        symbols_ways.token++;
        if (draw(dice(), 64) != 0) {
            return symbols_ways.token[-1];
        }
    }
    if (draw_chance(dice(), symbols_ways.noise)) {
        return draw(dice(), 256);
    }
    switch (draw(dice(), 4)) {
    case 0:
        return marks[draw(dice(), sizeof marks)];
    case 1:
        return draw(dice(), 19);
    default:
        return b->guess[0] < 0 ? draw(dice(), 9) : (uint32_t)b->guess[0];
    }
}

/* --- as the walk calls them --- */

void symbols_coder_start(struct bl_coder *rc)
{
    (void)rc;
}

uint32_t symbols_coder_bit(struct bl_coder *rc, uint32_t p)
{
    (void)rc;
    return bl_code_bit(&out, draw_flag(p), p);
}

uint32_t symbols_coder_bits(struct bl_coder *rc, uint32_t n)
{
    (void)rc;
    if (n == 0) {
        return bl_code_bits(&out, 0, 0);
    }
    return bl_code_bits(
        &out,
        wild() || draw(dice(), 16) == 0 ? wild_number() : draw(dice(), 3), n);
}

uint32_t symbols_coder_flag(struct bl_coder *rc, bl_counter *c)
{
    (void)rc;
    return bl_code_flag(&out, draw_flag(*c), c);
}

uint32_t symbols_coder_number(struct bl_coder *rc, struct bl_number *m)
{
    uint32_t v = wild() ? wild_number() : draw(dice(), tame_span());

    (void)rc;
    return bl_code_number(&out, v, m);
}

int32_t symbols_coder_signed(struct bl_coder *rc, struct bl_number *m)
{
    uint32_t v =
        wild()
            ? wild_number()
            : (uint32_t)symbols_ways.low +
                  draw(dice(), symbols_ways.span > 0 ? symbols_ways.span : 1);

    (void)rc;
    return bl_code_signed(&out, (int32_t)v, m);
}

uint32_t symbols_code_round(struct bl_coder *rc, uint32_t v)
{
    (void)rc;
    v = wild() ? wild_number() : symbols_ways.round[draw(dice(), 8)];
    return bl_code_round(&out, v);
}

void symbols_counters(bl_counter *c, size_t n)
{
    bl_counters(c, n);
}

void symbols_count(bl_counter *c, uint32_t y, uint32_t limit)
{
    bl_count(c, y, limit);
}

void symbols_model_start(struct bl_model *m)
{
    bl_model_start(m);
}

uint32_t symbols_model_byte(struct bl_coder *rc, struct bl_model *m,
                            struct bl_byte *b)
{
    (void)rc;
    return bl_code_byte(&out, m, draw_byte(b), b);
}

uint32_t symbols_model_gate(struct bl_coder *rc, struct bl_model *m,
                            enum bl_gate gate, uint32_t one, uint32_t other)
{
    bool wrong = draw_chance(dice(), symbols_ways.wrong);

    (void)rc;
    return bl_code_gate(&out, m, gate, wrong == (gate == BL_GATE_UNIT), one,
                        other);
}
