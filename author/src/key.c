/* SPDX-License-Identifier: Apache-2.0 */
/* Key objects: opening, the public half, signing. */
#include "key.h"

#include "bowline/hss.h"
#include "host/file.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without this OpenSSL would ask for a pass phrase on the terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

void author_key_free(struct author_key *key)
{
    if (key == NULL) {
        return;
    }
    EVP_PKEY_free(key->pkey);
    hss_free(key->hss);
    free(key);
}

const struct bl_key *author_key_public(const struct author_key *key)
{
    return &key->public;
}

const uint8_t *author_key_kid(const struct author_key *key)
{
    return key->kid;
}

uint64_t author_key_left(const struct author_key *key)
{
    return key->hss == NULL ? UINT64_MAX : hss_left(key->hss);
}

const char *author_key_kind(int32_t alg)
{
    switch (alg) {
    case BL_ALG_ESP256:
        return "esp256";
    case BL_ALG_ED25519:
        return "ed25519";
    case BL_ALG_HSS_LMS:
        return "hss";
    default:
        return "unknown";
    }
}

const char *key_label(const struct author_key *key, char out[32])
{
    char kid[2 * BL_KID_SIZE + 1];

    hex_encode(key->kid, BL_KID_SIZE, kid);
    (void)snprintf(out, 32, "%s %s", author_key_kind(key->public.alg), kid);
    return out;
}

/* --- The public half ----------------------------------------------------- */

static int set_kid(struct author_key *key, struct error *err)
{
    bl_status status = bl_key_id(&key->public, key->kid);

    return status == BL_OK ? 0 : error_status(err, status, "key id");
}

int key_set_hss_public(struct author_key *key, bl_span public_key,
                       struct error *err)
{
    if (public_key.n > sizeof key->x) {
        return error_set(err, "an HSS public key of %zu bytes: too long",
                         public_key.n);
    }
    memcpy(key->x, public_key.p, public_key.n);
    key->public.alg = BL_ALG_HSS_LMS;
    key->public.x = bl_span_of(key->x, public_key.n);
    key->public.y = bl_span_of(NULL, 0);
    return set_kid(key, err);
}

static int coordinate(const EVP_PKEY *pkey, const char *name, uint8_t *out)
{
    BIGNUM *number = NULL;
    int n = -1;

    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1) {
        n = BN_bn2binpad(number, out, 32);
    }
    BN_free(number);
    return n == 32 ? 0 : -1;
}

static int set_p256(struct author_key *key, struct error *err)
{
    char group[64] = "";

    if (EVP_PKEY_get_group_name(key->pkey, group, sizeof group, NULL) != 1 ||
        strcmp(group, "prime256v1") != 0) {
        return error_set(err, "an EC key on curve \"%s\"; only P-256 is used",
                         group);
    }
    if (coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->x) != 0 ||
        coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->y) != 0) {
        return error_set(err, "the public point could not be read");
    }
    key->public.alg = BL_ALG_ESP256;
    key->public.x = bl_span_of(key->x, 32);
    key->public.y = bl_span_of(key->y, 32);
    return set_kid(key, err);
}

static int set_public(struct author_key *key, struct error *err)
{
    size_t n = 32;

    if (EVP_PKEY_is_a(key->pkey, "EC")) {
        return set_p256(key, err);
    }
    if (!EVP_PKEY_is_a(key->pkey, "ED25519") ||
        EVP_PKEY_get_raw_public_key(key->pkey, key->x, &n) != 1 || n != 32) {
        return error_set(err, "neither a P-256 nor an Ed25519 key");
    }
    key->public.alg = BL_ALG_ED25519;
    key->public.x = bl_span_of(key->x, 32);
    key->public.y = bl_span_of(NULL, 0);
    return set_kid(key, err);
}

/* --- Opening ------------------------------------------------------------- */

static int read_hss_public(struct author_key *key, bl_span text,
                           struct error *err)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    unsigned char *data = NULL;
    char *name = NULL;
    char *header = NULL;
    long n = 0;
    int result = -1;

    if (bio != NULL && PEM_read_bio(bio, &name, &header, &data, &n) == 1 &&
        strcmp(name, HSS_PEM_PUBLIC) == 0 && n > 0) {
        result = key_set_hss_public(key, bl_span_of(data, (size_t)n), err);
    } else {
        (void)error_set(err, "not a PEM file that can be read");
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    return result;
}

EVP_PKEY *key_read_pem(bl_span text, bool public, bool *private,
                       struct error *err)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    EVP_PKEY *pkey = NULL;

    if (bio != NULL) {
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
    }
    *private = pkey != NULL;
    if (bio != NULL && pkey == NULL && public) {
        (void)BIO_reset(bio);
        pkey = PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, NULL);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (pkey == NULL) {
        (void)error_set(err, "no %s key in PEM form without a pass phrase",
                        public ? "public or private" : "private");
    }
    return pkey;
}

static int read_openssl(struct author_key *key, bl_span text, bool public,
                        struct error *err)
{
    key->pkey = key_read_pem(text, public, &key->can_sign, err);
    return key->pkey == NULL ? -1 : set_public(key, err);
}

