/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches as streams of symbols. Damage to a patch's bytes tells the decoder
 * little: behind the first bit that differs all decisions are noise, and an
 * address that is just one too high hardly ever comes of it. So the decoder's
 * own source is compiled once more, with each "which symbol comes now?"
 * answered by a draw and written down by the encoder's coder: what it went
 * through is then a patch, and the true decoder must go the same way.
 *
 * symbols_codec.c walks (compiled as the decoder), symbols_coder.c draws and
 * writes (compiled as the encoder).
 */
#ifndef FUZZ_SYMBOLS_H
#define FUZZ_SYMBOLS_H

#include "bowline/delta.h"
#include "draw.h"

enum {
    SYMBOLS_NOW = 2048,        /* bytes of a new image, at most */
    SYMBOLS_RAM = 1024 * 1024, /* heads that want more are not drawn */
    SYMBOLS_STREAMS = 4
};

/* An old image, and where deflate streams begin in it. */
struct symbols_old {
    const uint8_t *p;
    uint32_t n;
    uint32_t isa;
    uint32_t base; /* address that its code is made for */
    uint32_t streams[SYMBOLS_STREAMS];
    uint32_t streams_n;
};

/* What the walk gave. */
struct symbols_walk {
    bl_status status;
    uint8_t now[SYMBOLS_NOW];
    uint32_t now_n;
    uint32_t steps;
};

/* A patch for `old`: how many bytes of `room`. *exact: the stream ended within
 * it, so the decoder must do what `walk` says. */
size_t symbols_patch(struct draw *d, const struct symbols_old *old,
                     uint8_t *out, size_t room, struct symbols_walk *walk,
                     bool *exact);

/* --- between the two halves --- */

/* How symbols are drawn now. Numbers that are not wild lie within
 * low .. low + span - 1. Chances are of 256. */
struct symbols_ways {
    struct draw *d;
    uint32_t wild;   /* a number is any */
    uint32_t likely; /* a flag is what the model thinks likelier */
    uint32_t lean;   /* not 0: most flags are 1 so often, whatever likelier */
    uint32_t wrong;  /* a unit is not as predicted; `often` of most */
    uint32_t often;
    uint32_t noise; /* a byte is any */
    int32_t low;
    uint32_t span;
    uint32_t edge[8];     /* sizes, addresses: wild numbers are near to them */
    uint32_t round[8];    /* round ones that are not wild */
    const uint8_t *token; /* of a stream: the bytes that come next */
    size_t tokens;
};

extern struct symbols_ways symbols_ways;

struct bl_head;

/* Writes the head; the symbols go behind it. */
void symbols_begin(const struct bl_head *h, uint8_t *out, size_t room);
/* Bytes in all. *whole: they did fit. */
size_t symbols_end(bool *whole);

#endif
