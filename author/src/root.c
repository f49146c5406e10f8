/* SPDX-License-Identifier: Apache-2.0 */
/* Root documents (bowline/root.h): which keys hold which role. */
#include "bowline/suit.h"
#include "component.h"
#include "document.h"
#include "key.h"

#define ROOT_AAD "Bowline-Root-1"

enum { ROOT_MAX = 16384, SIGNATURES_MAX = 65536, FORMAT = 1 };

static const char *const role_name[4] = {"", "root", "release", "ticket"};

/* --- Content ------------------------------------------------------------- */

/* Every key once, in the order of their first mention. */
struct key_list {
    const struct author_key *key[3 * BL_ROOT_KEYS];
    uint32_t n;
};

static void collect(struct key_list *list, const struct author_key *key)
{
    uint32_t i;

    for (i = 0; i < list->n; i++) {
        if (memcmp(author_key_kid(list->key[i]), author_key_kid(key),
                   BL_KID_SIZE) == 0) {
            return;
        }
    }
    list->key[list->n] = key;
    list->n++;
}

static void put_head(struct bl_cbor_writer *w, uint32_t members, int kty,
                     const struct author_key *key)
{
    bl_cbor_put_map(w, members);
    bl_cbor_put_int(w, 1);
    bl_cbor_put_int(w, kty);
    bl_cbor_put_int(w, 2);
    bl_cbor_put_bstr(w, bl_span_of(author_key_kid(key), BL_KID_SIZE));
    bl_cbor_put_int(w, 3);
    bl_cbor_put_int(w, author_key_public(key)->alg);
}

/* COSE_Key, RFC 9052 section 7, RFC 8778 for HSS-LMS. */
static void put_key(struct bl_cbor_writer *w, const struct author_key *key)
{
    const struct bl_key *public = author_key_public(key);

    switch (public->alg) {
    case BL_ALG_ESP256:
        put_head(w, 6, 2, key);
        bl_cbor_put_int(w, -1);
        bl_cbor_put_int(w, 1);
        bl_cbor_put_int(w, -2);
        bl_cbor_put_bstr(w, public->x);
        bl_cbor_put_int(w, -3);
        bl_cbor_put_bstr(w, public->y);
        break;
    case BL_ALG_ED25519:
        put_head(w, 5, 1, key);
        bl_cbor_put_int(w, -1);
        bl_cbor_put_int(w, 6);
        bl_cbor_put_int(w, -2);
        bl_cbor_put_bstr(w, public->x);
        break;
    default:
        put_head(w, 4, 5, key);
        bl_cbor_put_int(w, -1);
        bl_cbor_put_bstr(w, public->x);
        break;
    }
}

static void put_role(struct bl_cbor_writer *w, const struct author_role *role)
{
    uint32_t i;

    bl_cbor_put_map(w, 2U + (role->n_prefixes > 0 ? 1U : 0U) +
                           (role->n_kinds > 0 ? 1U : 0U));
    bl_cbor_put_int(w, 1);
    bl_cbor_put_uint(w, role->threshold);
    bl_cbor_put_int(w, 2);
    bl_cbor_put_array(w, role->n_keys);
    for (i = 0; i < role->n_keys; i++) {
        bl_cbor_put_bstr(
            w, bl_span_of(author_key_kid(role->key[i]), BL_KID_SIZE));
    }
    if (role->n_prefixes > 0) {
        bl_cbor_put_int(w, 3);
        bl_cbor_put_array(w, role->n_prefixes);
    }
    for (i = 0; i < role->n_prefixes; i++) {
        put_component(w, role->prefix[i]);
    }
    if (role->n_kinds > 0) {
        bl_cbor_put_int(w, 4);
        bl_cbor_put_array(w, role->n_kinds);
    }
    for (i = 0; i < role->n_kinds; i++) {
        bl_cbor_put_int(w, role->kind[i]);
    }
}

static void put_limit(struct bl_cbor_writer *w, int key, uint64_t value)
{
    if (value != 0) {
        bl_cbor_put_int(w, key);
        bl_cbor_put_uint(w, value);
    }
}

