/* SPDX-License-Identifier: Apache-2.0 */
/* Deployment tickets and downgrade permits (bowline/ticket.h). */
#include "document.h"
#include "key.h"

enum {
    CLAIM_EXPIRY = 4,
    CLAIM_ISSUED = 6,
    CLAIM_NONCE = 10,
    CLAIM_DEVICE = -65537,
    CLAIM_MANIFEST = -65538,
    CLAIM_ROOT = -65539,
    CLAIM_CLASS = -65540,
    PAYLOAD_MAX = 192
};

static void put_nonce(struct bl_cbor_writer *w, bl_span nonce)
{
    bl_cbor_put_int(w, CLAIM_NONCE);
    bl_cbor_put_bstr(w, nonce);
}

static void put_times(struct bl_cbor_writer *w, uint64_t expiry,
                      uint64_t issued)
{
    bl_cbor_put_int(w, CLAIM_EXPIRY);
    bl_cbor_put_uint(w, expiry);
    bl_cbor_put_int(w, CLAIM_ISSUED);
    bl_cbor_put_uint(w, issued);
}

static void put_device(struct bl_cbor_writer *w, const uint8_t *id)
{
    bl_cbor_put_int(w, CLAIM_DEVICE);
    bl_cbor_put_bstr(w, bl_span_of(id, BL_ID_SIZE));
}

static void put_manifest(struct bl_cbor_writer *w, const uint8_t digest[32])
{
    bl_cbor_put_int(w, CLAIM_MANIFEST);
    put_digest(w, digest);
}

int author_ticket(const struct author_ticket *ticket, struct author_key *key,
                  struct buffer *out, struct error *err)
{
    uint8_t bytes[PAYLOAD_MAX];
    struct bl_cbor_writer w;
    bl_span payload;

    if (author_key_public(key)->alg == BL_ALG_HSS_LMS) {
        return error_set(err, "ticket: an HSS key would be used up by "
                              "tickets; use Ed25519 or ESP256");
    }
    if (ticket->nonce.n < BL_NONCE_MIN || ticket->nonce.n > BL_NONCE_MAX) {
        return error_set(err, "ticket: a nonce of %zu bytes, not 8 to 32",
                         ticket->nonce.n);
    }
    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_map(&w, 6);
    put_times(&w, ticket->expiry, ticket->issued);
    put_nonce(&w, ticket->nonce);
    put_device(&w, ticket->device_id);
    put_manifest(&w, ticket->manifest);
    bl_cbor_put_int(&w, CLAIM_ROOT);
    bl_cbor_put_uint(&w, ticket->root_version);
    if (bl_cbor_writer_finish(&w, &payload) != BL_OK) {
        return error_set(err, "ticket: too large");
    }
    return cose_sign1(key, "Bowline-Ticket-1", payload, true, out, err);
}

static int sign_permit(bl_span payload, struct author_key *const *keys,
                       uint32_t n_keys, struct buffer *out, struct error *err)
{
    struct buffer signatures = BUFFER(65536);
    int result = 0;
    uint32_t i;

    for (i = 0; i < n_keys && result == 0; i++) {
        result = cose_signature(keys[i], "Bowline-Permit-1", payload,
                                &signatures, err);
    }
    if (result == 0) {
        result =
            cose_sign(payload, n_keys, buffer_span(&signatures), out, err);
    }
    buffer_free(&signatures);
    return result == 0 ? 0 : error_prefix(err, "permit");
}

int author_permit(const struct author_permit *permit,
                  struct author_key *const *keys, uint32_t n_keys,
                  struct buffer *out, struct error *err)
{
    uint8_t bytes[PAYLOAD_MAX];
    struct bl_cbor_writer w;
    bl_span payload;

    if (n_keys < 1 || n_keys > BL_COSE_SIGNATURES) {
        return error_set(err, "permit: %u keys, not 1 to %d", n_keys,
                         BL_COSE_SIGNATURES);
    }
    if (permit->expiry <= permit->issued) {
        return error_set(err, "permit: it would expire before it is issued");
    }
    if (keys_distinct(keys, n_keys, err) != 0) {
        return error_prefix(err, "permit");
    }
    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_map(&w, permit->device_id != NULL ? 5 : 4);
    put_times(&w, permit->expiry, permit->issued);
    if (permit->device_id != NULL) {
        put_device(&w, permit->device_id);
    }
    put_manifest(&w, permit->manifest);
    bl_cbor_put_int(&w, CLAIM_CLASS);
    bl_cbor_put_bstr(&w, bl_span_of(permit->class_id, BL_ID_SIZE));
    if (bl_cbor_writer_finish(&w, &payload) != BL_OK) {
        return error_set(err, "permit: too large");
    }
    return sign_permit(payload, keys, n_keys, out, err);
}
