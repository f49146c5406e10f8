/* SPDX-License-Identifier: Apache-2.0 */
/* Each thing that can be wrong with an image: found, at its place. */
#include "support/cmocka_all.h"

#include "esp_made.h"

static struct bl_esp_image read_span(const uint8_t *p, size_t n)
{
    struct bl_esp_image image;

    bl_esp_image_read_span(bl_span_of(p, n), &image);
    return image;
}

static struct bl_esp_image read_sealed(uint8_t bytes[MADE_SIZE])
{
    made_seal(bytes);
    return read_span(bytes, MADE_SIZE);
}

/* The one fault, or that it is among several; and that it has words. */
static void assert_fault(const struct bl_esp_image *image,
                         enum bl_esp_problem problem, uint32_t offset)
{
    uint8_t i;

    for (i = 0; i < image->n_faults; i++) {
        if (image->fault[i].problem == problem) {
            assert_int_equal(image->fault[i].offset, offset);
            assert_true(strlen(bl_esp_problem_text(problem)) > 10);
            assert_true(strlen(bl_esp_problem_advice(problem)) > 10);
            assert_int_equal(bl_esp_image_valid(image), problem >= BL_ESP_ODD);
            return;
        }
    }
    fail_msg("problem %d was not found", (int)problem);
}

static void a_made_image_is_whole_and_told(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_image image;

    (void)state;
    made_image(bytes);
    image = read_span(bytes, sizeof bytes);
    assert_int_equal(image.family, BL_ESP_ESP32);
    assert_int_equal(image.role, BL_ESP_APPLICATION);
    assert_int_equal(image.n_faults, 0);
    assert_true(bl_esp_image_valid(&image));
    assert_null(bl_esp_image_fault(&image));
    assert_int_equal(image.length, MADE_SIZE);
    assert_string_equal(image.chip->name, "ESP32-S3");
    assert_string_equal(image.app.version, "1.2.3");
    assert_string_equal(image.app.project, "thermostat");
    assert_string_equal(image.app.date, "Jan  1 2026");
    assert_int_equal(image.flash_bytes, 4 << 20);
    assert_int_equal(image.segment[1].offset, 32 + MADE_DATA + 8);
}

/* Places in the header and descriptor, what to write there, and what it is
 * then; sealed, so that nothing else is wrong. */
static void a_wrong_field_is_named_at_its_place(void **state)
{
    static const struct {
        uint32_t at;
        uint32_t value;
        enum bl_esp_problem problem;
        uint32_t offset;
    } row[] = {
        {0, 0x2002026A, BL_ESP_MAGIC, 0},
        {1, 0x20020200, BL_ESP_SEGMENT_COUNT, 1},
        {1, 0x20020211, BL_ESP_SEGMENT_COUNT, 1},
        {2, 0x40002006, BL_ESP_SPI_MODE, 2},
        {4, 0x12345678, BL_ESP_ENTRY, 4},
        {4, 0x40374000 + MADE_CODE, BL_ESP_ENTRY, 4},
        {12, 0x00000777, BL_ESP_CHIP_UNKNOWN, 12},
        {15, 0x0063012C, BL_ESP_REVISIONS, 15},
        {20, 0x02000000, BL_ESP_HASH_FLAG, 23},
        {24, 0x3C000024, BL_ESP_UNMAPPABLE, 24},
        {24, 0x3C008020, BL_ESP_UNMAPPABLE, 24},
        {32 + MADE_DATA, 0x42000000, BL_ESP_UNMAPPABLE, 32 + MADE_DATA},
        {32 + 176, 0x00010002, BL_ESP_EFUSE_REVISIONS, 32 + 176},
        {32 + 180, 40, BL_ESP_PAGE_SIZE, 32 + 180},
    };
    uint8_t bytes[MADE_SIZE];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct bl_esp_image image;

        made_image(bytes);
        made_u32(bytes + row[i].at, row[i].value);
        image = read_sealed(bytes);
        assert_fault(&image, row[i].problem, row[i].offset);
    }
}

