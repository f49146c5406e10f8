/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/cbor.h"
#include "bowline/cose.h"
#include "cmocka_all.h"
#include "posix/crypto.h"
#include "vectors.h"

static struct vectors v;

/* What comes out of reading and verifying one published message. */
enum outcome { GOOD, BAD, COSE, ALGORITHM };

/*
 * The examples of cose-wg, and what this profile makes of each. COSE: more
 * headers than {1: alg} and {4: kid}, an empty protected header that is not
 * the empty byte string, a wrong tag or none.
 */
static const struct {
    const char *name;
    enum outcome outcome;
} expected[] = {
    {"ecdsa-examples/ecdsa-01.json#0", COSE},
    {"ecdsa-examples/ecdsa-02.json#0", ALGORITHM},
    {"ecdsa-examples/ecdsa-03.json#0", ALGORITHM},
    {"ecdsa-examples/ecdsa-04.json#0", ALGORITHM},
    {"ecdsa-examples/ecdsa-sig-01.json", COSE},
    {"ecdsa-examples/ecdsa-sig-02.json", ALGORITHM},
    {"ecdsa-examples/ecdsa-sig-03.json", ALGORITHM},
    {"ecdsa-examples/ecdsa-sig-04.json", ALGORITHM},
    {"eddsa-examples/eddsa-01.json#0", COSE},
    {"eddsa-examples/eddsa-sig-01.json", COSE},
    {"hashsig/hashsig-01.json#0", COSE},
    {"hashsig/hsssig-sig-01.json", GOOD},
    {"sign-tests/ecdsa-01.json#0", COSE},
    {"sign-tests/sign-fail-01.json#0", COSE},
    {"sign-tests/sign-fail-02.json#0", BAD},
    {"sign-tests/sign-fail-03.json#0", ALGORITHM},
    {"sign-tests/sign-fail-04.json#0", COSE},
    {"sign-tests/sign-fail-06.json#0", COSE},
    {"sign-tests/sign-fail-07.json#0", COSE},
    {"sign-tests/sign-pass-01.json#0", COSE},
    {"sign-tests/sign-pass-02.json#0", GOOD},
    {"sign-tests/sign-pass-03.json#0", COSE},
    {"sign1-tests/sign-fail-01.json", COSE},
    {"sign1-tests/sign-fail-02.json", BAD},
    {"sign1-tests/sign-fail-03.json", ALGORITHM},
    {"sign1-tests/sign-fail-04.json", COSE},
    {"sign1-tests/sign-fail-06.json", COSE},
    {"sign1-tests/sign-fail-07.json", BAD},
    {"sign1-tests/sign-pass-01.json", COSE},
    {"sign1-tests/sign-pass-02.json", GOOD},
    {"sign1-tests/sign-pass-03.json", COSE},
};

static enum outcome outcome_of(bl_status s, bl_verdict verdict)
{
    if (s == BL_OK) {
        return verdict == BL_GOOD ? GOOD : BAD;
    }
    assert_true(s == BL_COSE || s == BL_ALGORITHM);
    return s == BL_COSE ? COSE : ALGORITHM;
}

static struct bl_key key_of(const json_t *vector)
{
    struct bl_key key = {0, {NULL, 0}, {NULL, 0}};
    const json_t *alg = vectors_member(vector, "alg");

    /* ES256 where the file has a name that we never accept */
    key.alg = json_is_integer(alg) ? (int32_t)json_integer_value(alg) : -7;
    key.x = vectors_hex(&v, vector, "x");
    if (json_is_string(json_object_get(vector, "y"))) {
        key.y = vectors_hex(&v, vector, "y");
    }
    return key;
}

static enum outcome run_sign1(bl_span cose, bl_span aad,
                              const struct bl_key *key)
{
    struct bl_cose_sign1 m;
    bl_verdict verdict = BL_BAD;
    bl_status s = bl_cose_sign1_read(cose, &m);

    if (s == BL_OK) {
        assert_true(m.attached);
        s = bl_cose_sign1_verify(&m, aad, m.payload, key, &posix_crypto,
                                 &verdict);
    }
    return outcome_of(s, verdict);
}

static enum outcome run_sign(bl_span cose, bl_span aad,
                             const struct bl_key *key)
{
    struct bl_cose_sign m;
    bl_verdict verdict = BL_BAD;
    bl_status s = bl_cose_sign_read(cose, &m);

    if (s == BL_OK) {
        s = bl_cose_sign_verify(&m, 0, aad, key, &posix_crypto, &verdict);
    }
    return outcome_of(s, verdict);
}

