/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "bowline/firmware.h"
#include "bowline/sha256.h"
#include "bowline/suit.h"
#include "host/file.h"
#include "posix/crypto.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t app_bytes[300] = {1, 2, 3};
static const uint8_t radio_bytes[200] = {4, 5, 6};

static void set_image(struct author_image *image, const char *component,
                      const uint8_t *bytes, uint32_t n)
{
    memset(image, 0, sizeof *image);
    image->component = component;
    image->size = n;
    bl_sha256(bytes, n, image->sha256);
}

static void set_manifest(struct author_manifest *m,
                         const struct author_image *image, uint32_t n)
{
    memset(m, 0, sizeof *m);
    m->sequence = 7;
    author_vendor_id("example.com", m->vendor_id);
    author_class_id(m->vendor_id, "thermostat", m->class_id);
    m->version = "1.1.0";
    m->vendor_name = "Example";
    m->model_name = "Thermostat with a longer name";
    m->image = image;
    m->n_images = n;
}

/* --- A device that core may ask ------------------------------------------ */

static bl_status any_component(void *ctx, bl_span id,
                               struct bl_suit_component *out)
{
    (void)ctx;
    (void)id;
    out->slot = 1;
    out->writable = true;
    out->capacity = 4096;
    return BL_OK;
}

static bl_status always_matches(void *ctx, bl_span id,
                                const uint8_t digest[32], uint32_t size,
                                bl_verdict *verdict)
{
    (void)ctx;
    (void)id;
    (void)digest;
    (void)size;
    *verdict = BL_GOOD;
    return BL_OK;
}

/* Reads, authenticates, scans, and runs to the end as a device of version
 * `version` would; returns the status, and how many payloads were fetched. */
static bl_status run(bl_span envelope, const struct bl_root *root,
                     const struct author_manifest *made, const char *version,
                     struct bl_suit_envelope *e, uint32_t *fetched)
{
    struct bl_suit_platform platform = {0};
    struct bl_suit_manifest manifest;
    struct bl_suit_run r;
    bl_suit_event event = BL_SUIT_FETCH;
    int32_t number[8];
    bl_status status;

    platform.vendor_id = made->vendor_id;
    platform.class_id = made->class_id;
    platform.n_class_ids = 1;
    platform.version = number;
    platform.n_version = bl_version_parse(version, number, 8);
    platform.component = any_component;
    platform.image_match = always_matches;
    *fetched = 0;
    status = bl_suit_read(envelope, e);
    if (status == BL_OK) {
        status = bl_suit_authenticate(e, root, &posix_crypto, NULL);
    }
    if (status == BL_OK) {
        status = bl_suit_scan(e, &platform, &manifest);
    }
    if (status == BL_OK) {
        status = bl_suit_start(&r, e, &manifest, &platform, BL_SUIT_UPDATE);
    }
    while (status == BL_OK && event != BL_SUIT_DONE) {
        status = bl_suit_step(&r, &event);
        *fetched += status == BL_OK && event == BL_SUIT_FETCH ? 1 : 0;
    }
    return status;
}

static void make(const struct author_manifest *m,
                 struct author_key *const *keys, uint32_t n,
                 struct buffer *out)
{
    struct error err;

    must(author_envelope(m, keys, n, out, &err), &err);
}

/* --- Accepted ------------------------------------------------------------ */