static void a_damaged_segment_is_named_at_its_place(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_image image;

    (void)state;
    made_image(bytes);
    made_u32(bytes + 28, 0x101);
    image = read_span(bytes, sizeof bytes);
    assert_fault(&image, BL_ESP_SEGMENT_LENGTH, 28);
    assert_int_equal(image.walked, 0);
    made_u32(bytes + 28, 16 << 20);
    image = read_span(bytes, sizeof bytes);
    assert_fault(&image, BL_ESP_SEGMENT_LENGTH, 28);

    made_image(bytes);
    made_u32(bytes + 32 + MADE_DATA + 4, MADE_CODE + 4096);
    image = read_span(bytes, sizeof bytes);
    assert_fault(&image, BL_ESP_SEGMENT_CUT, 32 + MADE_DATA + 8);
    assert_int_equal(image.fault[0].segment, 1);
    assert_int_equal(image.walked, 1);

    made_image(bytes);
    made_u32(bytes + 28, 128); /* then data is read as the next head */
    image = read_span(bytes, sizeof bytes);
    assert_false(bl_esp_image_valid(&image));
    assert_fault(&image, BL_ESP_DESCRIPTOR_SHORT, 28);
}

static void a_cut_says_what_is_missing(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_image image;

    (void)state;
    made_image(bytes);
    image = read_span(bytes, 32 + MADE_DATA + 5);
    assert_fault(&image, BL_ESP_SEGMENT_HEAD_CUT, 32 + MADE_DATA);
    image = read_span(bytes, MADE_END - 1);
    assert_fault(&image, BL_ESP_SEGMENT_CUT, 32 + MADE_DATA + 8);
    image = read_span(bytes, MADE_HASH - 1);
    assert_fault(&image, BL_ESP_CHECKSUM_CUT, MADE_HASH - 1);
    image = read_span(bytes, MADE_SIZE - 1);
    assert_fault(&image, BL_ESP_HASH_CUT, MADE_HASH);
    assert_int_equal(image.fault[0].found, 31);
    assert_int_equal(image.length, 0);
}

static void checksum_and_hash_are_told_apart(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_image image;

    (void)state;
    made_image(bytes);
    bytes[MADE_HASH - 1] ^= 1;
    image = read_span(bytes, sizeof bytes);
    assert_fault(&image, BL_ESP_CHECKSUM, MADE_HASH - 1);
    assert_fault(&image, BL_ESP_HASH, MADE_HASH);
    assert_int_equal(image.fault[0].problem, BL_ESP_CHECKSUM);

    made_image(bytes);
    bytes[MADE_SIZE - 1] ^= 1;
    image = read_span(bytes, sizeof bytes);
    assert_true(image.checksum_ok);
    assert_fault(&image, BL_ESP_HASH, MADE_HASH);
}

/* A flag that lost its bit would make a hash into bytes that follow. */
static void a_hash_without_its_flag_is_no_image_without_hash(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_image image;

    (void)state;
    made_image(bytes);
    bytes[23] = 0;
    image = read_span(bytes, sizeof bytes);
    assert_fault(&image, BL_ESP_HASH_FLAG, 23);
    image = read_span(bytes, MADE_HASH); /* there it says what is so */
    assert_fault(&image, BL_ESP_NO_HASH, 23);
    assert_true(bl_esp_image_valid(&image));
}

static void what_follows_an_image_is_no_part_of_it(void **state)
{
    static uint8_t bytes[3 * 4096];
    struct bl_esp_image image;

    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    made_image(bytes);
    image = read_span(bytes, sizeof bytes);
    assert_int_equal(image.n_faults, 0);
    assert_int_equal(image.length, MADE_SIZE);

    bytes[4096] = 0xE7;
    bytes[4096 + 1216] = 0xE7;
    image = read_span(bytes, sizeof bytes);
    assert_int_equal(image.signatures, 2);
    assert_int_equal(image.n_faults, 0);

    bytes[8192] = 0; /* behind the signatures */
    image = read_span(bytes, sizeof bytes);
    assert_fault(&image, BL_ESP_TRAILING, 8192);
    image = read_span(bytes, MADE_SIZE + 1);
    assert_int_equal(image.n_faults, 0);
    bytes[MADE_SIZE] = 0;
    image = read_span(bytes, MADE_SIZE + 1);
    assert_fault(&image, BL_ESP_TRAILING, MADE_SIZE);
    assert_true(bl_esp_image_valid(&image));
}

/* --- A source that fails ---------------------------------------------------
 */

struct failing {
    const uint8_t *bytes;
    unsigned left; /* reads before it fails */
};

