/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order is found step by step: of the blocks that are left, the one is
 * written next with which least is lost. What of a block others still need, or
 * it itself, is kept: the whole block in a slot where nothing is needed any
 * more, or the least of what there is in the stash. Several ways of judging
 * are tried; then single blocks are moved within the order as long as that
 * makes it cheaper.
 */
#include "in_place_order.h"

#include <stdlib.h>

enum {
    NONE = BL_PLACE_NONE,
    /* costs, in bits */
    LOST_BYTE = 5,
    LOST_RUN = 40,
    JUMP = 9,
    SAVE = 2,
    STASH = 6,
    PIECE = 16,
    /* steps that finding better ones may take */
    WORK_TASTES = 50000000,
    WORK = 8000000
};

/* What counts, beside bytes that are lost, when a block is chosen. */
struct taste {
    uint32_t jump; /* another place than beside the last block */
    uint32_t kept; /* 1/16 bit for a byte that is kept */
};

struct kept {
    uint32_t page;
    uint64_t grains; /* without a gap */
};

struct state {
    struct order *o;
    const struct taste *taste;
    bool *left;         /* to be written */
    bool *over;         /* written: the old block is not there any more */
    uint64_t *live;     /* of each old block: what those that are left need */
    uint32_t *of_first; /* in `of_need`, of each old block */
    uint32_t *of_need;
    uint32_t held[BL_PLACE_NONE]; /* UINT32_MAX: nothing */
    uint32_t filled[BL_PLACE_NONE];
    struct kept stash[BL_PLACE_PIECES];
    uint32_t stash_n;
    uint32_t step;
    uint32_t last, way; /* the block before; to which side it went on: 1, -1 */
    uint64_t cost;
};

/* What happens when a block is written. */
struct choice {
    uint32_t page;
    uint8_t slot;
    uint32_t into;   /* block of which pieces are stashed; UINT32_MAX: none */
    uint64_t grains; /* those */
    uint64_t cost;   /* real one, in bits */
};

static uint32_t count(uint64_t grains)
{
    return (uint32_t)__builtin_popcountll(grains);
}

static uint32_t runs(uint64_t grains)
{
    return count(grains & ~(grains << 1));
}

/* The first run of them. */
static uint64_t run_of(uint64_t grains)
{
    uint64_t low = grains & (0 - grains);
    return grains & ~(grains + low);
}

static uint32_t grain_size(const struct order *o)
{
    return 1u << (o->bits - BL_PLACE_GRAINS);
}

/* --- state --- */

static uint64_t live_of(const struct state *s, uint32_t page)
{
    uint64_t grains = 0;
    for (uint32_t k = s->of_first[page]; k < s->of_first[page + 1]; k++) {
        const struct need *n = &s->o->need[s->of_need[k]];
        if (s->left[n->to]) {
            grains |= n->near;
        }
    }
    return grains;
}

static void state_reset(struct state *s)
{
    const struct order *o = s->o;
    for (uint32_t k = 0; k < o->pages; k++) {
        s->left[k] = o->changes[k];
    }
    for (uint32_t k = 0; k < o->all; k++) {
        s->over[k] = false;
        s->live[k] = live_of(s, k);
    }
    for (uint32_t k = 0; k < o->slots; k++) {
        s->held[k] = UINT32_MAX;
        s->filled[k] = 0;
    }
    s->stash_n = s->step = 0;
    s->cost = 0;
    s->last = UINT32_MAX;
    s->way = 1;
}

static uint64_t slot_live(const struct state *s, uint32_t slot)
{
    return s->held[slot] == UINT32_MAX ? 0 : s->live[s->held[slot]];
}

static bool is_saved(const struct state *s, uint32_t page)
{
    for (uint32_t k = 0; k < s->o->slots; k++) {
        if (s->held[k] == page) {
            return true;
        }
    }
    return false;
}

static bool is_dead(const struct state *s, const struct kept *k)
{
    return (s->live[k->page] & k->grains) == 0;
}

