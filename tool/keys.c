/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DOCUMENT_LIMIT = 64 * 1024, KEY_LIMIT = 64 * 1024 };

int32_t key_algorithm(const char *kind, size_t n)
{
    static const int32_t known[] = {BL_ALG_ESP256, BL_ALG_ED25519,
                                    BL_ALG_HSS_LMS};
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *name = author_key_kind(known[i]);

        if (strlen(name) == n && memcmp(name, kind, n) == 0) {
            return known[i];
        }
    }
    return 0;
}

int keys_open(struct call *c, const char *const *path, int n, bool public,
              struct keys *out)
{
    int i;

    memset(out, 0, sizeof *out);
    if (n > BL_ROOT_KEYS) {
        return refuse(c, EXIT_INPUT, "%d keys are given; %d at most", n,
                      BL_ROOT_KEYS);
    }
    for (i = 0; i < n; i++) {
        struct author_key *key = public
                                     ? author_key_open_public(path[i], &c->err)
                                     : author_key_open(path[i], &c->err);

        if (key == NULL) {
            keys_close(out);
            return EXIT_INPUT;
        }
        out->path[out->n] = path[i];
        out->key[out->n++] = key;
    }
    return 0;
}

int keys_open_release(struct call *c, struct keys *out)
{
    const char *path[MANY];
    int n = setting_keys(c, path);

    memset(out, 0, sizeof *out);
    if (n == 0) {
        return refuse(c, EXIT_INPUT,
                      "no release key: say --key, or set release_keys in "
                      "bowline.conf (bowline key new makes one)");
    }
    if (keys_open(c, path, n, false, out) == 0) {
        return 0;
    }
    return cli_flag(c, "key")
               ? EXIT_INPUT
               : refuse(c, EXIT_INPUT,
                        "%s; release_keys in bowline.conf names it: say there "
                        "where the release key is now, or say --key FILE",
                        keep(c, "%s", c->err.text));
}

void keys_close(struct keys *keys)
{
    uint32_t i;

    for (i = 0; i < keys->n; i++) {
        author_key_free(keys->key[i]);
    }
    keys->n = 0;
}

json_t *keys_list(struct call *c, const struct keys *keys)
{
    json_t *list = json_array();
    uint32_t i;

    for (i = 0; i < keys->n; i++) {
        (void)json_array_append_new(
            list, json_string(
                      keep_hex(c, author_key_kid(keys->key[i]), BL_KID_SIZE)));
    }
    return list;
}

/* --- Public keys out of a document
 * ------------------------------------------- */

/* The bytes in front of the key in a SubjectPublicKeyInfo, RFC 5480, 8410. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
                                    0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
                                    0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t ed25519_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static int pem_of(const struct bl_key *key, struct buffer *out,
                  struct error *err)
{
    struct buffer der = BUFFER(1024);
    unsigned char text[2048];
    const char *type =
        key->alg == BL_ALG_HSS_LMS ? "BOWLINE HSS PUBLIC KEY" : "PUBLIC KEY";
    int result = 0;
    int at;
    int n;

    if (key->alg == BL_ALG_ESP256) {
        result = buffer_append(&der, p256_head, sizeof p256_head, err);
    } else if (key->alg == BL_ALG_ED25519) {
        result = buffer_append(&der, ed25519_head, sizeof ed25519_head, err);
    }
    if (result != 0 || buffer_append(&der, key->x.p, key->x.n, err) != 0 ||
        (key->y.n > 0 && buffer_append(&der, key->y.p, key->y.n, err) != 0)) {
        buffer_free(&der);
        return -1;
    }
    n = EVP_EncodeBlock(text, der.p, (int)der.n);
    buffer_free(&der);
    result = buffer_printf(out, err, "-----BEGIN %s-----\n", type);
    for (at = 0; result == 0 && at < n; at += 64) {
        result = buffer_printf(out, err, "%.*s\n", n - at < 64 ? n - at : 64,
                               (const char *)text + at);
    }
    return result != 0 ? -1
                       : buffer_printf(out, err, "-----END %s-----\n", type);
}

/* By way of a file without a name: keys are opened in one way only. */
struct author_key *key_from_public(const struct bl_key *key, struct error *err)
{
    struct buffer pem = BUFFER(4096);
    struct author_key *out = NULL;
    char path[64];
    int fd = memfd_create("public-key", MFD_CLOEXEC);

