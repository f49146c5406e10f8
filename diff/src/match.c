/* SPDX-License-Identifier: Apache-2.0 */
#include "match.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"

enum {
    KEYS = 65536,    /* first two bytes of a suffix */
    CERTAIN = 400,   /* a match that long needs no better one */
    LONGEST = 2000,  /* matches are not followed further at once */
    SKIP = 47,       /* within a match longer than this nothing is searched */
    FAR = 24,        /* a match that long says where the next may be */
    NEIGHBOURS = 16, /* of equal length that are looked at, each side */
    TICK = 1 << 16
};

struct suffixes {
    const uint8_t *p;
    uint32_t n;
    int32_t *order;
    uint32_t *first; /* by first two bytes, KEYS + 1 */
};

static uint32_t common(const uint8_t *a, const uint8_t *b, uint32_t from,
                       uint32_t limit)
{
    uint32_t k = from;
    while (k + 8 <= limit) {
        uint64_t x, y;
        memcpy(&x, a + k, 8);
        memcpy(&y, b + k, 8);
        if (x != y) {
            break;
        }
        k += 8;
    }
    while (k < limit && a[k] == b[k]) {
        k++;
    }
    return k;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* first[c] = index of the first suffix that begins with the two bytes of c;
 * the suffix of one byte stands before those that begin with it. */
static void keys_fill(struct suffixes *s)
{
    memset(s->first, 0, (KEYS + 1) * sizeof *s->first);
    for (uint32_t k = 0; k + 1 < s->n; k++) {
        s->first[((uint32_t)s->p[k] << 8 | s->p[k + 1]) + 1]++;
    }
    uint32_t last = (uint32_t)s->p[s->n - 1] << 8, sum = 0;
    for (uint32_t c = 0; c <= KEYS; c++) {
        sum += s->first[c];
        s->first[c] = sum + (c >= last ? 1 : 0);
    }
}

static int suffixes_make(struct suffixes *s, const uint8_t *p, uint32_t n,
                         struct error *error)
{
    s->p = p;
    s->n = n;
    s->order = malloc(n * sizeof *s->order);
    s->first = malloc((KEYS + 1) * sizeof *s->first);
    if (s->order == NULL || s->first == NULL ||
        divsufsort(p, s->order, (int32_t)n) != 0) {
        return error_set(error, "delta: out of memory");
    }
    keys_fill(s);
    return 0;
}

static void suffixes_free(struct suffixes *s)
{
    free(s->order);
    free(s->first);
}

/* The place in the order where q would stand: `low` is the last suffix before
 * it, or a place outside of the key's range. */
static uint32_t place_of(const struct suffixes *s, const uint8_t *q,
                         uint32_t qn)
{
    uint32_t key = (uint32_t)q[0] << 8 | q[1];
    uint32_t low = s->first[key], high = s->first[key + 1];
    uint32_t low_n = 2, high_n = 2;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        uint32_t at = (uint32_t)s->order[mid];
        uint32_t limit = smaller(smaller(qn, s->n - at), CERTAIN);
        uint32_t k = common(q, s->p + at, smaller(low_n, high_n), limit);
        bool before =
            k < limit ? s->p[at + k] < q[k] : k == CERTAIN || s->n - at <= qn;
        if (before) {
            low = mid + 1;
            low_n = k;
        } else {
            high = mid;
            high_n = k;
        }
    }
    return low;
}

struct best {
    uint32_t n; /* bytes that match */
    int32_t shift;
    uint32_t nearness; /* distance to the shift that is expected */
};

static uint32_t distance(int32_t a, int32_t b)
{
    return a > b ? (uint32_t)a - (uint32_t)b : (uint32_t)b - (uint32_t)a;
}

/* Looks at the suffix at `index`; false: it is shorter than the best. */
static bool look(const struct suffixes *s, const uint8_t *q, uint32_t qn,
                 uint32_t at, uint32_t index, int32_t expected,
                 struct best *best)
{
    uint32_t o = (uint32_t)s->order[index];
    uint32_t limit = smaller(smaller(qn, s->n - o), LONGEST);
    uint32_t n = common(q, s->p + o, 0, limit);
    int32_t shift = (int32_t)((int64_t)o - (int64_t)at);
    uint32_t nearness = distance(shift, expected);
    if (n < best->n) {
        return false;
    }
    if (n > best->n || nearness < best->nearness) {
        best->n = n;
        best->shift = shift;
        best->nearness = nearness;
    }
    return true;
}

static struct best longest(const struct suffixes *s, const uint8_t *new,
                           uint32_t new_n, uint32_t at, int32_t expected)
{
    struct best best = {0, 0, UINT32_MAX};
    const uint8_t *q = new + at;
    uint32_t qn = new_n - at;
    if (qn < 2) {
        return best;
    }
    uint32_t place = place_of(s, q, qn);
    for (uint32_t k = 0; k < NEIGHBOURS && place + k < s->n; k++) {
        if (!look(s, q, qn, at, place + k, expected, &best)) {
            break;
        }
    }
    for (uint32_t k = 1; k <= NEIGHBOURS && k <= place; k++) {
        if (!look(s, q, qn, at, place - k, expected, &best)) {
            break;
        }
    }
    return best;
}

static int match_add(struct matches *m, uint32_t at, int32_t shift,
                     struct error *error)
{
    if (m->n == m->room) {
        uint32_t room = m->room == 0 ? 1024 : m->room + m->room / 2;
        struct match *more = realloc(m->m, room * sizeof *more);
        if (more == NULL) {
            return error_set(error, "delta: out of memory");
        }
        m->m = more;
        m->room = room;
    }
    struct match one = {at, shift};
    m->m[m->n++] = one;
    return 0;
}

static int search(const struct suffixes *s, const uint8_t *new, uint32_t new_n,
                  uint32_t least, struct matches *out, const struct stop *stop,
                  struct error *error)
{
    int32_t expected = 0, shift = 0;
    uint32_t left = 0; /* bytes of the current match ahead */
    bool matching = false;
    for (uint32_t at = 0; at < new_n; at++) {
        if (at % TICK == 0 && stop_at(stop, at, new_n, error) != 0) {
            return -1;
        }
        left -= left > 0;
        if (left > SKIP) {
            continue;
        }
        struct best best = longest(s, new, new_n, at, expected);
        if (best.n < least) {
            matching = false;
            continue;
        }
        if ((!matching || best.shift != shift) &&
            match_add(out, at, best.shift, error) != 0) {
            return -1;
        }
        matching = true;
        shift = best.shift;
        left = best.n;
        if (best.n >= FAR) {
            expected = shift;
        }
    }
    return 0;
}

int matches_find(const uint8_t *old, uint32_t old_n, const uint8_t *new,
                 uint32_t new_n, uint32_t least, struct matches *out,
                 const struct stop *stop, struct error *error)
{
    struct suffixes s = {0};
    out->n = 0;
    int result = suffixes_make(&s, old, old_n, error);
    if (result == 0) {
        result = search(&s, new, new_n, least, out, stop, error);
    }
    suffixes_free(&s);
    return result;
}

void matches_free(struct matches *m)
{
    free(m->m);
    m->m = NULL;
    m->n = m->room = 0;
}
