/* SPDX-License-Identifier: Apache-2.0 */
/* Thumb and Thumb-2: Armv6-M to Armv8-M, and armhf code of Linux. Names of
 * fields are those of the Arm ARM's encodings (S, J1, J2, imm10, imm11). */
#include "site.h"

enum {
    PAIR_REACH = 16, /* bytes between MOVW and its MOVT, at most */
    AHEAD = 4,
    AHEAD_ALIGNED = AHEAD | BL_FORM_ALIGNED
};

/* MOVW, MOVT: the first half of the instruction in the low bits. */
#define MOVE_MASK 0x8000FBF0U
#define MOVW 0xF240U
#define MOVT 0xF2C0U

static const uint16_t long_pieces[] = {
    BL_PIECE(24, 10, 1), BL_PIECE(23, 29, 1), BL_PIECE(22, 27, 1),
    BL_PIECE(12, 0, 10), BL_LAST_PIECE(1, 16, 11)};
static const uint16_t branch_pieces[] = {
    BL_PIECE(20, 10, 1), BL_PIECE(19, 27, 1), BL_PIECE(18, 29, 1),
    BL_PIECE(12, 0, 6), BL_LAST_PIECE(1, 16, 11)};
static const uint16_t move_pieces[] = {BL_PIECE(12, 0, 4), BL_PIECE(11, 10, 1),
                                       BL_PIECE(8, 28, 3),
                                       BL_LAST_PIECE(0, 16, 8)};
static const uint16_t zero_pieces[] = {BL_PIECE(6, 9, 1),
                                       BL_LAST_PIECE(1, 3, 5)};
static const uint16_t jump_pieces[] = {BL_LAST_PIECE(1, 0, 11)};
static const uint16_t local_pieces[] = {BL_LAST_PIECE(1, 0, 8)};
static const uint16_t load_pieces[] = {BL_LAST_PIECE(2, 0, 8)};

/* BLX goes to Arm code, at a multiple of 4; BL and B.W; B<c>.W but for what is
 * none; B<c> but for UDF and SVC; B; CBZ, CBNZ; LDR of a literal; ADR. */
static const struct bl_form forms[] = {
    {0xD001F800U, 0xC000F000U, long_pieces, BL_SITE_CALL, 25,
     AHEAD_ALIGNED | BL_FORM_TWIST},
    {0x9000F800U, 0x9000F000U, long_pieces, BL_SITE_CALL, 25,
     AHEAD | BL_FORM_TWIST},
    {0xD000FB80U, 0x8000F380U, NULL, BL_SITE_NONE, 0, 0},
    {0xD000F800U, 0x8000F000U, branch_pieces, BL_SITE_BRANCH, 21, AHEAD},
    {0xFE00, 0xDE00, NULL, BL_SITE_NONE, 0, 0},
    {0xF000, 0xD000, local_pieces, BL_SITE_LOCAL, 9, AHEAD},
    {0xF800, 0xE000, jump_pieces, BL_SITE_JUMP, 12, AHEAD},
    {0xF500, 0xB100, zero_pieces, BL_SITE_LOCAL, 8, AHEAD},
    {0xF800, 0x4800, load_pieces, BL_SITE_LOAD, 11, AHEAD_ALIGNED},
    {0xF800, 0xA000, load_pieces, BL_SITE_LOAD, 11, AHEAD_ALIGNED},
    {0, 0, NULL, BL_SITE_NONE, 0, 0},
};
static const struct bl_form move = {0, 0, move_pieces, BL_SITE_HALF, 17, 0};

static uint32_t load_base(uint32_t address)
{
    return (address + 4) & ~3U;
}

static void set(struct bl_site *s, uint32_t kind, uint32_t target)
{
    s->kind = (uint8_t)kind;
    s->target = target;
}

/* The other half of a whole address: MOVT follows MOVW. */
static void find_half(struct bl_view *v, uint32_t at, uint32_t word,
                      struct bl_site *s)
{
    bool first = (word & MOVE_MASK) == MOVW;
    uint32_t k;

    for (k = 4; k <= PAIR_REACH && (first || k <= at); k += 2) {
        uint32_t other = bl_view_word(v, first ? at + k : at - k);

        if ((other & 0xFBF0) == (first ? MOVT : MOVW) &&
            ((other ^ word) & 0x8F000000U) == 0) {
            uint32_t mine = bl_gather(&move, word);
            uint32_t its = bl_gather(&move, other);

            set(s, BL_SITE_HALF, first ? its << 16 | mine : mine << 16 | its);
            return;
        }
    }
}

