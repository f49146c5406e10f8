/* SPDX-License-Identifier: Apache-2.0 */
/* SUIT envelopes: a manifest, its digest, and who signed that. */
#include "document.h"
#include "key.h"
#include "manifest.h"

enum { ENVELOPE_LIMIT = 256 * 1024 * 1024, WRAPPER_LIMIT = 64 * 1024 };

/* The wrapper: [bstr digest, bstr block ...]; `blocks` are encoded byte
 * strings, one after another. */
static int put_wrapper(struct bl_cbor_writer *w, const uint8_t digest[32],
                       uint32_t n_blocks, bl_span blocks, struct error *err)
{
    struct piece wrapper;
    bl_span bytes;
    int result;

    if (piece_begin(&wrapper, blocks.n + 64, err) != 0) {
        return -1;
    }
    bl_cbor_put_array(&wrapper.w, 1 + n_blocks);
    put_digest_bstr(&wrapper.w, digest);
    bl_cbor_put_raw(&wrapper.w, blocks);
    result = piece_end(&wrapper, &bytes, err);
    if (result == 0) {
        bl_cbor_put_bstr(w, bytes);
    }
    piece_free(&wrapper);
    return result;
}

static bl_span digest_item(const uint8_t digest[32], uint8_t out[40])
{
    struct bl_cbor_writer w;

    bl_cbor_writer_init(&w, out, 40);
    put_digest(&w, digest);
    return bl_span_of(w.p, w.n);
}

/* Appends one authentication block, as a byte string. */
static int add_block(struct author_key *key, const uint8_t digest[32],
                     struct buffer *blocks, struct error *err)
{
    struct buffer block = BUFFER(WRAPPER_LIMIT);
    uint8_t item[40];
    uint8_t head[9];
    int result;

    result =
        cose_sign1(key, "", digest_item(digest, item), false, &block, err);
    if (result == 0) {
        result =
            buffer_append(blocks, head, bl_cbor_bstr_head(head, block.n), err);
    }
    if (result == 0) {
        result = buffer_append(blocks, block.p, block.n, err);
    }
    buffer_free(&block);
    return result;
}

/* --- Building ------------------------------------------------------------ */

/* Envelope keys that are text stand in the order of their encodings: the
 * shorter first, then by bytes. */
static int uri_order(const char *a, const char *b)
{
    size_t n_a = strlen(a);
    size_t n_b = strlen(b);

    if (n_a != n_b) {
        return n_a < n_b ? -1 : 1;
    }
    return memcmp(a, b, n_a);
}

/* The integrated payloads, by rank: `last` is the key put before, "" first.
 * Returns the next image in order, or NULL. */
static const struct author_image *
next_integrated(const struct author_manifest *manifest, const char *last)
{
    const struct author_image *best = NULL;
    char best_uri[BL_SUIT_URI + 1];
    char uri[BL_SUIT_URI + 1];
    uint32_t i;

    for (i = 0; i < manifest->n_images; i++) {
        const struct author_image *image = &manifest->image[i];

        manifest_uri(image, uri);
        if (image->integrated.n > 0 && uri_order(uri, last) > 0 &&
            (best == NULL || uri_order(uri, best_uri) < 0)) {
            best = image;
            memcpy(best_uri, uri, sizeof uri);
        }
    }
    return best;
}

static void put_integrated(struct bl_cbor_writer *w,
                           const struct author_manifest *manifest)
{
    const struct author_image *image;
    char last[BL_SUIT_URI + 1] = "";

    while ((image = next_integrated(manifest, last)) != NULL) {
        manifest_uri(image, last);
        bl_cbor_put_tstr(w, last);
        bl_cbor_put_bstr(w, image->integrated);
    }
}

static uint32_t count_integrated(const struct author_manifest *manifest,
                                 size_t *bytes)
{
    uint32_t n = 0;
    uint32_t i;

    for (i = 0; i < manifest->n_images; i++) {
        if (manifest->image[i].integrated.n > 0) {
            n++;
            *bytes += manifest->image[i].integrated.n + BL_SUIT_URI + 18;
        }
    }
    return n;
}

static int build(const struct author_manifest *manifest, bl_span body,
                 bl_span text, uint32_t n_blocks, bl_span blocks,
                 struct buffer *out, struct error *err)
{
    size_t size = body.n + text.n + blocks.n + 256;
    uint32_t n_integrated = count_integrated(manifest, &size);
    struct piece piece;
    uint8_t digest[32];
    bl_span bytes;
    int result;

