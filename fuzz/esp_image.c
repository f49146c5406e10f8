/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of Espressif's chips. The first byte of input: how many reads the
 * source allows (255: any number). What checksum and hash should be, the
 * reader says itself: written there, it must find nothing wrong with them any
 * more, and what is behind them is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "bowline/esp_image.h"
#include "bowline/sha256.h"

struct source {
    const uint8_t *bytes;
    unsigned left;
};

static bool read_some(void *context, uint32_t at, void *to, uint32_t n)
{
    struct source *s = context;

    if (s->left == 0) {
        return false;
    }
    s->left -= s->left < 255;
    memcpy(to, s->bytes + at, n);
    return true;
}

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check(const struct bl_esp_image *image, uint32_t size)
{
    bool valid = bl_esp_image_valid(image);

    require(image->length <= size);
    require(image->walked <= BL_ESP_SEGMENTS);
    require(valid == (image->family != BL_ESP_NO_IMAGE &&
                      bl_esp_image_fault(image) == NULL));
    require(!valid || image->walked == image->n_segments);
    require(!valid || (image->length > 0 && image->checksum_ok));
    require(!valid || !image->hash_appended || image->hash_ok);
    for (uint8_t i = 0; i < image->walked; i++) {
        require(image->segment[i].offset <= size &&
                image->segment[i].length <= size - image->segment[i].offset);
    }
    for (uint8_t i = 0; i < image->n_faults; i++) {
        require(bl_esp_problem_text(image->fault[i].problem)[0] != '\0');
    }
}

static const struct bl_esp_fault *find(const struct bl_esp_image *image,
                                       enum bl_esp_problem problem)
{
    for (uint8_t i = 0; i < image->n_faults; i++) {
        if (image->fault[i].problem == problem) {
            return &image->fault[i];
        }
    }
    return NULL;
}

/* What the reader wants is written; then it must be content. */
static void seal(uint8_t *bytes, size_t n)
{
    struct bl_esp_image image;
    const struct bl_esp_fault *fault;

    bl_esp_image_read_span(bl_span_of(bytes, n), &image);
    check(&image, (uint32_t)n);
    fault = find(&image, BL_ESP_CHECKSUM);
    if (fault != NULL) {
        bytes[fault->offset] = (uint8_t)fault->wanted;
        bl_esp_image_read_span(bl_span_of(bytes, n), &image);
        require(find(&image, BL_ESP_CHECKSUM) == NULL);
    }
    fault = find(&image, BL_ESP_HASH);
    if (fault != NULL) {
        bl_sha256(bytes, fault->offset, bytes + fault->offset);
        bl_esp_image_read_span(bl_span_of(bytes, n), &image);
        require(find(&image, BL_ESP_HASH) == NULL);
    }
    check(&image, (uint32_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bl_esp_image image;
    uint8_t *bytes;

    if (size < 2 || size > 1 << 20) {
        return 0;
    }
    bytes = malloc(size - 1);
    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data + 1, size - 1);
    if (data[0] < 255) {
        struct source s = {data + 1, data[0]};
        struct bl_esp_source source = {&s, (uint32_t)size - 1, read_some};

        bl_esp_image_read(&source, &image);
        check(&image, (uint32_t)size - 1);
    }
    seal(bytes, size - 1);
    free(bytes);
    return 0;
}
