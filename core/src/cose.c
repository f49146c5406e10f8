/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/cose.h"

#include "label.h"

enum { TAG_SIGN1 = 18, TAG_SIGN = 98 };
enum { HEADER_ALG = 1, HEADER_KID = 4 };

/* The protected header: a byte string around exactly {1: alg}. */
static bl_status protected_read(struct bl_cbor *r, bl_span *bytes,
                                int32_t *alg)
{
    struct bl_cbor inner;
    uint32_t pairs;
    int64_t value;

    if (bl_cbor_bstr(r, bytes) != BL_OK) {
        return BL_COSE;
    }
    bl_cbor_init(&inner, *bytes);
    if (bl_cbor_map(&inner, &pairs) != BL_OK || pairs != 1 ||
        !bl_label(&inner, HEADER_ALG) ||
        bl_cbor_int(&inner, &value) != BL_OK ||
        bl_cbor_finish(&inner) != BL_OK) {
        return BL_COSE;
    }
    if (value < INT32_MIN || value > INT32_MAX) {
        return BL_ALGORITHM;
    }
    *alg = (int32_t)value;
    return BL_OK;
}

/* The unprotected header: {} or {4: kid}. */
static bl_status unprotected_read(struct bl_cbor *r, bl_span *kid)
{
    uint32_t pairs;

    *kid = bl_span_of(NULL, 0);
    if (bl_cbor_map(r, &pairs) != BL_OK || pairs > 1) {
        return BL_COSE;
    }
    return pairs == 0 || bl_label_bstr(r, HEADER_KID, kid) ? BL_OK : BL_COSE;
}

/* Tag, and the head of an array of four. */
static bl_status open(struct bl_cbor *r, bl_span in, uint64_t tag)
{
    uint64_t found;
    uint32_t items;

    bl_cbor_init(r, in);
    if (bl_cbor_tag(r, &found) != BL_OK || found != tag ||
        bl_cbor_array(r, &items) != BL_OK || items != 4) {
        return BL_COSE;
    }
    return BL_OK;
}

bl_status bl_cose_sign1_read(bl_span in, struct bl_cose_sign1 *out)
{
    struct bl_cose_sign1 m;
    struct bl_cbor r;
    bl_status s;

    memset(&m, 0, sizeof m);
    s = open(&r, in, TAG_SIGN1);
    if (s == BL_OK) {
        s = protected_read(&r, &m.protected_header, &m.alg);
    }
    if (s == BL_OK) {
        s = unprotected_read(&r, &m.kid);
    }
    if (s != BL_OK) {
        return s;
    }
    m.attached = bl_cbor_peek(&r) == BL_CBOR_BSTR;
    if ((m.attached ? bl_cbor_bstr(&r, &m.payload) : bl_cbor_nil(&r)) !=
            BL_OK ||
        bl_cbor_bstr(&r, &m.signature) != BL_OK ||
        bl_cbor_finish(&r) != BL_OK) {
        return BL_COSE;
    }
    *out = m;
    return BL_OK;
}

/* One COSE_Signature of a COSE_Sign. */
static bl_status signer_read(struct bl_cbor *r, struct bl_cose_signature *out)
{
    uint32_t items;
    bl_status s;

    if (bl_cbor_array(r, &items) != BL_OK || items != 3) {
        return BL_COSE;
    }
    s = protected_read(r, &out->protected_header, &out->alg);
    if (s == BL_OK) {
        s = unprotected_read(r, &out->kid);
    }
    if (s == BL_OK && bl_cbor_bstr(r, &out->signature) != BL_OK) {
        s = BL_COSE;
    }
    return s;
}

bl_status bl_cose_sign_read(bl_span in, struct bl_cose_sign *out)
{
    struct bl_cbor r;
    bl_span body, payload;
    uint32_t pairs, n, i;
    bl_status s;

    memset(out, 0, sizeof *out);
    if (open(&r, in, TAG_SIGN) != BL_OK || bl_cbor_bstr(&r, &body) != BL_OK ||
        body.n != 0 || bl_cbor_map(&r, &pairs) != BL_OK || pairs != 0 ||
        bl_cbor_bstr(&r, &payload) != BL_OK ||
        bl_cbor_array(&r, &n) != BL_OK || n == 0 || n > BL_COSE_SIGNATURES) {
        return BL_COSE;
    }
    for (i = 0; i < n; i++) {
        s = signer_read(&r, &out->signature[i]);
        if (s != BL_OK) {
            return s;
        }
    }
    if (bl_cbor_finish(&r) != BL_OK) {
        return BL_COSE;
    }
    out->protected_header = body;
    out->payload = payload;
    out->n = n;
    return BL_OK;
}

/*
 * Verifies over a Sig_structure, which is never built: between `prefix`, its
 * items up to the protected headers, and the byte strings that follow, only
 * their heads are made.
 */
static bl_status verify(struct bl_cbor_writer *prefix, bl_span aad,
                        bl_span payload, const struct bl_key *key,
                        bl_span signature, const struct bl_crypto *crypto,
                        bl_verdict *verdict)
{
    uint8_t aad_head[9], payload_head[9];
    bl_span parts[5];

    if (bl_cbor_writer_finish(prefix, &parts[0]) != BL_OK) {
        return BL_COSE;
    }
    parts[1] = bl_span_of(aad_head, bl_cbor_bstr_head(aad_head, aad.n));
    parts[2] = aad;
    parts[3] =
        bl_span_of(payload_head, bl_cbor_bstr_head(payload_head, payload.n));
    parts[4] = payload;
    return bl_signature_verify(crypto, key, parts, 5, signature, verdict);
}

/* A protected header of this profile takes 11 bytes at most. */
enum { PREFIX_SIZE = 40 };

bl_status bl_cose_sign1_verify(const struct bl_cose_sign1 *message,
                               bl_span aad, bl_span payload,
                               const struct bl_key *key,
                               const struct bl_crypto *crypto,
                               bl_verdict *verdict)
{
    uint8_t bytes[PREFIX_SIZE];
    struct bl_cbor_writer w;

    if (message->alg != key->alg) {
        return BL_ALGORITHM;
    }
    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_array(&w, 4);
    bl_cbor_put_tstr(&w, "Signature1");
    bl_cbor_put_bstr(&w, message->protected_header);
    return verify(&w, aad, payload, key, message->signature, crypto, verdict);
}

bl_status bl_cose_sign_verify(const struct bl_cose_sign *message, uint32_t i,
                              bl_span aad, const struct bl_key *key,
                              const struct bl_crypto *crypto,
                              bl_verdict *verdict)
{
    const struct bl_cose_signature *signer;
    uint8_t bytes[PREFIX_SIZE];
    struct bl_cbor_writer w;

    if (i >= message->n) {
        return BL_ARGUMENT;
    }
    signer = &message->signature[i];
    if (signer->alg != key->alg) {
        return BL_ALGORITHM;
    }
    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_array(&w, 5);
    bl_cbor_put_tstr(&w, "Signature");
    bl_cbor_put_bstr(&w, message->protected_header);
    bl_cbor_put_bstr(&w, signer->protected_header);
    return verify(&w, aad, message->payload, key, signer->signature, crypto,
                  verdict);
}
