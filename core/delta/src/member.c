/* SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

#include <string.h>

#define TO_THE_END UINT32_MAX

enum {
    NEW = BL_MEMBER_UNITS,
    COPIED = BL_MEMBER_COPY,
    BUDGET = 8,    /* units for each byte of the images */
    RESTART = 1024 /* units that beginning anew counts as */
};

/* What a unit may be. */
struct guess {
    uint8_t n;
    uint8_t b[BL_DEFLATE_COPY_SIZE];
    uint8_t other[BL_DEFLATE_COPY_SIZE]; /* the old unit as it is */
};

typedef struct bl_member member;
typedef struct bl_member_use use;

typedef char bl_member_fits[sizeof(member) <= BL_MEMBER_SIZE ? 1 : -1];

void bl_member_learn_nothing(member *m, uint32_t size)
{
    memset(m, 0, sizeof *m);
    m->budget = size < UINT32_MAX / BUDGET ? size * BUDGET : UINT32_MAX;
    bl_counters((bl_counter *)&m->model, sizeof m->model / sizeof(bl_counter));
}

void bl_member_start(member *m, uint32_t begin, uint32_t limit)
{
    uint32_t budget = m->budget;
    struct bl_member_model kept = m->model;

    memset(m, 0, sizeof *m);
    m->model = kept;
    m->budget = budget;
    m->begin = begin;
    m->limit = limit;
    m->alone = limit == 0;
    m->last = 0x20202020U;
    bl_deflate_read_start(&m->reader, begin, limit);
    bl_deflate_write_start(&m->writer);
}

/* Is the operation one that goes on to the stream's end? */
#if BL_DELTA_ENCODE
static bool is_last(const member *m)
{
    return m->operations[1].units == 0;
}

static uint32_t say_kind(const member *m)
{
    return m->operations->old != BL_MEMBER_NEW;
}
#endif

static uint32_t code_kind(member *m, const use *u)
{
    if (m->alone || m->kind == NEW) {
        return m->alone ? NEW : COPIED;
    }
    return bl_code_flag(u->rc, BL_SAY(say_kind(m)), &m->model.kind[m->kind]) !=
                   0
               ? COPIED
               : NEW;
}

static uint32_t code_units(member *m, const use *u)
{
    struct bl_number *n =
        m->kind == COPIED ? &m->model.copies : &m->model.literals;

    if (bl_code_flag(u->rc, BL_SAY(is_last(m)),
                     &m->model.whole[m->kind == COPIED]) != 0) {
        return TO_THE_END;
    }
    return bl_code_number(u->rc, BL_SAY(m->operations->units - 1), n) + 1;
}

/* Where in the old stream: what lies between is read and left out, for what
 * lies before it is begun anew. */
static bl_status code_place(member *m, const use *u)
{
    int32_t skip =
        bl_code_signed(u->rc, BL_SAY((int32_t)(m->operations->old - m->read)),
                       &m->model.skips);

    if (skip >= 0) {
        m->skip = (uint32_t)skip;
        return BL_OK;
    }
    m->skip = m->read + (uint32_t)skip;
    if (m->skip > m->read || m->restarts == BL_MEMBER_RESTARTS ||
        m->budget < RESTART) {
        return BL_DELTA_FORMAT;
    }
    m->budget -= RESTART;
    m->restarts++;
    m->read = 0;
    bl_deflate_read_start(&m->reader, m->begin, m->limit);
    return BL_OK;
}

static bl_status code_operation(member *m, const use *u)
{
    bl_status status = BL_OK;

    m->kind = (uint8_t)code_kind(m, u);
    m->left = code_units(m, u);
    if (m->left == 0) {
        return BL_DELTA_FORMAT; /* 2^32 units */
    }
    if (m->kind == COPIED) {
        status = code_place(m, u);
    }
#if BL_DELTA_ENCODE
    m->operations++;
#endif
    return status;
}

