/* SPDX-License-Identifier: Apache-2.0 */
#include "align.h"

#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "progress.h"

enum {
    STATES = 48, /* shifts that are followed at once, at most */
    KEPT = 32,   /* of them when there were too many */
    LEADS = 5,   /* a match is also tried from a little before it on */
    RUN = 16,    /* bytes of one value behind which more cost little */
    AFTER = 4,   /* bytes behind a change in which changes cost less */
    TICK = 1 << 16,
    NONE = -1
};

#define LITERAL_SHIFT INT32_MAX

/* Costs, found by measuring over many pairs of firmware. */
#define COST_SAME 5
#define COST_CHANGED_AGAIN BITS(5.7) /* soon behind another such */
#define COST_RUN 13                  /* one more of the same */
#define COST_TO_LITERAL BITS(10)
#define COST_FAR BITS(22) /* at most */
#define COST_FROM_LITERAL BITS(14)
#define COST_HOPELESS BITS(54) /* above the best */

struct prices {
    uint64_t changed; /* a byte that is not as it was */
    uint64_t copy;    /* a copy, beside how far it goes away */
    uint64_t literal; /* a byte of new code */
};

static const struct prices prices[] = {
    [ALIGN_USUAL] = {BITS(10), BITS(12), BITS(4.5)},
    [ALIGN_EAGER] = {BITS(8), BITS(9), BITS(3.8)},
};

/* A way that was the best at some place: from `at` on with `shift`. */
struct node {
    int32_t before;
    uint32_t at;
    int32_t shift;
};

struct state {
    uint64_t cost;
    int32_t shift;
    int32_t before; /* node that it came from */
    int32_t node;   /* its own, when something came from it */
    uint32_t at;    /* where it began */
    uint32_t after; /* bytes to go in which a change costs less */
};

struct aligner {
    const uint8_t *old, *new;
    uint32_t old_n, new_n;
    const struct matches *matches;
    const struct prices *price;
    uint32_t cursor[LEADS];
    uint32_t run; /* bytes equal to the one before them */
    struct state literal;
    struct state state[STATES + 1];
    uint32_t states;
    struct node *node;
    uint32_t nodes, room;
};

static const uint32_t leads[LEADS] = {32, 16, 8, 4, 0};

/* The node of a state; made only when it is needed, so that ways that come to
 * nothing cost no memory. */
static int node_of(struct aligner *a, struct state *s, int32_t *out,
                   struct error *error)
{
    if (s->node == NONE) {
        if (a->nodes == a->room) {
            uint32_t room = a->room == 0 ? 4096 : a->room + a->room / 2;
            struct node *more = realloc(a->node, room * sizeof *more);
            if (more == NULL || room > INT32_MAX) {
                a->node = more == NULL ? a->node : more;
                return error_set(error, "delta: out of memory");
            }
            a->node = more;
            a->room = room;
        }
        struct node n = {s->before, s->at, s->shift};
        a->node[a->nodes] = n;
        s->node = (int32_t)a->nodes++;
    }
    *out = s->node;
    return 0;
}

static struct state *best_of(struct aligner *a)
{
    struct state *best = &a->literal;
    for (uint32_t k = 0; k < a->states; k++) {
        if (a->state[k].cost < best->cost) {
            best = &a->state[k];
        }
    }
    return best;
}

static struct state *state_of(struct aligner *a, int32_t shift)
{
    for (uint32_t k = 0; k < a->states; k++) {
        if (a->state[k].shift == shift) {
            return &a->state[k];
        }
    }
    return NULL;
}

/* Keeps the cheapest; the order among them does not matter. */
static void drop_worst(struct aligner *a)
{
    for (uint32_t k = 0; k < KEPT; k++) {
        uint32_t least = k;
        for (uint32_t j = k + 1; j < a->states; j++) {
            if (a->state[j].cost < a->state[least].cost) {
                least = j;
            }
        }
        struct state s = a->state[k];
        a->state[k] = a->state[least];
        a->state[least] = s;
    }
    a->states = KEPT;
}

static uint64_t enter_cost(const struct prices *price,
                           const struct state *from, int32_t shift)
{
    if (from->shift == LITERAL_SHIFT) {
        return price->copy + COST_FROM_LITERAL;
    }
    int64_t far = (int64_t)shift - from->shift;
    uint64_t cost = 2 * cost_log2(1 + (uint64_t)(far < 0 ? -far : far));
    return price->copy + (cost < COST_FAR ? cost : COST_FAR);
}

