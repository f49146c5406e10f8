/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include <string.h>

#include "bowline/sha256.h"
#include "codec.h"

/* The first byte is MAGIC and the instruction set. A later format begins with
 * one that is not known here. */
enum { MAGIC = 0xB1, MAGIC_END = 0xC0, VARINT = 5 };

/* Flags of patches that this build can not apply. */
enum {
    LEFT_OUT = (uint16_t)~BL_HEAD_ALL |
               (BL_DELTA_ESP ? 0 : BL_HEAD_ESP | BL_HEAD_SUM) |
               (BL_DELTA_PIC ? 0 : BL_HEAD_PIC) |
               (BL_DELTA_DEFLATE ? 0 : BL_HEAD_DEFLATE) |
               (BL_DELTA_IN_PLACE ? 0 : BL_HEAD_IN_PLACE)
};

struct reader {
    const uint8_t *p;
    size_t n, at;
};

/* Behind the end 0; the caller looks at `at` last. */
static uint8_t take(struct reader *r)
{
    uint8_t b = r->at < r->n ? r->p[r->at] : 0;

    r->at++;
    return b;
}

static uint32_t take_varint(struct reader *r)
{
    uint32_t value = 0;
    uint32_t shift = 0;
    uint32_t b;

    do {
        b = take(r);
        value |= (b & 0x7F) << shift;
        shift += 7;
    } while ((b & 0x80) != 0 && shift < 7 * VARINT);
    return value;
}

static void take_settings(struct reader *r, struct bl_head *h)
{
    uint32_t b;

    if ((h->flags & BL_HEAD_IN_PLACE) != 0) {
        b = take(r);
        h->block = (uint8_t)(BL_BLOCK_MIN + (b & 15));
        h->stash = (uint8_t)(b >> 4);
        h->slots = take(r);
    }
    if ((h->flags & BL_HEAD_SMALL) != 0) {
        return;
    }
    h->table = take(r);
    b = (h->flags & BL_HEAD_ONE) != 0 ? 0x11 : take(r);
    h->regions[0] = b & 15;
    h->regions[1] = (uint8_t)(b >> 4);
    h->map[0] = take_varint(r);
    if ((h->flags & BL_HEAD_RAM_MAP) != 0) {
        h->map[1] = take_varint(r);
    }
}

/* Other nonsense does no harm, and gives no image that is wanted. */
static bool possible(const struct bl_head *h)
{
    uint8_t both = BL_HEAD_IN_PLACE | BL_HEAD_DEFLATE;
    uint32_t i;

    if ((BL_DELTA_IN_PLACE && (h->flags & both) == both) ||
        h->table > BL_TABLE_MAX) {
        return false;
    }
    for (i = 0; i < 2; i++) {
        if (h->map[i] > BL_MAP_MAX || h->size[i] - 1 >= BL_IMAGE_MAX) {
            return false;
        }
    }
    return true;
}

/* zigzag: 0, -1, 1, -2, ... */
static uint32_t unfold(uint32_t z)
{
    return z >> 1 ^ (0U - (z & 1));
}

bl_status bl_head_read(const uint8_t *p, size_t n, struct bl_head *h,
                       uint32_t *used)
{
    struct reader r = {p, n, 0};
    uint32_t k = take(&r);

    memset(h, 0, sizeof *h);
    if (k < MAGIC || k >= MAGIC_END) {
        return n < 1 ? BL_BUFFER : BL_DELTA_FORMAT;
    }
    h->isa = (uint8_t)(k - MAGIC);
    h->flags = (uint16_t)take_varint(&r);
    take_settings(&r, h);
    h->size[1] = h->size[0] = take_varint(&r);
    if ((h->flags & BL_HEAD_SAME) == 0) {
        h->size[1] += unfold(take_varint(&r));
    }
    for (k = 0; k < sizeof h->check; k++) {
        h->check[k / BL_DELTA_CHECK][k % BL_DELTA_CHECK] = take(&r);
    }
    if (r.at > n) {
        return BL_BUFFER;
    }
    *used = (uint32_t)r.at;
    if (!possible(h)) {
        return BL_DELTA_FORMAT;
    }
    return bl_isa_of(h->isa) != NULL && (h->flags & LEFT_OUT) == 0 &&
                   (BL_DELTA_LARGE || bl_head_narrow(h))
               ? BL_OK
               : BL_DELTA;
}

#if BL_DELTA_ENCODE

static uint8_t *give_varint(uint8_t *out, uint32_t value)
{
    while (value > 0x7F) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *give_settings(uint8_t *p, const struct bl_head *h)
{
    *p++ = h->table;
    if ((h->flags & BL_HEAD_ONE) == 0) {
        *p++ = (uint8_t)(h->regions[0] | h->regions[1] << 4);
    }
    p = give_varint(p, h->map[0]);
    if ((h->flags & BL_HEAD_RAM_MAP) != 0) {
        p = give_varint(p, h->map[1]);
    }
    return p;
}

uint32_t bl_head_write(const struct bl_head *h, uint8_t *out)
{
    uint8_t *p = out;
    int32_t more = (int32_t)(h->size[1] - h->size[0]);

    *p++ = (uint8_t)(MAGIC + h->isa);
    p = give_varint(p, h->flags);
    if ((h->flags & BL_HEAD_IN_PLACE) != 0) {
        *p++ = (uint8_t)(h->block - BL_BLOCK_MIN) | (uint8_t)(h->stash << 4);
        *p++ = h->slots;
    }
    if ((h->flags & BL_HEAD_SMALL) == 0) {
        p = give_settings(p, h);
    }
    p = give_varint(p, h->size[0]);
    if (more != 0) {
        p = give_varint(p,
                        ((uint32_t)more << 1) ^ (more < 0 ? UINT32_MAX : 0));
    }
    memcpy(p, h->check, sizeof h->check);
    p += sizeof h->check;
    return (uint32_t)(p - out);
}

#endif

static BL_ONCE uint32_t part(uint32_t *at, uint32_t bytes)
{
    uint32_t here = *at;

    *at += (bytes + 7) & ~7U;
    return here;
}

void bl_head_memory(const struct bl_head *h, struct bl_parts *parts)
{
    uint32_t at = BL_FIXED;
    uint32_t entry = bl_head_narrow(h) ? 6 : 8;
    uint32_t regions = (uint32_t)h->regions[0] + h->regions[1];

    parts->table = part(&at, bl_head_counters(h) * 2);
    parts->gates = part(&at, BL_GATES * BL_GATE_CONTEXTS * bl_head_gate(h) *
                                 sizeof(bl_counter));
    parts->map = part(&at, h->map[0] * entry);
    parts->ram_map = part(&at, h->map[1] * 8);
    parts->regions = part(&at, regions * sizeof(struct bl_region));
#if BL_DELTA_ESP
    parts->hash = part(
        &at, (h->flags & BL_HEAD_HASH) != 0 ? sizeof(struct bl_sha256) : 0);
#endif
#if BL_DELTA_DEFLATE
    parts->deflate =
        part(&at, (h->flags & BL_HEAD_DEFLATE) != 0 ? BL_MEMBER_SIZE : 0);
#endif
#if BL_DELTA_IN_PLACE
    parts->paged = at;
    if ((h->flags & BL_HEAD_IN_PLACE) != 0) {
        parts->paged = part(&at, bl_place_memory(h));
    }
#endif
    parts->end = at;
}
