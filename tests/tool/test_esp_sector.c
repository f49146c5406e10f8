/* SPDX-License-Identifier: Apache-2.0 */
/* No byte of a signed image can change without notice; signers of any kind;
 * which signature counts. */
#include "author/esp_sign.h"
#include "bowline/sha256.h"
#include "esp_rule.h"
#include "host/file.h"
#include "image.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { BLOCK_AT = 4096, WHOLE = 8192, CRC_AT = 1196, ENTRY = 0x40374000 };

struct signed_image {
    uint8_t bytes[WHOLE];
    size_t length;
    struct author_esp_signer signer;
};

static struct signed_image made[AUTHOR_ESP_SCHEMES];

/* --- A small image, and a key of each scheme
 * -------------------------------- */

static void put_u32(uint8_t *p, uint32_t value)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> (8 * i));
    }
}

static size_t small_image(uint8_t *p)
{
    size_t end = 24 + 8 + 256;
    size_t i;

    memset(p, 0, end);
    p[0] = 0xE9;
    p[1] = 1;
    put_u32(p + 4, ENTRY);
    p[12] = 9; /* ESP32-S3 */
    p[23] = 1;
    put_u32(p + 24, ENTRY);
    put_u32(p + 28, 256);
    for (i = 32; i < end; i++) {
        p[i] = (uint8_t)(i * 7);
    }
    memset(p + end, 0, 16);
    p[end + 15] = 0xEF;
    for (i = 32; i < end; i++) {
        p[end + 15] ^= p[i];
    }
    bl_sha256(p, end + 16, p + end + 16);
    return end + 16 + 32;
}

static void open_signer(enum author_esp_scheme scheme,
                        struct author_esp_signer *out)
{
    static const char *const group[] = {NULL, "P-192", "P-256", "P-384"};
    EVP_PKEY *pkey = scheme == AUTHOR_ESP_RSA3072
                         ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072)
                         : EVP_PKEY_Q_keygen(NULL, NULL, "EC", group[scheme]);
    char folder[FILE_TEMP];
    char path[FILE_TEMP + 16];
    struct error err = {0};
    FILE *file;

    assert_non_null(pkey);
    assert_int_equal(file_temp_folder("sector", folder, &err), 0);
    (void)snprintf(path, sizeof path, "%s/key.pem", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    EVP_PKEY_free(pkey);
    /* A key that others may read is no secret. */
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(author_esp_signer_open(path, out, &err), -1);
    assert_int_equal(chmod(path, 0600), 0);
    if (author_esp_signer_open(path, out, &err) != 0) {
        fail_msg("%s", err.text);
    }
    out->name = "key.pem";
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static int make_all(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < AUTHOR_ESP_SCHEMES; i++) {
        struct buffer out = BUFFER(WHOLE);
        struct error err = {0};

        open_signer((enum author_esp_scheme)i, &made[i].signer);
        assert_int_equal(made[i].signer.public.scheme, i);
        made[i].length = small_image(made[i].bytes);
        if (author_esp_sign(bl_span_of(made[i].bytes, made[i].length),
                            made[i].length, &made[i].signer, 1, false, &out,
                            &err) != 0) {
            fail_msg("%s", err.text);
        }
        assert_int_equal(out.n, WHOLE);
        memcpy(made[i].bytes, out.p, WHOLE);
        buffer_free(&out);
    }
    return 0;
}

static int close_all(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < AUTHOR_ESP_SCHEMES; i++) {
        author_esp_signer_close(&made[i].signer);
    }
    return 0;
}

/* --- Tampering
 * -------------------------------------------------------------- */

/* As the verb judges: the image by its walk, then the sector. */
static bool holds(bl_span file)
{
    struct author_esp_sector sector;
    struct image image;

    image_read(file, &image);
    if (image.kind != IMAGE_ESP32 || !image.valid) {
        return false;
    }
    author_esp_read(file, image.esp.length, &sector);
    return author_esp_is_good(&sector);
}

/* The sector alone, as if the image's own checksums had been mended. */
static bool sector_holds(bl_span file, size_t length)
{
    struct author_esp_sector sector;

    author_esp_read(file, length, &sector);
    return author_esp_is_good(&sector);
}

static const uint8_t flips[] = {0x01, 0x80, 0xFF};

