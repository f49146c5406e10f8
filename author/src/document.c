/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include "bowline/sha256.h"
#include "key.h"

#include <string.h>

int piece_begin(struct piece *piece, size_t size, struct error *err)
{
    struct buffer empty = BUFFER(size);

    piece->memory = empty;
    if (buffer_reserve(&piece->memory, size, err) != 0) {
        return -1;
    }
    bl_cbor_writer_init(&piece->w, piece->memory.p, size);
    return 0;
}

int piece_end(struct piece *piece, bl_span *out, struct error *err)
{
    bl_status status = bl_cbor_writer_finish(&piece->w, out);

    return status == BL_OK ? 0 : error_status(err, status, "document");
}

void piece_free(struct piece *piece)
{
    buffer_free(&piece->memory);
}

/* --- Digests ------------------------------------------------------------- */

void digest_wrapped(bl_span content, uint8_t out[32])
{
    struct bl_sha256 hash;
    uint8_t head[9];

    bl_sha256_init(&hash);
    bl_sha256_update(&hash, head, bl_cbor_bstr_head(head, content.n));
    bl_sha256_update(&hash, content.p, content.n);
    bl_sha256_final(&hash, out);
}

void put_digest(struct bl_cbor_writer *w, const uint8_t digest[32])
{
    bl_cbor_put_array(w, 2);
    bl_cbor_put_int(w, BL_ALG_SHA256);
    bl_cbor_put_bstr(w, bl_span_of(digest, 32));
}

void put_digest_bstr(struct bl_cbor_writer *w, const uint8_t digest[32])
{
    uint8_t bytes[40];
    struct bl_cbor_writer inner;

    bl_cbor_writer_init(&inner, bytes, sizeof bytes);
    put_digest(&inner, digest);
    bl_cbor_put_bstr(w, bl_span_of(inner.p, inner.n));
}

/* --- COSE, RFC 9052 ------------------------------------------------------ */

enum { PROTECTED_MAX = 8, FRAME = 128 };

/* The content of the protected header: {1: alg}. */
static bl_span protected_header(const struct author_key *key,
                                uint8_t out[PROTECTED_MAX])
{
    struct bl_cbor_writer w;

    bl_cbor_writer_init(&w, out, PROTECTED_MAX);
    bl_cbor_put_map(&w, 1);
    bl_cbor_put_int(&w, 1);
    bl_cbor_put_int(&w, author_key_public(key)->alg);
    return bl_span_of(w.p, w.n);
}

static void put_kid(struct bl_cbor_writer *w, const struct author_key *key)
{
    bl_cbor_put_map(w, 1);
    bl_cbor_put_int(w, 4);
    bl_cbor_put_bstr(w, bl_span_of(author_key_kid(key), BL_KID_SIZE));
}

/* Sig_structure, section 4.4: what is signed. */
static int signed_bytes(const struct author_key *key, const char *aad,
                        bl_span payload, bool sign1, struct piece *piece,
                        bl_span *out, struct error *err)
{
    uint8_t header[PROTECTED_MAX];

    if (piece_begin(piece, payload.n + FRAME, err) != 0) {
        return -1;
    }
    bl_cbor_put_array(&piece->w, sign1 ? 4 : 5);
    bl_cbor_put_tstr(&piece->w, sign1 ? "Signature1" : "Signature");
    if (!sign1) {
        bl_cbor_put_bstr(&piece->w, bl_span_of(NULL, 0));
    }
    bl_cbor_put_bstr(&piece->w, protected_header(key, header));
    bl_cbor_put_bstr(&piece->w, bl_span_of(aad, strlen(aad)));
    bl_cbor_put_bstr(&piece->w, payload);
    return piece_end(piece, out, err);
}

static int sign_structure(struct author_key *key, const char *aad,
                          bl_span payload, bool sign1,
                          struct buffer *signature, struct error *err)
{
    struct piece piece;
    bl_span bytes;
    int result;

    result = signed_bytes(key, aad, payload, sign1, &piece, &bytes, err);
    if (result == 0) {
        result = author_key_sign(key, bytes, signature, err);
    }
    piece_free(&piece);
    return result;
}

