/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slot_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

static int fd_of(void *ctx)
{
    return ((struct slot_file *)ctx)->fd;
}

static bl_status slot_read(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    return pread(fd_of(ctx), data, n, offset) == (ssize_t)n ? BL_OK : BL_FLASH;
}

static bl_status slot_write(void *ctx, uint32_t offset, const void *data,
                            uint32_t n)
{
    return pwrite(fd_of(ctx), data, n, offset) == (ssize_t)n ? BL_OK
                                                             : BL_FLASH;
}

static bl_status slot_erase(void *ctx, uint32_t offset, uint32_t n)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

    return fallocate(fd_of(ctx), mode, offset, n) == 0 ? BL_OK : BL_FLASH;
}

static bl_status slot_sync(void *ctx)
{
    return fdatasync(fd_of(ctx)) == 0 ? BL_OK : BL_FLASH;
}

int slot_file_open(struct slot_file *slot, const char *path, uint32_t size)
{
    slot->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (slot->fd < 0 || ftruncate(slot->fd, size) != 0) {
        return -1;
    }
    slot->flash.ctx = slot;
    slot->flash.size = size;
    slot->flash.erase_size = 4096;
    slot->flash.write_size = 256;
    slot->flash.erased = 0;
    slot->flash.read = slot_read;
    slot->flash.write = slot_write;
    slot->flash.erase = slot_erase;
    slot->flash.sync = slot_sync;
    return 0;
}

void slot_file_close(struct slot_file *slot)
{
    close(slot->fd);
}