static uint32_t stash_room(const struct state *s, uint32_t *pieces)
{
    uint32_t room = (uint32_t)s->o->stash << (BL_PLACE_GRAINS - 4);
    *pieces = BL_PLACE_PIECES;
    for (uint32_t k = 0; k < s->stash_n; k++) {
        if (!is_dead(s, &s->stash[k])) {
            room -= count(s->stash[k].grains);
            --*pieces;
        }
    }
    return room;
}

/* --- what to keep --- */

/* As many of them as find room; the shortest runs are the first that do not,
 * each costs as much to say. */
static uint64_t stash_take(const struct state *s, uint64_t grains)
{
    uint32_t pieces, room = stash_room(s, &pieces);
    uint64_t taken = 0;
    while (grains != 0 && room > 0 && pieces > 0) {
        uint64_t best = 0;
        for (uint64_t rest = grains; rest != 0; rest &= ~run_of(rest)) {
            uint64_t run = run_of(rest);
            best = count(run) > count(best) ? run : best;
        }
        grains &= ~best;
        while (count(best) > room) {
            best &= best - 1;
        }
        taken |= best;
        room -= count(best);
        pieces--;
    }
    return taken;
}

/* What it costs that of an old block only these are left. */
static uint64_t loss(const struct state *s, uint32_t page, uint64_t kept)
{
    uint64_t cost = 0;
    for (uint32_t k = s->of_first[page]; k < s->of_first[page + 1]; k++) {
        const struct need *n = &s->o->need[s->of_need[k]];
        uint64_t lost = n->grains & ~kept;
        if (s->left[n->to] && lost != 0) {
            cost += (uint64_t)count(lost) * grain_size(s->o) * LOST_BYTE +
                    (uint64_t)runs(lost) * LOST_RUN;
        }
    }
    return cost;
}

static uint64_t jump_cost(const struct state *s, uint32_t page)
{
    uint32_t likely = s->last + s->way;
    if (page == likely) {
        return 0;
    }
    uint32_t d = page > likely ? page - likely : likely - page;
    uint64_t cost = JUMP;
    while (d > 1 && s->last != UINT32_MAX) {
        cost += 2;
        d >>= 1;
    }
    return cost;
}

/* One block's needed grains go to the stash, as far as there is room. */
static void option(const struct state *s, uint32_t page, uint32_t slot,
                   struct choice *best)
{
    struct choice c = {.page = page, .slot = (uint8_t)slot};
    c.into = slot == NONE ? page : s->held[slot];
    c.grains = stash_take(s, s->live[c.into]);
    c.cost = loss(s, c.into, c.grains) + (slot == NONE ? 0 : SAVE);
    if (c.grains == 0) {
        c.into = UINT32_MAX;
    } else {
        c.cost += STASH + (uint64_t)PIECE * runs(c.grains);
    }
    if (c.cost < best->cost) {
        *best = c;
    }
}

static struct choice choice_of(const struct state *s, uint32_t page)
{
    struct choice best = {page, NONE, UINT32_MAX, 0, UINT64_MAX};
    uint32_t dead = NONE;
    if (s->live[page] == 0) {
        best.cost = 0;
    }
    for (uint32_t k = 0; k < s->o->slots && best.cost > 0; k++) {
        if (slot_live(s, k) == 0 &&
            (dead == NONE || s->filled[k] < s->filled[dead])) {
            dead = k;
        }
    }
    if (best.cost > 0 && dead != NONE) {
        best.slot = (uint8_t)dead;
        best.cost = SAVE;
    } else if (best.cost > 0) {
        option(s, page, NONE, &best);
        for (uint32_t k = 0; k < s->o->slots; k++) {
            option(s, page, k, &best);
        }
    }
    best.cost += jump_cost(s, page);
    return best;
}

/* --- a block is written --- */

