/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "host/file.h"
#include "posix/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const bl_span nothing;

static void sign(struct buffer *document, bl_span previous,
                 struct author_key *key)
{
    struct buffer more = BUFFER(16384);
    struct error err;

    must(author_root_sign(buffer_span(document), previous, key, &more, &err),
         &err);
    buffer_free(document);
    *document = more;
}

/* --- Root documents ------------------------------------------------------ */

static void content_says_what_was_asked(void **state)
{
    struct fixture *f = *state;
    struct buffer doc = BUFFER(16384);
    struct author_root root;
    struct bl_root read;
    struct error err;

    fixture_root(f, 1, 2, &root);
    root.floor = 5;
    root.ceiling = 1000;
    root.role[BL_ROLE_RELEASE].n_kinds = 2;
    root.role[BL_ROLE_RELEASE].kind[0] = BL_ALG_ESP256;
    root.role[BL_ROLE_RELEASE].kind[1] = BL_ALG_HSS_LMS;
    root.role[BL_ROLE_RELEASE].n_prefixes = 2;
    root.role[BL_ROLE_RELEASE].prefix[0] = "app";
    root.role[BL_ROLE_RELEASE].prefix[1] = "cfg/net";
    must(author_root_new(&root, &doc, &err), &err);
    sign(&doc, nothing, f->key[KEY_A]);
    sign(&doc, nothing, f->key[KEY_HSS]);
    assert_int_equal(
        bl_root_accept(buffer_span(&doc), NULL, &posix_crypto, &read), BL_OK);
    assert_int_equal(read.version, 1);
    assert_int_equal(read.issued, 1790000000);
    assert_int_equal(read.floor, 5);
    assert_int_equal(read.ceiling, 1000);
    assert_int_equal(read.n_keys, 3);
    assert_int_equal(read.role[BL_ROLE_RELEASE].threshold, 2);
    assert_int_equal(read.role[BL_ROLE_RELEASE].n_kinds, 2);
    assert_true(bl_root_may_write(&read, BL_ROLE_RELEASE,
                                  bl_span_of("\x81\x43"
                                             "app",
                                             5)));
    assert_false(bl_root_may_write(&read, BL_ROLE_RELEASE,
                                   bl_span_of("\x81\x43"
                                              "cfg",
                                              5)));
    assert_true(bl_root_may_write(&read, BL_ROLE_RELEASE,
                                  bl_span_of("\x82\x43"
                                             "cfg\x43"
                                             "net",
                                             9)));
    buffer_free(&doc);
}

static void one_signature_of_two_is_too_few(void **state)
{
    struct fixture *f = *state;
    struct buffer doc = BUFFER(16384);
    struct author_root root;
    struct bl_root read;
    struct error err;

    fixture_root(f, 1, 1, &root);
    must(author_root_new(&root, &doc, &err), &err);
    sign(&doc, nothing, f->key[KEY_A]);
    assert_int_equal(
        bl_root_accept(buffer_span(&doc), NULL, &posix_crypto, &read),
        BL_ROOT_NEW_THRESHOLD);
    buffer_free(&doc);
}

/* A leaves, B comes: old and new root role each give two signatures. */
static void successor_that_changes_keys_is_accepted(void **state)
{
    struct fixture *f = *state;
    struct buffer first = BUFFER(16384);
    struct buffer doc = BUFFER(16384);
    struct author_root root;
    struct bl_root trusted;
    struct bl_root read;
    struct error err;

    fixture_trust(f, 1, &first, &trusted);
    fixture_root(f, 2, 1, &root);
    root.role[BL_ROLE_ROOT].key[0] = f->key[KEY_B];
    must(author_root_new(&root, &doc, &err), &err);
    sign(&doc, buffer_span(&first), f->key[KEY_A]);
    sign(&doc, buffer_span(&first), f->key[KEY_ED]);
    assert_int_equal(
        bl_root_accept(buffer_span(&doc), &trusted, &posix_crypto, &read),
        BL_ROOT_NEW_THRESHOLD);
    sign(&doc, buffer_span(&first), f->key[KEY_B]);
    assert_int_equal(
        bl_root_accept(buffer_span(&doc), &trusted, &posix_crypto, &read),
        BL_OK);
    assert_int_equal(read.version, 2);
    buffer_free(&doc);
    buffer_free(&first);
}

