/* SPDX-License-Identifier: Apache-2.0 */
/* A release as one file: read in pieces of any size, refused when it is
 * something else. */
#include "bowline/push_package.h"
#include "cmocka_all.h"

enum { PAYLOAD = 300 };

static uint8_t package[600];
static size_t package_n;
static size_t envelope_n;

static void add(const void *bytes, size_t n)
{
    memcpy(package + package_n, bytes, n);
    package_n += n;
}

/* 107({2: h'010203', 3: h'', "#a": h'00'}), then 300 and 0 bytes. */
static void make(void)
{
    static const uint8_t envelope[] = {0xD8, 0x6B, 0xA3, 0x02, 0x43,
                                       1,    2,    3,    0x03, 0x40,
                                       0x62, '#',  'a',  0x41, 0};
    uint8_t head[BL_PUSH_HEAD];

    package_n = 0;
    add(envelope, sizeof envelope);
    envelope_n = package_n;
    add(head, bl_push_head(PAYLOAD, head));
    for (int i = 0; i < PAYLOAD; i++) {
        package[package_n++] = (uint8_t)i;
    }
    add(head, bl_push_head(0, head));
}

struct seen {
    uint32_t envelopes;
    uint32_t payloads;
    uint32_t data;
    uint8_t next;
};

static void see(struct seen *s, const struct bl_push_part *part)
{
    if (part->what == BL_PUSH_ENVELOPE) {
        s->envelopes++;
        assert_int_equal(part->bytes.n, envelope_n);
        assert_memory_equal(part->bytes.p, package, envelope_n);
    } else if (part->what == BL_PUSH_PAYLOAD) {
        assert_int_equal(part->size, s->payloads == 0 ? PAYLOAD : 0);
        s->payloads++;
    } else if (part->what == BL_PUSH_DATA) {
        for (size_t i = 0; i < part->bytes.n; i++) {
            assert_int_equal(part->bytes.p[i], s->next++);
        }
        s->data += (uint32_t)part->bytes.n;
    }
}

static bl_status read_all(struct bl_push_reader *r, size_t piece,
                          struct seen *s)
{
    bl_status status = BL_OK;
    size_t at = 0;

    while (at < package_n && status == BL_OK) {
        size_t n = package_n - at < piece ? package_n - at : piece;
        bl_span in = bl_span_of(package + at, n);
        struct bl_push_part part;

        at += n;
        do {
            status = bl_push_take(r, &in, &part);
            if (status == BL_OK && s != NULL) {
                see(s, &part);
            }
        } while (status == BL_OK &&
                 (in.n > 0 || part.what != BL_PUSH_NOTHING));
    }
    return status;
}

static void it_is_read_in_pieces_of_any_size(void **state)
{
    (void)state;
    make();
    for (size_t piece = 1; piece <= package_n; piece++) {
        uint8_t *buffer = malloc(envelope_n);
        struct bl_push_reader r;
        struct seen s = {0};

        assert_non_null(buffer);
        bl_push_reader_init(&r, buffer, (uint32_t)envelope_n);
        assert_int_equal(read_all(&r, piece, &s), BL_OK);
        assert_int_equal(s.envelopes, 1);
        assert_int_equal(s.payloads, 2);
        assert_int_equal(s.data, PAYLOAD);
        assert_true(bl_push_is_whole(&r));
        free(buffer);
    }
}

static void what_is_cut_is_not_whole(void **state)
{
    size_t whole;

    (void)state;
    make();
    whole = package_n;
    for (size_t n = 0; n < whole; n++) {
        uint8_t buffer[64];
        struct bl_push_reader r;

        package_n = n;
        bl_push_reader_init(&r, buffer, sizeof buffer);
        assert_int_equal(read_all(&r, 7, NULL), BL_OK);
        /* The ends of the envelope and of the first payload. */
        assert_int_equal(bl_push_is_whole(&r),
                         n == envelope_n || n == whole - 1);
    }
}

static void refused(const void *bytes, size_t n, bl_status why)
{
    uint8_t buffer[64];
    struct bl_push_reader r;

    package_n = 0;
    add(bytes, n);
    bl_push_reader_init(&r, buffer, sizeof buffer);
    assert_int_equal(read_all(&r, n, NULL), why);
}

static void something_else_is_refused(void **state)
{
    static const uint8_t image[] = {0xE9, 4, 2, 0x20};
    static const uint8_t array[] = {0xD8, 0x6B, 0x83, 0, 0, 0};
    static const uint8_t endless[] = {0xD8, 0x6B, 0xBF, 2, 0x40, 0xFF};
    static const uint8_t nested[] = {0xD8, 0x6B, 0xA1, 2, 0xA1, 1, 1};
    static const uint8_t many[] = {0xD8, 0x6B, 0xB8, 200, 2, 0x40};
    static const uint8_t large[] = {0xD8, 0x6B, 0xA1, 2, 0x58, 60};
    static const uint8_t huge[] = {0xD8, 0x6B, 0xA1, 2,    0x5B, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t behind[] = {0xD8, 0x6B, 0xA1, 2, 0x40, 0x18, 1};
    static const uint8_t huge_payload[] = {0xD8, 0x6B, 0xA1, 2, 0x40, 0x5B, 0,
                                           0,    0,    1,    0, 0,    0,    0};

    (void)state;
    refused(image, sizeof image, BL_ENVELOPE);
    refused(array, sizeof array, BL_ENVELOPE);
    refused(endless, sizeof endless, BL_ENVELOPE);
    refused(nested, sizeof nested, BL_ENVELOPE);
    refused(many, sizeof many, BL_ENVELOPE);
    refused(large, sizeof large, BL_TOO_LARGE);
    refused(huge, sizeof huge, BL_TOO_LARGE);
    refused(behind, sizeof behind, BL_CBOR);
    refused(huge_payload, sizeof huge_payload, BL_TOO_LARGE);
}

static void heads_are_the_shortest(void **state)
{
    static const struct {
        uint32_t size;
        uint8_t head[5];
        size_t n;
    } all[] = {{0, {0x40}, 1},
               {23, {0x57}, 1},
               {24, {0x58, 24}, 2},
               {255, {0x58, 255}, 2},
               {256, {0x59, 1, 0}, 3},
               {65536, {0x5A, 0, 1, 0, 0}, 5},
               {UINT32_MAX, {0x5A, 255, 255, 255, 255}, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint8_t head[BL_PUSH_HEAD];

        assert_int_equal(bl_push_head(all[i].size, head), all[i].n);
        assert_memory_equal(head, all[i].head, all[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_in_pieces_of_any_size),
        cmocka_unit_test(what_is_cut_is_not_whole),
        cmocka_unit_test(something_else_is_refused),
        cmocka_unit_test(heads_are_the_shortest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
