/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 8554. Names follow it: I identifies a tree, q a leaf, w the bits of a
 * Winternitz digit, p the number of chains, h the height of a tree. Every
 * chain's end goes straight into the running hash for K, so nothing grows
 * with p.
 */
#include "bowline/hss.h"

#include "bowline/crypto.h"
#include "bowline/sha256.h"

enum { I_SIZE = 16, NODE_MAX = 32 };
enum { D_PBLC = 0x8080, D_MESG = 0x8181, D_LEAF = 0x8282, D_INTR = 0x8383 };

/* An LMS public key and what its two types mean. */
struct lms {
    const uint8_t *types; /* the eight bytes as they stand in the key */
    const uint8_t *id;    /* I */
    const uint8_t *root;  /* T[1] */
    uint32_t n;           /* bytes of a hash; m of LMS is the same */
    uint32_t h;
    uint32_t w;
    uint32_t p;
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static bool take(bl_span *from, size_t n, const uint8_t **out)
{
    if (from->n < n) {
        return false;
    }
    *out = from->p;
    from->p += n;
    from->n -= n;
    return true;
}

/*
 * LMS types 5 to 9 are SHA-256 with heights 5 to 25, 10 to 14 the same with
 * SHA-256/192; LM-OTS types 1 to 4 and 5 to 8 likewise with w 1, 2, 4, 8. Both
 * halves must use one hash (SP 800-208 section 4).
 */
static bool parameters(uint32_t lms_type, uint32_t ots_type, struct lms *k)
{
    static const uint8_t checksum_digits[4] = {9, 5, 3, 2};
    uint32_t tree = lms_type - 5;
    uint32_t ots = ots_type - 1;

    if (tree >= 10 || ots >= 8 || tree / 5 != ots / 4) {
        return false;
    }
    k->n = tree < 5 ? 32 : 24;
    k->h = tree % 5 * 5 + 5;
    k->w = 1u << ots % 4;
    k->p = 8 * k->n / k->w + checksum_digits[ots % 4];
    if (ots == 4) { /* 192 one-bit digits: their sum fits 8 bits, not 9 */
        k->p--;
    }
    return true;
}

/* How far the checksum is shifted so that its digits begin a byte. */
static uint32_t checksum_shift(const struct lms *k)
{
    return 16 - (k->p - 8 * k->n / k->w) * k->w;
}

/* Bytes of one LMS signature: leaf, type, salt, chains, type, path. */
static uint32_t signature_size(const struct lms *k)
{
    return 12 + (1 + k->p + k->h) * k->n;
}

static bool lms_key(bl_span *from, struct lms *k)
{
    return take(from, 8, &k->types) && take(from, I_SIZE, &k->id) &&
           parameters(get32(k->types), get32(k->types + 4), k) &&
           take(from, k->n, &k->root);
}

bool bl_hss_parameters(uint32_t lms_type, uint32_t ots_type,
                       struct bl_hss_parameters *out)
{
    struct lms k;

