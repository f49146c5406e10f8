/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64. Instructions are as long as they are, up to 15 bytes: they are taken
 * apart into units of at most four bytes, so that a distance of 32 bits (call,
 * jump, RIP-relative operand) is a unit of its own. A distance counts from the
 * end of its field: up to four bytes of an immediate behind it are left out,
 * which is near enough for the map.
 */
#include "site.h"

enum {
    INSTRUCTION = 15, /* bytes of the longest */
    NO_FIELD = 255
};

/* What follows an opcode. */
enum {
    NOTHING,
    MODRM,
    MODRM_8,  /* and one byte */
    MODRM_32, /* and four, or two */
    BYTE_1,
    BYTES_4,
    BYTES_2,
    NEAR_8,  /* distance of one byte */
    NEAR_32, /* of four */
    GROUP_3  /* F6, F7: an immediate for two of eight operations */
};

static const uint8_t one_byte[128] = {
    0x11, 0x11, 0x54, 0x00, 0x11, 0x11, 0x54, 0x00, 0x11, 0x11, 0x54, 0x00,
    0x11, 0x11, 0x54, 0x00, 0x11, 0x11, 0x54, 0x00, 0x11, 0x11, 0x54, 0x00,
    0x11, 0x11, 0x54, 0x00, 0x11, 0x11, 0x54, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x10, 0x00, 0x00, 0x35, 0x24, 0x00, 0x00, 0x77, 0x77, 0x77, 0x77,
    0x77, 0x77, 0x77, 0x77, 0x32, 0x22, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x54, 0x00, 0x00, 0x00, 0x44, 0x44, 0x44, 0x44, 0x55, 0x55, 0x55, 0x55,
    0x22, 0x06, 0x00, 0x32, 0x00, 0x06, 0x40, 0x00, 0x11, 0x11, 0x00, 0x00,
    0x11, 0x11, 0x11, 0x11, 0x77, 0x77, 0x44, 0x44, 0x88, 0x70, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x99, 0x00, 0x00, 0x00, 0x11,
};
static const uint8_t two_byte[128] = {
    0x11, 0x11, 0x01, 0x10, 0x00, 0x01, 0x11, 0x10, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x11, 0x01,
    0x11, 0x11, 0x11, 0x11, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x00, 0x10, 0x12, 0x11,
    0x00, 0x10, 0x12, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x12, 0x11, 0x11,
    0x11, 0x12, 0x22, 0x12, 0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
};

struct reader {
    struct bl_view *v;
    uint32_t at, n;       /* of the instruction, bytes read */
    uint32_t operand;     /* bytes of an immediate of full size */
    bool wide;            /* REX.W */
    uint32_t field, call; /* where a distance of 32 bits is */
};

static uint32_t take(struct reader *r)
{
    return bl_view_byte(r->v, r->at + r->n++);
}

static uint32_t row(const uint8_t *table, uint32_t opcode)
{
    return (uint32_t)table[opcode >> 1] >> (opcode & 1 ? 4 : 0) & 15U;
}

static bool is_prefix(uint32_t b)
{
    return b == 0x66 || b == 0x67 || b == 0xF0 || b == 0xF2 || b == 0xF3 ||
           (b & 0xE7) == 0x26 || (b & 0xFE) == 0x64;
}

/* Operand byte, index byte, displacement; its register field is returned. */
static uint32_t operand(struct reader *r)
{
    uint32_t b = take(r);
    uint32_t mod = b >> 6;
    uint32_t rm = b & 7;

    if (mod == 3) {
        return b >> 3 & 7;
    }
    if (rm == 4) {
        uint32_t base = take(r) & 7;

        if (mod == 0 && base == 5) {
            r->n += 4;
        }
    } else if (mod == 0 && rm == 5) {
        r->field = r->n;
        r->n += 4;
    }
    r->n += mod == 1 ? 1 : mod == 2 ? 4 : 0;
    return b >> 3 & 7;
}

static void arguments(struct reader *r, uint32_t what, uint32_t opcode)
{
    uint32_t reg = 0;

    if (what == MODRM || what == MODRM_8 || what == MODRM_32 ||
        what == GROUP_3) {
        reg = operand(r);
    }
    switch (what) {
    case MODRM_8:
    case BYTE_1:
    case NEAR_8:
        r->n++;
        break;
    case MODRM_32:
        r->n += r->operand;
        break;
    case BYTES_4:
        r->n += r->wide && (opcode & 0xF8) == 0xB8 ? 8 : r->operand;
        break;
    case BYTES_2:
        r->n += 2;
        break;
    case NEAR_32:
        r->field = r->n;
        r->call = 1;
        r->n += 4;
        break;
    case GROUP_3:
        r->n += reg > 1 ? 0 : (opcode & 1) != 0 ? r->operand : 1;
        break;
    default:
        break;
    }
}

