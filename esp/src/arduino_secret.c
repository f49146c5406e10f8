/* SPDX-License-Identifier: Apache-2.0 */
/* What ArduinoOTA makes of a password, by its older and its newer way. */
#include "arduino_private.h"

#include "bowline/sha256.h"

enum { ROUNDS = 10000, BLOCK = 64 };

static const char colon[] = ":";

/* --- The password's own hashes --------------------------------------------
 */

static void md5_hex(bl_span a, bl_span b, char out[33])
{
    uint8_t digest[BL_ESP_MD5_SIZE];
    struct bl_esp_md5 c;

    bl_esp_md5_init(&c);
    bl_esp_md5_update(&c, a.p, a.n);
    bl_esp_md5_update(&c, b.p, b.n);
    bl_esp_md5_final(&c, digest);
    bl_arduino_hex(digest, sizeof(digest), out);
}

void bl_arduino_secret_password(struct bl_arduino_secret *secret,
                                const char *password, size_t n)
{
    static const uint8_t mark[3] = {0xEF, 0xBB, 0xBF};
    uint8_t digest[BL_SHA256_SIZE];
    bl_span word = bl_span_of(password, n);

    bl_sha256(password, n, digest);
    bl_arduino_hex(digest, sizeof(digest), secret->sha256);
    md5_hex(word, bl_span_of(mark, 0), secret->md5);
    md5_hex(bl_span_of(mark, sizeof(mark)), word, secret->md5_bom);
}

bl_status bl_arduino_secret_hash(struct bl_arduino_secret *secret,
                                 const char *hex)
{
    bl_span text = bl_span_of(hex, strlen(hex));
    uint8_t bytes[BL_SHA256_SIZE];

    if (bl_arduino_unhex(text, bytes, BL_SHA256_SIZE)) {
        memset(secret, 0, sizeof(*secret));
        bl_arduino_hex(bytes, BL_SHA256_SIZE, secret->sha256);
        return BL_OK;
    }
    if (bl_arduino_unhex(text, bytes, BL_ESP_MD5_SIZE)) {
        memset(secret, 0, sizeof(*secret));
        bl_arduino_hex(bytes, BL_ESP_MD5_SIZE, secret->md5);
        return BL_OK;
    }
    return BL_ARGUMENT;
}

/* --- Answers ---------------------------------------------------------------
 */

void bl_arduino_answer_md5(const char *secret, bl_span nonce, bl_span cnonce,
                           char out[33])
{
    uint8_t digest[BL_ESP_MD5_SIZE];
    struct bl_esp_md5 c;

    bl_esp_md5_init(&c);
    bl_esp_md5_update(&c, secret, strlen(secret));
    bl_esp_md5_update(&c, colon, 1);
    bl_esp_md5_update(&c, nonce.p, nonce.n);
    bl_esp_md5_update(&c, colon, 1);
    bl_esp_md5_update(&c, cnonce.p, cnonce.n);
    bl_esp_md5_final(&c, digest);
    bl_arduino_hex(digest, sizeof(digest), out);
}

/* HMAC's two hashes, with the key's block already in them. */
struct hmac {
    struct bl_sha256 inner;
    struct bl_sha256 outer;
};

/* The key is a hash in hex: 64 characters at most, never hashed itself. */
static void hmac_key(struct hmac *h, const char *key)
{
    uint8_t block[BLOCK];
    size_t n = strlen(key);

    memset(block, 0, sizeof(block));
    memcpy(block, key, n < BLOCK ? n : BLOCK);
    for (size_t i = 0; i < BLOCK; i++) {
        block[i] ^= 0x36U;
    }
    bl_sha256_init(&h->inner);
    bl_sha256_update(&h->inner, block, BLOCK);
    for (size_t i = 0; i < BLOCK; i++) {
        block[i] ^= 0x36U ^ 0x5CU;
    }
    bl_sha256_init(&h->outer);
    bl_sha256_update(&h->outer, block, BLOCK);
}

static void hmac_end(const struct hmac *h, struct bl_sha256 *inner,
                     uint8_t out[BL_SHA256_SIZE])
{
    struct bl_sha256 outer = h->outer;

    bl_sha256_final(inner, out);
    bl_sha256_update(&outer, out, BL_SHA256_SIZE);
    bl_sha256_final(&outer, out);
}

/* RFC 8018, one block of output; the salt is nonce:cnonce. */
static void pbkdf2(const char *secret, bl_span nonce, bl_span cnonce,
                   uint8_t out[BL_SHA256_SIZE])
{
    static const uint8_t first[4] = {0, 0, 0, 1};
    uint8_t u[BL_SHA256_SIZE];
    struct bl_sha256 c;
    struct hmac h;

    hmac_key(&h, secret);
    c = h.inner;
    bl_sha256_update(&c, nonce.p, nonce.n);
    bl_sha256_update(&c, colon, 1);
    bl_sha256_update(&c, cnonce.p, cnonce.n);
    bl_sha256_update(&c, first, sizeof(first));
    hmac_end(&h, &c, u);
    memcpy(out, u, BL_SHA256_SIZE);
    for (uint32_t i = 1; i < ROUNDS; i++) {
        c = h.inner;
        bl_sha256_update(&c, u, BL_SHA256_SIZE);
        hmac_end(&h, &c, u);
        for (size_t k = 0; k < BL_SHA256_SIZE; k++) {
            out[k] ^= u[k];
        }
    }
}

void bl_arduino_answer_pbkdf2(const char *secret, bl_span nonce,
                              bl_span cnonce, char out[65])
{
    uint8_t digest[BL_SHA256_SIZE];
    struct bl_sha256 c;
    char key[65];

    pbkdf2(secret, nonce, cnonce, digest);
    bl_arduino_hex(digest, sizeof(digest), key);
    bl_sha256_init(&c);
    bl_sha256_update(&c, key, 64);
    bl_sha256_update(&c, colon, 1);
    bl_sha256_update(&c, nonce.p, nonce.n);
    bl_sha256_update(&c, colon, 1);
    bl_sha256_update(&c, cnonce.p, cnonce.n);
    bl_sha256_final(&c, digest);
    bl_arduino_hex(digest, sizeof(digest), out);
}
