/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts token bytes (deflate_code.h) together again to the deflate stream that
 * they were taken from, bit for bit. The state holds no pointer. Token bytes
 * are not trusted: those that make no stream end in BL_DELTA_FORMAT; each
 * gives at most BL_DEFLATE_BURST bytes.
 */
#ifndef BL_DEFLATE_WRITE_H
#define BL_DEFLATE_WRITE_H

#include "deflate_code.h"

enum {
    /* The head of a dynamic block comes at once, with its last length. */
    BL_DEFLATE_BURST = 600
};

struct bl_deflate_sink {
    void *ctx;
    bl_status (*put)(void *ctx, uint8_t byte);
};

/* Canonical codes for encoding: the first code of each length, and how many
 * symbols of the same length a symbol has before it. */
struct bl_deflate_writer {
    uint32_t at;       /* token bytes taken */
    uint32_t inflated; /* bytes that those stand for, modulo 2^32 */
    uint8_t state;     /* private */
    uint8_t head;      /* of the block */
    uint8_t held;      /* bits that fill no byte yet */
    uint8_t count;
    uint16_t index;  /* within what `state` says */
    uint16_t stored; /* length of a stored block */
    uint16_t literals, distances;
    uint8_t codes;  /* HCLEN + 4 */
    uint8_t length; /* of a copy, - 3 */
    uint8_t high;   /* of its distance, - 1 */
    uint8_t code[BL_DEFLATE_CODES];
    struct bl_deflate_lengths lengths;
    uint16_t literal_first[BL_DEFLATE_BITS + 1];
    uint8_t literal_rank[BL_DEFLATE_LITERALS];
    uint16_t distance_first[BL_DEFLATE_BITS + 1]; /* in a head: of code */
    uint8_t distance_rank[BL_DEFLATE_DISTANCES];  /* lengths */
};

void bl_deflate_write_start(struct bl_deflate_writer *w);

/* The next token byte. Errors are final. */
bl_status bl_deflate_write(struct bl_deflate_writer *w,
                           const struct bl_deflate_sink *sink,
                           uint8_t token) BL_MUST_CHECK;

/* What the next token byte is: BL_DEFLATE_AT_NOTHING after the last. */
enum bl_deflate_phase
bl_deflate_write_phase(const struct bl_deflate_writer *w);

/* Has a copy or an escaped literal begun and not ended? */
bool bl_deflate_write_within(const struct bl_deflate_writer *w);

/* At a code length: which one, 0..18 of the code length code, 19..334 of the
 * others, and what it was in the block before. -1: neither counts there. */
int bl_deflate_write_place(const struct bl_deflate_writer *w, int *before);

#endif
