/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of Secure Boot V2: from files to the bytes of a block, and back. */
#include "bowline/sha256.h"
#include "esp_block.h"
#include "host/file.h"
#include "key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

enum { RSA_BITS = 3072, RSA_BYTES = RSA_BITS / 8, COORDINATE_MAX = 48 };
/* In an RSA key's field: n, e, r, M'. */
enum { E_AT = 384, R_AT = 388, M_AT = 772 };

/* --- RSA: what the chip would have to compute -----------------------------
 */

/* r = 2^6144 mod n and M' = -1 / n mod 2^32, for Montgomery's arithmetic. */
static bool rsa_helpers(const BIGNUM *n, uint8_t r[RSA_BYTES], uint8_t m[4])
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *word = BN_new();
    BIGNUM *x = BN_new();
    bool good = ctx != NULL && word != NULL && x != NULL &&
                BN_set_bit(x, 2 * RSA_BITS) == 1 && BN_mod(x, x, n, ctx) == 1;

    good = good && BN_bn2lebinpad(x, r, RSA_BYTES) == RSA_BYTES &&
           BN_set_bit(word, 32) == 1 && BN_mod_inverse(x, n, word, ctx) == x &&
           BN_sub(x, word, x) == 1 && BN_bn2lebinpad(x, m, 4) == 4;
    BN_free(x);
    BN_free(word);
    BN_CTX_free(ctx);
    return good;
}

static bool rsa_fits(const BIGNUM *n, const BIGNUM *e)
{
    return BN_num_bits(n) == RSA_BITS && BN_is_odd(n) && BN_is_odd(e) &&
           !BN_is_one(e) && BN_num_bits(e) <= 32;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = NULL;

    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *rsa_from(const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;

    if (build != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        pkey = from_params("RSA", build);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static EVP_PKEY *rsa_of(const uint8_t *field)
{
    BIGNUM *n = BN_lebin2bn(field, RSA_BYTES, NULL);
    BIGNUM *e = BN_lebin2bn(field + E_AT, R_AT - E_AT, NULL);
    uint8_t helper[AUTHOR_ESP_PUBLIC - R_AT];
    EVP_PKEY *pkey = NULL;

    if (n != NULL && e != NULL && rsa_fits(n, e) &&
        rsa_helpers(n, helper, helper + (M_AT - R_AT)) &&
        memcmp(helper, field + R_AT, sizeof helper) == 0) {
        pkey = rsa_from(n, e);
    }
    BN_free(n);
    BN_free(e);
    return pkey;
}

/* --- Curves ---------------------------------------------------------------
 */

static EVP_PKEY *ec_of(const struct author_esp_public *public)
{
    const struct esp_layout *l = esp_layout(public->scheme);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    uint8_t point[1 + 2 * COORDINATE_MAX];
    EVP_PKEY *pkey = NULL;
    size_t n = l->coordinate;

    point[0] = 4;
    esp_reverse(point + 1, public->bytes + 1, n);
    esp_reverse(point + 1 + n, public->bytes + 1 + n, n);
    if (build != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                        l->group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * n) == 1) {
        pkey = from_params("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

EVP_PKEY *esp_key_of(const struct author_esp_public *public)
{
    EVP_PKEY *pkey = public->scheme == AUTHOR_ESP_RSA3072
                         ? rsa_of(public->bytes)
                         : ec_of(public);

    ERR_clear_error();
    return pkey;
}

/* --- Key files ------------------------------------------------------------
 */

static BIGNUM *number_of(const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *number = NULL;

    return EVP_PKEY_get_bn_param(pkey, name, &number) == 1 ? number : NULL;
}

static int rsa_public(const EVP_PKEY *pkey, struct author_esp_public *out,
                      struct error *err)
{
    BIGNUM *n = number_of(pkey, OSSL_PKEY_PARAM_RSA_N);
    BIGNUM *e = number_of(pkey, OSSL_PKEY_PARAM_RSA_E);
    int result = 0;

    out->scheme = AUTHOR_ESP_RSA3072;
    if (n == NULL || e == NULL || !rsa_fits(n, e) ||
        BN_bn2lebinpad(n, out->bytes, RSA_BYTES) != RSA_BYTES ||
        BN_bn2lebinpad(e, out->bytes + E_AT, R_AT - E_AT) != R_AT - E_AT ||
        !rsa_helpers(n, out->bytes + R_AT, out->bytes + M_AT)) {
        result = error_set(err,
                           "an RSA key of %d bits; Secure Boot V2 has keys of "
                           "%d bits (openssl genrsa -out FILE 3072)",
                           EVP_PKEY_get_bits(pkey), RSA_BITS);
    }
    BN_free(n);
    BN_free(e);
    return result;
}

static bool put_coordinate(const EVP_PKEY *pkey, const char *name, size_t n,
                           uint8_t *out)
{
    BIGNUM *number = number_of(pkey, name);
    bool good =
        number != NULL && BN_bn2lebinpad(number, out, (int)n) == (int)n;

    BN_free(number);
    return good;
}

static int ec_public(const EVP_PKEY *pkey, struct author_esp_public *out,
                     struct error *err)
{
    char group[64] = "";
    unsigned i = AUTHOR_ESP_P192;

    (void)EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL);
    while (i < AUTHOR_ESP_SCHEMES &&
           strcmp(group, esp_layout((enum author_esp_scheme)i)->group) != 0) {
        i++;
    }
    if (i == AUTHOR_ESP_SCHEMES) {
        return error_set(
            err,
            "an EC key on curve \"%s\"; Secure Boot V2 has P-256, "
            "P-192 and P-384",
            group);
    }
    out->scheme = (enum author_esp_scheme)i;
    out->bytes[0] = esp_layout(out->scheme)->curve;
    i = (unsigned)esp_layout(out->scheme)->coordinate;
    if (!put_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, i, out->bytes + 1) ||
        !put_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, i,
                        out->bytes + 1 + i)) {
        return error_set(err, "the public point could not be read");
    }
    return 0;
}

static int public_of(const EVP_PKEY *pkey, struct author_esp_public *out,
                     struct error *err)
{
    int result;

    memset(out, 0, sizeof *out);
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        result = rsa_public(pkey, out, err);
    } else if (EVP_PKEY_is_a(pkey, "EC")) {
        result = ec_public(pkey, out, err);
    } else {
        result = error_set(err, "neither an RSA nor an EC key: Secure Boot V2 "
                                "has RSA-3072 and ECDSA P-256");
    }
    if (result == 0) {
        out->n = esp_layout(out->scheme)->key;
        bl_sha256(out->bytes, out->n, out->digest);
    }
    return result;
}

static EVP_PKEY *open_file(const char *path, bool public,
                           struct author_esp_public *out, struct error *err)
{
    struct buffer text = BUFFER(KEY_FILE_LIMIT);
    EVP_PKEY *pkey = NULL;
    bool private = false;
    int result = file_read(path, &text, err);

    if (result == 0) {
        pkey = key_read_pem(buffer_span(&text), public, &private, err);
        result = pkey == NULL || public_of(pkey, out, err) != 0
                     ? error_prefix(err, "%s", path)
                     : 0;
    }
    if (result == 0 && !public) {
        result = file_check_private(path, err);
    }
    buffer_wipe(&text);
    if (result != 0) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    ERR_clear_error();
    return pkey;
}

int author_esp_public_open(const char *path, struct author_esp_public *out,
                           struct error *err)
{
    EVP_PKEY *pkey = open_file(path, true, out, err);

    EVP_PKEY_free(pkey);
    return pkey == NULL ? -1 : 0;
}

/* --- Signing and checking --------------------------------------------------
 */

bool esp_digest_of(enum author_esp_scheme scheme, bl_span message,
                   uint8_t out[ESP_DIGEST_MAX])
{
    const struct esp_layout *l = esp_layout(scheme);
    size_t n = 0;

    return EVP_Q_digest(NULL, l->md_name, NULL, message.p, message.n, out,
                        &n) == 1 &&
           n == l->digest;
}

/* Both sides of RSA-PSS: SHA-256, MGF1 with SHA-256, a salt of 32 bytes. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) > 0;
}

/* OpenSSL's DER into r || s. */
static bool raw_of(const uint8_t *der, size_t n, size_t each, uint8_t *out)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool good =
        sig != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)each) == (int)each &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + each, (int)each) ==
            (int)each;

    ECDSA_SIG_free(sig);
    return good;
}