/* A copy with `shift` may begin here, coming from `from`. */
static int enter(struct aligner *a, struct state *from, uint32_t at,
                 int32_t shift, struct error *error)
{
    uint64_t cost = from->cost + enter_cost(a->price, from, shift);
    struct state *s = state_of(a, shift);
    if (s != NULL && s->cost <= cost) {
        return 0;
    }
    struct state one = {cost, shift, NONE, NONE, at, AFTER - 1};
    if (node_of(a, from, &one.before, error) != 0) {
        return -1;
    }
    if (s == NULL && a->states > STATES) {
        /* `from` may move or go: its cost and node are in `one` already */
        drop_worst(a);
    }
    if (s != NULL) {
        *s = one;
    } else {
        a->state[a->states++] = one;
    }
    return 0;
}

static int enter_all(struct aligner *a, uint32_t at, struct error *error)
{
    struct state from = {0};
    struct state *best = NULL;
    for (uint32_t k = 0; k < LEADS; k++) {
        const struct matches *m = a->matches;
        while (a->cursor[k] < m->n && m->m[a->cursor[k]].at <= at + leads[k]) {
            if (best == NULL) {
                best = best_of(a);
                int32_t node;
                if (node_of(a, best, &node, error) != 0) {
                    return -1;
                }
                from = *best;
            }
            int32_t shift = m->m[a->cursor[k]++].shift;
            if (enter(a, &from, at, shift, error) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int literal_enter(struct aligner *a, uint32_t at, struct error *error)
{
    struct state *best = best_of(a);
    if (best->cost + COST_TO_LITERAL >= a->literal.cost) {
        return 0;
    }
    struct state one = {
        best->cost + COST_TO_LITERAL, LITERAL_SHIFT, NONE, NONE, at, 0};
    if (node_of(a, best, &one.before, error) != 0) {
        return -1;
    }
    a->literal = one;
    return 0;
}

/* All states take the byte at `at`; those without hope go. */
static void advance(struct aligner *a, uint32_t at)
{
    uint64_t best = a->literal.cost;
    for (uint32_t k = 0; k < a->states; k++) {
        best = a->state[k].cost < best ? a->state[k].cost : best;
    }
    a->run = at > 0 && a->new[at] == a->new[at - 1] ? a->run + 1 : 0;
    a->literal.cost += a->run >= RUN ? COST_RUN : a->price->literal;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < a->states; k++) {
        struct state *s = &a->state[k];
        int64_t o = (int64_t)at + s->shift;
        if (o < 0 || o >= (int64_t)a->old_n) {
            continue;
        }
        if (a->old[o] == a->new[at]) {
            s->cost += COST_SAME;
            s->after -= s->after > 0;
        } else {
            s->cost += s->after > 0 ? COST_CHANGED_AGAIN : a->price->changed;
            s->after = AFTER;
        }
        if (s->cost < best + COST_HOPELESS) {
            a->state[kept++] = *s;
        }
    }
    a->states = kept;
}

/* From the last node back to the first. */
static int trace(const struct aligner *a, int32_t last, struct operations *out,
                 struct error *error)
{
    uint32_t n = 0;
    for (int32_t k = last; k != NONE; k = a->node[k].before) {
        n++;
    }
    int32_t *way = malloc((n + 1) * sizeof *way);
    if (way == NULL) {
        return error_set(error, "delta: out of memory");
    }
    uint32_t at = n;
    for (int32_t k = last; k != NONE; k = a->node[k].before) {
        way[--at] = k;
    }
    int result = 0;
    for (uint32_t k = 0; k < n && result == 0; k++) {
        const struct node *one = &a->node[way[k]];
        uint32_t end = k + 1 < n ? a->node[way[k + 1]].at : a->new_n;
        uint32_t old = one->shift == LITERAL_SHIFT
                           ? BL_LITERAL
                           : one->at + (uint32_t)one->shift;
        result = operations_add(out, end - one->at, old, error);
    }
    free(way);
    return result;
}

static int follow(struct aligner *a, struct operations *out,
                  const struct stop *stop, struct error *error)
{
    for (uint32_t at = 0; at < a->new_n; at++) {
        if ((at % TICK == 0 && stop_at(stop, at, a->new_n, error) != 0) ||
            literal_enter(a, at, error) != 0 || enter_all(a, at, error) != 0) {
            return -1;
        }
        advance(a, at);
    }
    int32_t last;
    if (node_of(a, best_of(a), &last, error) != 0) {
        return -1;
    }
    out->n = 0;
    return trace(a, last, out, error);
}

int align(const uint8_t *old, uint32_t old_n, const uint8_t *new,
          uint32_t new_n, const struct matches *matches,
          enum aligning aligning, struct operations *out,
          const struct stop *stop, struct error *error)
{
    struct aligner a;
    memset(&a, 0, sizeof a);
    a.old = old;
    a.new = new;
    a.old_n = old_n;
    a.new_n = new_n;
    a.matches = matches;
    a.price = &prices[aligning];
    struct state start = {0, LITERAL_SHIFT, NONE, NONE, 0, 0};
    a.literal = start;
    int result = follow(&a, out, stop, error);
    free(a.node);
    return result;
}
