/* SPDX-License-Identifier: Apache-2.0 */
/* RISC-V with compressed instructions. Bits of jumps and branches are spread
 * in the words: a table for each form gives the place of every bit. */
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
    C_JUMP_MASK = 0xE003,
    C_BRANCH_MASK = 0xE383,
    BRANCH_MASK = 0x01FFF07F
};

/* `count` bits of a distance from bit `value` on stand in the word from bit
 * `word` on. */
struct piece {
    uint8_t value, word, count;
};

static const struct piece jal_pieces[] = {
    {1, 21, 10}, {11, 20, 1}, {12, 12, 8}, {20, 31, 1}, {0, 0, 0}};
static const struct piece branch_pieces[] = {
    {1, 8, 4}, {5, 25, 6}, {11, 7, 1}, {12, 31, 1}, {0, 0, 0}};
static const struct piece c_jump_pieces[] = {
    {1, 3, 3}, {4, 11, 1}, {5, 2, 1},   {6, 7, 1}, {7, 6, 1},
    {8, 9, 2}, {10, 8, 1}, {11, 12, 1}, {0, 0, 0}};
static const struct piece c_branch_pieces[] = {
    {1, 3, 2}, {3, 10, 2}, {5, 2, 1}, {6, 5, 2}, {8, 12, 1}, {0, 0, 0}};

static int32_t gather(uint32_t word, const struct piece *p, uint32_t bits)
{
    uint32_t value = 0;

    for (; p->count != 0; p++) {
        value |= (word >> p->word & ((1U << p->count) - 1U)) << p->value;
    }
    return bl_sign(value, bits);
}

/* False when the distance does not fit. */
static bool scatter(uint8_t *bytes, uint32_t n, uint32_t keep, uint32_t d,
                    const struct piece *p, uint32_t bits)
{
    uint32_t word = (n == 2 ? bl_get2(bytes) : bl_get4(bytes)) & keep;

    if (!bl_fits((int32_t)d, bits) || (d & 1) != 0) {
        return false;
    }
    for (; p->count != 0; p++) {
        word |= (d >> p->value & ((1U << p->count) - 1U)) << p->word;
    }
    bl_set(bytes, word, n);
    return true;
}

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
        uint32_t word = bl_view_half(v, at);

        if ((word & 3) != 3) {
            at += 2;
            continue;
        }
        word = bl_view_word(v, at);
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

static void find_high(struct bl_view *v, uint32_t at, uint32_t address,
                      uint32_t word, struct bl_sweep *w, struct bl_site *s)
{
    uint32_t reg = rd_of(word);
    struct bl_high *h;
    int32_t low;

    if (reg == 0) {
        return;
    }
    h = bl_high_take(w, reg);
    h->at = at;
    h->relative = (word & 0x7F) == OP_AUIPC;
    h->value = (word & 0xFFFFF000U) + (h->relative ? address : 0);
    h->now = 0;
    if (bl_riscv_low(v, at + 4, reg, &low)) {
        uint32_t target = h->value + (uint32_t)low;

        s->target = target;
        if (h->relative || refers(v, target)) {
            s->kind = BL_SITE_HIGH;
        }
    }
}