static void refused_signer(bl_span document, bl_span previous,
                           struct author_key *key, const char *word)
{
    struct buffer out = BUFFER(16384);
    struct error err;

    assert_int_equal(author_root_sign(document, previous, key, &out, &err),
                     -1);
    if (strstr(err.text, word) == NULL) {
        fail_msg("\"%s\" does not speak of \"%s\"", err.text, word);
    }
    assert_int_equal(out.n, 0);
    buffer_free(&out);
}

static void wrong_signers_are_refused(void **state)
{
    struct fixture *f = *state;
    struct buffer first = BUFFER(16384);
    struct buffer doc = BUFFER(16384);
    struct author_root root;
    struct bl_root trusted;
    struct error err;
    size_t i;

    fixture_trust(f, 1, &first, &trusted);
    refused_signer(buffer_span(&first), nothing, f->key[KEY_A], "already");
    refused_signer(buffer_span(&first), nothing, f->key[KEY_B], "neither");
    fixture_root(f, 3, 1, &root);
    must(author_root_new(&root, &doc, &err), &err);
    refused_signer(buffer_span(&doc), buffer_span(&first), f->key[KEY_A],
                   "does not follow");
    for (i = 0; i < first.n; i++) {
        refused_signer(bl_span_of(first.p, i), nothing, f->key[KEY_HSS],
                       "root document");
    }
    buffer_free(&doc);
    buffer_free(&first);
}

static void refused_root(const struct author_root *root, const char *word)
{
    struct buffer out = BUFFER(16384);
    struct error err;

    assert_int_equal(author_root_new(root, &out, &err), -1);
    if (strstr(err.text, word) == NULL) {
        fail_msg("\"%s\" does not speak of \"%s\"", err.text, word);
    }
    assert_int_equal(out.n, 0);
    buffer_free(&out);
}

static void unreachable_roles_are_refused(void **state)
{
    struct fixture *f = *state;
    struct author_root good;
    struct author_root root;

    fixture_root(f, 1, 1, &good);
    root = good;
    root.version = 0;
    refused_root(&root, "version");
    root = good;
    root.role[BL_ROLE_ROOT].threshold = 4;
    refused_root(&root, "role root");
    root = good;
    root.role[BL_ROLE_ROOT].threshold = 0;
    refused_root(&root, "role root");
    root = good; /* an envelope has two signatures */
    root.role[BL_ROLE_RELEASE].key[2] = f->key[KEY_ED];
    root.role[BL_ROLE_RELEASE].n_keys = 3;
    root.role[BL_ROLE_RELEASE].threshold = 3;
    refused_root(&root, "2 signatures");
    root = good;
    root.role[BL_ROLE_RELEASE].n_keys = 0;
    refused_root(&root, "role release");
    root = good;
    root.role[BL_ROLE_RELEASE].key[1] = f->key[KEY_A];
    refused_root(&root, "twice");
    root = good;
    root.role[BL_ROLE_TICKET].key[0] = f->key[KEY_HSS];
    refused_root(&root, "used up");
    root = good;
    root.role[BL_ROLE_RELEASE].n_prefixes = 1;
    root.role[BL_ROLE_RELEASE].prefix[0] = "/app";
    refused_root(&root, "component");
    root = good;
    root.floor = 10;
    root.ceiling = 9;
    refused_root(&root, "floor");
    root = good; /* a kind that no key of the role has */
    root.role[BL_ROLE_RELEASE].n_kinds = 1;
    root.role[BL_ROLE_RELEASE].kind[0] = BL_ALG_ED25519;
    refused_root(&root, "root document");
}

