/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HSS private key in its file (docs/SPEC.md, "HSS private key file"): one
 * LMS tree, L = 1. The index of the next signature lives in the file; it is
 * moved on and synced under a lock before a signature is computed, so that no
 * crash and no second process makes two signatures with one index.
 */
#ifndef AUTHOR_HSS_KEY_H
#define AUTHOR_HSS_KEY_H

#include "author/author.h"

#define HSS_PEM_PRIVATE "BOWLINE HSS PRIVATE KEY"
#define HSS_PEM_PUBLIC "BOWLINE HSS PUBLIC KEY"

enum { HSS_PUBLIC_MAX = 60, HSS_ID = 16, HSS_SEED_MAX = 32 };

struct hss;
struct lms_set;

/* The parameter set of "hss", "hss-h5", ...; NULL for another word. */
const struct lms_set *hss_kind(const char *kind);

int hss_create(const char *path, const struct lms_set *set,
               author_progress progress, void *ctx, struct error *err);
/* From a given identifier and seed: published test keys. */
int hss_create_from(const char *path, const struct lms_set *set,
                    const uint8_t id[HSS_ID], const uint8_t *seed,
                    author_progress progress, void *ctx, struct error *err);
/* `text` is the content of the file at `path`, zero-terminated. */
struct hss *hss_open(const char *path, bl_span text, struct error *err);
void hss_free(struct hss *hss);

bl_span hss_public(const struct hss *hss);
uint64_t hss_left(const struct hss *hss);
/* Takes the next index for good. */
int hss_reserve(struct hss *hss, uint32_t *q, struct error *err);
/* hss_reserve, then the signature, checked before it is handed out. */
int hss_sign(struct hss *hss, bl_span message, struct buffer *out,
             struct error *err);

#endif
