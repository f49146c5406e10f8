/* SPDX-License-Identifier: Apache-2.0 */
#include "storm.h"

#include <stdlib.h>
#include <string.h>

#include "delta_kinds.h"

/* --- old images, and good patches for them --- */

struct image {
    struct symbols_old old;
    struct storm_patch good[STORM_GOOD];
    uint8_t bytes[MADE_ROOM];
};

static void find_streams(struct symbols_old *o)
{
    for (uint32_t k = 0; k + 18 < o->n; k++) {
        if (o->p[k] == 0x1f && o->p[k + 1] == 0x8b && o->p[k + 2] == 8 &&
            o->streams_n < SYMBOLS_STREAMS) {
            o->streams[o->streams_n++] = k + 10;
        }
    }
}

/* Three of each kind: a few hundred bytes to a few thousand. */
static void make_images(uint32_t image, struct made *m)
{
    static const uint8_t functions[] = {1, 3, 8};
    struct dice d = {image + 1};

    made_images(&d, image % KINDS, functions[image / KINDS % 3], m);
}

static void make_good(struct image *i, const struct made *m, uint32_t which)
{
    static const uint8_t rams[] = {6, 8, 16, 32};
    struct storm_patch *g = &i->good[which];
    struct buffer patch = BUFFER(SIZE_MAX);
    struct diff_options o;
    size_t most = which % 2 == 0 ? 400 : HOSTILE_NOW;
    size_t now_n = m->now_n < most ? m->now_n : most;

    diff_defaults(&o);
    o.effort = 0;
    o.ram = rams[which % 4] * 1024U;
    o.isa = which % 2 == 0 ? (uint8_t)i->old.isa : DIFF_DETECT;
    o.in_place = which == 3;
    o.block = 256;
    o.spare = which % 3;
    if (diff_make(m->old, m->old_n, m->now, now_n, &o, &patch, NULL, NULL) !=
            0 ||
        patch.n > HOSTILE_PATCH) {
        abort();
    }
    memcpy(g->p, patch.p, patch.n);
    g->n = patch.n;
    buffer_free(&patch);
}

static struct image *image_of(uint32_t image)
{
    static struct image *all[STORM_IMAGES];
    static struct made m;
    struct image *i = all[image];

    if (i == NULL) {
        i = calloc(1, sizeof *i);
        if (i == NULL) {
            abort();
        }
        make_images(image, &m);
        memcpy(i->bytes, m.old, m.old_n);
        i->old.p = i->bytes;
        i->old.n = (uint32_t)m.old_n;
        i->old.isa = image % BL_DELTA_ISAS;
        i->old.base = image % KINDS < BL_DELTA_ISAS ? 0x08004000 : 0x42000000;
        find_streams(&i->old);
        for (uint32_t k = 0; k < STORM_GOOD; k++) {
            make_good(i, &m, k);
        }
        all[image] = i;
    }
    return i;
}

struct symbols_old *storm_image(uint32_t image)
{
    return &image_of(image % STORM_IMAGES)->old;
}

/* --- damage --- */

enum { NEAR = 96, TAIL = 24 };

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
    struct image *i = image_of(w->image);

    if (w->source == STORM_SYMBOLS) {
        w->n = symbols_patch(&s->d, &i->old, w->p, HOSTILE_PATCH, &s->walk,
                             &s->exact);
    } else {
        const struct storm_patch *good = &i->good[draw(&s->d, STORM_GOOD)];

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