/* Three hash-based signatures are more than a device's root area holds. */
static void document_that_no_device_has_room_for_is_not_made(void **state)
{
    struct fixture *f = *state;
    struct author_root root;
    struct buffer document = BUFFER(16384);
    struct buffer more = BUFFER(16384);
    struct author_key *key[3];
    struct error err;
    char name[32];

    fixture_root(f, 1, 1, &root);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "large%d.pem", i);
        must(author_key_create(fixture_path(f, name), "hss-h5", &err), &err);
        key[i] = author_key_open(fixture_path(f, name), &err);
        assert_non_null(key[i]);
        root.role[BL_ROLE_ROOT].key[i] = key[i];
    }
    must(author_root_new(&root, &document, &err), &err);
    sign(&document, nothing, key[0]);
    sign(&document, nothing, key[1]);
    assert_true(document.n <= BL_ROOT_MAX);
    assert_int_equal(
        author_root_sign(buffer_span(&document), nothing, key[2], &more, &err),
        -1);
    assert_non_null(strstr(err.text, "devices have room for 4088"));
    assert_int_equal(more.n, 0);
    for (int i = 0; i < 3; i++) {
        author_key_free(key[i]);
        (void)snprintf(name, sizeof name, "large%d.pem", i);
        (void)remove(fixture_path(f, name));
    }
    buffer_free(&document);
    buffer_free(&more);
}

/* --- Tickets
 * ------------------------------------------------------------------ */

static const uint8_t nonce[32] = {9, 8, 7, 6, 5, 4, 3, 2, 1};

static void set_ticket(struct author_ticket *t, size_t nonce_n)
{
    memset(t, 0, sizeof *t);
    t->expiry = 1790003600;
    t->issued = 1790000000;
    t->nonce = bl_span_of(nonce, nonce_n);
    memset(t->device_id, 0x11, 16);
    memset(t->manifest, 0x22, 32);
    t->root_version = 1;
}

static void ticket_is_accepted_by_core(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(256);
    struct author_ticket t;
    struct bl_root root;
    struct bl_ticket read;
    struct error err;
    size_t n;

    fixture_trust(f, 1, &trust, &root);
    for (n = BL_NONCE_MIN; n <= BL_NONCE_MAX; n += 8) {
        buffer_clear(&out);
        set_ticket(&t, n);
        must(author_ticket(&t, f->key[KEY_ED], &out, &err), &err);
        assert_int_equal(bl_ticket_check(buffer_span(&out), &root, t.device_id,
                                         t.nonce, 1790000001, &posix_crypto,
                                         &read),
                         BL_OK);
        assert_memory_equal(read.manifest, t.manifest, 32);
        assert_int_equal(read.expiry, t.expiry);
        assert_int_equal(read.issued, t.issued);
    }
    buffer_free(&out);
    buffer_free(&trust);
}

/* The largest numbers and the longest nonce, in a buffer of 256 bytes. */
static void largest_ticket_fits_256_bytes(void **state)
{
    struct fixture *f = *state;
    struct buffer out = BUFFER(256);
    struct author_ticket t;
    struct error err;

    set_ticket(&t, BL_NONCE_MAX);
    t.expiry = UINT64_MAX;
    t.issued = UINT64_MAX;
    t.root_version = UINT64_MAX;
    must(author_ticket(&t, f->key[KEY_ED], &out, &err), &err);
    buffer_clear(&out);
    must(author_ticket(&t, f->key[KEY_A], &out, &err), &err);
    buffer_free(&out);
}

