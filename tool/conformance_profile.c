/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes, tickets, root documents and reports of the Bowline profile, and
 * the examples of the SUIT draft. */
#include <string.h>

#include "bowline/cbor.h"
#include "bowline/sha256.h"
#include "bowline/ticket.h"
#include "conformance_device.h"
#include "posix/crypto.h"

/* --- Envelopes -------------------------------------------------------------
 */

enum stage { CONTAINER, AUTHENTICATION, CONTENT };

/* All keys that the file names hold the release role. */
static void release_root(const struct check *c, uint32_t threshold,
                         struct bl_root *root)
{
    size_t i;

    memset(root, 0, sizeof *root);
    root->ceiling = UINT64_MAX;
    root->role[BL_ROLE_RELEASE].threshold = threshold;
    for (i = 0; i < c->n_keys; i++) {
        struct bl_root_key *key = &root->key[root->n_keys];

        /* The device's own key is no release key. */
        if (strncmp(c->key[i].name, "release", 7) != 0) {
            continue;
        }
        key->key = c->key[i].key;
        if (bl_key_id(&key->key, key->kid) == BL_OK) {
            root->role[BL_ROLE_RELEASE].keys =
                (uint8_t)(root->role[BL_ROLE_RELEASE].keys |
                          1u << root->n_keys);
            root->n_keys++;
        }
    }
}

static bl_status run_procedure(struct device *d,
                               const struct bl_suit_envelope *envelope,
                               const struct bl_suit_manifest *manifest,
                               bl_suit_procedure procedure)
{
    struct bl_suit_run run;
    bl_suit_event event = BL_SUIT_DONE;
    bl_status status =
        bl_suit_start(&run, envelope, manifest, &d->platform, procedure);

    do {
        if (status == BL_OK) {
            status = bl_suit_step(&run, &event);
        }
        if (status == BL_OK && event == BL_SUIT_FETCH) {
            status = device_fetch(d, &run.fetch);
        }
    } while (status == BL_OK && event == BL_SUIT_FETCH);
    return status;
}

/* As a device does: each step only after the one before. */
static bl_status install(struct device *d, bl_span bytes,
                         const struct bl_root *root, enum stage *stage)
{
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    bl_status status;

    *stage = CONTAINER;
    status = bl_suit_read(bytes, &envelope);
    if (status != BL_OK) {
        return status;
    }
    *stage = AUTHENTICATION;
    status = bl_suit_authenticate(&envelope, root, &posix_crypto, NULL);
    if (status != BL_OK) {
        return status;
    }
    *stage = CONTENT;
    status = bl_suit_scan(&envelope, &d->platform, &manifest);
    if (status != BL_OK) {
        return status;
    }
    if (manifest.sequence < d->sequence) {
        return BL_SEQUENCE_LOW;
    }
    status = run_procedure(d, &envelope, &manifest, BL_SUIT_UPDATE);
    if (status != BL_OK) {
        return status;
    }
    d->platform.installed = true;
    return run_procedure(d, &envelope, &manifest, BL_SUIT_INVOKE);
}

static bool holds(struct check *c, const struct device *d, const char *name,
                  const json_t *expected, const char *key)
{
    bl_span wanted = hex_of(c, expected, key);
    uint8_t digest[32];

    return device_digest(d, name, digest) &&
           bl_span_equal(wanted, bl_span_of(digest, sizeof digest));
}

/* What an accepted update must have left behind. */
static const char *odd_outcome(struct check *c, const struct device *d,
                               const json_t *expected)
{
    const json_t *components = json_object_get(expected, "components");
    const json_t *slot = json_object_get(expected, "written_slot");
    const char *path = optional_text(expected, "path");
    const char *name;
    json_t *value;

    if (slot != NULL && json_integer_value(slot) != d->target) {
        return "not the slot that was to be written";
    }
    if (path[0] != '\0' && (strcmp(path, "delta") == 0) != d->applied) {
        return d->applied ? "by delta" : "not by delta";
    }
    if (json_object_get(expected, "image_sha256") != NULL &&
        !holds(c, d, "app", expected, "image_sha256")) {
        return "the slot has another image";
    }
    json_object_foreach((json_t *)(uintptr_t)components, name, value)
    {
        if (!holds(c, d, name, components, name)) {
            return "a component has another content";
        }
    }
    return NULL;
}