static bl_status read_old(member *m, const use *u, struct guess *g)
{
    unsigned n = 0;
    bl_status status;

    if (m->budget == 0) {
        return BL_DELTA_FORMAT;
    }
    m->budget--;
    status = bl_deflate_read(&m->reader, &u->source, g->b, &n);
    g->n = (uint8_t)n;
    m->read++;
    return status == BL_OK && n == 0 ? BL_DELTA_FORMAT : status;
}

static bl_status leave_out(member *m, const use *u)
{
    unsigned i;

    for (i = 0; i < BL_MEMBER_SKIPS && m->skip > 0; i++) {
        struct guess g;
        bl_status status = read_old(m, u, &g);

        if (status != BL_OK) {
            return status;
        }
        m->skip--;
    }
    return BL_OK;
}

/* How far has what stood at `from` moved? */
static uint32_t moved(const member *m, uint32_t from)
{
    unsigned i;

    for (i = 0; i < m->moves; i++) {
        if (m->move[i].from <= from) {
            return m->move[i].by;
        }
    }
    return 0;
}

static void note_move(member *m)
{
    uint32_t by = m->writer.inflated - m->reader.inflated;

    if (m->moves > 0 && m->move[0].by == by) {
        return;
    }
    memmove(m->move + 1, m->move, sizeof m->move - sizeof m->move[0]);
    m->move[0].from = m->reader.inflated;
    m->move[0].by = by;
    if (m->moves < BL_MEMBER_MOVES) {
        m->moves++;
    }
}

/* The old unit, its distance rewritten. */
static bl_status guess_copied(member *m, const use *u, struct guess *g)
{
    uint32_t at = m->reader.inflated;
    uint32_t distance;
    bl_status status;

    note_move(m);
    status = read_old(m, u, g);
    memcpy(g->other, g->b, sizeof g->b);
    if (status != BL_OK || g->n != BL_DEFLATE_COPY_SIZE) {
        return status;
    }
    at -= ((uint32_t)g->b[2] << 8 | g->b[3]) + 1U;
    distance = m->writer.inflated - (at + moved(m, at)) - 1U;
    if (distance < 0x8000 && distance < m->writer.inflated) {
        g->b[2] = (uint8_t)(distance >> 8);
        g->b[3] = (uint8_t)distance;
    }
    return BL_OK;
}

static bl_status put(member *m, const use *u, uint8_t byte)
{
    return bl_deflate_write(&m->writer, &u->sink, byte);
}

/* Goes into the history by which what follows is guessed. */
static void remember(member *m, const uint8_t *b, unsigned n)
{
    if (n == BL_DEFLATE_COPY_SIZE) {
        m->distance = (uint16_t)((unsigned)b[2] << 8 | b[3]);
    }
    m->last = m->last << 8 | b[n == 2 ? 1 : 0];
}

/* Is the unit as guessed? */
static bool code_flag(member *m, const use *u, const struct guess *g,
                      enum bl_deflate_phase phase)
{
    uint32_t bits = bl_bits(m->run);
    uint32_t n = bits < 15 ? bits : 15;
    uint32_t kind = g->n == BL_DEFLATE_COPY_SIZE    ? 1
                    : phase == BL_DEFLATE_AT_SYMBOL ? 0
                    : phase == BL_DEFLATE_AT_CODE   ? 2
                                                    : 3;
    uint32_t wrong = bl_code_gate(
        u->rc, u->model, BL_GATE_UNIT,
        BL_SAY(m->units->n != g->n || memcmp(m->units->b, g->b, g->n) != 0),
        n * 8 + 4 + kind, (m->missed & 31U) * 4 + kind);

    m->missed = m->missed << 1 | wrong;
    m->run = wrong != 0 ? 0 : m->run + 1;
    return wrong == 0;
}

