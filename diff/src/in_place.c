/* SPDX-License-Identifier: Apache-2.0 */
/* What is needed where: in_place_order.c finds the order, and what is lost in
 * spite of it is told as new. */
#include "in_place.h"

#include <stdlib.h>

#include "in_place_order.h"

enum {
    BITS_MIN = 8,    /* 256 bytes */
    SLOTS_MAX = 254, /* one more stands for none */
    NEAR = 16        /* bytes that are looked at before a copy */
};

/* --- what needs what --- */

static int need_add(struct order *o, const struct need *one,
                    struct error *error)
{
    for (uint32_t k = o->needs; k > o->first[one->to]; k--) {
        if (o->need[k - 1].of == one->of) {
            o->need[k - 1].grains |= one->grains;
            o->need[k - 1].near |= one->near;
            return 0;
        }
    }
    if (o->needs == o->room) {
        uint32_t room = o->room == 0 ? 1024 : o->room * 2;
        struct need *more = realloc(o->need, room * sizeof *more);
        if (more == NULL) {
            return error_set(error, "delta: out of memory");
        }
        o->need = more;
        o->room = room;
    }
    o->need[o->needs++] = *one;
    return 0;
}

/* Bytes from `at` and `old` on that lie in one block of the new image and in
 * one grain of the old one. */
static uint32_t piece(const struct order *o, uint32_t at,
                      const struct bl_operation *from, uint32_t done)
{
    uint32_t block = 1u << o->bits, n = from->length - done;
    uint32_t room = block - (at & (block - 1));
    n = n < room ? n : room;
    if (from->old != BL_LITERAL) {
        uint32_t grain = 1u << (o->bits - BL_PLACE_GRAINS);
        room = grain - ((from->old + done) & (grain - 1));
        n = n < room ? n : room;
    }
    return n;
}

static uint64_t grain_of(const struct order *o, uint32_t old)
{
    uint32_t block = 1u << o->bits;
    return (uint64_t)1 << ((old & (block - 1)) >> (o->bits - BL_PLACE_GRAINS));
}

/* `begins`: the copy begins there, and the decoder looks at what is before. */
static int need_of(struct order *o, uint32_t page, uint32_t old, bool begins,
                   struct error *error)
{
    struct need one = {page, old >> o->bits, grain_of(o, old), 0, 0};
    if (one.of >= o->pages || !o->changes[one.of]) {
        return 0;
    }
    one.near = one.grains;
    if (begins && (old & ((1u << o->bits) - 1)) >= NEAR) {
        one.near |= grain_of(o, old - NEAR);
    }
    return need_add(o, &one, error);
}

static int needs_find(struct order *o, const struct operations *from,
                      struct error *error)
{
    uint32_t at = 0, page = UINT32_MAX;
    for (uint32_t k = 0; k < from->n; k++) {
        const struct bl_operation *op = &from->o[k];
        for (uint32_t done = 0, n; done < op->length; done += n, at += n) {
            n = piece(o, at, op, done);
            if (at >> o->bits != page) {
                page = at >> o->bits;
                o->first[page] = o->needs;
            }
            if (op->old != BL_LITERAL && o->changes[page] &&
                need_of(o, page, op->old + done, done == 0, error) != 0) {
                return -1;
            }
        }
    }
    o->first[o->pages] = o->needs;
    return 0;
}

/* --- operations --- */

static bool is_lost(const struct order *o, uint32_t to, uint32_t old)
{
    for (uint32_t k = o->first[to]; k < o->first[to + 1]; k++) {
        if (o->need[k].of == old >> o->bits) {
            return (o->need[k].lost & grain_of(o, old)) != 0;
        }
    }
    return false;
}

