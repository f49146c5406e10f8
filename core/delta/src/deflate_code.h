/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate streams (RFC 1951) as tokens: what reader and writer share.
 *
 * A web page that changes a little gives a gzip stream that changes from its
 * first bit on, because the Huffman codes do. Below them little has changed.
 * So a delta works on TOKEN BYTES, from which the stream can be rebuilt bit
 * for bit, without searching for matches:
 *
 *   stream  = block... , the last with BL_DEFLATE_FINAL; then one byte: the
 *             bits that fill up the last byte (0 from all encoders seen)
 *   block   = one byte: type (0 stored, 1 fixed, 2 dynamic), | FINAL, | form;
 *             then by type
 *   stored  = one byte: bits up to the byte boundary; length, low byte first;
 *             that many bytes
 *   dynamic = 19 code lengths of the code length code in the order in which
 *             they are sent, 286 of literals and lengths, 30 of distances:
 *             always as many, so that those of two blocks lie side by side.
 *             The runs in which they are sent follow from them: those of
 *             zlib (form 0), or of encoders whose runs go on from literals
 *             to distances (form 1). Others (form 2): HLIT, HDIST, HCLEN,
 *             HCLEN + 4 code lengths, then the runs: 0..15 a length,
 *             0x10 | extra, 0x20 | extra, 0x80 | extra for symbols 16, 17, 18
 *   symbols (of fixed and dynamic blocks)
 *           = a literal: its byte; those that are one of the next three have
 *             BL_DEFLATE_PLAIN before them
 *           | BL_DEFLATE_COPY, length - 3, distance - 1 high byte first
 *           | BL_DEFLATE_END: the block ends
 *
 * The three marks are bytes that UTF-8 never holds and that share their high
 * bits, so that a byte coder tells copy from literal mostly by its first bit.
 */
#ifndef BL_DEFLATE_CODE_H
#define BL_DEFLATE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bowline/status.h"

enum {
    BL_DEFLATE_STORED = 0,
    BL_DEFLATE_FIXED = 1,
    BL_DEFLATE_DYNAMIC = 2,
    BL_DEFLATE_TYPE = 3, /* mask */
    BL_DEFLATE_FINAL = 4,
    BL_DEFLATE_FORM = 3, /* shift */
    BL_DEFLATE_RUNS_APART = 0,
    BL_DEFLATE_RUNS_JOINED = 1,
    BL_DEFLATE_RUNS_SENT = 2,

    BL_DEFLATE_PLAIN = 0xF5,
    BL_DEFLATE_END = 0xF6,
    BL_DEFLATE_COPY = 0xF7,
    BL_DEFLATE_COPY_SIZE = 4, /* bytes of a copy */

    BL_DEFLATE_LITERALS = 288,
    BL_DEFLATE_LITERALS_SENT = 286,
    BL_DEFLATE_DISTANCES = 32,
    BL_DEFLATE_DISTANCES_SENT = 30,
    BL_DEFLATE_LENGTHS = BL_DEFLATE_LITERALS + BL_DEFLATE_DISTANCES,
    BL_DEFLATE_CODES = 19, /* of the code length code */
    BL_DEFLATE_BITS = 15,  /* longest code */
    BL_DEFLATE_EOB = 256
};

/* What the next token byte is: a context for whoever codes it. */
enum bl_deflate_phase {
    BL_DEFLATE_AT_SYMBOL = 0,
    BL_DEFLATE_AT_LENGTH = 1,
    BL_DEFLATE_AT_HIGH = 2, /* byte of a distance */
    BL_DEFLATE_AT_LOW = 3,
    BL_DEFLATE_AT_CODE = 4,    /* length of a code, or a run of them */
    BL_DEFLATE_AT_STORED = 5,  /* byte of a stored block */
    BL_DEFLATE_AT_BLOCK = 6,   /* what else is in a block's head */
    BL_DEFLATE_AT_NOTHING = 7, /* the stream has ended */
    BL_DEFLATE_PHASES = 8
};

/* Code lengths, two in a byte. Literals begin at 0, distances at
 * BL_DEFLATE_LITERALS. */
struct bl_deflate_lengths {
    uint8_t pair[BL_DEFLATE_LENGTHS / 2];
};

static inline unsigned bl_deflate_length(const struct bl_deflate_lengths *l,
                                         unsigned i)
{
    return (unsigned)(l->pair[i / 2] >> (i % 2 * 4)) & 15U;
}

void bl_deflate_set_length(struct bl_deflate_lengths *l, unsigned i,
                           unsigned length);
/* The lengths of a fixed block. */
void bl_deflate_fixed(struct bl_deflate_lengths *l);
/* HLIT + 257 and HDIST + 1, as encoders choose them: up to the last code. */
unsigned bl_deflate_literals(const struct bl_deflate_lengths *l);
unsigned bl_deflate_distances(const struct bl_deflate_lengths *l);

/* A symbol of the code length code. */
struct bl_deflate_run {
    uint8_t symbol;
    uint8_t extra;
    uint8_t lengths; /* that it stands for */
};

/* What zlib sends at `i`, the lengths being `literals` and then `distances`
 * many, numbered through. */
struct bl_deflate_run bl_deflate_run_at(const struct bl_deflate_lengths *l,
                                        unsigned literals, unsigned distances,
                                        bool joined, unsigned i);
/* Symbols 16, 17, 18: bits of `extra`, and the shortest run. Else 0, 1. */
unsigned bl_deflate_run_bits(unsigned symbol);
unsigned bl_deflate_run_least(unsigned symbol);
/* The order in which code lengths of the code length code are sent. */
unsigned bl_deflate_order(unsigned i);

/* Length symbols 257..285 as 0..28, distance symbols 0..29: extra bits and
 * the smallest value (length - 3, distance - 1). */
unsigned bl_deflate_length_bits(unsigned symbol);
unsigned bl_deflate_length_base(unsigned symbol);
unsigned bl_deflate_distance_bits(unsigned symbol);
unsigned bl_deflate_distance_base(unsigned symbol);

#endif
