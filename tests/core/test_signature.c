/* SPDX-License-Identifier: Apache-2.0 */
/* bl_signature_verify with OpenSSL behind it, over Wycheproof's files. */
#include "bowline/crypto.h"
#include "cmocka_all.h"
#include "posix/crypto.h"
#include "vectors.h"

/* The message in three parts, one of them empty: as callers pass it. */
static bl_verdict verify(const struct bl_key *key, bl_span msg, bl_span sig)
{
    bl_span parts[3];
    bl_verdict verdict = (bl_verdict)0;

    parts[0] = bl_span_of(msg.p, msg.n / 2);
    parts[1] = bl_span_of(NULL, 0);
    parts[2] = bl_span_of(msg.p + msg.n / 2, msg.n - msg.n / 2);
    assert_int_equal(
        bl_signature_verify(&posix_crypto, key, parts, 3, sig, &verdict),
        BL_OK);
    assert_true(verdict == BL_GOOD || verdict == BL_BAD);
    return verdict;
}

static void wycheproof_tests(struct vectors *v, const json_t *group,
                             const struct bl_key *key, size_t *n)
{
    json_t *test;
    size_t t;

    json_array_foreach(vectors_member(group, "tests"), t, test)
    {
        bool valid = strcmp(vectors_text(test, "result"), "valid") == 0;
        bl_verdict verdict = verify(key, vectors_hex(v, test, "msg"),
                                    vectors_hex(v, test, "sig"));

        if ((verdict == BL_GOOD) != valid) {
            fail_msg("tcId %d: %s",
                     (int)json_integer_value(vectors_member(test, "tcId")),
                     vectors_text(test, "comment"));
        }
        ++*n;
    }
}

static void wycheproof_p256_has_its_verdicts(void **state)
{
    struct vectors v;
    json_t *group;
    size_t g, n = 0;

    (void)state;
    vectors_open(&v, "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
    json_array_foreach(vectors_member(v.json, "testGroups"), g, group)
    {
        bl_span point = vectors_hex(&v, vectors_member(group, "publicKey"),
                                    "uncompressed");
        struct bl_key key = {BL_ALG_ESP256, {NULL, 0}, {NULL, 0}};

        assert_int_equal(point.n, 65);
        key.x = bl_span_of(point.p + 1, 32);
        key.y = bl_span_of(point.p + 33, 32);
        wycheproof_tests(&v, group, &key, &n);
    }
    assert_int_equal(
        n, json_integer_value(vectors_member(v.json, "numberOfTests")));
    vectors_close(&v);
}

static void wycheproof_ed25519_has_its_verdicts(void **state)
{
    struct vectors v;
    json_t *group;
    size_t g, n = 0;

    (void)state;
    vectors_open(&v, "wycheproof/ed25519_test.json");
    json_array_foreach(vectors_member(v.json, "testGroups"), g, group)
    {
        struct bl_key key = {BL_ALG_ED25519, {NULL, 0}, {NULL, 0}};

        key.x = vectors_hex(&v, vectors_member(group, "publicKey"), "pk");
        wycheproof_tests(&v, group, &key, &n);
    }
    assert_int_equal(
        n, json_integer_value(vectors_member(v.json, "numberOfTests")));
    vectors_close(&v);
}

static struct bl_key first_key(struct vectors *v, const char *file,
                               bl_span *msg, bl_span *sig)
{
    struct bl_key key = {BL_ALG_ED25519, {NULL, 0}, {NULL, 0}};
    json_t *group, *test;

    vectors_open(v, file);
    group = json_array_get(vectors_member(v->json, "testGroups"), 0);
    json_t *public_key = vectors_member(group, "publicKey");
    if (json_object_get(public_key, "pk") != NULL) {
        key.x = vectors_hex(v, public_key, "pk");
    } else {
        bl_span point = vectors_hex(v, public_key, "uncompressed");

        key.alg = BL_ALG_ESP256;
        key.x = bl_span_of(point.p + 1, 32);
        key.y = bl_span_of(point.p + 33, 32);
    }
    test = json_array_get(vectors_member(group, "tests"), 0);
    *msg = vectors_hex(v, test, "msg");
    *sig = vectors_hex(v, test, "sig");
    assert_int_equal(verify(&key, *msg, *sig), BL_GOOD);
    return key;
}

static const char *const files[2] = {
    "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json",
    "wycheproof/ed25519_test.json"};

static void signatures_of_another_length_are_bad(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct vectors v;
        bl_span msg, sig;
        struct bl_key key = first_key(&v, files[i], &msg, &sig);
        uint8_t longer[66] = {0};
        size_t n;

        memcpy(longer, sig.p, 64);
        for (n = 0; n <= 66; n++) {
            bl_span part =
                bl_span_of(vectors_copy(&v, bl_span_of(longer, n)), n);

            assert_int_equal(verify(&key, msg, part),
                             n == 64 ? BL_GOOD : BL_BAD);
        }
        vectors_close(&v);
    }
}

