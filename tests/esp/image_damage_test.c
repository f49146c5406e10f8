/* SPDX-License-Identifier: Apache-2.0 */
/* Real images, cut at each byte and with flipped bits, each in a heap block of
 * its exact size, so that the sanitizer sees any read outside. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "esp_made.h"

struct bytes {
    uint8_t *p;
    size_t n;
};

static struct bytes load(const char *name)
{
    char path[512];
    struct bytes b;
    FILE *f;
    long n;

    (void)snprintf(path, sizeof path, "%s/%s", SAMPLES, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    n = ftell(f);
    assert_true(n > 0);
    rewind(f);
    b.n = (size_t)n;
    b.p = malloc(b.n);
    assert_non_null(b.p);
    assert_int_equal(fread(b.p, 1, b.n, f), b.n);
    (void)fclose(f);
    return b;
}

static void check_sound(const struct bl_esp_image *image)
{
    uint8_t i;

    assert_true(image->walked <= BL_ESP_SEGMENTS);
    assert_true(image->n_faults <= BL_ESP_FAULTS);
    assert_true(memchr(image->app.version, 0, BL_ESP_TEXT) != NULL);
    for (i = 0; i < image->n_faults; i++) {
        assert_true(image->fault[i].problem >= BL_ESP_READ_FAILED &&
                    image->fault[i].problem <= BL_ESP_SKETCH_SIZE);
    }
    for (i = image->walked; i < BL_ESP_SEGMENTS; i++) {
        assert_int_equal(image->segment[i].length, 0);
    }
}

static struct bl_esp_image read_copy(const uint8_t *p, size_t n)
{
    struct bl_esp_image image;
    uint8_t *copy = malloc(n == 0 ? 1 : n);

    assert_non_null(copy);
    memcpy(copy, p, n);
    bl_esp_image_read_span(bl_span_of(copy, n), &image);
    free(copy);
    check_sound(&image);
    return image;
}

static const char *const images[] = {
    "serial-flasher/ESP32_P4/2025-05-30_bootloader.bin",
    "serial-flasher/ESP32_C2/2024-08-13_hello_world.bin",
    "serial-flasher/ESP32_H4/2023-02-03_bootloader.bin",
    "serial-flasher/ESP8266/2020-12-07_bootloader.bin",
    "serial-flasher/ESP8266/2024-08-13_hello-world.bin"};

static bool is_esp8266(const char *name)
{
    return strstr(name, "8266") != NULL;
}

static void cut(struct bytes b, size_t n)
{
    struct bl_esp_image image = read_copy(b.p, n);

    assert_false(bl_esp_image_valid(&image));
    assert_int_equal(image.length, 0);
    if (n >= 32) { /* it is known for what it was, and explained */
        assert_int_not_equal(image.family, BL_ESP_NO_IMAGE);
        assert_non_null(bl_esp_image_fault(&image));
    }
}

/* At every byte; of large ones every 61st between head and end. The ESP8266's
 * hash is optional: there its loss leaves a whole image. */
static void a_cut_image_is_never_whole(void **state)
{
    size_t i;
    size_t n;

    (void)state;
    for (i = 0; i < sizeof images / sizeof images[0]; i++) {
        struct bytes b = load(images[i]);
        struct bl_esp_image whole = read_copy(b.p, b.n);
        size_t step = whole.length < 22000 ? 1 : 61;
        size_t end = whole.length;

        assert_true(bl_esp_image_valid(&whole));
        end -= is_esp8266(images[i]) && whole.hash_appended ? 32 : 0;
        for (n = 0; n < end; n += n < 400 || n + 100 > end ? 1 : step) {
            cut(b, n);
        }
        free(b.p);
    }
}

static void a_made_image_cut_at_each_byte_is_never_whole(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bytes b = {bytes, MADE_SIZE};
    size_t n;

    (void)state;
    made_image(bytes);
    for (n = 0; n < MADE_SIZE; n++) {
        cut(b, n);
    }
}

/* Where a hash covers all, nothing can change unseen. Without one only the
 * segments' bytes are covered. */
static void flip(struct bytes b, size_t bit, bool covered)
{
    struct bl_esp_image image;

    b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
    image = read_copy(b.p, b.n);
    b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
    if (covered && bl_esp_image_valid(&image)) {
        fail_msg("bit %zu of byte %zu was not seen", bit % 8, bit / 8);
    }
}

static void a_flipped_bit_is_never_unseen(void **state)
{
    size_t i;
    size_t bit;

    (void)state;
    for (i = 0; i < sizeof images / sizeof images[0]; i++) {
        struct bytes b = load(images[i]);
        struct bl_esp_image whole = read_copy(b.p, b.n);

        for (bit = 0; bit < 300 * 8; bit++) {
            flip(b, bit, whole.hash_appended);
        }
        for (; bit < (size_t)whole.length * 8; bit += 997) {
            flip(b, bit, whole.hash_appended);
        }
        for (bit = ((size_t)whole.length - 40) * 8; bit < whole.length * 8UL;
             bit++) {
            flip(b, bit, whole.hash_appended);
        }
        free(b.p);
    }
}

static void every_bit_of_a_made_image_counts(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bytes b = {bytes, MADE_SIZE};
    size_t bit;

    (void)state;
    made_image(bytes);
    for (bit = 0; bit < MADE_SIZE * 8; bit++) {
        flip(b, bit, true);
    }
}

/* Two bytes at once, at random places; sealed or not. */
static void wild_images_are_read_within_their_bytes(void **state)
{
    uint8_t bytes[MADE_SIZE];
    uint32_t x = 20261123;
    unsigned round;

    (void)state;
    for (round = 0; round < 20000; round++) {
        unsigned i;

        made_image(bytes);
        for (i = 0; i < 1 + round % 4; i++) {
            x = x * 1664525 + 1013904223;
            bytes[(x >> 8) % (round % 2 == 0 ? 64 : MADE_SIZE)] =
                (uint8_t)(x >> 24);
        }
        if (round % 3 == 0) {
            made_seal(bytes);
        }
        (void)read_copy(bytes, MADE_SIZE - (round % 5 == 0 ? x % 64 : 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_image_is_never_whole),
        cmocka_unit_test(a_made_image_cut_at_each_byte_is_never_whole),
        cmocka_unit_test(a_flipped_bit_is_never_unseen),
        cmocka_unit_test(every_bit_of_a_made_image_counts),
        cmocka_unit_test(wild_images_are_read_within_their_bytes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
