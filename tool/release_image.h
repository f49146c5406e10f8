/* SPDX-License-Identifier: Apache-2.0 */
/* May this image be released, after those that were released before? */
#ifndef RELEASE_IMAGE_H
#define RELEASE_IMAGE_H

#include "image.h"
#include "tool.h"

struct release_image {
    const char *path; /* of the file */
    const struct image *image;
    const char *product;
    const char *record; /* where the new release's record goes */
};

/* Refuses a damaged image, one that no slot starts, one for another chip, and
 * one whose secure_version locks devices out. 0 or EXIT_INPUT. */
int release_image_whole(struct call *c, const struct release_image *r);
/* An ESP image, when bowline.conf or --chip names a chip? The same codes. */
int release_image_chip(struct call *c, const struct release_image *r);
int release_image_fits(struct call *c, const struct release_image *r);

#endif
