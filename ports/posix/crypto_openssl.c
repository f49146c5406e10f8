/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* Failures are verdicts here: OpenSSL's queue of reasons must not grow. */
static bl_verdict verdict_of(int result)
{
    ERR_clear_error();
    return result == 1 ? BL_GOOD : BL_BAD;
}

/* NULL when the point is not on the curve. */
static EVP_PKEY *p256_key(const uint8_t key[64])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *out = NULL;
    char group[] = "P-256";
    uint8_t point[65];
    OSSL_PARAM params[3];

    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, key, 64);
    params[0] =
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                  point, sizeof point);
    params[2] = OSSL_PARAM_construct_end();
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        out = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return out;
}

/* r || s as the DER that EVP wants; 0 on failure. */
static size_t p256_der(const uint8_t signature[64], uint8_t der[80])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, 32, NULL);
    BIGNUM *s = BN_bin2bn(signature + 32, 32, NULL);
    int n = 0;

    if (pair != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL; /* now the pair's */
        s = NULL;
        n = i2d_ECDSA_SIG(pair, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return n > 0 ? (size_t)n : 0;
}

static bl_verdict p256_verify(void *unused, const uint8_t key[64],
                              const uint8_t digest[32],
                              const uint8_t signature[64])
{
    uint8_t der[80]; /* 72 at most */
    size_t n = p256_der(signature, der);
    EVP_PKEY *pkey = p256_key(key);
    EVP_PKEY_CTX *ctx = NULL;
    int result = 0;

    (void)unused;
    if (pkey != NULL && n != 0) {
        ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    }
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1) {
        result = EVP_PKEY_verify(ctx, der, n, digest, 32);
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return verdict_of(result);
}

static bl_verdict ed25519_whole(const uint8_t key[32], const uint8_t *message,
                                size_t n, const uint8_t signature[64])
{
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int result = 0;

    if (pkey != NULL && ctx != NULL &&
        EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1) {
        result = EVP_DigestVerify(ctx, signature, 64, message, n);
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return verdict_of(result);
}

/* OpenSSL 3.0 takes an Ed25519 message in one piece only. */
static bl_verdict ed25519_verify(void *unused, const uint8_t key[32],
                                 const bl_span *parts, size_t n_parts,
                                 const uint8_t signature[64])
{
    uint8_t small[1024];
    uint8_t *message = small;
    size_t total = 0, at = 0, i;
    bl_verdict verdict;

    (void)unused;
    for (i = 0; i < n_parts; i++) {
        total += parts[i].n;
    }
    if (total > sizeof small && (message = malloc(total)) == NULL) {
        return BL_BAD;
    }
    for (i = 0; i < n_parts; i++) {
        if (parts[i].n != 0) {
            memcpy(message + at, parts[i].p, parts[i].n);
            at += parts[i].n;
        }
    }
    verdict = ed25519_whole(key, message, total, signature);
    if (message != small) {
        free(message);
    }
    return verdict;
}

const struct bl_crypto posix_crypto = {NULL, p256_verify, ed25519_verify};
