/* SPDX-License-Identifier: Apache-2.0 */
/* The old images of the storm, and good patches for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delta_kinds.h"
#include "storm.h"
#include "tokens.h"

struct image {
    uint32_t number;
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

/* Words that made code has none of: wide loads and stubs of Thumb, noise. */
static void spice(struct dice *d, uint32_t isa, uint8_t *p, size_t n)
{
    static const uint8_t stub[12] = {0,    0xc6, 0x8f, 0xe2, 1,    0xca,
                                     0x8c, 0xe2, 4,    0xf0, 0xbc, 0xe5};

    for (uint32_t k = (uint32_t)n / 64; k > 0 && n > 64; k--) {
        uint8_t *at = p + (dice_roll(d, (uint32_t)n - 16) & ~3U);

        if (isa != BL_DELTA_THUMB || k % 4 == 0) {
            fill_noise(d, at, 4);
        } else if (k % 2 == 0) {
            memcpy(at, stub, sizeof stub);
        } else {
            at[0] = k % 4 == 1 ? 0xdf : 0x5f;
            at[1] = 0xf8;
        }
    }
}

/* A stream behind the image, of tokens that were drawn, under a head as gzip
 * has it; the last one cut off. */
static size_t add_stream(struct dice *d, uint8_t *p, size_t n)
{
    static const uint8_t head[10] = {0x1f, 0x8b, 8};
    uint8_t tokens[2048];
    struct draw dice = {NULL, 0, d->state};
    size_t tokens_n = tokens_draw(&dice, tokens, sizeof tokens);

    memcpy(p + n, head, sizeof head);
    n += sizeof head;
    return n + tokens_stream(tokens, tokens_n, p + n, 600);
}

/* Three of each kind: a few hundred bytes to a few thousand. */
static void make_images(uint32_t image, struct made *m)
{
    static const uint8_t functions[] = {1, 3, 8};
    struct dice d = {image + 1};

    made_images(&d, image % KINDS, functions[image / KINDS % 3], m);
    if (image / KINDS % 3 == 2) {
        spice(&d, image % BL_DELTA_ISAS, m->old + 64, m->old_n - 64);
    }
    if (image % KINDS / BL_DELTA_ISAS == 3) {
        m->old_n = add_stream(&d, m->old, m->old_n);
    }
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
#ifdef STORM_PLANTED
    return; /* diff_make tries what it has made, with the faulty decoder */
#endif
    if (diff_make(m->old, m->old_n, m->now, now_n, &o, &patch, NULL, NULL) !=
        0) {
        fprintf(stderr, "FINDING: no patch is made for image %u\n",
                (unsigned)i->number);
        abort();
    }
    patch.n = patch.n < HOSTILE_PATCH ? patch.n : HOSTILE_PATCH;
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
        i->number = image;
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

const struct symbols_old *storm_image(uint32_t image)
{
    return &image_of(image % STORM_IMAGES)->old;
}

const struct storm_patch *storm_good(uint32_t image, uint32_t which)
{
    return &image_of(image % STORM_IMAGES)->good[which % STORM_GOOD];
}
