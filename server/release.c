/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <inttypes.h>
#include <stdio.h>

int release_version_text(bl_span numbers, char *out, size_t size)
{
    static const char *const stage[] = {"rc", "beta", "alpha"};
    struct bl_cbor r;
    uint32_t n;
    size_t used = 0;

    bl_cbor_init(&r, numbers);
    if (bl_cbor_array(&r, &n) != BL_OK || n == 0) {
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t v;
        int wrote;

        if (bl_cbor_int(&r, &v) != BL_OK || v < -3) {
            return -1;
        }
        if (v < 0) {
            wrote = snprintf(out + used, size - used, "-%s", stage[-v - 1]);
        } else {
            wrote = snprintf(out + used, size - used, "%s%" PRId64,
                             i == 0 ? "" : ".", v);
        }
        if (wrote < 0 || (size_t)wrote >= size - used) {
            return -1;
        }
        used += (size_t)wrote;
    }
    return 0;
}

static int copy_text(bl_span from, char *out, size_t size)
{
    if (from.n == 0 || from.n >= size) {
        return -1;
    }
    for (size_t i = 0; i < from.n; i++) {
        if (from.p[i] < 0x20 || from.p[i] == 0x7F) {
            return -1;
        }
    }
    memcpy(out, from.p, from.n);
    out[from.n] = '\0';
    return 0;
}

/* {1: vendor, 2: model, 6: version} */
static int version_of_component(struct bl_cbor *r, char *out, size_t size)
{
    uint32_t pairs;
    int found = -1;

    if (bl_cbor_map(r, &pairs) != BL_OK) {
        return -1;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        int64_t key;
        bl_span value;

        if (bl_cbor_int(r, &key) != BL_OK) {
            return -1;
        }
        if (key == 6) {
            if (bl_cbor_tstr(r, &value) != BL_OK) {
                return -1;
            }
            found = copy_text(value, out, size);
        } else if (bl_cbor_item(r, NULL) != BL_OK) {
            return -1;
        }
    }
    return found;
}

/* {"en": {?number: text..., [component id]: {...}}}: the first version. */
static int version_of_text(bl_span text, char *out, size_t size)
{
    struct bl_cbor r;
    uint32_t languages;
    uint32_t pairs;
    bl_span skipped;

    bl_cbor_init(&r, text);
    if (bl_cbor_map(&r, &languages) != BL_OK || languages == 0 ||
        bl_cbor_tstr(&r, &skipped) != BL_OK ||
        bl_cbor_map(&r, &pairs) != BL_OK) {
        return -1;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        bool component = bl_cbor_peek(&r) == BL_CBOR_ARRAY;

        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return -1;
        }
        if (component) {
            return version_of_component(&r, out, size);
        }
        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return -1;
        }
    }
    return -1;
}

static void read_version(const struct bl_suit_manifest *m, char *out,
                         size_t size)
{
    if (version_of_text(m->text, out, size) != 0 &&
        release_version_text(m->set_version, out, size) != 0) {
        out[0] = '\0';
    }
}

/* "cfg/net" of the encoded ["cfg", "net"], parts are byte strings. */
static int component_text(bl_span id, char *out, size_t size)
{
    struct bl_cbor r;
    uint32_t parts;
    size_t used = 0;

    bl_cbor_init(&r, id);
    if (bl_cbor_array(&r, &parts) != BL_OK) {
        return -1;
    }
    for (uint32_t i = 0; i < parts; i++) {
        bl_span part;
        char text[RELEASE_COMPONENT];
        int wrote;

        if (bl_cbor_bstr(&r, &part) != BL_OK ||
            copy_text(part, text, sizeof text) != 0) {
            return -1;
        }
        wrote =
            snprintf(out + used, size - used, "%s%s", i == 0 ? "" : "/", text);
        if (wrote < 0 || (size_t)wrote >= size - used) {
            return -1;
        }
        used += (size_t)wrote;
    }
    return 0;
}