/* Of no form: a load with a distance and a sign; halves. */
static void find_long(struct bl_view *v, uint32_t at, struct bl_site *s)
{
    uint32_t word = s->word;
    uint32_t which = word & MOVE_MASK;

    if ((word & 0xFF7F) == 0xF85F) {
        uint32_t d = word >> 16 & 0xFFF;
        uint32_t base = load_base(s->address);

        set(s, BL_SITE_LOAD, (word & 0x80) != 0 ? base + d : base - d);
    } else if (which == MOVW || which == MOVT) {
        find_half(v, at, word, s);
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

static bool find_stub(struct bl_view *v, uint32_t at, struct bl_site *s)
{
    uint32_t part = stub_part(s->word);
    uint32_t first = at - 4 * part;

    if (part == 3 || at < 4 * part || stub_part(bl_view_word(v, first)) != 0 ||
        stub_part(bl_view_word(v, first + 4)) != 1 ||
        stub_part(bl_view_word(v, first + 8)) != 2) {
        return false;
    }
    s->length = 4;
    s->kind = part < 2 ? BL_SITE_HIGH : BL_SITE_LOW;
    s->target = s->address - 4 * part + 8 +
                ((bl_view_word(v, first) & 0xFF) << 20) +
                ((bl_view_word(v, first + 4) & 0xFF) << 12) +
                (bl_view_word(v, first + 8) & 0xFFF);
    return true;
}

static bool write_stub(uint32_t *word, uint32_t address, uint32_t target)
{
    uint32_t part = stub_part(*word);
    uint32_t d = target - (address - 4 * part + 8);

    if (d >> 28 != 0) {
        return false;
    }
    *word = part == 2 ? (*word & ~0xFFFU) | (d & 0xFFF)
                      : (*word & ~0xFFU) | (d >> (part == 0 ? 20 : 12) & 0xFF);
    return true;
}

#endif

static void find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                 struct bl_site *s)
{
    (void)w;
    if ((s->address & 1) != 0) {
        return;
    }
#if BL_DELTA_PIC
    if (v->code->pic && (s->address & 3) == 0 && find_stub(v, at, s)) {
        return;
    }
#endif
    s->length = (s->word & 0xFFFF) >> 11 >= 0x1D ? 4 : 2;
    if (!bl_form_find(&bl_isa_thumb, s) && s->length == 4) {
        find_long(v, at, s);
    }
}

/* Long ones that are no branches, loads of a literal, halves, or stubs. */
static uint32_t skip(const struct bl_sweep *w, uint32_t word)
{
    uint32_t op = word >> 11 & 31;
    uint32_t which = word & MOVE_MASK;

    (void)w;
    if (op == 31) {
        return (word & 0xFF7F) == 0xF85F || word >> 12 == 0xE5BCF ? 0 : 4;
    }
    return op != 30 || word >> 31 != 0 || which == MOVW || which == MOVT ? 0
                                                                         : 4;
}

static bool write_load(uint32_t *word, uint32_t address, uint32_t target)
{
    int32_t d = (int32_t)(target - load_base(address));

    if (d < -4095 || d > 4095) {
        return false;
    }
    *word &= 0xF000FF7FU;
    *word |= d < 0 ? (uint32_t)-d << 16 : 0x80 | (uint32_t)d << 16;
    return true;
}

static void write_half(uint32_t *word, uint32_t target)
{
    if ((*word & MOVE_MASK) == MOVT) {
        target >>= 16;
    }
    *word = bl_scatter(&move, *word, target);
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint32_t *word)
{
    (void)w;
    switch (s->kind) {
    case BL_SITE_LOAD:
        return write_load(word, address, target);
    case BL_SITE_HALF:
        write_half(word, target);
        return true;
#if BL_DELTA_PIC
    case BL_SITE_HIGH:
    case BL_SITE_LOW:
        return write_stub(word, address, target);
#endif
    default:
        return false;
    }
}

static uint8_t opcode(uint32_t word, uint32_t n)
{
    return (uint8_t)(n == 1 ? word : word >> 8);
}

const struct bl_isa bl_isa_thumb = {
    .literal = 2,
    .shift = 1,
    .thumb = 1,
    .order = 1,
    .forms = forms,
    .may = 0x5CD00200U,
    .select = 11,
    .never = 0x202FFDFFU,
    .longer = 0xE0000000U,
    .size = {2, 4},
    .grain = 2,
    .skip = skip,
    .find = find,
    .write = write,
    .opcode = opcode,
};
