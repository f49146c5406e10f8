/* SPDX-License-Identifier: Apache-2.0 */
/* core's cryptography by PSA, against what OpenSSL signs. */
#include "support/cmocka_all.h"

#include <string.h>

#include "author/author.h"
#include "crypto.h"

#include "bowline/sha256.h"

static void ids_are_those_of_bowline_init(void **state)
{
    uint8_t vendor[16];
    uint8_t product[16];
    uint8_t expected[16];

    (void)state;
    author_vendor_id("example.com", expected);
    assert_int_equal(bowline_vendor_id("example.com", vendor), ESP_OK);
    assert_memory_equal(vendor, expected, 16);
    author_class_id(vendor, "thermostat", expected);
    assert_int_equal(bowline_class_id(vendor, "thermostat", product), ESP_OK);
    assert_memory_equal(product, expected, 16);
}

/* RFC 6979, A.2.5: P-256, SHA-256, "sample". */
static const uint8_t key[64] = {
    0x60, 0xFE, 0xD4, 0xBA, 0x25, 0x5A, 0x9D, 0x31, 0xC9, 0x61, 0xEB,
    0x74, 0xC6, 0x35, 0x6D, 0x68, 0xC0, 0x49, 0xB8, 0x92, 0x3B, 0x61,
    0xFA, 0x6C, 0xE6, 0x69, 0x62, 0x2E, 0x60, 0xF2, 0x9F, 0xB6, 0x79,
    0x03, 0xFE, 0x10, 0x08, 0xB8, 0xBC, 0x99, 0xA4, 0x1A, 0xE9, 0xE9,
    0x56, 0x28, 0xBC, 0x64, 0xF2, 0xF1, 0xB2, 0x0C, 0x2D, 0x7E, 0x9F,
    0x51, 0x77, 0xA3, 0xC2, 0x94, 0xD4, 0x46, 0x22, 0x99};
static const uint8_t signature[64] = {
    0xEF, 0xD4, 0x8B, 0x2A, 0xAC, 0xB6, 0xA8, 0xFD, 0x11, 0x40, 0xDD,
    0x9C, 0xD4, 0x5E, 0x81, 0xD6, 0x9D, 0x2C, 0x87, 0x7B, 0x56, 0xAA,
    0xF9, 0x91, 0xC3, 0x4D, 0x0E, 0xA8, 0x4E, 0xAF, 0x37, 0x16, 0xF7,
    0xCB, 0x1C, 0x94, 0x2D, 0x65, 0x7C, 0x41, 0xD4, 0x36, 0xC7, 0xA1,
    0xB6, 0xE2, 0x9F, 0x65, 0xF3, 0xE9, 0x00, 0xDB, 0xB9, 0xAF, 0xF4,
    0x06, 0x4D, 0xC4, 0xAB, 0x2F, 0x84, 0x3A, 0xCD, 0xA8};

static void a_published_signature_holds_and_no_other(void **state)
{
    uint8_t digest[32];
    uint8_t other[64];

    (void)state;
    bl_sha256("sample", 6, digest);
    assert_int_equal(bowline_crypto.p256_verify(NULL, key, digest, signature),
                     BL_GOOD);
    for (size_t i = 0; i < 64; i++) {
        memcpy(other, signature, 64);
        other[i] ^= 1;
        assert_int_equal(bowline_crypto.p256_verify(NULL, key, digest, other),
                         BL_BAD);
        memcpy(other, key, 64);
        other[i] ^= 1; /* off the curve */
        assert_int_equal(
            bowline_crypto.p256_verify(NULL, other, digest, signature),
            BL_BAD);
    }
    digest[0] ^= 1;
    assert_int_equal(bowline_crypto.p256_verify(NULL, key, digest, signature),
                     BL_BAD);
    assert_null(bowline_crypto.ed25519_verify);
}

/* Keys are imported and destroyed: PSA has few places for them. */
static void places_for_keys_do_not_run_out(void **state)
{
    uint8_t digest[32];

    (void)state;
    bl_sha256("sample", 6, digest);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(
            bowline_crypto.p256_verify(NULL, key, digest, signature), BL_GOOD);
    }
}

static void random_bytes_differ(void **state)
{
    uint8_t a[16];
    uint8_t b[16];

    (void)state;
    assert_int_equal(bowline_random(NULL, a, sizeof a), BL_OK);
    assert_int_equal(bowline_random(NULL, b, sizeof b), BL_OK);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_bowline_init),
        cmocka_unit_test(a_published_signature_holds_and_no_other),
        cmocka_unit_test(places_for_keys_do_not_run_out),
        cmocka_unit_test(random_bytes_differ),
    };

    if (bowline_crypto_open() != ESP_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
