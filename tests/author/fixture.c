/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include "posix/crypto.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const kind[FIXTURE_KEYS] = {"esp256", "esp256", "ed25519",
                                               "hss-h5", "ed25519"};

void must(int result, const struct error *err)
{
    if (result != 0) {
        fail_msg("%s", err->text);
    }
}

const char *fixture_path(const struct fixture *f, const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

int fixture_make(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err;
    int i;

    if (f == NULL) {
        return -1;
    }
    if (file_temp_folder("author", f->dir, &err) != 0) {
        print_error("%s\n", err.text);
        free(f);
        return -1;
    }
    for (i = 0; i < FIXTURE_KEYS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "key%d.pem", i);
        (void)snprintf(f->key_path[i], sizeof f->key_path[i], "%s",
                       fixture_path(f, name));
        if (author_key_create(f->key_path[i], kind[i], &err) != 0) {
            print_error("%s\n", err.text);
            return -1;
        }
        f->key[i] = author_key_open(f->key_path[i], &err);
        if (f->key[i] == NULL) {
            print_error("%s\n", err.text);
            return -1;
        }
    }
    *state = f;
    return 0;
}

int fixture_remove(void **state)
{
    struct fixture *f = *state;
    struct dirent *entry;
    DIR *dir = opendir(f->dir);
    int i;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)unlink(fixture_path(f, entry->d_name));
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(f->dir);
    for (i = 0; i < FIXTURE_KEYS; i++) {
        author_key_free(f->key[i]);
    }
    free(f);
    return 0;
}

struct author_key *fixture_test1_key(const struct fixture *f)
{
    const char *path = fixture_path(f, "test1.pem");
    struct author_key *key;
    struct error err;
    uint8_t d[32];
    EVP_PKEY *pkey;
    FILE *file;

    assert_int_equal(
        hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031"
                   "cae7f60",
                   64, d, 32),
        0);
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d, 32);
    file = fopen(path, "w");
    assert_non_null(pkey);
    assert_non_null(file);
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(file);
    EVP_PKEY_free(pkey);
    assert_int_equal(chmod(path, 0600), 0);
    key = author_key_open(path, &err);
    must(key == NULL ? -1 : 0, &err);
    return key;
}

void fixture_root(struct fixture *f, uint64_t version, uint32_t threshold,
                  struct author_root *root)
{
    memset(root, 0, sizeof *root);
    root->version = version;
    root->issued = 1790000000;
    root->role[BL_ROLE_ROOT].threshold = 2;
    root->role[BL_ROLE_ROOT].n_keys = 3;
    root->role[BL_ROLE_ROOT].key[0] = f->key[KEY_A];
    root->role[BL_ROLE_ROOT].key[1] = f->key[KEY_ED];
    root->role[BL_ROLE_ROOT].key[2] = f->key[KEY_HSS];
    root->role[BL_ROLE_RELEASE].threshold = threshold;
    root->role[BL_ROLE_RELEASE].n_keys = 2;
    root->role[BL_ROLE_RELEASE].key[0] = f->key[KEY_A];
    root->role[BL_ROLE_RELEASE].key[1] = f->key[KEY_HSS];
    root->role[BL_ROLE_TICKET].threshold = 1;
    root->role[BL_ROLE_TICKET].n_keys = 1;
    root->role[BL_ROLE_TICKET].key[0] = f->key[KEY_ED];
}

void fixture_trust(struct fixture *f, uint32_t threshold, struct buffer *bytes,
                   struct bl_root *out)
{
    struct buffer one = BUFFER(16384);
    struct buffer two = BUFFER(16384);
    struct author_root root;
    struct error err;

    fixture_root(f, 1, threshold, &root);
    must(author_root_new(&root, &one, &err), &err);
    must(author_root_sign(buffer_span(&one), bl_span_of(NULL, 0),
                          f->key[KEY_A], &two, &err),
         &err);
    must(author_root_sign(buffer_span(&two), bl_span_of(NULL, 0),
                          f->key[KEY_ED], bytes, &err),
         &err);
    assert_int_equal(
        bl_root_accept(buffer_span(bytes), NULL, &posix_crypto, out), BL_OK);
    buffer_free(&one);
    buffer_free(&two);
}