static void find_low(struct bl_view *v, uint32_t at, uint32_t word,
                     const struct bl_sweep *w, struct bl_site *s)
{
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

static void find_long(struct bl_view *v, uint32_t at, uint32_t address,
                      struct bl_sweep *w, struct bl_site *s)
{
    uint32_t word = bl_view_word(v, at);

    s->length = 4;
    switch (word & 0x7F) {
    case OP_JAL:
        set(s, BL_SITE_CALL, address + (uint32_t)gather(word, jal_pieces, 21));
        break;
    case OP_BRANCH:
        set(s, BL_SITE_LOCAL,
            address + (uint32_t)gather(word, branch_pieces, 13));
        break;
    case OP_AUIPC:
    case OP_LUI:
        find_high(v, at, address, word, w, s);
        break;
    default:
        find_low(v, at, word, w, s);
        break;
    }
}

static void find_short(uint32_t address, uint32_t op, struct bl_site *s)
{
    uint32_t form = op >> 13;

    s->length = 2;
    if ((op & 3) != 1) {
        return;
    }
    if (form == 1 || form == 5) {
        set(s, BL_SITE_JUMP,
            address + (uint32_t)gather(op, c_jump_pieces, 12));
    } else if (form >= 6) {
        set(s, BL_SITE_LOCAL,
            address + (uint32_t)gather(op, c_branch_pieces, 9));
    }
}

static void find(struct bl_view *v, uint32_t at, uint32_t address,
                 struct bl_sweep *w, struct bl_site *s)
{
    uint32_t op;

    if ((address & 1) != 0) {
        return;
    }
    op = bl_view_half(v, at);
    if ((op & 3) == 3) {
        find_long(v, at, address, w, s);
    } else {
        find_short(address, op, s);
    }
}

static bool write_high(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t word = bl_get4(bytes);
    uint32_t base = (word & 0x7F) == OP_AUIPC ? address : 0;

    bl_set(bytes, (word & 0xFFF) | ((target - base + 0x800) & 0xFFFFF000U), 4);
    return true;
}

static bool write_low(uint8_t *bytes, uint32_t target,
                      const struct bl_sweep *w)
{
    uint32_t word = bl_get4(bytes);
    uint32_t op = word & 0x7F;
    const struct bl_high *h = bl_high_of(w, rs1_of(word));
    uint32_t low = (target - (h != NULL ? h->now : 0)) & 0xFFF;

    if (op == OP_STORE || op == OP_STORE_FLOAT) {
        word = (word & BRANCH_MASK) | (low >> 5) << 25 | (low & 31) << 7;
    } else {
        word = (word & 0xFFFFF) | low << 20;
    }
    bl_set(bytes, word, 4);
    return true;
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint8_t *bytes)
{
    uint32_t d = target - address;

    switch (s->kind) {
    case BL_SITE_CALL:
        return scatter(bytes, 4, 0xFFF, d, jal_pieces, 21);
    case BL_SITE_JUMP:
        return scatter(bytes, 2, C_JUMP_MASK, d, c_jump_pieces, 12);
    case BL_SITE_LOCAL:
        return s->length == 2
                   ? scatter(bytes, 2, C_BRANCH_MASK, d, c_branch_pieces, 9)
                   : scatter(bytes, 4, BRANCH_MASK, d, branch_pieces, 13);
    case BL_SITE_HIGH:
        return write_high(bytes, address, target);
    case BL_SITE_LOW:
        return write_low(bytes, target, w);
    default:
        return false;
    }
}

static bool read(const struct bl_site *s, uint32_t address,
                 const uint8_t *bytes, uint32_t *target)
{
    uint32_t word = bl_get4(bytes);

    (void)s;
    if ((word & 0x7F) != OP_JAL) {
        return false;
    }
    *target = address + (uint32_t)gather(word, jal_pieces, 21);
    return true;
}

static void after(struct bl_sweep *w, uint32_t at, uint32_t address,
                  const uint8_t *was, const uint8_t *now)
{
    uint32_t word = bl_get4(now);
    uint32_t i;

    if (!is_high(bl_get4(was)) || !is_high(word)) {
        return;
    }
    for (i = 0; i < BL_HIGHS; i++) {
        struct bl_high *h = &w->high[i];

        if (h->reg != 0 && h->at == at) {
            h->now = (word & 0xFFFFF000U) +
                     ((word & 0x7F) == OP_AUIPC ? address : 0);
        }
    }
}

static uint8_t opcode(const uint8_t *bytes, uint32_t n)
{
    if (n == 4) {
        return (uint8_t)((bytes[0] & 0x7C) >> 2 | (bytes[1] & 0x70) << 1);
    }
    return n == 1 ? bytes[0] : bytes[1];
}

const struct bl_isa bl_isa_riscv = {
    .literal = 2,
    .shift = 1,
    .find = find,
    .write = write,
    .read = read,
    .after = after,
    .opcode = opcode,
};
