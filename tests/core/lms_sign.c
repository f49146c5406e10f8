/* SPDX-License-Identifier: Apache-2.0 */
#include "lms_sign.h"

#include "bowline/sha256.h"

enum { H = 5, LEAVES = 32 };

/* RFC 8554 table 1, RFC 9858 table 2. */
static const struct set {
    unsigned n, w, p, ls;
} sets[9] = {{0, 0, 0, 0},    {32, 1, 265, 7}, {32, 2, 133, 6},
             {32, 4, 67, 4},  {32, 8, 34, 0},  {24, 1, 200, 8},
             {24, 2, 101, 6}, {24, 4, 51, 4},  {24, 8, 26, 0}};

static uint8_t *put(uint8_t *p, uint32_t v, unsigned bytes)
{
    while (bytes-- > 0) {
        *p++ = (uint8_t)(v >> 8 * bytes);
    }
    return p;
}

static uint8_t *copy(uint8_t *p, const uint8_t *from, size_t n)
{
    memcpy(p, from, n);
    return p + n;
}

static const uint8_t tree_id[16] = "tree for testing";

/* H(I || u32(r) || u16(d) || rest) */
static void hash(uint32_t r, uint32_t d, const uint8_t *rest, size_t n,
                 uint8_t out[32])
{
    static uint8_t buffer[22 + 265 * 32];
    uint8_t *p = copy(buffer, tree_id, 16);

    p = put(p, r, 4);
    p = put(p, d, 2);
    p = copy(p, rest, n);
    bl_sha256(buffer, (size_t)(p - buffer), out);
}

/* Chain i of leaf q, walked to `steps`. */
static void chain(const struct set *s, uint32_t q, uint32_t i, uint32_t steps,
                  uint8_t out[32])
{
    uint8_t rest[33];
    uint32_t j;

    rest[0] = 0xFF; /* appendix A, from a seed of zeros */
    memset(rest + 1, 0, 32);
    hash(q, i, rest, 1 + s->n, out);
    for (j = 0; j < steps; j++) {
        rest[0] = (uint8_t)j;
        memcpy(rest + 1, out, s->n);
        hash(q, i, rest, 1 + s->n, out);
    }
}

static void leaf(const struct set *s, uint32_t q, uint8_t out[32])
{
    static uint8_t ends[265 * 32];
    uint32_t i;

    for (i = 0; i < s->p; i++) {
        uint8_t end[32];

        chain(s, q, i, (1u << s->w) - 1, end);
        memcpy(ends + i * s->n, end, s->n);
    }
    hash(q, 0x8080, ends, s->p * s->n, out);
    hash(LEAVES + q, 0x8282, out, s->n, out);
}

static uint32_t coef(const uint8_t *v, uint32_t i, unsigned w)
{
    uint32_t value = 0, bit;

    for (bit = i * w; bit < (i + 1) * w; bit++) {
        value = value << 1 | ((uint32_t)v[bit / 8] >> (7 - bit % 8) & 1);
    }
    return value;
}

static uint8_t *ots_sign(const struct set *s, uint32_t q, bl_span message,
                         uint8_t *out)
{
    uint8_t rest[32 + 256], v[34], y[32];
    uint32_t i, sum = 0;

    memset(rest, 0xC5, s->n); /* C */
    memcpy(rest + s->n, message.p, message.n);
    out = copy(out, rest, s->n);
    hash(q, 0x8181, rest, s->n + message.n, v);
    for (i = 0; i < 8 * s->n / s->w; i++) {
        sum += (1u << s->w) - 1 - coef(v, i, s->w);
    }
    put(v + s->n, sum << s->ls, 2);
    for (i = 0; i < s->p; i++) {
        chain(s, q, i, coef(v, i, s->w), y);
        out = copy(out, y, s->n);
    }
    return out;
}

void lms_sign(uint32_t ots, uint32_t q, bl_span message, uint8_t key[60],
              size_t *key_size, uint8_t signature[LMS_SIGN_MAX],
              size_t *signature_size)
{
    const struct set *s = &sets[ots];
    uint32_t lms = s->n == 32 ? 5 : 10;
    uint8_t tree[2 * LEAVES][32], pair[64], *p;
    uint32_t i;

    for (i = 0; i < LEAVES; i++) {
        leaf(s, i, tree[LEAVES + i]);
    }
    for (i = LEAVES - 1; i > 0; i--) {
        memcpy(pair, tree[2 * i], s->n);
        memcpy(pair + s->n, tree[2 * i + 1], s->n);
        hash(i, 0x8383, pair, 2 * s->n, tree[i]);
    }
    p = put(put(put(key, 1, 4), lms, 4), ots, 4);
    p = copy(copy(p, tree_id, 16), tree[1], s->n);
    *key_size = (size_t)(p - key);
    p = put(put(put(signature, 0, 4), q, 4), ots, 4);
    p = put(ots_sign(s, q, message, p), lms, 4);
    for (i = LEAVES + q; i > 1; i /= 2) {
        p = copy(p, tree[i ^ 1], s->n);
    }
    *signature_size = (size_t)(p - signature);
}
