/* SPDX-License-Identifier: Apache-2.0 */
/* The signature sector behind an image: read, made, continued. */
#include "esp_block.h"
#include "host/file.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = AUTHOR_ESP_SECTOR, BLOCK = AUTHOR_ESP_BLOCK };

static uint64_t sector_of(uint64_t length)
{
    return (length + SECTOR - 1) / SECTOR * SECTOR;
}

static bool all_ff(const uint8_t *p, uint64_t n)
{
    uint8_t all = 0xFF;

    while (n-- > 0) {
        all &= *p++;
    }
    return all == 0xFF;
}

/* --- Reading ------------------------------------------------------------- */

static void judge(struct author_esp_block *block,
                  const struct esp_fields *fields, bl_span message)
{
    size_t n = author_esp_digest_size(block->public.scheme);
    uint8_t digest[ESP_DIGEST_MAX];
    const char *text = NULL;

    if (!esp_digest_of(block->public.scheme, message, digest)) {
        text = "the image could not be hashed";
    } else if (memcmp(digest, fields->digest, n) != 0) {
        text = "it was made for other bytes: the image is not what was signed";
    } else if (!esp_key_verifies(&block->public, bl_span_of(digest, n),
                                 fields->signature)) {
        text = "its signature does not verify with the key that it carries";
    }
    block->good = text == NULL;
    (void)snprintf(block->problem, sizeof block->problem, "%s",
                   text == NULL ? "" : text);
}

static void judge_rest(bl_span file, struct author_esp_sector *out)
{
    uint64_t end = out->at + SECTOR;
    uint64_t used = out->at + (uint64_t)out->n * BLOCK;

    if (!all_ff(file.p + used, end - used)) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "bytes behind the last block are not FF");
    } else if (file.n > end && file.p[end] == ESP_MAGIC) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "a second signature sector follows: it was signed "
                       "twice, and chips read only the first one");
    } else if (file.n > end && !all_ff(file.p + end, file.n - end)) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "%llu bytes follow that nothing signs",
                       (unsigned long long)(file.n - end));
    }
}

void author_esp_read(bl_span file, uint64_t length,
                     struct author_esp_sector *out)
{
    struct esp_fields fields;

    memset(out, 0, sizeof *out);
    out->at = sector_of(length);
    if (length == 0 || length > file.n || file.n <= out->at ||
        file.p[out->at] != ESP_MAGIC) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "it is not signed: no signature block at 0x%llx",
                       (unsigned long long)out->at);
        return;
    }
    out->there = true;
    if (file.n - out->at < SECTOR) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "the file ends inside the signature sector");
        return;
    }
    while (out->n < AUTHOR_ESP_BLOCKS) {
        const uint8_t *p = file.p + out->at + (size_t)out->n * BLOCK;
        struct author_esp_block *block = &out->block[out->n];

        if (p[0] != ESP_MAGIC) {
            break;
        }
        if (esp_block_read(p, block, &fields)) {
            judge(block, &fields, bl_span_of(file.p, (size_t)out->at));
        }
        out->n++;
    }
    judge_rest(file, out);
}

bool author_esp_is_good(const struct author_esp_sector *sector)
{
    uint32_t i;

    for (i = 0; i < sector->n; i++) {
        if (!sector->block[i].good) {
            return false;
        }
    }
    return sector->n > 0 && sector->problem[0] == '\0';
}

/* --- Signing ------------------------------------------------------------- */

static int refuse_signed(const struct author_esp_sector *before,
                         struct error *err)
{
    char key[2 * 8 + 1] = "unknown";

    if (before->n > 0 && before->block[0].has_key) {
        hex_encode(before->block[0].public.digest, 8, key);
    }
    return error_set(
        err,
        "it is signed already (by key %s...): signing it once more "
        "would put a sector where no chip looks. --append adds "
        "a signature beside those that are there",
        key);
}

/* What is there must be whole before something is put beside it. */
static int check_before(const struct author_esp_sector *before,
                        struct error *err)
{
    uint32_t i;

    for (i = 0; i < before->n; i++) {
        if (!before->block[i].good) {
            return error_set(err,
                             "block %u does not hold: %s; sign the unsigned "
                             "image anew",
                             i + 1, before->block[i].problem);
        }
    }
    if (before->problem[0] != '\0') {
        return error_set(err, "%s; sign the unsigned image anew",
                         before->problem);
    }
    return 0;
}

