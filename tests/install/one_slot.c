/* SPDX-License-Identifier: Apache-2.0 */
/* one_slot OLD PATCH NEW: a device whose flash is this array, with one slot,
 * built by test_delta_in_place.py from what was installed. */
#include <stdio.h>
#include <string.h>

#include "bowline/delta_in_place.h"

enum { BLOCK = 4096, UNIT = 8, FLASH = 64 * BLOCK, IMAGE = 32 * BLOCK };

static uint8_t bytes[FLASH];
static uint64_t memory[2048];
static FILE *patch_file;

static bl_status flash_read(void *ctx, uint32_t at, void *out, uint32_t n)
{
    (void)ctx;
    memcpy(out, bytes + at, n);
    return BL_OK;
}

static bl_status flash_write(void *ctx, uint32_t at, const void *data,
                             uint32_t n)
{
    (void)ctx;
    memcpy(bytes + at, data, n);
    return at % UNIT == 0 && n % UNIT == 0 ? BL_OK : BL_FLASH;
}

static bl_status flash_erase(void *ctx, uint32_t at, uint32_t n)
{
    (void)ctx;
    memset(bytes + at, 0xFF, n);
    return at % BLOCK == 0 && n % BLOCK == 0 ? BL_OK : BL_FLASH;
}

static bl_status flash_sync(void *ctx)
{
    (void)ctx;
    return BL_OK;
}

static const struct bl_flash flash = {NULL,        FLASH,       BLOCK,
                                      UNIT,        0xFF,        flash_read,
                                      flash_write, flash_erase, flash_sync};

static bl_status patch_read(void *ctx, uint32_t offset, void *out, uint32_t n,
                            uint32_t *got)
{
    (void)ctx;
    if (fseek(patch_file, (long)offset, SEEK_SET) != 0) {
        return BL_FLASH;
    }
    *got = (uint32_t)fread(out, 1, n, patch_file);
    return BL_OK;
}

int main(int argc, char **argv)
{
    struct bl_in_place p = {&flash,       {0, IMAGE}, {IMAGE, FLASH - IMAGE},
                            patch_read,   NULL,       NULL,
                            NULL,         NULL,       memory,
                            sizeof memory};
    uint8_t head[BL_DELTA_HEAD];
    struct bl_delta_info info;
    bl_status status;
    FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;

    memset(bytes, 0xFF, sizeof bytes);
    if (f == NULL || fread(bytes, 1, IMAGE, f) == 0 || fclose(f) != 0 ||
        (patch_file = fopen(argv[2], "rb")) == NULL) {
        return 1;
    }
    status =
        bl_delta_head(head, fread(head, 1, sizeof head, patch_file), &info);
    if (status == BL_OK) {
        printf("RAM %lu, work %lu\n", (unsigned long)bl_in_place_memory(&info),
               (unsigned long)bl_in_place_work(&info, &flash));
        status = bl_in_place_run(&p);
    }
    printf("status %d\n", (int)status);
    f = fopen(argv[3], "wb");
    if (status != BL_OK || f == NULL ||
        fwrite(bytes, 1, info.new_size, f) != info.new_size) {
        return 1;
    }
    return fclose(f) == 0 ? 0 : 1;
}
