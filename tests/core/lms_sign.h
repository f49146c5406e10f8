/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signer for one LMS tree of height 5, of any LM-OTS type: the published
 * vectors have three of the eight. Written from RFC 8554 with its tables of p
 * and ls, where core/src/hss.c derives them. Keeps no state: for tests.
 */
#ifndef TESTS_CORE_LMS_SIGN_H
#define TESTS_CORE_LMS_SIGN_H

#include "bowline/span.h"

enum { LMS_SIGN_MAX = 12 + 32 * (1 + 265 + 5) + 4 };

/* HSS public key and signature, one level; `ots` is 1 to 8. */
void lms_sign(uint32_t ots, uint32_t q, bl_span message, uint8_t key[60],
              size_t *key_size, uint8_t signature[LMS_SIGN_MAX],
              size_t *signature_size);

#endif
