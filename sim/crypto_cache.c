/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_cache.h"

#include "bowline/sha256.h"
#include "posix/crypto.h"

enum { PLACES = 1 << 16 };

static _Thread_local struct place {
    uint8_t question[32];
    bl_verdict verdict; /* 0: not in use */
} places[PLACES];

static struct place *find(const uint8_t question[32])
{
    uint32_t i = (uint32_t)question[0] << 8 | question[1];

    /* One place a question: a newer one takes the place of an older. */
    return &places[i];
}

static bool known(const struct place *place, const uint8_t question[32])
{
    return place->verdict != 0 && memcmp(place->question, question, 32) == 0;
}

static bl_verdict keep(struct place *place, const uint8_t question[32],
                       bl_verdict verdict)
{
    memcpy(place->question, question, 32);
    place->verdict = verdict;
    return verdict;
}

static bl_verdict p256(void *ctx, const uint8_t key[64],
                       const uint8_t digest[32], const uint8_t signature[64])
{
    struct bl_sha256 h;
    uint8_t question[32];
    struct place *place;

    bl_sha256_init(&h);
    bl_sha256_update(&h, "p256", 4);
    bl_sha256_update(&h, key, 64);
    bl_sha256_update(&h, digest, 32);
    bl_sha256_update(&h, signature, 64);
    bl_sha256_final(&h, question);
    place = find(question);
    (void)ctx;
    if (known(place, question)) {
        return place->verdict;
    }
    return keep(
        place, question,
        posix_crypto.p256_verify(posix_crypto.ctx, key, digest, signature));
}

static bl_verdict ed25519(void *ctx, const uint8_t key[32],
                          const bl_span *parts, size_t n_parts,
                          const uint8_t signature[64])
{
    struct bl_sha256 h;
    uint8_t question[32];
    struct place *place;

    bl_sha256_init(&h);
    bl_sha256_update(&h, "ed25", 4);
    bl_sha256_update(&h, key, 32);
    bl_sha256_update(&h, signature, 64);
    for (size_t i = 0; i < n_parts; i++) {
        bl_sha256_update(&h, parts[i].p, parts[i].n);
    }
    bl_sha256_final(&h, question);
    place = find(question);
    (void)ctx;
    if (known(place, question)) {
        return place->verdict;
    }
    return keep(place, question,
                posix_crypto.ed25519_verify(posix_crypto.ctx, key, parts,
                                            n_parts, signature));
}

const struct bl_crypto sim_crypto = {NULL, p256, ed25519};