    if (size > ENVELOPE_LIMIT) {
        return error_set(err, "%zu bytes: too large to carry its payloads",
                         size);
    }
    if (piece_begin(&piece, size, err) != 0) {
        return -1;
    }
    digest_wrapped(body, digest);
    bl_cbor_put_tag(&piece.w, 107);
    bl_cbor_put_map(&piece.w, 2U + (text.n > 0 ? 1U : 0U) + n_integrated);
    bl_cbor_put_int(&piece.w, 2);
    result = put_wrapper(&piece.w, digest, n_blocks, blocks, err);
    bl_cbor_put_int(&piece.w, 3);
    bl_cbor_put_bstr(&piece.w, body);
    if (text.n > 0) {
        bl_cbor_put_int(&piece.w, 23);
        bl_cbor_put_bstr(&piece.w, text);
    }
    put_integrated(&piece.w, manifest);
    if (result == 0) {
        result = piece_end(&piece, &bytes, err);
    }
    if (result == 0) {
        result = buffer_append(out, bytes.p, bytes.n, err);
    }
    piece_free(&piece);
    return result;
}

static int sign_all(bl_span body, struct author_key *const *keys, uint32_t n,
                    struct buffer *blocks, struct error *err)
{
    uint8_t digest[32];
    uint32_t i;

