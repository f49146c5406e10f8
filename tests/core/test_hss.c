/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/hss.h"
#include "cmocka_all.h"
#include "lms_sign.h"
#include "vectors.h"

#include <stdio.h>

/* One good signature and what it is about. */
struct sample {
    bl_span key;
    bl_span message;
    bl_span signature;
};

static struct vectors rfc, cose, profile;

static bl_verdict verify(const struct sample *s)
{
    return bl_hss_verify(s->key, &s->message, 1, s->signature);
}

/* RFC 8554 F: two levels. The second case mixes H10/W4 and H5/W8. */
static struct sample rfc_sample(size_t i)
{
    json_t *v = json_array_get(vectors_member(rfc.json, "vectors"), i);
    struct sample s;

    s.key = vectors_hex(&rfc, v, "public_key");
    s.message = vectors_hex(&rfc, v, "message");
    s.signature = vectors_hex(&rfc, v, "signature");
    assert_string_equal(vectors_text(v, "expected"), "valid");
    return s;
}

static void rfc8554_appendix_f_verifies(void **state)
{
    size_t n = json_array_size(vectors_member(rfc.json, "vectors"));
    size_t i;

    (void)state;
    assert_int_equal(n, 2);
    for (i = 0; i < n; i++) {
        struct sample s = rfc_sample(i);

        assert_int_equal(verify(&s), BL_GOOD);
    }
}

/* The signature stands last in both COSE messages. */
static bl_span last_bytes(bl_span message, size_t n)
{
    assert_true(message.n > n);
    return bl_span_of(message.p + message.n - n, n);
}

static size_t cose_samples(struct sample *out, size_t max)
{
    size_t i, n = 0;
    json_t *v;

    json_array_foreach(vectors_member(cose.json, "vectors"), i, v)
    {
        if (json_integer_value(vectors_member(v, "alg")) != -46 ||
            !json_boolean_value(vectors_member(v, "verified"))) {
            continue;
        }
        assert_true(n < max);
        out[n].key = vectors_hex(&cose, v, "x");
        out[n].message = vectors_hex(&cose, v, "tbs");
        /* SHA256_M32_H10/W4, one level */
        out[n].signature = last_bytes(vectors_hex(&cose, v, "cose"), 2512);
        n++;
    }
    return n;
}

