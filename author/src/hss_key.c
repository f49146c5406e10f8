/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "hss_key.h"

#include "bowline/hss.h"
#include "bowline/sha256.h"
#include "host/file.h"
#include "lms.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BEGIN "-----BEGIN " HSS_PEM_PRIVATE "-----\n"

/* "Next-A: 0000000012 89abcdef\n", twice, directly behind the BEGIN line. */
enum {
    HEAD = 32,
    RECORD = 28,
    NUMBER_AT = 8,
    CHECK_AT = 19,
    RECORDS_AT = sizeof BEGIN - 1,
    MAGIC = 0x424C4853, /* "BLHS" */
    VERSION = 1
};

struct hss {
    struct lms_tree tree;
    uint8_t public[HSS_PUBLIC_MAX];
    uint8_t body_digest[32]; /* ties the index records to this key */
    char *path;
    uint32_t next; /* as last seen */
};

const struct lms_set *hss_kind(const char *kind)
{
    return lms_set_kind(kind);
}

void hss_free(struct hss *hss)
{
    if (hss == NULL) {
        return;
    }
    free(hss->tree.nodes);
    free(hss->path);
    OPENSSL_cleanse(hss, sizeof *hss);
    free(hss);
}

bl_span hss_public(const struct hss *hss)
{
    return bl_span_of(hss->public, 28 + hss->tree.set->n);
}

uint64_t hss_left(const struct hss *hss)
{
    uint32_t leaves = lms_leaves(hss->tree.set);

    return hss->next < leaves ? leaves - hss->next : 0;
}

/* --- Index records ------------------------------------------------------- */

static void format_record(char out[RECORD + 1], char which, uint32_t next,
                          const uint8_t body_digest[32])
{
    uint8_t text[36];
    uint8_t digest[32];
    char hex[9];

    memcpy(text, body_digest, 32);
    lms_put32(text + 32, next);
    bl_sha256(text, sizeof text, digest);
    hex_encode(digest, 4, hex);
    (void)snprintf(out, RECORD + 1, "Next-%c: %010" PRIu32 " %s\n", which,
                   next, hex);
}

static bool read_record(const char *record, char which,
                        const uint8_t body_digest[32], uint32_t *next)
{
    char expected[RECORD + 1];
    uint64_t v = 0;
    int i;

    for (i = NUMBER_AT; i < CHECK_AT - 1; i++) {
        if (record[i] < '0' || record[i] > '9') {
            return false;
        }
        v = v * 10 + (uint64_t)(record[i] - '0');
    }
    if (v > UINT32_MAX) {
        return false;
    }
    format_record(expected, which, (uint32_t)v, body_digest);
    if (memcmp(record, expected, RECORD) != 0) {
        return false;
    }
    *next = (uint32_t)v;
    return true;
}

/*
 * The next index, and which record to overwrite. The records are written in
 * turn; one that cannot be read was either torn by a power cut before its
 * index was used, or damaged after: so the index that it may have given away
 * is passed over, which costs one signature and is safe in both cases.
 */
static int read_records(const struct hss *hss, const char *text,
                        uint32_t *next, int *older, struct error *err)
{
    uint32_t a = 0;
    uint32_t b = 0;
    bool has_a = read_record(text, 'A', hss->body_digest, &a);
    bool has_b = read_record(text + RECORD, 'B', hss->body_digest, &b);

    if (!has_a && !has_b) {
        return error_set(err,
                         "%s: both index records are damaged: the key must "
                         "not sign any more; make a new one",
                         hss->path);
    }
    if (has_a && has_b) {
        *next = a > b ? a : b;
        *older = a > b ? 1 : 0;
    } else {
        *next = (has_a ? a : b) + 1;
        *older = has_a ? 1 : 0;
    }
    return 0;
}

static int load_records(const struct hss *hss, int fd, uint32_t *next,
                        int *older, struct error *err)
{
    char text[2 * RECORD];

    if (pread(fd, text, sizeof text, RECORDS_AT) != (ssize_t)sizeof text) {
        return error_errno(err, "%s: cannot read", hss->path);
    }
    return read_records(hss, text, next, older, err);
}

