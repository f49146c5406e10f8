/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/sha256.h"
#include "cmocka_all.h"
#include "vectors.h"

/* core/src/sha256.c; bl_sha256... is ports/posix/sha256_openssl.c here. */
void portable_sha256_init(struct bl_sha256 *c);
void portable_sha256_update(struct bl_sha256 *c, const void *data, size_t n);
void portable_sha256_final(struct bl_sha256 *c, uint8_t digest[32]);
void portable_sha256(const void *data, size_t n, uint8_t digest[32]);

struct implementation {
    void (*init)(struct bl_sha256 *c);
    void (*update)(struct bl_sha256 *c, const void *data, size_t n);
    void (*final)(struct bl_sha256 *c, uint8_t digest[32]);
    void (*whole)(const void *data, size_t n, uint8_t digest[32]);
};

static const struct implementation both[2] = {
    {bl_sha256_init, bl_sha256_update, bl_sha256_final, bl_sha256},
    {portable_sha256_init, portable_sha256_update, portable_sha256_final,
     portable_sha256}};

static uint8_t data[1024];

static void fill(void)
{
    uint32_t x = 1;
    size_t i;

    for (i = 0; i < sizeof data; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
}

static void assert_digest(const uint8_t digest[32], const char *hex)
{
    char text[65];
    size_t i;

    for (i = 0; i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(text, hex);
}

static void nist_examples_have_their_digests(void **state)
{
    static const char two[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char four[] =
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    uint8_t d[32];
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        both[i].whole("abc", 3, d);
        assert_digest(d, "ba7816bf8f01cfea414140de5dae2223"
                         "b00361a396177a9cb410ff61f20015ad");
        both[i].whole("", 0, d);
        assert_digest(d, "e3b0c44298fc1c149afbf4c8996fb924"
                         "27ae41e4649b934ca495991b7852b855");
        both[i].whole(two, 56, d);
        assert_digest(d, "248d6a61d20638b8e5c026930c3e6039"
                         "a33ce45964ff2167f6ecedd419db06c1");
        both[i].whole(four, 112, d);
        assert_digest(d, "cf5b16a778af8380036ce59e7b049237"
                         "0b249b11e8f07a51afac45037afee9d1");
    }
}

static void a_million_times_a_has_its_digest(void **state)
{
    struct bl_sha256 c;
    uint8_t d[32];
    int i, k;

    (void)state;
    memset(data, 'a', 1000);
    for (i = 0; i < 2; i++) {
        both[i].init(&c);
        for (k = 0; k < 1000; k++) {
            both[i].update(&c, data, 1000);
        }
        both[i].final(&c, d);
        assert_digest(d, "cdc76e5c9914fb9281a1c7e284d73e67"
                         "f1809a48a497200e046d39ccc7112cd0");
    }
}

static void both_agree_at_every_length(void **state)
{
    uint8_t a[32], b[32];
    size_t n;

    (void)state;
    fill();
    for (n = 0; n <= 300; n++) {
        both[0].whole(data, n, a);
        both[1].whole(data, n, b);
        assert_memory_equal(a, b, 32);
    }
}

static void any_chunking_gives_one_digest(void **state)
{
    uint8_t expected[32], d[32];
    size_t first, second;
    int i;

    (void)state;
    fill();
    both[0].whole(data, 260, expected);
    for (i = 0; i < 2; i++) {
        for (first = 0; first <= 130; first++) {
            for (second = 0; second <= 130; second += 13) {
                struct bl_sha256 c;

                both[i].init(&c);
                both[i].update(&c, data, first);
                both[i].update(&c, data + first, second);
                both[i].update(&c, NULL, 0);
                both[i].update(&c, data + first + second,
                               260 - first - second);
                both[i].final(&c, d);
                assert_memory_equal(d, expected, 32);
            }
        }
    }
}

static void a_copied_context_forks_the_hash(void **state)
{
    uint8_t a[32], b[32], expected[32];
    int i;

    (void)state;
    fill();
    for (i = 0; i < 2; i++) {
        struct bl_sha256 c, fork;

        both[i].init(&c);
        both[i].update(&c, data, 100);
        fork = c;
        both[i].update(&c, data + 100, 100);
        both[i].final(&c, a);
        both[i].final(&fork, b);
        both[i].whole(data, 200, expected);
        assert_memory_equal(a, expected, 32);
        both[i].whole(data, 100, expected);
        assert_memory_equal(b, expected, 32);
    }
}

/* A context begun by one implementation can be finished by the other: the
 * struct means the same to both. */
static void contexts_are_interchangeable(void **state)
{
    struct bl_sha256 c;
    uint8_t expected[32], d[32];

    (void)state;
    fill();
    both[0].whole(data, 333, expected);
    both[0].init(&c);
    both[0].update(&c, data, 77);
    both[1].update(&c, data + 77, 200);
    both[0].update(&c, data + 277, 56);
    both[1].final(&c, d);
    assert_memory_equal(d, expected, 32);
}

static void hmac(const struct implementation *h, bl_span key, bl_span msg,
                 uint8_t mac[32])
{
    uint8_t pad[64] = {0}, inner[32];
    struct bl_sha256 c;
    int i;

    if (key.n > 64) {
        h->whole(key.p, key.n, pad);
    } else {
        memcpy(pad, key.p, key.n);
    }
    for (i = 0; i < 64; i++) {
        pad[i] ^= 0x36;
    }
    h->init(&c);
    h->update(&c, pad, 64);
    h->update(&c, msg.p, msg.n);
    h->final(&c, inner);
    for (i = 0; i < 64; i++) {
        pad[i] ^= 0x36 ^ 0x5C;
    }
    h->init(&c);
    h->update(&c, pad, 64);
    h->update(&c, inner, 32);
    h->final(&c, mac);
}

/* Wycheproof's HMAC file exercises the hash over many lengths. */
static void wycheproof_hmac_has_its_tags(void **state)
{
    struct vectors v;
    size_t g, t, n = 0;
    json_t *group, *test;

    (void)state;
    vectors_open(&v, "wycheproof/hmac_sha256_test.json");
    json_array_foreach(vectors_member(v.json, "testGroups"), g, group)
    {
        json_array_foreach(vectors_member(group, "tests"), t, test)
        {
            bl_span tag = vectors_hex(&v, test, "tag");
            bool valid = strcmp(vectors_text(test, "result"), "valid") == 0;
            uint8_t mac[32];
            int i;

            for (i = 0; i < 2; i++) {
                hmac(&both[i], vectors_hex(&v, test, "key"),
                     vectors_hex(&v, test, "msg"), mac);
                assert_int_equal(memcmp(mac, tag.p, tag.n) == 0, valid);
            }
            n++;
        }
    }
    assert_int_equal(
        n, json_integer_value(vectors_member(v.json, "numberOfTests")));
    vectors_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist_examples_have_their_digests),
        cmocka_unit_test(a_million_times_a_has_its_digest),
        cmocka_unit_test(both_agree_at_every_length),
        cmocka_unit_test(any_chunking_gives_one_digest),
        cmocka_unit_test(a_copied_context_forks_the_hash),
        cmocka_unit_test(contexts_are_interchangeable),
        cmocka_unit_test(wycheproof_hmac_has_its_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