static enum outcome run(const json_t *vector)
{
    struct bl_key key = key_of(vector);
    bl_span cose = vectors_hex(&v, vector, "cose");
    bl_span aad = vectors_hex(&v, vector, "external_aad");

    return strcmp(vectors_text(vector, "type"), "COSE_Sign1") == 0
               ? run_sign1(cose, aad, &key)
               : run_sign(cose, aad, &key);
}

static void published_messages_have_their_outcome(void **state)
{
    json_t *list = vectors_member(v.json, "vectors");
    json_t *vector;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(list),
                     sizeof expected / sizeof expected[0]);
    json_array_foreach(list, i, vector)
    {
        const char *name = vectors_text(vector, "name");
        enum outcome outcome = run(vector);

        assert_string_equal(name, expected[i].name);
        if (outcome != expected[i].outcome) {
            fail_msg("%s: %d, not %d", name, outcome, expected[i].outcome);
        }
        if (outcome == GOOD) {
            assert_true(json_is_true(vectors_member(vector, "verified")));
        }
    }
}

static json_t *named(const char *name)
{
    json_t *vector;
    size_t i;

    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        if (strcmp(vectors_text(vector, "name"), name) == 0) {
            return vector;
        }
    }
    fail_msg("no vector %s", name);
    return NULL;
}

static void every_truncation_and_every_further_byte_is_refused(void **state)
{
    static const char *const names[] = {"sign1-tests/sign-pass-02.json",
                                        "sign-tests/sign-pass-02.json#0"};
    struct bl_cose_sign1 one;
    struct bl_cose_sign many;
    size_t i, n;

    (void)state;
    for (i = 0; i < 2; i++) {
        bl_span all = vectors_hex(&v, named(names[i]), "cose");
        uint8_t *longer = calloc(1, all.n + 1);

        for (n = 0; n < all.n; n++) {
            bl_span part =
                bl_span_of(vectors_copy(&v, bl_span_of(all.p, n)), n);

            assert_int_equal(bl_cose_sign1_read(part, &one), BL_COSE);
            assert_int_equal(bl_cose_sign_read(part, &many), BL_COSE);
            assert_int_equal(many.n, 0);
        }
        memcpy(longer, all.p, all.n);
        assert_int_equal(
            bl_cose_sign1_read(bl_span_of(longer, all.n + 1), &one), BL_COSE);
        assert_int_equal(
            bl_cose_sign_read(bl_span_of(longer, all.n + 1), &many), BL_COSE);
        free(longer);
    }
}

/* One changed bit anywhere: refused, or read and bad; never good. The kid
 * alone is not signed. */
