/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector files of tests/vectors: JSON in which byte strings are hex. Each byte
 * string gets an allocation of exactly its size, so that the sanitizer sees
 * one byte read too far. A file that cannot be read, a member that is missing
 * or is not hex ends the program: a vector must not be skipped in silence.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "bowline/span.h"
#include <jansson.h>

struct vectors {
    json_t *json;
    struct vectors_bytes *bytes; /* all that vectors_hex gave out */
};

/* Opens tests/vectors/<name>. */
void vectors_open(struct vectors *v, const char *name);
/* Frees the JSON and every span that came from it. */
void vectors_close(struct vectors *v);

/* Member `key` of `object`; it must exist. */
json_t *vectors_member(const json_t *object, const char *key);
const char *vectors_text(const json_t *object, const char *key);
/* A hex member as bytes, valid until vectors_close. */
bl_span vectors_hex(struct vectors *v, const json_t *object, const char *key);
/* Hex text as bytes, valid until vectors_close. */
bl_span vectors_bytes(struct vectors *v, const char *hex);
/* A copy of `bytes` that may be changed, valid until vectors_close. */
uint8_t *vectors_copy(struct vectors *v, bl_span bytes);

#endif
