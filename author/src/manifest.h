/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHOR_MANIFEST_H
#define AUTHOR_MANIFEST_H

#include "bowline/suit.h"
#include "document.h"

enum { MANIFEST_MAX = 16384, SEVERED_MIN = 37 };

/* An image's URI: of the caller, the fragment of an integrated payload, or
 * "payloads/<sha256>". */
void manifest_uri(const struct author_image *image, char out[BL_SUIT_URI + 1]);

/* Refuses what core would refuse, in words for the person who asked. */
int manifest_check(const struct author_manifest *manifest, struct error *err);

/*
 * Appends the manifest map to `out`, the text element to `text`; the text
 * is severed (its digest stands in the manifest) when it has SEVERED_MIN
 * bytes or more, else it is in the manifest, and `text` is left empty.
 */
int manifest_encode(const struct author_manifest *manifest, struct buffer *out,
                    struct buffer *text, struct error *err);

#endif
