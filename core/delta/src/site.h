/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites: the places in an image that refer to an address. A walk goes from
 * unit to unit (an instruction, a word of data, a byte); each unit may be a
 * site. When code has moved, the decoder finds the target of a site of the old
 * image, maps it, and writes the instruction anew: so a reference costs no
 * patch bytes as long as the map is right.
 */
#ifndef BL_DELTA_SITE_H
#define BL_DELTA_SITE_H

#include "view.h"

enum bl_site_kind {
    BL_SITE_NONE,
    BL_SITE_POINTER,  /* word: address in the image (Thumb: bit 0 kept) */
    BL_SITE_RAM,      /* word: address in RAM */
    BL_SITE_RELATIVE, /* word: distance from itself (PIC, .eh_frame) */
    BL_SITE_TABLE,    /* word: distance from its table (.eh_frame_hdr) */
    BL_SITE_SYMBOL,   /* word: number of a dynamic symbol */
    BL_SITE_CALL,     /* far call or jump: BL, B.W, JAL, CALLn */
    BL_SITE_BRANCH,   /* far conditional branch: Thumb B<c>.W */
    BL_SITE_LOAD,     /* load or address of a near literal: LDR, ADR */
    BL_SITE_L32R,     /* load of a shared far literal: Xtensa L32R */
    BL_SITE_HALF,     /* one of a pair with a whole address: MOVW or MOVT */
    BL_SITE_HIGH,     /* upper part of a pair: LUI, AUIPC */
    BL_SITE_LOW,      /* its lower part */
    BL_SITE_JUMP,     /* near jump: B, C.J, Xtensa J */
    BL_SITE_LOCAL,    /* short branch */
    BL_SITE_KINDS
};

/* Sets of kinds. */
#define BL_KIND(kind) (1U << (kind))
#define BL_KINDS_NEAR                                                         \
    (BL_KIND(BL_SITE_BRANCH) | BL_KIND(BL_SITE_LOAD) |                        \
     BL_KIND(BL_SITE_JUMP) | BL_KIND(BL_SITE_LOCAL))

/* Kinds that behave alike, for statistics: 0 .. BL_SITE_CLASSES - 1. */
enum { BL_SITE_CLASSES = 8, BL_SITE_UNIT = 4 /* bytes of the longest unit */ };

struct bl_site {
    uint8_t length; /* bytes of the unit, 1 .. BL_SITE_UNIT; site or not */
    uint8_t kind;
    uint32_t target;  /* address, of the image that was walked */
    uint8_t role;     /* of BL_SITE_SYMBOL: enum bl_role */
    uint32_t word;    /* the four bytes from there on, though it be shorter */
    uint32_t address; /* of the unit */
};

/* Registers that were given the upper part of an address not long ago. */
enum { BL_HIGHS = 8 };

struct bl_high {
    uint32_t at;    /* offset of the instruction */
    uint32_t value; /* that it gave, by the image that is walked */
    uint32_t now;   /* and as put out into the new image; 0: not known */
    uint8_t reg;    /* 0: entry not used */
    bool relative;  /* to its own address */
};

/* An instruction that is taken in several units: the next one is at `at`. */
struct bl_pieces {
    uint32_t at;
    uint8_t left;  /* bytes of it that are to come */
    uint8_t field; /* bytes to a distance of 32 bits; 255: there is none */
    bool call;     /* the distance is a call's or a jump's */
};

/* What a walk remembers; begun anew for each copy. */
struct bl_sweep {
    struct bl_pieces pieces;
    uint32_t next; /* entry that is given up next */
    uint32_t held; /* bit reg % 32: an entry holds it */
    struct bl_high high[BL_HIGHS];
};

/* Instructions whose bits under `mask` are `match`: a distance in them. Its
 * bits stand in pieces; those above `bits` are as the highest one. */
struct bl_form {
    uint32_t mask, match;
    const uint16_t *pieces;
    uint8_t kind; /* BL_SITE_NONE: there is none */
    uint8_t bits;
    uint8_t how; /* what it counts from */
};

