/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root document: which keys hold which role (docs/SPEC.md, "Root
 * document"). A COSE_Sign with attached payload and external_aad
 * "Bowline-Root-1":
 *
 *   {1: 1, 2: version, 3: issued, 4: [COSE_Key with kid and alg],
 *    5: {role: {1: threshold, 2: [kid], ?3: [component id prefix],
 *               ?4: [alg]}},
 *    ?6: security floor, ?7: sequence ceiling}
 *
 * Roles: 1 root, 2 release, 3 ticket. A role may require several keys, and
 * with element 4 keys of different kinds: at least one verified key of each
 * algorithm listed (a hybrid of classical and post-quantum signatures).
 * kid = first 8 bytes of the SHA-256 key thumbprint of RFC 9679, recomputed
 * here. Documents follow each other by version + 1.
 */
#ifndef BOWLINE_ROOT_H
#define BOWLINE_ROOT_H

#include "bowline/cose.h"

enum {
    BL_ROLE_ROOT = 1,
    BL_ROLE_RELEASE = 2,
    BL_ROLE_TICKET = 3,
    BL_ROOT_KEYS = 8,
    BL_ROOT_PREFIXES = 4,
    BL_ROOT_KINDS = 3,
    BL_KID_SIZE = 8,
    BL_ROOT_MAX = 4088 /* bytes of a document that every device has room for */
};

struct bl_root_key {
    uint8_t kid[BL_KID_SIZE];
    struct bl_key key;
};

struct bl_root_role {
    uint32_t threshold;
    uint8_t keys; /* bit i: key i of the document */
    uint8_t n_prefixes;
    uint8_t n_kinds;
    bl_span prefix[BL_ROOT_PREFIXES]; /* encoded component id, a CBOR array */
    int32_t kind[BL_ROOT_KINDS];
};

struct bl_root {
    uint64_t version;
    uint64_t issued;  /* seconds since 1970 */
    uint64_t floor;   /* security floor, 0 when absent */
    uint64_t ceiling; /* UINT64_MAX when absent */
    uint32_t n_keys;
    struct bl_root_key key[BL_ROOT_KEYS];
    struct bl_root_role role[4]; /* by role number, [0] unused */
};

/*
 * Reads a root document's content: form, kids, roles 1 to 3 present, every
 * threshold at least 1 and reachable, every kid resolves, no key twice. Only
 * ESP256, Ed25519 and HSS-LMS keys. The ticket role's threshold must be 1, for
 * a ticket has one signature; the release role asks for two keys and two kinds
 * at most, for an envelope has two (BL_SUIT_BLOCKS). No signature is checked:
 * for a document that a device already trusts. The spans in `out` point into
 * `document`. On error
 * `*out` is all zero, and no signatures satisfy it.
 */
bl_status bl_root_read(bl_span document, struct bl_root *out) BL_MUST_CHECK;

/*
 * Reads and checks a successor. With `trusted` NULL: a first document, signed
 * by the threshold of its own root role. Else version must be trusted + 1
 * (BL_ROOT_VERSION), the threshold of distinct keys of the trusted root role
 * (BL_ROOT_OLD_THRESHOLD) and of its own (BL_ROOT_NEW_THRESHOLD) must verify.
 * A signature that counts for one need not count for the other. `out` is not
 * `trusted`; on error it is all zero.
 */
bl_status bl_root_accept(bl_span document, const struct bl_root *trusted,
                         const struct bl_crypto *crypto,
                         struct bl_root *out) BL_MUST_CHECK;

/*
 * Do `n` COSE_Sign1 blocks over one payload satisfy a role: `threshold`
 * distinct keys of the role, every required kind among them? Each block must
 * have an accepted algorithm (one of the three, or of a key of the role; else
 * BL_ALGORITHM), and verify under one key of the role: a block that does not
 * fails the whole (BL_SIGNATURE), so that no unchecked signature rides along.
 * Too few: BL_THRESHOLD. `signers`, when not NULL, becomes the mask of keys
 * that signed. A caller may fill `root` by hand: n_keys, key[].key and the
 * role's threshold and keys are all that is looked at, beside kinds and kids.
 */
bl_status bl_root_check(const struct bl_root *root, int role,
                        const struct bl_cose_sign1 *block, size_t n,
                        bl_span aad, bl_span payload,
                        const struct bl_crypto *crypto,
                        uint8_t *signers) BL_MUST_CHECK;

/* The same for the signatures of a COSE_Sign. */
bl_status bl_root_check_sign(const struct bl_root *root, int role,
                             const struct bl_cose_sign *message, bl_span aad,
                             const struct bl_crypto *crypto,
                             uint8_t *signers) BL_MUST_CHECK;

/* May a role's signers write the component with this encoded id? Always when
 * the role names no prefixes. */
bool bl_root_may_write(const struct bl_root *root, int role,
                       bl_span component_id);

/* First 8 bytes of the RFC 9679 thumbprint of a key. */
bl_status bl_key_id(const struct bl_key *key,
                    uint8_t kid[BL_KID_SIZE]) BL_MUST_CHECK;

#endif
