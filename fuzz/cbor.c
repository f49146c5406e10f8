/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CBOR: walked item by item, and skipped whole. Whatever the
 * reader accepts, the writer must write back byte for byte. */
#include <stdlib.h>

#include "accept_all.h"
#include "bowline/cbor.h"

static bl_status copy_scalar(struct bl_cbor *r, struct bl_cbor_writer *w)
{
    uint64_t u;
    int64_t i;
    bool b;
    bl_span s;
    bl_status status = BL_CBOR;

    switch (bl_cbor_peek(r)) {
    case BL_CBOR_UINT:
        status = bl_cbor_uint(r, &u);
        if (status == BL_OK) {
            bl_cbor_put_uint(w, u);
        }
        break;
    case BL_CBOR_NINT:
        status = bl_cbor_int(r, &i);
        if (status == BL_OK) {
            bl_cbor_put_int(w, i);
        }
        break;
    case BL_CBOR_BSTR:
        status = bl_cbor_bstr(r, &s);
        if (status == BL_OK) {
            bl_cbor_put_bstr(w, s);
        }
        break;
    case BL_CBOR_TSTR:
        status = bl_cbor_tstr(r, &s);
        if (status == BL_OK) {
            bl_cbor_put_text(w, s);
        }
        break;
    case BL_CBOR_SIMPLE:
        status = bl_cbor_bool(r, &b);
        if (status == BL_OK) {
            bl_cbor_put_bool(w, b);
            break;
        }
        status = bl_cbor_nil(r);
        if (status == BL_OK) {
            bl_cbor_put_nil(w);
        }
        break;
    default:
        break;
    }
    return status;
}

static bl_status copy_head(struct bl_cbor *r, struct bl_cbor_writer *w)
{
    uint64_t tag;
    uint32_t n;
    bl_status status;

    switch (bl_cbor_peek(r)) {
    case BL_CBOR_ARRAY:
        status = bl_cbor_array(r, &n);
        if (status == BL_OK) {
            bl_cbor_put_array(w, n);
        }
        return status;
    case BL_CBOR_MAP:
        status = bl_cbor_map(r, &n);
        if (status == BL_OK) {
            bl_cbor_put_map(w, n);
        }
        return status;
    case BL_CBOR_TAG:
        status = bl_cbor_tag(r, &tag);
        if (status == BL_OK) {
            bl_cbor_put_tag(w, tag);
        }
        return status;
    default:
        return copy_scalar(r, w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bl_cbor r;
    struct bl_cbor_writer w;
    uint8_t *copy = malloc(size + 1);
    bl_span item;
    bl_span written;

    bl_cbor_init(&r, bl_span_of(data, size));
    if (bl_cbor_item(&r, &item) == BL_OK && item.n > size) {
        abort();
    }
    bl_cbor_init(&r, bl_span_of(data, size));
    bl_cbor_writer_init(&w, copy, size);
    while (bl_cbor_peek(&r) != BL_CBOR_END && copy_head(&r, &w) == BL_OK) {
    }
    if (bl_cbor_writer_finish(&w, &written) != BL_OK ||
        (written.n != 0 && memcmp(copy, data, written.n) != 0)) {
        abort();
    }
    free(copy);
    return 0;
}
