/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/crypto.h"

#include "bowline/hss.h"
#include "bowline/sha256.h"
#include "frame.h"

/* The numbers from before RFC 9864, which leave the curve to the key. */
enum { ALG_ES256 = -7, ALG_EDDSA = -8 };

static BL_APART bl_status p256(const struct bl_crypto *crypto,
                               const struct bl_key *key, const bl_span *parts,
                               size_t n_parts, bl_span signature,
                               bl_verdict *verdict)
{
    struct bl_sha256 sha;
    uint8_t point[64], digest[BL_SHA256_SIZE];
    size_t i;

    if (crypto->p256_verify == NULL || key->x.n != 32 || key->y.n != 32) {
        return BL_ALGORITHM;
    }
    *verdict = BL_BAD;
    if (signature.n != 64) {
        return BL_OK;
    }
    bl_sha256_init(&sha);
    for (i = 0; i < n_parts; i++) {
        bl_sha256_update(&sha, parts[i].p, parts[i].n);
    }
    bl_sha256_final(&sha, digest);
    memcpy(point, key->x.p, 32);
    memcpy(point + 32, key->y.p, 32);
    *verdict = crypto->p256_verify(crypto->ctx, point, digest, signature.p);
    return BL_OK;
}

static bl_status ed25519(const struct bl_crypto *crypto,
                         const struct bl_key *key, const bl_span *parts,
                         size_t n_parts, bl_span signature,
                         bl_verdict *verdict)
{
    if (crypto->ed25519_verify == NULL || key->x.n != 32 || key->y.n != 0) {
        return BL_ALGORITHM;
    }
    *verdict = BL_BAD;
    if (signature.n == 64) {
        *verdict = crypto->ed25519_verify(crypto->ctx, key->x.p, parts,
                                          n_parts, signature.p);
    }
    return BL_OK;
}

bl_status bl_signature_verify(const struct bl_crypto *crypto,
                              const struct bl_key *key, const bl_span *parts,
                              size_t n_parts, bl_span signature,
                              bl_verdict *verdict)
{
    switch (key->alg) {
    case BL_ALG_ESP256:
    case ALG_ES256:
        return p256(crypto, key, parts, n_parts, signature, verdict);
    case BL_ALG_ED25519:
    case ALG_EDDSA:
        return ed25519(crypto, key, parts, n_parts, signature, verdict);
    case BL_ALG_HSS_LMS:
        if (key->y.n != 0) {
            return BL_ALGORITHM;
        }
        *verdict = bl_hss_verify(key->x, parts, n_parts, signature);
        return BL_OK;
    default:
        return BL_ALGORITHM;
    }
}

bl_verdict bl_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t difference = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
    }
    /* A glitched comparison must not leave by the loop's early end. */
    return difference == 0 && i == n ? BL_GOOD : BL_BAD;
}
