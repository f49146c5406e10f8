/* SPDX-License-Identifier: Apache-2.0 */
#include "mask.h"

#include <string.h>

static uint32_t load32(const uint8_t *p, uint32_t n)
{
    uint32_t v = 0;
    for (uint32_t k = 0; k < n; k++) {
        v |= (uint32_t)p[k] << (8 * k);
    }
    return v;
}

static uint32_t thumb_bits(uint32_t kind)
{
    switch (kind) {
    case BL_SITE_CALL:
        return 0x2fff07ff;
    case BL_SITE_BRANCH:
        return 0x2fff043f;
    case BL_SITE_HALF:
        return 0x70ff040f;
    case BL_SITE_HIGH:
        return 0x000000ff;
    case BL_SITE_LOW:
        return 0x00000fff;
    default:
        return 0;
    }
}

static uint32_t riscv_bits(uint32_t kind, uint32_t unit)
{
    bool store = (unit & 0x7b) == 0x23; /* S-type: sw, fsw */
    switch (kind) {
    case BL_SITE_CALL:
    case BL_SITE_HIGH:
        return 0xfffff000;
    case BL_SITE_LOW:
        return store ? 0xfe000f80 : 0xfff00000;
    default:
        return 0;
    }
}

static uint32_t xtensa_bits(uint32_t kind)
{
    switch (kind) {
    case BL_SITE_L32R:
        return 0xffff00;
    case BL_SITE_CALL:
        return 0xffffc0;
    default:
        return 0;
    }
}

static uint32_t aarch64_bits(uint32_t kind)
{
    switch (kind) {
    case BL_SITE_CALL:
        return 0x03ffffff;
    case BL_SITE_HIGH:
        return 0x60ffffe0;
    case BL_SITE_LOW:
        return 0x003ffc00;
    default:
        return 0;
    }
}

/* The bits of a unit that refer. Short references stay: within a function
 * they say more than they cost. */
static uint32_t reference_bits(const struct bl_code *code,
                               const struct bl_site *s, uint32_t unit)
{
    if (s->kind == BL_SITE_POINTER || s->kind == BL_SITE_RAM ||
        s->kind == BL_SITE_RELATIVE || s->kind == BL_SITE_TABLE) {
        return 0xffffffff;
    }
    if (s->kind == BL_SITE_SYMBOL) {
        return s->role == BL_ROLE_SYMBOL_16 ? 0xffffff00 : 0xffffffff;
    }
    switch (code->isa) {
    case BL_DELTA_THUMB:
        return thumb_bits(s->kind);
    case BL_DELTA_RISCV:
        return riscv_bits(s->kind, unit);
    case BL_DELTA_XTENSA:
        return xtensa_bits(s->kind);
    case BL_DELTA_AARCH64:
        return aarch64_bits(s->kind);
    case BL_DELTA_X86_64:
        return s->kind == BL_SITE_CALL ? 0xffffffff : 0;
    default:
        return 0;
    }
}

/* The bits of them that get the label; the others are the same for all. A
 * label that is wrong should cost about what a wrong reference costs in the
 * patch: two bytes. */
static uint32_t label_bits(const struct bl_code *code, uint32_t kind)
{
    static const uint32_t calls[BL_DELTA_ISAS] = {
        [BL_DELTA_THUMB] = 0x00ff00ff,
        [BL_DELTA_RISCV] = 0xffff0000,
        [BL_DELTA_XTENSA] = 0x00ffff00,
        [BL_DELTA_AARCH64] = 0x0000ffff,
        [BL_DELTA_X86_64] = 0x00ffff00};
    switch (kind) {
    case BL_SITE_BRANCH:
        return 0;
    case BL_SITE_CALL:
        return calls[code->isa];
    case BL_SITE_HALF:
        return 0x00ff0000;
    case BL_SITE_RELATIVE:
    case BL_SITE_TABLE:
    case BL_SITE_SYMBOL:
        return 0x00ffff00;
    case BL_SITE_POINTER:
        return code->pic ? 0x00ffff00 : 0xffffffff;
    case BL_SITE_HIGH:
        return code->isa == BL_DELTA_RISCV ? 0xffff0000 : 0x00ffff00;
    case BL_SITE_LOW:
        return code->isa == BL_DELTA_RISCV ? 0xff000000 : 0xffffffff;
    default:
        return 0xffffffff;
    }
}

static uint32_t hash(uint32_t v)
{
    v *= 0x9e3779b1u;
    v ^= v >> 15;
    v *= 0x85ebca6bu;
    v ^= v >> 13;
    return v;
}

/* The same for all of a kind, so that kinds do not match each other. */
static const uint32_t constants[BL_SITE_KINDS] = {
    [BL_SITE_POINTER] = 0xee115ca1,  [BL_SITE_RAM] = 0xed125da2,
    [BL_SITE_RELATIVE] = 0xec135ea3, [BL_SITE_HIGH] = 0xaa550000,
    [BL_SITE_LOW] = 0x77000000,      [BL_SITE_TABLE] = 0xeb145fa4,
    [BL_SITE_SYMBOL] = 0xea156000,   [BL_SITE_L32R] = 0x00733700,
    [BL_SITE_CALL] = 0x00933900};

static uint32_t label_of(const struct bl_code *code, const struct labels *l,
                         const struct bl_site *s)
{
    uint32_t target = s->target;
    if (l == NULL) {
        return constants[s->kind];
    }
    if (l->maps != NULL) {
        target = maps_target(l->maps, l->old, l->now, s);
    }
    return constants[s->kind] ^ (hash(target) & label_bits(code, s->kind));
}

void mask_image(struct bl_view *v, const struct labels *labels, uint8_t *out)
{
    struct bl_sweep sweep;
    memcpy(out, v->data, v->size);
    bl_sweep_start(&sweep);
    for (uint32_t o = 0; o < v->size;) {
        struct bl_site s;
        bl_site_find(v, o, &sweep, &s);
        if (s.length > v->size - o) {
            break;
        }
        uint32_t unit = load32(v->data + o, s.length);
        uint32_t bits =
            s.kind == BL_SITE_NONE ? 0 : reference_bits(v->code, &s, unit);
        if (bits != 0) {
            unit = (unit & ~bits) | (label_of(v->code, labels, &s) & bits);
            for (uint32_t k = 0; k < s.length; k++) {
                out[o + k] = (uint8_t)(unit >> (8 * k));
            }
        }
        o += s.length;
    }
}