static void stash_do(struct state *s, const struct choice *c,
                     struct bl_page *out, struct bl_piece *pieces)
{
    uint32_t n = 0;
    out->stash = true;
    for (uint32_t k = 0; k < s->stash_n; k++) {
        if (is_dead(s, &s->stash[k])) {
            out->drop |= 1u << k;
        } else {
            s->stash[n++] = s->stash[k];
        }
    }
    uint64_t rest = c->grains;
    while (rest != 0) {
        uint64_t run = run_of(rest);
        uint32_t start = (uint32_t)__builtin_ctzll(run);
        struct kept one = {c->into, run};
        struct bl_piece piece = {(c->into << BL_PLACE_GRAINS) + start,
                                 (uint8_t)count(run), 0};
        s->stash[n++] = one;
        pieces[out->pieces_n++] = piece;
        rest &= ~run;
    }
    s->stash_n = n;
    out->pieces = pieces;
}

static uint64_t readable(const struct state *s, uint32_t page)
{
    uint64_t grains = 0;
    if (!s->over[page] || is_saved(s, page)) {
        return UINT64_MAX;
    }
    for (uint32_t k = 0; k < s->stash_n; k++) {
        grains |= s->stash[k].page == page ? s->stash[k].grains : 0;
    }
    return grains;
}

static void write_page(struct state *s, const struct choice *c,
                       struct in_place *out)
{
    struct order *o = s->o;
    struct bl_page *one = &out->pages[out->pages_n];
    memset(one, 0, sizeof *one);
    one->page = c->page;
    one->slot = c->slot;
    if (c->into != UINT32_MAX) {
        stash_do(s, c, one, out->pieces + (size_t)out->pages_n * BL_GRAINS);
    }
    if (c->slot != NONE) {
        s->held[c->slot] = c->page;
        s->filled[c->slot] = ++s->step;
    }
    out->pages_n++;
    s->left[c->page] = false;
    s->over[c->page] = true;
    s->way = s->last == UINT32_MAX || c->page > s->last ? 1 : UINT32_MAX;
    s->last = c->page;
    s->cost += c->cost;
    for (uint32_t k = o->first[c->page]; k < o->first[c->page + 1]; k++) {
        struct need *n = &o->need[k];
        n->lost = n->grains & ~readable(s, n->of);
        out->lost += count(n->lost) * grain_size(o);
        s->live[n->of] = live_of(s, n->of);
    }
}

/* --- orders --- */

static uint64_t judged(const struct state *s, const struct choice *c)
{
    uint64_t cost = c->cost;
    if (c->page != s->last + 1 && c->page + 1 != s->last) {
        cost += s->taste->jump;
    }
    if (c->slot != NONE || c->into != UINT32_MAX) {
        cost += (uint64_t)count(s->live[c->page]) * grain_size(s->o) *
                s->taste->kept / 16;
    }
    return cost;
}

static bool choose(const struct state *s, struct choice *best)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t page = 0; page < s->o->pages; page++) {
        if (s->left[page]) {
            struct choice c = choice_of(s, page);
            uint64_t cost = judged(s, &c);
            if (cost < least) {
                least = cost;
                *best = c;
            }
        }
    }
    return least != UINT64_MAX;
}

static void order_greedy(struct state *s, const struct taste *taste,
                         struct in_place *out)
{
    struct choice c;
    s->taste = taste;
    out->pages_n = out->lost = 0;
    state_reset(s);
    while (choose(s, &c)) {
        write_page(s, &c, out);
    }
}

static uint64_t order_given(struct state *s, const uint32_t *list, uint32_t n,
                            struct in_place *out)
{
    out->pages_n = out->lost = 0;
    state_reset(s);
    for (uint32_t k = 0; k < n; k++) {
        struct choice c = choice_of(s, list[k]);
        write_page(s, &c, out);
    }
    return s->cost;
}