static void every_byte_of(const struct signed_image *m)
{
    uint8_t copy[WHOLE];
    size_t at;

    memcpy(copy, m->bytes, WHOLE);
    assert_true(holds(bl_span_of(copy, WHOLE)));
    for (at = 0; at < WHOLE; at++) {
        uint8_t flip = flips[at % sizeof flips];

        copy[at] ^= flip;
        if (holds(bl_span_of(copy, WHOLE)) ||
            (at < m->length &&
             sector_holds(bl_span_of(copy, WHOLE), m->length))) {
            fail_msg("%s: byte %zu ^ %02x goes unnoticed",
                     author_esp_scheme_name(m->signer.public.scheme), at,
                     flip);
        }
        copy[at] ^= flip;
    }
    assert_memory_equal(copy, m->bytes, WHOLE);
}

static void no_byte_changes_without_notice(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < AUTHOR_ESP_SCHEMES; i++) {
        every_byte_of(&made[i]);
    }
}

static uint32_t crc_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xFFFFFFFF;
    int bit;

    while (n-- > 0) {
        crc ^= *p++;
        for (bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320U : crc >> 1;
        }
    }
    return ~crc;
}

/* Who alters on purpose mends the CRC as well. */
static void no_byte_of_a_block_changes_behind_a_right_crc(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < AUTHOR_ESP_SCHEMES; i++) {
        uint8_t copy[WHOLE];
        size_t at;

        for (at = 0; at < CRC_AT; at++) {
            memcpy(copy, made[i].bytes, WHOLE);
            copy[BLOCK_AT + at] ^= flips[at % sizeof flips];
            put_u32(copy + BLOCK_AT + CRC_AT, crc_of(copy + BLOCK_AT, CRC_AT));
            if (holds(bl_span_of(copy, WHOLE))) {
                fail_msg("%s: byte %zu of the block goes unnoticed",
                         author_esp_scheme_name((enum author_esp_scheme)i),
                         at);
            }
        }
    }
}

static void no_truncation_holds(void **state)
{
    size_t n;

    (void)state;
    for (n = 0; n < WHOLE; n++) {
        uint8_t *exact = malloc(n + 1); /* a read behind the end is seen */

        assert_non_null(exact);
        memcpy(exact, made[AUTHOR_ESP_P256].bytes, n);
        assert_false(holds(bl_span_of(exact, n)));
        free(exact);
    }
}

static void a_signature_of_another_image_does_not_hold(void **state)
{
    uint8_t copy[WHOLE];
    struct author_esp_sector sector;

    (void)state;
    memcpy(copy, made[AUTHOR_ESP_P256].bytes, WHOLE);
    copy[made[AUTHOR_ESP_P256].length] ^= 1; /* in the fill */
    author_esp_read(bl_span_of(copy, WHOLE), made[AUTHOR_ESP_P256].length,
                    &sector);
    assert_true(sector.there);
    assert_int_equal(sector.n, 1);
    assert_non_null(strstr(sector.block[0].problem, "not what was signed"));
}

/* --- Signers
 * ------------------------------------------------------------------ */

struct token { /* some hardware, say */
    const struct author_esp_signer *inner;
    bool lies;
    bool fails;
    int calls;
};

static int sign_by_token(void *ctx, enum author_esp_scheme scheme,
                         bl_span digest, uint8_t out[AUTHOR_ESP_SIGNATURE],
                         struct error *err)
{
    struct token *t = ctx;

    t->calls++;
    assert_int_equal(digest.n, author_esp_digest_size(scheme));
    if (t->fails) {
        return error_set(err, "the token is locked");
    }
    if (t->inner->sign(t->inner->ctx, scheme, digest, out, err) != 0) {
        return -1;
    }
    out[author_esp_signature_size(scheme) - 1] ^= t->lies;
    return 0;
}

static int try_token(struct token *t, struct buffer *out, struct error *err)
{
    const struct signed_image *m = &made[AUTHOR_ESP_P256];
    struct author_esp_signer signer = {"token:1", m->signer.public,
                                       sign_by_token, NULL, t};

    t->inner = &m->signer;
    return author_esp_sign(bl_span_of(m->bytes, m->length), m->length, &signer,
                           1, false, out, err);
}

