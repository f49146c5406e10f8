/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a Secure Boot V2 block: fields in, fields out. */
#include "esp_block.h"

#include "bowline/sha256.h"

#include <stdio.h>
#include <string.h>

static const struct esp_layout layout[AUTHOR_ESP_SCHEMES] = {
    [AUTHOR_ESP_RSA3072] = {"RSA-3072", 2, 0, 0, 32, 36, 776, 812, 384, 0,
                            NULL, "SHA256"},
    [AUTHOR_ESP_P192] = {"ECDSA P-192", 3, 0, 1, 32, 36, 65, 101, 48, 24,
                         "prime192v1", "SHA256"},
    [AUTHOR_ESP_P256] = {"ECDSA P-256", 3, 0, 2, 32, 36, 65, 101, 64, 32,
                         "prime256v1", "SHA256"},
    [AUTHOR_ESP_P384] = {"ECDSA P-384", 3, 1, 3, 48, 52, 97, 149, 96, 48,
                         "secp384r1", "SHA384"}};

const struct esp_layout *esp_layout(enum author_esp_scheme scheme)
{
    return &layout[scheme];
}

const char *author_esp_scheme_name(enum author_esp_scheme scheme)
{
    return layout[scheme].name;
}

size_t author_esp_digest_size(enum author_esp_scheme scheme)
{
    return layout[scheme].digest;
}

size_t author_esp_signature_size(enum author_esp_scheme scheme)
{
    return layout[scheme].signature;
}

void esp_reverse(uint8_t *out, const uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        out[i] = p[n - 1 - i];
    }
}

/* As in zlib, bit by bit: a block is short. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xFFFFFFFF;
    unsigned bit;

    while (n-- > 0) {
        crc ^= *p++;
        for (bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1)));
        }
    }
    return ~crc;
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static void put_u32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;

    while (n-- > 0) {
        any |= *p++;
    }
    return any == 0;
}

/* --- Reading ------------------------------------------------------------- */

static bool is_of(const uint8_t *p, const struct esp_layout *l)
{
    return p[1] == l->version && p[2] == l->hash && p[3] == 0 &&
           (l->curve == 0 || p[l->key_at] == l->curve);
}

static bool find_scheme(const uint8_t *p, enum author_esp_scheme *scheme)
{
    unsigned i;

    for (i = 0; i < AUTHOR_ESP_SCHEMES; i++) {
        if (is_of(p, &layout[i])) {
            *scheme = (enum author_esp_scheme)i;
            return true;
        }
    }
    return false;
}

/* P-192 fills less than the fields of P-256 that it has; RSA fills all. */
static bool rest_is_zero(const uint8_t *p, const struct esp_layout *l)
{
    size_t point = l->key_at + 1 + 2 * l->coordinate;
    size_t both = l->signature_at + 2 * l->coordinate;

    if (!all_zero(p + ESP_CRC_AT + 4, AUTHOR_ESP_BLOCK - ESP_CRC_AT - 4)) {
        return false;
    }
    return l->curve == 0 || (all_zero(p + point, l->key_at + l->key - point) &&
                             all_zero(p + both, ESP_CRC_AT - both));
}

static void read_signature(const uint8_t *p, const struct esp_layout *l,
                           uint8_t *out)
{
    p += l->signature_at;
    if (l->curve == 0) {
        esp_reverse(out, p, l->signature);
    } else {
        esp_reverse(out, p, l->coordinate);
        esp_reverse(out + l->coordinate, p + l->coordinate, l->coordinate);
    }
}

static bool problem(struct author_esp_block *out, const char *text)
{
    (void)snprintf(out->problem, sizeof out->problem, "%s", text);
    return false;
}

bool esp_block_read(const uint8_t *p, struct author_esp_block *out,
                    struct esp_fields *fields)
{
    const struct esp_layout *l;

    memset(out, 0, sizeof *out);
    if (p[0] != ESP_MAGIC) {
        return problem(out, "it does not begin with E7");
    }
    if (!find_scheme(p, &out->public.scheme)) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "its version %u, hash %u or curve is none that is "
                       "known: neither RSA-3072 nor ECDSA P-192, P-256, P-384",
                       p[1], p[2]);
        return false;
    }
    l = &layout[out->public.scheme];
    out->has_key = true;
    out->public.n = l->key;
    memcpy(out->public.bytes, p + l->key_at, l->key);
    bl_sha256(out->public.bytes, l->key, out->public.digest);
    memcpy(fields->digest, p + ESP_DIGEST_AT, l->digest);
    read_signature(p, l, fields->signature);
    if (u32(p + ESP_CRC_AT) != crc32(p, ESP_CRC_AT)) {
        return problem(out, "its CRC does not fit: the block is damaged");
    }
    if (!rest_is_zero(p, l)) {
        return problem(out, "bytes that no signer writes are not zero");
    }
    return true;
}

/* --- Writing ------------------------------------------------------------- */

void esp_block_write(const struct author_esp_public *public,
                     const struct esp_fields *fields, uint8_t *p)
{
    const struct esp_layout *l = &layout[public->scheme];
    uint8_t *signature = p + l->signature_at;

    memset(p, 0, AUTHOR_ESP_BLOCK);
    p[0] = ESP_MAGIC;
    p[1] = l->version;
    p[2] = l->hash;
    memcpy(p + ESP_DIGEST_AT, fields->digest, l->digest);
    memcpy(p + l->key_at, public->bytes, public->n);
    if (l->curve == 0) {
        esp_reverse(signature, fields->signature, l->signature);
    } else {
        esp_reverse(signature, fields->signature, l->coordinate);
        esp_reverse(signature + l->coordinate,
                    fields->signature + l->coordinate, l->coordinate);
    }
    put_u32(p + ESP_CRC_AT, crc32(p, ESP_CRC_AT));
}
