/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order is found step by step: of the blocks that are left, the one is
 * written next with which least is lost. A block that others still need is
 * saved while there is a free slot; when there is none, the block whose bytes
 * are needed least is given up.
 */
#include "in_place.h"

#include <stdlib.h>

#include "place.h"

enum {
    NONE = BL_PLACE_NONE,
    PIECE = 6,      /* what a piece that is lost costs beside its bytes */
    LOSS = 16,      /* costs are counted in 1/16 byte */
    BITS_MIN = 8,   /* 256 bytes */
    SLOTS_MAX = 254 /* one more stands for none */
};

/* Block `to` needs bytes of old block `of`. */
struct need {
    uint32_t to, of;
    uint32_t weight;
    bool lost;
};

/* What else counts, beside bytes that are lost, when a block is chosen. */
struct taste {
    uint32_t jump; /* another place than beside the last block */
    uint32_t kept; /* a byte that is kept */
};

struct planner {
    uint8_t bits;
    uint8_t slots;
    uint32_t pages; /* of the new image */
    uint32_t all;   /* of the larger one */
    bool *left;     /* to be written */
    bool *over;     /* written: the old block is not there any more */
    struct need *need;
    uint32_t needs, room;
    uint32_t *first;  /* need of each page; one more than pages */
    uint32_t *wanted; /* of each old block by others that are left: cost */
    uint32_t held[SLOTS_MAX + 1]; /* UINT32_MAX: nothing */
    uint32_t filled[SLOTS_MAX + 1];
    uint32_t step;
    uint32_t last;
    const struct taste *taste;
};

/* --- what needs what --- */

static int need_add(struct planner *p, uint32_t to, uint32_t of, uint32_t n,
                    struct error *error)
{
    for (uint32_t k = p->needs; k > p->first[to]; k--) {
        if (p->need[k - 1].of == of) {
            p->need[k - 1].weight += n;
            return 0;
        }
    }
    if (p->needs == p->room) {
        uint32_t room = p->room == 0 ? 1024 : p->room * 2;
        struct need *more = realloc(p->need, room * sizeof *more);
        if (more == NULL) {
            return error_set(error, "delta: out of memory");
        }
        p->need = more;
        p->room = room;
    }
    struct need one = {to, of, n, false};
    p->need[p->needs++] = one;
    return 0;
}

/* Bytes from `at` and `old` on that lie in one block of either image. */
static uint32_t piece(const struct planner *p, uint32_t at,
                      const struct bl_operation *o, uint32_t done)
{
    uint32_t block = 1u << p->bits, n = o->length - done;
    uint32_t room = block - (at & (block - 1));
    n = n < room ? n : room;
    if (o->old != BL_LITERAL) {
        room = block - ((o->old + done) & (block - 1));
        n = n < room ? n : room;
    }
    return n;
}

static int needs_find(struct planner *p, const struct operations *from,
                      struct error *error)
{
    uint32_t at = 0, page = UINT32_MAX;
    for (uint32_t k = 0; k < from->n; k++) {
        const struct bl_operation *o = &from->o[k];
        for (uint32_t done = 0, n; done < o->length; done += n, at += n) {
            n = piece(p, at, o, done);
            if (at >> p->bits != page) {
                page = at >> p->bits;
                p->first[page] = p->needs;
            }
            if (o->old == BL_LITERAL || !p->left[page]) {
                continue;
            }
            uint32_t of = (o->old + done) >> p->bits;
            if (of < p->pages && p->left[of] &&
                need_add(p, page, of, n + PIECE, error) != 0) {
                return -1;
            }
        }
    }
    p->first[p->pages] = p->needs;
    return 0;
}

static uint32_t own_need(const struct planner *p, uint32_t page)
{
    for (uint32_t k = p->first[page]; k < p->first[page + 1]; k++) {
        if (p->need[k].of == page) {
            return p->need[k].weight;
        }
    }
    return 0;
}

/* --- order --- */

static uint32_t slot_worth(const struct planner *p, uint32_t slot)
{
    return p->held[slot] == UINT32_MAX ? 0 : p->wanted[p->held[slot]];
}

/* That holds what is wanted least; of those, what was filled first. */
static uint32_t slot_cheapest(const struct planner *p)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < p->slots; k++) {
        uint32_t a = slot_worth(p, k), b = slot_worth(p, best);
        if (a < b || (a == b && p->filled[k] < p->filled[best])) {
            best = k;
        }
    }
    return best;
}

struct choice {
    uint32_t page;
    uint64_t cost;
    bool save;
};

static struct choice choice_of(const struct planner *p, uint32_t page,
                               uint32_t evicted)
{
    struct choice c = {page, 0, false};
    uint32_t own = own_need(p, page), wanted = p->wanted[page];
    uint64_t lost = own + wanted;
    if (page != p->last + 1 && page + 1 != p->last) {
        c.cost += p->taste->jump;
    }
    if (lost > evicted) {
        c.save = true;
        lost = evicted;
        c.cost += (uint64_t)wanted * p->taste->kept;
    }
    c.cost += lost * LOSS;
    return c;
}

static struct choice choose(const struct planner *p)
{
    struct choice best = {UINT32_MAX, UINT64_MAX, false};
    uint32_t evicted = slot_worth(p, slot_cheapest(p));
    for (uint32_t page = 0; page < p->pages; page++) {
        if (p->left[page]) {
            struct choice c = choice_of(p, page, evicted);
            if (c.cost < best.cost) {
                best = c;
            }
        }
    }
    return best;
}