static void any_signer_will_do_and_is_not_believed(void **state)
{
    struct token good = {NULL, false, false, 0};
    struct token liar = {NULL, true, false, 0};
    struct token locked = {NULL, false, true, 0};
    struct buffer out = BUFFER(WHOLE);
    struct error err = {0};

    (void)state;
    assert_int_equal(try_token(&good, &out, &err), 0);
    assert_true(holds(buffer_span(&out)));
    assert_int_equal(good.calls, 1);
    buffer_clear(&out);
    assert_int_equal(try_token(&liar, &out, &err), -1);
    assert_non_null(strstr(err.text, "token:1: what it signed"));
    buffer_clear(&out);
    assert_int_equal(try_token(&locked, &out, &err), -1);
    assert_string_equal(err.text, "token:1: the token is locked");
    buffer_free(&out);
}

/* --- Which signature counts
 * ------------------------------------------------ */

/* "Ab": a good block by key A, then a bad one by key b. */
static void sector_of(const char *blocks, struct author_esp_sector *out)
{
    memset(out, 0, sizeof *out);
    out->there = blocks[0] != '\0';
    for (; blocks[out->n] != '\0'; out->n++) {
        struct author_esp_block *b = &out->block[out->n];

        b->good = blocks[out->n] < 'a';
        b->has_key = true;
        memset(b->public.digest, blocks[out->n] & 0xDF, 32);
    }
}

static void verdicts_are_those_of_the_table(void **state)
{
    static const struct {
        const char *blocks;
        const char *keys;
        bool hardware;
        bool one_block;
        enum esp_verdict verdict;
        uint32_t block;
    } row[] = {
        {"", "A", false, false, ESP_UNSIGNED, 9},
        {"", "A", true, false, ESP_UNSIGNED, 9},
        {"A", "A", false, false, ESP_TAKEN, 0},
        {"A", "A", true, false, ESP_TAKEN, 0},
        {"A", "AB", false, false, ESP_TAKEN, 0},
        {"A", "B", false, false, ESP_OTHER_KEY, 0},
        {"A", "B", true, false, ESP_OTHER_KEY, 0},
        {"A", "", false, false, ESP_OTHER_KEY, 0},
        {"AB", "B", false, false, ESP_NOT_FIRST, 1},
        {"AB", "B", true, false, ESP_TAKEN, 1},
        {"AB", "B", true, true, ESP_NOT_FIRST, 1},
        {"ABC", "C", true, false, ESP_TAKEN, 2},
        {"ABC", "C", false, false, ESP_NOT_FIRST, 2},
        {"ABC", "D", true, false, ESP_OTHER_KEY, 0},
        {"a", "A", false, false, ESP_DAMAGED, 0},
        {"a", "A", true, false, ESP_DAMAGED, 0},
        {"aA", "A", false, false, ESP_DAMAGED, 0},
        {"aA", "A", true, false, ESP_TAKEN, 1},
        {"aB", "A", true, false, ESP_OTHER_KEY, 0},
        {"Ab", "B", true, false, ESP_OTHER_KEY, 0},
        {"aB", "B", true, true, ESP_DAMAGED, 0},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct author_esp_sector sector;
        struct esp_rule rule = {0};
        const char *key = row[i].keys;
        uint32_t block = 9;
        enum esp_verdict verdict;

        sector_of(row[i].blocks, &sector);
        rule.hardware = row[i].hardware;
        for (; *key != '\0'; key++) {
            uint8_t digest[32];

            memset(digest, *key, 32);
            assert_true(esp_rule_add(&rule, digest));
        }
        verdict = esp_judge(&sector, &rule, row[i].one_block, &block);
        if (verdict != row[i].verdict || block != row[i].block) {
            fail_msg("row %zu: verdict %d, block %u", i, verdict, block);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_changes_without_notice),
        cmocka_unit_test(no_byte_of_a_block_changes_behind_a_right_crc),
        cmocka_unit_test(no_truncation_holds),
        cmocka_unit_test(a_signature_of_another_image_does_not_hold),
        cmocka_unit_test(any_signer_will_do_and_is_not_believed),
        cmocka_unit_test(verdicts_are_those_of_the_table),
    };

    return cmocka_run_group_tests(tests, make_all, close_all);
}
