/* SPDX-License-Identifier: Apache-2.0 */
/* The patches of a manifest: which image each is for, and what it makes. */
#include "describe.h"

enum { DEPTH = 6, DIGEST = 32 };

enum {
    SET_INDEX = 12,
    TRY_EACH = 15,
    OVERRIDE = 20,
    RUN_SEQUENCE = 32,
    APPLY = -257,
    PARAM_DIGEST = 3,
    PARAM_SIZE = 14,
    PARAM_SOURCE = 22,
    PARAM_DELTA = -258
};

struct walk {
    struct call *call;
    const struct bl_suit_manifest *manifest;
    json_t *list;
    uint64_t selected;
    struct {
        bl_span digest;
        uint64_t size;
        uint64_t source;
        uint64_t base;
    } of[BL_SUIT_COMPONENTS];
};

/* bstr .cbor [algorithm, digest] */
static bool read_digest(struct bl_cbor *r, bl_span *out)
{
    bl_span wrapped;
    struct bl_cbor in;
    uint32_t n;

    if (bl_cbor_bstr(r, &wrapped) != BL_OK) {
        return false;
    }
    bl_cbor_init(&in, wrapped);
    return bl_cbor_array(&in, &n) == BL_OK && n == 2 &&
           bl_cbor_item(&in, NULL) == BL_OK &&
           bl_cbor_bstr(&in, out) == BL_OK && out->n == DIGEST;
}

/* bstr .cbor {1: transform, 2: base} */
static bool read_base(struct bl_cbor *r, uint64_t *out)
{
    bl_span wrapped;
    struct bl_cbor in;
    uint32_t n;
    uint64_t key;

    if (bl_cbor_bstr(r, &wrapped) != BL_OK) {
        return false;
    }
    bl_cbor_init(&in, wrapped);
    return bl_cbor_map(&in, &n) == BL_OK && n == 2 &&
           bl_cbor_item(&in, NULL) == BL_OK &&
           bl_cbor_item(&in, NULL) == BL_OK &&
           bl_cbor_uint(&in, &key) == BL_OK && key == 2 &&
           bl_cbor_uint(&in, out) == BL_OK;
}

static bool parameter(struct walk *w, struct bl_cbor *r)
{
    uint64_t i = w->selected;
    int64_t label;

    if (bl_cbor_int(r, &label) != BL_OK) {
        return false;
    }
    switch (label) {
    case PARAM_DIGEST:
        return read_digest(r, &w->of[i].digest);
    case PARAM_SIZE:
        return bl_cbor_uint(r, &w->of[i].size) == BL_OK;
    case PARAM_SOURCE:
        return bl_cbor_uint(r, &w->of[i].source) == BL_OK;
    case PARAM_DELTA:
        return read_base(r, &w->of[i].base);
    default:
        return bl_cbor_item(r, NULL) == BL_OK;
    }
}

static bool override(struct walk *w, struct bl_cbor *r)
{
    uint32_t pairs;

    if (bl_cbor_map(r, &pairs) != BL_OK) {
        return false;
    }
    while (pairs-- > 0) {
        if (!parameter(w, r)) {
            return false;
        }
    }
    return true;
}

/* Of several, the first: a patch makes one image. */
static bool set_index(struct walk *w, struct bl_cbor *r)
{
    bl_span item;
    struct bl_cbor in;
    uint32_t n;

    if (bl_cbor_item(r, &item) != BL_OK) {
        return false;
    }
    bl_cbor_init(&in, item);
    if (bl_cbor_peek(&in) == BL_CBOR_ARRAY &&
        bl_cbor_array(&in, &n) != BL_OK) {
        return false;
    }
    if (bl_cbor_uint(&in, &w->selected) != BL_OK) {
        w->selected = 0;
    }
    return w->selected < w->manifest->n_components;
}

static bool apply(struct walk *w, struct bl_cbor *r)
{
    uint64_t i = w->selected;
    uint64_t source = w->of[i].source;
    uint64_t base = w->of[i].base;
    json_t *row;

    if (bl_cbor_item(r, NULL) != BL_OK || source >= BL_SUIT_COMPONENTS ||
        base >= BL_SUIT_COMPONENTS || w->of[base].digest.n != DIGEST ||
        w->of[source].digest.n != DIGEST) {
        return false;
    }
    row = json_object();
    put_text(row, "component",
             describe_component(w->call, w->manifest->component[i]));
    put_text(row, "for", keep_hex(w->call, w->of[base].digest.p, DIGEST));
    put_text(row, "patch", keep_hex(w->call, w->of[source].digest.p, DIGEST));
    put_number(row, "size", w->of[source].size);
    (void)json_array_append_new(w->list, row);
    return true;
}

static bool sequence(struct walk *w, bl_span bytes, int depth);

/* Nesting is bounded by DEPTH; the scan before has bounded it already. */
static bool try_each(struct walk *w, struct bl_cbor *r, int depth)
{
    uint64_t selected = w->selected;
    uint32_t n;
    bl_span body;

    if (bl_cbor_array(r, &n) != BL_OK) {
        return false;
    }
    for (; n > 0; n--) {
        w->selected = selected;
        if (bl_cbor_nil(r) != BL_OK && (bl_cbor_bstr(r, &body) != BL_OK ||
                                        !sequence(w, body, depth + 1))) {
            return false;
        }
    }
    w->selected = selected;
    return true;
}

static bool run_sequence(struct walk *w, struct bl_cbor *r, int depth)
{
    uint64_t selected = w->selected;
    bl_span body;
    bool good =
        bl_cbor_bstr(r, &body) == BL_OK && sequence(w, body, depth + 1);

    w->selected = selected;
    return good;
}

static bool command(struct walk *w, struct bl_cbor *r, int depth)
{
    int64_t code;

    if (bl_cbor_int(r, &code) != BL_OK) {
        return false;
    }
    switch (code) {
    case SET_INDEX:
        return set_index(w, r);
    case OVERRIDE:
        return override(w, r);
    case TRY_EACH:
        return try_each(w, r, depth);
    case RUN_SEQUENCE:
        return run_sequence(w, r, depth);
    case APPLY:
        return apply(w, r);
    default:
        return bl_cbor_item(r, NULL) == BL_OK;
    }
}

static bool sequence(struct walk *w, bl_span bytes, int depth)
{
    struct bl_cbor r;
    uint32_t items;

    bl_cbor_init(&r, bytes);
    if (depth > DEPTH || bl_cbor_array(&r, &items) != BL_OK) {
        return false;
    }
    for (items /= 2; items > 0; items--) {
        if (!command(w, &r, depth)) {
            return false;
        }
    }
    return true;
}

json_t *describe_deltas(struct call *c, const struct bl_suit_manifest *m)
{
    const bl_span *part[] = {&m->shared, &m->fetch, &m->install};
    struct walk w;
    size_t i;

    memset(&w, 0, sizeof w);
    w.call = c;
    w.manifest = m;
    w.list = json_array();
    for (i = 0; i < sizeof part / sizeof part[0]; i++) {
        w.selected = 0;
        if (part[i]->n > 0 && !sequence(&w, *part[i], 0)) {
            break;
        }
    }
    return w.list;
}
