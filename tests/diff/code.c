/* SPDX-License-Identifier: Apache-2.0 */
#include "code.h"

#include <string.h>

enum { TEXT = 12, OPERATIONS = 12, LITERALS = 4 };

/* Where a function is put together. */
struct place {
    const struct code *c;
    uint8_t *p;
    uint32_t at, limit;
};

static void put(struct place *w, uint32_t value, uint32_t n)
{
    for (uint32_t k = 0; k < n && w->at < w->limit; k++) {
        w->p[w->at++] = (uint8_t)(k < 4 ? value >> 8 * k : 0);
    }
}

static void align(struct place *w)
{
    while (w->at % 4 != 0 && w->at < w->limit) {
        put(w, 0, 1);
    }
}

/* --- Thumb-2 --- */

static void thumb_call(struct place *w, uint32_t to)
{
    uint32_t j = to - (w->at + 4), s = j >> 24 & 1;
    uint32_t a = (j >> 23 & 1) ^ s ^ 1, b = (j >> 22 & 1) ^ s ^ 1;
    put(w, 0xf000 | s << 10 | (j >> 12 & 0x3ff), 2);
    put(w, 0xd000 | a << 13 | b << 11 | (j >> 1 & 0x7ff), 2);
}

/* movw and movt of an address */
static void thumb_address(struct place *w, uint32_t to, uint32_t reg)
{
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t v = (w->c->base + to) >> 16 * k & 0xffff;
        put(w, 0xf240 | k << 7 | v >> 12 | (v >> 1 & 0x400), 2);
        put(w, (v << 4 & 0x7000) | reg << 8 | (v & 0xff), 2);
    }
}

/* --- RISC-V --- */

static void riscv_pair(struct place *w, uint32_t to, uint32_t low)
{
    uint32_t d = to - w->at;
    put(w, ((d + 0x800) & 0xfffff000U) | 1 << 7 | 0x17, 4);
    put(w, d << 20 | 1 << 15 | low, 4);
}

static void riscv_jal(struct place *w, uint32_t to)
{
    uint32_t d = to - w->at;
    put(w,
        (d >> 20 & 1) << 31 | (d >> 1 & 0x3ff) << 21 | (d >> 11 & 1) << 20 |
            (d >> 12 & 0xff) << 12 | 1 << 7 | 0x6f,
        4);
}

/* --- Xtensa --- */

static void xtensa_call(struct place *w, uint32_t to)
{
    uint32_t d = (to - (w->at & ~3U) - 4) >> 2;
    put(w, (d & 0x3ffff) << 6 | 2 << 4 | 5, 3);
}

/* l32r of one of the literals before the function */
static void xtensa_load(struct place *w, uint32_t literal, uint32_t reg)
{
    uint32_t d = (literal - ((w->at + 3) & ~3U)) >> 2;
    put(w, (d & 0xffff) << 8 | reg << 4 | 1, 3);
}

/* --- A64, x86-64 --- */

static void a64_address(struct place *w, uint32_t to, uint32_t reg)
{
    uint32_t here = w->c->base + w->at, there = w->c->base + to;
    uint32_t d = (there >> 12) - (here >> 12);
    put(w, 0x90000000 | (d & 3) << 29 | (d >> 2 & 0x7ffff) << 5 | reg, 4);
    put(w, 0x91000000 | (there & 0xfff) << 10 | reg << 5 | reg, 4);
}

static void x86_relative(struct place *w, uint32_t opcode, uint32_t n,
                         uint32_t to)
{
    put(w, opcode, n);
    put(w, to - (w->at + 4), 4);
}

/* --- what functions are made of --- */

static void put_call(struct place *w, uint32_t to, uint32_t kind)
{
    switch (w->c->isa) {
    case BL_DELTA_THUMB:
        thumb_call(w, to);
        break;
    case BL_DELTA_RISCV:
        if (kind % 2 == 0) {
            riscv_jal(w, to);
        } else {
            riscv_pair(w, to, 1 << 7 | 0x67);
        }
        break;
    case BL_DELTA_XTENSA:
        xtensa_call(w, to);
        break;
    case BL_DELTA_AARCH64:
        put(w, 0x94000000 | ((to - w->at) >> 2 & 0x3ffffff), 4);
        break;
    case BL_DELTA_X86_64:
        x86_relative(w, 0xe8, 1, to);
        break;
    default:
        put(w, to, 4);
        break;
    }
}

static void put_address(struct place *w, uint32_t to, uint32_t kind,
                        uint32_t literal)
{
    switch (w->c->isa) {
    case BL_DELTA_THUMB:
        thumb_address(w, to, kind % 8);
        break;
    case BL_DELTA_RISCV:
        riscv_pair(w, to, kind % 8 << 7 | 0x13);
        break;
    case BL_DELTA_XTENSA:
        xtensa_load(w, literal, kind % 16);
        break;
    case BL_DELTA_AARCH64:
        a64_address(w, to, kind % 16);
        break;
    case BL_DELTA_X86_64:
        x86_relative(w, 0x058d48 | kind % 8 << 19, 3, to);
        break;
    default:
        put(w, w->c->base + to, 4);
        break;
    }
}

