/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: made once, never replaced. */
#define _POSIX_C_SOURCE 200809L
#include "key_file.h"

#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

static int write_synced(int fd, bl_span content)
{
    ssize_t done;

    while (content.n > 0) {
        done = write(fd, content.p, content.n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -1;
        }
        content.p += done;
        content.n -= (size_t)done;
    }
    return fsync(fd);
}

static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    int result;
    int fd;

    if (n >= sizeof folder) {
        return -1;
    }
    memcpy(folder, path, n);
    folder[n] = 0;
    fd = open(n > 0           ? folder
              : slash != NULL ? "/"
                              : ".",
              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    result = fsync(fd);
    (void)close(fd);
    return result;
}

int key_file_create(const char *path, bl_span content, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        if (errno == EEXIST) {
            return error_set(err,
                             "%s: exists already; a key file is never "
                             "replaced",
                             path);
        }
        return error_errno(err, "%s: cannot create", path);
    }
    if (write_synced(fd, content) != 0) {
        (void)error_errno(err, "%s: cannot write", path);
        (void)close(fd);
        (void)unlink(path);
        return -1;
    }
    if (close(fd) != 0 || sync_folder(path) != 0) {
        return error_errno(err, "%s: cannot sync", path);
    }
    return 0;
}

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
    result = n > 0 ? key_file_create(path, bl_span_of(text, (size_t)n), err)
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