/* As many as there can be, in an envelope that small devices have room for. */
static void each_patch_is_an_alternative_and_the_image_the_last(void **state)
{
    struct fixture *f = *state;
    struct author_patch patch[AUTHOR_PATCHES];
    struct buffer out = BUFFER(4096);
    struct bl_suit_envelope e;
    struct bl_suit_manifest read;
    struct bl_suit_fetch fetch;
    struct author_manifest m;
    struct author_image image;
    const uint8_t *digest = NULL;
    uint32_t size = 0;
    uint32_t i;

    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    memset(patch, 0, sizeof patch);
    for (i = 0; i < AUTHOR_PATCHES; i++) {
        patch[i].base_sha256[0] = (uint8_t)i;
        patch[i].base_size = 290 + i;
        patch[i].sha256[0] = (uint8_t)(100 + i);
        patch[i].size = 20 + i;
    }
    m.patch = patch;
    m.n_patches = AUTHOR_PATCHES;
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(bl_suit_read(buffer_span(&out), &e), BL_OK);
    assert_int_equal(bl_suit_scan(&e, NULL, &read), BL_OK);
    for (i = 0; i <= AUTHOR_PATCHES; i++) {
        assert_int_equal(bl_suit_every_payload(&e, &read, 1, i, &fetch),
                         BL_OK);
        assert_true(bl_span_equal(fetch.component,
                                  read.component[i < AUTHOR_PATCHES ? 2 : 0]));
        assert_memory_equal(
            fetch.digest, i < AUTHOR_PATCHES ? patch[i].sha256 : image.sha256,
            32);
        assert_int_equal(fetch.size,
                         i < AUTHOR_PATCHES ? 20 + i : sizeof app_bytes);
    }
    assert_int_equal(bl_suit_every_payload(&e, &read, 1, i, &fetch),
                     BL_ARGUMENT);
    /* a device with no image fetches the image only */
    assert_int_equal(bl_suit_payload(&e, &read, 1, 0, &fetch), BL_OK);
    assert_memory_equal(fetch.digest, image.sha256, 32);
    assert_int_equal(bl_suit_payload(&e, &read, 1, 1, &fetch), BL_ARGUMENT);
    assert_int_equal(bl_suit_image(&e, &read, 0, &digest, &size), BL_OK);
    assert_memory_equal(digest, image.sha256, 32);
    assert_int_equal(size, sizeof app_bytes);
    buffer_free(&out);
}

static void manifest_of_the_vector_is_made_byte_for_byte(void **state)
{
    struct author_key *key = fixture_test1_key(*state);
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope made;
    struct bl_suit_envelope read;
    struct author_manifest m;
    struct author_image image;
    struct vectors v;
    const json_t *vector = NULL;
    bl_span expected;
    size_t i;

    vectors_open(&v, "bowline-profile/positive.json");
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        if (strcmp(vectors_text(vector, "name"), "sign-ed25519") == 0) {
            break;
        }
    }
    assert_non_null(vector);
    expected = vectors_hex(&v, vector, "envelope");
    set_image(&image, "app", app_bytes, 256);
    assert_int_equal(hex_decode("419d9f265137d5e95dbce01a56a4ad37bcf35bb6a72a"
                                "b240202c6e0b00921e05",
                                64, image.sha256, 32),
                     0);
    image.uri = "app-2.0.0.bin";
    memset(&m, 0, sizeof m);
    m.sequence = 7;
    assert_int_equal(
        hex_decode("fc98c3cd14de55a49ee8bef2f25442b6", 32, m.vendor_id, 16),
        0);
    assert_int_equal(
        hex_decode("a4b4dd6eb0ea540c9701693036deb257", 32, m.class_id, 16), 0);
    m.image = &image;
    m.n_images = 1;
    make(&m, &key, 1, &out);
    assert_int_equal(bl_suit_read(expected, &read), BL_OK);
    assert_int_equal(bl_suit_read(buffer_span(&out), &made), BL_OK);
    assert_true(bl_span_equal(made.manifest, read.manifest));
    assert_memory_equal(made.digest, read.digest, 32);
    /* Ed25519 is deterministic; only the kid in the open header differs. */
    assert_true(
        bl_span_equal(made.block[0].signature, read.block[0].signature));
    assert_int_equal(made.block[0].kid.n, 8);
    vectors_close(&v);
    buffer_free(&out);
    author_key_free(key);
}

static void one_image_is_accepted_by_core(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image;
    struct bl_root root;
    uint32_t fetched;

    fixture_trust(f, 1, &trust, &root);
    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(run(buffer_span(&out), &root, &m, "1.0.0", &e, &fetched),
                     BL_OK);
    assert_int_equal(fetched, 1);
    buffer_free(&out);
    buffer_free(&trust);
}

