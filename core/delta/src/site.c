/* SPDX-License-Identifier: Apache-2.0 */
/* The table of instruction sets, and what is common to all of them. */
#include "site.h"

#include <string.h>

/* A row for each enum bl_delta_isa. */
static const struct bl_isa *const isas[BL_DELTA_ISAS] = {
    &bl_isa_plain,
    BL_ISA_THUMB != 0 ? &bl_isa_thumb : NULL,
    BL_ISA_RISCV != 0 ? &bl_isa_riscv : NULL,
    BL_ISA_XTENSA != 0 ? &bl_isa_xtensa : NULL,
    BL_ISA_AARCH64 != 0 ? &bl_isa_aarch64 : NULL,
    BL_ISA_X86_64 != 0 ? &bl_isa_x86_64 : NULL,
};

const struct bl_isa *bl_isa_of(uint32_t isa)
{
    return isa < BL_DELTA_ISAS ? isas[isa] : NULL;
}

void bl_sweep_start(struct bl_sweep *w)
{
    memset(w, 0, sizeof *w);
}

/* Its number; BL_HIGHS: there is none. */
static uint32_t high_index(const struct bl_sweep *w, uint32_t reg)
{
    uint32_t i = 0;

    while (i < BL_HIGHS && w->high[i].reg != reg) {
        i++;
    }
    return i;
}

static void set_held(struct bl_sweep *w, struct bl_high *h, uint32_t reg)
{
    if (h->reg != 0) {
        w->held &= ~(1U << (h->reg & 31));
    }
    if (reg != 0) {
        w->held |= 1U << (reg & 31);
    }
    h->reg = (uint8_t)reg;
}

struct bl_high *bl_high_take(struct bl_sweep *w, uint32_t reg)
{
    uint32_t i = high_index(w, reg);

    if (i == BL_HIGHS) {
        w->next = (w->next + 1) % BL_HIGHS;
        i = w->next;
    }
    set_held(w, &w->high[i], reg);
    return &w->high[i];
}

const struct bl_high *bl_high_of(const struct bl_sweep *w, uint32_t reg)
{
    return bl_high_held(w, reg) ? &w->high[high_index(w, reg)] : NULL;
}

void bl_high_drop(struct bl_sweep *w, uint32_t reg)
{
    if (bl_high_held(w, reg)) {
        set_held(w, &w->high[high_index(w, reg)], 0);
    }
}

void bl_site_find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                  struct bl_site *s)
{
    const struct bl_isa *isa = isas[v->code->isa];
    const struct bl_region *r = bl_view_region(v, at);
    bool code = isa->find != NULL && r->kind == BL_REGION_CODE;

    s->length = 1;
    s->kind = BL_SITE_NONE;
    s->word = bl_view_word(v, at);
    s->address = r->address + (at - r->offset);
    if ((s->address & 3) == 0 && !(code && isa->dense) && v->size - at >= 4 &&
        bl_site_word(v, at, r, s)) {
        return;
    }
    if (code) {
        isa->find(v, at, w, s);
    } else if ((s->address & 3) == 0 && v->size - at >= 4) {
        s->length = 4;
    }
}

uint32_t bl_site_skip(struct bl_view *v, uint32_t at, uint32_t end,
                      const struct bl_sweep *w, struct bl_stay *stay)
{
    const struct bl_isa *isa = isas[v->code->isa];
    const struct bl_region *r = bl_view_region(v, at);
    bool code = isa->find != NULL && r->kind == BL_REGION_CODE;
    bool words = !(code && isa->dense);
    uint32_t away = r->address - r->offset;
    uint32_t first = at;

    if (!bl_view_is_near(v, at, end) || v->span == 0 ||
        r->kind > BL_REGION_CODE ||
        (code && ((at + away) & (isa->grain - 1U)) != 0)) {
        return 0;
    }
    if (end - r->offset > r->length) {
        end = r->offset + r->length;
    }
    while (at < end) {
        uint32_t word = bl_view_word_near(v, at);
        uint32_t address = at + away;
        uint32_t n = 1;

        if ((address & 3) == 0) {
            n = 4;
            if (words && bl_site_may_word(v, r, address, word)) {
                break;
            }
        }
        if (code) {
            uint32_t i = word >> isa->select & 31;

            n = (isa->never >> i & 1) != 0 ? isa->size[isa->longer >> i & 1]
                : isa->skip != NULL        ? isa->skip(w, word)
                                           : 0;
            if (n == 0 &&
                bl_form_near(isa, address, word, stay->from, stay->n)) {
                n = isa->size[isa->longer >> i & 1];
                stay->word = word;
                stay->length = (uint8_t)n;
            }
        }
        if (n == 0) {
            break;
        }
        at += n;
    }
    return at - first;
}

