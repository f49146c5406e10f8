/* SPDX-License-Identifier: Apache-2.0 */
/* A Secure Boot V2 block as bytes, and the mathematics behind it. */
#ifndef AUTHOR_ESP_BLOCK_H
#define AUTHOR_ESP_BLOCK_H

#include "author/esp_sign.h"

#include <openssl/evp.h>

enum { ESP_DIGEST_MAX = 48 };

/* Where a scheme has its fields in a block. */
struct esp_layout {
    const char *name;
    uint8_t version; /* byte 1 */
    uint8_t hash;    /* byte 2: 0 SHA-256, 1 SHA-384 */
    uint8_t curve;   /* in front of the point; 0: RSA */
    size_t digest;   /* bytes, at ESP_DIGEST_AT */
    size_t key_at;
    size_t key; /* bytes of the key's field, of which the digest is made */
    size_t signature_at;
    size_t signature;    /* bytes that a signer gives */
    size_t coordinate;   /* bytes of x, y, r, s */
    const char *group;   /* OpenSSL's name; NULL: RSA */
    const char *md_name; /* of the image's digest */
};

enum { ESP_DIGEST_AT = 4, ESP_CRC_AT = 1196, ESP_MAGIC = 0xE7 };

const struct esp_layout *esp_layout(enum author_esp_scheme scheme);

/* A block's content, before its key is believed to be one. */
struct esp_fields {
    uint8_t digest[ESP_DIGEST_MAX];          /* of the image */
    uint8_t signature[AUTHOR_ESP_SIGNATURE]; /* big-endian */
};

/* Reads AUTHOR_ESP_BLOCK bytes; false with a problem. `has_key` and `public`
 * are set as far as they could be read. */
bool esp_block_read(const uint8_t *p, struct author_esp_block *out,
                    struct esp_fields *fields);
void esp_block_write(const struct author_esp_public *public,
                     const struct esp_fields *fields, uint8_t *p);

/* The reverse, byte by byte: the chips keep numbers little-endian. */
void esp_reverse(uint8_t *out, const uint8_t *p, size_t n);

/* --- esp_key.c ------------------------------------------------------------
 */

/* The key of a block for OpenSSL. NULL: no such key can be, or its r and M'
 * are not those of its n. */
EVP_PKEY *esp_key_of(const struct author_esp_public *public);
bool esp_key_verifies(const struct author_esp_public *public, bl_span digest,
                      const uint8_t *signature);
/* Of all bytes before the sector. */
bool esp_digest_of(enum author_esp_scheme scheme, bl_span message,
                   uint8_t out[ESP_DIGEST_MAX]);

#endif
