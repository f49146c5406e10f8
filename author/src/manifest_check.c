/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/firmware.h"
#include "bowline/sha256.h"
#include "component.h"
#include "manifest_delta.h"

static int check_uri(const struct author_image *image, struct error *err)
{
    if (image->uri == NULL) {
        return 0;
    }
    if (image->uri[0] == 0 || strlen(image->uri) > BL_SUIT_URI) {
        return error_set(err, "image %s: a URI has 1 to %d bytes",
                         image->component, BL_SUIT_URI);
    }
    return 0;
}

static int check_integrated(const struct author_image *image,
                            struct error *err)
{
    uint8_t digest[32];

    if (image->integrated.n == 0) {
        return 0;
    }
    bl_sha256(image->integrated.p, image->integrated.n, digest);
    if (image->integrated.n != image->size ||
        memcmp(digest, image->sha256, 32) != 0) {
        return error_set(err,
                         "image %s: the bytes to carry have not the size and "
                         "digest given",
                         image->component);
    }
    return 0;
}

static int check_images(const struct author_manifest *manifest,
                        struct error *err)
{
    char uri[BL_SUIT_URI + 1];
    char other[BL_SUIT_URI + 1];
    uint32_t i;
    uint32_t k;

    for (i = 0; i < manifest->n_images; i++) {
        const struct author_image *image = &manifest->image[i];

        if (component_check(image->component, err) != 0 ||
            check_uri(image, err) != 0 || check_integrated(image, err) != 0) {
            return -1;
        }
        if (image->size == 0) {
            return error_set(err, "image %s: is empty", image->component);
        }
        manifest_uri(image, uri);
        for (k = 0; k < i; k++) {
            manifest_uri(&manifest->image[k], other);
            if (strcmp(image->component, manifest->image[k].component) == 0) {
                return error_set(err, "component %s is named twice",
                                 image->component);
            }
            if (image->integrated.n > 0 &&
                manifest->image[k].integrated.n > 0 &&
                strcmp(uri, other) == 0) {
                return error_set(err, "two payloads carried under \"%s\"",
                                 uri);
            }
        }
    }
    return 0;
}

static int check_version(const char *version, const char *what,
                         struct error *err)
{
    int32_t number[16];

    if (version != NULL && bl_version_parse(version, number, 16) == 0) {
        return error_set(err, "%s \"%.64s\" is no version; write 1.4.2", what,
                         version);
    }
    return 0;
}

int manifest_check(const struct author_manifest *manifest, struct error *err)
{
    if (manifest->n_images < 1 || manifest->n_images > BL_SUIT_COMPONENTS) {
        return error_set(err, "%u images, not 1 to %d", manifest->n_images,
                         BL_SUIT_COMPONENTS);
    }
    if (check_version(manifest->version, "version", err) != 0 ||
        check_version(manifest->minimum_version, "minimum version", err) !=
            0) {
        return -1;
    }
    return check_images(manifest, err) != 0 ? -1 : delta_check(manifest, err);
}
