/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/cbor.h"

/* One initial byte with its argument: shortest form only. */
struct head {
    uint64_t value;
    uint8_t major;
    uint8_t info;
};

static bl_status head_read(struct bl_cbor *r, struct head *h)
{
    size_t left = (size_t)(r->end - r->p);
    size_t n, i;

    if (left == 0) {
        return BL_CBOR;
    }
    h->major = r->p[0] >> 5;
    h->info = r->p[0] & 31;
    h->value = h->info;
    if (h->info < 24) {
        r->p++;
        return BL_OK;
    }
    if (h->info > 27) { /* reserved, or indefinite length */
        return BL_CBOR;
    }
    n = (size_t)1 << (h->info - 24);
    if (left - 1 < n) {
        return BL_CBOR;
    }
    h->value = 0;
    for (i = 1; i <= n; i++) {
        h->value = h->value << 8 | r->p[i];
    }
    if (n == 1 ? h->value < 24 : h->value >> (4 * n) == 0) {
        return BL_CBOR; /* a shorter form would have held it */
    }
    r->p += n + 1;
    return BL_OK;
}

/* Reads a head of one kind; leaves the reader alone if it is another. */
static bl_status head_of(struct bl_cbor *r, unsigned major, uint64_t *value)
{
    struct bl_cbor ahead = *r;
    struct head h;

    if (head_read(&ahead, &h) != BL_OK || h.major != major) {
        return BL_CBOR;
    }
    *value = h.value;
    *r = ahead;
    return BL_OK;
}

void bl_cbor_init(struct bl_cbor *r, bl_span bytes)
{
    static const uint8_t nothing = 0;

    r->p = bytes.n == 0 ? &nothing : bytes.p;
    r->end = r->p + bytes.n;
}

bl_cbor_type bl_cbor_peek(const struct bl_cbor *r)
{
    return r->p == r->end ? BL_CBOR_END : (bl_cbor_type)(r->p[0] >> 5);
}

bl_status bl_cbor_finish(const struct bl_cbor *r)
{
    return r->p == r->end ? BL_OK : BL_CBOR;
}

bl_status bl_cbor_uint(struct bl_cbor *r, uint64_t *out)
{
    return head_of(r, BL_CBOR_UINT, out);
}

bl_status bl_cbor_int(struct bl_cbor *r, int64_t *out)
{
    struct bl_cbor ahead = *r;
    struct head h;

    if (head_read(&ahead, &h) != BL_OK || h.major > BL_CBOR_NINT ||
        h.value > INT64_MAX) {
        return BL_CBOR;
    }
    *out = h.major == BL_CBOR_UINT ? (int64_t)h.value : -1 - (int64_t)h.value;
    *r = ahead;
    return BL_OK;
}

/* Length of the UTF-8 sequence at `p`, 0 when it is none: RFC 3629, without
 * surrogates, overlong forms and values above U+10FFFF. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xBF;
    size_t n, i;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xC2 || p[0] > 0xF4) {
        return 0;
    }
    n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : low;
    high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : high;
    if (left < n || p[1] < low || p[1] > high) {
        return 0;
    }
    for (i = 2; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool bl_cbor_is_utf8(bl_span text)
{
    size_t at, n;

    for (at = 0; at < text.n; at += n) {
        n = utf8_length(text.p + at, text.n - at);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

static bl_status string(struct bl_cbor *r, unsigned major, bl_span *out)
{
    struct bl_cbor ahead = *r;
    uint64_t n;
    bl_span s;

    if (head_of(&ahead, major, &n) != BL_OK ||
        n > (size_t)(ahead.end - ahead.p)) {
        return BL_CBOR;
    }
    s = bl_span_of(ahead.p, (size_t)n);
    if (major == BL_CBOR_TSTR && !bl_cbor_is_utf8(s)) {
        return BL_CBOR;
    }
    *out = s;
    r->p = s.p + s.n;
    return BL_OK;
}

bl_status bl_cbor_bstr(struct bl_cbor *r, bl_span *out)
{
    return string(r, BL_CBOR_BSTR, out);
}

bl_status bl_cbor_tstr(struct bl_cbor *r, bl_span *out)
{
    return string(r, BL_CBOR_TSTR, out);
}

/* Each item takes a byte at least: a count above what is left is a lie, and
 * refusing it here bounds every loop over items. */
static bl_status count(struct bl_cbor *r, unsigned major, uint32_t *out)
{
    struct bl_cbor ahead = *r;
    size_t left;
    uint64_t n;

    if (head_of(&ahead, major, &n) != BL_OK || n > INT32_MAX) {
        return BL_CBOR;
    }
    left = (size_t)(ahead.end - ahead.p);
    if (n > (major == BL_CBOR_MAP ? left / 2 : left)) {
        return BL_CBOR;
    }
    *out = (uint32_t)n;
    *r = ahead;
    return BL_OK;
}

