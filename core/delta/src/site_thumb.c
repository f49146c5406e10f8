/* SPDX-License-Identifier: Apache-2.0 */
/* Thumb and Thumb-2: Armv6-M to Armv8-M, and armhf code of Linux. Names of
 * fields are those of the Arm ARM's encodings (S, J1, J2, imm10, imm11). */
#include "site.h"

enum {
    PAIR_REACH = 16, /* bytes between MOVW and its MOVT, at most */
    MOVE_MASK = 0xFBF0,
    MOVW = 0xF240,
    MOVT = 0xF2C0
};

static uint32_t load_base(uint32_t address)
{
    return (address + 4) & ~3U;
}

/* BL, BLX, B.W: is `low` the second half of one of them? */
static bool is_call(uint32_t high, uint32_t low)
{
    return (high & 0xF800) == 0xF000 && (low & 0x8000) != 0 &&
           ((low & 0xD000) == 0xD000 || (low & 0xD000) == 0x9000 ||
            (low & 0xD001) == 0xC000);
}

/* BLX goes to Arm code, at a multiple of 4. */
static uint32_t call_base(uint32_t address, uint32_t low)
{
    return (low & 0xD001) == 0xC000 ? load_base(address) : address + 4;
}

static uint32_t call_target(uint32_t high, uint32_t low, uint32_t address)
{
    uint32_t s = bl_bit(high, 10);
    uint32_t i1 = 1U ^ bl_bit(low, 13) ^ s;
    uint32_t i2 = 1U ^ bl_bit(low, 11) ^ s;
    uint32_t field = s << 24 | i1 << 23 | i2 << 22 | (high & 0x3FF) << 12 |
                     (low & 0x7FF) << 1;

    return call_base(address, low) + (uint32_t)bl_sign(field, 25);
}

static uint32_t branch_target(uint32_t high, uint32_t low, uint32_t address)
{
    uint32_t field = bl_bit(high, 10) << 20 | bl_bit(low, 11) << 19 |
                     bl_bit(low, 13) << 18 | (high & 0x3F) << 12 |
                     (low & 0x7FF) << 1;

    return address + 4 + (uint32_t)bl_sign(field, 21);
}

/* The 16 bits of MOVW or MOVT. */
static uint32_t move_value(uint32_t high, uint32_t low)
{
    return (high & 15) << 12 | bl_bit(high, 10) << 11 | (low >> 12 & 7) << 8 |
           (low & 0xFF);
}

static bool is_move(uint32_t high, uint32_t low, uint32_t which)
{
    return (high & MOVE_MASK) == which && (low & 0x8000) == 0;
}

static void set(struct bl_site *s, uint32_t kind, uint32_t target)
{
    s->kind = (uint8_t)kind;
    s->target = target;
}

/* The other half of a whole address: MOVT follows MOVW. */
static void find_half(struct bl_view *v, uint32_t at, uint32_t high,
                      uint32_t low, struct bl_site *s)
{
    bool first = (high & MOVE_MASK) == MOVW;
    uint32_t k;

    for (k = 4; k <= PAIR_REACH && (first || k <= at); k += 2) {
        uint32_t other = first ? at + k : at - k;
        uint32_t h = bl_view_half(v, other);
        uint32_t l;

        if ((h & MOVE_MASK) != (first ? MOVT : MOVW)) {
            continue;
        }
        l = bl_view_half(v, other + 2);
        if (((l ^ low) & 0x8F00) == 0) {
            uint32_t mine = move_value(high, low);
            uint32_t its = move_value(h, l);

            set(s, BL_SITE_HALF, first ? its << 16 | mine : mine << 16 | its);
            return;
        }
    }
}

static void find_long(struct bl_view *v, uint32_t at, uint32_t address,
                      uint32_t high, struct bl_site *s)
{
    uint32_t low = bl_view_half(v, at + 2);

    s->length = 4;
    if (is_call(high, low)) {
        set(s, BL_SITE_CALL, call_target(high, low, address));
    } else if ((high & 0xF800) == 0xF000 && (low & 0xD000) == 0x8000 &&
               (high >> 6 & 15) < 14) {
        set(s, BL_SITE_BRANCH, branch_target(high, low, address));
    } else if ((high & 0xFF7F) == 0xF85F) {
        uint32_t d = low & 0xFFF;
        uint32_t base = load_base(address);

        set(s, BL_SITE_LOAD, (high & 0x80) != 0 ? base + d : base - d);
    } else if (is_move(high, low, MOVW) || is_move(high, low, MOVT)) {
        find_half(v, at, high, low, s);
    }
}

