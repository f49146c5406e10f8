/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NOR flash in a file, with the manners of the real one: it is erased in
 * blocks, written in units, writing only clears bits, and a unit that is not
 * erased is not written (BL_FLASH). `sync` is fdatasync.
 *
 * Its power can be cut. A file named `cut` beside the flash file, made by
 * flash_cut_set, says at which operation from now on and how; one operation
 * is one call of write or one erased block. There the operation is left
 * undone, half done, or done, the file is removed, the log told, and the board
 * and its firmware are killed in that instant.
 */
#ifndef POSIX_FLASH_FILE_H
#define POSIX_FLASH_FILE_H

#include "bowline/flash.h"
#include "host/error.h"

enum { FLASH_PATH = 512 };

struct flash_file {
    struct bl_flash flash; /* its ctx is this struct: do not copy */
    int fd;
    char cut_path[FLASH_PATH];
    const char *name; /* of the device, for the log; NULL: not told */
};

struct flash_geometry {
    uint32_t size;
    uint32_t erase_size;
    uint32_t write_size;
};

/* A new chip: all of it erased. Refuses to replace a file that is there. */
int flash_file_create(const char *path, uint32_t size, struct error *err);
int flash_file_open(struct flash_file *file, const char *path,
                    const struct flash_geometry *geometry, struct error *err);
void flash_file_close(struct flash_file *file);

enum flash_cut_kind {
    FLASH_CUT_ABSENT,  /* nothing of the operation reached the chip */
    FLASH_CUT_PARTIAL, /* half of it did, with one undefined unit */
    FLASH_CUT_COMPLETE /* all of it did, but nobody was told */
};

struct flash_cut {
    uint32_t after; /* operations that still succeed */
    uint32_t from;  /* only those at or above this offset are counted */
    enum flash_cut_kind kind;
};

/* "absent", "partial", "complete"; -1 for another word. */
int flash_cut_kind_parse(const char *word, enum flash_cut_kind *out);
/* For the flash file in this folder. */
int flash_cut_set(const char *dir, const struct flash_cut *cut,
                  struct error *err);

#endif
