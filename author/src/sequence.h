/* SPDX-License-Identifier: Apache-2.0 */
/* Command sequences as they are written: inside out. */
#ifndef AUTHOR_SEQUENCE_H
#define AUTHOR_SEQUENCE_H

#include "document.h"
#include "manifest.h"

enum { /* draft-ietf-suit-manifest-37 */
       COND_VENDOR = 1,
       COND_CLASS = 2,
       COND_IMAGE_MATCH = 3,
       COND_VERSION = 28,
       DIR_SET_INDEX = 12,
       DIR_TRY_EACH = 15,
       DIR_OVERRIDE = 20,
       DIR_FETCH = 21,
       DIR_INVOKE = 23,
       DIR_APPLY_DELTA = -257,
       PARAM_VENDOR = 1,
       PARAM_CLASS = 2,
       PARAM_DIGEST = 3,
       PARAM_SIZE = 14,
       PARAM_URI = 21,
       PARAM_SOURCE = 22,
       PARAM_VERSION = 28,
       PARAM_DELTA = -258,
       REPORT_ALL = 15,
       REPORT_FAILURE = 2
};

/* A sequence is one flat array: its items are counted as they are put. */
struct sequence {
    struct piece piece;
    uint32_t items;
};

int sequence_begin(struct sequence *s, struct error *err);
/* Writes the sequence as a byte string into `w`, and lets it go. */
int sequence_end(struct sequence *s, struct bl_cbor_writer *w,
                 struct error *err);

/* A condition or directive whose argument is a reporting policy. */
void sequence_put(struct sequence *s, int code, unsigned policy);
/* The head of an override: that many parameters are put behind it. */
void sequence_override(struct sequence *s, uint32_t parameters);
void sequence_index(struct sequence *s, uint32_t i);
void sequence_index_list(struct sequence *s, uint32_t n); /* 0 to n - 1 */
void sequence_index_all(struct sequence *s);

/* Digest and size: two parameters. */
void put_image(struct bl_cbor_writer *w, const uint8_t sha256[32],
               uint32_t size);

#endif
