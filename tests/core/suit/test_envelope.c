/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published envelopes cut short and with single bits turned, and what servers
 * read from them. Everything that a device would trust must be refused as
 * soon as one bit of it is another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bowline/sha256.h"
#include "bowline/suit.h"
#include "posix/crypto.h"
#include "vectors.h"

static void add_key(struct vectors *v, struct bl_root *root, const char *name,
                    int32_t alg)
{
    const json_t *key = vectors_member(vectors_member(v->json, "keys"), name);
    struct bl_root_key *k = &root->key[root->n_keys];

    k->key.alg = alg;
    k->key.x = vectors_hex(v, key, alg == BL_ALG_HSS_LMS ? "pub" : "x");
    if (alg == BL_ALG_ESP256) {
        k->key.y = vectors_hex(v, key, "y");
    }
    assert_int_equal(bl_key_id(&k->key, k->kid), BL_OK);
    root->role[BL_ROLE_RELEASE].keys =
        (uint8_t)(root->role[BL_ROLE_RELEASE].keys | 1u << root->n_keys);
    root->n_keys++;
}

static void read_keys(struct vectors *v, struct bl_root *root)
{
    memset(root, 0, sizeof *root);
    root->ceiling = UINT64_MAX;
    root->role[BL_ROLE_RELEASE].threshold = 1;
    add_key(v, root, "release-esp256", BL_ALG_ESP256);
    add_key(v, root, "release-ed25519", BL_ALG_ED25519);
    add_key(v, root, "release-hss-sha256-m32", BL_ALG_HSS_LMS);
    add_key(v, root, "release-hss-sha256-m24", BL_ALG_HSS_LMS);
}

/* All that is checked before a device writes, and of an integrated payload
 * what it checks while it writes. */
static bl_status check_all(bl_span bytes, const struct bl_root *root)
{
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_fetch fetch;
    uint8_t digest[32];
    uint32_t i;
    bl_status status = bl_suit_read(bytes, &envelope);

    if (status == BL_OK) {
        status = bl_suit_authenticate(&envelope, root, &posix_crypto, NULL);
    }
    if (status == BL_OK) {
        status = bl_suit_scan(&envelope, NULL, &manifest);
    }
    for (i = 0; status == BL_OK; i++) {
        status = bl_suit_payload(&envelope, &manifest, 1, i, &fetch);
        if (status == BL_OK && fetch.integrated.p != NULL) {
            bl_sha256(fetch.integrated.p, fetch.integrated.n, digest);
            if (fetch.integrated.n != fetch.size ||
                bl_equal(digest, fetch.digest, 32) != BL_GOOD) {
                return BL_PAYLOAD_DIGEST;
            }
        }
    }
    return status == BL_ARGUMENT ? BL_OK : status; /* no more payloads */
}

static bool is_supported(bl_span bytes, const struct bl_root *root)
{
    bl_status status = check_all(bytes, root);

    assert_true(status == BL_OK || status == BL_ENCRYPTION);
    return status == BL_OK;
}

/* Bytes from..to of the envelope that nobody signs: a key id is a hint. */
static void kid_range(bl_span bytes, size_t *from, size_t *to)
{
    struct bl_suit_envelope envelope;

    *from = *to = 0;
    assert_int_equal(bl_suit_read(bytes, &envelope), BL_OK);
    if (envelope.block[0].kid.n > 0) {
        *from = (size_t)(envelope.block[0].kid.p - bytes.p);
        *to = *from + envelope.block[0].kid.n;
    }
}

static unsigned flip_bits(bl_span bytes, const struct bl_root *root,
                          size_t step)
{
    uint8_t *changed = malloc(bytes.n);
    unsigned tried = 0;
    size_t from;
    size_t to;
    size_t bit;

    kid_range(bytes, &from, &to);
    for (bit = 0; bit < bytes.n * 8; bit += step) {
        if (bit / 8 >= from && bit / 8 < to) {
            continue;
        }
        memcpy(changed, bytes.p, bytes.n);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (check_all(bl_span_of(changed, bytes.n), root) == BL_OK) {
            fail_msg("bit %zu of %zu turned, and accepted", bit, bytes.n * 8);
        }
        tried++;
    }
    free(changed);
    return tried;
}

static void every_bit_turned_is_refused(void **state)
{
    struct vectors v;
    struct bl_root root;
    const json_t *vector;
    unsigned tried = 0;
    unsigned envelopes = 0;
    size_t i;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    read_keys(&v, &root);
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        bl_span bytes = vectors_hex(&v, vector, "envelope");

        if (is_supported(bytes, &root)) {
            /* An HSS signature takes thousands of hashes: sampled. */
            tried += flip_bits(bytes, &root, bytes.n > 900 ? 61 : 1);
            envelopes++;
        }
    }
    assert_int_equal(envelopes, 17);
    assert_true(tried > 20000);
    vectors_close(&v);
}

static void every_truncation_is_refused(void **state)
{
    struct vectors v;
    struct bl_root root;
    const json_t *vector;
    size_t i;
    size_t n;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    read_keys(&v, &root);
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        bl_span bytes = vectors_hex(&v, vector, "envelope");

        for (n = 0; n < bytes.n; n++) {
            uint8_t *cut = malloc(n == 0 ? 1 : n);

            memcpy(cut, bytes.p, n);
            assert_int_not_equal(check_all(bl_span_of(cut, n), &root), BL_OK);
            free(cut);
        }
    }
    vectors_close(&v);
}

/* --- What servers read -----------------------------------------------------
 */

