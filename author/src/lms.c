/* SPDX-License-Identifier: Apache-2.0 */
#include "lms.h"

#include "bowline/sha256.h"

#include <string.h>

enum {
    D_PBLC = 0x8080,
    D_MESG = 0x8181,
    D_LEAF = 0x8282,
    D_INTR = 0x8383,
    LOW_LEAVES = 1 << LMS_LOW
};

/* RFC 8554 tables 1 and 2, RFC 9858 for the 192-bit ones. */
static const struct lms_set sets[] = {
    {"hss", 6, 4, 10, 32, 8, 34, 0},
    {"hss-m24-h10", 11, 8, 10, 24, 8, 26, 0},
    {"hss-h5", 5, 4, 5, 32, 8, 34, 0},
    {"hss-h15", 7, 4, 15, 32, 8, 34, 0},
    {NULL, 6, 3, 10, 32, 4, 67, 4},
    {NULL, 10, 8, 5, 24, 8, 26, 0},
};

const struct lms_set *lms_set_find(uint32_t lms_type, uint32_t ots_type)
{
    size_t i;

    for (i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (sets[i].lms_type == lms_type && sets[i].ots_type == ots_type) {
            return &sets[i];
        }
    }
    return NULL;
}

const struct lms_set *lms_set_kind(const char *kind)
{
    size_t i;

    for (i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (sets[i].kind != NULL && strcmp(sets[i].kind, kind) == 0) {
            return &sets[i];
        }
    }
    return NULL;
}

uint32_t lms_leaves(const struct lms_set *set)
{
    return (uint32_t)1 << set->height;
}

size_t lms_nodes_size(const struct lms_set *set)
{
    return (((size_t)1 << (set->height - LMS_LOW + 1)) - 1) * set->n;
}

size_t lms_signature_size(const struct lms_set *set)
{
    return 12 + (size_t)set->n * (1 + set->p + set->height);
}

void lms_put32(uint8_t *out, uint32_t v)
{
    out[0] = (uint8_t)(v >> 24);
    out[1] = (uint8_t)(v >> 16);
    out[2] = (uint8_t)(v >> 8);
    out[3] = (uint8_t)v;
}

uint32_t lms_get32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
           (uint32_t)in[2] << 8 | in[3];
}

/* --- One-time signatures, section 4 -------------------------------------- */

/* The 22 bytes that begin every hash: I, q, and a number that says which. */
static void prefix(uint8_t out[22], const struct lms_tree *tree, uint32_t q,
                   uint32_t what)
{
    memcpy(out, tree->id, LMS_ID);
    lms_put32(out + 16, q);
    out[20] = (uint8_t)(what >> 8);
    out[21] = (uint8_t)what;
}

/* Chain i from its secret start, `steps` steps on: H(I, q, i, j, value). */
static void chain(const struct lms_tree *tree, uint32_t q, uint32_t i,
                  uint32_t steps, uint8_t *out)
{
    uint8_t block[23 + LMS_HASH_MAX];
    uint8_t digest[32];
    uint32_t n = tree->set->n;
    uint32_t j;

    prefix(block, tree, q, i);
    block[22] = 0xFF; /* Appendix A: the secret of chain i */
    memcpy(block + 23, tree->seed, n);
    bl_sha256(block, 23 + n, digest);
    for (j = 0; j < steps; j++) {
        block[22] = (uint8_t)j;
        memcpy(block + 23, digest, n);
        bl_sha256(block, 23 + n, digest);
    }
    memcpy(out, digest, n);
}

static void leaf(const struct lms_tree *tree, uint32_t q, uint8_t *out)
{
    const struct lms_set *set = tree->set;
    uint8_t block[22 + LMS_HASH_MAX];
    uint8_t digest[32];
    struct bl_sha256 hash;
    uint32_t i;

    bl_sha256_init(&hash);
    prefix(block, tree, q, D_PBLC);
    bl_sha256_update(&hash, block, 22);
    for (i = 0; i < set->p; i++) {
        chain(tree, q, i, ((uint32_t)1 << set->w) - 1, digest);
        bl_sha256_update(&hash, digest, set->n);
    }
    bl_sha256_final(&hash, digest);
    prefix(block, tree, lms_leaves(set) + q, D_LEAF);
    memcpy(block + 22, digest, set->n);
    bl_sha256(block, 22 + set->n, digest);
    memcpy(out, digest, set->n);
}

static uint32_t digit(const uint8_t *v, uint32_t i, uint32_t w)
{
    uint32_t bit = i * w;

    return ((uint32_t)v[bit / 8] >> (8 - w - bit % 8)) &
           (((uint32_t)1 << w) - 1);
}

