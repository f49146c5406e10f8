/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cost.h"
#include "map.h"

enum {
    SHIFTS = 64, /* that are followed at once, at most */
    SHIFTS_KEPT = 40,
    BALLOT = 12,  /* shifts that may win at one place */
    DEARER = 346, /* entries cost 1.35 times as much when there were too
                     many */
    ROUNDS = 80,
    NONE = -1
};

/* What a map costs. */
struct prices {
    uint64_t entry, entry_at_copy;
    uint64_t wrong, wrong_more; /* the first reference, and each further */
    uint64_t unlike;            /* another shift than that of the copies */
    uint64_t hopeless;
};

/* A place that references tell of, or at which a copy begins. */
struct place {
    uint32_t at;
    uint32_t vote, votes;   /* in the list of votes */
    uint32_t start, starts; /* in the list of starts of copies */
};

struct way {
    uint64_t cost;
    int32_t shift;
    int32_t node;
};

struct step {
    int32_t before;
    uint32_t at;
    int32_t shift;
};

struct chooser {
    const struct votes *votes;
    const struct moves *copies;
    struct bl_move *start; /* of copies: by old offset */
    uint32_t starts;
    struct place *place;
    uint32_t places;
    struct prices price;
    struct way way[SHIFTS + BALLOT + 8];
    uint32_t ways;
    struct step *step;
    uint32_t steps, room;
};

static int step_add(struct chooser *c, int32_t before, uint32_t at,
                    int32_t shift, struct error *error)
{
    if (c->steps == c->room) {
        uint32_t room = c->room == 0 ? 1024 : c->room * 2;
        struct step *more = realloc(c->step, room * sizeof *more);
        if (more == NULL || room > INT32_MAX) {
            c->step = more == NULL ? c->step : more;
            return error_set(error, "delta: out of memory");
        }
        c->step = more;
        c->room = room;
    }
    struct step one = {before, at, shift};
    c->step[c->steps++] = one;
    return 0;
}

static struct way cheapest(const struct chooser *c)
{
    struct way best = c->way[0];
    for (uint32_t k = 1; k < c->ways; k++) {
        const struct way *w = &c->way[k];
        if (w->cost < best.cost ||
            (w->cost == best.cost && w->node < best.node)) {
            best = *w;
        }
    }
    return best;
}

/* An entry of the map at `at`, coming from `best`. */
static int turn(struct chooser *c, const struct way *best, uint32_t at,
                int32_t shift, uint64_t cost, struct error *error)
{
    uint32_t k = 0;
    while (k < c->ways && c->way[k].shift != shift) {
        k++;
    }
    if (k < c->ways && c->way[k].cost <= best->cost + cost) {
        return 0;
    }
    if (k == sizeof c->way / sizeof *c->way) {
        return 0;
    }
    if (step_add(c, best->node, at, shift, error) != 0) {
        return -1;
    }
    struct way one = {best->cost + cost, shift, (int32_t)c->steps - 1};
    c->way[k] = one;
    c->ways += k == c->ways;
    return 0;
}

/* Shifts with most votes at a place. */
static uint32_t ballot(const struct chooser *c, const struct place *p,
                       uint32_t out[BALLOT])
{
    uint32_t n = 0;
    for (uint32_t k = p->vote; k < p->vote + p->votes; k++) {
        uint32_t j = n < BALLOT ? n++ : BALLOT;
        uint32_t weight = c->votes->v[k].weight;
        if (j == BALLOT) {
            j--;
            if (c->votes->v[out[j]].weight >= weight) {
                continue;
            }
        }
        for (; j > 0 && c->votes->v[out[j - 1]].weight < weight; j--) {
            out[j] = out[j - 1];
        }
        out[j] = k;
    }
    return n;
}

static int32_t copies_shift(const struct chooser *c, uint32_t at)
{
    return c->copies == NULL
               ? 0
               : (int32_t)(moves_apply(c->copies, at, true) - at);
}

