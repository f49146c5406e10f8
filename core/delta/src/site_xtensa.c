/* SPDX-License-Identifier: Apache-2.0 */
/* Xtensa: instructions of 3 bytes, of 2 with code density. Wider bundles of
 * the ESP32-S3 are walked as 3 bytes and find themselves again. */
#include "site.h"

enum { OP_L32R = 1, OP_CALL = 5, OP_JUMP = 6, OP_BRANCH = 7, OP_SHORT = 12 };

enum { N_BRANCH_ZERO = 1, N_BRANCH_IMMEDIATE = 2, N_OTHER = 3 };

static void set(struct bl_site *s, uint32_t kind, uint32_t target)
{
    s->kind = (uint8_t)kind;
    s->target = target;
}

static uint32_t l32r_target(uint32_t word, uint32_t address)
{
    return ((address + 3) & ~3U) + ((0xFFFF0000U | word >> 8) << 2);
}

static uint32_t call_target(uint32_t word, uint32_t address)
{
    return (address & ~3U) + ((uint32_t)bl_sign(word >> 6, 18) << 2) + 4;
}

/* Of opcode 6: BEQZ and its kin have 12 bits, others 8, some none. 0: none;
 * LOOP (forward only) counts as 9 bits. */
static uint32_t branch_bits(uint32_t word)
{
    uint32_t n = word >> 4 & 3;
    uint32_t m = word >> 6 & 3;
    uint32_t r = word >> 12 & 15;

    if (n == N_BRANCH_ZERO) {
        return 12;
    }
    if (n == N_BRANCH_IMMEDIATE || (n == N_OTHER && m >= 2)) {
        return 8;
    }
    if (n == N_OTHER && m == 1) {
        return r <= 1 ? 8 : r >= 8 && r <= 10 ? 9 : 0;
    }
    return 0;
}

static uint32_t branch_target(uint32_t word, uint32_t bits, uint32_t address)
{
    uint32_t d = bits == 12  ? (uint32_t)bl_sign(word >> 12, 12)
                 : bits == 8 ? (uint32_t)bl_sign(word >> 16, 8)
                             : word >> 16;

    return address + 4 + d;
}

static void find_jump(uint32_t word, uint32_t address, struct bl_site *s)
{
    uint32_t bits;

    if ((word >> 4 & 3) == 0) {
        set(s, BL_SITE_JUMP, address + 4 + (uint32_t)bl_sign(word >> 6, 18));
        return;
    }
    bits = branch_bits(word);
    if (bits != 0) {
        set(s, BL_SITE_LOCAL, branch_target(word, bits, address));
    }
}

static void find(struct bl_view *v, uint32_t at, uint32_t address,
                 struct bl_sweep *w, struct bl_site *s)
{
    uint32_t word = bl_view_half(v, at);
    uint32_t op = word & 15;

    (void)w;
    if (op >= 8 && op <= 13) {
        s->length = 2;
        if (op == OP_SHORT && (word & 0x80) != 0) {
            set(s, BL_SITE_LOCAL,
                address + 4 + ((word >> 4 & 3) << 4 | word >> 12));
        }
        return;
    }
    s->length = 3;
    word |= (uint32_t)bl_view_byte(v, at + 2) << 16;
    if (op == OP_L32R) {
        set(s, BL_SITE_L32R, l32r_target(word, address));
    } else if (op == OP_CALL) {
        set(s, BL_SITE_CALL, call_target(word, address));
    } else if (op == OP_JUMP) {
        find_jump(word, address, s);
    } else if (op == OP_BRANCH) {
        set(s, BL_SITE_LOCAL, branch_target(word, 8, address));
    }
}

static uint32_t get3(const uint8_t *bytes)
{
    return bl_get2(bytes) | (uint32_t)bytes[2] << 16;
}

static bool write_l32r(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - ((address + 3) & ~3U);

    if ((d & 3) != 0 || d >> 18 != 0x3FFF) {
        return false;
    }
    bl_set(bytes + 1, d >> 2, 2);
    return true;
}

static bool write_call(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - 4 - (address & ~3U);

    if ((d & 3) != 0 || !bl_fits((int32_t)d, 20)) {
        return false;
    }
    bl_set(bytes, (get3(bytes) & 0x3F) | (d >> 2 & 0x3FFFF) << 6, 3);
    return true;
}

static bool write_jump(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - address - 4;

    if (!bl_fits((int32_t)d, 18)) {
        return false;
    }
    bl_set(bytes, (get3(bytes) & 0x3F) | (d & 0x3FFFF) << 6, 3);
    return true;
}

static bool write_local(uint8_t *bytes, uint32_t address, uint32_t target)
{
    uint32_t d = target - address - 4;
    uint32_t word = get3(bytes);
    uint32_t op = word & 15;
    uint32_t bits = op == OP_BRANCH ? 8 : branch_bits(word);

    if (op == OP_SHORT) {
        if (d > 63) {
            return false;
        }
        bl_set(bytes, (word & 0x0FCF) | (d >> 4 & 3) << 4 | (d & 15) << 12, 2);
        return true;
    }
    if (bits == 9 ? d > 255 : !bl_fits((int32_t)d, bits)) {
        return false;
    }
    if (bits == 12) {
        bl_set(bytes, (word & 0xFFF) | (d & 0xFFF) << 12, 3);
    } else {
        bl_set(bytes + 2, d, 1);
    }
    return true;
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint8_t *bytes)
{
    (void)w;
    switch (s->kind) {
    case BL_SITE_L32R:
        return write_l32r(bytes, address, target);
    case BL_SITE_CALL:
        return write_call(bytes, address, target);
    case BL_SITE_JUMP:
        return write_jump(bytes, address, target);
    case BL_SITE_LOCAL:
        return write_local(bytes, address, target);
    default:
        return false;
    }
}

static bool read(const struct bl_site *s, uint32_t address,
                 const uint8_t *bytes, uint32_t *target)
{
    uint32_t word = get3(bytes);

    if (s->kind == BL_SITE_L32R && (word & 15) == OP_L32R) {
        *target = l32r_target(word, address);
        return true;
    }
    if (s->kind == BL_SITE_CALL && (word & 15) == OP_CALL) {
        *target = call_target(word, address);
        return true;
    }
    return false;
}

static uint8_t opcode(const uint8_t *bytes, uint32_t n)
{
    (void)n;
    return bytes[0];
}

const struct bl_isa bl_isa_xtensa = {
    .literal = 1,
    .shift = 2,
    .find = find,
    .write = write,
    .read = read,
    .opcode = opcode,
};
