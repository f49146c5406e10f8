/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of the decoder: memory, input, pauses. */
#include "bowline/delta.h"

#include <string.h>

#include "codec.h"

struct bl_delta {
    uint32_t build; /* tells the layout, for bl_delta_resume */
    uint32_t ram;
    uint32_t taken;
    uint8_t head_n; /* bytes of the head */
    bool started;   /* the coder has its first bytes */
    bool ended;     /* no more patch bytes come */
    uint32_t limit[2];
    struct bl_codec codec;
};

/* The least of all memories holds it, with 32 and with 64 bits. */
typedef char bl_delta_fits[sizeof(struct bl_delta) <= BL_FIXED ? 1 : -1];

static uint32_t build_id(void)
{
    return 0xB2000000U | (uint32_t)BL_DELTA_FORMAT_1 << 24 |
           (uint32_t)sizeof(struct bl_delta);
}

uint32_t bl_delta_isas(void)
{
    return BL_ISAS;
}

bl_status bl_delta_head(const void *patch, size_t n, struct bl_delta_info *out)
{
    struct bl_head h;
    struct bl_parts parts;
    uint32_t used;
    bl_status status = bl_head_read(patch, n, &h, &used);

    if (status != BL_OK) {
        return status;
    }
    bl_head_memory(&h, &parts);
    memset(out, 0, sizeof *out);
    out->format = BL_DELTA_FORMAT_1;
    out->isa = h.isa;
    out->in_place = (h.flags & BL_HEAD_IN_PLACE) != 0;
    out->deflate = (h.flags & BL_HEAD_DEFLATE) != 0;
    if (out->in_place) {
        out->block = 1U << h.block;
        out->slots = h.slots;
        out->stash = (out->block >> 4) * h.stash;
    }
    out->old_size = h.size[0];
    out->new_size = h.size[1];
    out->ram = parts.end;
    out->n = used;
    memcpy(out->old_check, h.check[0], BL_DELTA_CHECK);
    memcpy(out->new_check, h.check[1], BL_DELTA_CHECK);
    return BL_OK;
}

bl_status bl_delta_start(const struct bl_delta_info *info,
                         const struct bl_delta_io *io, uint32_t old_limit,
                         uint32_t new_limit, void *memory, size_t size,
                         struct bl_delta **out)
{
    struct bl_delta *d = memory;

    if (info->ram > size) {
        return BL_DELTA_RAM;
    }
    if (info->ram < BL_FIXED || info->n > BL_DELTA_HEAD) {
        return BL_ARGUMENT;
    }
    if (info->old_size > old_limit || info->new_size > new_limit) {
        return BL_NO_SPACE;
    }
    memset(memory, 0, info->ram);
    d->build = build_id();
    d->ram = info->ram;
    d->head_n = (uint8_t)info->n; /* at most BL_DELTA_HEAD */
    d->limit[0] = old_limit;
    d->limit[1] = new_limit;
    d->codec.cache.io = io;
    d->codec.rc.in = d->codec.in;
    *out = d;
    return BL_OK;
}

/* The head again, now to begin: it must be the one that was shown. */
static void begin(struct bl_delta *d)
{
    struct bl_codec *c = &d->codec;
    struct bl_parts parts;
    uint32_t used;

    c->status = bl_head_read(c->rc.in, c->rc.waiting, &d->codec.head, &used);
    if (c->status != BL_OK) {
        return;
    }
    bl_head_memory(&d->codec.head, &parts);
    if (used != d->head_n || parts.end != d->ram ||
        d->codec.head.size[0] > d->limit[0] ||
        d->codec.head.size[1] > d->limit[1]) {
        c->status = BL_DELTA_FORMAT;
        return;
    }
    c->rc.waiting = 0;
    bl_codec_link(c, d);
    bl_codec_start(c);
}

static bool head_missing(const struct bl_delta *d)
{
    return d->codec.head.size[0] == 0;
}

/* Bytes that may wait: the head at first, then as many as there is room. */
static uint32_t room(const struct bl_delta *d)
{
    uint32_t all = head_missing(d) ? d->head_n : (uint32_t)BL_INPUT;

    return all - d->codec.rc.waiting;
}

