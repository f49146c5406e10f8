/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes a deflate stream of the old image apart into token bytes
 * (deflate_code.h), forward only. Nothing is inflated: no window is needed.
 * The state holds no pointer. Every stream ends: each call takes at least one
 * bit of it, does bounded work, and past `limit` there is nothing to take.
 */
#ifndef BL_DEFLATE_READ_H
#define BL_DEFLATE_READ_H

#include "deflate_code.h"

struct bl_deflate_source {
    void *ctx;
    /* The byte at `offset` of the image, which is within it. */
    bl_status (*get)(void *ctx, uint32_t offset, uint8_t *byte);
};

/* A place in the stream, to the bit. */
struct bl_deflate_bits {
    uint32_t next; /* offset of the next byte */
    uint8_t held;  /* bits of the byte before it that were not yet taken */
    uint8_t count;
};

/* Canonical codes for decoding: symbols by length, then by value. */
struct bl_deflate_reader {
    uint32_t limit;
    struct bl_deflate_bits bits;
    struct bl_deflate_bits runs; /* where the code lengths begin */
    uint32_t at;                 /* token bytes given */
    uint32_t inflated;           /* bytes that those stand for, modulo 2^32 */
    uint8_t state;               /* private */
    uint8_t head;                /* of the block */
    uint16_t index;              /* within what `state` says */
    uint16_t stored;             /* length of a stored block */
    uint16_t literals, distances;
    uint8_t codes; /* HCLEN + 4 */
    uint8_t code[BL_DEFLATE_CODES];
    struct bl_deflate_lengths lengths;
    uint16_t literal_count[BL_DEFLATE_BITS + 1];
    uint16_t literal_low[BL_DEFLATE_BITS + 1]; /* of these are below 256 */
    uint8_t literal[BL_DEFLATE_LITERALS];      /* low byte */
    uint16_t distance_count[BL_DEFLATE_BITS + 1];
    uint8_t distance[BL_DEFLATE_DISTANCES]; /* in a head: of code lengths */
};

/* From the byte at `offset` on; the image ends at `limit`. */
void bl_deflate_read_start(struct bl_deflate_reader *r, uint32_t offset,
                           uint32_t limit);

/*
 * The next token bytes: a copy with all its 4, an escaped literal with its 2,
 * else one. `*n` is 0 after the end. BL_DELTA_FORMAT: not a deflate stream,
 * or one that has no tokens (final).
 */
bl_status bl_deflate_read(struct bl_deflate_reader *r,
                          const struct bl_deflate_source *source,
                          uint8_t out[BL_DEFLATE_COPY_SIZE],
                          unsigned *n) BL_MUST_CHECK;

/* What the next token byte is. */
enum bl_deflate_phase bl_deflate_read_phase(const struct bl_deflate_reader *r);

/* After the end: the offset behind the stream. */
static inline uint32_t bl_deflate_read_end(const struct bl_deflate_reader *r)
{
    return r->bits.next;
}

#endif