static int turns(struct chooser *c, const struct place *p, struct error *error)
{
    struct way best = cheapest(c);
    uint32_t won[BALLOT];
    for (uint32_t k = 0; k < p->starts && k < SHIFTS; k++) {
        if (turn(c, &best, p->at, c->start[p->start + k].shift,
                 c->price.entry_at_copy, error) != 0) {
            return -1;
        }
    }
    uint32_t n = ballot(c, p, won);
    for (uint32_t k = 0; k < n; k++) {
        if (turn(c, &best, p->at, c->votes->v[won[k]].shift, c->price.entry,
                 error) != 0) {
            return -1;
        }
    }
    return c->copies == NULL ? 0
                             : turn(c, &best, p->at, copies_shift(c, p->at),
                                    c->price.entry, error);
}

static uint32_t weight_of(const struct chooser *c, const struct place *p,
                          int32_t shift)
{
    uint32_t low = p->vote, high = p->vote + p->votes;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->votes->v[mid].shift < shift) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < p->vote + p->votes && c->votes->v[low].shift == shift
               ? c->votes->v[low].weight
               : 0;
}

/* Every way pays for the references that it gets wrong here. */
static void pay(struct chooser *c, const struct place *p)
{
    uint64_t all = 0;
    int32_t usual = copies_shift(c, p->at);
    for (uint32_t k = p->vote; k < p->vote + p->votes; k++) {
        all += c->votes->v[k].weight;
    }
    for (uint32_t k = 0; k < c->ways; k++) {
        struct way *w = &c->way[k];
        uint64_t wrong = all - weight_of(c, p, w->shift);
        if (wrong > 0) {
            w->cost += c->price.wrong - c->price.wrong_more +
                       c->price.wrong_more * wrong / 256;
        }
        w->cost += w->shift != usual ? c->price.unlike : 0;
    }
}

static int by_cost(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    if (x->cost != y->cost) {
        return x->cost < y->cost ? -1 : 1;
    }
    return x->shift < y->shift ? -1 : x->shift > y->shift;
}

static void prune(struct chooser *c)
{
    uint64_t limit = cheapest(c).cost + c->price.hopeless;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < c->ways; k++) {
        if (c->way[k].cost <= limit) {
            c->way[kept++] = c->way[k];
        }
    }
    c->ways = kept;
    if (c->ways > SHIFTS) {
        qsort(c->way, c->ways, sizeof *c->way, by_cost);
        c->ways = SHIFTS_KEPT;
    }
}

static void reverse(struct moves *m)
{
    for (uint32_t a = 0, b = m->n; a + 1 < b; a++) {
        b--;
        struct bl_move t = m->m[a];
        m->m[a] = m->m[b];
        m->m[b] = t;
    }
}

/* Entries from the last back to the first, then turned round. */
static int entries(const struct chooser *c, struct moves *out,
                   struct error *error)
{
    out->n = 0;
    for (int32_t k = cheapest(c).node; k != NONE; k = c->step[k].before) {
        const struct step *s = &c->step[k];
        if (out->n != 0 && out->m[out->n - 1].shift == s->shift) {
            out->m[out->n - 1].at = s->at;
        } else if (moves_add(out, s->at, s->shift, error) != 0) {
            return -1;
        }
    }
    /* what lies before the first entry goes as that does: if it was meant to
     * stay, it needs an entry */
    if (c->copies != NULL && out->n != 0 &&
        out->m[out->n - 1].at > c->place[0].at &&
        out->m[out->n - 1].shift != 0 && moves_add(out, 0, 0, error) != 0) {
        return -1;
    }
    reverse(out);
    return 0;
}

static int choose(struct chooser *c, struct moves *out, struct error *error)
{
    struct way start = {0, 0, NONE};
    c->way[0] = start;
    c->ways = 1;
    c->steps = 0;
    for (uint32_t k = 0; k < c->places; k++) {
        if (turns(c, &c->place[k], error) != 0) {
            return -1;
        }
        pay(c, &c->place[k]);
        prune(c);
    }
    return entries(c, out, error);
}