static bl_span vector_named(struct vectors *v, const char *name)
{
    const json_t *vector;
    size_t i;

    json_array_foreach(vectors_member(v->json, "vectors"), i, vector)
    {
        if (strcmp(vectors_text(vector, "name"), name) == 0) {
            return vectors_hex(v, vector, "envelope");
        }
    }
    fail_msg("no vector %s", name);
    return bl_span_of(NULL, 0);
}

static void read_vector(struct vectors *v, const char *name,
                        struct bl_suit_envelope *envelope,
                        struct bl_suit_manifest *manifest)
{
    assert_int_equal(bl_suit_read(vector_named(v, name), envelope), BL_OK);
    assert_int_equal(bl_suit_scan(envelope, NULL, manifest), BL_OK);
}

static void expect_payload(struct vectors *v, const char *name, uint8_t slot,
                           uint32_t i, const char *uri, uint32_t size)
{
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_fetch fetch;
    bl_status status;

    read_vector(v, name, &envelope, &manifest);
    status = bl_suit_payload(&envelope, &manifest, slot, i, &fetch);
    if (uri == NULL) {
        assert_int_equal(status, BL_ARGUMENT);
        return;
    }
    assert_int_equal(status, BL_OK);
    assert_int_equal(fetch.size, size);
    assert_true(bl_span_equal(fetch.uri, bl_span_of(uri, strlen(uri))));
}

static void payloads_are_listed_without_a_device(void **state)
{
    struct vectors v;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    expect_payload(&v, "full-image", 0, 0, "app-2.0.0.bin", 256);
    expect_payload(&v, "full-image", 0, 1, NULL, 0);
    expect_payload(&v, "ab-position-dependent", 0, 0, "app-2.0.0-a.bin", 256);
    expect_payload(&v, "ab-position-dependent", 1, 0, "app-2.0.0-b.bin", 260);
    expect_payload(&v, "ab-position-dependent", 1, 1, NULL, 0);
    expect_payload(&v, "multi-component", 1, 0, "app-2.0.0.bin", 256);
    expect_payload(&v, "multi-component", 1, 1, "radio-3.1.bin", 192);
    expect_payload(&v, "multi-component", 1, 2, NULL, 0);
    expect_payload(&v, "min-version", 0, 0, "app-2.0.0.bin", 256);
    expect_payload(&v, "full-image-severed-integrated", 1, 0, "#app", 256);
    vectors_close(&v);
}

static void identity_is_what_the_shared_sequence_sets(void **state)
{
    static const char *const names[] = {"full-image", "multi-component",
                                        "ab-position-dependent"};
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    const uint8_t *vendor;
    const uint8_t *class;
    struct vectors v;
    bl_span wanted;
    size_t i;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    for (i = 0; i < 3; i++) {
        read_vector(&v, names[i], &envelope, &manifest);
        assert_int_equal(bl_suit_identity(&manifest, &vendor, &class), BL_OK);
        wanted = vectors_bytes(&v, "fc98c3cd14de55a49ee8bef2f25442b6");
        assert_memory_equal(vendor, wanted.p, 16);
        wanted = vectors_bytes(&v, "a4b4dd6eb0ea540c9701693036deb257");
        assert_memory_equal(class, wanted.p, 16);
    }
    vectors_close(&v);
}

static void altered_severed_element_is_refused(void **state)
{
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct vectors v;
    uint8_t *text;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    read_vector(&v, "full-image-severed-integrated", &envelope, &manifest);
    text = vectors_copy(&v, envelope.text);
    text[envelope.text.n - 1] ^= 1;
    envelope.text.p = text;
    assert_int_equal(bl_suit_scan(&envelope, NULL, &manifest),
                     BL_MANIFEST_DIGEST);
    envelope.text = bl_span_of(NULL, 0); /* may be left out */
    assert_int_equal(bl_suit_scan(&envelope, NULL, &manifest), BL_OK);
    envelope.fetch = envelope.install; /* the manifest knows of none */
    assert_int_equal(bl_suit_scan(&envelope, NULL, &manifest), BL_SEVERED);
    vectors_close(&v);
}

static bl_status any_component(void *ctx, bl_span id,
                               struct bl_suit_component *out)
{
    (void)ctx;
    (void)id;
    memset(out, 0, sizeof *out);
    return BL_OK;
}

/* The scan has seen to it; the run does not rely on that alone. */
static void run_itself_insists_on_vendor_and_class(void **state)
{
    static const uint8_t shared[] = {0x82, 0x14, 0xA1, 0x05, 0x00};
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_platform platform;
    struct bl_suit_run run;
    bl_suit_event event = BL_SUIT_DONE;
    struct vectors v;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    read_vector(&v, "full-image", &envelope, &manifest);
    manifest.shared = bl_span_of(shared, sizeof shared);
    memset(&platform, 0, sizeof platform);
    platform.component = any_component;
    assert_int_equal(
        bl_suit_start(&run, &envelope, &manifest, &platform, BL_SUIT_UPDATE),
        BL_OK);
    assert_int_equal(bl_suit_step(&run, &event), BL_NO_COMPATIBILITY_CHECK);
    /* and stays at it */
    assert_int_equal(bl_suit_step(&run, &event), BL_NO_COMPATIBILITY_CHECK);
    vectors_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_turned_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(payloads_are_listed_without_a_device),
        cmocka_unit_test(identity_is_what_the_shared_sequence_sets),
        cmocka_unit_test(altered_severed_element_is_refused),
        cmocka_unit_test(run_itself_insists_on_vendor_and_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