static void parts_of_the_manifest_say_what_was_asked(void **state)
{
    struct fixture *f = *state;
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct bl_suit_manifest read;
    struct bl_suit_fetch fetch;
    struct author_manifest m;
    struct author_image image;
    const uint8_t *vendor;
    const uint8_t *class;
    char uri[80] = "payloads/";

    set_image(&image, "cfg/net", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(bl_suit_read(buffer_span(&out), &e), BL_OK);
    assert_int_equal(bl_suit_scan(&e, NULL, &read), BL_OK);
    assert_int_equal(read.sequence, 7);
    assert_int_equal(read.n_components, 1);
    assert_true(bl_span_equal(read.component[0], bl_span_of("\x82\x43"
                                                            "cfg\x43"
                                                            "net",
                                                            9)));
    assert_true(
        bl_span_equal(read.set_version, bl_span_of("\x83\x01\x01\x00", 4)));
    assert_int_equal(bl_suit_identity(&read, &vendor, &class), BL_OK);
    assert_memory_equal(vendor, m.vendor_id, 16);
    assert_memory_equal(class, m.class_id, 16);
    assert_int_equal(bl_suit_payload(&e, &read, 1, 0, &fetch), BL_OK);
    assert_int_equal(fetch.size, sizeof app_bytes);
    assert_memory_equal(fetch.digest, image.sha256, 32);
    hex_encode(image.sha256, 32, uri + 9);
    assert_true(bl_span_equal(fetch.uri, bl_span_of(uri, strlen(uri))));
    assert_int_equal(bl_suit_payload(&e, &read, 1, 1, &fetch), BL_ARGUMENT);
    buffer_free(&out);
}

static void several_images_are_accepted_by_core(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image[4];
    struct bl_root root;
    uint32_t fetched;
    uint32_t n;

    fixture_trust(f, 1, &trust, &root);
    set_image(&image[0], "app", app_bytes, sizeof app_bytes);
    set_image(&image[1], "radio", radio_bytes, sizeof radio_bytes);
    set_image(&image[2], "cfg/net", app_bytes, 100);
    set_image(&image[3], "a/b/c/d/e", app_bytes, 50);
    for (n = 2; n <= 4; n++) {
        set_manifest(&m, image, n);
        m.minimum_version = n == 3 ? "1.0.0" : NULL;
        buffer_clear(&out);
        make(&m, &f->key[KEY_A], 1, &out);
        assert_int_equal(
            run(buffer_span(&out), &root, &m, "1.0.0", &e, &fetched), BL_OK);
        assert_int_equal(fetched, n);
    }
    buffer_free(&out);
    buffer_free(&trust);
}

static void minimum_version_holds_an_older_device_off(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image;
    struct bl_root root;
    uint32_t fetched;

    fixture_trust(f, 1, &trust, &root);
    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    m.minimum_version = "1.4.0";
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(run(buffer_span(&out), &root, &m, "1.3.9", &e, &fetched),
                     BL_VERSION);
    assert_int_equal(
        run(buffer_span(&out), &root, &m, "1.4-rc.1", &e, &fetched),
        BL_VERSION);
    assert_int_equal(fetched, 0);
    assert_int_equal(run(buffer_span(&out), &root, &m, "1.4.0", &e, &fetched),
                     BL_OK);
    buffer_free(&out);
    buffer_free(&trust);
}

static void integrated_payloads_are_carried(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image[2];
    struct bl_root root;
    uint32_t fetched;

    fixture_trust(f, 1, &trust, &root);
    set_image(&image[0], "radio", radio_bytes, sizeof radio_bytes);
    set_image(&image[1], "app", app_bytes, sizeof app_bytes);
    image[0].integrated = bl_span_of(radio_bytes, sizeof radio_bytes);
    image[1].integrated = bl_span_of(app_bytes, sizeof app_bytes);
    set_manifest(&m, image, 2);
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(run(buffer_span(&out), &root, &m, "1.0.0", &e, &fetched),
                     BL_OK);
    assert_int_equal(e.n_integrated, 2);
    assert_true(bl_span_equal(e.integrated[0].key, bl_span_of("#app", 4)));
    assert_true(bl_span_equal(e.integrated[0].content, image[1].integrated));
    assert_true(bl_span_equal(e.integrated[1].content, image[0].integrated));
    image[1].size--;
    buffer_clear(&out);
    assert_int_equal(author_envelope(&m, &f->key[KEY_A], 1, &out, NULL), -1);
    buffer_free(&out);
    buffer_free(&trust);
}

static void long_text_is_severed_and_short_text_is_not(void **state)
{
    struct fixture *f = *state;
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct bl_suit_manifest read;
    struct author_manifest m;
    struct author_image image;

    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(bl_suit_read(buffer_span(&out), &e), BL_OK);
    assert_true(e.text.n > 36);
    assert_int_equal(bl_suit_scan(&e, NULL, &read), BL_OK);
    m.vendor_name = NULL;
    m.model_name = NULL;
    buffer_clear(&out);
    make(&m, &f->key[KEY_A], 1, &out);
    assert_int_equal(bl_suit_read(buffer_span(&out), &e), BL_OK);
    assert_int_equal(e.text.n, 0);
    assert_int_equal(bl_suit_scan(&e, NULL, &read), BL_OK);
    assert_true(read.text.n > 0 && read.text.n <= 36);
    buffer_free(&out);
}

/* --- Two signatures
 * ---------------------------------------------------------- */

static void two_keys_satisfy_a_threshold_of_two(void **state)
{
    struct fixture *f = *state;
    struct author_key *keys[2] = {f->key[KEY_A], f->key[KEY_HSS]};
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(8192);
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image;
    struct bl_root root;
    uint32_t fetched;

    fixture_trust(f, 2, &trust, &root);
    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, keys, 1, &out);
    assert_int_equal(run(buffer_span(&out), &root, &m, "1.0.0", &e, &fetched),
                     BL_THRESHOLD);
    buffer_clear(&out);
    make(&m, keys, 2, &out);
    assert_int_equal(run(buffer_span(&out), &root, &m, "1.0.0", &e, &fetched),
                     BL_OK);
    buffer_free(&out);
    buffer_free(&trust);
}