static int take_index(struct hss *hss, int fd, uint32_t *q, struct error *err)
{
    uint32_t leaves = lms_leaves(hss->tree.set);
    char record[RECORD + 1];
    uint32_t next = 0;
    int older = 0;

    if (load_records(hss, fd, &next, &older, err) != 0) {
        return -1;
    }
    hss->next = next;
    if (next >= leaves) {
        return error_set(err,
                         "%s: all %" PRIu32 " signatures are used up; make a "
                         "new key and name it in the next root document",
                         hss->path, leaves);
    }
    format_record(record, older == 0 ? 'A' : 'B', next + 1, hss->body_digest);
    if (pwrite(fd, record, RECORD, RECORDS_AT + older * RECORD) != RECORD ||
        fsync(fd) != 0) {
        return error_errno(err, "%s: the index cannot be moved on", hss->path);
    }
    hss->next = next + 1;
    *q = next;
    return 0;
}

int hss_reserve(struct hss *hss, uint32_t *q, struct error *err)
{
    int result;
    int fd;

    /* Opened anew each time: a lock belongs to the open file, so that two
     * objects in one process wait for each other as two processes do. */
    fd = open(hss->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "%s: cannot open to move its index on",
                           hss->path);
    }
    do {
        result = flock(fd, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        (void)error_errno(err, "%s: cannot lock", hss->path);
    } else {
        result = take_index(hss, fd, q, err);
    }
    (void)close(fd);
    return result;
}

/* --- Signing ------------------------------------------------------------- */

static int sign_at(const struct hss *hss, uint32_t q, bl_span message,
                   uint8_t *out, struct error *err)
{
    uint8_t c[LMS_HASH_MAX];
    bl_span signature;

    if (RAND_bytes(c, (int)hss->tree.set->n) != 1) {
        return error_set(err, "no random bytes from OpenSSL");
    }
    lms_put32(out, 0); /* levels - 1 */
    lms_sign(&hss->tree, q, c, message, out + 4);
    signature = bl_span_of(out, 4 + lms_signature_size(hss->tree.set));
    if (bl_hss_verify(hss_public(hss), &message, 1, signature) != BL_GOOD) {
        return error_set(err,
                         "%s: the signature made does not verify: the file "
                         "is damaged",
                         hss->path);
    }
    return 0;
}

int hss_sign(struct hss *hss, bl_span message, struct buffer *out,
             struct error *err)
{
    size_t n = 4 + lms_signature_size(hss->tree.set);
    uint32_t q = 0;

    if (buffer_reserve(out, n, err) != 0 || hss_reserve(hss, &q, err) != 0 ||
        sign_at(hss, q, message, out->p + out->n, err) != 0) {
        return -1;
    }
    out->n += n;
    out->p[out->n] = 0;
    return 0;
}

/* --- The file ------------------------------------------------------------ */

static size_t body_size(const struct lms_set *set)
{
    return HEAD + set->n + lms_nodes_size(set) + 32;
}

static uint8_t *make_body(const struct lms_tree *tree)
{
    const struct lms_set *set = tree->set;
    size_t n = body_size(set);
    uint8_t *body = malloc(n);

    if (body != NULL) {
        lms_put32(body, MAGIC);
        lms_put32(body + 4, VERSION);
        lms_put32(body + 8, set->lms_type);
        lms_put32(body + 12, set->ots_type);
        memcpy(body + 16, tree->id, LMS_ID);
        memcpy(body + HEAD, tree->seed, set->n);
        memcpy(body + HEAD + set->n, tree->nodes, lms_nodes_size(set));
        bl_sha256(body, n - 32, body + n - 32);
    }
    return body;
}

static int write_file(const char *path, const struct lms_tree *tree,
                      struct error *err)
{
    size_t n = body_size(tree->set);
    uint8_t *body = make_body(tree);
    BIO *bio = BIO_new(BIO_s_mem());
    char records[2 * RECORD + 1];
    char *text = NULL;
    long text_n = 0;
    int result;

    if (body != NULL && bio != NULL) {
        format_record(records, 'A', 0, body + n - 32);
        format_record(records + RECORD, 'B', 0, body + n - 32);
        if (PEM_write_bio(bio, HSS_PEM_PRIVATE, records, body, (long)n) > 0) {
            text_n = BIO_get_mem_data(bio, &text);
        }
    }
    result = text_n > 0 ? file_create(path, bl_span_of(text, (size_t)text_n),
                                      0600, err)
                        : error_set(err, "out of memory");
    if (text_n > 0) {
        OPENSSL_cleanse(text, (size_t)text_n);
    }
    if (body != NULL) {
        OPENSSL_cleanse(body, n);
    }
    BIO_free(bio);
    free(body);
    return result;
}

