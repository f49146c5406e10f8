/* SPDX-License-Identifier: Apache-2.0 */
#include "BowlineCrypto.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <string.h>

#include "esp_random.h"

esp_err_t bowline_crypto_open(void)
{
    return ESP_OK;
}

bl_status bowline_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    esp_fill_random(out, n);
    return BL_OK;
}

/* --- ECDSA P-256 --------------------------------------------------------- */

struct p256 {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi r;
    mbedtls_mpi s;
};

/* 0: good. A point off the curve, r or s out of 1..n-1: not 0. */
static int verify(struct p256 *c, const uint8_t key[64],
                  const uint8_t digest[32], const uint8_t signature[64])
{
    uint8_t point[65] = {4}; /* uncompressed */
    int err;

    memcpy(point + 1, key, 64);
    err = mbedtls_ecp_group_load(&c->group, MBEDTLS_ECP_DP_SECP256R1);
    if (err == 0) {
        err = mbedtls_ecp_point_read_binary(&c->group, &c->point, point,
                                            sizeof point);
    }
    if (err == 0) {
        err = mbedtls_ecp_check_pubkey(&c->group, &c->point);
    }
    if (err == 0) {
        err = mbedtls_mpi_read_binary(&c->r, signature, 32);
    }
    if (err == 0) {
        err = mbedtls_mpi_read_binary(&c->s, signature + 32, 32);
    }
    if (err == 0) {
        err = mbedtls_ecdsa_verify(&c->group, digest, 32, &c->point, &c->r,
                                   &c->s);
    }
    return err;
}

static bl_verdict p256_verify(void *ctx, const uint8_t key[64],
                              const uint8_t digest[32],
                              const uint8_t signature[64])
{
    struct p256 c;
    int err;

    (void)ctx;
    mbedtls_ecp_group_init(&c.group);
    mbedtls_ecp_point_init(&c.point);
    mbedtls_mpi_init(&c.r);
    mbedtls_mpi_init(&c.s);
    err = verify(&c, key, digest, signature);
    mbedtls_mpi_free(&c.s);
    mbedtls_mpi_free(&c.r);
    mbedtls_ecp_point_free(&c.point);
    mbedtls_ecp_group_free(&c.group);
    return err == 0 ? BL_GOOD : BL_BAD;
}

const struct bl_crypto bowline_crypto = {.p256_verify = p256_verify};

/* --- RFC 9562, section 5.5 ----------------------------------------------- */

static int sha1_of(const uint8_t space[16], const char *name,
                   uint8_t digest[20])
{
    const mbedtls_md_info_t *sha1 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA1);
    mbedtls_md_context_t c;
    int err;

    mbedtls_md_init(&c);
    err = sha1 == NULL ? -1 : mbedtls_md_setup(&c, sha1, 0);
    if (err == 0) {
        err = mbedtls_md_starts(&c);
    }
    if (err == 0) {
        err = mbedtls_md_update(&c, space, 16);
    }
    if (err == 0) {
        err = mbedtls_md_update(&c, (const uint8_t *)name, strlen(name));
    }
    if (err == 0) {
        err = mbedtls_md_finish(&c, digest);
    }
    mbedtls_md_free(&c);
    return err;
}

static esp_err_t uuid5(const uint8_t space[16], const char *name,
                       uint8_t out[16])
{
    uint8_t digest[20];

    if (sha1_of(space, name, digest) != 0) {
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
