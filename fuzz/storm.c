/* SPDX-License-Identifier: Apache-2.0 */
#include "storm.h"

#include <stdlib.h>
#include <string.h>

/* --- damage --- */

enum { NEAR = 64, TAIL = 16 };

/* What follows is noise to the decoder, most of it literals, and slow: mostly
 * only a little of it is left, and it is not far from the beginning. */
static void flip(struct storm_patch *p, struct draw *d, size_t from)
{
    uint32_t rest = (uint32_t)(p->n - from);
    uint32_t where = rest > NEAR && draw(d, 4) != 0 ? NEAR : rest;
    uint8_t *at;
    uint32_t how = draw(d, 4);

    where = (uint32_t)from + draw(d, where);
    at = p->p + where;
    if (draw(d, 4) != 0 && p->n - where > TAIL) {
        p->n = where + 1 + draw(d, TAIL);
    }
    *at = (uint8_t)(how < 2    ? *at ^ 1U << draw(d, 8)
                    : how == 2 ? draw(d, 256)
                               : *at + draw(d, 3) - 1U);
}

/* Some bytes left out, doubled, or the end cut off. */
static void shift(struct storm_patch *p, struct draw *d)
{
    uint32_t n = (uint32_t)p->n;
    uint32_t at = draw(d, n);
    uint32_t much = 1 + draw(d, draw(d, 2) == 0 ? 4 : n - at);

    much = much < n - at ? much : n - at;
    switch (draw(d, 3)) {
    case 0:
        p->n = at;
        break;
    case 1:
        memmove(p->p + at, p->p + at + much, n - at - much);
        p->n = n - much;
        break;
    default:
        if (n + much <= HOSTILE_PATCH) {
            memmove(p->p + at + much, p->p + at, n - at);
            p->n = n + much;
        }
        break;
    }
}

/* Seldom in the head, where nearly all are refused. */
static void damage(struct storm_patch *p, struct draw *d)
{
    uint32_t times = 1 + draw(d, 3);
    size_t head = p->n > 24 && draw(d, 8) != 0 ? 12 + draw(d, 12) : 0;

    while (times-- > 0 && p->n > head) {
        flip(p, d, head);
    }
    if (p->n > 0 && draw(d, 8) == 0) {
        shift(p, d);
    }
}

static void noise(struct storm_patch *p, struct draw *d)
{
    uint32_t below = 1 + draw(d, 256);

    p->n = p->n < 14 ? p->n : 14;
    for (uint32_t more = draw(d, draw(d, 8) == 0 ? 200 : 32); more > 0;
         more--) {
        p->p[p->n++] = (uint8_t)draw(d, below);
    }
}

/* --- rounds --- */

static void draw_whole(struct storm *s)
{
    struct storm_patch *w = &s->whole;
    const struct symbols_old *old = storm_image(w->image);

    if (w->source == STORM_SYMBOLS) {
        w->n = symbols_patch(&s->d, old, w->p, HOSTILE_PATCH, &s->walk,
                             &s->exact);
    } else {
        const struct storm_patch *good =
            storm_good(w->image, draw(&s->d, STORM_GOOD));

        memcpy(w->p, good->p, good->n);
        w->n = good->n;
        s->exact = false;
    }
}

void storm_round(struct storm *s, uint64_t seed, uint64_t round)
{
    uint32_t what;

    s->d.n = 0;
    s->d.state = (seed << 40 ^ round) * 0xd6e8feb86659fd93U;
    s->at = 0;
    s->whole.image = (uint32_t)(round % STORM_IMAGES);
    what = draw(&s->d, 16);
    s->whole.source = what < 10   ? STORM_SYMBOLS
                      : what < 15 ? STORM_DAMAGED
                                  : STORM_NOISE;
    draw_whole(s);
}

void storm_next(struct storm *s)
{
    struct storm_patch *p = &s->patch;
    const struct storm_patch *w = &s->whole;

    p->image = w->image;
    p->source = w->source;
    p->n = w->n;
    memcpy(p->p, w->p, w->n);
    if (w->source == STORM_NOISE) {
        noise(p, &s->d);
    } else if (w->source == STORM_DAMAGED) {
        damage(p, &s->d);
    } else if (s->at > 0) {
        p->source = STORM_STREWN;
        s->exact = false;
        damage(p, &s->d);
    }
    s->at++;
}

/* What the walk with drawn symbols did, the decoder does. */
static bool as_walked(const struct symbols_walk *w, const struct hostile *h)
{
    return w->status == h->status && w->now_n == h->now_n &&
           memcmp(w->now, h->now, h->now_n) == 0;
}

const char *storm_try(const struct storm *s, uint32_t portions,
                      struct hostile *h)
{
    static struct hostile again;
    const struct storm_patch *p = &s->patch;
    const struct symbols_old *old = storm_image(p->image);

    hostile_apply(old->p, old->n, p->p, p->n, 0, h);
    if (h->broken != NULL) {
        return h->broken;
    }
    if (s->exact && !as_walked(&s->walk, h)) {
        return "the decoder goes the way of the symbols";
    }
    if (portions == 0 || h->refused) {
        return NULL;
    }
    hostile_apply(old->p, old->n, p->p, p->n, portions, &again);
    return again.broken != NULL      ? again.broken
           : hostile_same(h, &again) ? NULL
                                     : "portions make no difference";
}
