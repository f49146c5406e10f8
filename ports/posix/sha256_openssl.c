/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bowline/sha256.h by OpenSSL, which knows the processor's SHA instructions.
 *
 * EVP would be the newer interface, but its context is a heap object: it can
 * neither live in the caller's struct nor be forked by copying. The low-level
 * functions run the same assembly on a plain struct; moving 112 bytes in and
 * out costs less than two blocks.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include "bowline/sha256.h"

#include <openssl/sha.h>
#include <string.h>

static void load(SHA256_CTX *o, const struct bl_sha256 *c)
{
    uint64_t bits = c->bytes << 3;

    memcpy(o->h, c->h, sizeof c->h);
    memcpy(o->data, c->block, sizeof c->block);
    o->Nl = (SHA_LONG)bits;
    o->Nh = (SHA_LONG)(bits >> 32);
    o->num = (unsigned)(c->bytes % 64);
    o->md_len = SHA256_DIGEST_LENGTH;
}

void bl_sha256_init(struct bl_sha256 *c)
{
    SHA256_CTX o;

    SHA256_Init(&o);
    memcpy(c->h, o.h, sizeof c->h);
    c->bytes = 0;
    memset(c->block, 0, sizeof c->block);
}

void bl_sha256_update(struct bl_sha256 *c, const void *data, size_t n)
{
    SHA256_CTX o;

    if (n == 0) {
        return;
    }
    load(&o, c);
    SHA256_Update(&o, data, n);
    memcpy(c->h, o.h, sizeof c->h);
    memcpy(c->block, o.data, sizeof c->block);
    c->bytes += n;
}

void bl_sha256_final(struct bl_sha256 *c, uint8_t digest[BL_SHA256_SIZE])
{
    SHA256_CTX o;

    load(&o, c);
    SHA256_Final(digest, &o);
}

void bl_sha256(const void *data, size_t n, uint8_t digest[BL_SHA256_SIZE])
{
    SHA256_CTX o;

    SHA256_Init(&o);
    SHA256_Update(&o, data, n);
    SHA256_Final(digest, &o);
}
