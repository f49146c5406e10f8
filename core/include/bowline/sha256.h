/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, FIPS 180-4, streaming. Two implementations of this one header,
 * chosen by which file is linked: core/src/sha256.c (portable C, small) and
 * ports/posix/sha256_openssl.c (the processor's SHA instructions). The
 * context is the caller's, holds no pointers, and may be copied to fork a
 * running hash. Re-entrant.
 */
#ifndef BOWLINE_SHA256_H
#define BOWLINE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { BL_SHA256_SIZE = 32 };

struct bl_sha256 {
    uint32_t h[8];
    uint64_t bytes; /* total fed */
    uint8_t block[64];
};

void bl_sha256_init(struct bl_sha256 *c);
void bl_sha256_update(struct bl_sha256 *c, const void *data, size_t n);
/* Leaves the digest; the context must be initialised anew before reuse. */
void bl_sha256_final(struct bl_sha256 *c, uint8_t digest[BL_SHA256_SIZE]);
/* init, update, final. */
void bl_sha256(const void *data, size_t n, uint8_t digest[BL_SHA256_SIZE]);

#endif
