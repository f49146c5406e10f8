/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests for tests, written as text near to CBOR diagnostic notation:
 *
 *   [1, 15]  {14: 4}  -3  'text'  h'0102'  true  false  null
 *   <item>   a byte string that holds the encoded item
 *   $V $C    the vendor id and the class id of the test's device
 *   $a       <[-16, SHA-256 of 'aaaa']>, and so for each small letter
 *
 * Commas and colons are blanks. Text that is wrong ends the test.
 */
#ifndef TESTS_SUIT_DIAGNOSTIC_H
#define TESTS_SUIT_DIAGNOSTIC_H

#include "bowline/cbor.h"

extern const uint8_t test_vendor[16];
extern const uint8_t test_class[16];

/* Encodes one item; the bytes are allocated, exactly as many. */
bl_span diagnostic(const char *text);

#endif
