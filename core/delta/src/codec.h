/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec: what both sides know at each point of a patch, and the steps in
 * which they go on. A step takes at most BL_STEP bytes of the patch and puts
 * out at most one unit (or the tail), so the decoder can stop between any two.
 *
 *   regions, RAM ranges, map, RAM map, then for each operation: where from,
 *   how long, its units; behind the last one the tail, if it is recomputed.
 *   Where a deflate stream begins that is coded as one: its old one, and the
 *   operations and units of member.h.
 */
#ifndef BL_DELTA_CODEC_H
#define BL_DELTA_CODEC_H

#include "coder.h"
#include "head.h"
#include "map.h"
#include "member.h"
#include "model.h"
#include "place.h"
#include "site.h"

#if BL_DELTA_ENCODE
#include "encode.h"
#endif

enum {
    BL_FIXED = 3216, /* bytes of struct bl_delta, at most, on any machine */
    BL_OUT = 256,    /* bytes of output that are kept together */
    BL_APART = 4,
    BL_DIFFERENCES = 8,
    BL_TYPES = 3 /* of candidates */
};

enum bl_phase {
    BL_PHASE_REGIONS,
    BL_PHASE_RAMS,
    BL_PHASE_MAP,
    BL_PHASE_RAM_MAP,
    BL_PHASE_PLACE,
    BL_PHASE_LENGTH,
    BL_PHASE_COPY,
    BL_PHASE_LITERAL,
    BL_PHASE_MEMBER,
    BL_PHASE_TAIL,
    BL_PHASE_DONE
};

/* What has been put out: all that contexts look at. */
struct bl_history {
#if BL_DELTA_ENCODE
    uint8_t last;
#endif
    uint32_t unit;      /* the last one */
    uint8_t unit_n;     /* bytes of it */
    uint32_t misses;    /* a bit for each unit: 1: prediction was wrong */
    uint32_t windows;   /* a bit each */
    uint32_t change[5]; /* new - predicted, of the last changed unit of n */
    uint8_t candidates[BL_TYPES * BL_SITE_CLASSES]; /* 1: was wrong */
    uint32_t difference[3][BL_DIFFERENCES]; /* units of 2, 3, 4; 0: none */
    uint8_t difference_hits[3];
};

/* Counters of single decisions. */
struct bl_choices {
    bl_counter operation[16];
    bl_counter target[2];
    bl_counter difference[3][12];
};

/* Addresses from .. from + n - 1 of the old image, as last looked up: all of
 * them are moved `by` and are of map entry `entry`. */
struct bl_kept {
    uint32_t from, n, by, entry;
};

/* What is used most comes first, large tables last: code is shorter so. */
struct bl_codec {
    struct bl_coder rc;
    uint8_t phase, field;
    bool literal; /* the operation, and the one before while reading it */
    uint8_t sum;  /* of what was put out: ESP's checksum */
    uint8_t clip; /* in place: bytes of the next unit that are there already */
    uint16_t flags; /* of the head; those of the tail go with it */
    bl_status status;
    uint32_t position; /* in the new image */
    const struct bl_isa *isa;
    uint32_t from;            /* in the old image */
    uint32_t apart[BL_APART]; /* old - new of the last copies, newest first */
    uint32_t left;            /* of the operation */
    uint32_t raw;    /* of a copy: single bytes before whole units again;
                        of a literal: how far before it stood, or 0 */
    uint32_t window; /* old offset at which a flag says anew... */
    bool quiet;      /* whether all units up to there are as predicted */
    uint32_t stop;   /* where the operations end (the tail begins) */
    uint32_t place, place_from; /* next start of the map, and its old one */
    uint32_t index;             /* within the phase */
    struct bl_place *paged;     /* in place, else NULL */
    struct bl_view old, now;    /* the new one: regions only */
    struct bl_map map[2];       /* of the image, of RAM */
    struct bl_kept kept[2];     /* of near targets, of parts of addresses */
    struct bl_member *member;   /* NULL: no streams are coded as such */
    struct bl_region *regions;
    struct bl_head head;
    struct bl_code code;
#if BL_DELTA_ENCODE
    const struct bl_plan *plan;
    struct bl_costs *costs;
    uint32_t operation, operation_at; /* of the plan; its first byte */
    uint32_t members;                 /* of the plan that are behind */
#else
    struct bl_sha256 *hash;
    uint32_t written;         /* through io; what is above waits in `out` */
    uint32_t back_at, back_n; /* of the line of the new image */
#endif
    struct bl_history history;
    struct bl_model model;
    struct bl_choices choices;
    union {
        struct {
            struct bl_number region, at[2], shift[2];
        } maps;
        struct {
            struct bl_number literal, copy, seek, again, target[2];
        } operations;
    } number;
    struct bl_sweep sweep;
#if !BL_DELTA_ENCODE
    struct bl_cache cache;
    uint8_t in[BL_INPUT]; /* of rc */
    uint8_t back[BL_LINE];
    uint8_t out[2 * BL_SITE_UNIT + BL_OUT]; /* before it, those before */
#endif
};

