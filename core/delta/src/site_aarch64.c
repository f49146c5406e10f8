/* SPDX-License-Identifier: Apache-2.0 */
/* A64: calls and branches, literals, and the pairs of ADRP with what adds the
 * low twelve bits (ADD, loads and stores with an unsigned offset). */
#include "site.h"

enum {
    PAGE = 0xFFF,
    LOW_STEPS = 12,  /* instructions that are looked at for the lower part */
    LOW_REACH = 256, /* bytes from the upper part to a lower one */
    LINK = 19        /* registers below are lost by a call */
};

#define LOW_FIELD 0x003FFC00U

static uint32_t rd_of(uint32_t word)
{
    return word & 31;
}

static uint32_t rn_of(uint32_t word)
{
    return word >> 5 & 31;
}

static const uint16_t call_pieces[] = {BL_LAST_PIECE(2, 0, 26)};
static const uint16_t near_pieces[] = {BL_LAST_PIECE(2, 5, 19)};
static const uint16_t test_pieces[] = {BL_LAST_PIECE(2, 5, 14)};
static const uint16_t adr_pieces[] = {BL_PIECE(0, 29, 2),
                                      BL_LAST_PIECE(2, 5, 19)};

/* B and BL; B.cond; CBZ, CBNZ; TBZ, TBNZ; LDR, LDRSW of a literal; ADR */
static const struct bl_form forms[] = {
    {0x7C000000U, 0x14000000U, call_pieces, BL_SITE_CALL, 28, 0},
    {0xFF000010U, 0x54000000U, near_pieces, BL_SITE_LOCAL, 21, 0},
    {0x7E000000U, 0x34000000U, near_pieces, BL_SITE_LOCAL, 21, 0},
    {0x7E000000U, 0x36000000U, test_pieces, BL_SITE_LOCAL, 16, 0},
    {0x3B000000U, 0x18000000U, near_pieces, BL_SITE_LOAD, 21, 0},
    {0x9F000000U, 0x10000000U, adr_pieces, BL_SITE_LOAD, 21, 0},
    {0, 0, NULL, BL_SITE_NONE, 0, 0},
};
static const struct bl_form adr = {0, 0, adr_pieces, BL_SITE_HIGH, 21, 0};

static bool is_adrp(uint32_t word)
{
    return (word & 0x9F000000U) == 0x90000000U;
}

static bool is_add(uint32_t word) /* ADD x, x, #imm12 without a shift */
{
    return (word & 0xFFC00000U) == 0x91000000U;
}

/* A load or store with an unsigned offset: log2 of what it is scaled by. */
static bool is_access(uint32_t word, uint32_t *scale)
{
    if ((word & 0x3B000000U) != 0x39000000U) {
        return false;
    }
    *scale = word >> 30;
    if ((word & 0x04800000U) == 0x04800000U && *scale == 0) {
        *scale = 4; /* 128 bits */
    }
    return true;
}

/* What an instruction adds to its base register, if it is of the kind. */
static bool has_low(uint32_t word, uint32_t *low)
{
    uint32_t scale = 0;

    if (!is_add(word) && !is_access(word, &scale)) {
        return false;
    }
    *low = (word >> 10 & PAGE) << scale;
    return *low <= PAGE;
}

static bool low_of(struct bl_view *v, uint32_t at, uint32_t reg, uint32_t *low)
{
    uint32_t k;

    for (k = 0; k < LOW_STEPS && v->size >= 4 && at <= v->size - 4; k++) {
        uint32_t word = bl_view_word(v, at);

        if (has_low(word, low) && rn_of(word) == reg) {
            return true;
        }
        if (is_adrp(word) && rd_of(word) == reg) {
            return false;
        }
        at += 4;
    }
    return false;
}

static void set(struct bl_site *s, uint32_t kind, uint32_t target)
{
    s->kind = (uint8_t)kind;
    s->target = target;
}

static void find_high(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                      struct bl_site *s)
{
    uint32_t word = s->word;
    struct bl_high *h = bl_high_take(w, rd_of(word) + 1);
    uint32_t low;

    h->at = at;
    h->value = (s->address & ~(uint32_t)PAGE) + (bl_gather(&adr, word) << 12);
    if (low_of(v, at + 4, rd_of(word), &low)) {
        set(s, BL_SITE_HIGH, h->value + low);
    }
}

/* A register that is written over by its own low part is no base any more. */
static void find_low(uint32_t at, struct bl_sweep *w, struct bl_site *s)
{
    uint32_t word = s->word;
    const struct bl_high *h;
    uint32_t low;

    if (!has_low(word, &low)) {
        return;
    }
    h = bl_high_of(w, rn_of(word) + 1);
    if (h != NULL && at - h->at <= LOW_REACH) {
        set(s, BL_SITE_LOW, h->value + low);
    }
    if (is_add(word) || (word & 0x04C00000U) == 0x00400000U) {
        bl_high_drop(w, rd_of(word) + 1);
    }
}

static void forget(struct bl_sweep *w)
{
    uint32_t i;

    for (i = 0; i < BL_HIGHS; i++) {
        if (w->high[i].reg <= LINK) {
            bl_high_drop(w, w->high[i].reg);
        }
    }
}

static void find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                 struct bl_site *s)
{
    if ((s->address & 3) != 0) {
        return;
    }
    s->length = 4;
    if (bl_form_find(&bl_isa_aarch64, s)) {
        if (s->kind == BL_SITE_CALL && s->word >> 31 != 0) {
            forget(w);
        }
    } else if (is_adrp(s->word)) {
        find_high(v, at, w, s);
    } else {
        find_low(at, w, s);
    }
}

/* ADD, loads and stores: only with a register that is held. */
static uint32_t skip(const struct bl_sweep *w, uint32_t word)
{
    return (bl_isa_aarch64.may >> (word >> 24 & 31) & 1) != 0 ||
                   bl_high_held(w, rn_of(word) + 1) ||
                   bl_high_held(w, rd_of(word) + 1)
               ? 0
               : 4;
}

/* ADRP: 21 bits of a distance in pages. */
static bool write_high(uint32_t *word, uint32_t pages)
{
    if (!bl_fits((int32_t)pages, 21)) {
        return false;
    }
    *word = bl_scatter(&adr, *word, pages);
    return true;
}

static bool write_low(uint32_t *word, uint32_t target)
{
    uint32_t low = target & PAGE;
    uint32_t scale = 0;

    (void)is_access(*word, &scale);
    if ((low & ((1U << scale) - 1)) != 0) {
        return false;
    }
    *word = (*word & ~LOW_FIELD) | (low >> scale) << 10;
    return true;
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint32_t *word)
{
    uint32_t pages = (target & ~(uint32_t)PAGE) - (address & ~(uint32_t)PAGE);

    (void)w;
    switch (s->kind) {
    case BL_SITE_HIGH:
        return write_high(word, (uint32_t)((int32_t)pages >> 12));
    case BL_SITE_LOW:
        return write_low(word, target);
    default:
        return false;
    }
}

/* The upper bits that name the instruction. */
static uint8_t opcode(uint32_t word, uint32_t n)
{
    return (uint8_t)(n == 4 ? word >> 24 : word);
}

const struct bl_isa bl_isa_aarch64 = {
    .literal = 4,
    .dense = true,
    .shift = 2,
    .order = 3,
    .forms = forms,
    .may = 0x11F10000U,
    .select = 24,
    .never = ~(0x11F10000U | 1U << 0x11 | 1U << 0x19 | 1U << 0x1D),
    .size = {4},
    .grain = 4,
    .skip = skip,
    .find = find,
    .write = write,
    .opcode = opcode,
};