#if BL_DELTA_ELF || BL_DELTA_RELATIVE
/* A distance from itself; of 31 bits in exception tables (bit 31 kept). */
static void write_relative(const struct bl_site *s, uint32_t was, uint32_t now,
                           uint32_t target, uint32_t *word)
{
    uint32_t distance = target - now;

    if (*word + was != s->target) {
        distance = (*word & 0x80000000U) | (distance & 0x7FFFFFFFU);
    }
    *word = distance;
}

#endif

#if BL_DELTA_ELF
static bool write_symbol(const struct bl_site *s, uint32_t distance,
                         uint32_t *word)
{
    uint32_t size = s->role == BL_ROLE_SYMBOL_16 ? 16 : 24;

    if (distance % size != 0) {
        return false;
    }
    if (size == 16) {
        *word = (*word & 0xFF) | distance / size << 8;
    } else {
        *word = distance / size;
    }
    return true;
}

#endif

bool bl_site_write(const struct bl_code *code, const struct bl_site *s,
                   uint32_t was, uint32_t now, uint32_t target,
                   const struct bl_sweep *w, uint32_t *word)
{
    (void)was;
    switch (s->kind) {
    case BL_SITE_NONE:
        return false;
    case BL_SITE_POINTER:
    case BL_SITE_RAM:
        *word = target;
        return true;
#if BL_DELTA_ELF || BL_DELTA_RELATIVE
    case BL_SITE_RELATIVE:
    case BL_SITE_TABLE:
        write_relative(s, was, now, target, word);
        return true;
#endif
#if BL_DELTA_ELF
    case BL_SITE_SYMBOL:
        return write_symbol(s, target - now, word);
#endif
    default:
        return bl_form_write(isas[code->isa], s, now, target, w, word);
    }
}

#if BL_DELTA_ENCODE
bool bl_site_read(const struct bl_code *code, const struct bl_site *s,
                  uint32_t now, uint32_t word, uint32_t *target)
{
    switch (s->kind) {
    case BL_SITE_POINTER:
    case BL_SITE_RAM:
        *target = word;
        return true;
    case BL_SITE_RELATIVE:
    case BL_SITE_TABLE:
        *target = word + now;
        return true;
    case BL_SITE_CALL:
    case BL_SITE_L32R:
        return bl_form_read(bl_isa_of(code->isa), s, now, word, target);
    default:
        return false;
    }
}
#endif

#define TRAITS(class, group) ((class) | (group) << 3)

uint32_t bl_site_traits(uint32_t kind)
{
    static const uint8_t traits[BL_SITE_KINDS] = {
        [BL_SITE_NONE] = TRAITS(7, 0),  [BL_SITE_POINTER] = TRAITS(0, 3),
        [BL_SITE_RAM] = TRAITS(1, 3),   [BL_SITE_RELATIVE] = TRAITS(2, 3),
        [BL_SITE_TABLE] = TRAITS(2, 3), [BL_SITE_SYMBOL] = TRAITS(2, 3),
        [BL_SITE_CALL] = TRAITS(3, 6),  [BL_SITE_BRANCH] = TRAITS(6, 6),
        [BL_SITE_LOAD] = TRAITS(4, 4),  [BL_SITE_L32R] = TRAITS(4, 6),
        [BL_SITE_HALF] = TRAITS(5, 6),  [BL_SITE_HIGH] = TRAITS(5, 5),
        [BL_SITE_LOW] = TRAITS(5, 5),   [BL_SITE_JUMP] = TRAITS(7, 4),
        [BL_SITE_LOCAL] = TRAITS(7, 4),
    };

    return traits[kind];
}

uint32_t bl_get(const uint8_t *b, uint32_t n)
{
    uint32_t value = 0;

    while (n > 0) {
        n--;
        value = value << 8 | b[n];
    }
    return value;
}

void bl_set(uint8_t *b, uint32_t value, uint32_t n)
{
    for (; n > 0; n--) {
        *b++ = (uint8_t)value;
        value >>= 8;
    }
}
