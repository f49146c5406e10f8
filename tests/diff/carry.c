/* SPDX-License-Identifier: Apache-2.0 */
#include "carry.h"

#include <stdlib.h>
#include <string.h>

static bl_status breaks(struct carry *c, const char *promise)
{
    c->broken = promise;
    return BL_FLASH;
}

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    struct carry *c = ctx;
    if (offset > c->old_n || n > c->old_n - offset) {
        return breaks(c, "reads stay within the old image");
    }
    c->reads += n;
    memcpy(out, c->old + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    struct carry *c = ctx;
    if (offset > c->now_n || n > c->now_n - offset) {
        return breaks(c, "only what was written is read back");
    }
    memcpy(out, c->now + offset, n);
    return BL_OK;
}

/* Blocks come in any order, each at most once. */
static bl_status write_block(struct carry *c, const void *data, uint32_t n)
{
    uint32_t at = bl_delta_written(c->decoder);
    if (at > c->limit || n > c->limit - at || n > c->limit - c->puts) {
        return breaks(c, "no more is written than the head says");
    }
    if (n > c->block - at % c->block) {
        return breaks(c, "what is written lies within one block");
    }
    memcpy(c->now + at, data, n);
    c->puts += n;
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct carry *c = ctx;
    if (c->block != 0) {
        return write_block(c, data, n);
    }
    if (n > c->limit - c->now_n) {
        return breaks(c, "no more is written than the head says");
    }
    memcpy(c->now + c->now_n, data, n);
    c->now_n += n;
    return BL_OK;
}

/* The decoder's memory, copied to the other half, what was there spoilt. */
static bl_status move(struct carry *c, uint8_t *halves[2], uint32_t ram,
                      const struct bl_delta_io *io, struct bl_delta **d)
{
    uint8_t *kept = halves[0];
    if (!c->moves || dice_roll(&c->dice, 4) != 0) {
        return BL_OK;
    }
    memcpy(halves[1], kept, ram);
    memset(kept, 0x5a, ram);
    halves[0] = halves[1];
    halves[1] = kept;
    bl_status status = bl_delta_resume(halves[0], ram, io, d);
    c->decoder = *d;
    return status;
}

static size_t portion(struct carry *c, size_t n)
{
    static const uint16_t most[] = {1, 3, 40, 500, 5000};
    uint32_t size = most[dice_roll(&c->dice, 5)];
    size = 1 + dice_roll(&c->dice, size);
    return size < n ? size : n;
}

static bl_status feed(struct carry *c, uint8_t *halves[2],
                      const struct bl_delta_info *info,
                      const struct bl_delta_io *io, const uint8_t *patch,
                      size_t n, struct bl_delta *d)
{
    bl_status status = BL_OK;
    bool whole = false;
    size_t at = 0;
    while (status == BL_OK && !whole) {
        size_t taken = 0;
        status = move(c, halves, info->ram, io, &d);
        if (status != BL_OK) {
            return breaks(c, "what was kept can be taken up");
        }
        status = at == n
                     ? bl_delta_end(d, &whole)
                     : bl_delta_data(d, patch + at,
                                     c->moves ? portion(c, n - at) : n - at,
                                     &taken);
        at += taken;
        if (at != bl_delta_taken(d) ||
            (c->block == 0 && c->now_n != bl_delta_written(d))) {
            return breaks(c, "taken and written are told rightly");
        }
    }
    if (whole && c->block != 0) {
        c->now_n = c->limit;
    } else if (whole && c->now_n != c->limit) {
        return breaks(c, "a whole image has the size in the head");
    }
    return status;
}

bl_status carry_patch(struct carry *c, const uint8_t *patch, size_t n)
{
    const struct bl_delta_io io = {c, read_old, read_new, write_new};
    struct bl_delta_info info;
    struct bl_delta *d;
    bl_status status = bl_delta_head(patch, n, &info);
    c->now_n = 0;
    c->reads = 0;
    c->puts = 0;
    c->broken = NULL;
    if (status != BL_OK || info.ram > CARRY_RAM || info.old_size != c->old_n) {
        return status != BL_OK ? status : BL_DELTA_FORMAT;
    }
    /* of exactly that size, so that a sanitizer sees what is beyond */
    uint8_t *both[2] = {malloc(info.ram), malloc(info.ram)};
    status = BL_NO_SPACE;
    if (both[0] != NULL && both[1] != NULL) {
        c->limit = info.new_size;
        status = bl_delta_start(&info, &io, c->old_n, c->room, both[0],
                                info.ram, &d);
    }
    if (status == BL_OK) {
        c->decoder = d;
        c->block = info.in_place ? info.block : 0;
        if (c->block != 0) { /* what is not named stays */
            memset(c->now, 0xff, info.new_size);
            memcpy(c->now, c->old,
                   c->old_n < info.new_size ? c->old_n : info.new_size);
        }
        status = feed(c, both, &info, &io, patch, n, d);
    }
    free(both[0]);
    free(both[1]);
    return status;
}

bool carry_gives(struct carry *c, const uint8_t *patch, size_t n,
                 const uint8_t *now, size_t now_n)
{
    return carry_patch(c, patch, n) == BL_OK && c->broken == NULL &&
           c->now_n == now_n && memcmp(c->now, now, now_n) == 0;
}