/* No taste is the best for all pairs. */
static uint64_t order_best(struct state *s, uint32_t *list,
                           struct in_place *out)
{
    static const struct taste tastes[] = {
        {30, 1},  {2, 1}, {30, 4},    {30, 16},  {500, 1},
        {500, 8}, {4, 0}, {2500, 16}, {100, 64}, {0, 200}};
    enum { TASTES = sizeof tastes / sizeof *tastes };
    uint64_t least = UINT64_MAX;
    uint64_t pages = s->o->pages, each = pages * pages * (s->o->slots + 2u);
    for (uint32_t k = 0; k < TASTES && k * each <= WORK_TASTES; k++) {
        order_greedy(s, &tastes[k], out);
        if (s->cost < least) {
            least = s->cost;
            for (uint32_t j = 0; j < out->pages_n; j++) {
                list[j] = out->pages[j].page;
            }
        }
    }
    return least;
}

/* The block at `from` goes to `to`, the others move up. */
static void move(uint32_t *list, uint32_t from, uint32_t to)
{
    uint32_t page = list[from];
    if (from < to) {
        memmove(list + from, list + from + 1, (to - from) * sizeof *list);
    } else {
        memmove(list + to + 1, list + to, (from - to) * sizeof *list);
    }
    list[to] = page;
}

/* The block at `from` to each place. True: that made it cheaper. */
static bool move_better(struct state *s, uint32_t *list, uint32_t from,
                        uint64_t *least, uint64_t *work, struct in_place *out)
{
    uint32_t n = out->pages_n;
    uint64_t each = s->o->needs + (uint64_t)s->o->all * 4 + 1;
    bool better = false;
    for (uint32_t to = 0; to<n && * work> each; to++) {
        if (from == to || from == to + 1) {
            continue;
        }
        move(list, from, to);
        uint64_t cost = order_given(s, list, n, out);
        *work -= each;
        if (cost < *least) {
            *least = cost;
            better = true;
        } else {
            move(list, to, from);
        }
    }
    return better;
}

static void order_improve(struct state *s, uint32_t *list, uint64_t least,
                          struct in_place *out)
{
    uint64_t work = WORK;
    bool better = true;
    while (better) {
        better = false;
        for (uint32_t from = 0; from < out->pages_n; from++) {
            better = move_better(s, list, from, &least, &work, out) || better;
        }
    }
}

/* --- all of it --- */

static void of_sort(struct state *s)
{
    const struct order *o = s->o;
    for (uint32_t k = 0; k < o->needs; k++) {
        s->of_first[o->need[k].of + 1]++;
    }
    for (uint32_t k = 0; k < o->all; k++) {
        s->of_first[k + 1] += s->of_first[k];
    }
    for (uint32_t k = o->needs; k > 0; k--) {
        uint32_t of = o->need[k - 1].of;
        s->of_need[--s->of_first[of + 1]] = k - 1;
    }
    /* which has moved each down by one place */
    memmove(s->of_first, s->of_first + 1, o->all * sizeof *s->of_first);
    s->of_first[o->all] = o->needs;
}

static int state_begin(struct state *s, struct order *o, struct error *error)
{
    memset(s, 0, sizeof *s);
    s->o = o;
    s->left = calloc(o->all, sizeof *s->left);
    s->over = calloc(o->all, sizeof *s->over);
    s->live = calloc(o->all, sizeof *s->live);
    s->of_first = calloc((size_t)o->all + 2, sizeof *s->of_first);
    s->of_need = calloc((size_t)o->needs + 1, sizeof *s->of_need);
    if (s->left == NULL || s->over == NULL || s->live == NULL ||
        s->of_first == NULL || s->of_need == NULL) {
        return error_set(error, "delta: out of memory");
    }
    of_sort(s);
    return 0;
}

static void state_free(struct state *s)
{
    free(s->left);
    free(s->over);
    free(s->live);
    free(s->of_first);
    free(s->of_need);
}

int order_find(struct order *o, struct in_place *out, struct error *error)
{
    struct state s;
    uint32_t *list = calloc(o->pages, sizeof *list);
    if (list == NULL) {
        return error_set(error, "delta: out of memory");
    }
    int result = state_begin(&s, o, error);
    if (result == 0) {
        uint64_t least = order_best(&s, list, out);
        order_improve(&s, list, least, out);
        (void)order_given(&s, list, out->pages_n, out);
    }
    state_free(&s);
    free(list);
    return result;
}