static void every_flipped_bit_is_bad(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct vectors v;
        bl_span msg, sig;
        struct bl_key key = first_key(&v, files[i], &msg, &sig);
        uint8_t *copy = vectors_copy(&v, sig);
        size_t bit;

        for (bit = 0; bit < 512; bit += 3) {
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(verify(&key, msg, bl_span_of(copy, 64)), BL_BAD);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        vectors_close(&v);
    }
}

static void keys_of_a_wrong_form_are_not_known(void **state)
{
    static const int32_t algs[] = {-7, -8, -9, -19};
    static const uint8_t bytes[64] = {0};
    bl_verdict verdict = (bl_verdict)0;
    size_t i, x, y;

    (void)state;
    for (i = 0; i < 4; i++) {
        bool p256 = algs[i] == -7 || algs[i] == -9;

        for (x = 30; x <= 34; x++) {
            for (y = 0; y <= 33; y += y == 0 ? 31 : 1) {
                struct bl_key key = {algs[i], bl_span_of(bytes, x),
                                     bl_span_of(bytes, y)};
                bool form = x == 32 && y == (p256 ? 32 : 0);

                assert_int_equal(bl_signature_verify(&posix_crypto, &key, NULL,
                                                     0, bl_span_of(bytes, 64),
                                                     &verdict),
                                 form ? BL_OK : BL_ALGORITHM);
            }
        }
    }
}

static void a_point_off_the_curve_is_bad(void **state)
{
    struct vectors v;
    bl_span msg, sig;
    struct bl_key key = first_key(&v, files[0], &msg, &sig);
    uint8_t *y = vectors_copy(&v, key.y);

    (void)state;
    y[31] ^= 1;
    key.y.p = y;
    assert_int_equal(verify(&key, msg, sig), BL_BAD);
    memset(y, 0, 32);
    key.x.p = y; /* the point at infinity has no such form */
    assert_int_equal(verify(&key, msg, sig), BL_BAD);
    vectors_close(&v);
}

static void algorithms_the_device_lacks_are_not_known(void **state)
{
    static const struct bl_crypto none = {NULL, NULL, NULL};
    static const int32_t others[] = {-7,  -8,  -9,  -19, -35,      -36,
                                     -37, -38, -39, -47, -51,      -53,
                                     -48, 5,   0,   -16, INT32_MIN};
    static const uint8_t bytes[64] = {0};
    bl_verdict verdict = BL_BAD;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct bl_key key = {others[i], bl_span_of(bytes, 32), {NULL, 0}};

        if (others[i] == -7 || others[i] == -9) {
            key.y = key.x;
        }
        assert_int_equal(bl_signature_verify(&none, &key, NULL, 0,
                                             bl_span_of(bytes, 64), &verdict),
                         BL_ALGORITHM);
        if (i >= 4) {
            assert_int_equal(bl_signature_verify(&posix_crypto, &key, NULL, 0,
                                                 bl_span_of(bytes, 64),
                                                 &verdict),
                             BL_ALGORITHM);
        }
    }
    assert_int_equal(verdict, BL_BAD);
}

static void equal_sees_every_bit(void **state)
{
    uint8_t a[32], b[32];
    size_t bit;

    (void)state;
    memset(a, 0x5A, sizeof a);
    memset(b, 0x5A, sizeof b);
    assert_int_equal(bl_equal(a, b, 32), BL_GOOD);
    assert_int_equal(bl_equal(a, b, 0), BL_GOOD);
    for (bit = 0; bit < 256; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(bl_equal(a, b, 32), BL_BAD);
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_p256_has_its_verdicts),
        cmocka_unit_test(wycheproof_ed25519_has_its_verdicts),
        cmocka_unit_test(signatures_of_another_length_are_bad),
        cmocka_unit_test(every_flipped_bit_is_bad),
        cmocka_unit_test(keys_of_a_wrong_form_are_not_known),
        cmocka_unit_test(a_point_off_the_curve_is_bad),
        cmocka_unit_test(algorithms_the_device_lacks_are_not_known),
        cmocka_unit_test(equal_sees_every_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
