/* SPDX-License-Identifier: Apache-2.0 */
/* Who has signed: roles of a root document against signatures. */
#include "bowline/root.h"

static const char root_aad[] = "Bowline-Root-1";

/* Signature `i` of one of the two messages; the other is NULL. */
struct claim {
    const struct bl_cose_sign1 *block;
    const struct bl_cose_sign *message;
    uint32_t i;
    bl_span aad;
    bl_span payload;
};

static int32_t claim_alg(const struct claim *c)
{
    return c->block != NULL ? c->block[c->i].alg
                            : c->message->signature[c->i].alg;
}

static bl_span claim_kid(const struct claim *c)
{
    return c->block != NULL ? c->block[c->i].kid
                            : c->message->signature[c->i].kid;
}

static bl_status claim_verify(const struct claim *c, const struct bl_key *key,
                              const struct bl_crypto *crypto,
                              bl_verdict *verdict)
{
    if (c->block != NULL) {
        return bl_cose_sign1_verify(&c->block[c->i], c->aad, c->payload, key,
                                    crypto, verdict);
    }
    return bl_cose_sign_verify(c->message, c->i, c->aad, key, crypto, verdict);
}

/*
 * The role's keys that may have made the signature: those of its algorithm,
 * or the only one with its kid. A kid is a hint that nobody signs, so one
 * that no key has is as good as none.
 */
static uint8_t candidates(const struct bl_root *root,
                          const struct bl_root_role *role,
                          const struct claim *c)
{
    bl_span kid = claim_kid(c);
    uint8_t mask = 0;
    uint32_t i;

    for (i = 0; i < root->n_keys && i < BL_ROOT_KEYS; i++) {
        const struct bl_root_key *k = &root->key[i];

        if ((role->keys >> i & 1) == 0 || k->key.alg != claim_alg(c)) {
            continue;
        }
        if (bl_span_equal(kid, bl_span_of(k->kid, BL_KID_SIZE))) {
            return (uint8_t)(1u << i);
        }
        mask = (uint8_t)(mask | 1u << i);
    }
    return mask;
}

/* Adds to `signers` the key of the role that made this signature. */
static bl_status find_signer(const struct bl_root *root,
                             const struct bl_root_role *role,
                             const struct claim *c,
                             const struct bl_crypto *crypto, uint8_t *signers)
{
    uint8_t mask = candidates(root, role, c);
    int32_t alg = claim_alg(c);
    uint32_t i;

    for (i = 0; i < BL_ROOT_KEYS; i++) {
        bl_verdict verdict = BL_BAD;
        bl_status s;

        if ((mask >> i & 1) == 0) {
            continue;
        }
        s = claim_verify(c, &root->key[i].key, crypto, &verdict);
        if (s != BL_OK) {
            return s;
        }
        if (verdict == BL_GOOD) {
            *signers = (uint8_t)(*signers | 1u << i);
            return BL_OK;
        }
    }
    return mask != 0 || alg == BL_ALG_ESP256 || alg == BL_ALG_ED25519 ||
                   alg == BL_ALG_HSS_LMS
               ? BL_SIGNATURE
               : BL_ALGORITHM;
}

/* Are these keys enough for the role? Distinct ones by nature of a mask. */
static bl_status satisfied(const struct bl_root *root,
                           const struct bl_root_role *role, uint8_t signers)
{
    uint32_t n = 0, i, kind;

    for (i = 0; i < BL_ROOT_KEYS; i++) {
        n += signers >> i & 1;
    }
    if (role->threshold == 0 || n < role->threshold) {
        return BL_THRESHOLD;
    }
    for (kind = 0; kind < role->n_kinds; kind++) {
        bool found = false;

        for (i = 0; i < BL_ROOT_KEYS; i++) {
            found = found || ((signers >> i & 1) != 0 &&
                              root->key[i].key.alg == role->kind[kind]);
        }
        if (!found) {
            return BL_THRESHOLD;
        }
    }
    return BL_OK;
}

/* Every signature must be one of the role's. */
static bl_status check(const struct bl_root *root, int role, struct claim *c,
                       size_t n, const struct bl_crypto *crypto,
                       uint8_t *signers)
{
    const struct bl_root_role *r;
    uint8_t mask = 0;
    bl_status s;

    if (role < BL_ROLE_ROOT || role > BL_ROLE_TICKET) {
        return BL_ARGUMENT;
    }
    r = &root->role[role];
    for (c->i = 0; c->i < n; c->i++) {
        s = find_signer(root, r, c, crypto, &mask);
        if (s != BL_OK) {
            return s;
        }
    }
    s = satisfied(root, r, mask);
    if (s == BL_OK && signers != NULL) {
        *signers = mask;
    }
    return s;
}

bl_status bl_root_check(const struct bl_root *root, int role,
                        const struct bl_cose_sign1 *block, size_t n,
                        bl_span aad, bl_span payload,
                        const struct bl_crypto *crypto, uint8_t *signers)
{
    struct claim c = {NULL, NULL, 0, {NULL, 0}, {NULL, 0}};

    c.block = block;
    c.aad = aad;
    c.payload = payload;
    return check(root, role, &c, n, crypto, signers);
}

bl_status bl_root_check_sign(const struct bl_root *root, int role,
                             const struct bl_cose_sign *message, bl_span aad,
                             const struct bl_crypto *crypto, uint8_t *signers)
{
    struct claim c = {NULL, NULL, 0, {NULL, 0}, {NULL, 0}};

    c.message = message;
    c.aad = aad;
    return check(root, role, &c, message->n, crypto, signers);
}

/*
 * A root document carries signatures of two sets of keys, the old one and its
 * own: a signature that counts for one need not count for the other, and one
 * that counts for none just does not count.
 */
static bl_status root_role_signed(const struct bl_root *root,
                                  const struct bl_cose_sign *message,
                                  const struct bl_crypto *crypto)
{
    const struct bl_root_role *role = &root->role[BL_ROLE_ROOT];
    struct claim c = {NULL, NULL, 0, {NULL, 0}, {NULL, 0}};
    uint8_t mask = 0;

    c.message = message;
    c.aad = bl_span_of(root_aad, sizeof root_aad - 1);
    for (; c.i < message->n; c.i++) {
        /* One that is not found, or cannot be checked, counts for nothing. */
        (void)!find_signer(root, role, &c, crypto, &mask);
    }
    return satisfied(root, role, mask);
}

static bl_status follows(bl_span document, const struct bl_root *trusted,
                         const struct bl_root *next,
                         const struct bl_crypto *crypto)
{
    struct bl_cose_sign message;

    if (bl_cose_sign_read(document, &message) != BL_OK) {
        return BL_ROOT;
    }
    if (trusted != NULL) {
        /* Not by addition: the last version number has no successor. */
        if (next->version == 0 || next->version - 1 != trusted->version) {
            return BL_ROOT_VERSION;
        }
        if (root_role_signed(trusted, &message, crypto) != BL_OK) {
            return BL_ROOT_OLD_THRESHOLD;
        }
    }
    return root_role_signed(next, &message, crypto) == BL_OK
               ? BL_OK
               : BL_ROOT_NEW_THRESHOLD;
}

bl_status bl_root_accept(bl_span document, const struct bl_root *trusted,
                         const struct bl_crypto *crypto, struct bl_root *out)
{
    bl_status status = bl_root_read(document, out);

    if (status == BL_OK) {
        status = follows(document, trusted, out, crypto);
    }
    if (status != BL_OK) {
        memset(out, 0, sizeof *out); /* no signatures satisfy it */
    }
    return status;
}
