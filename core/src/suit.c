/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/suit.h"

#include "bowline/sha256.h"
#include "suit_private.h"

enum {
    TAG_ENVELOPE = 107,
    KEY_AUTHENTICATION = 2,
    KEY_MANIFEST = 3,
    KEY_FETCH = 16,
    KEY_INSTALL = 20,
    KEY_TEXT = 23
};

bl_status bl_suit_digest(bl_span item, const uint8_t **digest)
{
    struct bl_cbor r;
    uint32_t items;
    int64_t alg;
    bl_span bytes;

    bl_cbor_init(&r, item);
    if (bl_cbor_array(&r, &items) != BL_OK || items != 2 ||
        bl_cbor_int(&r, &alg) != BL_OK || bl_cbor_bstr(&r, &bytes) != BL_OK ||
        bl_cbor_finish(&r) != BL_OK) {
        return BL_DIGEST;
    }
    if (alg != BL_ALG_SHA256) {
        return BL_ALGORITHM;
    }
    if (bytes.n != BL_SHA256_SIZE) {
        return BL_DIGEST;
    }
    *digest = bytes.p;
    return BL_OK;
}

bl_verdict bl_suit_wrapped_match(bl_span content, const uint8_t digest[32])
{
    struct bl_sha256 hash;
    uint8_t head[9];
    uint8_t own[BL_SHA256_SIZE];

    bl_sha256_init(&hash);
    bl_sha256_update(&hash, head, bl_cbor_bstr_head(head, content.n));
    bl_sha256_update(&hash, content.p, content.n);
    bl_sha256_final(&hash, own);
    return bl_equal(own, digest, sizeof own);
}

static bl_status read_block(bl_span bytes, struct bl_suit_envelope *out)
{
    struct bl_cose_sign1 *block = &out->block[out->n_blocks];
    bl_status status = bl_cose_sign1_read(bytes, block);

    if (status != BL_OK) {
        return status;
    }
    /* What is signed is the digest in the wrapper, never bytes of the
     * signature's own. */
    if (block->attached) {
        return BL_COSE;
    }
    out->n_blocks++;
    return BL_OK;
}

static bl_status read_authentication(bl_span wrapper,
                                     struct bl_suit_envelope *out)
{
    struct bl_cbor r;
    uint32_t items;
    bl_span bytes;
    const uint8_t *digest;
    bl_status status;

    bl_cbor_init(&r, wrapper);
    if (bl_cbor_array(&r, &items) != BL_OK || items == 0 ||
        bl_cbor_bstr(&r, &out->digest_item) != BL_OK) {
        return BL_ENVELOPE;
    }
    status = bl_suit_digest(out->digest_item, &digest);
    if (status != BL_OK) {
        return status;
    }
    memcpy(out->digest, digest, sizeof out->digest);
    if (items - 1 > BL_SUIT_BLOCKS) {
        return BL_TOO_LARGE;
    }
    while (--items > 0) {
        if (bl_cbor_bstr(&r, &bytes) != BL_OK) {
            return BL_ENVELOPE;
        }
        status = read_block(bytes, out);
        if (status != BL_OK) {
            return status;
        }
    }
    return bl_cbor_finish(&r);
}

static bl_status read_integrated(struct bl_cbor *r,
                                 struct bl_suit_envelope *out)
{
    uint32_t i = out->n_integrated;

    if (i == BL_SUIT_INTEGRATED) {
        return BL_TOO_LARGE;
    }
    if (bl_cbor_tstr(r, &out->integrated[i].key) != BL_OK ||
        bl_cbor_bstr(r, &out->integrated[i].content) != BL_OK) {
        return BL_ENVELOPE;
    }
    out->n_integrated++;
    return BL_OK;
}

static bl_status read_element(struct bl_cbor *r, bl_span *wrapper,
                              struct bl_suit_envelope *out)
{
    uint64_t key;
    bl_span *element;

    if (bl_cbor_peek(r) == BL_CBOR_TSTR) {
        return read_integrated(r, out);
    }
    if (bl_cbor_uint(r, &key) != BL_OK) {
        return BL_ENVELOPE;
    }
    switch (key) {
    case KEY_AUTHENTICATION:
        element = wrapper;
        break;
    case KEY_MANIFEST:
        element = &out->manifest;
        break;
    case KEY_FETCH:
        element = &out->fetch;
        break;
    case KEY_INSTALL:
        element = &out->install;
        break;
    case KEY_TEXT:
        element = &out->text;
        break;
    default:
        return BL_SEVERED;
    }
    return bl_cbor_bstr(r, element) == BL_OK ? BL_OK : BL_ENVELOPE;
}

static bl_status read_envelope(bl_span envelope, struct bl_suit_envelope *out)
{
    struct bl_cbor r;
    uint64_t tag;
    uint32_t pairs;
    bl_span last = {NULL, 0};
    bl_span wrapper = {NULL, 0};
    bl_status status = BL_OK;

    bl_cbor_init(&r, envelope);
    if (bl_cbor_tag(&r, &tag) != BL_OK || tag != TAG_ENVELOPE ||
        bl_cbor_map(&r, &pairs) != BL_OK) {
        return BL_ENVELOPE;
    }
    for (; status == BL_OK && pairs > 0; pairs--) {
        status = bl_cbor_key_order(&r, &last);
        if (status == BL_OK) {
            status = read_element(&r, &wrapper, out);
        }
    }
    if (status == BL_OK) {
        status = bl_cbor_finish(&r);
    }
    if (status != BL_OK) {
        return status;
    }
    return wrapper.n == 0 || out->manifest.n == 0
               ? BL_ENVELOPE
               : read_authentication(wrapper, out);
}

bl_status bl_suit_read(bl_span envelope, struct bl_suit_envelope *out)
{
    bl_status status;

    memset(out, 0, sizeof *out);
    status = read_envelope(envelope, out);
    if (status != BL_OK) {
        memset(out, 0, sizeof *out);
    }
    return status;
}

bl_status bl_suit_authenticate(const struct bl_suit_envelope *envelope,
                               const struct bl_root *root,
                               const struct bl_crypto *crypto,
                               uint8_t *signers)
{
    bl_status status = bl_root_check(root, BL_ROLE_RELEASE, envelope->block,
                                     envelope->n_blocks, bl_span_of(NULL, 0),
                                     envelope->digest_item, crypto, signers);

    if (status != BL_OK) {
        return status;
    }
    if (bl_suit_wrapped_match(envelope->manifest, envelope->digest) !=
        BL_GOOD) {
        return BL_MANIFEST_DIGEST;
    }
    return BL_OK;
}