    if (fd < 0) {
        (void)error_errno(err, "a temporary file");
        return NULL;
    }
    if (pem_of(key, &pem, err) == 0 &&
        write(fd, pem.p, pem.n) == (ssize_t)pem.n) {
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        out = author_key_open_public(path, err);
    }
    buffer_free(&pem);
    (void)close(fd);
    return out;
}

/* --- The root document to check with
 * ------------------------------------------ */

int trust_load(struct call *c, struct trust *out)
{
    const char *path = setting(c, "root");
    bl_status status;
    int code;

    memset(out, 0, sizeof *out);
    if (path == NULL) {
        return 0;
    }
    code = read_input(c, path, DOCUMENT_LIMIT, &out->document);
    if (code != 0) {
        return code;
    }
    status = bl_root_read(buffer_span(&out->document), &out->root);
    if (status != BL_OK) {
        (void)error_status(&c->err, status, "root document %s", path);
        trust_free(out);
        return EXIT_INPUT;
    }
    out->there = true;
    return 0;
}

void trust_free(struct trust *trust)
{
    buffer_free(&trust->document);
    trust->there = false;
}

/* The empty list of signatures that ends a draft gives way to a list of one
 * that is no signature: form is all that is read here. */
bl_status root_read_draft(bl_span document, struct buffer *copy,
                          struct bl_root *out, bool *is_signed)
{
    static const uint8_t head[] = {0x81, 0x83, 0x43, 0xA1, 0x01,
                                   0x28, 0xA0, 0x58, 0x40};
    static const uint8_t zero[64];
    bl_status status = bl_root_read(document, out);

    *is_signed = true;
    if (status == BL_OK || document.n < 2 ||
        document.p[document.n - 1] != 0x80) {
        return status;
    }
    copy->limit = DOCUMENT_LIMIT;
    if (buffer_append(copy, document.p, document.n - 1, NULL) != 0 ||
        buffer_append(copy, head, sizeof head, NULL) != 0 ||
        buffer_append(copy, zero, sizeof zero, NULL) != 0) {
        return BL_BUFFER;
    }
    *is_signed = false;
    return bl_root_read(buffer_span(copy), out);
}

/* --- Describing
 * ------------------------------------------------------------------ */

static bool looks_private(struct call *c, const char *path)
{
    struct buffer text = BUFFER(KEY_LIMIT);
    bool found = false;
    struct error ignored;

    if (file_read(path, &text, &ignored) == 0) {
        found = memmem(text.p, text.n, "PRIVATE KEY-----", 16) != NULL;
    }
    (void)c;
    buffer_wipe(&text);
    return found;
}

json_t *key_describe(struct call *c, const char *path, bool pem)
{
    bool private = looks_private(c, path);
    struct author_key *key = private ? author_key_open(path, &c->err)
                                     : author_key_open_public(path, &c->err);
    struct buffer text = BUFFER(8192);
    json_t *out;

    if (key == NULL) {
        return NULL;
    }
    out = json_object();
    put_text(out, "file", path);
    put_text(out, "kind", author_key_kind(author_key_public(key)->alg));
    put_text(out, "kid", keep_hex(c, author_key_kid(key), BL_KID_SIZE));
    put_bool(out, "private", private);
    put(out, "signatures_left",
        private && author_key_left(key) != UINT64_MAX
            ? json_integer((json_int_t)author_key_left(key))
            : json_null());
    if (pem && author_key_write_public(key, &text, &c->err) == 0) {
        put_text(out, "pem",
                 keep(c, "%.*s", (int)text.n, (const char *)text.p));
    }
    buffer_free(&text);
    author_key_free(key);
    return out;
}