/* How an expected refusal was refused. COSE forms are seen when the container
 * is read, commands of any section before any of it runs: a stage earlier
 * than named is as good, a later one is not. */
static const char *odd_refusal(const json_t *expected, bl_status status,
                               enum stage stage)
{
    const json_t *code = json_object_get(expected, "code");
    const char *named = optional_text(expected, "stage");
    enum stage latest = strcmp(named, "container") == 0        ? CONTAINER
                        : strcmp(named, "authentication") == 0 ? AUTHENTICATION
                                                               : CONTENT;

    if (code != NULL &&
        json_integer_value(code) != bl_status_suit_reason(status)) {
        return "another reason code than expected";
    }
    if (stage > latest) {
        return "refused too late";
    }
    return latest == CONTENT && stage < CONTENT ? "refused too early" : NULL;
}

void check_profile(struct check *c, const json_t *vector)
{
    const char *name = text_of(c, vector, "name");
    const json_t *expected = json_object_get(vector, "expected");
    bool expect = strcmp(text_of(c, expected, "verdict"), "accept") == 0;
    const json_t *threshold = json_object_get(vector, "threshold");
    size_t signers = json_array_size(json_object_get(vector, "signed_by"));
    bl_span bytes = hex_of(c, vector, "envelope");
    struct device d;
    struct bl_root root;
    enum stage stage;
    const char *odd;
    bl_status status;

    device_init(&d, c, vector);
    if (failed(c)) {
        return;
    }
    if (threshold != NULL) {
        signers = (size_t)json_integer_value(threshold);
    }
    release_root(c, signers == 0 ? 1 : (uint32_t)signers, &root);
    status = install(&d, bytes, &root, &stage);
    if (status == BL_ENCRYPTION && json_object_get(expected, "code") == NULL) {
        unsupported(c, name, bl_status_name(status));
        return;
    }
    odd = expect != (status == BL_OK) ? NULL
          : expect                    ? odd_outcome(c, &d, expected)
                                      : odd_refusal(expected, status, stage);
    if (d.played && odd == NULL) {
        result_noted(c, name, expect, status,
                     "its patch stands for one: the image was taken as given");
    } else {
        result(c, name, expect, status, odd);
    }
}

/* --- Examples of the SUIT draft ---------------------------------------------
 */

static bl_status draft_signatures(const struct bl_suit_envelope *envelope,
                                  const struct bl_key *key)
{
    bl_verdict verdict = BL_BAD;
    struct bl_key named = *key;
    bl_status status = BL_OK;
    uint32_t i;

    for (i = 0; status == BL_OK && i < envelope->n_blocks; i++) {
        /* The examples use ES256 (-7), which no root document may. */
        named.alg = envelope->block[i].alg == -7 ? -7 : key->alg;
        status = bl_cose_sign1_verify(&envelope->block[i], bl_span_of(NULL, 0),
                                      envelope->digest_item, &named,
                                      &posix_crypto, &verdict);
        if (status == BL_OK && verdict != BL_GOOD) {
            status = BL_SIGNATURE;
        }
    }
    return status;
}

/* Is `wanted` the digest over `content` with its byte-string head? */
static bool digest_holds(bl_span content, bl_span wanted)
{
    struct bl_sha256 hash;
    uint8_t head[9];
    uint8_t digest[32];

    bl_sha256_init(&hash);
    bl_sha256_update(&hash, head, bl_cbor_bstr_head(head, content.n));
    bl_sha256_update(&hash, content.p, content.n);
    bl_sha256_final(&hash, digest);
    return bl_span_equal(wanted, bl_span_of(digest, sizeof digest));
}

/* The elements that the example names as severed: there or not, and what
 * they should be. */
