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

#define ADR_FIELD 0x60FFFFE0U
#define LOW_FIELD 0x003FFC00U
#define NEAR_FIELD 0x00FFFFE0U
#define TEST_FIELD 0x0007FFE0U

static uint32_t rd_of(uint32_t word)
{
    return word & 31;
}

static uint32_t rn_of(uint32_t word)
{
    return word >> 5 & 31;
}

static bool is_call(uint32_t word) /* B, BL */
{
    return (word & 0x7C000000U) == 0x14000000U;
}

static bool is_near(uint32_t word) /* B.cond, CBZ, CBNZ: 19 bits */
{
    return (word & 0xFF000010U) == 0x54000000U ||
           (word & 0x7E000000U) == 0x34000000U;
}

static bool is_test(uint32_t word) /* TBZ, TBNZ: 14 bits */
{
    return (word & 0x7E000000U) == 0x36000000U;
}

static bool is_literal(uint32_t word) /* LDR, LDRSW of a literal: 19 bits */
{
    return (word & 0x3B000000U) == 0x18000000U;
}

static bool is_adr(uint32_t word)
{
    return (word & 0x9F000000U) == 0x10000000U;
}

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

static uint32_t adr_distance(uint32_t word)
{
    uint32_t d = (word >> 5 & 0x7FFFF) << 2 | (word >> 29 & 3);

    return (uint32_t)bl_sign(d, 21);
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

static void find_high(struct bl_view *v, uint32_t at, uint32_t address,
                      uint32_t word, struct bl_sweep *w, struct bl_site *s)
{
    struct bl_high *h = bl_high_take(w, rd_of(word) + 1);
    uint32_t low;

    h->at = at;
    h->value = (address & ~(uint32_t)PAGE) + (adr_distance(word) << 12);
    if (low_of(v, at + 4, rd_of(word), &low)) {
        set(s, BL_SITE_HIGH, h->value + low);
    }
}

/* A register that is written over by its own low part is no base any more. */
static void find_low(uint32_t at, uint32_t word, struct bl_sweep *w,
                     struct bl_site *s)
{
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
            w->high[i].reg = 0;
        }
    }
}

static uint32_t call_target(uint32_t word, uint32_t address)
{
    return address + ((uint32_t)bl_sign(word, 26) << 2);
}

static void find(struct bl_view *v, uint32_t at, uint32_t address,
                 struct bl_sweep *w, struct bl_site *s)
{
    uint32_t word;

    if ((address & 3) != 0) {
        return;
    }
    s->length = 4;
    word = bl_view_word(v, at);
    if (is_call(word)) {
        set(s, BL_SITE_CALL, call_target(word, address));
        if (word >> 31 != 0) {
            forget(w);
        }
    } else if (is_near(word)) {
        set(s, BL_SITE_LOCAL,
            address + ((uint32_t)bl_sign(word >> 5, 19) << 2));
    } else if (is_test(word)) {
        set(s, BL_SITE_LOCAL,
            address + ((uint32_t)bl_sign(word >> 5, 14) << 2));
    } else if (is_literal(word)) {
        set(s, BL_SITE_LOAD,
            address + ((uint32_t)bl_sign(word >> 5, 19) << 2));
    } else if (is_adr(word)) {
        set(s, BL_SITE_LOAD, address + adr_distance(word));
    } else if (is_adrp(word)) {
        find_high(v, at, address, word, w, s);
    } else {
        find_low(at, word, w, s);
    }
}

/* A distance in words, in `field` of the instruction. */
static bool write_words(uint8_t *bytes, uint32_t d, uint32_t bits,
                        uint32_t shift, uint32_t field)
{
    if ((d & 3) != 0 || !bl_fits((int32_t)d, bits + 2)) {
        return false;
    }
    bl_set(bytes, (bl_get4(bytes) & ~field) | ((d >> 2) << shift & field), 4);
    return true;
}

/* Of ADR and ADRP: 21 bits in two fields. */
static bool write_adr(uint8_t *bytes, uint32_t d)
{
    if (!bl_fits((int32_t)d, 21)) {
        return false;
    }
    bl_set(bytes,
           (bl_get4(bytes) & ~ADR_FIELD) | (d & 3) << 29 |
               (d >> 2 & 0x7FFFF) << 5,
           4);
    return true;
}

static bool write_low(uint8_t *bytes, uint32_t target)
{
    uint32_t word = bl_get4(bytes);
    uint32_t low = target & PAGE;
    uint32_t scale = 0;

    (void)is_access(word, &scale);
    if ((low & ((1U << scale) - 1)) != 0) {
        return false;
    }
    bl_set(bytes, (word & ~LOW_FIELD) | (low >> scale) << 10, 4);
    return true;
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint8_t *bytes)
{
    uint32_t word = bl_get4(bytes);
    uint32_t d = target - address;
    uint32_t pages = (target & ~(uint32_t)PAGE) - (address & ~(uint32_t)PAGE);

    (void)w;
    switch (s->kind) {
    case BL_SITE_CALL:
        return write_words(bytes, d, 26, 0, 0x03FFFFFF);
    case BL_SITE_LOCAL:
        return is_test(word) ? write_words(bytes, d, 14, 5, TEST_FIELD)
                             : write_words(bytes, d, 19, 5, NEAR_FIELD);
    case BL_SITE_LOAD:
        return is_adr(word) ? write_adr(bytes, d)
                            : write_words(bytes, d, 19, 5, NEAR_FIELD);
    case BL_SITE_HIGH:
        return write_adr(bytes, (uint32_t)((int32_t)pages >> 12));
    case BL_SITE_LOW:
        return write_low(bytes, target);
    default:
        return false;
    }
}

static bool read(const struct bl_site *s, uint32_t address,
                 const uint8_t *bytes, uint32_t *target)
{
    uint32_t word = bl_get4(bytes);

    (void)s;
    if (!is_call(word)) {
        return false;
    }
    *target = call_target(word, address);
    return true;
}

/* The upper bits that name the instruction. */
static uint8_t opcode(const uint8_t *bytes, uint32_t n)
{
    return n == 4 ? bytes[3] : bytes[0];
}

const struct bl_isa bl_isa_aarch64 = {
    .literal = 4,
    .dense = true,
    .shift = 2,
    .order = 3,
    .find = find,
    .write = write,
    .read = read,
    .opcode = opcode,
};
