/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHOR_KEY_H
#define AUTHOR_KEY_H

#include "author/author.h"
#include "hss_key.h"

#include <openssl/evp.h>

enum { KEY_FILE_LIMIT = 1024 * 1024 };

struct author_key {
    struct bl_key public; /* spans into x and y */
    uint8_t kid[BL_KID_SIZE];
    uint8_t x[HSS_PUBLIC_MAX];
    uint8_t y[32];
    EVP_PKEY *pkey;  /* ESP256, Ed25519 */
    struct hss *hss; /* HSS-LMS with its private half */
    bool can_sign;
};

/* Does `signature` over `message` verify under `key`? */
bool key_verifies(const struct author_key *key, bl_span message,
                  bl_span signature);
/* An open key as a person knows it: "esp256 ca9e35f23b2b525f". */
const char *key_label(const struct author_key *key, char out[32]);

/* What OpenSSL reads; `*private` says which half it was. A file with a pass
 * phrase is refused. */
EVP_PKEY *key_read_pem(bl_span text, bool public, bool *private,
                       struct error *err);

/* Fills in `public` and the kid of an HSS key. */
int key_set_hss_public(struct author_key *key, bl_span public_key,
                       struct error *err);

#endif