static void cosigner_completes_the_threshold(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer one = BUFFER(8192);
    struct buffer two = BUFFER(8192);
    struct bl_suit_envelope before;
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image;
    struct bl_root root;
    struct error err;
    uint32_t fetched;

    fixture_trust(f, 2, &trust, &root);
    set_image(&image, "app", app_bytes, sizeof app_bytes);
    image.integrated = bl_span_of(app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, &f->key[KEY_A], 1, &one);
    must(
        author_envelope_cosign(buffer_span(&one), f->key[KEY_HSS], &two, &err),
        &err);
    assert_int_equal(run(buffer_span(&two), &root, &m, "1.0.0", &e, &fetched),
                     BL_OK);
    assert_int_equal(bl_suit_read(buffer_span(&one), &before), BL_OK);
    assert_true(bl_span_equal(before.manifest, e.manifest));
    assert_true(bl_span_equal(before.text, e.text));
    assert_true(
        bl_span_equal(before.integrated[0].content, e.integrated[0].content));
    buffer_free(&one);
    buffer_free(&two);
    buffer_free(&trust);
}

static void cosigner_refuses_a_second_time_and_a_third_block(void **state)
{
    struct fixture *f = *state;
    struct buffer one = BUFFER(8192);
    struct buffer two = BUFFER(8192);
    struct buffer three = BUFFER(8192);
    struct author_manifest m;
    struct author_image image;
    struct error err;

    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, &f->key[KEY_A], 1, &one);
    assert_int_equal(
        author_envelope_cosign(buffer_span(&one), f->key[KEY_A], &two, &err),
        -1);
    assert_non_null(strstr(err.text, "already"));
    must(author_envelope_cosign(buffer_span(&one), f->key[KEY_B], &two, &err),
         &err);
    assert_int_equal(author_envelope_cosign(buffer_span(&two), f->key[KEY_ED],
                                            &three, &err),
                     -1);
    assert_non_null(strstr(err.text, "2 signatures"));
    assert_int_equal(three.n, 0);
    buffer_free(&one);
    buffer_free(&two);
    buffer_free(&three);
}

