/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core needs of a platform's cryptography: two signature checks. SHA-256
 * and HSS/LMS are core's own (sha256.h, hss.h). A port fills the struct; on
 * hosts ports/posix/crypto_openssl.c does, on a device PSA Crypto or the like.
 * A member that is NULL means that the device does not know that algorithm.
 */
#ifndef BOWLINE_CRYPTO_H
#define BOWLINE_CRYPTO_H

#include "bowline/span.h"
#include "bowline/status.h"

/* COSE algorithm numbers, RFC 9864, RFC 8778. */
enum {
    BL_ALG_ESP256 = -9,
    BL_ALG_ED25519 = -19,
    BL_ALG_HSS_LMS = -46,
    BL_ALG_SHA256 = -16
};

struct bl_crypto {
    void *ctx;
    /* ECDSA P-256: `key` is x || y, `signature` r || s, both 64 bytes, big
     * endian. BL_BAD for a point off the curve, r or s out of 1..n-1. */
    bl_verdict (*p256_verify)(void *ctx, const uint8_t key[64],
                              const uint8_t digest[32],
                              const uint8_t signature[64]);
    /* PureEdDSA over the concatenation of `parts` (RFC 8032 section 5.1.7). */
    bl_verdict (*ed25519_verify)(void *ctx, const uint8_t key[32],
                                 const bl_span *parts, size_t n_parts,
                                 const uint8_t signature[64]);
};

/* A public key: ESP256 x and y, 32 bytes each; Ed25519 x, 32 bytes, y empty;
 * HSS-LMS x, the HSS public key of RFC 8554 section 6.1, y empty. The bytes
 * belong to the document that the key was read from. */
struct bl_key {
    int32_t alg;
    bl_span x;
    bl_span y;
};

/*
 * Checks one signature over the concatenation of `parts`. The algorithm is
 * the key's; lengths of key and signature are checked here. BL_OK means that
 * `*verdict` was set; BL_ALGORITHM that the key's algorithm or form is not
 * known on this device. Besides the three algorithms above, ES256 (-7) and
 * EdDSA (-8) are computed when the key itself names them (published vectors
 * do); a root document may not (root.h).
 */
bl_status bl_signature_verify(const struct bl_crypto *crypto,
                              const struct bl_key *key, const bl_span *parts,
                              size_t n_parts, bl_span signature,
                              bl_verdict *verdict) BL_MUST_CHECK;

/* Constant-time comparison for digests and nonces. */
bl_verdict bl_equal(const uint8_t *a, const uint8_t *b, size_t n);

#endif
