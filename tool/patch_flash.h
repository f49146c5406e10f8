/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's file and a journal beside it, as the flash of a device with one
 * slot (bowline/delta_in_place.h). The journal begins with a head, which says
 * whose it is; the work area follows.
 */
#ifndef PATCH_FLASH_H
#define PATCH_FLASH_H

#include "bowline/delta_in_place.h"
#include "bowline/sha256.h"
#include "tool.h"

struct patch_flash {
    const char *path[2]; /* image, journal */
    int fd[2];           /* -1: not open */
    uint32_t image;      /* bytes of the image's area; the journal's follows */
    struct bl_flash flash;
};

/* What a journal is for. */
struct patch_mark {
    uint8_t patch[BL_SHA256_SIZE];
    uint8_t now[BL_SHA256_SIZE]; /* the new image */
};

/* Opens the image for this process alone. */
int patch_flash_open(struct call *c, const char *image, struct patch_flash *f);
/* Is there a journal? Its mark, then; one that is none is an error. */
int patch_flash_find(struct call *c, struct patch_flash *f, bool *found,
                     struct patch_mark *mark);
/* A new one, whole or not at all. `work`: bytes behind its head. */
int patch_flash_create(struct call *c, struct patch_flash *f,
                       const struct patch_mark *mark, uint32_t work);
/* The geometry; the image's file gets whole blocks. */
int patch_flash_begin(struct call *c, struct patch_flash *f, uint32_t block,
                      uint32_t image, uint32_t work);
/* The image is done: its size, and no journal any more. */
int patch_flash_end(struct call *c, struct patch_flash *f, uint32_t size);
void patch_flash_close(struct patch_flash *f);

#endif
