/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/cbor.h"

static size_t head_put(uint8_t out[9], unsigned major, uint64_t value)
{
    unsigned info = value < 24            ? (unsigned)value
                    : value <= UINT8_MAX  ? 24
                    : value <= UINT16_MAX ? 25
                    : value <= UINT32_MAX ? 26
                                          : 27;
    size_t n = info < 24 ? 0 : (size_t)1 << (info - 24);
    size_t i;

    out[0] = (uint8_t)(major << 5 | info);
    for (i = n; i > 0; i--) {
        out[i] = (uint8_t)value;
        value >>= 8;
    }
    return n + 1;
}

static void append(struct bl_cbor_writer *w, const void *p, size_t n)
{
    if (w->status != BL_OK || n > w->size - w->n) {
        w->status = BL_BUFFER;
        return;
    }
    if (n != 0) {
        memcpy(w->p + w->n, p, n);
        w->n += n;
    }
}

static void head(struct bl_cbor_writer *w, unsigned major, uint64_t value)
{
    uint8_t bytes[9];

    append(w, bytes, head_put(bytes, major, value));
}

void bl_cbor_writer_init(struct bl_cbor_writer *w, void *buffer, size_t size)
{
    w->p = (uint8_t *)buffer;
    w->size = size;
    w->n = 0;
    w->status = BL_OK;
}

void bl_cbor_put_uint(struct bl_cbor_writer *w, uint64_t v)
{
    head(w, BL_CBOR_UINT, v);
}

void bl_cbor_put_int(struct bl_cbor_writer *w, int64_t v)
{
    if (v < 0) {
        head(w, BL_CBOR_NINT, (uint64_t)(-1 - v));
    } else {
        head(w, BL_CBOR_UINT, (uint64_t)v);
    }
}

void bl_cbor_put_bstr(struct bl_cbor_writer *w, bl_span v)
{
    head(w, BL_CBOR_BSTR, v.n);
    append(w, v.p, v.n);
}

void bl_cbor_put_tstr(struct bl_cbor_writer *w, const char *v)
{
    bl_cbor_put_text(w, bl_span_of(v, strlen(v)));
}

void bl_cbor_put_text(struct bl_cbor_writer *w, bl_span v)
{
    head(w, BL_CBOR_TSTR, v.n);
    append(w, v.p, v.n);
}

void bl_cbor_put_array(struct bl_cbor_writer *w, uint32_t items)
{
    head(w, BL_CBOR_ARRAY, items);
}

void bl_cbor_put_map(struct bl_cbor_writer *w, uint32_t pairs)
{
    head(w, BL_CBOR_MAP, pairs);
}

void bl_cbor_put_tag(struct bl_cbor_writer *w, uint64_t tag)
{
    head(w, BL_CBOR_TAG, tag);
}

void bl_cbor_put_bool(struct bl_cbor_writer *w, bool v)
{
    head(w, BL_CBOR_SIMPLE, v ? 21 : 20);
}

void bl_cbor_put_nil(struct bl_cbor_writer *w)
{
    head(w, BL_CBOR_SIMPLE, 22);
}

void bl_cbor_put_raw(struct bl_cbor_writer *w, bl_span v)
{
    append(w, v.p, v.n);
}

size_t bl_cbor_bstr_head(uint8_t bytes[9], uint64_t n)
{
    return head_put(bytes, BL_CBOR_BSTR, n);
}

bl_status bl_cbor_writer_finish(const struct bl_cbor_writer *w, bl_span *out)
{
    if (w->status != BL_OK) {
        return w->status;
    }
    *out = bl_span_of(w->p, w->n);
    return BL_OK;
}
