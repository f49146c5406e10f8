/* SPDX-License-Identifier: Apache-2.0 */
/* Image readers on bytes that want to do harm: every truncation and many
 * changes of real images, each in a heap block of its exact size, so that the
 * sanitizer sees any read outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bowline/firmware.h"
#include "image.h"

struct bytes {
    uint8_t *p;
    size_t n;
};

static struct bytes load(const char *name)
{
    char path[512];
    struct bytes b = {NULL, 0};
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

/* Reads a copy that ends exactly where its memory ends. */
static struct image read_copy(const uint8_t *p, size_t n)
{
    struct image image;
    uint8_t *copy = malloc(n == 0 ? 1 : n);

    assert_non_null(copy);
    if (n > 0) {
        memcpy(copy, p, n);
    }
    image_read(bl_span_of(copy, n), &image);
    free(copy);
    /* Whatever came in, what goes out can be printed. */
    assert_true(memchr(image.what, 0, sizeof image.what) != NULL);
    assert_true(memchr(image.version, 0, sizeof image.version) != NULL);
    assert_true(memchr(image.product, 0, sizeof image.product) != NULL);
    assert_true(memchr(image.problem, 0, sizeof image.problem) != NULL);
    assert_true(image.valid || image.problem[0] != '\0');
    assert_true(image.esp.walked <= BL_ESP_SEGMENTS);
    return image;
}

static void cut_everywhere(const char *name, size_t dense, size_t step)
{
    struct bytes b = load(name);
    size_t n;

    assert_true(read_copy(b.p, b.n).valid);
    for (n = 0; n < b.n; n += n < dense ? 1 : step) {
        struct image image = read_copy(b.p, n);

        assert_true(!image.valid || image.kind == IMAGE_BINARY);
    }
    assert_false(read_copy(b.p, b.n - 1).valid);
    free(b.p);
}

static void esp32_cut_at_any_length_is_never_whole(void **state)
{
    (void)state;
    cut_everywhere("serial-flasher/ESP32_C2/2024-08-13_hello_world.bin", 600,
                   997);
    cut_everywhere("serial-flasher/ESP32_P4/2025-05-30_bootloader.bin", 600,
                   499);
}

static void esp8266_cut_at_any_length_is_never_whole(void **state)
{
    struct bytes b = load("serial-flasher/ESP8266/2020-12-07_bootloader.bin");
    size_t n;

    (void)state;
    for (n = 0; n < b.n; n += n < 200 ? 1 : 211) {
        struct image image = read_copy(b.p, n);

        assert_true(!image.valid || image.kind == IMAGE_BINARY);
    }
    free(b.p);
}

/* Each bit of head, segment heads and descriptor: never a crash, and whole
 * only where the bit is not covered (nothing is, in a hashed image). */
static void esp32_flipped_bits_are_never_whole(void **state)
{
    struct bytes b = load("serial-flasher/ESP32_P4/2025-05-30_bootloader.bin");
    size_t bit;

    (void)state;
    for (bit = 0; bit < 128 * 8; bit++) {
        struct image image;

        b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        image = read_copy(b.p, b.n);
        /* Bit 0 of byte 23 says whether there is a hash at all. */
        if (bit / 8 != 23) {
            assert_true(!image.valid || image.kind == IMAGE_BINARY);
        }
        b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    free(b.p);
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* Headers with wild numbers, in front of few bytes. */
static void random_headers_are_read_within_their_bytes(void **state)
{
    static const uint8_t start[][6] = {{0xE9, 1},
                                       {0xE9, 16},
                                       {0xEA, 4},
                                       {0x7F, 'E', 'L', 'F', 1, 1},
                                       {0x7F, 'E', 'L', 'F', 2, 1},
                                       {0x7F, 'E', 'L', 'F', 1, 2},
                                       {0x7F, 'E', 'L', 'F', 2, 2},
                                       {0x89, 'B', 'O', 'W', 'L', 'I'}};
    uint8_t bytes[700];
    uint32_t x = 20260101;
    unsigned round;

    (void)state;
    for (round = 0; round < 40000; round++) {
        size_t n = next_random(&x) % sizeof bytes;
        const uint8_t *s = start[round % (sizeof start / sizeof start[0])];
        bool small = (round & 8) != 0;
        size_t i;

        for (i = 0; i < sizeof bytes; i++) {
            uint32_t r = next_random(&x);

            /* Small numbers get further than random ones. */
            bytes[i] =
                small && (r & 0x300) != 0 ? (uint8_t)(r & 3) : (uint8_t)r;
        }
        memcpy(bytes, s, s[0] == 0x7F || s[0] == 0x89 ? 6 : 2);
        (void)read_copy(bytes, n);
    }
}

static void elf_numbers_that_overflow_are_outside_the_file(void **state)
{
    uint8_t b[256] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    struct image image;

    (void)state;
    memset(b + 40, 0xFF, 8); /* section table at 2^64 - 1 */
    b[58] = 64;
    b[60] = 3;
    image = read_copy(b, sizeof b);
    assert_int_equal(image.kind, IMAGE_ELF);
    assert_false(image.valid);

    memset(b + 40, 0, 8);
    b[40] = 64; /* a table of one section, whose end overflows */
    b[60] = 1;
    b[64 + 4] = 1;
    memset(b + 64 + 24, 0xF0, 8);
    memset(b + 64 + 32, 0xF0, 8);
    image = read_copy(b, sizeof b);
    assert_false(image.valid);
}

static void records_are_found_at_every_offset(void **state)
{
    static const struct bl_firmware record = {"\x89"
                                              "BOWLINE-FW\r\n\x1a\n",
                                              {1, 0},
                                              {0},
                                              "1.2.3",
                                              "thermostat",
                                              {0}};
    uint8_t bytes[400];
    size_t at;

    (void)state;
    for (at = 0; at + sizeof record <= sizeof bytes; at++) {
        struct image image;

        memset(bytes, 0x89, sizeof bytes);
        memcpy(bytes + at, &record, sizeof record);
        image = read_copy(bytes, sizeof bytes);
        assert_int_equal(image.source, VERSION_RECORD);
        assert_int_equal(image.record_offset, at);
        assert_string_equal(image.version, "1.2.3");
        assert_string_equal(image.product, "thermostat");
    }
}

static void versions_agree_as_far_as_a_descriptor_holds_them(void **state)
{
    struct image image = {0};

    (void)state;
    image.source = VERSION_DESCRIPTOR;
    (void)strcpy(image.version, "1234567890123456789012345678901");
    assert_true(image_version_equal(
        &image, "1234567890123456789012345678901-and-more"));
    assert_false(
        image_version_equal(&image, "123456789012345678901234567890"));
    (void)strcpy(image.version, "1.0");
    assert_false(image_version_equal(&image, "1.0.1"));
    image.source = VERSION_RECORD;
    assert_true(image_version_equal(&image, "1.0"));
    assert_false(image_version_equal(&image, "1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp32_cut_at_any_length_is_never_whole),
        cmocka_unit_test(esp8266_cut_at_any_length_is_never_whole),
        cmocka_unit_test(esp32_flipped_bits_are_never_whole),
        cmocka_unit_test(random_headers_are_read_within_their_bytes),
        cmocka_unit_test(elf_numbers_that_overflow_are_outside_the_file),
        cmocka_unit_test(records_are_found_at_every_offset),
        cmocka_unit_test(versions_agree_as_far_as_a_descriptor_holds_them)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
