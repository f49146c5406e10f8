/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Developer mode: an image alone gets the manifest that a release of it would
 * have (docs/SPEC.md), signed by nobody. Its number is the running release's:
 * it does not raise the floor.
 */
#include "bowline/cbor.h"
#include "bowline/sha256.h"
#include "push_private.h"

enum { PART = 256, WHOLE = 1024 };
enum {
    VENDOR = 1,
    CLASS = 2,
    IMAGE_DIGEST = 3,
    IMAGE_SIZE = 14,
    SHA256 = -16
};

struct parts {
    uint8_t digest[48]; /* [-16, h'..'] */
    uint8_t common[PART];
    uint8_t install[PART];
};

static bl_status digest_item(bl_span content, uint8_t *out, size_t size,
                             bl_span *item)
{
    struct bl_cbor_writer w;
    uint8_t digest[BL_SHA256_SIZE];

    bl_sha256(content.p, content.n, digest);
    bl_cbor_writer_init(&w, out, size);
    bl_cbor_put_array(&w, 2);
    bl_cbor_put_int(&w, SHA256);
    bl_cbor_put_bstr(&w, bl_span_of(digest, sizeof digest));
    return bl_cbor_writer_finish(&w, item);
}

/* {2: [component], 4: <<vendor, class, digest, size; check both>>} */
static bl_status common(const struct push *push, bl_span digest, size_t size,
                        uint8_t out[PART], bl_span *whole)
{
    const struct device_config *c = push->config;
    struct bl_cbor_writer w;
    uint8_t shared[PART];
    bl_span sequence = {NULL, 0};
    bl_status status;

    bl_cbor_writer_init(&w, shared, sizeof shared);
    bl_cbor_put_array(&w, 6);
    bl_cbor_put_uint(&w, 20); /* override-parameters */
    bl_cbor_put_map(&w, 4);
    bl_cbor_put_uint(&w, VENDOR);
    bl_cbor_put_bstr(&w, bl_span_of(c->vendor_id, BL_ID_SIZE));
    bl_cbor_put_uint(&w, CLASS);
    bl_cbor_put_bstr(&w, bl_span_of(c->class_id, BL_ID_SIZE));
    bl_cbor_put_uint(&w, IMAGE_DIGEST);
    bl_cbor_put_bstr(&w, digest);
    bl_cbor_put_uint(&w, IMAGE_SIZE);
    bl_cbor_put_uint(&w, size);
    bl_cbor_put_uint(&w, 1); /* vendor-identifier */
    bl_cbor_put_uint(&w, 15);
    bl_cbor_put_uint(&w, 2); /* class-identifier */
    bl_cbor_put_uint(&w, 15);
    status = bl_cbor_writer_finish(&w, &sequence);
    bl_cbor_writer_init(&w, out, PART);
    bl_cbor_put_map(&w, 2);
    bl_cbor_put_uint(&w, 2);
    bl_cbor_put_array(&w, 1);
    bl_cbor_put_raw(&w, c->component[0].id);
    bl_cbor_put_uint(&w, 4);
    bl_cbor_put_bstr(&w, sequence);
    return status != BL_OK ? status : bl_cbor_writer_finish(&w, whole);
}

/* Set the URI, fetch, check the image. */
static bl_status install(bl_span image, uint8_t out[PART], bl_span *whole)
{
    uint8_t digest[BL_SHA256_SIZE];
    char uri[10 + 2 * BL_SHA256_SIZE + 1] = "payloads/";
    struct bl_cbor_writer w;

    bl_sha256(image.p, image.n, digest);
    hex_encode(digest, sizeof digest, uri + 9);
    bl_cbor_writer_init(&w, out, PART);
    bl_cbor_put_array(&w, 6);
    bl_cbor_put_uint(&w, 20);
    bl_cbor_put_map(&w, 1);
    bl_cbor_put_uint(&w, 21);
    bl_cbor_put_tstr(&w, uri);
    bl_cbor_put_uint(&w, 21); /* fetch */
    bl_cbor_put_uint(&w, 2);
    bl_cbor_put_uint(&w, 3); /* image-match */
    bl_cbor_put_uint(&w, 15);
    return bl_cbor_writer_finish(&w, whole);
}

