/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the conformance engine share. */
#ifndef CONFORMANCE_PRIVATE_H
#define CONFORMANCE_PRIVATE_H

#include "bowline/crypto.h"
#include "bowline/root.h"
#include "conformance.h"

enum { MAX_KEYS = BL_ROOT_KEYS, MAX_NAME = 160 };

struct named_key {
    char name[64];
    struct bl_key key;
};

struct memory; /* bytes and text decoded from the files, in a list */

/* One run over all files. */
struct check {
    FILE *out;
    json_t *vectors; /* NULL: not wanted */
    const char *file;
    const json_t *all; /* the file's vectors */
    char *error;       /* CONFORMANCE_MESSAGE bytes; "" while all is well */
    size_t same;
    size_t differs;
    size_t unsupported;
    struct memory *memory;
    struct named_key key[MAX_KEYS]; /* of the last file that had "keys" */
    size_t n_keys;
};

/* --- Reading a vector (conformance_input.c) -------------------------------
 * A member that is missing or of the wrong kind sets the run's error, and the
 * value is empty: callers check failed() once, before they use the values. */

bool failed(const struct check *c);
void fail(struct check *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *text_of(struct check *c, const json_t *object, const char *key);
uint64_t number_of(struct check *c, const json_t *object, const char *key);
bl_span hex_of(struct check *c, const json_t *object, const char *key);
/* "" when it is absent. */
const char *optional_text(const json_t *object, const char *key);
uint8_t *remember(struct check *c, size_t n);
void forget(struct check *c);
/* A key of the form {kty, alg, x, y, pub}; false when it is none that signs
 * here. */
bool key_of(struct check *c, const json_t *object, struct bl_key *key);
void keys_of(struct check *c, const json_t *keys);
const struct bl_key *find_key(const struct check *c, const char *name);
/* A whole file, or NULL with the run's error set. */
json_t *load_file(struct check *c, const char *path);

/* --- Results (conformance.c) ----------------------------------------------
 */

/* `odd`, when not NULL, says what was wrong although the verdict was right. */
void result(struct check *c, const char *name, bool expect_accept,
            bl_status status, const char *odd);
/* A verdict like any other, with a remark in its line. */
void result_noted(struct check *c, const char *name, bool expect_accept,
                  bl_status status, const char *note);
void unsupported(struct check *c, const char *name, const char *what);

/* One status of both: BL_SIGNATURE for a bad signature. */
bl_status judged(bl_status status, bl_verdict verdict);

/* --- Formats ---------------------------------------------------------------
 */

void check_profile(struct check *c, const json_t *vector);
void check_draft(struct check *c, const json_t *file, const json_t *vector);
void check_ticket(struct check *c, const json_t *file, const json_t *vector);
void check_roots(struct check *c, const json_t *vectors);
void check_report(struct check *c, const json_t *vector);
void check_cose(struct check *c, const json_t *vector);
void check_lms(struct check *c, const json_t *vector);
void check_parameters(struct check *c, const json_t *sets);
void check_delta(struct check *c, const json_t *vector);
/* These have no names: the number stands for one. */
void check_otadata(struct check *c, const json_t *vector, size_t number);
void check_wycheproof(struct check *c, const json_t *file);

#endif
