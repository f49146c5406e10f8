/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the codec's steps with drawn symbols; compiled as the decoder, under
 * the names of symbols_names.h. */
#include "symbols.h"

#include <string.h>

#include "codec.h"
#include "tokens.h"

enum { STEPS = 1 << 18 };

struct walker {
    const struct symbols_old *old;
    struct symbols_walk *walk;
    const struct bl_codec *codec;
};

static bl_status read_old(void *ctx, uint32_t offset, void *p, uint32_t n)
{
    const struct walker *w = ctx;

    if (offset > w->old->n || n > w->old->n - offset) {
        return BL_FLASH; /* the true decoder will show it */
    }
    memcpy(p, w->old->p + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *p, uint32_t n)
{
    const struct walker *w = ctx;

    if (offset > SYMBOLS_NOW || n > SYMBOLS_NOW - offset) {
        return BL_FLASH;
    }
    memcpy(p, w->walk->now + offset, n);
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *p, uint32_t n)
{
    const struct walker *w = ctx;
    struct symbols_walk *k = w->walk;
    uint32_t at = w->codec->written;

    if (at > SYMBOLS_NOW || n > SYMBOLS_NOW - at) {
        return BL_FLASH;
    }
    memcpy(k->now + at, p, n);
    k->now_n += n;
    return BL_OK;
}

/* --- heads --- */

static uint32_t draw_flags(struct draw *d)
{
    uint32_t flags = draw(d, 4) == 0 ? (uint32_t)BL_HEAD_SAME : 0;

    flags |= draw(d, 2) == 0 ? (uint32_t)BL_HEAD_ONE : 0;
    flags |= draw(d, 4) == 0 ? (uint32_t)BL_HEAD_SMALL : 0;
    flags |= draw(d, 3) == 0 ? (uint32_t)BL_HEAD_RAM_MAP : 0;
    flags |= draw(d, 4) == 0 ? (uint32_t)BL_HEAD_PIC : 0;
    if (draw(d, 8) == 0) { /* any */
        flags ^= draw(d, BL_HEAD_ALL + 1);
    }
    return flags;
}

/* What its image asks for: in place, members, the ESP's tail. */
static uint32_t draw_parts(struct draw *d, const struct symbols_old *old)
{
    uint32_t flags = 0;

    if (draw(d, 3) == 0) {
        return BL_HEAD_IN_PLACE;
    }
    if (old->streams_n > 0 || draw(d, 8) == 0) {
        flags |= draw(d, 4) != 0 ? (uint32_t)BL_HEAD_DEFLATE : 0;
    }
    if (old->n > 24 && old->p[0] == 0xE9) {
        flags |= draw(d, 4) != 0 ? (uint32_t)BL_HEAD_ESP : 0;
        flags |= draw(d, 8) == 0 ? (uint32_t)BL_HEAD_ESP_SHORT : 0;
        flags |= draw(d, 2) == 0 ? (uint32_t)BL_HEAD_SUM : 0;
        flags |= draw(d, 2) == 0 ? (uint32_t)BL_HEAD_HASH : 0;
    }
    return flags;
}

static uint32_t draw_map(struct draw *d)
{
    uint32_t few = draw(d, 8);

    return draw(d, 512) == 0 ? draw(d, BL_MAP_MAX + 1U)
           : few < 6         ? few
                             : draw(d, 64);
}

static void draw_sizes(struct draw *d, const struct symbols_old *old,
                       struct bl_head *h)
{
    static const uint16_t sizes[16] = {SYMBOLS_NOW, 600, 300, 300, 150, 150,
                                       150,         150, 80,  80,  80,  80,
                                       80,          30,  30,  8};

    h->size[0] = draw(d, 8) != 0 ? old->n : 1 + draw(d, old->n);
    h->size[1] = 1 + draw(d, sizes[draw(d, 16)]);
    if (draw(d, 8) == 0) { /* where buffers end, or nearly */
        h->size[1] = (1 + draw(d, 8)) * 64 + draw(d, 3) - 1;
    }
    if ((h->flags & BL_HEAD_DEFLATE) != 0 && draw(d, 4) == 0) {
        h->size[1] = 1 + draw(d, SYMBOLS_NOW);
    }
    if ((h->flags & BL_HEAD_SAME) != 0) {
        if (h->size[0] > SYMBOLS_NOW) {
            h->flags = (uint16_t)(h->flags & ~BL_HEAD_SAME);
        } else {
            h->size[1] = h->size[0];
        }
    }
    if (h->size[0] == h->size[1]) { /* as bl_head_write tells it */
        h->flags |= BL_HEAD_SAME;
    }
}

static void draw_head(struct draw *d, const struct symbols_old *old,
                      struct bl_head *h)
{
    memset(h, 0, sizeof *h);
    h->isa = (uint8_t)(draw(d, 8) != 0 ? old->isa : draw(d, BL_DELTA_ISAS));
    h->flags = (uint16_t)(draw_flags(d) | draw_parts(d, old));
    draw_sizes(d, old, h);
    if ((h->flags & BL_HEAD_IN_PLACE) != 0) {
        h->flags = (uint16_t)(h->flags & ~BL_HEAD_DEFLATE);
        h->block = (uint8_t)(BL_BLOCK_MIN +
                             (draw(d, 8) != 0 ? draw(d, 2) : draw(d, 16)));
        h->stash = (uint8_t)(draw(d, 2) != 0 ? draw(d, 16) : 0);
        h->slots = (uint8_t)(draw(d, 8) != 0 ? draw(d, 4) : draw(d, 256));
    }
    if ((h->flags & BL_HEAD_SMALL) != 0) {
        return;
    }
    h->table = (uint8_t)(draw(d, 32) != 0 ? draw(d, 5) : draw(d, 16));
    h->regions[0] = h->regions[1] = 1;
    if ((h->flags & BL_HEAD_ONE) == 0) {
        h->regions[0] = (uint8_t)draw(d, draw(d, 4) != 0 ? 5 : 16);
        h->regions[1] = (uint8_t)draw(d, draw(d, 4) != 0 ? 5 : 16);
    }
    h->map[0] = draw_map(d);
    h->map[1] = (h->flags & BL_HEAD_RAM_MAP) != 0 ? draw_map(d) : 0;
}

/* --- what a step is likely to ask for --- */

static void draw_ways(struct symbols_ways *w, const struct symbols_old *old,
                      const struct bl_head *h)
{
    static const uint8_t wilds[] = {0, 1, 4, 16, 64, 255};
    static const uint8_t leans[8] = {0, 0, 0, 0, 0, 24, 128, 232};
    static const uint8_t chances[] = {0, 8, 64, 128, 200, 250};

    w->wild = wilds[draw(w->d, 6)];
    w->lean = leans[draw(w->d, 8)];
    w->likely = chances[draw(w->d, 6)];
    w->often = chances[draw(w->d, 6)];
    w->noise = chances[draw(w->d, 6)];
    w->edge[0] = h->size[0];
    w->edge[1] = h->size[1];
    w->edge[2] = old->base;
    w->edge[3] = old->base + h->size[0];
    w->edge[4] = 1U << (h->block & 31);
    w->edge[5] = 0x20000000;
}

static void between(struct symbols_ways *w, int32_t low, uint32_t span)
{
    w->low = low;
    w->span = span;
}

/* A seek to anywhere in the old image, or to one of its streams. */
static void seek(struct symbols_ways *w, const struct bl_codec *c,
                 const struct symbols_old *old)
{
    if (c->paged != NULL && c->position == c->stop) {
        between(w, -4, 9); /* the next page */
    } else if (c->member != NULL && old->streams_n > 0) {
        uint32_t to = old->streams[draw(w->d, old->streams_n)];

        between(w, (int32_t)(to - c->from), 1);
    } else if (draw(w->d, 2) == 0) {
        between(w, (int32_t)(0U - c->from), c->old.size);
    } else {
        between(w, 0, c->position > 0 ? c->position : 1);
    }
}

/* What a field of a region may be. */
static void fit_region(struct symbols_ways *w, const struct bl_codec *c,
                       const struct symbols_old *old)
{
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t v = draw(w->d, c->old.size + 1) & ~(k % 4);

        w->round[k] = c->phase == BL_PHASE_RAMS ? 0x20000000 + (v & ~0xffU)
                      : c->field == 1           ? old->base + v
                      : c->field == 3           ? k
                                                : v;
    }
    between(w, -64, 129);
}