static void put_pair(struct bl_cbor_writer *w, uint32_t key, uint32_t command,
                     uint32_t argument)
{
    uint8_t bytes[8];
    struct bl_cbor_writer sequence;
    bl_span whole = {NULL, 0};
    bl_status status;

    bl_cbor_writer_init(&sequence, bytes, sizeof bytes);
    bl_cbor_put_array(&sequence, 2);
    bl_cbor_put_uint(&sequence, command);
    bl_cbor_put_uint(&sequence, argument);
    status = bl_cbor_writer_finish(&sequence, &whole);
    (void)status; /* four bytes at most */
    bl_cbor_put_uint(w, key);
    bl_cbor_put_bstr(w, whole);
}

static uint64_t number(const struct push *push)
{
    const struct bl_client *c = push->client;
    uint64_t running = c->state.slot[c->slot].sequence;

    return running > c->state.floor ? running : c->state.floor;
}

static bl_status manifest(const struct push *push, bl_span image,
                          uint8_t out[WHOLE], bl_span *whole)
{
    struct parts parts;
    struct bl_cbor_writer w;
    bl_span digest = {NULL, 0};
    bl_span shared = {NULL, 0};
    bl_span load = {NULL, 0};
    bl_status status =
        digest_item(image, parts.digest, sizeof parts.digest, &digest);

    if (status == BL_OK) {
        status = common(push, digest, image.n, parts.common, &shared);
    }
    if (status == BL_OK) {
        status = install(image, parts.install, &load);
    }
    bl_cbor_writer_init(&w, out, WHOLE);
    bl_cbor_put_map(&w, 6);
    bl_cbor_put_uint(&w, 1);
    bl_cbor_put_uint(&w, 1);
    bl_cbor_put_uint(&w, 2);
    bl_cbor_put_uint(&w, number(push));
    bl_cbor_put_uint(&w, 3);
    bl_cbor_put_bstr(&w, shared);
    put_pair(&w, 7, 3, 15); /* validate: image-match */
    put_pair(&w, 9, 23, 2); /* invoke */
    bl_cbor_put_uint(&w, 20);
    bl_cbor_put_bstr(&w, load);
    return status != BL_OK ? status : bl_cbor_writer_finish(&w, whole);
}

/* What is hashed is the manifest with the head of its byte string. */
static bl_status wrap(bl_span content, uint8_t out[PART], bl_span *whole)
{
    uint8_t bytes[WHOLE + 16];
    uint8_t item[48];
    bl_span wrapped = {NULL, 0};
    bl_span digest = {NULL, 0};
    struct bl_cbor_writer w;
    bl_status status;

    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_bstr(&w, content);
    status = bl_cbor_writer_finish(&w, &wrapped);
    if (status == BL_OK) {
        status = digest_item(wrapped, item, sizeof item, &digest);
    }
    if (status != BL_OK) {
        return status;
    }
    bl_cbor_writer_init(&w, out, PART);
    bl_cbor_put_array(&w, 1);
    bl_cbor_put_bstr(&w, digest);
    return bl_cbor_writer_finish(&w, whole);
}

bl_status push_envelope(const struct push *push, bl_span image,
                        struct buffer *out)
{
    uint8_t content[WHOLE];
    uint8_t wrapper[PART];
    uint8_t bytes[WHOLE + PART];
    bl_span made = {NULL, 0};
    bl_span wrapped = {NULL, 0};
    bl_span whole = {NULL, 0};
    struct bl_cbor_writer w;
    struct error err = {0};
    bl_status status = manifest(push, image, content, &made);

    if (status == BL_OK) {
        status = wrap(made, wrapper, &wrapped);
    }
    if (status != BL_OK) {
        return status;
    }
    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_tag(&w, 107);
    bl_cbor_put_map(&w, 2);
    bl_cbor_put_uint(&w, 2);
    bl_cbor_put_bstr(&w, wrapped);
    bl_cbor_put_uint(&w, 3);
    bl_cbor_put_bstr(&w, made);
    status = bl_cbor_writer_finish(&w, &whole);
    if (status == BL_OK && buffer_append(out, whole.p, whole.n, &err) != 0) {
        status = BL_BUFFER;
    }
    return status;
}
