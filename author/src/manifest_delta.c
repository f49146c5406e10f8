/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release with patches: for each base an alternative, tried by the digest of
 * what runs, and the whole image as the last.
 */
#include "manifest_delta.h"

#include <stdio.h>

#include "component.h"
#include "host/file.h"
#include "sequence.h"

enum { TARGET = 0, ACTIVE = 1, STAGE = 2, TRANSFORM = 1 };

void put_delta_components(struct bl_cbor_writer *w,
                          const struct author_manifest *manifest)
{
    char active[COMPONENT_NAME_MAX + sizeof "/active"];

    (void)snprintf(active, sizeof active, "%s/active",
                   manifest->image[0].component);
    put_component(w, active);
    put_component(w, AUTHOR_STAGE);
}

static void patch_uri(const struct author_patch *patch,
                      char out[BL_SUIT_URI + 1])
{
    char digest[65];

    if (patch->uri != NULL) {
        (void)snprintf(out, BL_SUIT_URI + 1, "%s", patch->uri);
    } else {
        hex_encode(patch->sha256, 32, digest);
        (void)snprintf(out, BL_SUIT_URI + 1, "payloads/%s", digest);
    }
}

/* {1: transform, 2: base component} */
static void put_delta(struct bl_cbor_writer *w)
{
    uint8_t bytes[8];
    struct bl_cbor_writer inner;

    bl_cbor_writer_init(&inner, bytes, sizeof bytes);
    bl_cbor_put_map(&inner, 2);
    bl_cbor_put_int(&inner, 1);
    bl_cbor_put_uint(&inner, TRANSFORM);
    bl_cbor_put_int(&inner, 2);
    bl_cbor_put_uint(&inner, ACTIVE);
    bl_cbor_put_int(w, PARAM_DELTA);
    bl_cbor_put_bstr(w, bl_span_of(inner.p, inner.n));
}

static int put_patch(struct bl_cbor_writer *w,
                     const struct author_patch *patch, struct error *err)
{
    char uri[BL_SUIT_URI + 1];
    struct sequence s;

    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    sequence_index(&s, ACTIVE);
    sequence_override(&s, 2);
    put_image(&s.piece.w, patch->base_sha256, patch->base_size);
    sequence_put(&s, COND_IMAGE_MATCH, REPORT_ALL);
    patch_uri(patch, uri);
    sequence_index(&s, STAGE);
    sequence_override(&s, 3);
    put_image(&s.piece.w, patch->sha256, patch->size);
    bl_cbor_put_int(&s.piece.w, PARAM_URI);
    bl_cbor_put_tstr(&s.piece.w, uri);
    sequence_put(&s, DIR_FETCH, REPORT_FAILURE);
    sequence_put(&s, COND_IMAGE_MATCH, REPORT_ALL);
    sequence_index(&s, TARGET);
    sequence_override(&s, 2);
    bl_cbor_put_int(&s.piece.w, PARAM_SOURCE);
    bl_cbor_put_uint(&s.piece.w, STAGE);
    put_delta(&s.piece.w);
    sequence_put(&s, DIR_APPLY_DELTA, REPORT_FAILURE);
    return sequence_end(&s, w, err);
}

static int put_whole(struct bl_cbor_writer *w,
                     const struct author_image *image, struct error *err)
{
    char uri[BL_SUIT_URI + 1];
    struct sequence s;

    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    manifest_uri(image, uri);
    sequence_override(&s, 1);
    bl_cbor_put_int(&s.piece.w, PARAM_URI);
    bl_cbor_put_tstr(&s.piece.w, uri);
    sequence_put(&s, DIR_FETCH, REPORT_FAILURE);
    return sequence_end(&s, w, err);
}

int put_delta_install(struct bl_cbor_writer *w,
                      const struct author_manifest *manifest,
                      struct error *err)
{
    struct bl_cbor_writer *in;
    struct sequence s;
    uint32_t i;

    if (sequence_begin(&s, err) != 0) {
        return -1;
    }
    in = &s.piece.w;
    sequence_index(&s, TARGET);
    bl_cbor_put_int(in, DIR_TRY_EACH);
    bl_cbor_put_array(in, manifest->n_patches + 1);
    s.items += 2;
    for (i = 0; i < manifest->n_patches; i++) {
        if (put_patch(in, &manifest->patch[i], err) != 0) {
            piece_free(&s.piece);
            return -1;
        }
    }
    if (put_whole(in, &manifest->image[0], err) != 0) {
        piece_free(&s.piece);
        return -1;
    }
    sequence_index(&s, TARGET);
    sequence_put(&s, COND_IMAGE_MATCH, REPORT_ALL);
    return sequence_end(&s, w, err);
}

/* --- Checks -------------------------------------------------------------- */

static int check_patch(const struct author_manifest *manifest, uint32_t i,
                       struct error *err)
{
    const struct author_patch *patch = &manifest->patch[i];
    uint32_t k;

    if (patch->size == 0 || patch->base_size == 0) {
        return error_set(err, "patch %u: an empty patch or base", i + 1);
    }
    if (patch->uri != NULL &&
        (patch->uri[0] == 0 || strlen(patch->uri) > BL_SUIT_URI)) {
        return error_set(err, "patch %u: a URI has 1 to %d bytes", i + 1,
                         BL_SUIT_URI);
    }
    if (memcmp(patch->base_sha256, manifest->image[0].sha256, 32) == 0) {
        return error_set(err, "patch %u: its base is the image itself", i + 1);
    }
    for (k = 0; k < i; k++) {
        if (memcmp(patch->base_sha256, manifest->patch[k].base_sha256, 32) ==
            0) {
            return error_set(err, "patches %u and %u have the same base",
                             k + 1, i + 1);
        }
    }
    return 0;
}

int delta_check(const struct author_manifest *manifest, struct error *err)
{
    uint32_t i;

    if (manifest->n_patches == 0) {
        return 0;
    }
    if (manifest->n_patches > AUTHOR_PATCHES) {
        return error_set(err, "%u patches, at most %d", manifest->n_patches,
                         AUTHOR_PATCHES);
    }
    if (manifest->n_images != 1 ||
        strcmp(manifest->image[0].component, AUTHOR_STAGE) == 0) {
        return error_set(err, "patches are for a release of one image");
    }
    for (i = 0; i < manifest->n_patches; i++) {
        if (check_patch(manifest, i, err) != 0) {
            return -1;
        }
    }
    return 0;
}
