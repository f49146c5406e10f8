/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures with the published test keys, for messages built in a test. */
#ifndef TESTS_CORE_SIGN_H
#define TESTS_CORE_SIGN_H

#include "bowline/span.h"

/* PureEdDSA with the 32-byte secret `d`. */
void sign_ed25519(bl_span d, bl_span message, uint8_t signature[64]);
/* ECDSA P-256 with SHA-256: secret `d`, public x and y, 32 bytes each. */
void sign_p256(bl_span d, bl_span x, bl_span y, bl_span message,
               uint8_t signature[64]);

#endif
