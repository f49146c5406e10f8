/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include "host/file.h"
#include "posix/crypto.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void created_file_is_private_and_never_replaced(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    struct error err;
    int i;

    for (i = 0; i < FIXTURE_KEYS; i++) {
        assert_int_equal(stat(f->key_path[i], &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    assert_int_equal(author_key_create(f->key_path[0], "esp256", &err), -1);
    assert_non_null(strstr(err.text, "never replaced"));
    assert_int_equal(author_key_create(f->key_path[0], "hss-h5", &err), -1);
    assert_non_null(strstr(err.text, "never replaced"));
}

static void signature_of_every_kind_is_accepted_by_core(void **state)
{
    struct fixture *f = *state;
    bl_span message = bl_span_of("ahoy", 4);
    struct buffer out = BUFFER(4096);
    bl_verdict verdict;
    struct error err;
    int i;

    for (i = 0; i < FIXTURE_KEYS; i++) {
        const struct bl_key *key = author_key_public(f->key[i]);

        buffer_clear(&out);
        must(author_key_sign(f->key[i], message, &out, &err), &err);
        assert_int_equal(bl_signature_verify(&posix_crypto, key, &message, 1,
                                             buffer_span(&out), &verdict),
                         BL_OK);
        assert_int_equal(verdict, BL_GOOD);
        out.p[out.n / 2] ^= 1;
        assert_int_equal(bl_signature_verify(&posix_crypto, key, &message, 1,
                                             buffer_span(&out), &verdict),
                         BL_OK);
        assert_int_equal(verdict, BL_BAD);
    }
    buffer_free(&out);
}

static void public_half_is_the_same_from_either_file(void **state)
{
    struct fixture *f = *state;
    struct error err;
    int i;

    for (i = 0; i < FIXTURE_KEYS; i++) {
        const char *path = fixture_path(f, "public.pem");
        struct buffer pem = BUFFER(4096);
        struct author_key *of_private;
        struct author_key *of_public;

        must(author_key_write_public(f->key[i], &pem, &err), &err);
        must(file_write(path, buffer_span(&pem), 0644, &err), &err);
        of_public = author_key_open_public(path, &err);
        must(of_public == NULL ? -1 : 0, &err);
        of_private = author_key_open_public(f->key_path[i], &err);
        must(of_private == NULL ? -1 : 0, &err);
        assert_memory_equal(author_key_kid(of_public),
                            author_key_kid(f->key[i]), 8);
        assert_memory_equal(author_key_kid(of_private),
                            author_key_kid(f->key[i]), 8);
        buffer_clear(&pem);
        assert_int_equal(
            author_key_sign(of_public, bl_span_of("x", 1), &pem, &err), -1);
        assert_int_equal(
            author_key_sign(of_private, bl_span_of("x", 1), &pem, &err), -1);
        assert_int_equal(pem.n, 0);
        assert_null(author_key_open(path, &err));
        author_key_free(of_private);
        author_key_free(of_public);
        buffer_free(&pem);
    }
}

static void kid_is_the_one_of_the_vectors(void **state)
{
    struct author_key *key = fixture_test1_key(*state);
    char kid[17];

    hex_encode(author_key_kid(key), 8, kid);
    assert_string_equal(kid, "866eefbd6718c884");
    author_key_free(key);
}

static void unknown_kind_is_refused_by_name(void **state)
{
    struct error err;

    assert_int_equal(author_key_create(fixture_path(*state, "x"), "rsa", &err),
                     -1);
    assert_non_null(strstr(err.text, "\"rsa\""));
    assert_int_equal(access(fixture_path(*state, "x"), F_OK), -1);
}

static void write_openssl_key(const char *path, EVP_PKEY *pkey,
                              const char *pass)
{
    FILE *file = fopen(path, "w");

    assert_non_null(pkey);
    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(
                         file, pkey, pass != NULL ? EVP_aes_128_cbc() : NULL,
                         pass, pass != NULL ? (int)strlen(pass) : 0, NULL,
                         NULL),
                     1);
    (void)fclose(file);
    EVP_PKEY_free(pkey);
}

static void other_curves_and_kinds_are_refused(void **state)
{
    const char *path = fixture_path(*state, "other.pem");
    struct error err;

    write_openssl_key(path, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"),
                      NULL);
    assert_null(author_key_open(path, &err));
    assert_non_null(strstr(err.text, "P-256"));
    write_openssl_key(path, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL);
    assert_null(author_key_open(path, &err));
}

static void encrypted_key_is_refused_without_asking(void **state)
{
    const char *path = fixture_path(*state, "secret.pem");
    struct error err;

    write_openssl_key(path, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                      "abracadabra");
    assert_null(author_key_open(path, &err));
    assert_non_null(strstr(err.text, "pass phrase"));
}

static void damaged_files_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *path = fixture_path(f, "damaged.pem");
    struct buffer text = BUFFER(65536);
    struct error err;
    size_t cut;

    must(file_write(path, bl_span_of("", 0), 0600, &err), &err);
    assert_null(author_key_open(path, &err));
    assert_null(author_key_open(fixture_path(f, "none.pem"), &err));
    must(file_read(f->key_path[KEY_HSS], &text, &err), &err);
    for (cut = 1; cut < text.n - 1; cut += 7) {
        must(file_write(path, bl_span_of(text.p, cut), 0600, &err), &err);
        assert_null(author_key_open(path, &err));
    }
    text.p[text.n - 60] ^= 1; /* in the last lines of base64 */
    must(file_write(path, buffer_span(&text), 0600, &err), &err);
    assert_null(author_key_open(path, &err));
    buffer_free(&text);
}

static void a_private_key_that_others_may_touch_is_refused(void **state)
{
    static const mode_t bad[] = {0640, 0604, 0620, 0610, 0644, 0666};
    struct fixture *f = *state;
    struct error err;

    for (int i = 0; i < FIXTURE_KEYS; i++) {
        struct author_key *key;

        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            assert_int_equal(chmod(f->key_path[i], bad[k]), 0);
            assert_null(author_key_open(f->key_path[i], &err));
            assert_non_null(strstr(err.text, f->key_path[i]));
            assert_non_null(strstr(err.text, "chmod 600"));
            /* Its public half is no secret. */
            key = author_key_open_public(f->key_path[i], &err);
            must(key == NULL ? -1 : 0, &err);
            author_key_free(key);
        }
        assert_int_equal(chmod(f->key_path[i], 0600), 0);
        key = author_key_open(f->key_path[i], &err);
        must(key == NULL ? -1 : 0, &err);
        author_key_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created_file_is_private_and_never_replaced),
        cmocka_unit_test(signature_of_every_kind_is_accepted_by_core),
        cmocka_unit_test(public_half_is_the_same_from_either_file),
        cmocka_unit_test(kid_is_the_one_of_the_vectors),
        cmocka_unit_test(unknown_kind_is_refused_by_name),
        cmocka_unit_test(other_curves_and_kinds_are_refused),
        cmocka_unit_test(encrypted_key_is_refused_without_asking),
        cmocka_unit_test(a_private_key_that_others_may_touch_is_refused),
        cmocka_unit_test(damaged_files_are_refused),
    };

    return cmocka_run_group_tests_name("author/key", tests, fixture_make,
                                       fixture_remove);
}
