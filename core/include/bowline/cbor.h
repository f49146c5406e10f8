/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR, RFC 8949: a reader and a writer over a caller's bytes.
 *
 * The reader accepts core deterministic encoding only (section 4.2.1):
 * shortest heads, definite lengths, no floats, no simple values but false,
 * true and null. It allocates nothing, never reads outside the span, nests
 * no deeper than BL_CBOR_DEPTH, and every length is compared with what is
 * left before it is used. It may be fed hostile bytes.
 *
 * The reader is two pointers; copy it to look ahead. A failed call leaves it
 * where it was. Functions are re-entrant; nothing is shared.
 */
#ifndef BOWLINE_CBOR_H
#define BOWLINE_CBOR_H

#include "bowline/span.h"
#include "bowline/status.h"

enum { BL_CBOR_DEPTH = 8 };

typedef enum bl_cbor_type {
    BL_CBOR_UINT = 0,
    BL_CBOR_NINT = 1,
    BL_CBOR_BSTR = 2,
    BL_CBOR_TSTR = 3,
    BL_CBOR_ARRAY = 4,
    BL_CBOR_MAP = 5,
    BL_CBOR_TAG = 6,
    BL_CBOR_SIMPLE = 7,
    BL_CBOR_END = 8 /* nothing left */
} bl_cbor_type;

struct bl_cbor {
    const uint8_t *p;
    const uint8_t *end;
};

void bl_cbor_init(struct bl_cbor *r, bl_span bytes);
bl_cbor_type bl_cbor_peek(const struct bl_cbor *r);
/* BL_OK iff every byte was read: call it after each wrapped item. */
bl_status bl_cbor_finish(const struct bl_cbor *r) BL_MUST_CHECK;

/* Each reads one item of that type; BL_CBOR if another, or malformed. */
bl_status bl_cbor_uint(struct bl_cbor *r, uint64_t *out) BL_MUST_CHECK;
/* A signed integer that fits int64_t. */
bl_status bl_cbor_int(struct bl_cbor *r, int64_t *out) BL_MUST_CHECK;
bl_status bl_cbor_bstr(struct bl_cbor *r, bl_span *out) BL_MUST_CHECK;
/* Text must be valid UTF-8 (RFC 8949 section 5.3.1). */
bl_status bl_cbor_tstr(struct bl_cbor *r, bl_span *out) BL_MUST_CHECK;
/* RFC 3629: no surrogates, overlong forms, or values above U+10FFFF. */
bool bl_cbor_is_utf8(bl_span text);
/* Number of items; never more than the bytes left could hold. */
bl_status bl_cbor_array(struct bl_cbor *r, uint32_t *items) BL_MUST_CHECK;
/* Number of pairs; never more than the bytes left could hold. */
bl_status bl_cbor_map(struct bl_cbor *r, uint32_t *pairs) BL_MUST_CHECK;
bl_status bl_cbor_tag(struct bl_cbor *r, uint64_t *out) BL_MUST_CHECK;
bl_status bl_cbor_bool(struct bl_cbor *r, bool *out) BL_MUST_CHECK;
bl_status bl_cbor_nil(struct bl_cbor *r) BL_MUST_CHECK;
/* Reads one item of any kind, checking it wholly (map keys must be in
 * order); `out`, when not NULL, is its encoding. */
bl_status bl_cbor_item(struct bl_cbor *r, bl_span *out) BL_MUST_CHECK;

/*
 * Map keys must ascend strictly in bytewise order of their encodings
 * (section 4.2.1). Keep one bl_span, {NULL, 0} before the first pair; call
 * this in front of each key: BL_CBOR when the key that follows is not
 * greater than the one before. Does not consume the key.
 */
bl_status bl_cbor_key_order(const struct bl_cbor *r,
                            bl_span *last) BL_MUST_CHECK;
/* The same for a map whose keys are all numbers, and reads the key. `next` is
 * 0 before the first pair: the least that may come. BL_CBOR also for the
 * largest number of all, which no map of ours has. */
bl_status bl_cbor_next_key(struct bl_cbor *r, uint64_t *next,
                           uint64_t *key) BL_MUST_CHECK;

/*
 * The writer: appends to a caller's buffer and latches the first overflow,
 * so that a caller checks once, at the end. `n` counts the bytes written.
 */
struct bl_cbor_writer {
    uint8_t *p;
    size_t size;
    size_t n;
    bl_status status;
};

void bl_cbor_writer_init(struct bl_cbor_writer *w, void *buffer, size_t size);
void bl_cbor_put_uint(struct bl_cbor_writer *w, uint64_t v);
void bl_cbor_put_int(struct bl_cbor_writer *w, int64_t v);
void bl_cbor_put_bstr(struct bl_cbor_writer *w, bl_span v);
void bl_cbor_put_tstr(struct bl_cbor_writer *w, const char *v);
void bl_cbor_put_text(struct bl_cbor_writer *w, bl_span v);
void bl_cbor_put_array(struct bl_cbor_writer *w, uint32_t items);
void bl_cbor_put_map(struct bl_cbor_writer *w, uint32_t pairs);
void bl_cbor_put_tag(struct bl_cbor_writer *w, uint64_t tag);
void bl_cbor_put_bool(struct bl_cbor_writer *w, bool v);
void bl_cbor_put_nil(struct bl_cbor_writer *w);
/* Bytes that are CBOR already. */
void bl_cbor_put_raw(struct bl_cbor_writer *w, bl_span v);
/* The head of a byte string of `n` bytes, as digests over wrapped items need
 * it; `head` takes up to 9 bytes. Returns its length. */
size_t bl_cbor_bstr_head(uint8_t head[9], uint64_t n);
/* BL_OK and the bytes written, or BL_BUFFER. */
bl_status bl_cbor_writer_finish(const struct bl_cbor_writer *w,
                                bl_span *out) BL_MUST_CHECK;

#endif
