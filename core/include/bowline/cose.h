/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COSE_Sign1 and COSE_Sign, RFC 9052 sections 4.2 and 4.1, as far as Bowline
 * uses them: the protected header is exactly {1: alg}, the unprotected one is
 * empty or {4: kid}; "crit" and anything else is refused (BL_COSE). The
 * algorithm is taken from the protected header only.
 */
#ifndef BOWLINE_COSE_H
#define BOWLINE_COSE_H

#include "bowline/crypto.h"

struct bl_cose_sign1 {
    bl_span protected_header; /* content of the byte string */
    int32_t alg;
    bl_span kid;     /* empty when absent */
    bool attached;   /* false: payload is nil, detached */
    bl_span payload; /* when attached */
    bl_span signature;
};

/* Reads one tagged (18) COSE_Sign1 that fills `in` exactly. The spans point
 * into `in`. */
bl_status bl_cose_sign1_read(bl_span in,
                             struct bl_cose_sign1 *out) BL_MUST_CHECK;

/* Verifies over Sig_structure ["Signature1", protected, aad, payload]
 * (section 4.4). BL_ALGORITHM when the message's algorithm is not the key's.
 */
bl_status bl_cose_sign1_verify(const struct bl_cose_sign1 *message,
                               bl_span aad, bl_span payload,
                               const struct bl_key *key,
                               const struct bl_crypto *crypto,
                               bl_verdict *verdict) BL_MUST_CHECK;

enum { BL_COSE_SIGNATURES = 8 };

struct bl_cose_signature {
    bl_span protected_header;
    int32_t alg;
    bl_span kid;
    bl_span signature;
};

struct bl_cose_sign {
    bl_span protected_header; /* of the body: must be empty here */
    bl_span payload;          /* attached */
    struct bl_cose_signature signature[BL_COSE_SIGNATURES];
    uint32_t n;
};

/* Reads one tagged (98) COSE_Sign with attached payload that fills `in`. On
 * error `*out` has no signatures. */
bl_status bl_cose_sign_read(bl_span in,
                            struct bl_cose_sign *out) BL_MUST_CHECK;
/* Verifies signature `i` over ["Signature", body, signer, aad, payload]. */
bl_status bl_cose_sign_verify(const struct bl_cose_sign *message, uint32_t i,
                              bl_span aad, const struct bl_key *key,
                              const struct bl_crypto *crypto,
                              bl_verdict *verdict) BL_MUST_CHECK;

#endif
