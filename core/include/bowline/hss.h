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

#endif
