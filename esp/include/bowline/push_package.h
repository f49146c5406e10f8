/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed release as one file, so that it can be pushed: the SUIT envelope,
 * then each payload that is not in it, as a CBOR byte string (together a CBOR
 * sequence, RFC 8742). Made by `bowline push`, taken by devices that accept
 * pushes. Nothing in it is believed because of its place: the envelope is
 * authenticated, and the payloads have their digests there.
 *
 * Read as it comes, in pieces of any size:
 *
 *   while (bytes.n > 0 && status == BL_OK) {
 *       status = bl_push_take(&reader, &bytes, &part);
 *       switch (part.what) ...
 *   }
 */
#ifndef BOWLINE_PUSH_PACKAGE_H
#define BOWLINE_PUSH_PACKAGE_H

#include "bowline/span.h"
#include "bowline/status.h"

enum { BL_PUSH_HEAD = 9 }; /* bytes of a byte string's head, at most */

typedef enum bl_push_what {
    BL_PUSH_NOTHING,  /* more bytes are needed */
    BL_PUSH_ENVELOPE, /* `bytes` is all of it, in the caller's buffer */
    BL_PUSH_PAYLOAD,  /* one begins, of `size` bytes */
    BL_PUSH_DATA      /* bytes of it */
} bl_push_what;

struct bl_push_part {
    bl_push_what what;
    bl_span bytes;
    uint32_t size;
};

struct bl_push_reader {
    uint8_t *envelope; /* the caller's */
    uint32_t envelope_size;
    uint32_t envelope_n;
    uint32_t left; /* of the payload that is being read */
    uint8_t phase;
    uint8_t head_n;
    uint8_t head[BL_PUSH_HEAD];
};

void bl_push_reader_init(struct bl_push_reader *r, uint8_t *envelope,
                         uint32_t size);
/* Takes bytes off the front of `in`, up to the next part's end. BL_ENVELOPE:
 * it does not begin with one; BL_TOO_LARGE: larger than the buffer, or a
 * payload of 4 GB; BL_CBOR: something else than a byte string behind it. */
bl_status bl_push_take(struct bl_push_reader *r, bl_span *in,
                       struct bl_push_part *part) BL_MUST_CHECK;
/* Is it at the end of the envelope or of a payload? */
bool bl_push_is_whole(const struct bl_push_reader *r);

/* Can these first bytes be the beginning of a package (or an envelope)? */
bool bl_push_is_package(bl_span begin);
/* The head of a payload of `size` bytes; returns its length. */
size_t bl_push_head(uint32_t size, uint8_t out[BL_PUSH_HEAD]);

#endif
