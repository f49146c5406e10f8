/* SPDX-License-Identifier: Apache-2.0 */
/* Root documents, permits, tickets. */
#include <string.h>
#include <time.h>

#include "describe.h"

static const char *const role_name[] = {"", "root", "release", "ticket"};

static json_t *kid_list(struct call *c, const struct bl_root *root,
                        uint8_t mask)
{
    json_t *list = json_array();
    uint32_t i;

    for (i = 0; i < root->n_keys; i++) {
        if ((mask & (1U << i)) != 0) {
            const char *text =
                keep(c, "%s %s", keep_hex(c, root->key[i].kid, BL_KID_SIZE),
                     author_key_kind(root->key[i].key.alg));

            (void)json_array_append_new(list, json_string(text));
        }
    }
    return list;
}

static json_t *role(struct call *c, const struct bl_root *root, int number)
{
    const struct bl_root_role *r = &root->role[number];
    json_t *out = json_object();
    json_t *prefixes = json_array();
    json_t *kinds = json_array();
    uint8_t i;

    put_number(out, "threshold", r->threshold);
    put(out, "keys", kid_list(c, root, r->keys));
    for (i = 0; i < r->n_kinds; i++) {
        (void)json_array_append_new(kinds,
                                    json_string(author_key_kind(r->kind[i])));
    }
    for (i = 0; i < r->n_prefixes; i++) {
        (void)json_array_append_new(
            prefixes, json_string(describe_component(c, r->prefix[i])));
    }
    put(out, "kinds", kinds);
    put(out, "components", prefixes);
    return out;
}

void describe_root_content(struct call *c, const struct bl_root *root,
                           json_t *out)
{
    json_t *roles = json_object();
    int i;

    put_number(out, "version", root->version);
    put_number(out, "issued", root->issued);
    put_number(out, "floor", root->floor);
    put(out, "ceiling",
        root->ceiling > INT64_MAX ? json_null()
                                  : json_integer((json_int_t)root->ceiling));
    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        put(roles, role_name[i], role(c, root, i));
    }
    put(out, "roles", roles);
}

static json_t *signer_list(struct call *c, bl_span document)
{
    json_t *list = json_array();
    struct bl_cose_sign sign;
    uint32_t i;

    if (bl_cose_sign_read(document, &sign) == BL_OK) {
        for (i = 0; i < sign.n; i++) {
            (void)json_array_append_new(
                list, json_string(keep_hex(c, sign.signature[i].kid.p,
                                           sign.signature[i].kid.n)));
        }
    }
    return list;
}

/* The document that this one follows: --previous, else the project's when it
 * is the one before. */
static bl_status accept_root(const struct subject *s,
                             const struct bl_root *content)
{
    const char *path = cli_value(s->call, "previous");
    const struct bl_root *trusted = NULL;
    struct bl_root previous;
    struct bl_root ignored;
    struct buffer file = {0};
    bl_status status = BL_OK;

    if (path != NULL) {
        if (read_input(s->call, path, 1 << 16, &file) != 0) {
            return BL_ARGUMENT;
        }
        status = bl_root_read(buffer_span(&file), &previous);
        trusted = &previous;
    } else if (s->trust->there &&
               s->trust->root.version + 1 == content->version) {
        trusted = &s->trust->root;
    }
    if (status == BL_OK) {
        status = bl_root_accept(s->bytes, trusted, &tool_crypto, &ignored);
    }
    buffer_free(&file);
    return status;
}

void describe_root(const struct subject *s, json_t *out)
{
    struct buffer copy = {0};
    struct bl_root root;
    bool is_signed;
    bl_status status = root_read_draft(s->bytes, &copy, &root, &is_signed);

    put_text(out, "type", "root document");
    if (status != BL_OK) {
        verdict_set(out, status, NULL);
    } else {
        describe_root_content(s->call, &root, out);
        put(out, "signed_by", signer_list(s->call, s->bytes));
        if (is_signed) {
            verdict_set(out, accept_root(s, &root), NULL);
        } else {
            put_bool(out, "verifies", false);
            put_text(out, "problem", "nobody has signed it yet");
        }
    }
    buffer_free(&copy);
}

/* --- Maps of tickets and permits --------------------------------------------
 */

