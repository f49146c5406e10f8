/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: what the manifest says, who signed, and what core thinks. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "describe.h"

const char *describe_status(struct call *c, bl_status status)
{
    return keep(c, "%s (%s)", bl_status_meaning(status),
                bl_status_name(status));
}

void verdict_set(json_t *out, bl_status status, const char *where)
{
    char text[200];

    put_bool(out, "verifies", status == BL_OK);
    if (status == BL_OK) {
        put_text(out, "problem", NULL);
        return;
    }
    (void)snprintf(text, sizeof text, "%s%s%s (%s)",
                   where == NULL ? "" : where, where == NULL ? "" : ": ",
                   bl_status_meaning(status), bl_status_name(status));
    put_text(out, "problem", text);
}

void verdict_unknown(json_t *out, const char *why)
{
    put(out, "verifies", json_null());
    put_text(out, "problem", why);
}

const char *describe_component(struct call *c, bl_span id)
{
    const char *out = "";
    struct bl_cbor r;
    uint32_t n = 0;
    uint32_t i;

    bl_cbor_init(&r, id);
    if (bl_cbor_array(&r, &n) != BL_OK) {
        return keep_hex(c, id.p, id.n);
    }
    for (i = 0; i < n; i++) {
        bl_span part;

        if (bl_cbor_bstr(&r, &part) != BL_OK) {
            return keep_hex(c, id.p, id.n);
        }
        out = keep(c, "%s%s%s", out, i == 0 ? "" : "/", keep_text(c, part));
    }
    return out;
}

const char *describe_version(struct call *c, bl_span numbers)
{
    static const char *const special[] = {"-alpha", "-beta", "-rc"};
    const char *out = "";
    struct bl_cbor r;
    uint32_t n = 0;
    uint32_t i;

    bl_cbor_init(&r, numbers);
    if (bl_cbor_array(&r, &n) != BL_OK) {
        return NULL;
    }
    for (i = 0; i < n; i++) {
        int64_t v;

        if (bl_cbor_int(&r, &v) != BL_OK) {
            return NULL;
        }
        if (v < 0 && v >= -3) {
            out = keep(c, "%s%s", out, special[v + 3]);
        } else {
            out = keep(c, "%s%s%lld", out, i == 0 ? "" : ".", (long long)v);
        }
    }
    return out;
}

static json_t *components(struct call *c, const struct bl_suit_manifest *m)
{
    json_t *list = json_array();
    uint32_t i;

    for (i = 0; i < m->n_components; i++) {
        (void)json_array_append_new(
            list, json_string(describe_component(c, m->component[i])));
    }
    return list;
}

/* "releases/payloads/<hex>" beside the envelope; NULL when not there. */
static const char *payload_file(const struct subject *s, const char *uri)
{
    const char *slash = strrchr(s->path, '/');
    const char *path;

    if (uri[0] == '\0' || uri[0] == '/' || strstr(uri, "..") != NULL ||
        strstr(uri, "://") != NULL) {
        return NULL;
    }
    path = slash == NULL ? keep(s->call, "%s", uri)
                         : keep(s->call, "%.*s/%s", (int)(slash - s->path),
                                s->path, uri);
    return access(path, F_OK) == 0 ? path : NULL;
}

static const char *check_payload(const struct subject *s, const char *uri,
                                 const struct bl_suit_fetch *fetch)
{
    const char *path = payload_file(s, uri);
    uint8_t digest[32];
    uint64_t size;

    if (fetch->integrated.n > 0) {
        return "in the envelope";
    }
    if (path == NULL) {
        return "not here";
    }
    if (file_sha256(path, digest, &size, NULL) != 0) {
        return "cannot be read";
    }
    return size == fetch->size && memcmp(digest, fetch->digest, 32) == 0
               ? "here, digest and size as the manifest says"
               : "here, but it DIFFERS";
}

/* Several alternatives may fetch the same. */
static bool is_listed(struct call *c, const json_t *list,
                      const struct bl_suit_fetch *fetch)
{
    const char *hex = keep_hex(c, fetch->digest, 32);
    const json_t *row;
    size_t i;

    json_array_foreach(list, i, row)
    {
        if (strcmp(hex, json_string_value(json_object_get(row, "sha256"))) ==
            0) {
            return true;
        }
    }
    return false;
}