static const char *odd_severed(struct check *c, const json_t *vector,
                               const struct bl_suit_envelope *envelope)
{
    const json_t *severed = json_object_get(vector, "severed");
    const char *key;
    json_t *element;

    json_object_foreach((json_t *)(uintptr_t)severed, key, element)
    {
        bl_span content = strcmp(key, "16") == 0   ? envelope->fetch
                          : strcmp(key, "20") == 0 ? envelope->install
                                                   : envelope->text;
        bool present = json_is_true(json_object_get(element, "present"));

        if (present != (content.p != NULL)) {
            return "a severed element is there, or is not, unlike expected";
        }
        if (present && !digest_holds(content, hex_of(c, element, "digest"))) {
            return "a severed element has another digest";
        }
    }
    return NULL;
}

static const char *odd_example(struct check *c, const json_t *vector,
                               const struct bl_suit_envelope *envelope)
{
    const json_t *blocks = json_object_get(vector, "authentication");
    bl_span digest = hex_of(c, vector, "manifest_digest");

    if (!bl_span_equal(digest, bl_span_of(envelope->digest, 32)) ||
        !digest_holds(envelope->manifest, digest)) {
        return "another manifest digest";
    }
    if (json_array_size(blocks) != envelope->n_blocks) {
        return "another number of authentication blocks";
    }
    return odd_severed(c, vector, envelope);
}

/* The manifest itself, when all its elements are there. What is good SUIT may
 * still lie outside the profile: named, as any refusal of the profile. */
static bl_status scan_example(struct check *c, const json_t *vector,
                              const struct bl_suit_envelope *envelope,
                              const char **odd)
{
    struct bl_suit_manifest manifest;
    bool lacks =
        (json_object_get(json_object_get(vector, "severed"), "20") != NULL &&
         envelope->install.p == NULL) ||
        (json_object_get(json_object_get(vector, "severed"), "16") != NULL &&
         envelope->fetch.p == NULL);
    bl_status status = bl_suit_scan(envelope, NULL, &manifest);

    if (lacks) { /* the draft's own way of showing the manifest alone */
        *odd = status == BL_SEVERED ? NULL : "a missing element not missed";
        return BL_OK;
    }
    if (status == BL_OK &&
        manifest.sequence != number_of(c, vector, "sequence_number")) {
        *odd = "another sequence number";
    }
    return status;
}

void check_draft(struct check *c, const json_t *file, const json_t *vector)
{
    const json_t *example = json_object_get(vector, "example");
    bl_span bytes = hex_of(c, vector, "envelope");
    const char *odd = NULL;
    struct bl_suit_envelope envelope;
    struct bl_key key;
    char name[MAX_NAME];
    bl_status status;

    (void)snprintf(name, sizeof name, "example %d: %s",
                   (int)json_integer_value(example),
                   text_of(c, vector, "variant"));
    if (!key_of(c, json_object_get(file, "key"), &key)) {
        fail(c, "no \"key\" of a known kind");
    }
    if (failed(c)) {
        return;
    }
    status = bl_suit_read(bytes, &envelope);
    if (status == BL_COSE || status == BL_SEVERED || status == BL_TOO_LARGE) {
        unsupported(c, name, bl_status_name(status));
        return;
    }
    if (status == BL_OK) {
        status = draft_signatures(&envelope, &key);
    }
    if (status == BL_OK) {
        odd = odd_example(c, vector, &envelope);
    }
    if (status == BL_OK && odd == NULL) {
        status = scan_example(c, vector, &envelope, &odd);
        if (status != BL_OK) {
            unsupported(c, name, bl_status_name(status));
            return;
        }
    }
    result(c, name, true, status, odd);
}

/* --- Tickets ---------------------------------------------------------------
 */

static bl_status check_one_ticket(struct check *c, const json_t *file,
                                  bl_span ticket, const struct bl_key *key)
{
    const json_t *context = json_object_get(file, "context");
    bl_span id = hex_of(c, context, "device_id");
    bl_span nonce = hex_of(c, context, "device_nonce");
    bl_span manifest = hex_of(c, context, "manifest_digest");
    uint64_t now = number_of(c, context, "now");
    struct bl_root root;
    struct bl_ticket read;
    bl_status status;

    memset(&root, 0, sizeof root);
    root.version = number_of(c, context, "root_version");
    root.n_keys = 1;
    root.key[0].key = *key;
    root.role[BL_ROLE_TICKET].threshold = 1;
    root.role[BL_ROLE_TICKET].keys = 1;
    if (failed(c) || id.n != BL_ID_SIZE || manifest.n != 32 ||
        bl_key_id(key, root.key[0].kid) != BL_OK) {
        fail(c, "\"context\" is not one of a ticket");
        return BL_TICKET;
    }
    status =
        bl_ticket_check(ticket, &root, id.p, nonce, now, &posix_crypto, &read);
    if (status == BL_OK &&
        !bl_span_equal(manifest, bl_span_of(read.manifest, 32))) {
        status = BL_TICKET_DIGEST;
    }
    return status;
}