static size_t fill(struct bl_delta *d, const uint8_t *p, size_t n)
{
    struct bl_coder *rc = &d->codec.rc;
    uint32_t free_n = room(d);
    size_t i;

    n = n < free_n ? n : free_n;
    for (i = 0; i < n; i++) {
        rc->in[(rc->first + rc->waiting) % BL_INPUT] = p[i];
        rc->waiting++;
    }
    d->taken += (uint32_t)n;
    if (head_missing(d) && room(d) == 0) {
        begin(d);
    }
    return n;
}

/* In place, a page begins: the caller's turn. */
static bool paused(const struct bl_delta *d)
{
    return BL_PAGED(&d->codec) != NULL && BL_PAGED(&d->codec)->event != 0;
}

static void go_on(struct bl_delta *d)
{
    if (BL_PAGED(&d->codec) != NULL) {
        BL_PAGED(&d->codec)->event = 0;
    }
}

static bool may_step(const struct bl_delta *d)
{
    const struct bl_codec *c = &d->codec;

    return !paused(d) && c->status == BL_OK && !head_missing(d) &&
           c->phase != BL_PHASE_DONE && (d->ended || c->rc.waiting >= BL_STEP);
}

/* Steps while there is input for them, until `until` bytes are put out. */
static void run(struct bl_delta *d, uint32_t until)
{
    struct bl_codec *c = &d->codec;

    while (may_step(d) && c->position < until) {
        if (!d->started) {
            d->started = true;
            bl_coder_start(&c->rc);
        }
        (void)bl_codec_step(c);
    }
}

bl_status bl_delta_data(struct bl_delta *d, const void *patch, size_t n,
                        size_t *taken)
{
    const uint8_t *p = patch;
    struct bl_codec *c = &d->codec;
    uint32_t until = c->position + BL_DELTA_QUANTUM;

    *taken = 0;
    go_on(d);
    while (c->status == BL_OK && *taken < n && c->position < until &&
           !paused(d)) {
        if (c->phase == BL_PHASE_DONE) {
            c->status = BL_DELTA_FORMAT;
            break;
        }
        *taken += fill(d, p + *taken, n - *taken);
        run(d, until);
    }
    return c->status;
}

/* The encoder leaves them away. All has been read: the last one is still
 * there, unless there is nothing but the head. */
static bool ends_in_zero(const struct bl_delta *d)
{
    const struct bl_coder *rc = &d->codec.rc;

    return d->taken > d->head_n &&
           rc->in[(rc->first + BL_INPUT - 1U) % BL_INPUT] == 0;
}

bl_status bl_delta_end(struct bl_delta *d, bool *whole)
{
    struct bl_codec *c = &d->codec;

    *whole = false;
    if (c->status == BL_OK && head_missing(d)) {
        c->status = BL_DELTA_FORMAT;
    }
    d->ended = true;
    go_on(d);
    run(d, c->position + BL_DELTA_QUANTUM);
    if (c->status == BL_OK && c->phase == BL_PHASE_DONE) {
        if (c->rc.waiting > 0 || ends_in_zero(d)) {
            c->status = BL_DELTA_FORMAT;
        }
        bl_put_flush(c);
        *whole = c->status == BL_OK;
    }
    return c->status;
}

uint32_t bl_delta_taken(const struct bl_delta *d)
{
    return d->taken;
}

bool bl_delta_page(const struct bl_delta *d, struct bl_delta_page *out)
{
    const struct bl_place *p = BL_PAGED(&d->codec);

    if (!paused(d)) {
        return false;
    }
    out->page = p->page;
    out->saves = p->saves;
    out->slot = p->slot != BL_PLACE_NONE ? p->slot : BL_DELTA_NOT_SAVED;
    return true;
}

struct bl_codec *bl_delta_codec(struct bl_delta *d)
{
    return &d->codec;
}

uint32_t bl_delta_written(const struct bl_delta *d)
{
    return d->codec.written;
}

bl_status bl_delta_resume(void *memory, size_t size,
                          const struct bl_delta_io *io, struct bl_delta **out)
{
    struct bl_delta *d = memory;
    struct bl_parts parts;

    if (size < sizeof *d || d->build != build_id() || d->ram > size) {
        return BL_DELTA_FORMAT;
    }
    d->codec.cache.io = io;
    d->codec.rc.in = d->codec.in;
    if (!head_missing(d)) {
        bl_head_memory(&d->codec.head, &parts);
        if (parts.end != d->ram) {
            return BL_DELTA_FORMAT;
        }
        bl_codec_link(&d->codec, d);
    }
    *out = d;
    return BL_OK;
}
