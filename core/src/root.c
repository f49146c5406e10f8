/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/root.h"

#include "bowline/sha256.h"
#include "bowline/suit.h"
#include "label.h"

/* COSE_Key, RFC 9052 section 7, RFC 8778 section 4. */
enum { KTY_OKP = 1, KTY_EC2 = 2, KTY_HSS = 5 };
enum { CURVE_P256 = 1, CURVE_ED25519 = 6 };

/* What differs between the three kinds of key. */
struct key_form {
    int32_t alg;
    int8_t kty;
    int8_t curve; /* 0: no curve label, the key stands at -1 */
    bool has_y;
    uint8_t x_size; /* 0: bl_hss_verify's business */
};

static const struct key_form key_forms[] = {
    {BL_ALG_ESP256, KTY_EC2, CURVE_P256, true, 32},
    {BL_ALG_ED25519, KTY_OKP, CURVE_ED25519, false, 32},
    {BL_ALG_HSS_LMS, KTY_HSS, 0, false, 0},
};

static const struct key_form *form_of(int64_t alg)
{
    size_t i;

    for (i = 0; i < sizeof key_forms / sizeof key_forms[0]; i++) {
        if (key_forms[i].alg == alg) {
            return &key_forms[i];
        }
    }
    return NULL;
}

static bool has_form(const struct bl_key *key, const struct key_form *f)
{
    /* HSS public keys: 60 bytes with SHA-256, 52 with SHA-256/192. */
    bool x = f->x_size != 0 ? key->x.n == f->x_size
                            : key->x.n == 60 || key->x.n == 52;

    return x && key->y.n == (f->has_y ? 32u : 0u);
}

bl_status bl_key_id(const struct bl_key *key, uint8_t kid[BL_KID_SIZE])
{
    const struct key_form *f = form_of(key->alg);
    uint8_t bytes[80], digest[BL_SHA256_SIZE];
    struct bl_cbor_writer w;
    bl_span written;

    if (f == NULL || !has_form(key, f)) {
        return BL_ALGORITHM;
    }
    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_map(&w, 2u + (f->curve != 0) + f->has_y);
    bl_cbor_put_int(&w, 1);
    bl_cbor_put_int(&w, f->kty);
    bl_cbor_put_int(&w, -1);
    if (f->curve != 0) {
        bl_cbor_put_int(&w, f->curve);
        bl_cbor_put_int(&w, -2);
    }
    bl_cbor_put_bstr(&w, key->x);
    if (f->has_y) {
        bl_cbor_put_int(&w, -3);
        bl_cbor_put_bstr(&w, key->y);
    }
    if (bl_cbor_writer_finish(&w, &written) != BL_OK) {
        return BL_BUFFER;
    }
    bl_sha256(written.p, written.n, digest);
    memcpy(kid, digest, BL_KID_SIZE);
    return BL_OK;
}

/* {1: kty, 2: kid, 3: alg, ...}: nothing else in it, and the kid its own. */
static bl_status key_read(struct bl_cbor *r, struct bl_root_key *out)
{
    const struct key_form *f;
    uint64_t kty;
    uint32_t pairs;
    int64_t alg;
    bl_span kid;

    if (bl_cbor_map(r, &pairs) != BL_OK || !bl_label_uint(r, 1, &kty) ||
        !bl_label_bstr(r, 2, &kid) || !bl_label(r, 3) ||
        bl_cbor_int(r, &alg) != BL_OK) {
        return BL_ROOT;
    }
    f = form_of(alg);
    if (f == NULL || kty != (uint64_t)f->kty ||
        pairs != 4u + (f->curve != 0) + f->has_y ||
        (f->curve != 0 && !(bl_label(r, -1) && bl_label(r, f->curve))) ||
        !bl_label_bstr(r, f->curve != 0 ? -2 : -1, &out->key.x) ||
        (f->has_y && !bl_label_bstr(r, -3, &out->key.y))) {
        return BL_ROOT;
    }
    out->key.alg = f->alg;
    return bl_key_id(&out->key, out->kid) == BL_OK &&
                   bl_span_equal(kid, bl_span_of(out->kid, BL_KID_SIZE))
               ? BL_OK
               : BL_ROOT;
}

