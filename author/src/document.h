/* SPDX-License-Identifier: Apache-2.0 */
/* What all signed documents share: pieces of CBOR, COSE signatures. */
#ifndef AUTHOR_DOCUMENT_H
#define AUTHOR_DOCUMENT_H

#include "author/author.h"
#include "bowline/cbor.h"

/* A CBOR writer that grows: made of the fixed one over a buffer of ours. */
struct piece {
    struct bl_cbor_writer w;
    struct buffer memory;
};

/* `size` is the most that will be written. */
int piece_begin(struct piece *piece, size_t size, struct error *err);
/* The bytes; they live until piece_free. */
int piece_end(struct piece *piece, bl_span *out, struct error *err);
void piece_free(struct piece *piece);

/* SUIT_Digest of bytes as they stand in the envelope: with their head. */
void digest_wrapped(bl_span content, uint8_t out[32]);
void put_digest(struct bl_cbor_writer *w, const uint8_t digest[32]);
/* The same as a byte string, as parameter 3 and the wrapper have it. */
void put_digest_bstr(struct bl_cbor_writer *w, const uint8_t digest[32]);

/* Appends a tagged COSE_Sign1; `attached`: with its payload, else nil. */
int cose_sign1(struct author_key *key, const char *aad, bl_span payload,
               bool attached, struct buffer *out, struct error *err);
/* Appends one COSE_Signature of a COSE_Sign over `payload`. */
int cose_signature(struct author_key *key, const char *aad, bl_span payload,
                   struct buffer *out, struct error *err);
/* Appends the COSE_Sign with `n` signatures, encoded one after another. */
int cose_sign(bl_span payload, uint32_t n, bl_span signatures,
              struct buffer *out, struct error *err);

/* Was a signature with this kid and these bytes made by `key`? By the kid, or
 * where there is none, by trying. `sign1`: of a COSE_Sign1. */
bool cose_is_by(const struct author_key *key, bl_span kid, bl_span signature,
                const char *aad, bl_span payload, bool sign1);

/* Refuses the same key twice. */
int keys_distinct(struct author_key *const *keys, uint32_t n,
                  struct error *err);

#endif