/* A stream begins: all its tokens. */
static void fit_stream(struct symbols_ways *w, const struct bl_codec *c)
{
    static uint8_t tokens[1024];

    if (c->member->writer.at == 0) {
        w->token = tokens;
        w->tokens =
            draw(w->d, 8) != 0 ? tokens_draw(w->d, tokens, sizeof tokens) : 0;
    }
    between(w, -8, 24);
}

static void fit(struct symbols_ways *w, const struct bl_codec *c,
                const struct symbols_old *old)
{
    uint32_t rest = c->stop - c->position;
    uint32_t behind = c->old.size - c->from;

    w->wrong = w->often;
    if (c->phase != BL_PHASE_MEMBER) {
        w->tokens = 0;
    }
    w->edge[6] = c->position;
    w->edge[7] = c->phase == BL_PHASE_LENGTH ? rest - 1 : c->from;
    switch (c->phase) {
    case BL_PHASE_MAP:
    case BL_PHASE_RAM_MAP:
        if (c->field == 0) {
            between(w, 0, c->old.size / 2 + 1);
        } else {
            between(w, -64, 129);
        }
        break;
    case BL_PHASE_PLACE:
        seek(w, c, old);
        break;
    case BL_PHASE_LENGTH:
        between(w, 0, !c->literal && behind < rest ? behind : rest);
        w->span += draw(w->d, 32) == 0 ? 1 : 0;
        break;
    case BL_PHASE_REGIONS:
    case BL_PHASE_RAMS:
        fit_region(w, c, old);
        break;
    case BL_PHASE_MEMBER:
        fit_stream(w, c);
        break;
    default:
        between(w, -300, 601);
        break;
    }
}