/* Opcodes behind 0F, or of a VEX or EVEX map. */
static void more(struct reader *r, uint32_t map)
{
    uint32_t opcode = take(r);

    if (map == 1 && opcode == 0x38) {
        map = 2;
        opcode = take(r);
    } else if (map == 1 && opcode == 0x3A) {
        map = 3;
        opcode = take(r);
    }
    arguments(r,
              map == 1   ? row(two_byte, opcode)
              : map == 3 ? (uint32_t)MODRM_8
                         : (uint32_t)MODRM,
              opcode);
}

static void instruction(struct reader *r)
{
    uint32_t b = take(r);

    r->operand = 4;
    r->field = NO_FIELD;
    while (is_prefix(b) && r->n < INSTRUCTION) {
        r->operand = b == 0x66 ? 2 : r->operand;
        b = take(r);
    }
    if ((b & 0xF0) == 0x40) {
        r->wide = (b & 8) != 0;
        b = take(r);
    }
    if (b == 0x0F) {
        more(r, 1);
    } else if (b == 0xC5) {
        r->n++;
        more(r, 1);
    } else if (b == 0xC4) {
        uint32_t map = take(r) & 31;

        r->n++;
        more(r, map);
    } else if (b == 0x62) {
        uint32_t map = take(r) & 7;

        r->n += 2;
        more(r, map);
    } else if ((b & 0xFC) == 0xA0) {
        r->n += 8;
    } else {
        arguments(r, row(one_byte, b), b);
    }
}

/* A short jump: opcode and distance are one unit. */
static bool find_short(struct bl_site *s)
{
    if (row(one_byte, s->word & 0xFF) != NEAR_8) {
        return false;
    }
    s->length = 2;
    s->kind = BL_SITE_LOCAL;
    s->target = s->address + 2 + (uint32_t)bl_sign(s->word >> 8, 8);
    return true;
}

static void begin(struct bl_view *v, uint32_t at, struct bl_pieces *p)
{
    struct reader r = {0};

    r.v = v;
    r.at = at;
    instruction(&r);
    p->at = at;
    p->left = (uint8_t)r.n;
    p->field = (uint8_t)r.field;
    p->call = r.call != 0;
}

static void find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                 struct bl_site *s)
{
    struct bl_pieces *p = &w->pieces;
    uint32_t n;

    if (p->left == 0 || p->at != at) {
        if (find_short(s)) {
            return;
        }
        begin(v, at, p);
    }
    n = p->field != 0 && p->field < p->left ? p->field : p->left;
    n = n < BL_SITE_UNIT ? n : (uint32_t)BL_SITE_UNIT;
    if (p->field == 0) {
        s->kind = BL_SITE_CALL;
        s->target = s->address + 4 + s->word;
        n = 4;
    }
    s->length = (uint8_t)n;
    p->at += n;
    p->left = (uint8_t)(p->left - n);
    p->field = p->field == 0 || p->field == NO_FIELD ? (uint8_t)NO_FIELD
                                                     : (uint8_t)(p->field - n);
}

static bool write(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint32_t *word)
{
    uint32_t d = target - address;

    (void)w;
    if (s->kind == BL_SITE_CALL) {
        *word = d - 4;
        return true;
    }
    if (!bl_fits((int32_t)(d - 2), 8)) {
        return false;
    }
    *word = (*word & ~0xFF00U) | ((d - 2) & 0xFF) << 8;
    return true;
}

#if BL_DELTA_ENCODE
static bool read(const struct bl_site *s, uint32_t address, uint32_t word,
                 uint32_t *target)
{
    (void)s;
    *target = address + 4 + word;
    return true;
}

#endif

static uint8_t opcode(uint32_t word, uint32_t n)
{
    return (uint8_t)(n > 1 && (word & 0xF0) == 0x40 ? word >> 8 : word);
}

const struct bl_isa bl_isa_x86_64 = {
    .literal = 1,
    .dense = true,
    .forms = &bl_form_none,
    .find = find,
    .write = write,
#if BL_DELTA_ENCODE
    .read = read,
#endif
    .opcode = opcode,
};
