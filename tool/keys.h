/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys, and the root document that says which of them count. */
#ifndef KEYS_H
#define KEYS_H

#include "author/author.h"
#include "tool.h"

/* The algorithm of a kind's name (author_key_kind), 0 when unknown. */
int32_t key_algorithm(const char *kind, size_t n);

struct keys {
    struct author_key *key[BL_ROOT_KEYS];
    const char *path[BL_ROOT_KEYS];
    uint32_t n;
};

/* The release keys, by --key or the project. 0, or an exit code. */
int keys_open_release(struct call *c, struct keys *out);
int keys_open(struct call *c, const char *const *path, int n, bool public,
              struct keys *out);
void keys_close(struct keys *keys);
/* Their ids as a list of hex. */
json_t *keys_list(struct call *c, const struct keys *keys);
/* A public key that was read from a document: cannot sign. */
struct author_key *key_from_public(const struct bl_key *key,
                                   struct error *err);

struct trust { /* the root document to check with, if there is one */
    struct buffer document;
    struct bl_root root;
    bool there;
};

/* By --root or the project; `there` is false when neither names one. A root
 * document that cannot be read is EXIT_INPUT. */
int trust_load(struct call *c, struct trust *out);
void trust_free(struct trust *trust);

/*
 * Reads a root document that may have no signature yet, which core refuses.
 * `*is_signed` says so; `out` points into `copy` when it has none.
 */
bl_status root_read_draft(bl_span document, struct buffer *copy,
                          struct bl_root *out, bool *is_signed);

/* {kind, kid, pem?} of what a key file holds; NULL with c->err set. */
json_t *key_describe(struct call *c, const char *path, bool pem);

#endif
