/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/push_package.h"

enum { PHASE_ENVELOPE, PHASE_HEAD, PHASE_PAYLOAD };
enum { MAJOR_UINT = 0, MAJOR_BSTR = 2, MAJOR_TSTR = 3, MAJOR_MAP = 5 };
enum { TAG_1 = 0xD8, TAG_2 = 0x6B, ENTRIES = 32 };

void bl_push_reader_init(struct bl_push_reader *r, uint8_t *envelope,
                         uint32_t size)
{
    memset(r, 0, sizeof(*r));
    r->envelope = envelope;
    r->envelope_size = size;
}

bool bl_push_is_package(bl_span begin)
{
    return begin.n >= 2 && begin.p[0] == TAG_1 && begin.p[1] == TAG_2;
}

bool bl_push_is_whole(const struct bl_push_reader *r)
{
    return r->phase == PHASE_HEAD && r->head_n == 0;
}

size_t bl_push_head(uint32_t size, uint8_t out[BL_PUSH_HEAD])
{
    size_t n = size < 24 ? 0 : size < 0x100 ? 1 : size < 0x10000 ? 2 : 4;
    uint8_t low = n == 0 ? (uint8_t)size : n == 1 ? 24U : n == 2 ? 25U : 26U;

    out[0] = (uint8_t)(MAJOR_BSTR << 5 | low);
    for (size_t i = 0; i < n; i++) {
        out[1 + i] = (uint8_t)(size >> (8 * (n - 1 - i)));
    }
    return 1 + n;
}

/* --- Heads of CBOR items ---------------------------------------------------
 */

/* Bytes of the head that begins so; 0: none that occurs here. */
static uint32_t head_size(uint8_t first)
{
    uint8_t low = first & 31U;

    if (low < 24) {
        return 1;
    }
    return low > 27 ? 0 : 1U + (1U << (low - 24));
}

static uint64_t head_value(const uint8_t *p, uint32_t n)
{
    uint64_t v = p[0] & 31U;

    if (n > 1) {
        v = 0;
        for (uint32_t i = 1; i < n; i++) {
            v = v << 8 | p[i];
        }
    }
    return v;
}

/* --- How long is an envelope? ----------------------------------------------
 */

struct walk {
    const uint8_t *p;
    uint32_t n;  /* bytes that are here */
    uint32_t at; /* ... and walked over; beyond n: so many are needed */
    bl_status status;
};

/* One head; false: it is not here yet, or the walk has failed. */
static bool walk_head(struct walk *w, uint8_t *major, uint64_t *value)
{
    uint32_t size;

    if (w->at >= w->n) {
        w->at++;
        return false;
    }
    size = head_size(w->p[w->at]);
    if (size == 0) {
        w->status = BL_ENVELOPE;
        return false;
    }
    if (size > w->n - w->at) {
        w->at += size;
        return false;
    }
    *major = w->p[w->at] >> 5;
    *value = head_value(w->p + w->at, size);
    w->at += size;
    return true;
}

/* A key or a value: a number, or a string with its bytes. */
static bool walk_item(struct walk *w)
{
    uint8_t major = 0;
    uint64_t value = 0;

    if (!walk_head(w, &major, &value)) {
        return false;
    }
    if (major == MAJOR_UINT) {
        return true;
    }
    if (major != MAJOR_BSTR && major != MAJOR_TSTR) {
        w->status = BL_ENVELOPE;
        return false;
    }
    if (value > UINT32_MAX / 2 - w->at) {
        w->status = BL_TOO_LARGE;
        return false;
    }
    w->at += (uint32_t)value;
    return w->at <= w->n;
}

/* True: all of it is here, `at` bytes. Else `at` is how many there are at
 * least. */
static bool walk_envelope(struct walk *w)
{
    uint8_t major = 0;
    uint64_t entries = 0;

    if (w->n < 2) {
        w->at = 2;
        return false;
    }
    if (!bl_push_is_package(bl_span_of(w->p, w->n))) {
        w->status = BL_ENVELOPE;
        return false;
    }
    w->at = 2;
    if (!walk_head(w, &major, &entries)) {
        return false;
    }
    if (major != MAJOR_MAP || entries == 0 || entries > ENTRIES) {
        w->status = BL_ENVELOPE;
        return false;
    }
    for (uint64_t i = 0; i < 2 * entries; i++) {
        if (!walk_item(w)) {
            return false;
        }
    }
    return true;
}

/* --- Taking ----------------------------------------------------------------
 */

static bl_span cut(bl_span *in, size_t most)
{
    bl_span piece = *in;

    piece.n = in->n < most ? in->n : most;
    in->p += piece.n;
    in->n -= piece.n;
    return piece;
}

static bl_status take_envelope(struct bl_push_reader *r, bl_span *in,
                               struct bl_push_part *part)
{
    while (true) {
        struct walk w = {r->envelope, r->envelope_n, 0, BL_OK};
        bl_span piece;

        if (walk_envelope(&w)) {
            part->what = BL_PUSH_ENVELOPE;
            part->bytes = bl_span_of(r->envelope, r->envelope_n);
            r->phase = PHASE_HEAD;
            return BL_OK;
        }
        if (w.status != BL_OK) {
            return w.status;
        }
        if (w.at > r->envelope_size) {
            return BL_TOO_LARGE;
        }
        if (in->n == 0) {
            return BL_OK;
        }
        piece = cut(in, w.at - r->envelope_n);
        memcpy(r->envelope + r->envelope_n, piece.p, piece.n);
        r->envelope_n += (uint32_t)piece.n;
    }
}

static bl_status take_head(struct bl_push_reader *r, bl_span *in,
                           struct bl_push_part *part)
{
    uint32_t size = r->head_n > 0 ? head_size(r->head[0]) : 1;
    uint64_t value;
    bl_span piece;

    while (r->head_n < size) {
        if (in->n == 0) {
            return BL_OK;
        }
        piece = cut(in, 1);
        r->head[r->head_n++] = piece.p[0];
        size = head_size(r->head[0]);
        if (size == 0 || r->head[0] >> 5 != MAJOR_BSTR) {
            return BL_CBOR;
        }
    }
    value = head_value(r->head, size);
    if (value > UINT32_MAX) {
        return BL_TOO_LARGE;
    }
    part->what = BL_PUSH_PAYLOAD;
    part->size = (uint32_t)value;
    r->left = part->size;
    r->head_n = 0;
    r->phase = r->left > 0 ? PHASE_PAYLOAD : PHASE_HEAD;
    return BL_OK;
}

bl_status bl_push_take(struct bl_push_reader *r, bl_span *in,
                       struct bl_push_part *part)
{
    memset(part, 0, sizeof(*part));
    if (r->phase == PHASE_ENVELOPE) {
        return take_envelope(r, in, part);
    }
    if (r->phase == PHASE_HEAD) {
        return take_head(r, in, part);
    }
    part->bytes = cut(in, r->left);
    part->what = part->bytes.n > 0 ? BL_PUSH_DATA : BL_PUSH_NOTHING;
    r->left -= (uint32_t)part->bytes.n;
    r->phase = r->left > 0 ? PHASE_PAYLOAD : PHASE_HEAD;
    return BL_OK;
}