static void find_short(uint32_t address, uint32_t op, struct bl_site *s)
{
    s->length = 2;
    if (op >> 12 == 0xD && (op >> 8 & 15) < 14) {
        set(s, BL_SITE_LOCAL, address + 4 + ((uint32_t)bl_sign(op, 8) << 1));
    } else if (op >> 11 == 0x1C) {
        set(s, BL_SITE_JUMP, address + 4 + ((uint32_t)bl_sign(op, 11) << 1));
    } else if ((op & 0xF500) == 0xB100) {
        uint32_t d = bl_bit(op, 9) << 5 | (op >> 3 & 31);

        set(s, BL_SITE_LOCAL, address + 4 + (d << 1));
    } else if (op >> 11 == 9 || op >> 11 == 0x14) {
        set(s, BL_SITE_LOAD, load_base(address) + ((op & 0xFF) << 2));
    }
}

#if BL_DELTA_PIC

/* Stubs of Linux programs to functions of libraries are A32 code: ADD ip, pc,
 * #a << 20; ADD ip, ip, #b << 12; LDR pc, [ip, #c]!. Which of the three is it?
 * 3: none. */
static uint32_t stub_part(uint32_t word)
{
    return word >> 8 == 0xE28FC6   ? 0
           : word >> 8 == 0xE28CCA ? 1
           : word >> 12 == 0xE5BCF ? 2
                                   : 3;
}

static bool find_stub(struct bl_view *v, uint32_t at, uint32_t address,
                      struct bl_site *s)
{
    uint32_t part = stub_part(bl_view_word(v, at));
    uint32_t first = at - 4 * part;

    if (part == 3 || at < 4 * part || stub_part(bl_view_word(v, first)) != 0 ||
        stub_part(bl_view_word(v, first + 4)) != 1 ||
        stub_part(bl_view_word(v, first + 8)) != 2) {
        return false;
    }
    s->length = 4;
    s->kind = part < 2 ? BL_SITE_HIGH : BL_SITE_LOW;
    s->target = address - 4 * part + 8 +
                ((bl_view_word(v, first) & 0xFF) << 20) +
                ((bl_view_word(v, first + 4) & 0xFF) << 12) +
                (bl_view_word(v, first + 8) & 0xFFF);
    return true;
}

static bool write_stub(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t word = bl_get4(bytes);
    uint32_t part = stub_part(word);
    uint32_t d = target - (address - 4 * part + 8);

    if (d >> 28 != 0) {
        return false;
    }
    bl_set(bytes,
           part == 2 ? (word & ~0xFFFU) | (d & 0xFFF)
                     : (word & ~0xFFU) | (d >> (part == 0 ? 20 : 12) & 0xFF),
           4);
    return true;
}

#endif

static void find(struct bl_view *v, uint32_t at, uint32_t address,
                 struct bl_sweep *w, struct bl_site *s)
{
    uint32_t op;

    (void)w;
    if ((address & 1) != 0) {
        return;
    }
#if BL_DELTA_PIC
    if (v->code->pic && (address & 3) == 0 && find_stub(v, at, address, s)) {
        return;
    }
#endif
    op = bl_view_half(v, at);
    if (op >> 11 >= 0x1D) {
        find_long(v, at, address, op, s);
    } else {
        find_short(address, op, s);
    }
}

static void set_halves(uint8_t *bytes, uint32_t high, uint32_t low)
{
    bl_set(bytes, high, 2);
    bl_set(bytes + 2, low, 2);
}

static bool write_call(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t low = bl_get2(bytes + 2);
    uint32_t d = target - call_base(address, low);
    uint32_t s = bl_bit(d, 24);

    if (!bl_fits((int32_t)d, 25) || (d & 1) != 0) {
        return false;
    }
    set_halves(bytes, 0xF000 | s << 10 | (d >> 12 & 0x3FF),
               (low & 0xD000) | (1U ^ s ^ bl_bit(d, 23)) << 13 |
                   (1U ^ s ^ bl_bit(d, 22)) << 11 | (d >> 1 & 0x7FF));
    return true;
}