static void no_changed_bit_stays_good_but_in_the_kid(void **state)
{
    json_t *vector = named("sign1-tests/sign-pass-02.json");
    struct bl_key key = key_of(vector);
    bl_span all = vectors_hex(&v, vector, "cose");
    bl_span aad = vectors_hex(&v, vector, "external_aad");
    uint8_t *copy = vectors_copy(&v, all);
    size_t bit;

    (void)state;
    assert_int_equal(run_sign1(all, aad, &key), GOOD);
    for (bit = 0; bit < all.n * 8; bit++) {
        /* d2 84 43 a1 01 26 a1 04 42 31 31: the kid is "11" */
        bool kid = bit / 8 == 9 || bit / 8 == 10;

        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(run_sign1(bl_span_of(copy, all.n), aad, &key) == GOOD,
                         kid);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void aad_and_payload_are_signed(void **state)
{
    json_t *vector = named("sign1-tests/sign-pass-02.json");
    struct bl_key key = key_of(vector);
    bl_span cose = vectors_hex(&v, vector, "cose");
    bl_span aad = vectors_hex(&v, vector, "external_aad");
    struct bl_cose_sign1 m;
    bl_verdict verdict;

    (void)state;
    assert_int_equal(bl_cose_sign1_read(cose, &m), BL_OK);
    assert_true(aad.n > 0);
    assert_int_equal(bl_cose_sign1_verify(&m, bl_span_of(NULL, 0), m.payload,
                                          &key, &posix_crypto, &verdict),
                     BL_OK);
    assert_int_equal(verdict, BL_BAD);
    assert_int_equal(
        bl_cose_sign1_verify(&m, aad, bl_span_of(m.payload.p, m.payload.n - 1),
                             &key, &posix_crypto, &verdict),
        BL_OK);
    assert_int_equal(verdict, BL_BAD);
    /* -9 computes the same, and is not the same: the header says -7 */
    key.alg = BL_ALG_ESP256;
    assert_int_equal(bl_cose_sign1_verify(&m, aad, m.payload, &key,
                                          &posix_crypto, &verdict),
                     BL_ALGORITHM);
}

/* Forms of a COSE_Sign1 with a two-byte signature; only the first two are
 * read. */
static void only_the_profile_s_headers_are_read(void **state)
{
    static const char *const forms[] = {"d28443a10128a0f6420000",
                                        "d28443a10128a1044131f6420000",
                                        "d28443a10128a1054131f6420000",
                                        "d28443a10128a204413105f6f6420000",
                                        "d28443a10128a10401f6420000",
                                        "d28446a20128028101a0f6420000",
                                        "d28440a10128f6420000",
                                        "d28441a0a10128f6420000",
                                        "d28443a10228a0f6420000",
                                        "d28443a12028a0f6420000",
                                        "d28444a1012800a0f6420000",
                                        "d28443a10128a0f542"
                                        "0000",
                                        "d28443a10128a0f6620000",
                                        "d28343a10128a0f6",
                                        "d28543a10128a0f642000000",
                                        "d18443a10128a0f6420000",
                                        "d8128443a10128a0f6420000",
                                        "8443a10128a0f6420000",
                                        "d284a10128a0f6420000",
                                        "d28444a1013808a0f6420000",
                                        "d28444a1013808a0f642000000",
                                        "d28443a1014100a0f6420000"};
    struct bl_cose_sign1 m;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        bl_status s = bl_cose_sign1_read(vectors_bytes(&v, forms[i]), &m);

        if (i < 2) {
            assert_int_equal(s, BL_OK);
            assert_int_equal(m.alg, BL_ALG_ESP256);
            assert_int_equal(m.kid.n, i);
            assert_false(m.attached);
            assert_int_equal(m.signature.n, 2);
        } else if (s != BL_COSE) {
            fail_msg("read: %s", forms[i]);
        }
    }
    /* a number of algorithm beyond any that may exist */
    assert_int_equal(
        bl_cose_sign1_read(vectors_bytes(&v, "d28447a1013a80000000a0f6420000"),
                           &m),
        BL_ALGORITHM);
}

static void signatures_are_one_to_eight(void **state)
{
    static const char signer[] = "8343a10128a0420000";
    char hex[16 + 9 * sizeof signer];
    struct bl_cose_sign m;
    int n, i;

    (void)state;
    for (n = 0; n <= 9; n++) {
        snprintf(hex, sizeof hex, "d8628440a041008%d", n);
        for (i = 0; i < n; i++) {
            strcat(hex, signer);
        }
        assert_int_equal(bl_cose_sign_read(vectors_bytes(&v, hex), &m),
                         n >= 1 && n <= BL_COSE_SIGNATURES ? BL_OK : BL_COSE);
        assert_int_equal(m.n, n <= BL_COSE_SIGNATURES ? n : 0);
    }
    assert_int_equal(bl_cose_sign_verify(&m, 0, bl_span_of(NULL, 0), NULL,
                                         &posix_crypto, NULL),
                     BL_ARGUMENT);
    /* body headers, a detached payload */
    assert_int_equal(
        bl_cose_sign_read(vectors_bytes(&v, "d8628441a0a04100818343a10128a042"
                                            "0000"),
                          &m),
        BL_COSE);
    assert_int_equal(
        bl_cose_sign_read(vectors_bytes(&v, "d8628440a104413141008183"
                                            "43a10128a0420000"),
                          &m),
        BL_COSE);
    assert_int_equal(
        bl_cose_sign_read(vectors_bytes(&v, "d8628440a0f6818343a10128a042"
                                            "0000"),
                          &m),
        BL_COSE);
}

static int open_vectors(void **state)
{
    (void)state;
    vectors_open(&v, "cose/sign-flat.json");
    return 0;
}

static int close_vectors(void **state)
{
    (void)state;
    vectors_close(&v);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_messages_have_their_outcome),
        cmocka_unit_test(every_truncation_and_every_further_byte_is_refused),
        cmocka_unit_test(no_changed_bit_stays_good_but_in_the_kid),
        cmocka_unit_test(aad_and_payload_are_signed),
        cmocka_unit_test(only_the_profile_s_headers_are_read),
        cmocka_unit_test(signatures_are_one_to_eight),
    };

    return cmocka_run_group_tests(tests, open_vectors, close_vectors);
}