static json_t *payloads(const struct subject *s,
                        const struct bl_suit_envelope *e,
                        const struct bl_suit_manifest *m)
{
    json_t *list = json_array();
    struct bl_suit_fetch fetch;
    uint32_t i;

    for (i = 0; bl_suit_every_payload(e, m, 0, i, &fetch) == BL_OK; i++) {
        json_t *row;
        const char *uri = keep_text(s->call, fetch.uri);

        if (is_listed(s->call, list, &fetch)) {
            continue;
        }
        row = json_object();
        put_text(row, "component",
                 describe_component(s->call, fetch.component));
        put_text(row, "uri", uri);
        put_text(row, "sha256", keep_hex(s->call, fetch.digest, 32));
        put_number(row, "size", fetch.size);
        put_text(row, "file", check_payload(s, uri, &fetch));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static void identity(struct call *c, const struct bl_suit_manifest *m,
                     json_t *out)
{
    const uint8_t *vendor;
    const uint8_t *class_id;

    if (bl_suit_identity(m, &vendor, &class_id) == BL_OK) {
        put_text(out, "vendor_id", keep_hex(c, vendor, 16));
        put_text(out, "class_id", keep_hex(c, class_id, 16));
    }
}

/* {language: {component id: {1: vendor, 2: model, 6: version}}} */
static void text_entry(struct call *c, struct bl_cbor *r, json_t *out)
{
    static const char *const label[] = {
        "",           "vendor_name", "model_name",  "vendor_domain",
        "model_info", "description", "version_text"};
    uint32_t pairs;
    int64_t key;
    bl_span value;

    if (bl_cbor_map(r, &pairs) != BL_OK) {
        return;
    }
    while (pairs-- > 0 && bl_cbor_int(r, &key) == BL_OK &&
           bl_cbor_tstr(r, &value) == BL_OK) {
        if (key >= 1 && key <= 6) {
            put_text(out, label[key], keep_text(c, value));
        }
    }
}

static void text(struct call *c, bl_span map, json_t *out)
{
    struct bl_cbor r;
    uint32_t languages;
    uint32_t entries;
    bl_span ignored;

    bl_cbor_init(&r, map);
    if (map.n == 0 || bl_cbor_map(&r, &languages) != BL_OK || languages == 0 ||
        bl_cbor_tstr(&r, &ignored) != BL_OK ||
        bl_cbor_map(&r, &entries) != BL_OK) {
        return;
    }
    while (entries-- > 0) {
        bool is_component = bl_cbor_peek(&r) == BL_CBOR_ARRAY;

        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return;
        }
        if (is_component) {
            text_entry(c, &r, out);
        } else if (bl_cbor_item(&r, NULL) != BL_OK) {
            return;
        }
    }
}

static json_t *blocks(struct call *c, const struct bl_suit_envelope *e)
{
    json_t *list = json_array();
    uint32_t i;

    for (i = 0; i < e->n_blocks; i++) {
        const struct bl_cose_sign1 *b = &e->block[i];

        (void)json_array_append_new(
            list, json_string(keep(c, "%s %s", keep_hex(c, b->kid.p, b->kid.n),
                                   author_key_kind(b->alg))));
    }
    return list;
}

static void commands(struct call *c, const struct bl_suit_manifest *m,
                     json_t *out)
{
    json_t *list = json_array();

    describe_commands(c, "shared", m->shared, list);
    describe_commands(c, "payload-fetch", m->fetch, list);
    describe_commands(c, "install", m->install, list);
    describe_commands(c, "validate", m->validate, list);
    describe_commands(c, "load", m->load, list);
    describe_commands(c, "invoke", m->invoke, list);
    put(out, "commands", list);
}

static void manifest(const struct subject *s, const struct bl_suit_envelope *e,
                     const struct bl_suit_manifest *m, json_t *out)
{
    struct call *c = s->call;
    json_t *deltas;

    put_number(out, "sequence", m->sequence);
    put_text(out, "version",
             m->set_version.n == 0 ? NULL
                                   : describe_version(c, m->set_version));
    text(c, m->text, out);
    identity(c, m, out);
    put(out, "components", components(c, m));
    put(out, "payloads", payloads(s, e, m));
    deltas = describe_deltas(c, m);
    if (json_array_size(deltas) > 0) {
        put(out, "deltas", json_incref(deltas));
    }
    json_decref(deltas);
    if (cli_flag(c, "commands")) {
        commands(c, m, out);
    }
}

/* Signatures by the root document, or at least the digest: null then. */
static void verify(const struct subject *s, const struct bl_suit_envelope *e,
                   json_t *out)
{
    uint8_t signers;

    if (!s->trust->there) {
        verdict_unknown(out, "no root document to check with: say --root");
        return;
    }
    verdict_set(
        out, bl_suit_authenticate(e, &s->trust->root, &tool_crypto, &signers),
        NULL);
}

static bool payload_differs(const json_t *out)
{
    const json_t *list = json_object_get(out, "payloads");
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        const char *file = json_string_value(
            json_object_get(json_array_get(list, i), "file"));

        if (file != NULL && strstr(file, "DIFFERS") != NULL) {
            return true;
        }
    }
    return false;
}

void describe_envelope(const struct subject *s, json_t *out)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    bl_status status = bl_suit_read(s->bytes, &e);

    put_text(out, "type", "envelope");
    if (status != BL_OK) {
        verdict_set(out, status, NULL);
        return;
    }
    put_text(out, "manifest", keep_hex(s->call, e.digest, 32));
    put(out, "signed_by", blocks(s->call, &e));
    status = bl_suit_scan(&e, NULL, &m);
    if (status != BL_OK) {
        verdict_set(out, status, "manifest");
        return;
    }
    manifest(s, &e, &m, out);
    verify(s, &e, out);
    if (payload_differs(out)) {
        put_bool(out, "verifies", false);
        put_text(out, "problem",
                 "a payload beside it is not the one that "
                 "the manifest names");
    }
}