bl_status bl_cbor_array(struct bl_cbor *r, uint32_t *items)
{
    return count(r, BL_CBOR_ARRAY, items);
}

bl_status bl_cbor_map(struct bl_cbor *r, uint32_t *pairs)
{
    return count(r, BL_CBOR_MAP, pairs);
}

bl_status bl_cbor_tag(struct bl_cbor *r, uint64_t *out)
{
    return head_of(r, BL_CBOR_TAG, out);
}

bl_status bl_cbor_bool(struct bl_cbor *r, bool *out)
{
    if (r->p == r->end || (*r->p & 0xFE) != 0xF4) {
        return BL_CBOR;
    }
    *out = *r->p++ == 0xF5;
    return BL_OK;
}

bl_status bl_cbor_nil(struct bl_cbor *r)
{
    if (r->p == r->end || *r->p != 0xF6) {
        return BL_CBOR;
    }
    r->p++;
    return BL_OK;
}

/*
 * bl_cbor_item without recursion: one level per container that is open. A
 * tag is a container of one. In a map, the items count keys and values, so
 * an even rest means that a key comes next.
 */
struct level {
    uint32_t left;      /* items still to read here */
    const uint8_t *key; /* where the key being read began */
    bl_span last;       /* the key before it */
    bool map;
};

struct walk {
    struct bl_cbor r;
    struct level level[BL_CBOR_DEPTH + 1];
    unsigned depth;
};

static bool ascends(bl_span before, bl_span after)
{
    size_t n = before.n < after.n ? before.n : after.n;

    /* No encoding is a prefix of another: the common part decides. */
    return before.p == NULL || memcmp(before.p, after.p, n) < 0;
}

/* Reads one item's head, and its content unless that is items again. */
static bl_status enter(struct walk *w)
{
    bl_cbor_type type = bl_cbor_peek(&w->r);
    uint32_t items = 1; /* of a tag */
    struct level *l;
    struct head h;
    bl_span bytes;

    switch (type) {
    case BL_CBOR_BSTR:
    case BL_CBOR_TSTR:
        return string(&w->r, type, &bytes);
    case BL_CBOR_ARRAY:
    case BL_CBOR_MAP:
        if (count(&w->r, type, &items) != BL_OK) {
            return BL_CBOR;
        }
        break;
    default:
        if (head_read(&w->r, &h) != BL_OK ||
            (type == BL_CBOR_SIMPLE && (h.value < 20 || h.value > 22))) {
            return BL_CBOR;
        }
        if (type != BL_CBOR_TAG) {
            return BL_OK;
        }
    }
    if (w->depth == BL_CBOR_DEPTH) {
        return BL_CBOR;
    }
    l = &w->level[++w->depth];
    l->map = type == BL_CBOR_MAP;
    l->left = l->map ? items * 2 : items;
    l->last = bl_span_of(NULL, 0);
    return BL_OK;
}

/* Closes whatever the item just read completes. */
static bl_status leave(struct walk *w)
{
    for (;;) {
        struct level *l = &w->level[w->depth];

        if (l->map && l->left % 2 == 1) { /* a key has just ended */
            /* NOLINTNEXTLINE: a map's level has its key when left is odd */
            bl_span key = bl_span_of(l->key, (size_t)(w->r.p - l->key));

            if (!ascends(l->last, key)) {
                return BL_CBOR;
            }
            l->last = key;
        }
        if (l->left != 0 || w->depth == 0) {
            return BL_OK;
        }
        w->depth--;
    }
}

bl_status bl_cbor_item(struct bl_cbor *r, bl_span *out)
{
    struct walk w;

    w.r = *r;
    w.depth = 0;
    w.level[0].left = 1;
    w.level[0].map = false;
    while (w.level[w.depth].left != 0) {
        struct level *l = &w.level[w.depth];

        if (l->left-- % 2 == 0) {
            l->key = w.r.p;
        }
        if (enter(&w) != BL_OK || leave(&w) != BL_OK) {
            return BL_CBOR;
        }
    }
    if (out != NULL) {
        *out = bl_span_of(r->p, (size_t)(w.r.p - r->p));
    }
    *r = w.r;
    return BL_OK;
}

bl_status bl_cbor_key_order(const struct bl_cbor *r, bl_span *last)
{
    struct bl_cbor ahead = *r;
    bl_span key;

    if (bl_cbor_item(&ahead, &key) != BL_OK || !ascends(*last, key)) {
        return BL_CBOR;
    }
    *last = key;
    return BL_OK;
}

bl_status bl_cbor_next_key(struct bl_cbor *r, uint64_t *next, uint64_t *key)
{
    struct bl_cbor ahead = *r;
    uint64_t value;

    /* In their shortest form, numbers ascend as their encodings do. */
    if (bl_cbor_uint(&ahead, &value) != BL_OK || value < *next ||
        value == UINT64_MAX) {
        return BL_CBOR;
    }
    *next = value + 1;
    *key = value;
    *r = ahead;
    return BL_OK;
}