/* Index of the key with this kid, or n_keys. */
static uint32_t find_key(const struct bl_root *root, bl_span kid)
{
    uint32_t i;

    for (i = 0; i < root->n_keys; i++) {
        if (bl_span_equal(kid, bl_span_of(root->key[i].kid, BL_KID_SIZE))) {
            break;
        }
    }
    return i;
}

static bl_status keys_read(struct bl_cbor *r, struct bl_root *root)
{
    uint32_t n, i;

    if (!bl_label(r, 4) || bl_cbor_array(r, &n) != BL_OK || n == 0 ||
        n > BL_ROOT_KEYS) {
        return BL_ROOT;
    }
    for (i = 0; i < n; i++) {
        if (key_read(r, &root->key[i]) != BL_OK ||
            find_key(root, bl_span_of(root->key[i].kid, BL_KID_SIZE)) != i) {
            return BL_ROOT; /* malformed, or the same key once more */
        }
        root->n_keys = i + 1;
    }
    return BL_OK;
}

static uint32_t count_bits(uint32_t mask)
{
    uint32_t n;

    for (n = 0; mask != 0; n++) {
        mask &= mask - 1;
    }
    return n;
}

static bool has_kind(const struct bl_root *root, uint8_t mask, int32_t alg)
{
    uint32_t i;

    for (i = 0; i < root->n_keys; i++) {
        if ((mask >> i & 1) != 0 && root->key[i].key.alg == alg) {
            return true;
        }
    }
    return false;
}

static bl_status role_keys_read(struct bl_cbor *r, const struct bl_root *root,
                                uint8_t *mask)
{
    uint32_t n, i, key;
    bl_span kid;

    if (!bl_label(r, 2) || bl_cbor_array(r, &n) != BL_OK) {
        return BL_ROOT;
    }
    for (i = 0; i < n; i++) {
        if (bl_cbor_bstr(r, &kid) != BL_OK) {
            return BL_ROOT;
        }
        key = find_key(root, kid);
        if (key == root->n_keys || (*mask >> key & 1) != 0) {
            return BL_ROOT;
        }
        *mask = (uint8_t)(*mask | 1u << key);
    }
    return BL_OK;
}

/* An array of byte strings. */
static bl_status prefix_read(struct bl_cbor *r, bl_span *out)
{
    struct bl_cbor inner = *r;
    uint32_t n;
    bl_span part;

    if (bl_cbor_array(&inner, &n) != BL_OK) {
        return BL_ROOT;
    }
    for (; n > 0; n--) {
        if (bl_cbor_bstr(&inner, &part) != BL_OK) {
            return BL_ROOT;
        }
    }
    *out = bl_span_of(r->p, (size_t)(inner.p - r->p));
    *r = inner;
    return BL_OK;
}

/* An empty list would mean "no component", which a role without the element
 * means the opposite of: it is refused. */
static bl_status prefixes_read(struct bl_cbor *r, struct bl_root_role *role)
{
    uint32_t n, i;

    if (bl_cbor_array(r, &n) != BL_OK || n == 0 || n > BL_ROOT_PREFIXES) {
        return BL_ROOT;
    }
    for (i = 0; i < n; i++) {
        if (prefix_read(r, &role->prefix[i]) != BL_OK) {
            return BL_ROOT;
        }
    }
    role->n_prefixes = (uint8_t)n;
    return BL_OK;
}

static bl_status kinds_read(struct bl_cbor *r, const struct bl_root *root,
                            struct bl_root_role *role)
{
    uint32_t n, i, j;
    int64_t alg;

    if (bl_cbor_array(r, &n) != BL_OK || n == 0 || n > BL_ROOT_KINDS) {
        return BL_ROOT;
    }
    for (i = 0; i < n; i++) {
        if (bl_cbor_int(r, &alg) != BL_OK || form_of(alg) == NULL ||
            !has_kind(root, role->keys, (int32_t)alg)) {
            return BL_ROOT;
        }
        for (j = 0; j < i; j++) {
            if (role->kind[j] == (int32_t)alg) {
                return BL_ROOT;
            }
        }
        role->kind[i] = (int32_t)alg;
    }
    role->n_kinds = (uint8_t)n;
    return BL_OK;
}

static bl_status role_read(struct bl_cbor *r, const struct bl_root *root,
                           struct bl_root_role *role)
{
    uint32_t pairs;
    uint64_t threshold;