static void put_content(struct bl_cbor_writer *w,
                        const struct author_root *root,
                        const struct key_list *keys)
{
    uint32_t i;

    bl_cbor_put_map(w, 5U + (root->floor != 0 ? 1U : 0U) +
                           (root->ceiling != 0 ? 1U : 0U));
    bl_cbor_put_int(w, 1);
    bl_cbor_put_uint(w, FORMAT);
    bl_cbor_put_int(w, 2);
    bl_cbor_put_uint(w, root->version);
    bl_cbor_put_int(w, 3);
    bl_cbor_put_uint(w, root->issued);
    bl_cbor_put_int(w, 4);
    bl_cbor_put_array(w, keys->n);
    for (i = 0; i < keys->n; i++) {
        put_key(w, keys->key[i]);
    }
    bl_cbor_put_int(w, 5);
    bl_cbor_put_map(w, 3);
    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        bl_cbor_put_uint(w, i);
        put_role(w, &root->role[i]);
    }
    put_limit(w, 6, root->floor);
    put_limit(w, 7, root->ceiling);
}

/* --- Checks -------------------------------------------------------------- */

static int check_role(const struct author_role *role, const char *name,
                      struct error *err)
{
    char label[32];
    uint32_t i;
    uint32_t k;

    if (role->n_keys < 1 || role->n_keys > BL_ROOT_KEYS) {
        return error_set(err, "role %s: %u keys, not 1 to %d", name,
                         role->n_keys, BL_ROOT_KEYS);
    }
    if (role->threshold < 1 || role->threshold > role->n_keys) {
        return error_set(err, "role %s: %u of %u keys cannot sign", name,
                         role->threshold, role->n_keys);
    }
    if (role->n_prefixes > BL_ROOT_PREFIXES || role->n_kinds > BL_ROOT_KINDS) {
        return error_set(err, "role %s: at most %d components and %d kinds",
                         name, BL_ROOT_PREFIXES, BL_ROOT_KINDS);
    }
    for (i = 0; i < role->n_keys; i++) {
        for (k = 0; k < i; k++) {
            if (memcmp(author_key_kid(role->key[i]),
                       author_key_kid(role->key[k]), BL_KID_SIZE) == 0) {
                return error_set(err, "role %s: key %s is named twice", name,
                                 key_label(role->key[i], label));
            }
        }
    }
    for (i = 0; i < role->n_prefixes; i++) {
        if (component_check(role->prefix[i], err) != 0) {
            return error_prefix(err, "role %s", name);
        }
    }
    return 0;
}

/* An envelope could never carry what such a role asks for. */
static int check_release(const struct author_role *role, struct error *err)
{
    if (role->threshold > BL_SUIT_BLOCKS || role->n_kinds > BL_SUIT_BLOCKS) {
        return error_set(err,
                         "role release: %u keys of %u kinds must sign, but a "
                         "release carries %d signatures",
                         role->threshold, role->n_kinds, BL_SUIT_BLOCKS);
    }
    return 0;
}

static int check_ticket_keys(const struct author_role *role, struct error *err)
{
    uint32_t i;

    for (i = 0; i < role->n_keys; i++) {
        if (author_key_public(role->key[i])->alg == BL_ALG_HSS_LMS) {
            return error_set(err, "role ticket: an HSS key would be used up "
                                  "by tickets; use Ed25519 or ESP256");
        }
    }
    return 0;
}

static int check_root(const struct author_root *root, struct error *err)
{
    uint32_t i;

    if (root->version == 0) {
        return error_set(err, "versions begin with 1");
    }
    if (root->ceiling != 0 && root->floor > root->ceiling) {
        return error_set(err, "the floor stands above the ceiling");
    }
    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        if (check_role(&root->role[i], role_name[i], err) != 0) {
            return -1;
        }
    }
    if (check_release(&root->role[BL_ROLE_RELEASE], err) != 0) {
        return -1;
    }
    return check_ticket_keys(&root->role[BL_ROLE_TICKET], err);
}

/*
 * Reads a content by core's own reader, which wants a signature to be there
 * but checks none: it gets an empty one. `whole` is what `out` points into.
 */