static bool read_failing(void *context, uint32_t at, void *to, uint32_t n)
{
    struct failing *f = context;

    if (f->left == 0) {
        return false;
    }
    f->left--;
    memcpy(to, f->bytes + at, n);
    return true;
}

static void a_source_that_fails_at_any_read_is_told(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_image image;
    unsigned n;

    (void)state;
    made_image(bytes);
    for (n = 0;; n++) {
        struct failing f = {bytes, n};
        struct bl_esp_source source = {&f, MADE_SIZE, read_failing};

        bl_esp_image_read(&source, &image);
        if (f.left > 0) {
            break;
        }
        if (n == 0 || image.n_faults > 0) {
            assert_false(bl_esp_image_valid(&image));
            assert_int_equal(image.fault[0].problem, BL_ESP_READ_FAILED);
        }
    }
    assert_true(n > 10);
    assert_true(bl_esp_image_valid(&image));
}

/* --- Words and names --------------------------------------------------------
 */

static void every_problem_has_words_of_its_own(void **state)
{
    int a;
    int b;

    (void)state;
    for (a = BL_ESP_READ_FAILED; a <= BL_ESP_SKETCH_SIZE; a++) {
        for (b = BL_ESP_READ_FAILED; b < a; b++) {
            assert_string_not_equal(
                bl_esp_problem_text((enum bl_esp_problem)a),
                bl_esp_problem_text((enum bl_esp_problem)b));
        }
    }
}

static void chips_are_found_by_any_spelling(void **state)
{
    (void)state;
    assert_int_equal(bl_esp_chip_named("esp32s3")->id, BL_ESP_CHIP_S3);
    assert_int_equal(bl_esp_chip_named("ESP32-S3")->id, BL_ESP_CHIP_S3);
    assert_int_equal(bl_esp_chip_named("esp32_c61")->id, BL_ESP_CHIP_C61);
    assert_int_equal(bl_esp_chip_named("esp32")->id, BL_ESP_CHIP_ESP32);
    assert_int_equal(bl_esp_chip_named("ESP8266")->id, BL_ESP_CHIP_ESP8266);
    assert_null(bl_esp_chip_named("esp32s"));
    assert_null(bl_esp_chip_named("esp32s33"));
    assert_null(bl_esp_chip_named(""));
    assert_null(bl_esp_chip(0x777));
}

static void an_sdk_s_descriptor_is_known_by_its_project(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_app app;

    (void)state;
    made_image(bytes);
    assert_true(bl_esp_app_read(bl_span_of(bytes, BL_ESP_HEAD), &app));
    assert_false(bl_esp_app_is_sdk(&app));
    (void)strcpy((char *)bytes + 32 + 48, "arduino-lib-builder");
    assert_true(bl_esp_app_read(bl_span_of(bytes, BL_ESP_HEAD), &app));
    assert_true(bl_esp_app_is_sdk(&app));
    assert_false(bl_esp_app_read(bl_span_of(bytes, BL_ESP_HEAD - 1), &app));
}

static void a_text_that_fills_its_field_ends_all_the_same(void **state)
{
    uint8_t bytes[MADE_SIZE];
    struct bl_esp_app app;

    (void)state;
    made_image(bytes);
    memset(bytes + 32 + 16, 'v', 32);
    bytes[32 + 16 + 3] = 0x1B;
    assert_true(bl_esp_app_read(bl_span_of(bytes, BL_ESP_HEAD), &app));
    assert_string_equal(app.version, "vvv?vvvvvvvvvvvvvvvvvvvvvvvvvvvv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_image_is_whole_and_told),
        cmocka_unit_test(a_wrong_field_is_named_at_its_place),
        cmocka_unit_test(a_damaged_segment_is_named_at_its_place),
        cmocka_unit_test(a_cut_says_what_is_missing),
        cmocka_unit_test(checksum_and_hash_are_told_apart),
        cmocka_unit_test(a_hash_without_its_flag_is_no_image_without_hash),
        cmocka_unit_test(what_follows_an_image_is_no_part_of_it),
        cmocka_unit_test(a_source_that_fails_at_any_read_is_told),
        cmocka_unit_test(every_problem_has_words_of_its_own),
        cmocka_unit_test(chips_are_found_by_any_spelling),
        cmocka_unit_test(an_sdk_s_descriptor_is_known_by_its_project),
        cmocka_unit_test(a_text_that_fills_its_field_ends_all_the_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
