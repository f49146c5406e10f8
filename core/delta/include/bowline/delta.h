/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying a Bowline delta (docs/DELTA.md): the old image and a patch give the
 * new image. Freestanding C99: no malloc, no OS, no floating point, no
 * recursion; integer arithmetic only, so that every processor decodes the same
 * bytes. This header and libbowline-delta are all that somebody needs who only
 * wants deltas.
 *
 * The patch comes in any portions, in order. The old image is read at random,
 * within the size that the patch names and nowhere else. The new image is
 * written in order. All memory is the caller's.
 *
 * A patch is not trusted: a hostile one ends in BL_DELTA_FORMAT, or in an
 * image that is not the wanted one, which the caller finds by its digest
 * (the manifest's, when Bowline installs). It can not make the decoder read
 * outside the old image, write more than the size in its head, use more memory
 * than it was given, or run longer than a bound that is linear in both sizes:
 * 10,000 instructions of a Cortex-M for each byte of the new image, and 50 for
 * each pair of map entries (there are as many as its memory holds); with
 * compressed members 5,000 more for each byte of either image. Patches of
 * bowline diff take some 80 to 3,000 a byte; a patch that is far above may be
 * given up by a caller that counts its time. The stack: below 1 KB.
 */
#ifndef BOWLINE_DELTA_H
#define BOWLINE_DELTA_H

#include <stdbool.h>
#include <stddef.h>

#include "bowline/status.h"

enum {
    BL_DELTA_FORMAT_1 = 1,
    BL_DELTA_HEAD = 64,      /* a head is never longer */
    BL_DELTA_QUANTUM = 4096, /* output of one call, about */
    BL_DELTA_CHECK = 3       /* bytes of SHA-256 of either image in a head */
};

/* What code the images hold: how references are found and rewritten. A build
 * may leave some out (BL_DELTA_NO_THUMB, ...): their patches are refused as
 * BL_DELTA. */
enum bl_delta_isa {
    BL_DELTA_PLAIN = 0,
    BL_DELTA_THUMB = 1,   /* Armv6-M to Armv8-M, Thumb-2 */
    BL_DELTA_RISCV = 2,   /* RV32 and RV64 IMC */
    BL_DELTA_XTENSA = 3,  /* ESP8266, ESP32, ESP32-S2, ESP32-S3 */
    BL_DELTA_AARCH64 = 4, /* A64 */
    BL_DELTA_X86_64 = 5,
    BL_DELTA_ISAS = 6
};

/* Bit n: instruction set n is in this build. */
uint32_t bl_delta_isas(void);

/* A patch's head. */
struct bl_delta_info {
    uint8_t format;
    uint8_t isa;
    bool in_place;     /* for one slot: see bowline/delta_in_place.h */
    bool deflate;      /* holds compressed members: needs more memory */
    uint32_t old_size; /* bytes */
    uint32_t new_size;
    uint32_t ram;   /* bytes of memory that bl_delta_start wants */
    uint32_t n;     /* bytes of this head */
    uint32_t block; /* in place: bytes of an erase block, else 0 */
    uint32_t slots; /* in place: blocks to save old ones in */
    uint32_t stash; /* in place: bytes for pieces of others */
    uint8_t old_check[BL_DELTA_CHECK]; /* first bytes of SHA-256 of the old */
    uint8_t new_check[BL_DELTA_CHECK]; /* and of the new image: against mixed
                                          up files, not against attackers */
};

/*
 * Reads a head. BL_BUFFER: more bytes are needed (never with BL_DELTA_HEAD of
 * them, nor with the whole patch). BL_DELTA_FORMAT: not a patch, or
 * impossible. BL_DELTA: a format, instruction set or part that this build does
 * not have.
 */
bl_status bl_delta_head(const void *patch, size_t n,
                        struct bl_delta_info *out) BL_MUST_CHECK;

/* The caller's side of the images. Functions return BL_OK, or what
 * bl_delta_data then returns. */
struct bl_delta_io {
    void *ctx;
    /* `n` bytes of the old image; always within old_size. */
    bl_status (*old)(void *ctx, uint32_t offset, void *out, uint32_t n);
    /* `n` bytes of the new image that were written before (by `write`). */
    bl_status (*written)(void *ctx, uint32_t offset, void *out, uint32_t n);
    /* The next `n` bytes of the new image. In place: those at
     * bl_delta_written, within one block. */
    bl_status (*write)(void *ctx, const void *data, uint32_t n);
};

/*
 * A decoder. It lies, with everything that it knows, in the first
 * bl_delta_info.ram bytes of the caller's memory and holds no pointer but to
 * `io`: those bytes, copied between two calls and brought back to the same
 * kind of processor and the same build, go on where they were
 * (bl_delta_resume).
 */
struct bl_delta;

/*
 * Begins. `memory` is aligned for uint64_t. BL_DELTA_RAM: the patch needs more
 * than `size` bytes. BL_NO_SPACE: the old image is said to be larger than
 * `old_limit`, or the new one than `new_limit` (areas that the caller has).
 * The caller has compared the old image's digest with what it must be BEFORE
 * (the manifest's; or `old_check` where nothing better is at hand).
 * `*out` is in `memory`; there is nothing to free.
 */
bl_status bl_delta_start(const struct bl_delta_info *info,
                         const struct bl_delta_io *io, uint32_t old_limit,
                         uint32_t new_limit, void *memory, size_t size,
                         struct bl_delta **out) BL_MUST_CHECK;

/*
 * The next `n` bytes of the patch, its head first. Returns after about
 * BL_DELTA_QUANTUM bytes of output at the latest, so that a caller may feed a
 * watchdog or keep the state; `*taken` says how many bytes were taken (also
 * 0): call again with the rest. An error is final.
 */
bl_status bl_delta_data(struct bl_delta *d, const void *patch, size_t n,
                        size_t *taken) BL_MUST_CHECK;

/*
 * The patch has no more bytes. To be called until `*whole` is true, or an
 * error comes: BL_DELTA_FORMAT when the patch was too short or too long for
 * its image. Each call writes about BL_DELTA_QUANTUM bytes at most.
 */
bl_status bl_delta_end(struct bl_delta *d, bool *whole) BL_MUST_CHECK;

/* Bytes of the patch that were taken, and of the image that were written. In
 * place, the latter is where the next byte goes. */
uint32_t bl_delta_taken(const struct bl_delta *d);
uint32_t bl_delta_written(const struct bl_delta *d);

/*
 * In place (bl_delta_info.in_place) the image is written block by block, in
 * an order that the patch says; blocks that do not change are never named.
 * bl_delta_data and bl_delta_end return as soon as a block begins. Blocks that
 * were begun are read through io->old only when they were saved before.
 * Whoever keeps the old image elsewhere need not care; who writes over it uses
 * bowline/delta_in_place.h.
 */
enum { BL_DELTA_NOT_SAVED = 255 };

struct bl_delta_page {
    uint32_t page;  /* number of the block that begins now */
    uint32_t slot;  /* where its old bytes are put first, or NOT_SAVED */
    uint32_t saves; /* blocks that were so saved, with this one */
};

/* True: a block begins; until the next call of bl_delta_data or _end. */
bool bl_delta_page(const struct bl_delta *d, struct bl_delta_page *out);

/*
 * Takes a decoder up again whose `ram` bytes were kept between two calls, in a
 * place that a power cut cannot mix up (the caller's checksum says that they
 * are whole; they are believed). The patch goes on at bl_delta_taken, the
 * output at bl_delta_written. BL_DELTA_FORMAT: kept by another build.
 */
bl_status bl_delta_resume(void *memory, size_t size,
                          const struct bl_delta_io *io,
                          struct bl_delta **out) BL_MUST_CHECK;

#endif