static bool listed(const struct release_facts *facts, const uint8_t *sha256)
{
    for (uint32_t i = 0; i < facts->n_payloads; i++) {
        if (memcmp(facts->payload[i].sha256, sha256, 32) == 0) {
            return true;
        }
    }
    return false;
}

static int add_payload(const struct bl_suit_fetch *fetch,
                       struct release_facts *out, struct error *err)
{
    struct release_payload *p = &out->payload[out->n_payloads];

    if (listed(out, fetch->digest)) {
        return 0;
    }
    if (out->n_payloads == RELEASE_PAYLOADS) {
        return error_set(err, "the manifest names more than %d payloads",
                         RELEASE_PAYLOADS);
    }
    if (component_text(fetch->component, p->component, sizeof p->component) !=
        0) {
        snprintf(p->component, sizeof p->component, "component %" PRIu32,
                 out->n_payloads);
    }
    p->uri[0] = '\0';
    if (fetch->integrated.p == NULL &&
        copy_text(fetch->uri, p->uri, sizeof p->uri) != 0) {
        return error_set(err, "the manifest names a payload URI that is "
                              "empty or no text");
    }
    memcpy(p->sha256, fetch->digest, 32);
    p->size = fetch->size;
    out->n_payloads++;
    return 0;
}

/* Of one slot: those of a device with no image first, then what the other
 * alternatives take. */
static int read_slot(const struct bl_suit_envelope *e,
                     const struct bl_suit_manifest *m, uint8_t slot,
                     bool every, struct release_facts *out, struct error *err)
{
    for (uint32_t i = 0;; i++) {
        struct bl_suit_fetch fetch;
        bl_status s = every ? bl_suit_every_payload(e, m, slot, i, &fetch)
                            : bl_suit_payload(e, m, slot, i, &fetch);

        if (s == BL_ARGUMENT) {
            return 0;
        }
        if (s != BL_OK) {
            return error_status(err, s, "payload %" PRIu32 " of slot %c", i,
                                'A' + slot);
        }
        if (add_payload(&fetch, out, err) != 0) {
            return -1;
        }
    }
}

/* Of either slot: they may differ where an image is linked for its slot. */
static int read_payloads(const struct bl_suit_envelope *e,
                         const struct bl_suit_manifest *m,
                         struct release_facts *out, struct error *err)
{
    for (int pass = 0; pass < 4; pass++) {
        if (read_slot(e, m, pass & 1, pass > 1, out, err) != 0) {
            return -1;
        }
    }
    if (out->n_payloads == 0) {
        return error_set(err, "the manifest installs nothing");
    }
    return 0;
}

int release_read(bl_span envelope, const struct bl_root *root,
                 const struct bl_crypto *crypto, struct release_facts *out,
                 struct error *err)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    const uint8_t *vendor_id;
    const uint8_t *class_id;
    bl_status s;

    memset(out, 0, sizeof *out);
    s = bl_suit_read(envelope, &e);
    s = s != BL_OK ? s : bl_suit_authenticate(&e, root, crypto, &out->signers);
    s = s != BL_OK ? s : bl_suit_scan(&e, NULL, &m);
    s = s != BL_OK ? s : bl_suit_identity(&m, &vendor_id, &class_id);
    if (s != BL_OK) {
        return error_status(err, s, "the release is refused");
    }
    memcpy(out->manifest, e.digest, 32);
    memcpy(out->vendor_id, vendor_id, 16);
    memcpy(out->class_id, class_id, 16);
    out->sequence = m.sequence;
    read_version(&m, out->version, sizeof out->version);
    return read_payloads(&e, &m, out, err);
}

static void add_digest(struct release_digests *out, const uint8_t *digest)
{
    for (uint32_t i = 0; i < out->n; i++) {
        if (memcmp(out->payload[i], digest, 32) == 0) {
            return;
        }
    }
    if (out->n < RELEASE_PAYLOADS) {
        memcpy(out->payload[out->n++], digest, 32);
    }
}

