/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of bytes that were decoded: the history that contexts look at,
 * the output, and the tail of ESP images (a checksum, perhaps a SHA-256 of all
 * before), which is computed and not sent.
 */
#include "codec.h"

#include <string.h>

#include "bowline/sha256.h"

static void remember(struct bl_codec *c, const uint8_t *bytes, uint32_t n)
{
    struct bl_history *h = &c->history;
    uint32_t i;

    for (i = 0; i < n; i++) {
        h->last = h->last << 8 | bytes[i];
    }
    if (n > 1) {
        h->opcode[1] = h->opcode[0];
        h->opcode[0] = c->isa->opcode(bytes, n);
    }
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

void bl_put(struct bl_codec *c, const uint8_t *bytes, uint32_t n)
{
    remember(c, bytes, n);
    c->position += n;
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

    /* as the decoder does it: history takes the digest as a unit */
    bl_put(c, c->plan->now.data + at, 1);
    if (n > 1) {
        bl_put(c, c->plan->now.data + at + 1, n - 1);
    }
}

#else

#if BL_DELTA_ESP
/* The checksum is over what the segments hold. */
static void add_sum(struct bl_codec *c, uint32_t n)
{
    uint32_t i;
    uint32_t k;

    for (i = 0; i < c->now.regions_n; i++) {
        const struct bl_region *r = &c->now.regions[i];

        for (k = 0; k < n; k++) {
            if (c->written + k - r->offset < r->length) {
                c->sum ^= c->out[k];
            }
        }
    }
}
#endif

void bl_put_flush(struct bl_codec *c)
{
    uint32_t n = c->position - c->written;

    if (n == 0 || c->status != BL_OK) {
        return;
    }
#if BL_DELTA_ESP
    if ((c->flags & BL_HEAD_SUM) != 0) {
        add_sum(c, n);
    }
    if ((c->flags & BL_HEAD_HASH) != 0) {
        bl_sha256_update(c->hash, c->out, n);
    }
#endif
    c->status = c->cache.io->write(c->cache.io->ctx, c->out, n);
    c->written += n;
}

void bl_put(struct bl_codec *c, const uint8_t *bytes, uint32_t n)
{
    uint32_t i;

    remember(c, bytes, n);
    for (i = 0; i < n; i++) {
        c->out[c->position - c->written] = bytes[i];
        c->position++;
        if (c->position - c->written == BL_OUT) {
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
    memset(c->back, 0, sizeof c->back);
    if (c->status == BL_OK) {
        c->status = c->cache.io->written(c->cache.io->ctx, line, c->back, n);
    }
}

uint8_t bl_now_byte(struct bl_codec *c, uint32_t at)
{
    if (at >= c->written) {
        return c->out[at - c->written];
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

    bl_put_flush(c);
    c->flags = (uint16_t)(flags & ~BL_HEAD_SUM);
    bl_put(c, &c->sum, 1);
    bl_put_flush(c);
    if ((flags & BL_HEAD_HASH) != 0) {
        c->flags = (uint16_t)(c->flags & ~BL_HEAD_HASH);
        bl_sha256_final(c->hash, digest);
        bl_put(c, digest, sizeof digest);
    }
}

#endif

#endif
