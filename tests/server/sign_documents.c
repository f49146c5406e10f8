/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign-documents VERB ...: signed documents for the tests of the server.
 *   key FILE KIND
 *   root OUT VERSION ROOT-KEY RELEASE-KEY TICKET-KEY [PREVIOUS]
 *   release OUT KEY DOMAIN PRODUCT SEQUENCE VERSION IMAGE [MINIMUM-VERSION]
 *   permit OUT KEY DOMAIN PRODUCT MANIFEST-HEX SECONDS [DEVICE-HEX]
 */
#include "author/author.h"
#include "bowline/sha256.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct error err;

static void check(int result)
{
    if (result != 0) {
        fprintf(stderr, "sign-documents: %s\n", err.text);
        exit(1);
    }
}

static struct author_key *open_key(const char *path)
{
    struct author_key *key = author_key_open(path, &err);

    check(key == NULL ? -1 : 0);
    return key;
}

static void save(const char *path, struct buffer *content)
{
    check(file_write(path, buffer_span(content), 0644, &err));
    buffer_free(content);
}

static void make_root(char **a, int n)
{
    struct author_key *key[3];
    struct author_root root = {.version = strtoull(a[1], NULL, 10),
                               .issued = 1700000000};
    struct buffer plain = BUFFER(65536);
    struct buffer document = BUFFER(65536);
    struct buffer previous = BUFFER(65536);

    for (int i = 0; i < 3; i++) {
        key[i] = open_key(a[2 + i]);
        root.role[i + 1].threshold = 1;
        root.role[i + 1].n_keys = 1;
        root.role[i + 1].key[0] = key[i];
    }
    if (n > 5) {
        check(file_read(a[5], &previous, &err));
    }
    check(author_root_new(&root, &plain, &err));
    check(author_root_sign(buffer_span(&plain), buffer_span(&previous), key[0],
                           &document, &err));
    save(a[0], &document);
    buffer_free(&plain);
    buffer_free(&previous);
    for (int i = 0; i < 3; i++) {
        author_key_free(key[i]);
    }
}

static void make_release(char **a, int n)
{
    struct author_key *key = open_key(a[1]);
    struct author_image image = {.component = "app"};
    struct author_manifest m = {.sequence = strtoull(a[4], NULL, 10),
                                .version = a[5],
                                .vendor_name = a[2],
                                .model_name = a[3],
                                .image = &image,
                                .n_images = 1,
                                .minimum_version = n > 7 ? a[7] : NULL};
    struct buffer out = BUFFER(65536);
    uint64_t size;

    author_vendor_id(a[2], m.vendor_id);
    author_class_id(m.vendor_id, a[3], m.class_id);
    check(file_sha256(a[6], image.sha256, &size, &err));
    image.size = (uint32_t)size;
    check(author_envelope(&m, &key, 1, &out, &err));
    save(a[0], &out);
    author_key_free(key);
}

static void make_permit(char **a, int n)
{
    struct author_key *key = open_key(a[1]);
    struct author_permit p = {.issued = (uint64_t)time(NULL)};
    struct buffer out = BUFFER(4096);
    uint8_t vendor_id[16];
    uint8_t device[16];

    p.expiry = p.issued + strtoull(a[5], NULL, 10);
    author_vendor_id(a[2], vendor_id);
    author_class_id(vendor_id, a[3], p.class_id);
    check(hex_decode(a[4], strlen(a[4]), p.manifest, 32));
    if (n > 6) {
        check(hex_decode(a[6], strlen(a[6]), device, 16));
        p.device_id = device;
    }
    check(author_permit(&p, &key, 1, &out, &err));
    save(a[0], &out);
    author_key_free(key);
}

int main(int argc, char **argv)
{
    int n = argc - 2;

    if (n == 2 && strcmp(argv[1], "key") == 0) {
        check(author_key_create(argv[2], argv[3], &err));
    } else if (n >= 5 && strcmp(argv[1], "root") == 0) {
        make_root(argv + 2, n);
    } else if ((n == 7 || n == 8) && strcmp(argv[1], "release") == 0) {
        make_release(argv + 2, n);
    } else if (n >= 6 && strcmp(argv[1], "permit") == 0) {
        make_permit(argv + 2, n);
    } else {
        fprintf(stderr, "sign-documents: see the top of its source\n");
        return 2;
    }
    return 0;
}