static uint32_t copy_context(const member *m, enum bl_deflate_phase phase)
{
    return phase == BL_DEFLATE_AT_LENGTH ? m->last & 0xFFU
           : phase == BL_DEFLATE_AT_HIGH ? (uint32_t)m->writer.length
                                         : (uint32_t)m->writer.high;
}

static void guess_other(const member *m, struct bl_byte *b)
{
    int before;

    (void)bl_deflate_write_place(&m->writer, &before);
    if (before >= 0 && b->guess[1] < 0) {
        b->guess[1] = before;
    }
}

/* Byte `i` of a unit that is not as guessed; without a guess g is NULL. */
static uint8_t code_byte(member *m, const use *u, const struct guess *g,
                         unsigned i)
{
    enum bl_deflate_phase phase = bl_deflate_write_phase(&m->writer);
    struct bl_byte b;

    uint32_t before = m->last & 0xFFU;
    uint32_t name = (uint32_t)phase;

    b.guess[0] = g != NULL && i < g->n ? g->b[i] : -1;
    b.guess[1] = g != NULL && i < g->n && i > 1 ? g->other[i] : -1;
    if (phase == BL_DEFLATE_AT_SYMBOL || phase == BL_DEFLATE_AT_STORED) {
        b.place = 10;
        name = 8;
    } else if (phase >= BL_DEFLATE_AT_LENGTH && phase <= BL_DEFLATE_AT_LOW) {
        if (b.guess[0] < 0 && phase != BL_DEFLATE_AT_LENGTH) {
            b.guess[0] = (phase == BL_DEFLATE_AT_HIGH ? m->distance >> 8
                                                      : m->distance) &
                         0xFF;
        }
        b.place = 5 + (uint32_t)phase; /* 6, 7, 8 */
        before = copy_context(m, phase);
    } else {
        b.place = phase == BL_DEFLATE_AT_CODE ? 0 : 9;
        guess_other(m, &b);
    }
    b.context[0] = BL_CONTEXT_MEMBER | (uint32_t)phase;
    b.context[1] =
        (BL_CONTEXT_MEMBER + BL_CONTEXT_OTHER) | name << 12 | before;
    return (uint8_t)bl_code_byte(u->rc, u->model, BL_SAY(m->units->b[i]), &b);
}

static bl_status code_unit(member *m, const use *u, const struct guess *g)
{
    uint8_t b[BL_DEFLATE_COPY_SIZE];
    unsigned n = 0;

    do {
        bl_status status;

        b[n] = code_byte(m, u, g, n);
        status = put(m, u, b[n]);
        if (status != BL_OK) {
            return status;
        }
        n++;
    } while (bl_deflate_write_within(&m->writer));
    remember(m, b, n);
    return BL_OK;
}

static bl_status put_guess(member *m, const use *u, const struct guess *g)
{
    unsigned i;

    for (i = 0; i < g->n; i++) {
        bl_status status = put(m, u, g->b[i]);

        if (status != BL_OK) {
            return status;
        }
    }
    remember(m, g->b, g->n);
    return bl_deflate_write_within(&m->writer) ? BL_DELTA_FORMAT : BL_OK;
}

static bl_status code_copied(member *m, const use *u)
{
    struct guess g;
    bl_status status = guess_copied(m, u, &g);

    if (status != BL_OK) {
        return status;
    }
    if (code_flag(m, u, &g, bl_deflate_write_phase(&m->writer))) {
        return put_guess(m, u, &g);
    }
    return code_unit(m, u, &g);
}

bl_status bl_member_step(member *m, const use *u)
{
    bl_status status;

    if (m->left == 0) {
        return code_operation(m, u);
    }
    if (m->skip > 0) {
        return leave_out(m, u);
    }
    status = m->kind == COPIED ? code_copied(m, u) : code_unit(m, u, NULL);
    m->left -= m->left == TO_THE_END ? 0 : 1;
#if BL_DELTA_ENCODE
    m->units++;
#endif
    return status;
}
