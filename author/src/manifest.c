/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest that docs/SPEC.md describes. Inside out: each command sequence
 * is encoded, then wrapped. With one component the index commands are left
 * out; with more every sequence selects what it means.
 */
#include "manifest.h"

#include "bowline/firmware.h"
#include "component.h"
#include "host/file.h"
#include "manifest_delta.h"
#include "sequence.h"

#include <stdio.h>

enum { VERSION_AT_LEAST = 2, VERSION_NUMBERS = 8 };

/* --- Values -------------------------------------------------------------- */

static void put_identity(struct bl_cbor_writer *w,
                         const struct author_manifest *manifest)
{
    bl_cbor_put_int(w, PARAM_VENDOR);
    bl_cbor_put_bstr(w, bl_span_of(manifest->vendor_id, 16));
    bl_cbor_put_int(w, PARAM_CLASS);
    bl_cbor_put_bstr(w, bl_span_of(manifest->class_id, 16));
}

static void put_numbers(struct bl_cbor_writer *w, const char *version)
{
    int32_t number[VERSION_NUMBERS];
    uint32_t n = bl_version_parse(version, number, VERSION_NUMBERS);
    uint32_t i;

    bl_cbor_put_array(w, n);
    for (i = 0; i < n; i++) {
        bl_cbor_put_int(w, number[i]);
    }
}

/* [type, numbers] (update-management): the running version is at least so. */
static void put_version_match(struct bl_cbor_writer *w, const char *version)
{
    uint8_t bytes[16 + 9 * VERSION_NUMBERS];
    struct bl_cbor_writer inner;

    bl_cbor_writer_init(&inner, bytes, sizeof bytes);
    bl_cbor_put_array(&inner, 2);
    bl_cbor_put_uint(&inner, VERSION_AT_LEAST);
    put_numbers(&inner, version);
    bl_cbor_put_bstr(w, bl_span_of(inner.p, inner.n));
}

static void put_set_version(struct bl_cbor_writer *w, const char *version)
{
    uint8_t bytes[16 + 9 * VERSION_NUMBERS];
    struct bl_cbor_writer inner;

    bl_cbor_writer_init(&inner, bytes, sizeof bytes);
    put_numbers(&inner, version);
    bl_cbor_put_bstr(w, bl_span_of(inner.p, inner.n));
}

void manifest_uri(const struct author_image *image, char out[BL_SUIT_URI + 1])
{
    char digest[65];

    if (image->uri != NULL) {
        (void)snprintf(out, BL_SUIT_URI + 1, "%s", image->uri);
    } else if (image->integrated.n > 0) {
        (void)snprintf(out, BL_SUIT_URI + 1, "#%s", image->component);
    } else {
        hex_encode(image->sha256, 32, digest);
        (void)snprintf(out, BL_SUIT_URI + 1, "payloads/%s", digest);
    }
}

/* --- Sequences ----------------------------------------------------------- */

static void require_version(struct sequence *s,
                            const struct author_manifest *manifest)
{
    if (manifest->minimum_version != NULL) {
        sequence_override(s, 1);
        bl_cbor_put_int(&s->piece.w, PARAM_VERSION);
        put_version_match(&s->piece.w, manifest->minimum_version);
        sequence_put(s, COND_VERSION, REPORT_ALL);
    }
}

static void shared_of_many(struct sequence *s,
                           const struct author_manifest *manifest)
{
    uint32_t i;

    sequence_index_list(s, manifest->n_images);
    sequence_override(s, 2);
    put_identity(&s->piece.w, manifest);
    sequence_put(s, COND_VENDOR, REPORT_ALL);
    sequence_put(s, COND_CLASS, REPORT_ALL);
    for (i = 0; i < manifest->n_images; i++) {
        sequence_index(s, i);
        sequence_override(s, 2);
        put_image(&s->piece.w, manifest->image[i].sha256,
                  manifest->image[i].size);
        if (i == 0) {
            require_version(s, manifest);
        }
    }
}

