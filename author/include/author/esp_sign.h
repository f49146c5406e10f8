/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secure Boot V2 of Espressif's chips: the sector of 4,096 bytes behind an
 * image, with up to three blocks, each a public key and its signature over
 * all bytes before the sector. Nothing here walks an image: the caller says
 * how long it is (tool/image.h), and the sector follows at the next multiple
 * of 4,096. Host code, as author.h.
 */
#ifndef AUTHOR_ESP_SIGN_H
#define AUTHOR_ESP_SIGN_H

#include "host/buffer.h"
#include "host/error.h"

#include <stdbool.h>

enum {
    AUTHOR_ESP_SECTOR = 4096,
    AUTHOR_ESP_BLOCK = 1216,
    AUTHOR_ESP_BLOCKS = 3,
    AUTHOR_ESP_PUBLIC = 776,   /* RSA: n, e, r, M' */
    AUTHOR_ESP_SIGNATURE = 384 /* the longest: RSA */
};

enum author_esp_scheme {
    AUTHOR_ESP_RSA3072, /* PSS, SHA-256, salt of 32 */
    AUTHOR_ESP_P192,
    AUTHOR_ESP_P256,
    AUTHOR_ESP_P384, /* with SHA-384 */
    AUTHOR_ESP_SCHEMES
};

/* "RSA-3072", "ECDSA P-256" */
const char *author_esp_scheme_name(enum author_esp_scheme scheme);
/* Of the image's digest, and of its raw signature. */
size_t author_esp_digest_size(enum author_esp_scheme scheme);
size_t author_esp_signature_size(enum author_esp_scheme scheme);

/* A public key as a block carries it. */
struct author_esp_public {
    enum author_esp_scheme scheme;
    uint8_t bytes[AUTHOR_ESP_PUBLIC]; /* what the digest is over */
    size_t n;
    uint8_t digest[32]; /* the key's name, and what eFuses hold */
};

/*
 * Who signs. One from a key file is made by author_esp_signer_open; another
 * kind (a token, a service) fills in the same members. `sign` gets a digest
 * of author_esp_digest_size and gives the raw signature, big-endian: RSA-PSS,
 * or r || s. What it gives is verified before it is used.
 */
struct author_esp_signer {
    const char *name; /* for errors: the file's path; the caller keeps it */
    struct author_esp_public public;
    int (*sign)(void *ctx, enum author_esp_scheme scheme, bl_span digest,
                uint8_t out[AUTHOR_ESP_SIGNATURE], struct error *err);
    void (*close)(void *ctx);
    void *ctx;
};

/* PEM, PKCS#8 or the older forms, without a pass phrase, of mode 0600. */
int author_esp_signer_open(const char *path, struct author_esp_signer *out,
                           struct error *err);
void author_esp_signer_close(struct author_esp_signer *signer);
/* Of a public or a private key file. */
int author_esp_public_open(const char *path, struct author_esp_public *out,
                           struct error *err);

/* --- Reading ------------------------------------------------------------- */

struct author_esp_block {
    bool has_key; /* it could be read so far; `public` is set */
    struct author_esp_public public;
    bool good;         /* its form, its CRC, its digest and its signature */
    char problem[120]; /* when it is not: one sentence */
};

struct author_esp_sector {
    uint64_t at;       /* where it is, or would be */
    bool there;        /* the first block begins there */
    uint32_t n;        /* blocks, from the first on without a gap */
    char problem[160]; /* of the sector itself: "" when there is none */
    struct author_esp_block block[AUTHOR_ESP_BLOCKS];
};

/*
 * What stands behind the first `length` bytes of the file. Never fails: what
 * is wrong is said in `problem`, of the sector or a block. Every byte of the
 * file is looked at: those before the sector by the digests, all others one
 * by one.
 */
void author_esp_read(bl_span file, uint64_t length,
                     struct author_esp_sector *out);
/* There, without a problem, and each block is good. */
bool author_esp_is_good(const struct author_esp_sector *sector);

/* --- Signing ------------------------------------------------------------- */

/*
 * The file, filled up with FF, and a sector with one block for each signer in
 * order. An image that is signed is refused unless `append`: then the new
 * blocks follow those that are there, which must be good, and no byte before
 * them changes. All blocks of an image are of one scheme, and of different
 * keys.
 */
int author_esp_sign(bl_span file, uint64_t length,
                    const struct author_esp_signer *signer, uint32_t n,
                    bool append, struct buffer *out, struct error *err);

#endif
