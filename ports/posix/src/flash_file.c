/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash_private.h"

enum { ERASED = 0xFF, PORTION = 4096 };

bl_status flash_file_raw_read(int fd, uint32_t offset, void *data, size_t n)
{
    uint8_t *p = data;

    while (n > 0) {
        ssize_t got = pread(fd, p, n, (off_t)offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return BL_FLASH;
        }
        p += got;
        offset += (uint32_t)got;
        n -= (size_t)got;
    }
    return BL_OK;
}

bl_status flash_file_raw_write(int fd, uint32_t offset, const void *data,
                               size_t n)
{
    const uint8_t *p = data;

    while (n > 0) {
        ssize_t put = pwrite(fd, p, n, (off_t)offset);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return BL_FLASH;
        }
        p += put;
        offset += (uint32_t)put;
        n -= (size_t)put;
    }
    return BL_OK;
}

static bool inside(const struct bl_flash *flash, uint32_t offset, uint32_t n)
{
    return offset <= flash->size && n <= flash->size - offset;
}

static bl_status read_flash(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    const struct flash_file *file = ctx;

    if (!inside(&file->flash, offset, n)) {
        return BL_FLASH;
    }
    return flash_file_raw_read(file->fd, offset, data, n);
}

/* Is every byte of the range erased? */
static bl_status require_erased(int fd, uint32_t offset, uint32_t n)
{
    uint8_t portion[PORTION];

    while (n > 0) {
        uint32_t part = n < PORTION ? n : PORTION;
        bl_status status = flash_file_raw_read(fd, offset, portion, part);

        for (uint32_t i = 0; status == BL_OK && i < part; i++) {
            if (portion[i] != ERASED) {
                status = BL_FLASH;
            }
        }
        if (status != BL_OK) {
            return status;
        }
        offset += part;
        n -= part;
    }
    return BL_OK;
}

static bl_status write_flash(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    struct flash_file *file = ctx;
    uint32_t unit = file->flash.write_size;
    bl_status status;

    if (!inside(&file->flash, offset, n) || offset % unit != 0 ||
        n % unit != 0) {
        return BL_FLASH;
    }
    status = require_erased(file->fd, offset, n);
    if (status != BL_OK) {
        return status;
    }
    flash_cut_at_write(file, offset, data, n);
    return flash_file_raw_write(file->fd, offset, data, n);
}

bl_status flash_file_raw_erase(int fd, uint32_t offset, uint32_t n)
{
    uint8_t portion[PORTION];
    bl_status status = BL_OK;

    memset(portion, ERASED, sizeof portion);
    while (n > 0 && status == BL_OK) {
        uint32_t part = n < PORTION ? n : PORTION;

        status = flash_file_raw_write(fd, offset, portion, part);
        offset += part;
        n -= part;
    }
    return status;
}

static bl_status erase_flash(void *ctx, uint32_t offset, uint32_t n)
{
    struct flash_file *file = ctx;
    uint32_t block = file->flash.erase_size;

    if (!inside(&file->flash, offset, n) || offset % block != 0 ||
        n % block != 0) {
        return BL_FLASH;
    }
    for (; n > 0; n -= block, offset += block) {
        bl_status status;

        flash_cut_at_erase(file, offset);
        status = flash_file_raw_erase(file->fd, offset, block);
        if (status != BL_OK) {
            return status;
        }
    }
    return BL_OK;
}

static bl_status sync_flash(void *ctx)
{
    const struct flash_file *file = ctx;

    return fdatasync(file->fd) == 0 ? BL_OK : BL_FLASH;
}

int flash_file_create(const char *path, uint32_t size, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int failed;

    if (fd < 0) {
        return error_errno(err, "cannot make the flash file %s", path);
    }
    failed = flash_file_raw_erase(fd, 0, size) != BL_OK || fsync(fd) != 0;
    if (failed) {
        (void)error_errno(err, "cannot write the flash file %s", path);
        (void)unlink(path);
    }
    (void)close(fd);
    return failed ? -1 : 0;
}

static bool power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static int check_geometry(const struct flash_geometry *g, struct error *err)
{
    if (!power_of_two(g->erase_size) || g->erase_size < 256 ||
        !power_of_two(g->write_size) || g->write_size > 256 ||
        g->size % g->erase_size != 0) {
        return error_set(err,
                         "flash of %" PRIu32 " bytes with blocks of %" PRIu32
                         " and units of %" PRIu32
                         " is not possible: blocks are a power of two from "
                         "256, units one from 1 to 256",
                         g->size, g->erase_size, g->write_size);
    }
    return 0;
}

/* The folder of `path` with "cut" in it. */
static int name_cut(char out[FLASH_PATH], const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    int dir = slash == NULL ? 0 : (int)(slash - path) + 1;
    int n = snprintf(out, FLASH_PATH, "%.*scut", dir, path);

    if (n < 0 || n >= FLASH_PATH) {
        return error_set(err, "the path %s is too long", path);
    }
    return 0;
}

int flash_file_open(struct flash_file *file, const char *path,
                    const struct flash_geometry *geometry, struct error *err)
{
    struct stat st;

    if (check_geometry(geometry, err) != 0 ||
        name_cut(file->cut_path, path, err) != 0) {
        return -1;
    }
    file->fd = open(path, O_RDWR | O_CLOEXEC);
    if (file->fd < 0) {
        return error_errno(err, "cannot open the flash file %s", path);
    }
    if (fstat(file->fd, &st) != 0 || st.st_size != (off_t)geometry->size) {
        (void)close(file->fd);
        return error_set(err,
                         "%s has not the %" PRIu32 " bytes that device.conf "
                         "says; provision the device anew",
                         path, geometry->size);
    }
    file->flash = (struct bl_flash){
        .ctx = file,
        .size = geometry->size,
        .erase_size = geometry->erase_size,
        .write_size = geometry->write_size,
        .erased = ERASED,
        .read = read_flash,
        .write = write_flash,
        .erase = erase_flash,
        .sync = sync_flash,
    };
    return 0;
}

void flash_file_close(struct flash_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    file->fd = -1;
}