    if (bl_cbor_map(r, &pairs) != BL_OK || pairs < 2 ||
        !bl_label_uint(r, 1, &threshold) ||
        role_keys_read(r, root, &role->keys) != BL_OK || threshold < 1 ||
        threshold > count_bits(role->keys)) {
        return BL_ROOT;
    }
    role->threshold = (uint32_t)threshold;
    pairs -= 2;
    if (pairs > 0 && bl_label(r, 3)) {
        pairs--;
        if (prefixes_read(r, role) != BL_OK) {
            return BL_ROOT;
        }
    }
    if (pairs > 0 && bl_label(r, 4)) {
        pairs--;
        if (kinds_read(r, root, role) != BL_OK) {
            return BL_ROOT;
        }
    }
    return pairs == 0 ? BL_OK : BL_ROOT;
}

static bl_status roles_read(struct bl_cbor *r, struct bl_root *root)
{
    const struct bl_root_role *ticket = &root->role[BL_ROLE_TICKET];
    const struct bl_root_role *release = &root->role[BL_ROLE_RELEASE];
    uint32_t n;
    int i;

    if (!bl_label(r, 5) || bl_cbor_map(r, &n) != BL_OK ||
        n != BL_ROLE_TICKET) {
        return BL_ROOT;
    }
    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        if (!bl_label(r, i) || role_read(r, root, &root->role[i]) != BL_OK) {
            return BL_ROOT;
        }
    }
    /* A ticket has one signature, an envelope BL_SUIT_BLOCKS: more could never
     * be reached, and no release would ever be taken again. */
    return ticket->threshold == 1 && ticket->n_kinds <= 1 &&
                   release->threshold <= BL_SUIT_BLOCKS &&
                   release->n_kinds <= BL_SUIT_BLOCKS
               ? BL_OK
               : BL_ROOT;
}

/* ?6: floor, ?7: ceiling. */
static bl_status limits_read(struct bl_cbor *r, uint32_t pairs,
                             struct bl_root *root)
{
    root->floor = 0;
    root->ceiling = UINT64_MAX;
    if (pairs > 0 && bl_label_uint(r, 6, &root->floor)) {
        pairs--;
    }
    if (pairs > 0 && bl_label_uint(r, 7, &root->ceiling)) {
        pairs--;
    }
    return pairs == 0 && root->floor <= root->ceiling ? BL_OK : BL_ROOT;
}

static bl_status content_read(bl_span content, struct bl_root *root)
{
    struct bl_cbor r;
    uint32_t pairs;

    bl_cbor_init(&r, content);
    if (bl_cbor_map(&r, &pairs) != BL_OK || pairs < 5 || !bl_label(&r, 1) ||
        !bl_label(&r, 1) || !bl_label_uint(&r, 2, &root->version) ||
        !bl_label_uint(&r, 3, &root->issued) || keys_read(&r, root) != BL_OK ||
        roles_read(&r, root) != BL_OK ||
        limits_read(&r, pairs - 5, root) != BL_OK) {
        return BL_ROOT;
    }
    return bl_cbor_finish(&r) == BL_OK ? BL_OK : BL_ROOT;
}

bl_status bl_root_read(bl_span document, struct bl_root *out)
{
    struct bl_cose_sign message;

    memset(out, 0, sizeof *out);
    if (bl_cose_sign_read(document, &message) == BL_OK &&
        content_read(message.payload, out) == BL_OK) {
        return BL_OK;
    }
    memset(out, 0, sizeof *out); /* no thresholds: nothing satisfies it */
    return BL_ROOT;
}

bool bl_root_may_write(const struct bl_root *root, int role,
                       bl_span component_id)
{
    const struct bl_root_role *r = &root->role[role];
    struct bl_cbor id, prefix;
    uint32_t parts, n, i;

    if (r->n_prefixes == 0) {
        return true;
    }
    bl_cbor_init(&id, component_id);
    if (bl_cbor_array(&id, &parts) != BL_OK) {
        return false;
    }
    for (i = 0; i < r->n_prefixes; i++) {
        bl_cbor_init(&prefix, r->prefix[i]);
        /* Whole items on both sides: equal bytes are equal parts. */
        if (bl_cbor_array(&prefix, &n) == BL_OK && n <= parts) {
            size_t size = (size_t)(prefix.end - prefix.p);

            if (size <= (size_t)(id.end - id.p) &&
                memcmp(prefix.p, id.p, size) == 0) {
                return true;
            }
        }
    }
    return false;
}
