/* SPDX-License-Identifier: Apache-2.0 */
/* UUID version 5, RFC 9562 section 5.5. */
#include "author/author.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* An id that could not be computed must not go out as zeros. */
static void uuid5(const uint8_t space[16], const char *name, uint8_t out[16])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, space, 16) != 1 ||
        EVP_DigestUpdate(ctx, name, strlen(name)) != 1 ||
        EVP_DigestFinal_ex(ctx, digest, NULL) != 1) {
        abort();
    }
    EVP_MD_CTX_free(ctx);
    memcpy(out, digest, 16);
    out[6] = (uint8_t)((out[6] & 0x0F) | 0x50);
    out[8] = (uint8_t)((out[8] & 0x3F) | 0x80);
}

void author_vendor_id(const char *domain, uint8_t out[16])
{
    static const uint8_t dns[16] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad,
                                    0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
                                    0x4f, 0xd4, 0x30, 0xc8};

    uuid5(dns, domain, out);
}

void author_class_id(const uint8_t vendor_id[16], const char *product,
                     uint8_t out[16])
{
    uuid5(vendor_id, product, out);
}
