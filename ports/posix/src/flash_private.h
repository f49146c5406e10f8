/* SPDX-License-Identifier: Apache-2.0 */
/* What flash_file.c and flash_cut.c share: the chip without its manners. */
#ifndef POSIX_FLASH_PRIVATE_H
#define POSIX_FLASH_PRIVATE_H

#include "posix/flash_file.h"

bl_status flash_file_raw_read(int fd, uint32_t offset, void *data, size_t n);
bl_status flash_file_raw_write(int fd, uint32_t offset, const void *data,
                               size_t n);
bl_status flash_file_raw_erase(int fd, uint32_t offset, uint32_t n);

/* Each returns when the power stays on, else never. */
void flash_cut_at_write(struct flash_file *file, uint32_t offset,
                        const void *data, uint32_t n);
void flash_cut_at_erase(struct flash_file *file, uint32_t offset);

#endif