/* Sets the pointers into `memory`, as c->head lays it out. */
void bl_codec_link(struct bl_codec *c, void *memory);

/* Sets everything else; behind bl_codec_link, before bl_coder_start. */
void bl_codec_start(struct bl_codec *c);

/* One step; false: done, or c->status is not BL_OK. */
bool bl_codec_step(struct bl_codec *c);

/* --- units (unit.c) --- */

/* Before the first unit of a copy: finds where units begin. */
void bl_unit_start(struct bl_codec *c);
void bl_unit_copy(struct bl_codec *c);
void bl_unit_literal(struct bl_codec *c);

/* --- output (output.c) --- */

#if !BL_DELTA_ENCODE
/* Hands what waits to the caller. */
void bl_put_flush(struct bl_codec *c);
#endif

/* The next n bytes of the new image, the lowest first; more than one are a
 * unit. */
void bl_put(struct bl_codec *c, uint32_t word, uint32_t n);
/* The same, of which only the bytes are remembered. */
#if BL_DELTA_ENCODE
void bl_put_word(struct bl_codec *c, uint32_t word, uint32_t n);
#else
static inline void bl_put_word(struct bl_codec *c, uint32_t word, uint32_t n)
{
    uint32_t at = c->position - c->written;

    bl_set4(c->out + BL_SITE_UNIT + at, word);
    c->position += n;
    if (at + n >= BL_OUT) {
        bl_put_flush(c);
    }
}
#endif
/* The same with n bytes of the old image, all in one window. */
void bl_put_old(struct bl_codec *c, uint32_t from, uint32_t n);
/* The last byte that was put. */
static inline uint32_t bl_last(const struct bl_codec *c)
{
#if BL_DELTA_ENCODE
    return c->history.last;
#else
    return c->out[BL_SITE_UNIT - 1 + (c->position - c->written)];
#endif
}
/* Byte, word at `at` of what was put; at + 1, 4 <= c->position. */
uint8_t bl_now_byte(struct bl_codec *c, uint32_t at);
uint32_t bl_now_word(struct bl_codec *c, uint32_t at);
/* Where the tail is; *n: its length, 0: none. Its start is `size` then. */
uint32_t bl_tail_find(const struct bl_view *now, uint32_t flags, uint32_t *n);
void bl_tail_put(struct bl_codec *c);
#if BL_DELTA_ENCODE
/* The member that begins at c->position, or NULL. */
const struct bl_plan_member *bl_plan_member(const struct bl_codec *c);
/* What is to be done at c->position, below c->stop. */
void bl_plan_operation(struct bl_codec *c, struct bl_operation *said);
#else
/* What a decoder is (delta.c). */
struct bl_codec *bl_delta_codec(struct bl_delta *d);
#endif

#if BL_DELTA_ENCODE
#define BL_ACCOUNT(c, what) ((c)->rc.cost = &(c)->costs->bits256[what])
#define BL_TALLY(c, what) ((c)->costs->what++)
#else
#define BL_ACCOUNT(c, what) ((void)0)
#define BL_TALLY(c, what) ((void)0)
#endif

#endif