static bool is_saved(const struct planner *p, uint32_t page)
{
    for (uint32_t k = 0; k < p->slots; k++) {
        if (p->held[k] == page) {
            return true;
        }
    }
    return false;
}

static void write_page(struct planner *p, const struct choice *c,
                       struct in_place *out)
{
    struct bl_page one = {c->page, NONE};
    if (c->save) {
        uint32_t slot = slot_cheapest(p);
        one.slot = (uint8_t)slot;
        p->held[slot] = c->page;
        p->filled[slot] = ++p->step;
    }
    p->left[c->page] = false;
    p->over[c->page] = true;
    p->last = c->page;
    for (uint32_t k = p->first[c->page]; k < p->first[c->page + 1]; k++) {
        struct need *n = &p->need[k];
        n->lost = p->over[n->of] && !is_saved(p, n->of);
        if (n->of != c->page) {
            p->wanted[n->of] -= n->weight;
        }
        out->lost += n->lost ? n->weight : 0;
    }
    out->pages[out->pages_n++] = one;
}

static void order(struct planner *p, struct in_place *out)
{
    out->pages_n = out->lost = p->step = 0;
    for (uint32_t k = 0; k < p->pages; k++) {
        p->left[k] = p->left[k] || p->over[k];
        p->over[k] = false;
        p->wanted[k] = 0;
    }
    for (uint32_t k = 0; k < p->needs; k++) {
        if (p->need[k].to != p->need[k].of) {
            p->wanted[p->need[k].of] += p->need[k].weight;
        }
    }
    for (uint32_t k = 0; k <= SLOTS_MAX; k++) {
        p->held[k] = UINT32_MAX;
    }
    p->last = UINT32_MAX;
    for (;;) {
        struct choice c = choose(p);
        if (c.page == UINT32_MAX) {
            return;
        }
        write_page(p, &c, out);
    }
}

/* No taste is the best for all pairs: the one with which least is lost. */
static void order_best(struct planner *p, struct in_place *out)
{
    static const struct taste tastes[] = {{48, 1},  {4, 1},    {48, 4},
                                          {48, 16}, {800, 1},  {800, 8},
                                          {8, 0},   {4000, 16}};
    enum { TASTES = sizeof tastes / sizeof *tastes };
    uint32_t best = 0, least = UINT32_MAX;
    for (uint32_t k = 0; k < TASTES && least > 0; k++) {
        p->taste = &tastes[k];
        order(p, out);
        if (out->lost < least) {
            least = out->lost;
            best = k;
        }
    }
    p->taste = &tastes[best];
    order(p, out);
}

/* --- operations --- */

static bool is_lost(const struct planner *p, uint32_t to, uint32_t of)
{
    for (uint32_t k = p->first[to]; k < p->first[to + 1]; k++) {
        if (p->need[k].of == of) {
            return p->need[k].lost;
        }
    }
    return false;
}

static int rewrite(const struct planner *p, const struct operations *from,
                   struct operations *to, struct error *error)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < from->n; k++) {
        const struct bl_operation *o = &from->o[k];
        for (uint32_t done = 0, n; done < o->length; done += n, at += n) {
            n = piece(p, at, o, done);
            uint32_t old = o->old;
            if (old != BL_LITERAL) {
                old += done;
                old = is_lost(p, at >> p->bits, old >> p->bits) ? BL_LITERAL
                                                                : old;
            }
            if (operations_add(to, n, old, error) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* --- all of it --- */

static bool page_changes(const struct planner *p, const struct layout *l,
                         uint32_t page)
{
    uint32_t at = page << p->bits, n = 1u << p->bits;
    n = n < l->now.n - at ? n : l->now.n - at;
    return at + n > l->old.n || memcmp(l->old.p + at, l->now.p + at, n) != 0;
}

static int planner_begin(struct planner *p, const struct layout *l,
                         struct in_place *out, struct error *error)
{
    p->pages = bl_place_pages(l->now.n, p->bits);
    p->all = bl_place_pages(l->old.n, p->bits);
    p->all = p->pages > p->all ? p->pages : p->all;
    p->left = calloc(p->all, sizeof *p->left);
    p->over = calloc(p->all, sizeof *p->over);
    p->first = calloc(p->pages + 1, sizeof *p->first);
    p->wanted = calloc(p->all, sizeof *p->wanted);
    out->pages = calloc(p->pages, sizeof *out->pages);
    if (p->left == NULL || p->over == NULL || p->first == NULL ||
        p->wanted == NULL || out->pages == NULL) {
        return error_set(error, "delta: out of memory");
    }
    for (uint32_t page = 0; page < p->pages; page++) {
        p->left[page] = page_changes(p, l, page);
    }
    return 0;
}

static void planner_free(struct planner *p)
{
    free(p->left);
    free(p->over);
    free(p->first);
    free(p->wanted);
    free(p->need);
}

int in_place_plan(const struct layout *l, const struct operations *from,
                  uint8_t bits, uint8_t slots, struct in_place *out,
                  struct error *error)
{
    struct planner p;
    memset(&p, 0, sizeof p);
    memset(out, 0, sizeof *out);
    p.bits = bits;
    p.slots = slots;
    int result = planner_begin(&p, l, out, error);
    if (result == 0) {
        result = needs_find(&p, from, error);
    }
    if (result == 0) {
        order_best(&p, out);
        result = rewrite(&p, from, &out->operations, error);
    }
    planner_free(&p);
    return result;
}

void in_place_free(struct in_place *p)
{
    operations_free(&p->operations);
    free(p->pages);
    p->pages = NULL;
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
