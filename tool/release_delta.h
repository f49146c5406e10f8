/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that a release carries: --delta-from. */
#ifndef RELEASE_DELTA_H
#define RELEASE_DELTA_H

#include "author/author.h"
#include "tool.h"

struct release_patches {
    uint32_t n;
    struct author_patch entry[AUTHOR_PATCHES];
    struct buffer bytes[AUTHOR_PATCHES];
    const char *from[AUTHOR_PATCHES]; /* the base, as it was named */
    const char *file[AUTHOR_PATCHES]; /* the payload's */
};

/* Makes one for each --delta-from; a base whose patch would be no smaller
 * than the image is left out, with a note. */
int release_patches_make(struct call *c, bl_span image,
                         struct release_patches *out);
/* Each under its SHA-256, beside the release's payload. */
int release_patches_write(struct call *c, const struct release_patches *p);
/* "patches" of the result. */
void release_patches_put(struct call *c, const struct release_patches *p,
                         uint32_t image_size);
void release_patches_free(struct release_patches *p);

#endif