static void claim(struct call *c, int64_t key, struct bl_cbor *r, json_t *out)
{
    struct bl_cbor copy = *r;
    bl_span bytes = {NULL, 0};
    uint64_t number = 0;
    uint32_t items = 0;
    int64_t alg = 0;

    if ((key == 4 || key == 6 || key == -65539) &&
        bl_cbor_uint(&copy, &number) == BL_OK) {
        put_number(out,
                   key == 4   ? "expires"
                   : key == 6 ? "issued"
                              : "root_version",
                   number);
    } else if (key == -65538 && bl_cbor_array(&copy, &items) == BL_OK &&
               items == 2 && bl_cbor_int(&copy, &alg) == BL_OK &&
               bl_cbor_bstr(&copy, &bytes) == BL_OK) {
        put_text(out, "manifest", keep_hex(c, bytes.p, bytes.n));
    } else if (bl_cbor_bstr(&copy, &bytes) == BL_OK) {
        put_text(out,
                 key == 10       ? "nonce"
                 : key == -65537 ? "device"
                 : key == -65540 ? "class_id"
                                 : keep(c, "claim %lld", (long long)key),
                 keep_hex(c, bytes.p, bytes.n));
    }
}

static bl_status claims(struct call *c, bl_span payload, json_t *out)
{
    struct bl_cbor r;
    uint32_t pairs;
    bl_status status;

    bl_cbor_init(&r, payload);
    status = bl_cbor_map(&r, &pairs);
    while (status == BL_OK && pairs-- > 0) {
        int64_t key;

        status = bl_cbor_int(&r, &key);
        if (status == BL_OK) {
            claim(c, key, &r, out);
            status = bl_cbor_item(&r, NULL);
        }
    }
    return status == BL_OK ? bl_cbor_finish(&r) : status;
}

static bool hex_field(const json_t *out, const char *key, uint8_t *bytes,
                      size_t n)
{
    const char *text = json_string_value(json_object_get(out, key));

    return text != NULL && hex_decode(text, strlen(text), bytes, n) == 0;
}

void describe_permit(const struct subject *s, json_t *out)
{
    struct bl_cose_sign sign;
    uint8_t device[BL_ID_SIZE] = {0};
    uint8_t class_id[BL_ID_SIZE] = {0};
    uint8_t manifest[32] = {0};
    const char *wanted = cli_value(s->call, "device");
    bl_status status = bl_cose_sign_read(s->bytes, &sign);

    put_text(out, "type", "permit");
    status = status == BL_OK ? claims(s->call, sign.payload, out) : status;
    if (status != BL_OK) {
        verdict_set(out, status, NULL);
        return;
    }
    put(out, "signed_by", signer_list(s->call, s->bytes));
    (void)hex_field(out, "device", device, sizeof device);
    (void)hex_field(out, "class_id", class_id, sizeof class_id);
    (void)hex_field(out, "manifest", manifest, sizeof manifest);
    if (wanted != NULL &&
        hex_decode(wanted, strlen(wanted), device, sizeof device) != 0) {
        verdict_unknown(out, "--device is not 32 hex digits");
        return;
    }
    if (!s->trust->there) {
        verdict_unknown(out, "no root document to check with: say --root");
        return;
    }
    verdict_set(out,
                bl_permit_check(s->bytes, &s->trust->root, device, class_id,
                                manifest, (uint64_t)time(NULL), &tool_crypto),
                NULL);
}

void describe_ticket(const struct subject *s, json_t *out)
{
    struct bl_cose_sign1 sign;
    struct bl_ticket ticket;
    uint8_t device[BL_ID_SIZE] = {0};
    uint8_t nonce[BL_NONCE_MAX];
    const char *text;
    size_t n;
    bl_status status = bl_cose_sign1_read(s->bytes, &sign);

    put_text(out, "type", "ticket");
    status = status == BL_OK ? claims(s->call, sign.payload, out) : status;
    text = json_string_value(json_object_get(out, "nonce"));
    n = text == NULL ? 0 : strlen(text) / 2;
    if (status != BL_OK || n > sizeof nonce) {
        verdict_set(out, status == BL_OK ? BL_TICKET : status, NULL);
        return;
    }
    if (!s->trust->there) {
        verdict_unknown(out, "no root document to check with: say --root");
        return;
    }
    (void)hex_field(out, "device", device, sizeof device);
    (void)hex_field(out, "nonce", nonce, n);
    verdict_set(out,
                bl_ticket_check(s->bytes, &s->trust->root, device,
                                bl_span_of(nonce, n), (uint64_t)time(NULL),
                                &tool_crypto, &ticket),
                NULL);
}
