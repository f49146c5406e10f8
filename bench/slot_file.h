/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk as a struct bl_flash: a file whose erased bytes are holes. What a
 * Linux device's slots are, as far as the cost of an installation goes.
 */
#ifndef BENCH_SLOT_FILE_H
#define BENCH_SLOT_FILE_H

#include "bowline/flash.h"

struct slot_file {
    int fd;
    struct bl_flash flash;
};

/* Creates or opens `path` with `size` bytes; -1 with errno. */
int slot_file_open(struct slot_file *slot, const char *path, uint32_t size);
void slot_file_close(struct slot_file *slot);

#endif