/* What will stand before the sector, and may the new blocks follow? */
static int prepare(bl_span file, uint64_t length, bool append, uint32_t n,
                   struct author_esp_sector *before, struct error *err)
{
    if (n == 0 || n > AUTHOR_ESP_BLOCKS) {
        return error_set(err, "%u keys; an image carries one to three", n);
    }
    if (length == 0 || length > file.n) {
        return error_set(err, "it is no whole image");
    }
    author_esp_read(file, length, before);
    if (!before->there) {
        return all_ff(file.p + length, file.n - length)
                   ? 0
                   : error_set(err,
                               "%llu bytes follow the image (from 0x%llx), "
                               "and a chip expects the signature there; sign "
                               "the image alone, before anything is added",
                               (unsigned long long)(file.n - length),
                               (unsigned long long)length);
    }
    if (!append) {
        return refuse_signed(before, err);
    }
    if (before->n + n > AUTHOR_ESP_BLOCKS) {
        return error_set(err,
                         "it has %u signatures; an image carries three at "
                         "most",
                         before->n);
    }
    return check_before(before, err);
}

/* One scheme, and no key twice. */
static int check_keys(const struct author_esp_sector *before,
                      const struct author_esp_signer *signer, uint32_t n,
                      struct error *err)
{
    const struct author_esp_public *all[2 * AUTHOR_ESP_BLOCKS];
    uint32_t i;
    uint32_t k;

    for (i = 0; i < before->n; i++) {
        all[i] = &before->block[i].public;
    }
    for (i = 0; i < n; i++) {
        const struct author_esp_public *own = &signer[i].public;

        for (k = 0; k < before->n + i; k++) {
            if (all[k]->scheme != own->scheme) {
                return error_set(
                    err,
                    "%s is %s, beside a signature of %s; a chip checks "
                    "one scheme only",
                    signer[i].name, author_esp_scheme_name(own->scheme),
                    author_esp_scheme_name(all[k]->scheme));
            }
            if (memcmp(all[k]->digest, own->digest, 32) == 0) {
                return error_set(err, "%s has signed it already",
                                 signer[i].name);
            }
        }
        all[before->n + i] = own;
    }
    return 0;
}

/* A block of the digest of what is before the sector. */
static int make_block(const struct author_esp_signer *signer, bl_span message,
                      uint8_t *p, struct error *err)
{
    enum author_esp_scheme scheme = signer->public.scheme;
    struct esp_fields fields = {{0}, {0}};
    bl_span digest = bl_span_of(fields.digest, author_esp_digest_size(scheme));

    if (!esp_digest_of(scheme, message, fields.digest)) {
        return error_set(err, "the image could not be hashed");
    }
    if (signer->sign(signer->ctx, scheme, digest, fields.signature, err) !=
        0) {
        return error_prefix(err, "%s", signer->name);
    }
    if (!esp_key_verifies(&signer->public, digest, fields.signature)) {
        return error_set(err,
                         "%s: what it signed does not verify with its own "
                         "public key",
                         signer->name);
    }
    esp_block_write(&signer->public, &fields, p);
    return 0;
}

static int append_ff(struct buffer *out, uint64_t n, struct error *err)
{
    if (buffer_reserve(out, (size_t)n, err) != 0) {
        return -1;
    }
    memset(out->p + out->n, 0xFF, (size_t)n);
    out->n += (size_t)n;
    return 0;
}

int author_esp_sign(bl_span file, uint64_t length,
                    const struct author_esp_signer *signer, uint32_t n,
                    bool append, struct buffer *out, struct error *err)
{
    struct author_esp_sector before = {0};
    uint8_t block[BLOCK];
    uint64_t keep;
    uint32_t i;

    if (prepare(file, length, append, n, &before, err) != 0 ||
        check_keys(&before, signer, n, err) != 0) {
        return -1;
    }
    keep = before.there ? before.at + (uint64_t)before.n * BLOCK : length;
    if (buffer_append(out, file.p, (size_t)keep, err) != 0 ||
        (!before.there && append_ff(out, before.at - length, err) != 0)) {
        return -1;
    }
    for (i = 0; i < n; i++) {
        if (make_block(&signer[i], bl_span_of(out->p, (size_t)before.at),
                       block, err) != 0 ||
            buffer_append(out, block, sizeof block, err) != 0) {
            return -1;
        }
    }
    return append_ff(out, before.at + SECTOR - out->n, err);
}