/* Q and its checksum, section 4.4: what is cut into digits. */
static void message_digits(const struct lms_tree *tree, uint32_t q,
                           const uint8_t *c, bl_span message,
                           uint8_t v[LMS_HASH_MAX + 2])
{
    const struct lms_set *set = tree->set;
    struct bl_sha256 hash;
    uint8_t start[22];
    uint8_t digest[32];
    uint32_t sum = 0;
    uint32_t i;

    bl_sha256_init(&hash);
    prefix(start, tree, q, D_MESG);
    bl_sha256_update(&hash, start, sizeof start);
    bl_sha256_update(&hash, c, set->n);
    bl_sha256_update(&hash, message.p, message.n);
    bl_sha256_final(&hash, digest);
    memcpy(v, digest, set->n);
    for (i = 0; i < 8 * set->n / set->w; i++) {
        sum += ((uint32_t)1 << set->w) - 1 - digit(v, i, set->w);
    }
    sum <<= set->shift;
    v[set->n] = (uint8_t)(sum >> 8);
    v[set->n + 1] = (uint8_t)sum;
}

/* --- The tree, section 5 ------------------------------------------------- */

static void join(const struct lms_tree *tree, uint32_t node,
                 const uint8_t *left, const uint8_t *right, uint8_t *out)
{
    uint8_t block[22 + 2 * LMS_HASH_MAX];
    uint8_t digest[32];
    uint32_t n = tree->set->n;

    prefix(block, tree, node, D_INTR);
    memcpy(block + 22, left, n);
    memcpy(block + 22 + n, right, n);
    bl_sha256(block, 22 + 2 * n, digest);
    memcpy(out, digest, n);
}

/* The small tree under a kept node: its nodes 1 .. 63 at (k - 1) * n. */
static void grow_low(const struct lms_tree *tree, uint32_t first_leaf,
                     uint8_t *low)
{
    const struct lms_set *set = tree->set;
    uint32_t top = (lms_leaves(set) + first_leaf) >> LMS_LOW;
    size_t n = set->n;
    uint32_t level;
    uint32_t i;
    uint32_t k;

    for (i = 0; i < LOW_LEAVES; i++) {
        leaf(tree, first_leaf + i, low + (LOW_LEAVES + i - 1) * n);
    }
    for (level = LMS_LOW; level-- > 0;) {
        for (i = 0; i < (uint32_t)1 << level; i++) {
            k = ((uint32_t)1 << level) + i;
            join(tree, (top << level) + i, low + ((size_t)2 * k - 1) * n,
                 low + (size_t)2 * k * n, low + (k - 1) * n);
        }
    }
}

void lms_grow(struct lms_tree *tree, author_progress progress, void *ctx)
{
    const struct lms_set *set = tree->set;
    uint8_t low[(2 * LOW_LEAVES - 1) * LMS_HASH_MAX];
    uint32_t tops = lms_leaves(set) >> LMS_LOW;
    size_t n = set->n;
    uint32_t i;

    for (i = 0; i < tops; i++) {
        grow_low(tree, i << LMS_LOW, low);
        memcpy(tree->nodes + (tops + i - 1) * n, low, n);
        if (progress != NULL) {
            progress(ctx, i + 1, tops);
        }
    }
    for (i = tops; i-- > 1;) {
        join(tree, i, tree->nodes + ((size_t)2 * i - 1) * n,
             tree->nodes + (size_t)2 * i * n, tree->nodes + (i - 1) * n);
    }
}

/* The path from leaf q to the root: siblings, lowest first. */
static void write_path(const struct lms_tree *tree, uint32_t q, uint8_t *out)
{
    const struct lms_set *set = tree->set;
    uint8_t low[(2 * LOW_LEAVES - 1) * LMS_HASH_MAX];
    uint32_t node = LOW_LEAVES + (q & (LOW_LEAVES - 1));
    size_t n = set->n;

    grow_low(tree, q & ~(uint32_t)(LOW_LEAVES - 1), low);
    for (; node > 1; node >>= 1) {
        memcpy(out, low + ((node ^ 1) - 1) * n, n);
        out += n;
    }
    node = (lms_leaves(set) + q) >> LMS_LOW;
    for (; node > 1; node >>= 1) {
        memcpy(out, tree->nodes + ((node ^ 1) - 1) * n, n);
        out += n;
    }
}

void lms_sign(const struct lms_tree *tree, uint32_t q, const uint8_t *c,
              bl_span message, uint8_t *out)
{
    const struct lms_set *set = tree->set;
    uint8_t v[LMS_HASH_MAX + 2];
    uint32_t i;

    lms_put32(out, q);
    lms_put32(out + 4, set->ots_type);
    memcpy(out + 8, c, set->n);
    out += 8 + set->n;
    message_digits(tree, q, c, message, v);
    for (i = 0; i < set->p; i++) {
        chain(tree, q, i, digit(v, i, set->w), out);
        out += set->n;
    }
    lms_put32(out, set->lms_type);
    write_path(tree, q, out + 4);
}
