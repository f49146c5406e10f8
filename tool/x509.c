/* SPDX-License-Identifier: Apache-2.0 */
#include "x509.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS_A_DAY = 86400, SAN_LIMIT = 4096 };

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

static int openssl_error(struct error *err, const char *what)
{
    unsigned long code = ERR_get_error();
    char text[160];

    ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return error_set(err, "%s: %s", what, code == 0 ? "failed" : text);
}

/* A random positive number of 127 bits: RFC 5280 section 4.1.2.2. */
static int set_serial(X509 *x)
{
    uint8_t bytes[16];
    BIGNUM *number;
    int good = 0;

    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return 0;
    }
    bytes[0] = (uint8_t)((bytes[0] & 0x7F) | 0x40);
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    if (number != NULL) {
        good = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
    }
    BN_free(number);
    return good;
}

static int add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX ctx;
    int good;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = extension != NULL && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* Valid from an hour ago: clocks differ. */
static X509 *blank(const char *common_name, EVP_PKEY *key, long days)
{
    X509 *x = X509_new();
    X509_NAME *name;

    if (x == NULL) {
        return NULL;
    }
    name = X509_get_subject_name(x);
    if (X509_set_version(x, 2) != 1 || set_serial(x) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(x), -3600) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, NULL) == NULL ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)common_name, -1, -1,
                                   0) != 1 ||
        X509_set_pubkey(x, key) != 1) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static int make_authority(struct authority *a, const char *common_name,
                          long days)
{
    a->key = EVP_EC_gen("P-256");
    if (a->key == NULL) {
        return 0;
    }
    a->certificate = blank(common_name, a->key, days);
    return a->certificate != NULL &&
           X509_set_issuer_name(a->certificate,
                                X509_get_subject_name(a->certificate)) == 1 &&
           add_extension(a->certificate, a->certificate, NID_basic_constraints,
                         "critical,CA:TRUE,pathlen:0") == 1 &&
           add_extension(a->certificate, a->certificate, NID_key_usage,
                         "critical,keyCertSign,cRLSign") == 1 &&
           add_extension(a->certificate, a->certificate,
                         NID_subject_key_identifier, "hash") == 1 &&
           X509_sign(a->certificate, a->key, EVP_sha256()) > 0;
}

struct authority *authority_new(const char *common_name, long days,
                                struct error *err)
{
    struct authority *a = calloc(1, sizeof *a);

    if (a == NULL || make_authority(a, common_name, days) != 1) {
        (void)openssl_error(err, "making a certificate authority");
        authority_free(a);
        return NULL;
    }
    return a;
}

void authority_free(struct authority *a)
{
    if (a != NULL) {
        X509_free(a->certificate);
        EVP_PKEY_free(a->key);
        free(a);
    }
}

static int pem_certificate(X509 *x, struct buffer *out, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;
    int result = -1;

    if (bio != NULL && PEM_write_bio_X509(bio, x) == 1) {
        n = BIO_get_mem_data(bio, &text);
        result = buffer_append(out, text, (size_t)n, err);
    } else {
        (void)openssl_error(err, "writing a certificate");
    }
    BIO_free(bio);
    return result;
}

static int pem_key(const EVP_PKEY *key, struct buffer *out, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text;
    long n;
    int result = -1;

    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0,
                                                     NULL, NULL) == 1) {
        n = BIO_get_mem_data(bio, &text);
        result = buffer_append(out, text, (size_t)n, err);
    } else {
        (void)openssl_error(err, "writing a key");
    }
    BIO_free(bio);
    return result;
}

int authority_certificate(const struct authority *a, struct buffer *out,
                          struct error *err)
{
    return pem_certificate(a->certificate, out, err);
}

int authority_key(const struct authority *a, struct buffer *out,
                  struct error *err)
{
    return pem_key(a->key, out, err);
}

static bool is_address(const char *name)
{
    uint8_t bytes[16];

    return inet_pton(AF_INET, name, bytes) == 1 ||
           inet_pton(AF_INET6, name, bytes) == 1;
}

/* "DNS:localhost,IP:127.0.0.1"; a name with anything but the characters of
 * names would say more than it seems. */
static int subject_names(const char *const *names, int n, struct buffer *out,
                         struct error *err)
{
    int i;

    for (i = 0; i < n; i++) {
        bool address = is_address(names[i]);

        if (!address &&
            (names[i][0] == '\0' ||
             names[i][strspn(names[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
                                       "KLMNOPQRSTUVWXYZ0123456789.-*_")] !=
                 '\0')) {
            return error_set(err,
                             "\"%s\" is neither a DNS name nor an "
                             "address",
                             names[i]);
        }
        if (buffer_printf(out, err, "%s%s:%s", i == 0 ? "" : ",",
                          address ? "IP" : "DNS", names[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

static X509 *make_leaf(const struct authority *a, EVP_PKEY *key,
                       const char *common_name, const char *names, long days)
{
    X509 *x = blank(common_name, key, days);

    if (x == NULL) {
        return NULL;
    }
    if (X509_set_issuer_name(x, X509_get_subject_name(a->certificate)) == 1 &&
        add_extension(x, a->certificate, NID_basic_constraints,
                      "critical,CA:FALSE") == 1 &&
        add_extension(x, a->certificate, NID_key_usage,
                      "critical,digitalSignature") == 1 &&
        add_extension(x, a->certificate, NID_ext_key_usage, "serverAuth") ==
            1 &&
        add_extension(x, a->certificate, NID_subject_key_identifier, "hash") ==
            1 &&
        add_extension(x, a->certificate, NID_authority_key_identifier,
                      "keyid:always") == 1 &&
        add_extension(x, a->certificate, NID_subject_alt_name, names) == 1 &&
        X509_sign(x, a->key, EVP_sha256()) > 0) {
        return x;
    }
    X509_free(x);
    return NULL;
}

int authority_issue(const struct authority *a, const char *const *names, int n,
                    long days, struct buffer *certificate, struct buffer *key,
                    struct error *err)
{
    struct buffer list = BUFFER(SAN_LIMIT);
    EVP_PKEY *pair = NULL;
    X509 *x = NULL;
    int result = -1;

    if (subject_names(names, n, &list, err) != 0) {
        goto out;
    }
    pair = EVP_EC_gen("P-256");
    if (pair != NULL) {
        /* A common name holds 64 characters at most; it is not looked at. */
        x = make_leaf(a, pair, strlen(names[0]) <= 64 ? names[0] : "bowlined",
                      (const char *)list.p, days);
    }
    if (x == NULL) {
        (void)openssl_error(err, "making the server's certificate");
        goto out;
    }
    result = pem_certificate(x, certificate, err) != 0 ||
                     pem_key(pair, key, err) != 0
                 ? -1
                 : 0;
out:
    X509_free(x);
    EVP_PKEY_free(pair);
    buffer_free(&list);
    return result;
}