static void ticket_of_another_key_is_refused_by_core(void **state)
{
    struct fixture *f = *state;
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(256);
    struct author_ticket t;
    struct bl_root root;
    struct bl_ticket read;
    struct error err;

    fixture_trust(f, 1, &trust, &root);
    set_ticket(&t, 16);
    must(author_ticket(&t, f->key[KEY_ED_OTHER], &out, &err), &err);
    assert_int_equal(bl_ticket_check(buffer_span(&out), &root, t.device_id,
                                     t.nonce, 0, &posix_crypto, &read),
                     BL_TICKET_SIGNATURE);
    buffer_free(&out);
    buffer_free(&trust);
}

static void bad_tickets_are_not_made(void **state)
{
    struct fixture *f = *state;
    struct buffer out = BUFFER(4096);
    struct author_ticket t;

    set_ticket(&t, BL_NONCE_MIN - 1);
    assert_int_equal(author_ticket(&t, f->key[KEY_ED], &out, NULL), -1);
    set_ticket(&t, BL_NONCE_MAX);
    t.nonce.n++;
    assert_int_equal(author_ticket(&t, f->key[KEY_ED], &out, NULL), -1);
    set_ticket(&t, BL_NONCE_MAX);
    assert_int_equal(author_ticket(&t, f->key[KEY_HSS], &out, NULL), -1);
    assert_int_equal(out.n, 0);
    buffer_free(&out);
}

/* --- Permits
 * ------------------------------------------------------------------ */

static void permit_is_accepted_by_core(void **state)
{
    struct fixture *f = *state;
    struct author_key *keys[2] = {f->key[KEY_A], f->key[KEY_HSS]};
    struct buffer trust = BUFFER(16384);
    struct buffer out = BUFFER(8192);
    struct author_permit p;
    struct bl_root root;
    struct error err;
    uint8_t device[16];
    int i;

    memset(&p, 0, sizeof p);
    memset(device, 0x33, sizeof device);
    memset(p.class_id, 0x44, 16);
    memset(p.manifest, 0x55, 32);
    p.issued = 1790000000;
    p.expiry = 1790003600;
    fixture_trust(f, 2, &trust, &root);
    for (i = 0; i < 2; i++) { /* for the class, for the device */
        p.device_id = i == 0 ? NULL : device;
        buffer_clear(&out);
        must(author_permit(&p, keys, 2, &out, &err), &err);
        assert_int_equal(bl_permit_check(buffer_span(&out), &root, device,
                                         p.class_id, p.manifest, p.issued,
                                         &posix_crypto),
                         BL_OK);
        assert_int_equal(bl_permit_check(buffer_span(&out), &root, device,
                                         p.class_id, p.manifest, p.expiry + 1,
                                         &posix_crypto),
                         BL_PERMIT_EXPIRED);
    }
    buffer_clear(&out);
    must(author_permit(&p, keys, 1, &out, &err), &err);
    assert_int_equal(bl_permit_check(buffer_span(&out), &root, device,
                                     p.class_id, p.manifest, p.issued,
                                     &posix_crypto),
                     BL_PERMIT_SIGNATURE);
    keys[1] = keys[0];
    assert_int_equal(author_permit(&p, keys, 2, &out, &err), -1);
    buffer_free(&out);
    buffer_free(&trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_says_what_was_asked),
        cmocka_unit_test(one_signature_of_two_is_too_few),
        cmocka_unit_test(successor_that_changes_keys_is_accepted),
        cmocka_unit_test(wrong_signers_are_refused),
        cmocka_unit_test(unreachable_roles_are_refused),
        cmocka_unit_test(document_that_no_device_has_room_for_is_not_made),
        cmocka_unit_test(ticket_is_accepted_by_core),
        cmocka_unit_test(largest_ticket_fits_256_bytes),
        cmocka_unit_test(ticket_of_another_key_is_refused_by_core),
        cmocka_unit_test(bad_tickets_are_not_made),
        cmocka_unit_test(permit_is_accepted_by_core),
    };

    return cmocka_run_group_tests_name("author/root", tests, fixture_make,
                                       fixture_remove);
}
