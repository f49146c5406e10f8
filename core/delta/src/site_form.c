/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions with a distance in them, by tables: which they are, what they
 * count from, and where in the word each bit of the distance stands. */
#include "site.h"

enum {
    TWIST_SIGN = 0x400, /* Thumb's BL: J1, J2 are turned when S is 0 */
    TWIST = 0x28000000
};

const struct bl_form bl_form_none = {0};

/* The last form of a table fits all words. */
static const struct bl_form *form_of(const struct bl_isa *isa, uint32_t word)
{
    const struct bl_form *f = isa->forms;

    while ((word & f->mask) != f->match) {
        f++;
    }
    return f;
}

static uint32_t twist(const struct bl_form *f, uint32_t word)
{
    return (f->how & BL_FORM_TWIST) != 0 && (word & TWIST_SIGN) == 0
               ? word ^ TWIST
               : word;
}

static uint32_t base_of(const struct bl_form *f, uint32_t address)
{
    uint32_t how = f->how;

    return ((address + (how & BL_FORM_AHEAD)) & ~(how >> 3 & 3U)) -
           ((how & BL_FORM_BACK) << 13);
}

uint32_t bl_gather(const struct bl_form *f, uint32_t word)
{
    const uint16_t *p = f->pieces;
    uint32_t value = 0;
    uint32_t piece;

    word = twist(f, word);
    do {
        piece = *p++;
        value |= (word >> (piece >> 5 & 31) & ((1U << (piece >> 10 & 31)) - 1))
                 << (piece & 31);
    } while ((piece & BL_PIECE_LAST) == 0);
    return (uint32_t)bl_sign(value, f->bits);
}

uint32_t bl_scatter(const struct bl_form *f, uint32_t word, uint32_t value)
{
    const uint16_t *p = f->pieces;
    uint32_t piece;

    do {
        uint32_t mask;
        uint32_t at;

        piece = *p++;
        at = piece >> 5 & 31;
        mask = (1U << (piece >> 10 & 31)) - 1;
        word &= ~(mask << at);
        word |= (value >> (piece & 31) & mask) << at;
    } while ((piece & BL_PIECE_LAST) == 0);
    return twist(f, word);
}

bool bl_form_find(const struct bl_isa *isa, struct bl_site *s)
{
    uint32_t word = s->word;
    const struct bl_form *f;

    if ((isa->may >> (word >> isa->select & 31) & 1) == 0) {
        return false;
    }
    f = form_of(isa, word);
    s->kind = f->kind;
    if (f->kind == BL_SITE_NONE) {
        return false;
    }
    s->target = base_of(f, s->address) + bl_gather(f, word);
    return true;
}

bool bl_form_near(const struct bl_isa *isa, uint32_t address, uint32_t word,
                  uint32_t from, uint32_t n)
{
    struct bl_site s;

    s.word = word;
    s.address = address;
    return n > 0 && bl_form_find(isa, &s) &&
           (BL_KIND(s.kind) & BL_KINDS_NEAR) != 0 && s.target - from < n;
}

bool bl_form_write(const struct bl_isa *isa, const struct bl_site *s,
                   uint32_t address, uint32_t target, const struct bl_sweep *w,
                   uint32_t *word)
{
    const struct bl_form *f = form_of(isa, *word);
    uint32_t distance = target - base_of(f, address);

    if (f->kind != s->kind) {
        return isa->write != NULL && isa->write(s, address, target, w, word);
    }
    *word = bl_scatter(f, *word, distance);
    return bl_gather(f, *word) == distance;
}

#if BL_DELTA_ENCODE
bool bl_form_read(const struct bl_isa *isa, const struct bl_site *s,
                  uint32_t address, uint32_t word, uint32_t *target)
{
    struct bl_site now;

    if (isa->read != NULL) {
        return isa->read(s, address, word, target);
    }
    now.word = word;
    now.address = address;
    now.kind = BL_SITE_NONE;
    if (!bl_form_find(isa, &now) || now.kind != s->kind) {
        return false;
    }
    *target = now.target;
    return true;
}
#endif
