/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto.h"

#include <psa/crypto.h>
#include <string.h>

#if !defined(MBEDTLS_PSA_CRYPTO_C) && !defined(MBEDTLS_PSA_CRYPTO_CLIENT)
#error "Bowline needs PSA Crypto: CONFIG_MBEDTLS_SSL_PROTO_TLS1_3=y brings it"
#endif

esp_err_t bowline_crypto_open(void)
{
    return psa_crypto_init() == PSA_SUCCESS ? ESP_OK : ESP_FAIL;
}

static psa_status_t import(const uint8_t key[64], psa_key_id_t *id)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    uint8_t point[65] = {4}; /* uncompressed */

    memcpy(point + 1, key, 64);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    psa_set_key_type(&attributes,
                     PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    return psa_import_key(&attributes, point, sizeof point, id);
}

static bl_verdict p256_verify(void *ctx, const uint8_t key[64],
                              const uint8_t digest[32],
                              const uint8_t signature[64])
{
    psa_status_t status;
    psa_key_id_t id;

    (void)ctx;
    if (import(key, &id) != PSA_SUCCESS) {
        return BL_BAD; /* a point off the curve */
    }
    status = psa_verify_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, 32,
                             signature, 64);
    if (psa_destroy_key(id) != PSA_SUCCESS) {
        return BL_BAD;
    }
    return status == PSA_SUCCESS ? BL_GOOD : BL_BAD;
}

const struct bl_crypto bowline_crypto = {.p256_verify = p256_verify};

bl_status bowline_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    return psa_generate_random(out, n) == PSA_SUCCESS ? BL_OK : BL_ARGUMENT;
}

/* --- RFC 9562, section 5.5 ----------------------------------------------- */

static esp_err_t uuid5(const uint8_t space[16], const char *name,
                       uint8_t out[16])
{
    psa_hash_operation_t hash = PSA_HASH_OPERATION_INIT;
    uint8_t digest[20];
    size_t n = 0;
    psa_status_t status = psa_hash_setup(&hash, PSA_ALG_SHA_1);

    if (status == PSA_SUCCESS) {
        status = psa_hash_update(&hash, space, 16);
    }
    if (status == PSA_SUCCESS) {
        status = psa_hash_update(&hash, (const uint8_t *)name, strlen(name));
    }
    if (status == PSA_SUCCESS) {
        status = psa_hash_finish(&hash, digest, sizeof digest, &n);
    }
    if (status != PSA_SUCCESS) {
        (void)psa_hash_abort(&hash);
        return ESP_FAIL;
    }
    memcpy(out, digest, 16);
    out[6] = (uint8_t)((out[6] & 0x0F) | 0x50);
    out[8] = (uint8_t)((out[8] & 0x3F) | 0x80);
    return ESP_OK;
}

esp_err_t bowline_vendor_id(const char *domain, uint8_t out[16])
{
    static const uint8_t dns[16] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad,
                                    0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
                                    0x4f, 0xd4, 0x30, 0xc8};

    return uuid5(dns, domain, out);
}

esp_err_t bowline_class_id(const uint8_t vendor_id[16], const char *product,
                           uint8_t out[16])
{
    return uuid5(vendor_id, product, out);
}