static int read_content(bl_span content, struct buffer *whole,
                        struct bl_root *out, struct error *err)
{
    static const uint8_t zeros[64];
    uint8_t blank[80];
    struct bl_cbor_writer w;
    bl_status status;

    bl_cbor_writer_init(&w, blank, sizeof blank);
    bl_cbor_put_array(&w, 3);
    bl_cbor_put_bstr(&w, bl_span_of("\xa1\x01\x32", 3)); /* {1: -19} */
    bl_cbor_put_map(&w, 0);
    bl_cbor_put_bstr(&w, bl_span_of(zeros, sizeof zeros));
    if (cose_sign(content, 1, bl_span_of(w.p, w.n), whole, err) != 0) {
        return -1;
    }
    status = bl_root_read(buffer_span(whole), out);
    return status == BL_OK ? 0 : error_status(err, status, "its content");
}

static int encode(const struct author_root *root, struct piece *content,
                  bl_span *bytes, struct error *err)
{
    struct key_list keys = {{NULL}, 0};
    uint32_t i;
    uint32_t k;

    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        for (k = 0; k < root->role[i].n_keys; k++) {
            collect(&keys, root->role[i].key[k]);
        }
    }
    if (keys.n > BL_ROOT_KEYS) {
        return error_set(err, "%u different keys; devices take %d", keys.n,
                         BL_ROOT_KEYS);
    }
    put_content(&content->w, root, &keys);
    return piece_end(content, bytes, err);
}

int author_root_new(const struct author_root *root, struct buffer *out,
                    struct error *err)
{
    struct buffer whole = BUFFER(ROOT_MAX + 256);
    struct piece content;
    struct bl_root read;
    bl_span bytes;
    int result = -1;

    if (check_root(root, err) != 0 ||
        piece_begin(&content, ROOT_MAX, err) != 0) {
        return error_prefix(err, "root document");
    }
    if (encode(root, &content, &bytes, err) == 0 &&
        read_content(bytes, &whole, &read, err) == 0) {
        result = cose_sign(bytes, 0, bl_span_of(NULL, 0), out, err);
    }
    piece_free(&content);
    buffer_free(&whole);
    return result == 0 ? 0 : error_prefix(err, "root document");
}

/* --- Signing ------------------------------------------------------------- */

struct root_document {
    bl_span content;
    uint32_t n;
    bl_span signatures; /* encoded, one after another */
};

static bl_status open_document(bl_span document, struct root_document *o)
{
    struct bl_cbor r;
    uint64_t tag;
    uint32_t items;
    uint32_t pairs;
    uint32_t i;
    bl_span header;

    bl_cbor_init(&r, document);
    if (bl_cbor_tag(&r, &tag) != BL_OK || tag != 98 ||
        bl_cbor_array(&r, &items) != BL_OK || items != 4 ||
        bl_cbor_bstr(&r, &header) != BL_OK || header.n != 0 ||
        bl_cbor_map(&r, &pairs) != BL_OK || pairs != 0 ||
        bl_cbor_bstr(&r, &o->content) != BL_OK ||
        bl_cbor_array(&r, &o->n) != BL_OK) {
        return BL_ROOT;
    }
    o->signatures = bl_span_of(r.p, (size_t)(r.end - r.p));
    for (i = 0; i < o->n; i++) {
        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return BL_ROOT;
        }
    }
    return bl_cbor_finish(&r) == BL_OK ? BL_OK : BL_ROOT;
}