void check_ticket(struct check *c, const json_t *file, const json_t *vector)
{
    const char *name = text_of(c, vector, "name");
    bool expect = strcmp(text_of(c, vector, "expected"), "accept") == 0;
    bl_span ticket = hex_of(c, vector, "ticket");
    struct bl_key key;
    bl_status status;

    if (!key_of(c, json_object_get(file, "key"), &key)) {
        fail(c, "no \"key\" of a known kind");
    }
    if (failed(c)) {
        return;
    }
    status = check_one_ticket(c, file, ticket, &key);
    if (!failed(c)) {
        result(c, name, expect, status, NULL);
    }
}

/* --- Root documents ---------------------------------------------------------
 */

enum { MAX_ROOTS = 16 };

/* In order: a vector is judged by the document that an earlier one left. */
void check_roots(struct check *c, const json_t *vectors)
{
    struct bl_root accepted[MAX_ROOTS];
    size_t n = 0;
    size_t i;
    size_t k;
    const json_t *vector;

    json_array_foreach(vectors, i, vector)
    {
        const char *name = text_of(c, vector, "name");
        const json_t *before = json_object_get(vector, "trusted_root_version");
        bool expect = strcmp(text_of(c, vector, "expected"), "accept") == 0;
        bl_span document = hex_of(c, vector, "root");
        const struct bl_root *trusted = NULL;
        struct bl_root root;
        bl_status status;

        for (k = 0; k < n && json_is_integer(before); k++) {
            if (accepted[k].version == (uint64_t)json_integer_value(before)) {
                trusted = &accepted[k];
            }
        }
        if (json_is_integer(before) && trusted == NULL) {
            fail(c, "%s: no vector before it gave that trusted root", name);
        }
        if (failed(c)) {
            return;
        }
        status = bl_root_accept(document, trusted, &posix_crypto, &root);
        if (status == BL_OK && n < MAX_ROOTS) {
            accepted[n++] = root;
        }
        result(c, name, expect, status, NULL);
    }
}

/* --- Reports ----------------------------------------------------------------
 */

static bl_status read_report(bl_span report)
{
    struct bl_cbor r;
    bl_span item;

    bl_cbor_init(&r, report);
    if (bl_cbor_peek(&r) != BL_CBOR_MAP || bl_cbor_item(&r, &item) != BL_OK) {
        return BL_CBOR;
    }
    return bl_cbor_finish(&r);
}

/* The reports are signed with the device's key. */
void check_report(struct check *c, const json_t *vector)
{
    const char *name = text_of(c, vector, "name");
    bl_span report = hex_of(c, vector, "report");
    bl_span cose = hex_of(c, vector, "cose_sign1");
    const struct bl_key *key = find_key(c, "device-ecdh");
    struct bl_cose_sign1 message;
    bl_verdict verdict = BL_BAD;
    bl_status status;

    if (key == NULL) {
        fail(c, "%s: no key \"device-ecdh\" among the keys", name);
    }
    if (failed(c)) {
        return;
    }
    status = bl_cose_sign1_read(cose, &message);
    if (status == BL_OK && !message.attached) {
        status = BL_COSE;
    }
    if (status == BL_OK) {
        status = bl_cose_sign1_verify(&message, bl_span_of(NULL, 0),
                                      message.payload, key, &posix_crypto,
                                      &verdict);
    }
    if (status == BL_OK && verdict != BL_GOOD) {
        status = BL_SIGNATURE;
    }
    if (status == BL_OK) {
        status = read_report(message.payload);
    }
    result(c, name, true, status,
           status == BL_OK && !bl_span_equal(report, message.payload)
               ? "the signed report is another one"
               : NULL);
}