enum {
    BL_FORM_AHEAD = 7,    /* mask: bytes from the address */
    BL_FORM_ALIGNED = 24, /* down to a multiple of four then */
    BL_FORM_BACK = 32,    /* 2^18 less: 16 bits of words, all negative */
    BL_FORM_TWIST = 64
};

/* `count` bits of the distance from bit `value` on stand in the word from bit
 * `word` on. */
#define BL_PIECE(value, word, count)                                          \
    ((uint16_t)((value) | (word) << 5 | (count) << 10))
#define BL_PIECE_LAST 0x8000U
#define BL_LAST_PIECE(value, word, count)                                     \
    ((uint16_t)(BL_PIECE(value, word, count) | BL_PIECE_LAST))

/* One instruction set. Functions may be NULL where it has no such thing. */
struct bl_isa {
    uint8_t literal; /* bytes of a unit of new code: 1, 2 or 4 */
    uint8_t shift;   /* calls go to multiples of 1 << shift */
    uint8_t thumb;   /* 1: bit 0 of an address tells the state */
    bool dense;      /* no words of data among the code */
    uint8_t order;   /* n-th byte of a unit of 2 or 4 to be coded: n ^ order */
    /* The last one is bl_form_none. */
    const struct bl_form *forms;
    /* Bit i: a word may be of a form when its bits from `select` on are i. */
    uint32_t may;
    uint8_t select;
    /* Bit i: words of such bits from `select` on, at an address that is a
     * multiple of `grain`, are no sites and leave the sweep as it is; are
     * units of size[1] bytes, not of size[0]. size 0: nothing is known so. */
    uint32_t never, longer;
    uint8_t size[2], grain;
    /* As much for more of them: their size; 0: look closer, with `find`.
     * NULL: always. */
    uint32_t (*skip)(const struct bl_sweep *w, uint32_t word);
    /* The unit at `at` that is no word site; only asked where there is code.
     * `s` has its word and address, length 1 and kind BL_SITE_NONE. */
    void (*find)(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                 struct bl_site *s);
    /* Writes the instruction *word (as found) anew so that it refers to
     * `target` from `address`. False: the distance does not fit. Only asked
     * for those of no form. */
    bool (*write)(const struct bl_site *s, uint32_t address, uint32_t target,
                  const struct bl_sweep *w, uint32_t *word);
#if BL_DELTA_ENCODE
    /* The target of new bytes if they are of the kind of `s`: asked for
     * kinds CALL and L32R. NULL: all of them are forms. */
    bool (*read)(const struct bl_site *s, uint32_t address, uint32_t word,
                 uint32_t *target);
#endif
    /* The unit `was` of old offset `at` has become `now` at `address`. */
    void (*after)(struct bl_sweep *w, uint32_t at, uint32_t address,
                  uint32_t was, uint32_t now);
    /* A byte that tells what a unit of n bytes does, for contexts. */
    uint8_t (*opcode)(uint32_t word, uint32_t n);
};

/* NULL: not in this build. */
const struct bl_isa *bl_isa_of(uint32_t isa);

void bl_sweep_start(struct bl_sweep *w);

/* The entry that holds `reg` (not 0), else the oldest, which does from now on;
 * the entry that holds it, or NULL; none holds it any more. */
struct bl_high *bl_high_take(struct bl_sweep *w, uint32_t reg);
const struct bl_high *bl_high_of(const struct bl_sweep *w, uint32_t reg);
void bl_high_drop(struct bl_sweep *w, uint32_t reg);

static inline bool bl_high_held(const struct bl_sweep *w, uint32_t reg)
{
    return (w->held >> (reg & 31) & 1) != 0;
}

/* The unit at offset `at` (below v->size). Its length may reach beyond the
 * end of the image by up to 3. Calls in order of offsets within a copy. */
void bl_site_find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                  struct bl_site *s);

/* Near targets from .. from + n - 1 move as what refers to them does, so that
 * its bytes stay. The last such unit that was passed over; 0: there was none.
 */
struct bl_stay {
    uint32_t from, n;
    uint32_t word;
    uint8_t length;
};