/* Votes and starts of copies, both sorted, become places. */
static int places_make(struct chooser *c, struct error *error)
{
    uint32_t v = 0, s = 0;
    size_t most = (size_t)c->votes->n + c->starts + 1;
    c->place = malloc(most * sizeof *c->place);
    if (c->place == NULL) {
        return error_set(error, "delta: out of memory");
    }
    while (v < c->votes->n || s < c->starts) {
        uint32_t a = v < c->votes->n ? c->votes->v[v].at : UINT32_MAX;
        uint32_t b = s < c->starts ? c->start[s].at : UINT32_MAX;
        struct place p = {a < b ? a : b, v, 0, s, 0};
        while (v < c->votes->n && c->votes->v[v].at == p.at) {
            v++;
        }
        while (s < c->starts && c->start[s].at == p.at) {
            s++;
        }
        p.votes = v - p.vote;
        p.starts = s - p.start;
        c->place[c->places++] = p;
    }
    return 0;
}

/* Dearer and dearer entries, until few enough are left. */
static int choose_within(struct chooser *c, const struct prices *price,
                         uint32_t dear, uint32_t limit, struct moves *out,
                         struct error *error)
{
    uint64_t factor = dear;
    for (uint32_t k = 0; k < ROUNDS; k++) {
        c->price = *price;
        c->price.entry = price->entry * factor / 256;
        c->price.entry_at_copy = price->entry_at_copy * factor / 256;
        c->price.hopeless = price->hopeless * factor / 256;
        if (choose(c, out, error) != 0) {
            return -1;
        }
        if (out->n <= limit) {
            return 0;
        }
        factor = factor * DEARER / 256;
    }
    out->n = 0;
    return 0;
}

static int by_at(const void *a, const void *b)
{
    const struct bl_move *x = a, *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->shift < y->shift ? -1 : x->shift > y->shift;
}

static int starts_make(struct chooser *c, const struct operations *operations,
                       struct error *error)
{
    uint32_t at = 0;
    c->start = malloc(((size_t)operations->n + 1) * sizeof *c->start);
    if (c->start == NULL) {
        return error_set(error, "delta: out of memory");
    }
    for (uint32_t k = 0; k < operations->n; k++) {
        const struct bl_operation *o = &operations->o[k];
        if (o->old != BL_LITERAL) {
            struct bl_move m = {o->old, (int32_t)(at - o->old)};
            c->start[c->starts++] = m;
        }
        at += o->length;
    }
    qsort(c->start, c->starts, sizeof *c->start, by_at);
    return 0;
}

static void chooser_free(struct chooser *c)
{
    free(c->start);
    free(c->place);
    free(c->step);
}

int map_vote(const struct operations *operations, const struct votes *votes,
             const struct moves *copies, uint32_t dear, uint32_t limit,
             struct moves *out, struct error *error)
{
    static const struct prices price = {.entry = BITS(26),
                                        .entry_at_copy = BITS(6),
                                        .wrong = BITS(16),
                                        .wrong_more = BITS(4),
                                        .unlike = BITS(0.6),
                                        .hopeless = BITS(60)};
    struct chooser c = {.votes = votes, .copies = copies};
    int result = starts_make(&c, operations, error);
    if (result == 0) {
        result = places_make(&c, error);
    }
    if (result == 0) {
        result = choose_within(&c, &price, dear, limit, out, error);
    }
    chooser_free(&c);
    return result;
}

int map_ram(const struct votes *votes, uint32_t limit, struct moves *out,
            struct error *error)
{
    static const struct prices price = {.entry = BITS(26),
                                        .entry_at_copy = BITS(26),
                                        .wrong = BITS(20),
                                        .wrong_more = 0,
                                        .unlike = 0,
                                        .hopeless = BITS(80)};
    struct chooser c = {.votes = votes};
    int result = places_make(&c, error);
    if (result == 0) {
        result = choose_within(&c, &price, 256, limit, out, error);
    }
    chooser_free(&c);
    return result;
}