/* --- the walk --- */

static uint64_t memory[(SYMBOLS_RAM + 7) / 8];

size_t symbols_patch(struct draw *d, const struct symbols_old *old,
                     uint8_t *out, size_t room, struct symbols_walk *walk,
                     bool *exact)
{
    static struct bl_codec c;
    struct walker w = {old, walk, &c};
    const struct bl_delta_io io = {&w, read_old, read_new, write_new};
    struct bl_parts parts;
    size_t n;

    memset(&c, 0, sizeof c);
    do {
        draw_head(d, old, &c.head);
        bl_head_memory(&c.head, &parts);
    } while (parts.end > SYMBOLS_RAM);
    memset((uint8_t *)memory + BL_FIXED, 0, parts.end - BL_FIXED);
    symbols_ways.d = d;
    draw_ways(&symbols_ways, old, &c.head);
    symbols_begin(&c.head, out, room);
    c.cache.io = &io;
    bl_codec_link(&c, memory);
    bl_codec_start(&c);
    walk->now_n = 0;
    walk->steps = 0;
    if (c.paged != NULL) {
        memset(walk->now, 0, c.now.size);
    }
    do {
        walk->steps++;
        fit(&symbols_ways, &c, old);
    } while (bl_codec_step(&c) && walk->steps < STEPS);
    if (c.status == BL_OK) {
        bl_put_flush(&c);
    }
    walk->status = c.status;
    walk->now_n = c.paged != NULL ? c.now.size : walk->now_n;
    n = symbols_end(exact);
    *exact = *exact && walk->steps < STEPS;
    return n;
}