    digest_wrapped(body, digest);
    for (i = 0; i < n; i++) {
        if (add_block(keys[i], digest, blocks, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int author_envelope(const struct author_manifest *manifest,
                    struct author_key *const *keys, uint32_t n_keys,
                    struct buffer *out, struct error *err)
{
    struct buffer body = BUFFER(MANIFEST_MAX);
    struct buffer text = BUFFER(MANIFEST_MAX);
    struct buffer blocks = BUFFER(WRAPPER_LIMIT);
    int result = -1;

    if (n_keys < 1 || n_keys > BL_SUIT_BLOCKS) {
        return error_set(err, "manifest: %u keys, not 1 to %d", n_keys,
                         BL_SUIT_BLOCKS);
    }
    if (manifest_check(manifest, err) == 0 &&
        keys_distinct(keys, n_keys, err) == 0 &&
        manifest_encode(manifest, &body, &text, err) == 0 &&
        sign_all(buffer_span(&body), keys, n_keys, &blocks, err) == 0) {
        result = build(manifest, buffer_span(&body), buffer_span(&text),
                       n_keys, buffer_span(&blocks), out, err);
    }
    buffer_free(&body);
    buffer_free(&text);
    buffer_free(&blocks);
    return result == 0 ? 0 : error_prefix(err, "manifest");
}

/* --- Another signature --------------------------------------------------- */

/* What of an envelope has to be taken apart to add a block. */
struct opened {
    uint32_t pairs;
    uint8_t digest[32];
    uint32_t n_blocks;
    bl_span blocks; /* encoded byte strings */
    bl_span rest;   /* from envelope key 3 to the end */
};

static bl_status read_digest(bl_span item, uint8_t digest[32])
{
    struct bl_cbor r;
    uint32_t items;
    int64_t alg;
    bl_span value;

    bl_cbor_init(&r, item);
    if (bl_cbor_array(&r, &items) != BL_OK || items != 2 ||
        bl_cbor_int(&r, &alg) != BL_OK || alg != BL_ALG_SHA256 ||
        bl_cbor_bstr(&r, &value) != BL_OK || value.n != 32 ||
        bl_cbor_finish(&r) != BL_OK) {
        return BL_DIGEST;
    }
    memcpy(digest, value.p, 32);
    return BL_OK;
}

static bl_status read_wrapper(bl_span wrapper, struct opened *o)
{
    struct bl_cbor r;
    uint32_t items;
    uint32_t i;
    bl_span item;

    bl_cbor_init(&r, wrapper);
    if (bl_cbor_array(&r, &items) != BL_OK || items < 1 ||
        bl_cbor_bstr(&r, &item) != BL_OK) {
        return BL_ENVELOPE;
    }
    o->n_blocks = items - 1;
    o->blocks = bl_span_of(r.p, (size_t)(r.end - r.p));
    for (i = 1; i < items; i++) {
        bl_span block;

        if (bl_cbor_bstr(&r, &block) != BL_OK) {
            return BL_ENVELOPE;
        }
    }
    return bl_cbor_finish(&r) == BL_OK ? read_digest(item, o->digest)
                                       : BL_ENVELOPE;
}

static bl_status open_envelope(bl_span envelope, struct opened *o,
                               bl_span *manifest)
{
    struct bl_cbor r;
    uint64_t tag;
    uint64_t key;
    uint32_t i;
    bl_span wrapper;
    bl_status status;

    bl_cbor_init(&r, envelope);
    if (bl_cbor_tag(&r, &tag) != BL_OK || tag != 107 ||
        bl_cbor_map(&r, &o->pairs) != BL_OK || o->pairs < 2 ||
        bl_cbor_uint(&r, &key) != BL_OK || key != 2 ||
        bl_cbor_bstr(&r, &wrapper) != BL_OK) {
        return BL_ENVELOPE;
    }
    status = read_wrapper(wrapper, o);
    if (status != BL_OK) {
        return status;
    }
    o->rest = bl_span_of(r.p, (size_t)(r.end - r.p));
    if (bl_cbor_uint(&r, &key) != BL_OK || key != 3 ||
        bl_cbor_bstr(&r, manifest) != BL_OK) {
        return BL_ENVELOPE;
    }
    /* never more pairs than bytes, so twice as many is no overflow */
    for (i = 0; i < 2 * (o->pairs - 2); i++) {
        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return BL_ENVELOPE;
        }
    }
    return bl_cbor_finish(&r) == BL_OK ? BL_OK : BL_ENVELOPE;
}

static int signed_already(const struct opened *o, const struct author_key *key,
                          struct error *err)
{
    struct bl_cose_sign1 block;
    struct bl_cbor r;
    uint8_t item[40];
    char label[32];
    bl_span bytes;

    bl_cbor_init(&r, o->blocks);
    while (bl_cbor_peek(&r) != BL_CBOR_END) {
        if (bl_cbor_bstr(&r, &bytes) != BL_OK ||
            bl_cose_sign1_read(bytes, &block) != BL_OK) {
            return error_status(err, BL_COSE, "a signature that is there");
        }
        if (cose_is_by(key, block.kid, block.signature, "",
                       digest_item(o->digest, item), true)) {
            return error_set(err, "key %s has signed it already",
                             key_label(key, label));
        }
    }
    return 0;
}

static int check_before(bl_span envelope, const struct author_key *key,
                        struct opened *o, struct error *err)
{
    bl_span manifest;
    uint8_t digest[32];
    bl_status status = open_envelope(envelope, o, &manifest);

    if (status != BL_OK) {
        return error_status(err, status, "not a SUIT envelope");
    }
    /* What is signed is the digest; a signer must not take the sender's word
     * for which manifest that is. */
    digest_wrapped(manifest, digest);
    if (memcmp(digest, o->digest, sizeof digest) != 0) {
        return error_status(err, BL_MANIFEST_DIGEST, "will not sign");
    }
    if (o->n_blocks >= BL_SUIT_BLOCKS) {
        return error_set(err, "it has %u signatures, devices take %d",
                         o->n_blocks, BL_SUIT_BLOCKS);
    }
    return signed_already(o, key, err);
}

static int rebuild(const struct opened *o, bl_span blocks, struct buffer *out,
                   struct error *err)
{
    struct piece piece;
    bl_span bytes;
    int result;

    if (piece_begin(&piece, blocks.n + o->rest.n + 256, err) != 0) {
        return -1;
    }
    bl_cbor_put_tag(&piece.w, 107);
    bl_cbor_put_map(&piece.w, o->pairs);
    bl_cbor_put_int(&piece.w, 2);
    result = put_wrapper(&piece.w, o->digest, o->n_blocks + 1, blocks, err);
    bl_cbor_put_raw(&piece.w, o->rest);
    if (result == 0) {
        result = piece_end(&piece, &bytes, err);
    }
    if (result == 0) {
        result = buffer_append(out, bytes.p, bytes.n, err);
    }
    piece_free(&piece);
    return result;
}

int author_envelope_cosign(bl_span envelope, struct author_key *key,
                           struct buffer *out, struct error *err)
{
    struct buffer blocks = BUFFER(WRAPPER_LIMIT);
    struct opened o = {0};
    int result = -1;

    if (check_before(envelope, key, &o, err) == 0 &&
        buffer_append(&blocks, o.blocks.p, o.blocks.n, err) == 0 &&
        add_block(key, o.digest, &blocks, err) == 0) {
        result = rebuild(&o, buffer_span(&blocks), out, err);
    }
    buffer_free(&blocks);
    return result == 0 ? 0 : error_prefix(err, "manifest");
}
