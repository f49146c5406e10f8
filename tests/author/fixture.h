/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own per test program, with keys of each kind. */
#ifndef TESTS_AUTHOR_FIXTURE_H
#define TESTS_AUTHOR_FIXTURE_H

#include "author/author.h"
#include "host/file.h"

enum { KEY_A, KEY_B, KEY_ED, KEY_HSS, KEY_ED_OTHER, FIXTURE_KEYS };

struct fixture {
    char dir[FILE_TEMP];
    struct author_key *key[FIXTURE_KEYS];
    char key_path[FIXTURE_KEYS][512];
};

/* cmocka group set-up and tear-down; *state becomes the struct fixture. */
int fixture_make(void **state);
int fixture_remove(void **state);

/* dir/name; valid until the next call. */
const char *fixture_path(const struct fixture *f, const char *name);
/* Prints the error and fails when `result` is not 0. */
void must(int result, const struct error *err);
/* The RFC 8032 TEST 1 key of the vectors, as a key file. */
struct author_key *fixture_test1_key(const struct fixture *f);
/* Version `version`, root 2 of A, ED, HSS; release A and HSS, `threshold` of
 * them; ticket ED. */
void fixture_root(struct fixture *f, uint64_t version, uint32_t threshold,
                  struct author_root *root);
/* A signed version 1, read; `bytes` is what `out` points into. */
void fixture_trust(struct fixture *f, uint32_t threshold, struct buffer *bytes,
                   struct bl_root *out);

#endif
