/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A deflate stream inside the new image, coded as tokens (deflate_code.h):
 * operations over the units of one old stream, as the codec has them over
 * bytes. A copy's distance is a reference like a branch's: when text before
 * it grew, the distance that spans the place grew as much. So the decoder
 * knows by how much each part of the old text moved, and rewrites distances.
 */
#ifndef BL_DELTA_MEMBER_H
#define BL_DELTA_MEMBER_H

#include "deflate_read.h"
#include "deflate_write.h"
#include "model.h"

enum {
    BL_MEMBER_MOVES = 24,
    BL_MEMBER_RESTARTS = 15,
    BL_MEMBER_SKIPS = 64, /* units that one step leaves out */
    BL_MEMBER_SIZE = 1888 /* bytes of struct bl_member at most */
};

/* What an operation gives. */
enum bl_member_kind { BL_MEMBER_NOTHING, BL_MEMBER_UNITS, BL_MEMBER_COPY };

/* Old text from `from` on stands `by` further in the new one. */
struct bl_member_move {
    uint32_t from;
    uint32_t by;
};

/* What is learned, from all members of an image. */
struct bl_member_model {
    struct bl_number literals, copies, skips;
    bl_counter kind[3], whole[2];
};

#if BL_DELTA_ENCODE
struct bl_member_unit {
    uint8_t n;
    uint8_t b[BL_DEFLATE_COPY_SIZE];
};

/* `old`: unit of the old stream, or BL_MEMBER_NEW. */
struct bl_member_operation {
    uint32_t units;
    uint32_t old;
};

#define BL_MEMBER_NEW UINT32_MAX
#endif

struct bl_member {
    struct bl_member_model model;
    struct bl_deflate_reader reader;
    struct bl_deflate_writer writer;
    uint32_t begin, limit; /* of the old stream; the old image's end */
    uint32_t read;         /* units of the old stream */
    uint32_t skip;         /* that are still left out */
    uint32_t budget;       /* units that may still be read, in all members */
    uint32_t left;         /* units of the operation; all bits: to the end */
    uint32_t run;          /* right predictions since the last wrong one */
    uint32_t missed;       /* bit n: the n-th last was wrong */
    uint32_t last;         /* four symbols put out, the last lowest */
    struct bl_member_move move[BL_MEMBER_MOVES]; /* the newest first */
    uint16_t distance;                           /* of the last copy, - 1 */
    uint8_t moves;
    uint8_t restarts;
    uint8_t kind; /* enum bl_member_kind */
    bool alone;
#if BL_DELTA_ENCODE
    const struct bl_member_unit *units;
    const struct bl_member_operation *operations;
#endif
};

/* What a step works with. */
struct bl_member_use {
    struct bl_coder *rc;
    struct bl_model *model;
    struct bl_deflate_source source; /* the old image */
    struct bl_deflate_sink sink;     /* the new one; not called in encoding */
};

/* Before the first member. `size`: of both images; bounds the work that
 * reading old streams again may be. */
void bl_member_learn_nothing(struct bl_member *m, uint32_t size);

/* A member begins; its old stream at `begin` of an image of `limit` bytes.
 * `limit` 0: it has none. */
void bl_member_start(struct bl_member *m, uint32_t begin, uint32_t limit);

/* An operation's head, some units left out, or one unit. BL_DELTA_FORMAT:
 * no stream comes of it (final). At most BL_MEMBER_SKIPS units are read. */
bl_status bl_member_step(struct bl_member *m,
                         const struct bl_member_use *use) BL_MUST_CHECK;

/* Behind the old stream, as far as it was read; `from` when there is none. */
static inline uint32_t bl_member_behind(const struct bl_member *m,
                                        uint32_t from)
{
    return m->alone ? from : bl_deflate_read_end(&m->reader);
}

static inline bool bl_member_is_new(const struct bl_member *m)
{
    return m->kind == BL_MEMBER_UNITS;
}

static inline bool bl_member_done(const struct bl_member *m)
{
    return bl_deflate_write_phase(&m->writer) == BL_DEFLATE_AT_NOTHING;
}

#endif
