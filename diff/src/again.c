/* SPDX-License-Identifier: Apache-2.0 */
#include "again.h"

#include <stdlib.h>
#include <string.h>

#include "cost.h"

enum { HASH_BITS = 16, LEAST = 3, LONGEST = 1024, LOOKS = 64, NONE = -1 };

/* Found by measuring. */
#define COST_LITERAL BITS(6.8)
#define COST_AGAIN BITS(13) /* and what tells how far and how long */

struct searcher {
    const uint8_t *now;
    uint32_t n;
    int32_t *last;   /* by hash */
    int32_t *before; /* by place */
    uint64_t *cost;  /* of the way to a place, within one literal */
    uint32_t *apart; /* of its last part: 0 for a new byte */
    uint32_t *length;
};

static uint32_t hash_of(const uint8_t *p)
{
    uint32_t x = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    return x * 2654435761U >> (32 - HASH_BITS);
}

static void put(struct searcher *s, uint32_t at)
{
    if (s->n - at >= LEAST) {
        uint32_t h = hash_of(s->now + at);
        s->before[at] = s->last[h];
        s->last[h] = (int32_t)at;
    }
}

static uint32_t common(const uint8_t *a, const uint8_t *b, uint32_t limit)
{
    uint32_t k = 0;
    while (k < limit && a[k] == b[k]) {
        k++;
    }
    return k;
}

static void way(struct searcher *s, uint32_t to, uint64_t cost, uint32_t apart,
                uint32_t length)
{
    if (cost < s->cost[to]) {
        s->cost[to] = cost;
        s->apart[to] = apart;
        s->length[to] = length;
    }
}

/* All that may follow from `at`, in a literal that ends at `end`. */
static void ways_from(struct searcher *s, uint32_t at, uint32_t end)
{
    uint64_t cost = s->cost[at];
    uint32_t most = end - at < LONGEST ? end - at : LONGEST;
    uint32_t best = LEAST - 1;
    way(s, at + 1, cost + COST_LITERAL, 0, 1);
    if (most < LEAST) {
        return;
    }
    int32_t from = s->last[hash_of(s->now + at)];
    for (uint32_t k = 0; k < LOOKS && from != NONE && best < most; k++) {
        uint32_t apart = at - (uint32_t)from;
        uint32_t n = common(s->now + from, s->now + at, most);
        uint64_t dear = cost + COST_AGAIN + cost_log2(apart);
        for (uint32_t j = best + 1; j <= n; j++) {
            way(s, at + j, dear + cost_log2(j), apart, j);
        }
        best = n > best ? n : best;
        from = s->before[from];
    }
}

/* The parts from `at` to `end`: their ends marked on the way back. */
static int parts_add(struct searcher *s, uint32_t at, uint32_t end,
                     struct operations *out, struct error *error)
{
    uint32_t k = end;
    uint32_t next = end;
    while (k > at) {
        uint32_t from = k - s->length[k];
        s->cost[k] = next; /* no longer needed: the end behind */
        next = k;
        k = from;
    }
    int result = 0;
    for (k = next; result == 0; k = (uint32_t)s->cost[k]) {
        result =
            operations_add(out, s->length[k], BL_AGAIN(s->apart[k]), error);
        if (k == end) {
            break;
        }
    }
    return result;
}

static int literal_split(struct searcher *s, uint32_t at, uint32_t length,
                         struct operations *out, struct error *error)
{
    uint32_t end = at + length;
    for (uint32_t k = at; k <= end; k++) {
        s->cost[k] = UINT64_MAX;
    }
    s->cost[at] = 0;
    for (uint32_t k = at; k < end; k++) {
        ways_from(s, k, end);
        put(s, k);
    }
    return parts_add(s, at, end, out, error);
}

static int all_split(struct searcher *s, const struct operations *in,
                     struct operations *out, struct error *error)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < in->n; k++) {
        const struct bl_operation *o = &in->o[k];
        if (o->old == BL_LITERAL) {
            if (literal_split(s, at, o->length, out, error) != 0) {
                return -1;
            }
        } else {
            for (uint32_t j = 0; j < o->length; j++) {
                put(s, at + j);
            }
            if (operations_add(out, o->length, o->old, error) != 0) {
                return -1;
            }
        }
        at += o->length;
    }
    return 0;
}

int again_find(const uint8_t *now, uint32_t n, const struct operations *in,
               struct operations *out, struct error *error)
{
    struct searcher s = {.now = now, .n = n};
    size_t words = (size_t)n + 1;
    s.last = malloc((sizeof *s.last) << HASH_BITS);
    s.before = malloc(words * sizeof *s.before);
    s.cost = malloc(words * sizeof *s.cost);
    s.apart = malloc(words * sizeof *s.apart);
    s.length = malloc(words * sizeof *s.length);
    int result = -1;
    if (s.last == NULL || s.before == NULL || s.cost == NULL ||
        s.apart == NULL || s.length == NULL) {
        result = error_set(error, "delta: out of memory");
    } else {
        memset(s.last, 0xFF, (sizeof *s.last) << HASH_BITS);
        out->n = 0;
        result = all_split(&s, in, out, error);
    }
    free(s.last);
    free(s.before);
    free(s.cost);
    free(s.apart);
    free(s.length);
    return result;
}