static void shared_of_one(struct sequence *s,
                          const struct author_manifest *manifest)
{
    sequence_override(s, 4);
    put_identity(&s->piece.w, manifest);
    put_image(&s->piece.w, manifest->image[0].sha256, manifest->image[0].size);
    sequence_put(s, COND_VENDOR, REPORT_ALL);
    sequence_put(s, COND_CLASS, REPORT_ALL);
    require_version(s, manifest);
}

static int put_shared(struct bl_cbor_writer *w,
                      const struct author_manifest *manifest,
                      struct error *err)
{
    struct sequence s;

    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    if (manifest->n_patches > 0) {
        sequence_index(&s, 0);
        shared_of_one(&s, manifest);
    } else if (manifest->n_images == 1) {
        shared_of_one(&s, manifest);
    } else {
        shared_of_many(&s, manifest);
    }
    return sequence_end(&s, w, err);
}

static int put_install(struct bl_cbor_writer *w,
                       const struct author_manifest *manifest,
                       struct error *err)
{
    uint32_t n = manifest->n_images;
    char uri[BL_SUIT_URI + 1];
    struct sequence s;
    uint32_t i;

    if (manifest->n_patches > 0) {
        return put_delta_install(w, manifest, err);
    }
    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    for (i = 0; i < n; i++) {
        if (n > 1) {
            sequence_index(&s, i);
        }
        manifest_uri(&manifest->image[i], uri);
        sequence_override(&s, 1);
        bl_cbor_put_int(&s.piece.w, PARAM_URI);
        bl_cbor_put_tstr(&s.piece.w, uri);
    }
    if (n > 1) {
        sequence_index_list(&s, n);
    }
    sequence_put(&s, DIR_FETCH, REPORT_FAILURE);
    if (n > 1) {
        sequence_index_all(&s);
    }
    sequence_put(&s, COND_IMAGE_MATCH, REPORT_ALL);
    return sequence_end(&s, w, err);
}

static int put_validate(struct bl_cbor_writer *w,
                        const struct author_manifest *manifest,
                        struct error *err)
{
    struct sequence s;

    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    if (manifest->n_patches > 0) {
        sequence_index(&s, 0);
    } else if (manifest->n_images > 1) {
        sequence_index_all(&s);
    }
    sequence_put(&s, COND_IMAGE_MATCH, REPORT_ALL);
    return sequence_end(&s, w, err);
}

static int put_invoke(struct bl_cbor_writer *w,
                      const struct author_manifest *manifest,
                      struct error *err)
{
    struct sequence s;

    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    if (manifest->n_images > 1 || manifest->n_patches > 0) {
        sequence_index(&s, 0);
    }
    sequence_put(&s, DIR_INVOKE, REPORT_FAILURE);
    return sequence_end(&s, w, err);
}

/* --- Common and text ----------------------------------------------------- */

static int put_common(struct bl_cbor_writer *w,
                      const struct author_manifest *manifest,
                      struct error *err)
{
    struct piece common;
    bl_span bytes;
    uint32_t i;
    int result;

    if (piece_begin(&common, MANIFEST_MAX, err) != 0) {
        return -1;
    }
    bl_cbor_put_map(&common.w, 2);
    bl_cbor_put_int(&common.w, 2);
    bl_cbor_put_array(&common.w,
                      manifest->n_images +
                          (manifest->n_patches > 0 ? DELTA_COMPONENTS : 0U));
    for (i = 0; i < manifest->n_images; i++) {
        put_component(&common.w, manifest->image[i].component);
    }
    if (manifest->n_patches > 0) {
        put_delta_components(&common.w, manifest);
    }
    bl_cbor_put_int(&common.w, 4);
    result = put_shared(&common.w, manifest, err);
    if (result == 0) {
        result = piece_end(&common, &bytes, err);
    }
    if (result == 0) {
        bl_cbor_put_bstr(w, bytes);
    }
    piece_free(&common);
    return result;
}