static int rewrite(const struct order *o, const struct operations *from,
                   struct operations *to, struct error *error)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < from->n; k++) {
        const struct bl_operation *op = &from->o[k];
        for (uint32_t done = 0, n; done < op->length; done += n, at += n) {
            n = piece(o, at, op, done);
            uint32_t old = op->old;
            if (old != BL_LITERAL) {
                old = is_lost(o, at >> o->bits, old + done) ? BL_LITERAL
                                                            : old + done;
            }
            if (operations_add(to, n, old, error) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* --- all of it --- */

static bool page_changes(const struct order *o, const struct layout *l,
                         uint32_t page)
{
    uint32_t at = page << o->bits, n = 1u << o->bits;
    n = n < l->now.n - at ? n : l->now.n - at;
    return at + n > l->old.n || memcmp(l->old.p + at, l->now.p + at, n) != 0;
}

static int order_begin(struct order *o, const struct layout *l,
                       struct in_place *out, struct error *error)
{
    o->pages = bl_place_pages(l->now.n, o->bits);
    o->all = bl_place_pages(l->old.n, o->bits);
    o->all = o->pages > o->all ? o->pages : o->all;
    o->changes = calloc(o->all, sizeof *o->changes);
    o->first = calloc(o->pages + 1, sizeof *o->first);
    out->pages = calloc(o->pages, sizeof *out->pages);
    out->pieces = calloc(o->pages, sizeof *out->pieces << BL_PLACE_GRAINS);
    if (o->changes == NULL || o->first == NULL || out->pages == NULL ||
        out->pieces == NULL) {
        return error_set(error, "delta: out of memory");
    }
    for (uint32_t page = 0; page < o->pages; page++) {
        o->changes[page] = page_changes(o, l, page);
    }
    return 0;
}

static bool uses_stash(const struct in_place *p)
{
    for (uint32_t k = 0; k < p->pages_n; k++) {
        if (p->pages[k].stash) {
            return true;
        }
    }
    return false;
}

int in_place_plan(const struct layout *l, const struct operations *from,
                  struct bl_settings *settings, struct in_place *out,
                  struct error *error)
{
    struct order o;
    memset(&o, 0, sizeof o);
    memset(out, 0, sizeof *out);
    o.bits = settings->block;
    o.slots = settings->slots;
    o.stash = settings->stash;
    int result = order_begin(&o, l, out, error);
    if (result == 0) {
        result = needs_find(&o, from, error);
    }
    if (result == 0) {
        result = order_find(&o, out, error);
    }
    settings->stash = uses_stash(out) ? settings->stash : 0;
    if (result == 0) {
        result = rewrite(&o, from, &out->operations, error);
    }
    free(o.changes);
    free(o.first);
    free(o.need);
    return result;
}

void in_place_free(struct in_place *p)
{
    operations_free(&p->operations);
    free(p->pages);
    free(p->pieces);
    p->pages = NULL;
    p->pieces = NULL;
}

/* --- options --- */

uint8_t in_place_bits(const struct diff_options *options)
{
    uint8_t bits = 0;
    while (bits < 31 && 1u << bits < options->block) {
        bits++;
    }
    return bits;
}

/* One block is always there: the journal's. */
uint8_t in_place_slots(const struct diff_options *options)
{
    uint32_t slots = options->spare + 1;
    return (uint8_t)(slots > SLOTS_MAX || slots == 0 ? SLOTS_MAX : slots);
}

/* What is free in the areas of checkpoints anyway: each holds the decoder's
 * memory, 32 bytes of head, and 16 for each note, of 4 more than there are
 * slots. */
uint8_t in_place_stash(const struct diff_options *options)
{
    uint32_t needed = options->ram + 32 + 16 * (in_place_slots(options) + 4u);
    uint32_t over = needed & (options->block - 1);
    uint32_t stash = (options->block - over) / (options->block / 16);
    return (uint8_t)(over == 0 ? 0 : stash);
}

int in_place_check(const struct diff_options *options, struct error *error)
{
    uint8_t bits = in_place_bits(options);
    if (bits < BITS_MIN || bits > BL_BLOCK_MAX ||
        1u << bits != options->block) {
        return error_set(error,
                         "delta: erase blocks of %u bytes: a power of two "
                         "from 256 to %u is needed",
                         (unsigned)options->block, 1u << BL_BLOCK_MAX);
    }
    return 0;
}