/* ... and back; 0 when that cannot be. */
static size_t der_of(const uint8_t *raw, size_t each, uint8_t *out,
                     size_t size)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, (int)each, NULL);
    BIGNUM *s = BN_bin2bn(raw + each, (int)each, NULL);
    int n = 0;

    if (sig == NULL || r == NULL || s == NULL ||
        ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else if (i2d_ECDSA_SIG(sig, NULL) <= (int)size) {
        n = i2d_ECDSA_SIG(sig, &out);
    }
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

bool esp_key_verifies(const struct author_esp_public *public, bl_span digest,
                      const uint8_t *signature)
{
    bool rsa = public->scheme == AUTHOR_ESP_RSA3072;
    EVP_PKEY *pkey = esp_key_of(public);
    EVP_PKEY_CTX *ctx =
        pkey == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    uint8_t der[128];
    size_t n = rsa ? AUTHOR_ESP_SIGNATURE
                   : der_of(signature, esp_layout(public->scheme)->coordinate,
                            der, sizeof der);
    bool good = ctx != NULL && n > 0 && EVP_PKEY_verify_init(ctx) == 1 &&
                (!rsa || set_pss(ctx)) &&
                EVP_PKEY_verify(ctx, rsa ? signature : der, n, digest.p,
                                digest.n) == 1;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return good;
}

static int sign_by_file(void *key, enum author_esp_scheme scheme,
                        bl_span digest, uint8_t out[AUTHOR_ESP_SIGNATURE],
                        struct error *err)
{
    bool rsa = scheme == AUTHOR_ESP_RSA3072;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    uint8_t made[AUTHOR_ESP_SIGNATURE];
    size_t n = sizeof made;
    bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                (!rsa || set_pss(ctx)) &&
                EVP_PKEY_sign(ctx, made, &n, digest.p, digest.n) == 1;

    if (good && rsa) {
        memcpy(out, made, sizeof made);
        good = n == sizeof made;
    } else if (good) {
        good = raw_of(made, n, esp_layout(scheme)->coordinate, out);
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return good ? 0 : error_set(err, "OpenSSL could not sign");
}

static void close_file(void *key)
{
    EVP_PKEY_free(key);
}

int author_esp_signer_open(const char *path, struct author_esp_signer *out,
                           struct error *err)
{
    memset(out, 0, sizeof *out);
    out->ctx = open_file(path, false, &out->public, err);
    if (out->ctx == NULL) {
        return -1;
    }
    out->name = path;
    out->sign = sign_by_file;
    out->close = close_file;
    return 0;
}

void author_esp_signer_close(struct author_esp_signer *signer)
{
    if (signer->close != NULL) {
        signer->close(signer->ctx);
    }
    memset(signer, 0, sizeof *signer);
}
