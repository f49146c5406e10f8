/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "map.h"

/* A copy as a piece of the old image. */
struct piece {
    uint32_t low, high;
    int32_t shift;
};

/* Pieces over the place that is looked at, the longest on top. */
struct heap {
    struct piece *p;
    uint32_t n;
};

static bool above(const struct piece *a, const struct piece *b)
{
    uint32_t x = a->high - a->low, y = b->high - b->low;
    return x != y ? x > y : a->low < b->low;
}

static void swap(struct piece *a, struct piece *b)
{
    struct piece t = *a;
    *a = *b;
    *b = t;
}

static void heap_push(struct heap *h, const struct piece *p)
{
    uint32_t k = h->n++;
    h->p[k] = *p;
    while (k > 0 && above(&h->p[k], &h->p[(k - 1) / 2])) {
        swap(&h->p[k], &h->p[(k - 1) / 2]);
        k = (k - 1) / 2;
    }
}

static void heap_pop(struct heap *h)
{
    h->p[0] = h->p[--h->n];
    for (uint32_t k = 0;;) {
        uint32_t top = k;
        for (uint32_t c = 2 * k + 1; c <= 2 * k + 2 && c < h->n; c++) {
            top = above(&h->p[c], &h->p[top]) ? c : top;
        }
        if (top == k) {
            return;
        }
        swap(&h->p[k], &h->p[top]);
        k = top;
    }
}

static int by_low(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->low != y->low) {
        return x->low < y->low ? -1 : 1;
    }
    return x->shift < y->shift ? -1 : x->shift > y->shift;
}

/* The longest piece at each place, where it changes. */
static int sweep(const struct piece *piece, uint32_t n, struct heap *h,
                 struct moves *out, struct error *error)
{
    uint32_t next = 0, at = 0;
    while (next < n || h->n != 0) {
        while (h->n != 0 && h->p[0].high <= at) {
            heap_pop(h);
        }
        if (h->n == 0) {
            if (next == n) {
                break;
            }
            at = piece[next].low > at ? piece[next].low : at;
        }
        while (next < n && piece[next].low <= at) {
            heap_push(h, &piece[next++]);
        }
        while (h->n != 0 && h->p[0].high <= at) {
            heap_pop(h);
        }
        if (h->n == 0) {
            continue;
        }
        if (moves_add(out, at, h->p[0].shift, error) != 0) {
            return -1;
        }
        uint32_t end = h->p[0].high;
        at = next < n && piece[next].low < end ? piece[next].low : end;
    }
    return 0;
}

int map_copies(const struct operations *operations, struct moves *out,
               struct error *error)
{
    uint32_t n = 0, at = 0;
    size_t bytes = ((size_t)operations->n + 1) * sizeof(struct piece);
    struct piece *piece = malloc(bytes);
    struct heap h = {malloc(bytes), 0};
    int result = -1;
    out->n = 0;
    if (piece == NULL || h.p == NULL) {
        (void)error_set(error, "delta: out of memory");
    } else {
        for (uint32_t k = 0; k < operations->n; k++) {
            const struct bl_operation *o = &operations->o[k];
            if (o->old != BL_LITERAL) {
                struct piece p = {o->old, o->old + o->length,
                                  (int32_t)(at - o->old)};
                piece[n++] = p;
            }
            at += o->length;
        }
        qsort(piece, n, sizeof *piece, by_low);
        result = sweep(piece, n, &h, out, error);
    }
    free(piece);
    free(h.p);
    return result;
}

/* What each entry is good for: references to what it tells of. */
static void worth(const struct moves *map, const struct votes *votes,
                  uint32_t old_size, uint64_t *out)
{
    uint32_t v = 0;
    for (uint32_t k = 0; k < map->n; k++) {
        uint32_t end = k + 1 < map->n ? map->m[k + 1].at : old_size;
        out[k] = (uint64_t)(end - map->m[k].at) * 5;
        while (v < votes->n && votes->v[v].at < end) {
            if (votes->v[v].at >= map->m[k].at) {
                out[k] += votes->v[v].weight;
            }
            v++;
        }
    }
}

static int by_worth(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

void map_limit(struct moves *map, const struct votes *votes, uint32_t old_size,
               uint32_t limit)
{
    if (map->n <= limit) {
        return;
    }
    uint64_t *value = malloc(2 * (size_t)map->n * sizeof *value);
    uint32_t n = map->n;
    map->n = 0;
    if (value == NULL || limit == 0) {
        free(value);
        return;
    }
    uint64_t *sorted = value + n;
    map->n = n;
    worth(map, votes, old_size, value);
    memcpy(sorted, value, n * sizeof *value);
    qsort(sorted, n, sizeof *sorted, by_worth);
    uint64_t least = sorted[limit - 1];
    uint32_t equal = 0; /* of those worth `least` so many are kept */
    for (uint32_t k = 0; k < limit; k++) {
        equal += sorted[k] == least;
    }
    map->n = 0;
    for (uint32_t k = 0; k < n; k++) {
        bool keep = value[k] > least || (value[k] == least && equal > 0);
        equal -= value[k] == least && equal > 0;
        if (keep &&
            (map->n == 0 || map->m[map->n - 1].shift != map->m[k].shift)) {
            map->m[map->n++] = map->m[k];
        }
    }
    free(value);
}