    if (!parameters(lms_type, ots_type, &k)) {
        return false;
    }
    out->n = k.n;
    out->h = k.h;
    out->w = k.w;
    out->p = k.p;
    out->ls = checksum_shift(&k);
    out->key_size = 4 + 8 + I_SIZE + k.n;
    out->signature_size = 4 + signature_size(&k);
    return true;
}

/* Begins H(I || u32(r) || u16(d) ...). */
static void begin(struct bl_sha256 *sha, const struct lms *k, uint32_t r,
                  uint32_t d)
{
    uint8_t head[I_SIZE + 6];

    memcpy(head, k->id, I_SIZE);
    put32(head + I_SIZE, r);
    head[I_SIZE + 4] = (uint8_t)(d >> 8);
    head[I_SIZE + 5] = (uint8_t)d;
    bl_sha256_init(sha);
    bl_sha256_update(sha, head, sizeof head);
}

static uint32_t digit(const uint8_t *v, uint32_t i, uint32_t w)
{
    uint32_t at = i * w;

    return (uint32_t)v[at / 8] >> (8 - w - at % 8) & ((1u << w) - 1);
}

/* Q, the hash of the message, and its checksum behind it. */
static void message_digits(const struct lms *k, uint32_t q,
                           const uint8_t *salt, const bl_span *parts,
                           size_t n_parts, uint8_t v[NODE_MAX + 2])
{
    struct bl_sha256 sha;
    uint32_t u = 8 * k->n / k->w;
    uint32_t sum = 0, i;
    size_t part;

    begin(&sha, k, q, D_MESG);
    bl_sha256_update(&sha, salt, k->n);
    for (part = 0; part < n_parts; part++) {
        bl_sha256_update(&sha, parts[part].p, parts[part].n);
    }
    bl_sha256_final(&sha, v);
    for (i = 0; i < u; i++) {
        sum += ((1u << k->w) - 1) - digit(v, i, k->w);
    }
    sum <<= checksum_shift(k);
    v[k->n] = (uint8_t)(sum >> 8);
    v[k->n + 1] = (uint8_t)sum;
}

/* Section 4.6: walks every chain to its end; leaves K. */
static void ots_key(const struct lms *k, uint32_t q,
                    const uint8_t v[NODE_MAX + 2], const uint8_t *y,
                    uint8_t key[BL_SHA256_SIZE])
{
    struct bl_sha256 sha;
    uint8_t step[I_SIZE + 7 + BL_SHA256_SIZE];
    uint8_t *value = step + I_SIZE + 7;
    uint32_t i, j;

    memcpy(step, k->id, I_SIZE);
    put32(step + I_SIZE, q);
    begin(&sha, k, q, D_PBLC);
    for (i = 0; i < k->p; i++, y += k->n) {
        step[I_SIZE + 4] = (uint8_t)(i >> 8);
        step[I_SIZE + 5] = (uint8_t)i;
        memcpy(value, y, k->n);
        for (j = digit(v, i, k->w); j < (1u << k->w) - 1; j++) {
            step[I_SIZE + 6] = (uint8_t)j;
            bl_sha256(step, I_SIZE + 7 + k->n, value);
        }
        bl_sha256_update(&sha, value, k->n);
    }
    bl_sha256_final(&sha, key);
}

/* Section 5.4.2: from leaf q with key `t` up to the root, in `t`. */
static void climb(const struct lms *k, uint32_t q, const uint8_t *path,
                  uint8_t t[BL_SHA256_SIZE])
{
    struct bl_sha256 sha;
    uint32_t node = ((uint32_t)1 << k->h) + q;

    begin(&sha, k, node, D_LEAF);
    bl_sha256_update(&sha, t, k->n);
    bl_sha256_final(&sha, t);
    for (; node > 1; node /= 2, path += k->n) {
        begin(&sha, k, node / 2, D_INTR);
        bl_sha256_update(&sha, node % 2 ? path : t, k->n);
        bl_sha256_update(&sha, node % 2 ? t : path, k->n);
        bl_sha256_final(&sha, t);
    }
}

/* Takes one LMS signature from `from` and checks it. */
static bl_verdict lms_verify(const struct lms *k, const bl_span *parts,
                             size_t n_parts, bl_span *from)
{
    const uint8_t *q4, *ots, *salt, *y, *type, *path;
    uint8_t v[NODE_MAX + 2], t[BL_SHA256_SIZE];
    uint32_t q;

    if (!take(from, 4, &q4) || !take(from, 4, &ots) ||
        !take(from, k->n, &salt) || !take(from, k->p * k->n, &y) ||
        !take(from, 4, &type) || !take(from, k->h * k->n, &path)) {
        return BL_BAD;
    }
    q = get32(q4);
    if (memcmp(type, k->types, 4) != 0 || memcmp(ots, k->types + 4, 4) != 0 ||
        q >= (uint32_t)1 << k->h) {
        return BL_BAD;
    }
    message_digits(k, q, salt, parts, n_parts, v);
    ots_key(k, q, v, y, t);
    climb(k, q, path, t);
    return bl_equal(t, k->root, k->n);
}

/* One level: a tree's signature of the key of the tree below, which takes its
 * place in `k`. */
static bl_verdict descend(struct lms *k, bl_span *from)
{
    size_t n = signature_size(k);
    bl_span signature = *from, rest = *from, child;
    struct lms next;

    if (!take(&rest, n, &signature.p)) {
        return BL_BAD;
    }
    signature.n = n;
    child = rest;
    if (!lms_key(&rest, &next)) {
        return BL_BAD;
    }
    child.n -= rest.n;
    if (lms_verify(k, &child, 1, &signature) != BL_GOOD) {
        return BL_BAD;
    }
    *k = next;
    *from = rest;
    return BL_GOOD;
}

bl_verdict bl_hss_verify(bl_span key, const bl_span *parts, size_t n_parts,
                         bl_span signature)
{
    const uint8_t *levels, *children;
    struct lms k;
    uint32_t l;

    if (!take(&key, 4, &levels) || !lms_key(&key, &k) || key.n != 0 ||
        !take(&signature, 4, &children)) {
        return BL_BAD;
    }
    l = get32(levels);
    if (l < 1 || l > BL_HSS_LEVELS || get32(children) != l - 1) {
        return BL_BAD;
    }
    for (; l > 1; l--) {
        if (descend(&k, &signature) != BL_GOOD) {
            return BL_BAD;
        }
    }
    if (lms_verify(&k, parts, n_parts, &signature) != BL_GOOD ||
        signature.n != 0) {
        return BL_BAD;
    }
    return BL_GOOD;
}