static int read_hss_private(struct author_key *key, const char *path,
                            bl_span text, struct error *err)
{
    key->hss = hss_open(path, text, err);
    if (key->hss == NULL) {
        return -1;
    }
    key->can_sign = true;
    return key_set_hss_public(key, hss_public(key->hss), err);
}

static int read_key(struct author_key *key, const char *path, bl_span text,
                    bool public, struct error *err)
{
    const char *p = (const char *)text.p;

    if (text.n == 0) {
        return error_set(err, "the file is empty");
    }
    if (strstr(p, "-----BEGIN " HSS_PEM_PRIVATE "-----") != NULL) {
        return read_hss_private(key, path, text, err);
    }
    if (strstr(p, "-----BEGIN " HSS_PEM_PUBLIC "-----") != NULL) {
        return public ? read_hss_public(key, text, err)
                      : error_set(err, "a public key; signing needs the "
                                       "private one");
    }
    return read_openssl(key, text, public, err);
}

static struct author_key *open_file(const char *path, bool public,
                                    struct error *err)
{
    struct buffer text = BUFFER(KEY_FILE_LIMIT);
    struct author_key *key = calloc(1, sizeof *key);
    int result;

    if (key == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    result = file_read(path, &text, err);
    if (result == 0) {
        result = read_key(key, path, buffer_span(&text), public, err);
        if (result != 0) {
            (void)error_prefix(err, "%s", path);
        }
    }
    if (result == 0 && !public) {
        result = file_check_private(path, err);
    }
    buffer_wipe(&text);
    if (result != 0) {
        author_key_free(key);
        return NULL;
    }
    return key;
}

struct author_key *author_key_open(const char *path, struct error *err)
{
    return open_file(path, false, err);
}

struct author_key *author_key_open_public(const char *path, struct error *err)
{
    struct author_key *key = open_file(path, true, err);

    if (key != NULL) {
        hss_free(key->hss);
        key->hss = NULL;
        key->can_sign = false;
    }
    return key;
}

/* --- Signing ------------------------------------------------------------- */

/* OpenSSL's DER into r || s, as COSE has it. */
static int raw_ecdsa(const uint8_t *der, size_t n, uint8_t out[64])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    int result = -1;

    if (sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32) {
        result = 0;
    }
    ECDSA_SIG_free(sig);
    return result;
}

static int sign_openssl(const struct author_key *key, bl_span message,
                        uint8_t out[64])
{
    bool p256 = key->public.alg == BL_ALG_ESP256;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t made[128];
    size_t n = sizeof made;
    int result = -1;

    if (ctx != NULL &&
        EVP_DigestSignInit(ctx, NULL, p256 ? EVP_sha256() : NULL, NULL,
                           key->pkey) == 1 &&
        EVP_DigestSign(ctx, made, &n, message.p, message.n) == 1) {
        if (p256) {
            result = raw_ecdsa(made, n, out);
        } else if (n == 64) {
            memcpy(out, made, 64);
            result = 0;
        }
    }
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return result;
}

int author_key_sign(struct author_key *key, bl_span message,
                    struct buffer *out, struct error *err)
{
    uint8_t signature[64];
    char label[32];

    if (!key->can_sign) {
        return error_set(err, "key %s: a public key cannot sign",
                         key_label(key, label));
    }
    if (key->hss != NULL) {
        if (hss_sign(key->hss, message, out, err) != 0) {
            return error_prefix(err, "key %s", key_label(key, label));
        }
        return 0;
    }
    if (sign_openssl(key, message, signature) != 0) {
        return error_set(err, "key %s: OpenSSL could not sign",
                         key_label(key, label));
    }
    return buffer_append(out, signature, sizeof signature, err);
}

/* --- Checking ------------------------------------------------------------ */

static bool verify_p256(const struct author_key *key, bl_span message,
                        bl_span signature, EVP_MD_CTX *ctx)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature.p, 32, NULL);
    BIGNUM *s = BN_bin2bn(signature.p + 32, 32, NULL);
    unsigned char *der = NULL;
    bool good = false;
    int n;

    if (sig == NULL || r == NULL || s == NULL ||
        ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        n = i2d_ECDSA_SIG(sig, &der);
        good =
            n > 0 &&
            EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) ==
                1 &&
            EVP_DigestVerify(ctx, der, (size_t)n, message.p, message.n) == 1;
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return good;
}

bool key_verifies(const struct author_key *key, bl_span message,
                  bl_span signature)
{
    EVP_MD_CTX *ctx;
    bool good = false;

    if (key->public.alg == BL_ALG_HSS_LMS) {
        return bl_hss_verify(key->public.x, &message, 1, signature) == BL_GOOD;
    }
    ctx = EVP_MD_CTX_new();
    if (ctx != NULL && signature.n == 64) {
        good = key->public.alg == BL_ALG_ESP256
                   ? verify_p256(key, message, signature, ctx)
                   : EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) ==
                             1 &&
                         EVP_DigestVerify(ctx, signature.p, 64, message.p,
                                          message.n) == 1;
    }
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}
