/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include "release.h"

#include "author/author.h"
#include "host/file.h"

#include <stdio.h>
#include <string.h>

static json_t *hex(const uint8_t *bytes, size_t n)
{
    char text[129];

    hex_encode(bytes, n > 64 ? 64 : n, text);
    return json_string(text);
}

static const char *role_of(int role)
{
    static const char *const name[] = {"", "root", "release", "ticket"};

    return name[role];
}

static json_t *key_json(const struct bl_root_key *key)
{
    return json_pack("{s:o, s:s}", "kid", hex(key->kid, BL_KID_SIZE), "kind",
                     author_key_kind(key->key.alg));
}

/* --- Root documents -------------------------------------------------------
 */

static json_t *roles_json(const struct bl_root *root)
{
    json_t *list = json_array();

    for (int role = BL_ROLE_ROOT; role <= BL_ROLE_TICKET; role++) {
        json_t *keys = json_array();

        for (uint32_t i = 0; i < root->n_keys; i++) {
            if ((root->role[role].keys & 1U << i) != 0) {
                json_array_append_new(keys, key_json(&root->key[i]));
            }
        }
        json_array_append_new(
            list,
            json_pack("{s:s, s:I, s:o}", "role", role_of(role), "threshold",
                      (json_int_t)root->role[role].threshold, "keys", keys));
    }
    return list;
}

static json_t *keys_json(const struct bl_root *root)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < root->n_keys; i++) {
        json_t *key = key_json(&root->key[i]);
        json_t *roles = json_array();

        for (int role = BL_ROLE_ROOT; role <= BL_ROLE_TICKET; role++) {
            if ((root->role[role].keys & 1U << i) != 0) {
                json_array_append_new(roles, json_string(role_of(role)));
            }
        }
        json_object_set_new(key, "roles", roles);
        json_array_append_new(list, key);
    }
    return list;
}

json_t *describe_root(bl_span document)
{
    struct bl_root root;

    if (bl_root_read(document, &root) != BL_OK) {
        return NULL;
    }
    return json_pack("{s:I, s:I, s:o, s:o, s:o}", "issued",
                     (json_int_t)root.issued, "floor", (json_int_t)root.floor,
                     "ceiling",
                     root.ceiling > (uint64_t)INT64_MAX
                         ? json_null()
                         : json_integer((json_int_t)root.ceiling),
                     "roles", roles_json(&root), "keys", keys_json(&root));
}

/* --- Releases -------------------------------------------------------------
 */

static const struct bl_root_key *find_key(const struct bl_root *root,
                                          const char *kid, uint32_t *at)
{
    char text[2 * BL_KID_SIZE + 1];

    for (uint32_t i = 0; i < root->n_keys; i++) {
        hex_encode(root->key[i].kid, BL_KID_SIZE, text);
        if (strcmp(text, kid) == 0) {
            *at = i;
            return &root->key[i];
        }
    }
    return NULL;
}

json_t *describe_signers(const json_t *kids, const struct bl_root *root)
{
    json_t *list = json_array();
    size_t n = json_array_size(kids);

    for (size_t i = 0; i < n; i++) {
        const char *kid = json_string_value(json_array_get(kids, i));
        uint32_t at = 0;
        const struct bl_root_key *key =
            kid == NULL ? NULL : find_key(root, kid, &at);
        bool release =
            key != NULL && (root->role[BL_ROLE_RELEASE].keys & 1U << at) != 0;

        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s}", "kid", kid == NULL ? "" : kid, "kind",
                      key == NULL ? "" : author_key_kind(key->key.alg), "role",
                      release ? "release" : ""));
    }
    return list;
}

static json_t *payloads_json(const struct bl_suit_envelope *e,
                             const struct bl_suit_manifest *m)
{
    json_t *list = json_array();
    struct bl_suit_fetch f;

    for (uint8_t slot = 0; slot < 2; slot++) {
        for (uint32_t i = 0; bl_suit_every_payload(e, m, slot, i, &f) == BL_OK;
             i++) {
            json_array_append_new(
                list, json_pack("{s:s, s:s%, s:o, s:I, s:b}", "slot",
                                slot == 0 ? "A" : "B", "uri",
                                f.uri.n == 0 ? "" : (const char *)f.uri.p,
                                (size_t)f.uri.n, "sha256", hex(f.digest, 32),
                                "size", (json_int_t)f.size, "integrated",
                                f.integrated.p != NULL));
        }
    }
    return list;
}

static json_t *signatures_json(const struct bl_suit_envelope *e)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < e->n_blocks; i++) {
        json_array_append_new(
            list, json_pack("{s:o, s:s}", "kid",
                            hex(e->block[i].kid.p, e->block[i].kid.n), "kind",
                            author_key_kind(e->block[i].alg)));
    }
    return list;
}

static json_t *sequences_json(const struct bl_suit_manifest *m)
{
    json_t *out = json_object();
    const struct {
        const char *name;
        bl_span bytes;
    } part[] = {{"shared", m->shared},   {"payload-fetch", m->fetch},
                {"install", m->install}, {"validate", m->validate},
                {"load", m->load},       {"invoke", m->invoke}};

    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        json_object_set_new(out, part[i].name,
                            json_integer((json_int_t)part[i].bytes.n));
    }
    return out;
}

json_t *describe_release(bl_span envelope)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    const uint8_t *vendor;
    const uint8_t *class_id;
    char version[RELEASE_VERSION] = "";
    char least[RELEASE_VERSION];

    if (bl_suit_read(envelope, &e) != BL_OK ||
        bl_suit_scan(&e, NULL, &m) != BL_OK ||
        bl_suit_identity(&m, &vendor, &class_id) != BL_OK) {
        return NULL;
    }
    if (m.set_version.n > 0) {
        (void)release_version_text(m.set_version, version, sizeof version);
    }
    release_minimum(envelope, least, sizeof least);
    return json_pack(
        "{s:o, s:I, s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "digest",
        hex(e.digest, 32), "sequence", (json_int_t)m.sequence, "version",
        version, "min_version", least, "vendor_id", hex(vendor, 16),
        "class_id", hex(class_id, 16), "components",
        (json_int_t)m.n_components, "bytes", (json_int_t)envelope.n,
        "payloads", payloads_json(&e, &m), "signatures", signatures_json(&e),
        "sequences", sequences_json(&m));
}
