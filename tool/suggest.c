/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the word that a mistyped one was to be. */
#include "suggest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop, change or swap with their neighbour. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t row[3][SUGGEST_WORD + 1] = {{0}}; /* two back, one back, this one */
    size_t i;
    size_t k;

    for (k = 0; k <= n_b; k++) {
        row[1][k] = k;
    }
    for (i = 1; i <= n_a; i++) {
        row[2][0] = i;
        for (k = 1; k <= n_b; k++) {
            size_t d = row[1][k - 1] + (a[i - 1] != b[k - 1]);

            d = least(d, row[1][k] + 1);
            d = least(d, row[2][k - 1] + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
                a[i - 2] == b[k - 1]) {
                d = least(d, row[0][k - 2] + 1);
            }
            row[2][k] = d;
        }
        memcpy(row[0], row[1], sizeof row[0]);
        memcpy(row[1], row[2], sizeof row[1]);
    }
    return row[1][n_b];
}

void suggest_offer(struct suggest *s, const char *word, size_t n)
{
    size_t typed = strlen(s->typed);
    size_t d;

    if (typed > SUGGEST_WORD || n > SUGGEST_WORD || typed == 0) {
        return;
    }
    d = distance(s->typed, typed, word, n);
    /* One slip in three letters: beyond that it is another word. */
    if (3 * d <= (typed > n ? typed : n) && (s->word == NULL || d < s->far)) {
        s->word = word;
        s->n = n;
        s->far = d;
    }
}