static bool holds_root(const struct bl_root *root,
                       const struct author_key *key)
{
    uint32_t i;

    for (i = 0; i < root->n_keys; i++) {
        if ((root->role[BL_ROLE_ROOT].keys >> i & 1) != 0 &&
            memcmp(root->key[i].kid, author_key_kid(key), BL_KID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* May `key` sign this one: by its own root role, or the previous one's. */
static int check_signer(const struct root_document *o, bl_span previous,
                        const struct author_key *key, struct error *err)
{
    struct buffer whole = BUFFER(ROOT_MAX + SIGNATURES_MAX);
    struct bl_root own;
    struct bl_root old;
    bl_status status;
    char label[32];
    int result;

    result = read_content(o->content, &whole, &own, err);
    if (result == 0 && previous.n > 0) {
        status = bl_root_read(previous, &old);
        if (status != BL_OK) {
            result = error_status(err, status, "the previous one");
        } else if (own.version != old.version + 1) {
            result = error_set(err,
                               "version %llu does not follow the previous "
                               "one's %llu",
                               (unsigned long long)own.version,
                               (unsigned long long)old.version);
        }
    }
    if (result == 0 && !holds_root(&own, key) &&
        (previous.n == 0 || !holds_root(&old, key))) {
        result = error_set(err,
                           "key %s is in the root role of neither this "
                           "document nor the previous one",
                           key_label(key, label));
    }
    buffer_free(&whole);
    return result;
}

/* One COSE_Signature's kid and signature. */
static bl_status read_signature(struct bl_cbor *r, bl_span *kid,
                                bl_span *signature)
{
    uint32_t items;
    uint32_t pairs;
    uint64_t label;
    bl_span header;

    *kid = bl_span_of(NULL, 0);
    if (bl_cbor_array(r, &items) != BL_OK || items != 3 ||
        bl_cbor_bstr(r, &header) != BL_OK || bl_cbor_map(r, &pairs) != BL_OK ||
        pairs > 1 ||
        (pairs == 1 && (bl_cbor_uint(r, &label) != BL_OK || label != 4 ||
                        bl_cbor_bstr(r, kid) != BL_OK)) ||
        bl_cbor_bstr(r, signature) != BL_OK) {
        return BL_COSE;
    }
    return BL_OK;
}

static int check_unsigned_by(const struct root_document *o,
                             const struct author_key *key, struct error *err)
{
    struct bl_cbor r;
    bl_span kid;
    bl_span signature;
    char label[32];
    uint32_t i;

    if (o->n >= BL_COSE_SIGNATURES) {
        return error_set(err, "it has %u signatures; devices take %d", o->n,
                         BL_COSE_SIGNATURES);
    }
    bl_cbor_init(&r, o->signatures);
    for (i = 0; i < o->n; i++) {
        if (read_signature(&r, &kid, &signature) != BL_OK) {
            return error_status(err, BL_COSE, "a signature that is there");
        }
        if (cose_is_by(key, kid, signature, ROOT_AAD, o->content, false)) {
            return error_set(err, "key %s has signed it already",
                             key_label(key, label));
        }
    }
    return 0;
}

static int check_size(const struct buffer *document, struct error *err)
{
    return document->n <= BL_ROOT_MAX
               ? 0
               : error_set(err,
                           "it has %zu bytes; devices have room for %d: fewer "
                           "keys or signatures",
                           document->n, BL_ROOT_MAX);
}

static int add_signature(const struct root_document *o, struct author_key *key,
                         struct buffer *out, struct error *err)
{
    struct buffer signatures = BUFFER(SIGNATURES_MAX);
    int result;

    result = buffer_append(&signatures, o->signatures.p, o->signatures.n, err);
    if (result == 0) {
        result = cose_signature(key, ROOT_AAD, o->content, &signatures, err);
    }
    if (result == 0) {
        result = cose_sign(o->content, o->n + 1, buffer_span(&signatures), out,
                           err);
    }
    if (result == 0) {
        result = check_size(out, err);
        if (result != 0) {
            buffer_clear(out);
        }
    }
    buffer_free(&signatures);
    return result;
}

int author_root_sign(bl_span document, bl_span previous,
                     struct author_key *key, struct buffer *out,
                     struct error *err)
{
    struct root_document o;
    bl_status status = open_document(document, &o);
    int result = -1;

    if (status != BL_OK) {
        return error_status(err, status, "root document");
    }
    if (check_signer(&o, previous, key, err) == 0 &&
        check_unsigned_by(&o, key, err) == 0) {
        result = add_signature(&o, key, out, err);
    }
    return result == 0 ? 0 : error_prefix(err, "root document");
}