int hss_create_from(const char *path, const struct lms_set *set,
                    const uint8_t id[HSS_ID], const uint8_t *seed,
                    author_progress progress, void *ctx, struct error *err)
{
    struct lms_tree tree;
    int result;

    /* Before minutes are spent on it; O_EXCL decides in the end. */
    if (access(path, F_OK) == 0) {
        return error_set(err, "%s: exists already, and is never replaced",
                         path);
    }
    memset(&tree, 0, sizeof tree);
    tree.set = set;
    memcpy(tree.id, id, LMS_ID);
    memcpy(tree.seed, seed, set->n);
    tree.nodes = malloc(lms_nodes_size(set));
    if (tree.nodes == NULL) {
        return error_set(err, "out of memory");
    }
    lms_grow(&tree, progress, ctx);
    result = write_file(path, &tree, err);
    free(tree.nodes);
    OPENSSL_cleanse(&tree, sizeof tree);
    return result;
}

int hss_create(const char *path, const struct lms_set *set,
               author_progress progress, void *ctx, struct error *err)
{
    uint8_t id[HSS_ID];
    uint8_t seed[HSS_SEED_MAX];
    int result;

    if (RAND_bytes(id, sizeof id) != 1 ||
        RAND_priv_bytes(seed, sizeof seed) != 1) {
        return error_set(err, "no random bytes from OpenSSL");
    }
    result = hss_create_from(path, set, id, seed, progress, ctx, err);
    OPENSSL_cleanse(seed, sizeof seed);
    return result;
}

/* --- Opening ------------------------------------------------------------- */

static int read_body(struct hss *hss, bl_span body, struct error *err)
{
    const struct lms_set *set = NULL;
    struct lms_tree *tree = &hss->tree;
    uint8_t digest[32];

    if (body.n > HEAD && lms_get32(body.p) == MAGIC &&
        lms_get32(body.p + 4) == VERSION) {
        set = lms_set_find(lms_get32(body.p + 8), lms_get32(body.p + 12));
    }
    if (set == NULL || body.n != body_size(set)) {
        return error_set(err, "not an HSS private key that is known here");
    }
    bl_sha256(body.p, body.n - 32, digest);
    if (memcmp(digest, body.p + body.n - 32, 32) != 0) {
        return error_set(err, "the HSS private key is damaged");
    }
    tree->nodes = malloc(lms_nodes_size(set));
    if (tree->nodes == NULL) {
        return error_set(err, "out of memory");
    }
    tree->set = set;
    memcpy(hss->body_digest, digest, 32);
    memcpy(tree->id, body.p + 16, LMS_ID);
    memcpy(tree->seed, body.p + HEAD, set->n);
    memcpy(tree->nodes, body.p + HEAD + set->n, lms_nodes_size(set));
    lms_put32(hss->public, 1);
    memcpy(hss->public + 4, body.p + 8, 8 + LMS_ID);
    memcpy(hss->public + 28, tree->nodes, set->n);
    return 0;
}

static int read_text(struct hss *hss, bl_span text, struct error *err)
{
    BIO *bio = NULL;
    unsigned char *data = NULL;
    char *name = NULL;
    char *header = NULL;
    long n = 0;
    int older = 0;
    int result = -1;

    /* The records stand at a fixed place, so nothing may precede them. */
    if (text.n < RECORDS_AT + 2 * RECORD || text.n > INT_MAX ||
        memcmp(text.p, BEGIN, RECORDS_AT) != 0) {
        return error_set(err, "does not begin with its BEGIN line");
    }
    bio = BIO_new_mem_buf(text.p, (int)text.n);
    if (bio == NULL || PEM_read_bio(bio, &name, &header, &data, &n) != 1 ||
        n <= 0) {
        (void)error_set(err, "not a PEM file that can be read");
    } else if (read_body(hss, bl_span_of(data, (size_t)n), err) == 0) {
        result = read_records(hss, (const char *)text.p + RECORDS_AT,
                              &hss->next, &older, err);
    }
    if (data != NULL) {
        OPENSSL_cleanse(data, (size_t)n);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    return result;
}

struct hss *hss_open(const char *path, bl_span text, struct error *err)
{
    struct hss *hss = calloc(1, sizeof *hss);

    if (hss != NULL) {
        /* Absolute: a later change of folder must not lead to another key. */
        hss->path = realpath(path, NULL);
    }
    if (hss == NULL || hss->path == NULL) {
        (void)error_errno(err, "cannot open");
        hss_free(hss);
        return NULL;
    }
    if (read_text(hss, text, err) != 0) {
        hss_free(hss);
        return NULL;
    }
    return hss;
}
