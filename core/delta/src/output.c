/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of bytes that were decoded: the history that contexts look at,
 * the output, and the tail of ESP images (a checksum, perhaps a SHA-256 of all
 * before), which is computed and not sent.
 */
#include "codec.h"

#include <string.h>

#include "bowline/sha256.h"

void bl_put(struct bl_codec *c, uint32_t word, uint32_t n)
{
    struct bl_history *h = &c->history;

    if (n > 1) {
        h->unit = word;
        h->unit_n = (uint8_t)n;
    }
    bl_put_word(c, word, n);
}

#if BL_DELTA_ESP
uint32_t bl_tail_find(const struct bl_view *now, uint32_t flags, uint32_t *n)
{
    const struct bl_region *last = now->regions + now->regions_n;
    uint32_t at;
    uint32_t size = (flags & BL_HEAD_HASH) != 0 ? 1 + BL_SHA256_SIZE : 1;

    *n = 0;
    if ((flags & BL_HEAD_SUM) == 0 || now->regions_n == 0) {
        return now->size;
    }
    last--;
    at = (last->offset + last->length) | 15;
    if (at >= now->size || now->size - at < size) {
        return now->size;
    }
    *n = size;
    return at;
}
#endif

#if BL_DELTA_ENCODE

void bl_put_word(struct bl_codec *c, uint32_t word, uint32_t n)
{
    c->position += n;
    c->history.last = (uint8_t)(word >> (8 * (n - 1)));
}

void bl_put_old(struct bl_codec *c, uint32_t from, uint32_t n)
{
    for (; n > 0; n--) {
        bl_put_word(c, bl_view_byte(&c->old, from++), 1);
    }
}

uint8_t bl_now_byte(struct bl_codec *c, uint32_t at)
{
    return c->plan->now.data[at];
}

uint32_t bl_now_word(struct bl_codec *c, uint32_t at)
{
    return bl_get4(c->plan->now.data + at);
}

void bl_tail_put(struct bl_codec *c)
{
    uint32_t n;
    uint32_t at = bl_tail_find(&c->now, c->flags, &n);

    /* as the decoder does it: history takes the digest as units */
    bl_put(c, c->plan->now.data[at], 1);
    for (n--, at++; n > 0; n -= BL_SITE_UNIT, at += BL_SITE_UNIT) {
        bl_put(c, bl_get4(c->plan->now.data + at), BL_SITE_UNIT);
    }
}

#else

#if BL_DELTA_ESP
/* The checksum is over what the segments hold. */
static void add_sum(struct bl_codec *c, const uint8_t *out, uint32_t n)
{
    uint32_t sum = c->sum;
    uint32_t i;
    uint32_t k;

    for (i = 0; i < c->now.regions_n; i++) {
        const struct bl_region *r = &c->now.regions[i];
        uint32_t from = r->offset > c->written ? r->offset - c->written : 0;
        uint32_t to = r->offset + r->length - c->written;

        to = to < n ? to : r->offset + r->length > c->written ? n : 0;
        for (k = from; k < to && to - k >= 4; k += 4) {
            sum ^= bl_get4(out + k);
        }
        for (; k < to; k++) {
            sum ^= out[k];
        }
    }
    sum ^= sum >> 16;
    c->sum = (uint8_t)(sum ^ sum >> 8);
}
#endif

void bl_put_flush(struct bl_codec *c)
{
    uint32_t n = c->position - c->written;
    uint8_t *out = c->out + BL_SITE_UNIT;

    n = n < BL_OUT ? n : (uint32_t)BL_OUT;
    if (n == 0 || c->status != BL_OK) {
        return;
    }
#if BL_DELTA_ESP
    if ((c->flags & BL_HEAD_SUM) != 0) {
        add_sum(c, out, n);
    }
    if ((c->flags & BL_HEAD_HASH) != 0) {
        bl_sha256_update(c->hash, out, n);
    }
#endif
    c->status = c->cache.io->write(c->cache.io->ctx, out, n);
    c->written += n;
    memmove(c->out, c->out + n, 2 * BL_SITE_UNIT);
}

void bl_put_old(struct bl_codec *c, uint32_t from, uint32_t n)
{
    const uint8_t *p = c->cache.near + (from - c->cache.near_at);

    while (n > 0) {
        uint32_t at = c->position - c->written;
        uint32_t k = BL_OUT - at < n ? BL_OUT - at : n;

        memcpy(c->out + BL_SITE_UNIT + at, p, k);
        c->position += k;
        p += k;
        n -= k;
        if (at + k == BL_OUT) {
            bl_put_flush(c);
        }
    }
}

/* A line of what was handed out; what of it is not yet, is left out. */
static void fill_back(struct bl_codec *c, uint32_t at)
{
    uint32_t line = at & ~(uint32_t)(BL_LINE - 1);
    uint32_t n = c->written - line < BL_LINE ? c->written - line : BL_LINE;

    c->back_at = line;
    c->back_n = n;
    if (c->status == BL_OK) {
        c->status = c->cache.io->written(c->cache.io->ctx, line, c->back, n);
    }
}

uint8_t bl_now_byte(struct bl_codec *c, uint32_t at)
{
    if (at >= c->written) {
        return c->out[BL_SITE_UNIT + at - c->written];
    }
    if (at - c->back_at >= c->back_n) {
        fill_back(c, at);
    }
    return c->back[at - c->back_at];
}

#if BL_DELTA_CONTENT
uint32_t bl_now_word(struct bl_codec *c, uint32_t at)
{
    uint32_t word = 0;
    uint32_t i;

    if (at - c->back_at < c->back_n && c->back_n - (at - c->back_at) >= 4) {
        return bl_get4(c->back + (at - c->back_at));
    }
    for (i = 4; i > 0; i--) {
        word = word << 8 | bl_now_byte(c, at + i - 1);
    }
    return word;
}
#endif

#if BL_DELTA_ESP

void bl_tail_put(struct bl_codec *c)
{
    uint8_t digest[BL_SHA256_SIZE];
    uint16_t flags = c->flags;
    uint32_t i;

    bl_put_flush(c);
    c->flags = (uint16_t)(flags & ~BL_HEAD_SUM);
    bl_put(c, c->sum, 1);
    bl_put_flush(c);
    if ((flags & BL_HEAD_HASH) != 0) {
        c->flags = (uint16_t)(c->flags & ~BL_HEAD_HASH);
        bl_sha256_final(c->hash, digest);
        for (i = 0; i < sizeof digest; i += BL_SITE_UNIT) {
            bl_put(c, bl_get4(digest + i), BL_SITE_UNIT);
        }
    }
}

#endif

#endif
