/* SPDX-License-Identifier: Apache-2.0 */
/* LMS trees, RFC 8554: key generation (Appendix A) and signing with a given
 * index. Keeps no state: whoever calls keeps an index from being used twice.
 */
#ifndef AUTHOR_LMS_H
#define AUTHOR_LMS_H

#include "author/author.h"

enum {
    LMS_ID = 16,
    LMS_HASH_MAX = 32,
    LMS_LOW = 5, /* the lowest levels are computed anew for each signature */
    LMS_SIGNATURE_MAX = 8 + 4 + 32 + 32 * 67 + 4 + 32 * 15
};

struct lms_set {
    const char *kind; /* of key files; NULL: only for checking vectors */
    uint32_t lms_type;
    uint32_t ots_type;
    uint32_t height;
    uint32_t n;     /* bytes of a hash */
    uint32_t w;     /* bits of a digit */
    uint32_t p;     /* chains */
    uint32_t shift; /* of the checksum */
};

struct lms_tree {
    const struct lms_set *set;
    uint8_t id[LMS_ID];
    uint8_t seed[LMS_HASH_MAX];
    /* Nodes 1 .. 2^(height - LMS_LOW + 1) - 1, node k at (k - 1) * n. */
    uint8_t *nodes;
};

/* NULL when the pair of types is not known. */
const struct lms_set *lms_set_find(uint32_t lms_type, uint32_t ots_type);
const struct lms_set *lms_set_kind(const char *kind);

uint32_t lms_leaves(const struct lms_set *set);
size_t lms_nodes_size(const struct lms_set *set);
size_t lms_signature_size(const struct lms_set *set);

/* Computes all nodes; `tree->nodes` has lms_nodes_size bytes. */
void lms_grow(struct lms_tree *tree, author_progress progress, void *ctx);
/* The LMS signature with index `q` and randomizer `c` (n bytes). */
void lms_sign(const struct lms_tree *tree, uint32_t q, const uint8_t *c,
              bl_span message, uint8_t *out);

void lms_put32(uint8_t *out, uint32_t v);
uint32_t lms_get32(const uint8_t *in);

#endif