static bool write_branch(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - (address + 4);

    if (!bl_fits((int32_t)d, 21) || (d & 1) != 0) {
        return false;
    }
    set_halves(bytes,
               (bl_get2(bytes) & 0xFBC0) | bl_bit(d, 20) << 10 |
                   (d >> 12 & 0x3F),
               (bl_get2(bytes + 2) & 0xD000) | bl_bit(d, 18) << 13 |
                   bl_bit(d, 19) << 11 | (d >> 1 & 0x7FF));
    return true;
}

static bool write_load(const struct bl_site *s, uint8_t *bytes,
                       uint32_t address, uint32_t target)
{
    int32_t d = (int32_t)(target - load_base(address));
    uint32_t op = bl_get2(bytes);

    if (s->length == 2) {
        if (d < 0 || d > 1020 || (d & 3) != 0) {
            return false;
        }
        bl_set(bytes, (op & 0xFF00) | (uint32_t)d >> 2, 2);
        return true;
    }
    if (d < -4095 || d > 4095) {
        return false;
    }
    set_halves(bytes, (op & ~0x80U) | (d >= 0 ? 0x80U : 0U),
               (bl_get2(bytes + 2) & 0xF000) | (uint32_t)(d < 0 ? -d : d));
    return true;
}

static bool write_half(uint8_t *bytes, uint32_t target)
{
    uint32_t high = bl_get2(bytes) & MOVE_MASK;
    uint32_t value = high == MOVW ? target & 0xFFFF : target >> 16;

    set_halves(bytes, high | value >> 12 | bl_bit(value, 11) << 10,
               (bl_get2(bytes + 2) & 0x8F00) | (value >> 8 & 7) << 12 |
                   (value & 0xFF));
    return true;
}

static bool write_jump(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - (address + 4);

    if (!bl_fits((int32_t)d, 12) || (d & 1) != 0) {
        return false;
    }
    bl_set(bytes, (bl_get2(bytes) & 0xF800) | (d >> 1 & 0x7FF), 2);
    return true;
}

/* B<c>, CBZ, CBNZ */
static bool write_local(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - (address + 4);
    uint32_t op = bl_get2(bytes);

    if ((d & 1) != 0) {
        return false;
    }
    if (op >> 12 == 0xD) {
        if (!bl_fits((int32_t)d, 9)) {
            return false;
        }
        bl_set(bytes, (op & 0xFF00) | (d >> 1 & 0xFF), 2);
        return true;
    }
    if (d > 126) {
        return false;
    }
    bl_set(bytes, (op & 0xFD07) | bl_bit(d, 6) << 9 | (d >> 1 & 31) << 3, 2);
    return true;
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint8_t *bytes)
{
    (void)w;
    switch (s->kind) {
    case BL_SITE_CALL:
        return write_call(bytes, address, target);
    case BL_SITE_BRANCH:
        return write_branch(bytes, address, target);
    case BL_SITE_LOAD:
        return write_load(s, bytes, address, target);
    case BL_SITE_HALF:
        return write_half(bytes, target);
    case BL_SITE_JUMP:
        return write_jump(bytes, address, target);
    case BL_SITE_LOCAL:
        return write_local(bytes, address, target);
#if BL_DELTA_PIC
    case BL_SITE_HIGH:
    case BL_SITE_LOW:
        return write_stub(bytes, address, target);
#endif
    default:
        return false;
    }
}

static bool read(const struct bl_site *s, uint32_t address,
                 const uint8_t *bytes, uint32_t *target)
{
    uint32_t high = bl_get2(bytes);
    uint32_t low = bl_get2(bytes + 2);

    (void)s;
    if (!is_call(high, low)) {
        return false;
    }
    *target = call_target(high, low, address);
    return true;
}

static uint8_t opcode(const uint8_t *bytes, uint32_t n)
{
    return n == 1 ? bytes[0] : bytes[1];
}

const struct bl_isa bl_isa_thumb = {
    .literal = 2,
    .shift = 1,
    .thumb = 1,
    .order = 1,
    .find = find,
    .write = write,
    .read = read,
    .opcode = opcode,
};