int release_digests(bl_span envelope, struct release_digests *out)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    struct bl_suit_fetch fetch;

    memset(out, 0, sizeof *out);
    if (bl_suit_read(envelope, &e) != BL_OK ||
        bl_suit_scan(&e, NULL, &m) != BL_OK) {
        return -1;
    }
    for (uint8_t slot = 0; slot < 2; slot++) {
        const uint8_t *image;
        uint32_t size;

        if (bl_suit_image(&e, &m, slot, &image, &size) == BL_OK) {
            memcpy(out->image[slot], image, 32);
        }
        for (uint32_t i = 0;
             bl_suit_every_payload(&e, &m, slot, i, &fetch) == BL_OK; i++) {
            add_digest(out, fetch.digest);
        }
    }
    return out->n > 0 ? 0 : -1;
}

/* --- What it asks of the device -------------------------------------------
 */

enum {
    OVERRIDE_PARAMETERS = 20,
    PARAMETER_VERSION = 28,
    VERSION_GREATER = 1,
    VERSION_GREATER_EQUAL = 2
};

/* [comparison, [number, ...]] */
static int read_minimum(struct bl_cbor *r, char *out, size_t size)
{
    bl_span parameter;
    struct bl_cbor inner;
    uint32_t n;
    uint64_t comparison;
    bl_span numbers;

    if (bl_cbor_item(r, &parameter) != BL_OK) {
        return -1;
    }
    bl_cbor_init(&inner, parameter);
    if (bl_cbor_peek(&inner) == BL_CBOR_BSTR) {
        bl_span content;

        if (bl_cbor_bstr(&inner, &content) != BL_OK) {
            return -1;
        }
        bl_cbor_init(&inner, content);
    }
    if (bl_cbor_array(&inner, &n) != BL_OK || n != 2 ||
        bl_cbor_uint(&inner, &comparison) != BL_OK ||
        bl_cbor_item(&inner, &numbers) != BL_OK) {
        return -1;
    }
    if (comparison == VERSION_GREATER || comparison == VERSION_GREATER_EQUAL) {
        return release_version_text(numbers, out, size);
    }
    return 0;
}

static int scan_parameters(struct bl_cbor *r, char *out, size_t size)
{
    uint32_t pairs;

    if (bl_cbor_map(r, &pairs) != BL_OK) {
        return -1;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        int64_t key;

        if (bl_cbor_int(r, &key) != BL_OK) {
            return -1;
        }
        if (key == PARAMETER_VERSION) {
            if (read_minimum(r, out, size) != 0) {
                return -1;
            }
        } else if (bl_cbor_item(r, NULL) != BL_OK) {
            return -1;
        }
    }
    return 0;
}

/* Commands and their arguments, in turn. */
static void scan_sequence(bl_span sequence, char *out, size_t size)
{
    struct bl_cbor r;
    uint32_t items;

    bl_cbor_init(&r, sequence);
    if (sequence.n == 0 || bl_cbor_array(&r, &items) != BL_OK) {
        return;
    }
    for (uint32_t i = 0; i + 1 < items; i += 2) {
        int64_t command;

        if (bl_cbor_int(&r, &command) != BL_OK) {
            return;
        }
        if (command == OVERRIDE_PARAMETERS) {
            if (scan_parameters(&r, out, size) != 0) {
                return;
            }
        } else if (bl_cbor_item(&r, NULL) != BL_OK) {
            return;
        }
    }
}

void release_minimum(bl_span envelope, char *out, size_t size)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;

    out[0] = '\0';
    if (bl_suit_read(envelope, &e) == BL_OK &&
        bl_suit_scan(&e, NULL, &m) == BL_OK) {
        scan_sequence(m.shared, out, size);
        scan_sequence(m.fetch, out, size);
        scan_sequence(m.install, out, size);
    }
}