/* The vectors' blocks carry no kid: the key is found out by verifying. */
static void cosigner_knows_its_signature_without_a_kid(void **state)
{
    struct author_key *key = fixture_test1_key(*state);
    struct buffer out = BUFFER(8192);
    struct vectors v;
    const json_t *vector;
    struct error err;
    bool seen = false;
    size_t i;

    vectors_open(&v, "bowline-profile/positive.json");
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        bl_span envelope = vectors_hex(&v, vector, "envelope");

        if (strcmp(vectors_text(vector, "name"), "sign-ed25519") == 0) {
            assert_int_equal(author_envelope_cosign(envelope, key, &out, &err),
                             -1);
            assert_non_null(strstr(err.text, "already"));
            seen = true;
        } else if (strcmp(vectors_text(vector, "name"), "full-image") == 0) {
            must(author_envelope_cosign(envelope, key, &out, &err), &err);
        }
    }
    assert_true(seen);
    vectors_close(&v);
    buffer_free(&out);
    author_key_free(key);
}

/* Every byte of the manifest and its digest: no other manifest gets signed.
 */
static void cosigner_refuses_an_altered_or_cut_envelope(void **state)
{
    struct fixture *f = *state;
    struct buffer one = BUFFER(8192);
    struct buffer two = BUFFER(8192);
    struct bl_suit_envelope e;
    struct author_manifest m;
    struct author_image image;
    struct error err;
    size_t first;
    size_t i;

    set_image(&image, "app", app_bytes, sizeof app_bytes);
    set_manifest(&m, &image, 1);
    make(&m, &f->key[KEY_A], 1, &one);
    assert_int_equal(bl_suit_read(buffer_span(&one), &e), BL_OK);
    first = (size_t)(e.manifest.p - one.p);
    for (i = 0; i < e.manifest.n; i++) {
        one.p[first + i] ^= 1;
        assert_int_equal(author_envelope_cosign(buffer_span(&one),
                                                f->key[KEY_B], &two, &err),
                         -1);
        assert_int_equal(err.status, BL_MANIFEST_DIGEST);
        one.p[first + i] ^= 1;
    }
    for (i = 0; i < one.n; i++) {
        assert_int_equal(author_envelope_cosign(bl_span_of(one.p, i),
                                                f->key[KEY_B], &two, &err),
                         -1);
    }
    assert_int_equal(two.n, 0);
    buffer_free(&one);
    buffer_free(&two);
}

/* --- Refused
 * ------------------------------------------------------------------ */

static void refused(struct fixture *f, const struct author_manifest *m,
                    const char *word)
{
    struct buffer out = BUFFER(8192);
    struct error err;

    assert_int_equal(author_envelope(m, &f->key[KEY_A], 1, &out, &err), -1);
    if (strstr(err.text, word) == NULL) {
        fail_msg("\"%s\" does not speak of \"%s\"", err.text, word);
    }
    assert_int_equal(out.n, 0);
    buffer_free(&out);
}

static void patches_that_cannot_be_are_refused(void **state)
{
    struct fixture *f = *state;
    struct author_manifest m;
    struct author_image image[2];
    struct author_patch patch[AUTHOR_PATCHES + 1];
    uint32_t i;

    set_image(&image[0], "app", app_bytes, sizeof app_bytes);
    set_image(&image[1], "radio", radio_bytes, sizeof radio_bytes);
    set_manifest(&m, image, 1);
    m.patch = patch;
    memset(patch, 0, sizeof patch);
    for (i = 0; i <= AUTHOR_PATCHES; i++) {
        patch[i].base_sha256[0] = (uint8_t)i;
        patch[i].sha256[0] = (uint8_t)(100 + i);
        patch[i].base_size = 300;
        patch[i].size = 20;
    }
    m.n_patches = AUTHOR_PATCHES + 1;
    refused(f, &m, "at most 7");
    m.n_patches = 2;
    m.n_images = 2;
    refused(f, &m, "one image");
    m.n_images = 1;
    image[0].component = "stage";
    refused(f, &m, "one image");
    image[0].component = "app";
    patch[1].base_sha256[0] = 0;
    refused(f, &m, "patches 1 and 2 have the same base");
    memcpy(patch[1].base_sha256, image[0].sha256, 32);
    refused(f, &m, "patch 2: its base is the image itself");
    patch[1].base_sha256[0] ^= 1;
    patch[1].size = 0;
    refused(f, &m, "empty");
    patch[1].size = 1;
    patch[1].uri = "";
    refused(f, &m, "URI");
}

