/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cryptography that says yes: so that the fuzzer gets behind the signatures,
 * where a hostile holder of a key would be.
 */
#ifndef FUZZ_ACCEPT_ALL_H
#define FUZZ_ACCEPT_ALL_H

#include "bowline/crypto.h"

static inline bl_verdict accept_p256(void *ctx, const uint8_t key[64],
                                     const uint8_t digest[32],
                                     const uint8_t signature[64])
{
    (void)ctx;
    (void)key;
    (void)digest;
    return signature[0] == 0xFF ? BL_BAD : BL_GOOD;
}

static inline bl_verdict accept_ed25519(void *ctx, const uint8_t key[32],
                                        const bl_span *parts, size_t n_parts,
                                        const uint8_t signature[64])
{
    (void)ctx;
    (void)key;
    (void)parts;
    (void)n_parts;
    return signature[0] == 0xFF ? BL_BAD : BL_GOOD;
}

static const struct bl_crypto accept_all = {NULL, accept_p256, accept_ed25519};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