/* One COSE message or signature, in the order that all of them share. */
static int put_signed(struct author_key *key, const bl_span *payload,
                      bool sign1, bl_span signature, struct buffer *out,
                      struct error *err)
{
    uint8_t header[PROTECTED_MAX];
    size_t payload_n = payload != NULL ? payload->n : 0;
    struct piece piece;
    bl_span bytes;
    int result;

    if (piece_begin(&piece, payload_n + signature.n + FRAME, err) != 0) {
        return -1;
    }
    if (sign1) {
        bl_cbor_put_tag(&piece.w, 18);
    }
    bl_cbor_put_array(&piece.w, sign1 ? 4 : 3);
    bl_cbor_put_bstr(&piece.w, protected_header(key, header));
    put_kid(&piece.w, key);
    if (sign1 && payload != NULL) {
        bl_cbor_put_bstr(&piece.w, *payload);
    } else if (sign1) {
        bl_cbor_put_nil(&piece.w);
    }
    bl_cbor_put_bstr(&piece.w, signature);
    result = piece_end(&piece, &bytes, err);
    if (result == 0) {
        result = buffer_append(out, bytes.p, bytes.n, err);
    }
    piece_free(&piece);
    return result;
}

int cose_sign1(struct author_key *key, const char *aad, bl_span payload,
               bool attached, struct buffer *out, struct error *err)
{
    struct buffer signature = BUFFER(16384);
    int result;

    result = sign_structure(key, aad, payload, true, &signature, err);
    if (result == 0) {
        result = put_signed(key, attached ? &payload : NULL, true,
                            buffer_span(&signature), out, err);
    }
    buffer_free(&signature);
    return result;
}

int cose_signature(struct author_key *key, const char *aad, bl_span payload,
                   struct buffer *out, struct error *err)
{
    struct buffer signature = BUFFER(16384);
    int result;

    result = sign_structure(key, aad, payload, false, &signature, err);
    if (result == 0) {
        result =
            put_signed(key, NULL, false, buffer_span(&signature), out, err);
    }
    buffer_free(&signature);
    return result;
}

int cose_sign(bl_span payload, uint32_t n, bl_span signatures,
              struct buffer *out, struct error *err)
{
    struct piece piece;
    bl_span bytes;
    int result;

    if (piece_begin(&piece, payload.n + signatures.n + FRAME, err) != 0) {
        return -1;
    }
    bl_cbor_put_tag(&piece.w, 98);
    bl_cbor_put_array(&piece.w, 4);
    bl_cbor_put_bstr(&piece.w, bl_span_of(NULL, 0));
    bl_cbor_put_map(&piece.w, 0);
    bl_cbor_put_bstr(&piece.w, payload);
    bl_cbor_put_array(&piece.w, n);
    bl_cbor_put_raw(&piece.w, signatures);
    result = piece_end(&piece, &bytes, err);
    if (result == 0) {
        result = buffer_append(out, bytes.p, bytes.n, err);
    }
    piece_free(&piece);
    return result;
}

bool cose_is_by(const struct author_key *key, bl_span kid, bl_span signature,
                const char *aad, bl_span payload, bool sign1)
{
    struct piece piece;
    bl_span bytes;
    bool by = false;

    if (kid.n > 0) {
        return bl_span_equal(kid,
                             bl_span_of(author_key_kid(key), BL_KID_SIZE));
    }
    if (signed_bytes(key, aad, payload, sign1, &piece, &bytes, NULL) == 0) {
        by = key_verifies(key, bytes, signature);
    }
    piece_free(&piece);
    return by;
}

int keys_distinct(struct author_key *const *keys, uint32_t n,
                  struct error *err)
{
    char label[32];
    uint32_t i;
    uint32_t k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < i; k++) {
            if (memcmp(author_key_kid(keys[i]), author_key_kid(keys[k]),
                       BL_KID_SIZE) == 0) {
                return error_set(err, "key %s is named twice",
                                 key_label(keys[i], label));
            }
        }
    }
    return 0;
}