/* How many bytes from `at` on, below `end`, are units that bl_site_find would
 * find to be no sites, or such as `stay` says, and that leave the sweep as it
 * is; at least three bytes of the image follow `end`. Perhaps not all. */
uint32_t bl_site_skip(struct bl_view *v, uint32_t at, uint32_t end,
                      const struct bl_sweep *w, struct bl_stay *stay);

/* *word, the unit of `s` at `was` (address in the walked image), written anew
 * to refer to `target` from `now`. False: the distance does not fit. */
bool bl_site_write(const struct bl_code *code, const struct bl_site *s,
                   uint32_t was, uint32_t now, uint32_t target,
                   const struct bl_sweep *w, uint32_t *word);

#if BL_DELTA_ENCODE
/* The target of the word that stands at address `now` in place of `s`; false
 * when they are something else or the kind does not tell. */
bool bl_site_read(const struct bl_code *code, const struct bl_site *s,
                  uint32_t now, uint32_t word, uint32_t *target);
#endif

/* What the model asks of a kind: its class, and its group (of flags; not of
 * NONE). */
uint32_t bl_site_traits(uint32_t kind);

static inline uint32_t bl_site_class(uint32_t kind)
{
    return bl_site_traits(kind) & 7;
}

static inline uint32_t bl_site_group(uint32_t kind)
{
    return bl_site_traits(kind) >> 3;
}

/* Of bl_site_find: is s->word, in region `r`, an address or a distance? */
bool bl_site_word(struct bl_view *v, uint32_t at, const struct bl_region *r,
                  struct bl_site *s);

/* False: it is none, for sure. Of a region of code or data, behind
 * bl_view_close. */
bool bl_site_may_word(const struct bl_view *v, const struct bl_region *r,
                      uint32_t address, uint32_t word);

/* RISC-V: the lower part that is used with register `reg` soon after `at`. */
bool bl_riscv_low(struct bl_view *v, uint32_t at, uint32_t reg, int32_t *low);

/* site_form.c: the distance in `word`; `word` with another one. */
uint32_t bl_gather(const struct bl_form *f, uint32_t word);
uint32_t bl_scatter(const struct bl_form *f, uint32_t word, uint32_t value);

/* As find, write and read above, for an instruction set's forms. */
bool bl_form_find(const struct bl_isa *isa, struct bl_site *s);
/* Is it a near site whose target is within n bytes from `from`? */
bool bl_form_near(const struct bl_isa *isa, uint32_t address, uint32_t word,
                  uint32_t from, uint32_t n);
bool bl_form_write(const struct bl_isa *isa, const struct bl_site *s,
                   uint32_t address, uint32_t target, const struct bl_sweep *w,
                   uint32_t *word);
#if BL_DELTA_ENCODE
bool bl_form_read(const struct bl_isa *isa, const struct bl_site *s,
                  uint32_t address, uint32_t word, uint32_t *target);
#endif

extern const struct bl_form bl_form_none;
extern const struct bl_isa bl_isa_plain, bl_isa_thumb, bl_isa_riscv,
    bl_isa_xtensa, bl_isa_aarch64, bl_isa_x86_64;

/* Little-endian values of n bytes. */
uint32_t bl_get(const uint8_t *b, uint32_t n);
void bl_set(uint8_t *b, uint32_t value, uint32_t n);

/* bit n of a value, as 0 or 1 */
static inline uint32_t bl_bit(uint32_t value, uint32_t n)
{
    return value >> n & 1U;
}

/* A distance that a field of `bits` bits (signed) can hold? */
static inline bool bl_fits(int32_t distance, uint32_t bits)
{
    int32_t half = (int32_t)(1U << (bits - 1U));

    return distance >= -half && distance < half;
}

/* The low `bits` bits as a signed number. */
static inline int32_t bl_sign(uint32_t value, uint32_t bits)
{
    uint32_t top = 1U << (bits - 1U);

    return (int32_t)(((value & ((top << 1) - 1U)) ^ top) - top);
}

#endif
