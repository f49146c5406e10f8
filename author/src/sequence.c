/* SPDX-License-Identifier: Apache-2.0 */
#include "sequence.h"

void sequence_put(struct sequence *s, int code, unsigned policy)
{
    bl_cbor_put_int(&s->piece.w, code);
    bl_cbor_put_uint(&s->piece.w, policy);
    s->items += 2;
}

void sequence_override(struct sequence *s, uint32_t parameters)
{
    bl_cbor_put_int(&s->piece.w, DIR_OVERRIDE);
    bl_cbor_put_map(&s->piece.w, parameters);
    s->items += 2;
}

void sequence_index(struct sequence *s, uint32_t i)
{
    bl_cbor_put_int(&s->piece.w, DIR_SET_INDEX);
    bl_cbor_put_uint(&s->piece.w, i);
    s->items += 2;
}

void sequence_index_list(struct sequence *s, uint32_t n)
{
    uint32_t i;

    bl_cbor_put_int(&s->piece.w, DIR_SET_INDEX);
    bl_cbor_put_array(&s->piece.w, n);
    for (i = 0; i < n; i++) {
        bl_cbor_put_uint(&s->piece.w, i);
    }
    s->items += 2;
}

void sequence_index_all(struct sequence *s)
{
    bl_cbor_put_int(&s->piece.w, DIR_SET_INDEX);
    bl_cbor_put_bool(&s->piece.w, true);
    s->items += 2;
}

int sequence_begin(struct sequence *s, struct error *err)
{
    s->items = 0;
    return piece_begin(&s->piece, MANIFEST_MAX, err);
}

int sequence_end(struct sequence *s, struct bl_cbor_writer *w,
                 struct error *err)
{
    struct piece whole;
    bl_span body;
    bl_span bytes;
    int result = -1;

    if (piece_end(&s->piece, &body, err) == 0 &&
        piece_begin(&whole, body.n + 9, err) == 0) {
        bl_cbor_put_array(&whole.w, s->items);
        bl_cbor_put_raw(&whole.w, body);
        result = piece_end(&whole, &bytes, err);
        if (result == 0) {
            bl_cbor_put_bstr(w, bytes);
        }
        piece_free(&whole);
    }
    piece_free(&s->piece);
    return result;
}

void put_image(struct bl_cbor_writer *w, const uint8_t sha256[32],
               uint32_t size)
{
    bl_cbor_put_int(w, PARAM_DIGEST);
    put_digest_bstr(w, sha256);
    bl_cbor_put_int(w, PARAM_SIZE);
    bl_cbor_put_uint(w, size);
}
