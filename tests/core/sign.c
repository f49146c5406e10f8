/* SPDX-License-Identifier: Apache-2.0 */
#include "sign.h"

#include "cmocka_all.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static size_t sign(EVP_PKEY *key, const EVP_MD *md, bl_span message,
                   uint8_t *out, size_t size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_non_null(key);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, md, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, out, &size, message.p, message.n), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return size;
}

void sign_ed25519(bl_span d, bl_span message, uint8_t signature[64])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d.p, d.n);

    assert_int_equal(sign(key, NULL, message, signature, 64), 64);
}

static EVP_PKEY *p256_key(bl_span d, bl_span x, bl_span y)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *secret = BN_bin2bn(d.p, (int)d.n, NULL);
    uint8_t point[65] = {4};
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;

    memcpy(point + 1, x.p, 32);
    memcpy(point + 33, y.p, 32);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256",
                                    0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                     sizeof point);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
    params = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params),
                     1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(secret);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

void sign_p256(bl_span d, bl_span x, bl_span y, bl_span message,
               uint8_t signature[64])
{
    uint8_t der[80];
    const uint8_t *p = der;
    size_t n = sign(p256_key(d, x, y), EVP_sha256(), message, der, sizeof der);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)n);

    assert_non_null(pair);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32);
    ECDSA_SIG_free(pair);
}
