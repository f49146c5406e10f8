/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-documents FOLDER: keys of each kind, and documents signed with them,
 * for a reader that shares no code with Bowline (test_cross.py).
 */
#include "author/author.h"
#include "bowline/sha256.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 3 };

static const char *folder;
static struct author_key *key[KEYS];
static struct error err;

static void check(int result)
{
    if (result != 0) {
        (void)fprintf(stderr, "make-documents: %s\n", err.text);
        exit(1);
    }
}

static const char *path(const char *name)
{
    static char text[512];

    (void)snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static void save(const char *name, struct buffer *content)
{
    check(file_write(path(name), buffer_span(content), 0644, &err));
    buffer_free(content);
}

static void make_keys(void)
{
    static const char *const kind[KEYS] = {"esp256", "ed25519", "hss-h5"};
    char name[32];
    int i;

    for (i = 0; i < KEYS; i++) {
        struct buffer pem = BUFFER(4096);

        (void)snprintf(name, sizeof name, "%s.key", kind[i]);
        check(author_key_create(path(name), kind[i], &err));
        key[i] = author_key_open(path(name), &err);
        check(key[i] == NULL ? -1 : 0);
        check(author_key_write_public(key[i], &pem, &err));
        (void)snprintf(name, sizeof name, "%s.pub", kind[i]);
        save(name, &pem);
    }
}

static void make_envelope(void)
{
    static const uint8_t app[1000] = {1};
    static const uint8_t radio[500] = {2};
    struct buffer out = BUFFER(65536);
    struct author_manifest m = {.sequence = 42, .version = "2.1-rc.3"};
    struct author_image image[2] = {{.component = "app"},
                                    {.component = "radio/fw"}};

    image[0].size = sizeof app;
    bl_sha256(app, sizeof app, image[0].sha256);
    image[1].size = sizeof radio;
    bl_sha256(radio, sizeof radio, image[1].sha256);
    image[1].integrated = bl_span_of(radio, sizeof radio);
    author_vendor_id("example.com", m.vendor_id);
    author_class_id(m.vendor_id, "thermostat", m.class_id);
    m.vendor_name = "Example GmbH";
    m.model_name = "Thermostat";
    m.minimum_version = "2.0";
    m.image = image;
    m.n_images = 2;
    check(author_envelope(&m, key, 2, &out, &err));
    save("two-images.suit", &out);
    m.n_images = 1;
    m.minimum_version = NULL;
    check(author_envelope(&m, &key[2], 1, &out, &err));
    save("one-image.suit", &out);
}

static void make_root(void)
{
    struct buffer empty = BUFFER(16384);
    struct buffer one = BUFFER(16384);
    struct buffer two = BUFFER(16384);
    struct author_root root = {.version = 1, .issued = 1790000000};
    int i;

    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        root.role[i].threshold = 1;
        root.role[i].n_keys = 1;
        root.role[i].key[0] = key[1];
    }
    root.role[BL_ROLE_ROOT].threshold = 2;
    root.role[BL_ROLE_ROOT].n_keys = 3;
    root.role[BL_ROLE_ROOT].key[0] = key[0];
    root.role[BL_ROLE_ROOT].key[1] = key[1];
    root.role[BL_ROLE_ROOT].key[2] = key[2];
    root.role[BL_ROLE_RELEASE].n_prefixes = 1;
    root.role[BL_ROLE_RELEASE].prefix[0] = "app";
    root.floor = 3;
    root.ceiling = 100000;
    check(author_root_new(&root, &empty, &err));
    check(author_root_sign(buffer_span(&empty), bl_span_of(NULL, 0), key[0],
                           &one, &err));
    check(author_root_sign(buffer_span(&one), bl_span_of(NULL, 0), key[1],
                           &two, &err));
    save("root.cose", &two);
    buffer_free(&one);
    buffer_free(&empty);
}

static void make_ticket(void)
{
    static const uint8_t nonce[16] = {7, 7, 7};
    struct buffer out = BUFFER(256);
    struct author_ticket t = {.expiry = 1790003600, .issued = 1790000000};

    t.nonce = bl_span_of(nonce, sizeof nonce);
    t.device_id[15] = 9;
    t.manifest[31] = 8;
    t.root_version = 1;
    check(author_ticket(&t, key[1], &out, &err));
    save("ticket.cose", &out);
}

static void make_permit(void)
{
    struct buffer out = BUFFER(8192);
    struct author_permit p = {.expiry = 1790003600, .issued = 1790000000};

    p.class_id[0] = 5;
    p.manifest[0] = 6;
    check(author_permit(&p, key, 2, &out, &err));
    save("permit.cose", &out);
}

int main(int argc, char **argv)
{
    int i;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: make-documents FOLDER\n");
        return 2;
    }
    folder = argv[1];
    make_keys();
    make_envelope();
    make_root();
    make_ticket();
    make_permit();
    for (i = 0; i < KEYS; i++) {
        author_key_free(key[i]);
    }
    return 0;
}
