/* SPDX-License-Identifier: Apache-2.0 */
/* Applying a patch in memory, by the device's own decoder. */
#include <stdlib.h>
#include <string.h>

#include "bowline/sha256.h"
#include "diff/diff.h"

struct images {
    const uint8_t *old;
    const struct bl_delta *decoder;
    size_t patch_n;
    bool in_place; /* blocks come in any order, over the old image */
    struct buffer *to;
    bool (*progress)(void *ctx, uint32_t permille);
    void *ctx;
    uint32_t size; /* that `to` will have */
};

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct images *i = ctx;
    memcpy(out, i->old + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct images *i = ctx;
    if (offset > i->to->n || n > i->to->n - offset) {
        return BL_ARGUMENT;
    }
    memcpy(out, i->to->p + offset, n);
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct images *i = ctx;
    if (i->in_place) {
        memcpy(i->to->p + bl_delta_written(i->decoder), data, n);
        return BL_OK;
    }
    return buffer_append(i->to, data, n, NULL) == 0 ? BL_OK : BL_NO_SPACE;
}

static int look(const struct images *i, struct error *error)
{
    uint64_t done =
        i->in_place ? (uint64_t)bl_delta_taken(i->decoder) * 1000 / i->patch_n
                    : (uint64_t)i->to->n * 1000 / i->size;
    return i->progress == NULL || i->progress(i->ctx, (uint32_t)done)
               ? 0
               : error_set(error, "stopped");
}

static int feed(struct bl_delta *d, const struct images *i,
                const uint8_t *patch, size_t n, struct error *error)
{
    bool whole = false;
    while (n > 0) {
        size_t taken = 0;
        bl_status status = bl_delta_data(d, patch, n, &taken);
        if (status != BL_OK) {
            return error_status(error, status, "the patch");
        }
        patch += taken;
        n -= taken;
        if (look(i, error) != 0) {
            return -1;
        }
    }
    while (!whole) {
        bl_status status = bl_delta_end(d, &whole);
        if (status != BL_OK) {
            return error_status(error, status, "the patch");
        }
        if (look(i, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool checked(const uint8_t *data, size_t n,
                    const uint8_t check[BL_DELTA_CHECK])
{
    uint8_t digest[BL_SHA256_SIZE];
    bl_sha256(data, n, digest);
    return memcmp(digest, check, BL_DELTA_CHECK) == 0;
}

static int run(const struct bl_delta_info *info, struct images *images,
               const uint8_t *patch, size_t n, struct error *error)
{
    struct bl_delta_io io = {images, read_old, read_new, write_new};
    struct bl_delta *d = NULL;
    void *memory = malloc(info->ram + 1);
    if (memory == NULL) {
        return error_set(error, "out of memory");
    }
    bl_status status = bl_delta_start(info, &io, info->old_size,
                                      info->new_size, memory, info->ram, &d);
    images->decoder = d;
    int result = status == BL_OK ? feed(d, images, patch, n, error)
                                 : error_status(error, status, "the patch");
    free(memory);
    return result;
}

/* Blocks that do not change are not named: they are there already. */
static int begin_over(const struct bl_delta_info *info, const uint8_t *from,
                      struct buffer *to, struct error *error)
{
    uint32_t n =
        info->old_size < info->new_size ? info->old_size : info->new_size;
    static const uint8_t nothing[4096];
    int result = buffer_append(to, from, n, error);
    while (result == 0 && n < info->new_size) {
        uint32_t more = info->new_size - n;
        more = more < sizeof nothing ? more : (uint32_t)sizeof nothing;
        result = buffer_append(to, nothing, more, error);
        n += more;
    }
    return result;
}

int diff_apply_watched(const uint8_t *from, size_t from_size,
                       const uint8_t *patch, size_t patch_size,
                       bool (*progress)(void *ctx, uint32_t permille),
                       void *ctx, struct buffer *to, struct error *error)
{
    struct bl_delta_info info;
    bl_status status = bl_delta_head(patch, patch_size, &info);
    buffer_clear(to);
    if (status != BL_OK) {
        return error_status(error, status, "the patch's head");
    }
    if (info.old_size != from_size ||
        !checked(from, from_size, info.old_check)) {
        return error_status(error, BL_DELTA_BASE, "the old image");
    }
    struct images images = {.old = from,
                            .patch_n = patch_size,
                            .in_place = info.in_place,
                            .to = to,
                            .progress = progress,
                            .ctx = ctx,
                            .size = info.new_size};
    if (info.in_place && begin_over(&info, from, to, error) != 0) {
        return -1;
    }
    if (run(&info, &images, patch, patch_size, error) != 0) {
        return -1;
    }
    if (to->n != info.new_size || !checked(to->p, to->n, info.new_check)) {
        return error_status(error, BL_DELTA_FORMAT,
                            "the patch is damaged: its result is not the "
                            "image that it was made for");
    }
    return 0;
}

int diff_apply(const uint8_t *from, size_t from_size, const uint8_t *patch,
               size_t patch_size, struct buffer *to, struct error *error)
{
    return diff_apply_watched(from, from_size, patch, patch_size, NULL, NULL,
                              to, error);
}
