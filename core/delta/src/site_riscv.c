/* SPDX-License-Identifier: Apache-2.0 */
/* RISC-V with compressed instructions. Bits of jumps and branches are spread
 * in the words. */
#include "site.h"

enum {
    OP_LOAD = 0x03,
    OP_LOAD_FLOAT = 0x07,
    OP_IMMEDIATE = 0x13,
    OP_AUIPC = 0x17,
    OP_STORE = 0x23,
    OP_STORE_FLOAT = 0x27,
    OP_LUI = 0x37,
    OP_BRANCH = 0x63,
    OP_JALR = 0x67,
    OP_JAL = 0x6F,
    LOW_STEPS = 6,  /* instructions that are looked at for the lower part */
    LOW_REACH = 24, /* bytes from the upper part to the lower */
    STORE_MASK = 0x01FFF07F
};

static const uint16_t jal_pieces[] = {BL_PIECE(1, 21, 10), BL_PIECE(11, 20, 1),
                                      BL_PIECE(12, 12, 8),
                                      BL_LAST_PIECE(20, 31, 1)};
static const uint16_t branch_pieces[] = {BL_PIECE(1, 8, 4), BL_PIECE(5, 25, 6),
                                         BL_PIECE(11, 7, 1),
                                         BL_LAST_PIECE(12, 31, 1)};
static const uint16_t c_jump_pieces[] = {
    BL_PIECE(1, 3, 3),  BL_PIECE(4, 11, 1),      BL_PIECE(5, 2, 1),
    BL_PIECE(6, 7, 1),  BL_PIECE(7, 6, 1),       BL_PIECE(8, 9, 2),
    BL_PIECE(10, 8, 1), BL_LAST_PIECE(11, 12, 1)};
static const uint16_t c_branch_pieces[] = {
    BL_PIECE(1, 3, 2), BL_PIECE(3, 10, 2), BL_PIECE(5, 2, 1),
    BL_PIECE(6, 5, 2), BL_LAST_PIECE(8, 12, 1)};

/* JAL; branches; C.JAL and C.J; C.BEQZ and C.BNEZ */
static const struct bl_form forms[] = {
    {0x7F, OP_JAL, jal_pieces, BL_SITE_CALL, 21, 0},
    {0x7F, OP_BRANCH, branch_pieces, BL_SITE_LOCAL, 13, 0},
    {0x6003, 0x2001, c_jump_pieces, BL_SITE_JUMP, 12, 0},
    {0xC003, 0xC001, c_branch_pieces, BL_SITE_LOCAL, 9, 0},
    {0, 0, NULL, BL_SITE_NONE, 0, 0},
};

static uint32_t rd_of(uint32_t word)
{
    return word >> 7 & 31;
}

static uint32_t rs1_of(uint32_t word)
{
    return word >> 15 & 31;
}

/* Instructions that add a low part to rs1: loads, ADDI, JALR; stores. */
static bool has_low(uint32_t word, int32_t *low)
{
    uint32_t op = word & 0x7F;

    if (op == OP_LOAD || op == OP_JALR || op == OP_LOAD_FLOAT ||
        (op == OP_IMMEDIATE && (word >> 12 & 7) == 0)) {
        *low = bl_sign(word >> 20, 12);
        return true;
    }
    if (op == OP_STORE || op == OP_STORE_FLOAT) {
        *low = bl_sign((word >> 25) << 5 | (word >> 7 & 31), 12);
        return true;
    }
    return false;
}

static bool is_high(uint32_t word)
{
    uint32_t op = word & 0x7F;

    return op == OP_AUIPC || op == OP_LUI;
}

bool bl_riscv_low(struct bl_view *v, uint32_t at, uint32_t reg, int32_t *low)
{
    uint32_t k;

    for (k = 0; k < LOW_STEPS && v->size >= 4 && at <= v->size - 4; k++) {
        uint32_t word = bl_view_word(v, at);

        if ((word & 3) != 3) {
            at += 2;
            continue;
        }
        if (rs1_of(word) == reg && has_low(word, low)) {
            return true;
        }
        if (is_high(word) && rd_of(word) == reg) {
            return false;
        }
        at += 4;
    }
    return false;
}