static void cose_examples_verify(void **state)
{
    struct sample s[8];
    size_t n = cose_samples(s, 8);

    (void)state;
    assert_true(n >= 2);
    while (n-- > 0) {
        assert_int_equal(verify(&s[n]), BL_GOOD);
    }
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The signature of a profile envelope signed with one HSS key alone: it ends
 * in front of the manifest, which is found by its length. */
static struct sample profile_sample(const char *key_name, size_t size)
{
    static const char head[] = "\x84\x6aSignature1\x44\xa1\x01\x38\x2d\x40"
                               "\x58\x24\x82\x2f\x58\x20";
    struct sample s = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    uint8_t tbs[60];
    size_t i, at;
    json_t *v;

    memcpy(tbs, head, sizeof head - 1);
    s.key = vectors_hex(
        &profile,
        vectors_member(vectors_member(profile.json, "keys"), key_name), "pub");
    json_array_foreach(vectors_member(profile.json, "vectors"), i, v)
    {
        json_t *by = vectors_member(v, "signed_by");
        bl_span envelope, digest;

        if (json_array_size(by) != 1 ||
            !starts_with(json_string_value(json_array_get(by, 0)), key_name)) {
            continue;
        }
        envelope = vectors_hex(&profile, v, "envelope");
        digest = vectors_hex(&profile, v, "manifest_digest_sha256");
        memcpy(tbs + sizeof head - 1, digest.p, 32);
        s.message.n = sizeof head - 1 + 32;
        s.message.p = vectors_copy(&profile, bl_span_of(tbs, s.message.n));
        for (at = 0; at + size < envelope.n; at++) {
            if (envelope.p[at] == 0x59 &&
                envelope.p[at + 1] == (uint8_t)(size >> 8) &&
                envelope.p[at + 2] == (uint8_t)size) {
                s.signature = bl_span_of(envelope.p + at + 3, size);
                return s;
            }
        }
    }
    fail_msg("no envelope is signed by %s alone", key_name);
    return s;
}

static void profile_keys_of_both_hash_sizes_verify(void **state)
{
    struct sample m32 = profile_sample("release-hss-sha256-m32", 1296);
    struct sample m24 = profile_sample("release-hss-sha256-m24", 784);

    (void)state;
    assert_int_equal(verify(&m32), BL_GOOD);
    assert_int_equal(verify(&m24), BL_GOOD);
}

/* Every LM-OTS type against a signer of its own, first and last leaf. */
static void every_winternitz_parameter_verifies(void **state)
{
    static uint8_t signature[LMS_SIGN_MAX];
    static const uint8_t message[] = "of all eight types";
    uint8_t key[60];
    uint32_t ots, q;

    (void)state;
    for (ots = 1; ots <= 8; ots++) {
        for (q = 0; q < 32; q += 31) {
            struct sample s;

            s.message = bl_span_of(message, sizeof message);
            lms_sign(ots, q, s.message, key, &s.key.n, signature,
                     &s.signature.n);
            s.key.p = key;
            s.signature.p = signature;
            assert_int_equal(verify(&s), BL_GOOD);
            signature[20] ^= 1;
            assert_int_equal(verify(&s), BL_BAD);
            signature[20] ^= 1;
            signature[s.signature.n - 1] ^= 1;
            assert_int_equal(verify(&s), BL_BAD);
        }
    }
}

static void a_message_in_parts_is_one_message(void **state)
{
    struct sample s = rfc_sample(0);
    bl_span parts[4];

    (void)state;
    parts[0] = bl_span_of(s.message.p, 1);
    parts[1] = bl_span_of(NULL, 0);
    parts[2] = bl_span_of(s.message.p + 1, s.message.n - 2);
    parts[3] = bl_span_of(s.message.p + s.message.n - 1, 1);
    assert_int_equal(bl_hss_verify(s.key, parts, 4, s.signature), BL_GOOD);
    assert_int_equal(bl_hss_verify(s.key, parts, 3, s.signature), BL_BAD);
}

static void flip_each(struct sample s, const bl_span *which, size_t step)
{
    uint8_t *copy = vectors_copy(&rfc, *which);
    size_t at;

    for (at = 0; at < which->n; at += step) {
        struct sample changed = s;
        uint8_t bit = (uint8_t)(1u << at % 8);

        copy[at] ^= bit;
        if (which->p == s.key.p) {
            changed.key.p = copy;
        } else if (which->p == s.message.p) {
            changed.message.p = copy;
        } else {
            changed.signature.p = copy;
        }
        if (verify(&changed) != BL_BAD) {
            fail_msg("byte %u changed, and still good", (unsigned)at);
        }
        copy[at] ^= bit;
    }
}

static void any_changed_byte_is_bad(void **state)
{
    struct sample s[3];
    size_t i;

    (void)state;
    s[0] = rfc_sample(0);
    s[1] = rfc_sample(1);
    s[2] = profile_sample("release-hss-sha256-m24", 784);
    for (i = 0; i < 3; i++) {
        flip_each(s[i], &s[i].key, 1);
        flip_each(s[i], &s[i].message, 1);
        flip_each(s[i], &s[i].signature, 1);
    }
}

/* Sizes are exact: each span is allocated to its size, so that the sanitizer
 * sees one byte read too far. */
static void any_other_length_is_bad(void **state)
{
    struct sample s = rfc_sample(0), part;
    size_t n;

    (void)state;
    part = s;
    for (n = 0; n < s.key.n; n++) {
        part.key = bl_span_of(vectors_copy(&rfc, bl_span_of(s.key.p, n)), n);
        assert_int_equal(verify(&part), BL_BAD);
    }
    part = s;
    for (n = 0; n < s.signature.n; n += n < 100 ? 1 : 7) {
        part.signature =
            bl_span_of(vectors_copy(&rfc, bl_span_of(s.signature.p, n)), n);
        assert_int_equal(verify(&part), BL_BAD);
    }
    part = s;
    part.signature.n = s.signature.n - 1;
    assert_int_equal(verify(&part), BL_BAD);
}

static void bytes_behind_key_or_signature_are_bad(void **state)
{
    struct sample s = rfc_sample(0);
    uint8_t key[61] = {0}, *longer;
    struct sample more = s;

    (void)state;
    memcpy(key, s.key.p, 60);
    more.key = bl_span_of(key, 61);
    assert_int_equal(verify(&more), BL_BAD);
    more = s;
    longer = calloc(1, s.signature.n + 1);
    assert_non_null(longer);
    memcpy(longer, s.signature.p, s.signature.n);
    more.signature = bl_span_of(longer, s.signature.n + 1);
    assert_int_equal(verify(&more), BL_BAD);
    free(longer);
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* Types, levels and leaf numbers out of range, in key and signature alike, so
 * that comparing the two does not find them. */
static void values_out_of_range_are_bad(void **state)
{
    struct sample s = profile_sample("release-hss-sha256-m32", 1296);
    static const uint32_t bad[] = {0,  2,  3,          8,          10,
                                   14, 15, 20,         24,         9,
                                   99, 11, 0x80000005, 0xFFFFFFFF, 0x10000005};
    uint8_t *key = vectors_copy(&profile, s.key);
    uint8_t *signature = vectors_copy(&profile, s.signature);
    size_t i;

    (void)state;
    s.key.p = key;
    s.signature.p = signature;
    assert_int_equal(verify(&s), BL_GOOD);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put32(key, bad[i]);
        put32(signature, bad[i] - 1);
        assert_int_equal(verify(&s), BL_BAD); /* levels */
        put32(key, 1);
        put32(signature, 0);
        put32(key + 4, bad[i]);
        put32(signature + 4 + 4 + 4 + 32 * 35, bad[i]);
        assert_int_equal(verify(&s), BL_BAD); /* LMS type */
        put32(key + 4, 5);
        put32(signature + 4 + 4 + 4 + 32 * 35, 5);
        put32(key + 8, bad[i]);
        put32(signature + 8, bad[i]);
        assert_int_equal(verify(&s), BL_BAD); /* LM-OTS type */
        put32(key + 8, 4);
        put32(signature + 8, 4);
        assert_int_equal(verify(&s), BL_GOOD);
    }
    put32(signature + 4, 32); /* leaf 32 of 32 */
    assert_int_equal(verify(&s), BL_BAD);
    put32(signature + 4, 0xFFFFFFFF);
    assert_int_equal(verify(&s), BL_BAD);
}

static int open_all(void **state)
{
    (void)state;
    vectors_open(&rfc, "lms/rfc8554-appendix-f.json");
    vectors_open(&cose, "cose/sign-flat.json");
    vectors_open(&profile, "bowline-profile/positive.json");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    vectors_close(&rfc);
    vectors_close(&cose);
    vectors_close(&profile);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc8554_appendix_f_verifies),
        cmocka_unit_test(cose_examples_verify),
        cmocka_unit_test(profile_keys_of_both_hash_sizes_verify),
        cmocka_unit_test(every_winternitz_parameter_verifies),
        cmocka_unit_test(a_message_in_parts_is_one_message),
        cmocka_unit_test(any_changed_byte_is_bad),
        cmocka_unit_test(any_other_length_is_bad),
        cmocka_unit_test(bytes_behind_key_or_signature_are_bad),
        cmocka_unit_test(values_out_of_range_are_bad),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
