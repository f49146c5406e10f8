/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: made once, never replaced. */
#include "host/file.h"
#include "key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static int write_pem(const char *path, EVP_PKEY *pkey, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long n = 0;
    int result;

    if (bio == NULL) {
        return error_set(err, "out of memory");
    }
    if (PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) ==
        1) {
        n = BIO_get_mem_data(bio, &text);
    }
    result = n > 0 ? file_create(path, bl_span_of(text, (size_t)n), 0600, err)
                   : error_set(err, "OpenSSL could not write the key");
    BIO_free(bio);
    return result;
}

int author_key_create_watched(const char *path, const char *kind,
                              author_progress progress, void *ctx,
                              struct error *err)
{
    EVP_PKEY *pkey = NULL;
    int result;

    if (hss_kind(kind) != NULL) {
        return hss_create(path, hss_kind(kind), progress, ctx, err);
    }
    if (strcmp(kind, "esp256") == 0) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    } else if (strcmp(kind, "ed25519") == 0) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        return error_set(err,
                         "\"%s\" is no kind of key; there are esp256, "
                         "ed25519, hss, hss-m24-h10, hss-h5, hss-h15",
                         kind);
    }
    if (pkey == NULL) {
        ERR_clear_error();
        return error_set(err, "OpenSSL could not make a key");
    }
    result = write_pem(path, pkey, err);
    EVP_PKEY_free(pkey);
    return result;
}

int author_key_create(const char *path, const char *kind, struct error *err)
{
    return author_key_create_watched(path, kind, NULL, NULL, err);
}

int author_key_write_public(const struct author_key *key, struct buffer *out,
                            struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n = 0;
    int good;
    int result;

    if (bio == NULL) {
        return error_set(err, "out of memory");
    }
    good = key->public.alg == BL_ALG_HSS_LMS
               ? PEM_write_bio(bio, HSS_PEM_PUBLIC, "", key->public.x.p,
                               (long)key->public.x.n)
               : PEM_write_bio_PUBKEY(bio, key->pkey);
    if (good > 0) {
        n = BIO_get_mem_data(bio, &text);
    }
    result = n > 0 ? buffer_append(out, text, (size_t)n, err)
                   : error_set(err, "OpenSSL could not write the key");
    BIO_free(bio);
    return result;
}
