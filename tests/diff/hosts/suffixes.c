/* SPDX-License-Identifier: Apache-2.0 */
/* Suffixes sorted by doubling; for small images only. */
#include <stdlib.h>

#include "divsufsort.h"

struct suffix {
    int32_t at, rank, next;
};

static int compare(const void *a, const void *b)
{
    const struct suffix *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return x->next == y->next ? 0 : x->next < y->next ? -1 : 1;
}

/* By the first `length` bytes they are in order: now by twice as many.
 * Returns how many are told apart. */
static int32_t refine(struct suffix *s, int32_t *rank, int32_t n,
                      int32_t length)
{
    int32_t last = 0;
    for (int32_t k = 0; k < n; k++) {
        s[k].rank = rank[s[k].at];
        s[k].next = n - s[k].at > length ? rank[s[k].at + length] : -1;
    }
    qsort(s, (size_t)n, sizeof *s, compare);
    for (int32_t k = 0; k < n; k++) {
        last += k > 0 && compare(&s[k - 1], &s[k]) != 0 ? 1 : 0;
        rank[s[k].at] = last;
    }
    return last + 1;
}

int32_t divsufsort(const uint8_t *text, int32_t *order, int32_t n)
{
    struct suffix *s = malloc((size_t)n * sizeof *s);
    int32_t *rank = malloc((size_t)n * sizeof *rank);
    if (s == NULL || rank == NULL) {
        free(s);
        free(rank);
        return -2;
    }
    for (int32_t k = 0; k < n; k++) {
        s[k].at = k;
        rank[k] = text[k];
    }
    for (int32_t length = 1; refine(s, rank, n, length) < n; length *= 2) {
    }
    for (int32_t k = 0; k < n; k++) {
        order[k] = s[k].at;
    }
    free(s);
    free(rank);
    return 0;
}
