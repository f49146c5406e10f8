/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HSS/LMS verification: RFC 8554 sections 4.6, 5.4.2, 6.3; parameter sets with
 * SHA-256 and SHA-256/192 (RFC 9858). No signing here: that keeps state, and
 * lives in author/. About 750 bytes of stack; no allocation; any input.
 */
#ifndef BOWLINE_HSS_H
#define BOWLINE_HSS_H

#include "bowline/span.h"
#include "bowline/status.h"

enum { BL_HSS_LEVELS = 8 };

/* BL_GOOD iff `signature` is a valid HSS signature of the concatenation of
 * `parts` under `key`. Every length and type is checked, the total length
 * exactly. */
bl_verdict bl_hss_verify(bl_span key, const bl_span *parts, size_t n_parts,
                         bl_span signature);

/* What bl_hss_verify takes a pair of types for, and the sizes that follow. */
struct bl_hss_parameters {
    uint32_t n;              /* bytes of a hash */
    uint32_t h;              /* height of the tree: 2^h signatures */
    uint32_t w;              /* bits of a Winternitz digit */
    uint32_t p;              /* chains */
    uint32_t ls;             /* shift of the checksum */
    uint32_t key_size;       /* of an HSS public key */
    uint32_t signature_size; /* of an HSS signature of one level */
};

/* For tools, which tell sizes before there is a key. False: types that no key
 * here may have. */
bool bl_hss_parameters(uint32_t lms_type, uint32_t ots_type,
                       struct bl_hss_parameters *out);

#endif
