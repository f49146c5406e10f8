/* SPDX-License-Identifier: Apache-2.0 */
/* apply OLD PATCH NEW: makes NEW of OLD and a patch of `bowline diff`, in
 * 12 KB of memory. On a device the files are two slots and a download. */
#include <stdio.h>
#include <string.h>

#include "bowline/delta.h"
#include "bowline/sha256.h"

enum { PORTION = 512 };

static uint64_t memory[12 * 1024 / sizeof(uint64_t)];

struct files {
    FILE *old, *patch, *now;
    uint32_t written; /* bytes of `now` */
};

static bl_status read_at(FILE *f, uint32_t offset, void *out, uint32_t n)
{
    if (fseek(f, (long)offset, SEEK_SET) != 0 || fread(out, 1, n, f) != n) {
        return BL_FLASH;
    }
    return BL_OK;
}

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    return read_at(((struct files *)ctx)->old, offset, out, n);
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    return read_at(((struct files *)ctx)->now, offset, out, n);
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct files *f = ctx;

    if (fseek(f->now, (long)f->written, SEEK_SET) != 0 ||
        fwrite(data, 1, n, f->now) != n) {
        return BL_FLASH;
    }
    f->written += n;
    return BL_OK;
}

/* Is it the image of `size` bytes whose SHA-256 begins so? */
static bool is_image(FILE *f, uint32_t size,
                     const uint8_t check[BL_DELTA_CHECK])
{
    uint8_t portion[PORTION], digest[BL_SHA256_SIZE];
    struct bl_sha256 hash;
    uint32_t total = 0;
    size_t n;

    rewind(f);
    bl_sha256_init(&hash);
    while ((n = fread(portion, 1, PORTION, f)) > 0) {
        bl_sha256_update(&hash, portion, n);
        total += (uint32_t)n;
    }
    bl_sha256_final(&hash, digest);
    return total == size && memcmp(digest, check, BL_DELTA_CHECK) == 0;
}

/* The patch, as it would come from a network: in portions of any size. */
static bl_status feed(struct files *f, struct bl_delta *d)
{
    uint8_t portion[PORTION];
    bl_status status = BL_OK;
    bool whole = false;
    size_t n;

    rewind(f->patch);
    while ((n = fread(portion, 1, PORTION, f->patch)) > 0) {
        size_t done = 0, taken;

        while (status == BL_OK && done < n) {
            status = bl_delta_data(d, portion + done, n - done, &taken);
            done += taken; /* here is the place to feed a watchdog */
        }
        if (status != BL_OK) {
            return status;
        }
    }
    while (status == BL_OK && !whole) {
        status = bl_delta_end(d, &whole);
    }
    return status;
}

static bl_status apply(struct files *f)
{
    const struct bl_delta_io io = {f, read_old, read_new, write_new};
    uint8_t head[BL_DELTA_HEAD];
    struct bl_delta_info info;
    struct bl_delta *d;
    bl_status status =
        bl_delta_head(head, fread(head, 1, sizeof head, f->patch), &info);

    if (status != BL_OK) {
        return status == BL_BUFFER ? BL_DELTA_FORMAT : status;
    }
    if (!is_image(f->old, info.old_size, info.old_check)) {
        return BL_DELTA_BASE; /* before anything is written */
    }
    /* Instead of 1 GB: the sizes of the slots. */
    status = bl_delta_start(&info, &io, 1 << 30, 1 << 30, memory,
                            sizeof memory, &d);
    if (status == BL_OK) {
        status = feed(f, d);
    }
    if (status == BL_OK && !is_image(f->now, info.new_size, info.new_check)) {
        status = BL_DELTA_FORMAT;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct files f = {0};
    bl_status status = BL_ARGUMENT;

    if (argc == 4) {
        f.old = fopen(argv[1], "rb");
        f.patch = fopen(argv[2], "rb");
        f.now = fopen(argv[3], "w+b");
    }
    if (f.old != NULL && f.patch != NULL && f.now != NULL) {
        status = apply(&f);
    }
    if (f.now != NULL && fclose(f.now) != 0 && status == BL_OK) {
        status = BL_FLASH;
    }
    if (status != BL_OK) {
        /* The numbers are in bowline/status.h. */
        (void)fprintf(stderr, "apply: failed with status %d\n", (int)status);
        return 1;
    }
    return 0;
}