static void put_other(struct place *w, uint32_t kind)
{
    uint32_t a = kind % 8, b = kind / 8 % 8;
    switch (w->c->isa) {
    case BL_DELTA_THUMB:
        put(w, kind % 3 == 0 ? 0xd000 | a : 0x1800 | (kind & 0x3ff), 2);
        break;
    case BL_DELTA_RISCV:
        put(w, kind % 2 == 0 ? 0x8082 | a << 7 : 0x13 | a << 7 | b << 15,
            kind % 2 == 0 ? 2 : 4);
        break;
    case BL_DELTA_XTENSA:
        put(w, kind % 2 == 0 ? 0x0a | a << 4 | b << 8 : a << 12 | b << 4,
            kind % 2 == 0 ? 2 : 3);
        break;
    case BL_DELTA_AARCH64:
        put(w, kind % 3 == 0 ? 0x34000040 | a : 0x8b000000 | a << 16 | b, 4);
        break;
    case BL_DELTA_X86_64:
        put(w, kind % 3 == 0 ? 0x0075 | b << 8 : 0xc08948 | a << 16, 2);
        put(w, 0xc0, kind % 3 == 0 ? 0 : 1);
        break;
    default:
        put(w, kind, 3);
        break;
    }
}

/* Xtensa and Thumb have literals beside the function. */
static void put_literals(struct place *w, const struct dice *from)
{
    const struct code *c = w->c;
    struct dice d = *from;
    align(w);
    for (uint32_t k = 0; k < LITERALS; k++) {
        uint32_t which = dice_roll(&d, c->n);
        uint32_t kind = dice_roll(&d, 3);
        put(w,
            kind == 0 ? c->base + c->offset[which] +
                            (c->isa == BL_DELTA_THUMB ? 1 : 0)
            : kind == 1 ? c->base + c->text[which]
                        : CODE_RAM + dice_roll(&d, 256) * 4,
            4);
    }
}

static void put_function(struct place *w, uint32_t which)
{
    const struct code *c = w->c;
    struct dice d = {c->seed[which]};
    struct dice literals = {c->seed[which] ^ 0x55};
    bool has = c->isa == BL_DELTA_XTENSA;
    uint32_t begin = w->at;
    if (has) {
        put_literals(w, &literals);
    }
    for (uint32_t k = 4 + dice_roll(&d, OPERATIONS); k > 0; k--) {
        uint32_t what = dice_roll(&d, 6), kind = dice_roll(&d, 1 << 16);
        uint32_t to = dice_roll(&d, c->n);
        uint32_t literal = begin + dice_roll(&d, LITERALS) * 4;
        if (what == 0) {
            put_call(w, c->offset[to] + (has ? LITERALS * 4 : 0), kind);
        } else if (what == 1) {
            put_address(w, c->text[to], kind, literal);
        } else {
            put_other(w, kind);
        }
    }
    if (c->isa == BL_DELTA_THUMB) {
        put_literals(w, &literals);
    }
    align(w);
}

/* Texts, and a table that points to all of it. */
static void put_data(struct place *w, struct code *c)
{
    uint32_t bytes = c->isa == BL_DELTA_AARCH64 ? 8 : 4;
    for (uint32_t k = 0; k < c->n; k++) {
        struct dice d = {c->seed[k]};
        c->text[k] = w->at;
        for (uint32_t n = 3 + dice_roll(&d, TEXT); n > 0; n--) {
            put(w, 'a' + dice_roll(&d, 26), 1);
        }
        put(w, 0, 1);
    }
    align(w);
    for (uint32_t k = 0; k < c->n; k++) {
        put(w, c->base + c->offset[k] + (c->isa == BL_DELTA_THUMB ? 1 : 0),
            bytes);
        put(w, c->base + c->text[k], bytes);
        put(w, CODE_RAM + k * 4, bytes);
    }
}

/* Twice: the first time says where everything is. */
size_t code_link(struct code *c, uint8_t *p, size_t room)
{
    struct place w = {c, p, 0, (uint32_t)room};
    for (uint32_t pass = 0; pass < 2; pass++) {
        w.at = 0;
        for (uint32_t k = 0; k < c->n; k++) {
            uint32_t which = c->order[k];
            for (uint32_t gap = c->gap[k]; gap > 0; gap--) {
                put(&w, 0, 4);
            }
            c->offset[which] = w.at;
            put_function(&w, which);
        }
        put_data(&w, c);
    }
    return w.at < w.limit ? w.at : 0;
}

void code_make(struct dice *d, struct code *c, uint32_t isa, uint32_t base,
               uint32_t n)
{
    memset(c, 0, sizeof *c);
    c->isa = (uint8_t)isa;
    c->base = base;
    c->n = n < CODE_FUNCTIONS ? n : CODE_FUNCTIONS;
    for (uint32_t k = 0; k < c->n; k++) {
        c->seed[k] = dice_roll(d, 1U << 30);
        c->order[k] = (uint8_t)k;
    }
}

void code_revise(struct dice *d, struct code *c)
{
    for (uint32_t k = 1 + dice_roll(d, 4); k > 0; k--) {
        uint32_t a = dice_roll(d, c->n), b = dice_roll(d, c->n);
        uint8_t kept = c->order[a];
        switch (dice_roll(d, 3)) {
        case 0:
            c->seed[a] = dice_roll(d, 1U << 30);
            break;
        case 1:
            c->gap[a] = (uint8_t)dice_roll(d, 32);
            break;
        default:
            c->order[a] = c->order[b];
            c->order[b] = kept;
            break;
        }
    }
}
