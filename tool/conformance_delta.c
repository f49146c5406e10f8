/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of docs/DELTA.md through the device's decoder, in portions of
 * several sizes. */
#include <stdlib.h>
#include <string.h>

#include "bowline/delta.h"
#include "bowline/sha256.h"
#include "conformance_private.h"

enum { MOST = 1 << 24 };

struct images {
    bl_span old;
    uint8_t *now;
    uint32_t n, size;
    const struct bl_delta *decoder;
    bool in_place; /* blocks come in any order, over the old image */
};

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct images *i = ctx;

    memcpy(out, i->old.p + offset, n);
    return BL_OK;
}

static bl_status read_now(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct images *i = ctx;

    if (offset > i->size || n > i->size - offset) {
        return BL_ARGUMENT;
    }
    memcpy(out, i->now + offset, n);
    return BL_OK;
}

static bl_status write_now(void *ctx, const void *data, uint32_t n)
{
    struct images *i = ctx;
    uint32_t at = i->in_place ? bl_delta_written(i->decoder) : i->n;

    if (at > i->size || n > i->size - at) {
        return BL_NO_SPACE;
    }
    memcpy(i->now + at, data, n);
    i->n = at + n;
    return BL_OK;
}

static bl_status feed(struct bl_delta *d, bl_span patch, size_t portion)
{
    bl_status status = BL_OK;
    bool whole = false;
    size_t at = 0;

    while (status == BL_OK && at < patch.n) {
        size_t n = patch.n - at < portion ? patch.n - at : portion;
        size_t taken = 0;

        status = bl_delta_data(d, patch.p + at, n, &taken);
        at += taken;
    }
    while (status == BL_OK && !whole) {
        status = bl_delta_end(d, &whole);
    }
    return status;
}

/* What a device checks before it begins. */
static bl_status fits(const struct bl_delta_info *info, bl_span old)
{
    uint8_t digest[BL_SHA256_SIZE];

    bl_sha256(old.p, old.n, digest);
    return info->old_size != old.n || info->new_size > MOST ||
                   memcmp(digest, info->old_check, BL_DELTA_CHECK) != 0
               ? BL_DELTA_BASE
               : BL_OK;
}

static bl_status run(const struct bl_delta_info *info, struct images *images,
                     bl_span patch, size_t memory, size_t portion)
{
    struct bl_delta_io io = {images, read_old, read_now, write_now};
    struct bl_delta *d = NULL;
    void *room = malloc(memory + 1);
    bl_status status = BL_NO_SPACE;

    images->in_place = info->in_place;
    images->size = info->new_size;
    images->now = calloc(1, info->new_size);
    if (room != NULL && images->now != NULL) {
        if (info->in_place) { /* blocks that stay are not named */
            memcpy(images->now, images->old.p,
                   images->old.n < images->size ? images->old.n
                                                : images->size);
        }
        status = bl_delta_start(info, &io, info->old_size, info->new_size,
                                room, memory, &d);
    }
    if (status == BL_OK) {
        images->decoder = d;
        status = feed(d, patch, portion);
    }
    free(room);
    return status;
}

static bl_status apply(bl_span old, bl_span patch, size_t memory,
                       size_t portion, bl_span digest)
{
    struct images images = {.old = old};
    uint8_t is[BL_SHA256_SIZE];
    struct bl_delta_info info;
    bl_status status = bl_delta_head(patch.p, patch.n, &info);

    if (status == BL_OK) {
        status = fits(&info, old);
    }
    if (status == BL_OK) {
        status = run(&info, &images, patch, memory, portion);
    }
    if (status == BL_OK) {
        bl_sha256(images.now, images.size, is);
        status = digest.n == sizeof is && memcmp(is, digest.p, sizeof is) == 0
                     ? BL_OK
                     : BL_PAYLOAD_DIGEST;
    }
    free(images.now);
    return status;
}

/* An old image is its bytes, or the name of the vector that has it. */
static bl_span old_of(struct check *c, const json_t *vector)
{
    const char *name = optional_text(vector, "old_of");
    const json_t *other;
    size_t i;

    json_array_foreach(c->all, i, other)
    {
        if (name[0] != '\0' &&
            strcmp(optional_text(other, "name"), name) == 0) {
            return hex_of(c, other, "old");
        }
    }
    return hex_of(c, vector, "old");
}

void check_delta(struct check *c, const json_t *vector)
{
    static const size_t portions[] = {1, 97, MOST};
    const char *name = text_of(c, vector, "name");
    const char *expected = text_of(c, vector, "expected");
    size_t ram = (size_t)number_of(c, vector, "ram");
    bl_span digest = hex_of(c, vector, "new_sha256");
    bl_span patch = hex_of(c, vector, "patch");
    bl_span old = old_of(c, vector);
    const char *odd = NULL;
    bl_status first = BL_OK;
    size_t i;

    if (failed(c)) {
        return;
    }
    for (i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        bl_status status = apply(old, patch, ram, portions[i], digest);

        first = i == 0 ? status : first;
        odd = status != first ? "portions make a difference" : odd;
    }
    result(c, name, strcmp(expected, "accept") == 0, first, odd);
}