static void what_core_would_refuse_is_refused_before(void **state)
{
    struct fixture *f = *state;
    struct author_key *twice[2] = {f->key[KEY_A], f->key[KEY_A]};
    struct buffer out = BUFFER(8192);
    struct author_manifest m;
    struct author_image image[5];
    char uri[200];
    uint32_t i;

    for (i = 0; i < 5; i++) {
        set_image(&image[i], "app", app_bytes, sizeof app_bytes);
    }
    set_manifest(&m, image, 1);
    assert_int_equal(author_envelope(&m, twice, 2, &out, NULL), -1);
    assert_int_equal(author_envelope(&m, twice, 0, &out, NULL), -1);
    m.n_images = 0;
    refused(f, &m, "images");
    m.n_images = 5;
    refused(f, &m, "images");
    m.n_images = 2;
    refused(f, &m, "twice");
    m.n_images = 1;
    image[0].component = "a/b/c/d/e/f";
    refused(f, &m, "parts");
    image[0].component = "a//b";
    refused(f, &m, "parts");
    image[0].component = "";
    refused(f, &m, "parts");
    image[0].component = "app";
    memset(uri, 'u', sizeof uri);
    uri[128] = 0;
    image[0].uri = uri;
    refused(f, &m, "URI");
    image[0].uri = NULL;
    image[0].size = 0;
    refused(f, &m, "empty");
    image[0].size = 1;
    m.version = "one";
    refused(f, &m, "version");
    m.version = "1.0";
    m.minimum_version = "";
    refused(f, &m, "minimum version");
    buffer_free(&out);
}

static void ids_are_the_ones_of_the_standard(void **state)
{
    uint8_t id[16];
    char text[33];

    (void)state;
    author_vendor_id("arm.com", id); /* the draft's own example */
    hex_encode(id, 16, text);
    assert_string_equal(text, "fa6b4a53d5ad5fdfbe9de663e4d41ffe");
    author_class_id(id, "my-device", id);
    assert_int_equal(id[6] >> 4, 5);
    assert_int_equal(id[8] >> 6, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_of_the_vector_is_made_byte_for_byte),
        cmocka_unit_test(one_image_is_accepted_by_core),
        cmocka_unit_test(parts_of_the_manifest_say_what_was_asked),
        cmocka_unit_test(several_images_are_accepted_by_core),
        cmocka_unit_test(minimum_version_holds_an_older_device_off),
        cmocka_unit_test(integrated_payloads_are_carried),
        cmocka_unit_test(long_text_is_severed_and_short_text_is_not),
        cmocka_unit_test(two_keys_satisfy_a_threshold_of_two),
        cmocka_unit_test(cosigner_completes_the_threshold),
        cmocka_unit_test(cosigner_refuses_a_second_time_and_a_third_block),
        cmocka_unit_test(cosigner_knows_its_signature_without_a_kid),
        cmocka_unit_test(cosigner_refuses_an_altered_or_cut_envelope),
        cmocka_unit_test(each_patch_is_an_alternative_and_the_image_the_last),
        cmocka_unit_test(patches_that_cannot_be_are_refused),
        cmocka_unit_test(what_core_would_refuse_is_refused_before),
        cmocka_unit_test(ids_are_the_ones_of_the_standard),
    };

    return cmocka_run_group_tests_name("author/envelope", tests, fixture_make,
                                       fixture_remove);
}