static void put_text_entry(struct bl_cbor_writer *w, int key, const char *text)
{
    if (text != NULL) {
        bl_cbor_put_int(w, key);
        bl_cbor_put_tstr(w, text);
    }
}

/* {"en": {component 0: {1: vendor, 2: model, 6: version}}} */
static int encode_text(const struct author_manifest *manifest,
                       struct buffer *text, struct error *err)
{
    const char *version = manifest->version_text != NULL
                              ? manifest->version_text
                              : manifest->version;
    uint32_t entries = (manifest->vendor_name != NULL ? 1U : 0U) +
                       (manifest->model_name != NULL ? 1U : 0U) +
                       (version != NULL ? 1U : 0U);
    struct piece piece;
    bl_span bytes;
    int result;

    if (entries == 0) {
        return 0;
    }
    if (piece_begin(&piece, MANIFEST_MAX, err) != 0) {
        return -1;
    }
    bl_cbor_put_map(&piece.w, 1);
    bl_cbor_put_tstr(&piece.w, "en");
    bl_cbor_put_map(&piece.w, 1);
    put_component(&piece.w, manifest->image[0].component);
    bl_cbor_put_map(&piece.w, entries);
    put_text_entry(&piece.w, 1, manifest->vendor_name);
    put_text_entry(&piece.w, 2, manifest->model_name);
    put_text_entry(&piece.w, 6, version);
    result = piece_end(&piece, &bytes, err);
    if (result == 0) {
        result = buffer_append(text, bytes.p, bytes.n, err);
    }
    piece_free(&piece);
    return result;
}

/* --- The manifest -------------------------------------------------------- */

static void put_text_element(struct bl_cbor_writer *w, struct buffer *text)
{
    uint8_t digest[32];

    if (text->n == 0) {
        return;
    }
    bl_cbor_put_int(w, 23);
    if (text->n >= SEVERED_MIN) {
        digest_wrapped(buffer_span(text), digest);
        put_digest(w, digest);
    } else {
        bl_cbor_put_bstr(w, buffer_span(text));
        buffer_clear(text);
    }
}

static int put_manifest(struct bl_cbor_writer *w,
                        const struct author_manifest *manifest,
                        struct buffer *text, struct error *err)
{
    uint32_t keys =
        6U + (manifest->version != NULL ? 1U : 0U) + (text->n > 0 ? 1U : 0U);

    bl_cbor_put_map(w, keys);
    bl_cbor_put_int(w, 1);
    bl_cbor_put_uint(w, 1);
    bl_cbor_put_int(w, 2);
    bl_cbor_put_uint(w, manifest->sequence);
    bl_cbor_put_int(w, 3);
    if (put_common(w, manifest, err) != 0) {
        return -1;
    }
    if (manifest->version != NULL) {
        bl_cbor_put_int(w, 6);
        put_set_version(w, manifest->version);
    }
    bl_cbor_put_int(w, 7);
    if (put_validate(w, manifest, err) != 0) {
        return -1;
    }
    bl_cbor_put_int(w, 9);
    if (put_invoke(w, manifest, err) != 0) {
        return -1;
    }
    bl_cbor_put_int(w, 20);
    if (put_install(w, manifest, err) != 0) {
        return -1;
    }
    put_text_element(w, text);
    return 0;
}

int manifest_encode(const struct author_manifest *manifest, struct buffer *out,
                    struct buffer *text, struct error *err)
{
    struct piece piece;
    bl_span bytes;
    int result;

    if (encode_text(manifest, text, err) != 0 ||
        piece_begin(&piece, MANIFEST_MAX, err) != 0) {
        return -1;
    }
    result = put_manifest(&piece.w, manifest, text, err);
    if (result == 0) {
        result = piece_end(&piece, &bytes, err);
    }
    if (result == 0) {
        result = buffer_append(out, bytes.p, bytes.n, err);
    }
    piece_free(&piece);
    return result;
}