static bool refers(struct bl_view *v, uint32_t target)
{
    uint32_t t;

    return bl_view_ram(v->code, target) || bl_view_offset(v, target & ~1U, &t);
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
    uint32_t reg = rd_of(word);
    struct bl_high *h;
    int32_t low;

    if (reg == 0) {
        return;
    }
    h = bl_high_take(w, reg);
    h->at = at;
    h->relative = (word & 0x7F) == OP_AUIPC;
    h->value = (word & 0xFFFFF000U) + (h->relative ? s->address : 0);
    h->now = 0;
    if (bl_riscv_low(v, at + 4, reg, &low)) {
        uint32_t target = h->value + (uint32_t)low;

        s->target = target;
        if (h->relative || refers(v, target)) {
            s->kind = BL_SITE_HIGH;
        }
    }
}

static void find_low(struct bl_view *v, uint32_t at, const struct bl_sweep *w,
                     struct bl_site *s)
{
    uint32_t word = s->word;
    const struct bl_high *h;
    int32_t low;

    if (rs1_of(word) == 0 || !has_low(word, &low)) {
        return;
    }
    h = bl_high_of(w, rs1_of(word));
    if (h != NULL && at - h->at <= LOW_REACH) {
        uint32_t target = h->value + (uint32_t)low;

        if (h->relative || refers(v, target)) {
            set(s, BL_SITE_LOW, target);
        }
    }
}

static void find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                 struct bl_site *s)
{
    if ((s->address & 1) != 0) {
        return;
    }
    s->length = (s->word & 3) == 3 ? 4 : 2;
    if (bl_form_find(&bl_isa_riscv, s) || s->length == 2) {
        return;
    }
    if (is_high(s->word)) {
        find_high(v, at, w, s);
    } else {
        find_low(v, at, w, s);
    }
}

static uint32_t skip(const struct bl_sweep *w, uint32_t word)
{
    uint32_t op = word & 0x7F;

    if ((word & 3) != 3) {
        return (word & 0x6003) == 0x2001 || (word & 0xC003) == 0xC001 ? 0 : 2;
    }
    return op == OP_JAL || op == OP_BRANCH || is_high(word) ||
                   bl_high_held(w, rs1_of(word))
               ? 0
               : 4;
}

static bool write_high(uint32_t *word, uint32_t address, uint32_t target)
{
    uint32_t base = (*word & 0x7F) == OP_AUIPC ? address : 0;

    *word = (*word & 0xFFF) | ((target - base + 0x800) & 0xFFFFF000U);
    return true;
}

static bool write_low(uint32_t *bytes, uint32_t target,
                      const struct bl_sweep *w)
{
    uint32_t word = *bytes;
    uint32_t op = word & 0x7F;
    const struct bl_high *h = bl_high_of(w, rs1_of(word));
    uint32_t low = (target - (h != NULL ? h->now : 0)) & 0xFFF;

    if (op == OP_STORE || op == OP_STORE_FLOAT) {
        word = (word & STORE_MASK) | (low >> 5) << 25 | (low & 31) << 7;
    } else {
        word = (word & 0xFFFFF) | low << 20;
    }
    *bytes = word;
    return true;
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint32_t *word)
{
    switch (s->kind) {
    case BL_SITE_HIGH:
        return write_high(word, address, target);
    case BL_SITE_LOW:
        return write_low(word, target, w);
    default:
        return false;
    }
}

static void after(struct bl_sweep *w, uint32_t at, uint32_t address,
                  uint32_t was, uint32_t now)
{
    uint32_t i;

    if (!is_high(was) || !is_high(now)) {
        return;
    }
    for (i = 0; i < BL_HIGHS; i++) {
        struct bl_high *h = &w->high[i];

        if (h->reg != 0 && h->at == at) {
            h->now =
                (now & 0xFFFFF000U) + ((now & 0x7F) == OP_AUIPC ? address : 0);
        }
    }
}

static uint8_t opcode(uint32_t word, uint32_t n)
{
    if (n == 4) {
        return (uint8_t)((word & 0x7C) >> 2 | (word & 0x7000) >> 7);
    }
    return (uint8_t)(n == 1 ? word : word >> 8);
}

const struct bl_isa bl_isa_riscv = {
    .literal = 2,
    .shift = 1,
    .forms = forms,
    .may = 0x2222A22AU,   /* quadrant 1; JAL, branches */
    .never = 0x55555555U, /* quadrants 0 and 2 */
    .longer = 0x88888888U,
    .size = {2, 4},
    .grain = 2,
    .skip = skip,
    .find = find,
    .write = write,
    .after = after,
    .opcode = opcode,
};
