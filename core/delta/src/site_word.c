/* SPDX-License-Identifier: Apache-2.0 */
/* Words of data that are addresses, or distances from where they stand; and
 * the instruction set "plain", which knows nothing else. */
#include "site.h"

enum {
    FAR_BACK = 0x4000000, /* distances in data of firmware are shorter */
    FAR_AHEAD = 0x8000000,
    NEAR_AHEAD = 0x10000, /* smaller ones are numbers */
    PIC_SLACK = 0x20000   /* .bss behind the image */
};

#if BL_DELTA_PIC || BL_DELTA_RELATIVE
static uint32_t magnitude(int32_t n)
{
    return n < 0 ? 0U - (uint32_t)n : (uint32_t)n;
}
#endif

static bool is_pointer(const struct bl_view *v, uint32_t word)
{
    uint32_t t;
    uint32_t address =
        word & ~(uint32_t)(v->code->isa == BL_DELTA_THUMB ? 1U : 0U);

    return address != 0 && bl_view_offset(v, address, &t) &&
           !(address < 0x100 && v->regions[0].address == 0);
}

#if BL_DELTA_PIC
/* Position-independent code: literals and tables hold distances. */
static bool pic_distance(const struct bl_view *v, uint32_t word,
                         uint32_t address, uint32_t *target)
{
    uint32_t t;
    int32_t d = (int32_t)word;

    if ((d < -64 || d > 256) && magnitude(d) < v->size + PIC_SLACK &&
        bl_view_offset(v, (word + address) & ~1U, &t)) {
        *target = word + address;
        return true;
    }
    d = bl_sign(word, 31);
    if (word >> 31 == 0 && d < -64 && magnitude(d) < v->size &&
        bl_view_offset(v, ((uint32_t)d + address) & ~1U, &t)) {
        *target = (uint32_t)d + address;
        return true;
    }
    return false;
}
#endif

#if BL_DELTA_RELATIVE
/* Firmware: tables of exceptions beside the code, in regions of data. */
static bool data_distance(const struct bl_view *v, uint32_t word,
                          uint32_t address)
{
    uint32_t t;
    int32_t d = (int32_t)word;

    if (d < -64 && magnitude(d) < FAR_BACK) {
        return bl_view_offset(v, word + address, &t);
    }
    return d > NEAR_AHEAD && d < FAR_AHEAD &&
           bl_view_offset(v, word + address, &t) && bl_view_executable(v, t);
}
#endif

static void set(struct bl_site *s, uint32_t kind, uint32_t target)
{
    s->length = 4;
    s->kind = (uint8_t)kind;
    s->target = target;
}

#if BL_DELTA_ELF
/* In tables of an ELF file: no address, but what stands for one. */
static bool role_word(const struct bl_view *v, enum bl_role role,
                      uint32_t base, uint32_t word, struct bl_site *s)
{
    uint32_t t;

    if (role == BL_ROLE_TABLE) {
        set(s, BL_SITE_TABLE, base + word);
    } else if (role == BL_ROLE_SYMBOL_16) {
        set(s, BL_SITE_SYMBOL, base + (word >> 8) * 16);
    } else {
        set(s, BL_SITE_SYMBOL, base + word * 24);
    }
    s->role = (uint8_t)role;
    if (!bl_view_offset(v, s->target, &t)) {
        s->kind = BL_SITE_NONE;
    }
    return s->kind != BL_SITE_NONE;
}

#endif

#if BL_DELTA_PIC || BL_DELTA_RELATIVE
static bool may_refer(const struct bl_view *v, uint32_t address)
{
    return address - v->may[0].low < v->may[0].high;
}
#endif

bool bl_site_may_word(const struct bl_view *v, const struct bl_region *r,
                      uint32_t address, uint32_t word)
{
    uint32_t i;

    for (i = 0; i <= v->code->rams; i++) {
        if (word - v->may[i].low < v->may[i].high) {
            return true;
        }
    }
#if BL_DELTA_PIC
    if (v->code->pic) {
        return word + 64 > 256 + 64 &&
               (may_refer(v, word + address) ||
                may_refer(v, (uint32_t)bl_sign(word, 31) + address));
    }
#endif
#if BL_DELTA_RELATIVE
    return r->kind != BL_REGION_CODE && word + 64 > NEAR_AHEAD + 64 &&
           may_refer(v, word + address);
#else
    (void)r;
    (void)address;
    return false;
#endif
}

bool bl_site_word(struct bl_view *v, uint32_t at, const struct bl_region *r,
                  struct bl_site *s)
{
    uint32_t word = s->word;
#if BL_DELTA_ELF
    enum bl_role role;
    uint32_t base = 0;
#endif
#if BL_DELTA_PIC
    uint32_t target;
#endif
    bool pointer;
    bool code = r->kind == BL_REGION_CODE;

    (void)at;
    (void)code;
#if BL_DELTA_ELF
    role = r->kind <= BL_REGION_CODE ? BL_ROLE_NONE
                                     : bl_view_role(v, r, at, &base);
    if (role != BL_ROLE_NONE) {
        return role_word(v, role, base, word, s);
    }
#endif
    pointer = is_pointer(v, word);
#if BL_DELTA_PIC
    /* Where both make sense, it is a distance among code. */
    if (v->code->pic && v->regions_n > 0 && (!pointer || code) &&
        pic_distance(v, word, s->address, &target)) {
        set(s, BL_SITE_RELATIVE, target);
        return true;
    }
#endif
#if BL_DELTA_RELATIVE
    if (!v->code->pic && !pointer && !code && v->code->isa != BL_DELTA_THUMB &&
        data_distance(v, word, s->address)) {
        set(s, BL_SITE_RELATIVE, word + s->address);
        return true;
    }
#endif
    if (pointer) {
        set(s, BL_SITE_POINTER, word);
    } else if (bl_view_ram(v->code, word)) {
        set(s, BL_SITE_RAM, word);
    }
    return s->kind != BL_SITE_NONE;
}

static uint8_t opcode(uint32_t word, uint32_t n)
{
    (void)n;
    return (uint8_t)word;
}

const struct bl_isa bl_isa_plain = {
    .literal = 1,
    .size = {1},
    .grain = 1,
    .forms = &bl_form_none,
    .opcode = opcode,
};
