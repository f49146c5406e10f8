/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include "bowline/hss.h"
#include "host/file.h"
#include "hss_key.h"
#include "lms.h"
#include "vectors.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- Against published bytes --------------------------------------------- */

static void grow(struct lms_tree *tree, const struct lms_set *set, bl_span id,
                 bl_span seed)
{
    assert_non_null(set);
    assert_int_equal(id.n, LMS_ID);
    assert_int_equal(seed.n, set->n);
    tree->set = set;
    memcpy(tree->id, id.p, id.n);
    memcpy(tree->seed, seed.p, seed.n);
    tree->nodes = malloc(lms_nodes_size(set));
    assert_non_null(tree->nodes);
    lms_grow(tree, NULL, NULL);
}

/* RFC 8554 test case 2: two levels, each with seed and identifier. The root
 * of each tree and both signatures come out bit for bit. */
static void rfc8554_test_case_2_is_made_bit_for_bit(void **state)
{
    struct vectors v;
    struct lms_tree tree[2];
    uint8_t made[LMS_SIGNATURE_MAX];
    const json_t *tc;
    bl_span signature;
    bl_span key;
    bl_span inner_key;
    size_t n0;
    size_t n1;
    size_t i;

    (void)state;
    vectors_open(&v, "lms/rfc8554-appendix-f.json");
    tc = json_array_get(vectors_member(v.json, "vectors"), 1);
    assert_string_equal(vectors_text(tc, "name"), "RFC8554-F-TC2");
    for (i = 0; i < 2; i++) {
        const json_t *p = json_array_get(vectors_member(tc, "private"), i);

        grow(
            &tree[i],
            lms_set_find(
                (uint32_t)json_integer_value(vectors_member(p, "lms_type")),
                (uint32_t)json_integer_value(vectors_member(p, "lmots_type"))),
            vectors_hex(&v, p, "I"), vectors_hex(&v, p, "seed"));
    }
    key = vectors_hex(&v, tc, "public_key");
    signature = vectors_hex(&v, tc, "signature");
    n0 = lms_signature_size(tree[0].set);
    n1 = lms_signature_size(tree[1].set);
    assert_int_equal(signature.n, 4 + n0 + 56 + n1);
    assert_memory_equal(tree[0].nodes, key.p + 28, 32);
    inner_key = bl_span_of(signature.p + 4 + n0, 56);
    assert_memory_equal(tree[1].nodes, inner_key.p + 24, 32);
    lms_sign(&tree[0], 3, signature.p + 4 + 8, inner_key, made);
    assert_memory_equal(made, signature.p + 4, n0);
    lms_sign(&tree[1], 4, inner_key.p + 56 + 8, vectors_hex(&v, tc, "message"),
             made);
    assert_memory_equal(made, inner_key.p + 56, n1);
    free(tree[0].nodes);
    free(tree[1].nodes);
    vectors_close(&v);
}

static void public_keys_of_the_profile_are_regenerated(void **state)
{
    static const char *const name[] = {"release-hss-sha256-m32",
                                       "release-hss-sha256-m24"};
    struct vectors v;
    struct lms_tree tree;
    size_t i;

    (void)state;
    vectors_open(&v, "bowline-profile/positive.json");
    for (i = 0; i < 2; i++) {
        const json_t *k =
            vectors_member(vectors_member(v.json, "keys"), name[i]);
        bl_span pub = vectors_hex(&v, k, "pub");

        grow(&tree, lms_set_find(lms_get32(pub.p + 4), lms_get32(pub.p + 8)),
             bl_span_of(pub.p + 12, LMS_ID), vectors_hex(&v, k, "seed"));
        assert_memory_equal(tree.nodes, pub.p + 28, tree.set->n);
        free(tree.nodes);
    }
    vectors_close(&v);
}

/* --- Every set ----------------------------------------------------------- */

static void sign_and_verify(struct author_key *key)
{
    bl_span message = bl_span_of("Bowline", 7);
    struct buffer out = BUFFER(4096);
    struct error err;

    must(author_key_sign(key, message, &out, &err), &err);
    assert_int_equal(bl_hss_verify(author_key_public(key)->x, &message, 1,
                                   buffer_span(&out)),
                     BL_GOOD);
    message.n--;
    assert_int_equal(bl_hss_verify(author_key_public(key)->x, &message, 1,
                                   buffer_span(&out)),
                     BL_BAD);
    buffer_free(&out);
}

static void count_steps(void *ctx, uint32_t done, uint32_t total)
{
    uint32_t *last = ctx;

    assert_int_equal(done, *last + 1);
    assert_true(done <= total);
    *last = done;
}

static void make_and_sign(const struct fixture *f, const char *kind,
                          uint64_t left, uint32_t steps)
{
    const char *path = fixture_path(f, kind);
    struct author_key *key;
    struct error err;
    uint32_t done = 0;

    must(author_key_create_watched(path, kind, count_steps, &done, &err),
         &err);
    assert_int_equal(done, steps);
    key = author_key_open(path, &err);
    must(key == NULL ? -1 : 0, &err);
    assert_int_equal(author_key_left(key), left);
    sign_and_verify(key);
    assert_int_equal(author_key_left(key), left - 1);
    author_key_free(key);
}

static void every_set_signs_what_core_verifies(void **state)
{
    make_and_sign(*state, "hss-h5", 32, 1);
    make_and_sign(*state, "hss", 1024, 32);
    make_and_sign(*state, "hss-m24-h10", 1024, 32);
}

static void tree_of_15_levels_signs_what_core_verifies(void **state)
{
    if (getenv("BOWLINE_LONG") == NULL) {
        skip(); /* half a minute: 285 million hashes */
    }
    make_and_sign(*state, "hss-h15", 32768, 1024);
}

/* --- The index ----------------------------------------------------------- */

static const char *fresh_key(const struct fixture *f, const char *name)
{
    const char *path = fixture_path(f, name);
    struct error err;

    must(author_key_create(path, "hss-h5", &err), &err);
    return path;
}

static struct hss *open_hss(const char *path)
{
    struct buffer text = BUFFER(65536);
    struct error err;
    struct hss *hss;

    must(file_read(path, &text, &err), &err);
    hss = hss_open(path, buffer_span(&text), &err);
    must(hss == NULL ? -1 : 0, &err);
    buffer_free(&text);
    return hss;
}

static uint32_t reserve(struct hss *hss)
{
    struct error err;
    uint32_t q = UINT32_MAX;

    must(hss_reserve(hss, &q, &err), &err);
    return q;
}

static void each_signature_takes_the_next_index(void **state)
{
    struct author_key *key = NULL;
    struct buffer out = BUFFER(65536);
    struct error err;
    const char *path = fresh_key(*state, "next.pem");
    uint32_t i;

    for (i = 0; i < 6; i++) {
        if (i % 2 == 0) { /* every other time from a fresh start */
            key = author_key_open(path, &err);
            must(key == NULL ? -1 : 0, &err);
        }
        buffer_clear(&out);
        must(author_key_sign(key, bl_span_of("m", 1), &out, &err), &err);
        assert_int_equal(lms_get32(out.p + 4), i);
        if (i % 2 == 1) {
            author_key_free(key);
        }
    }
    buffer_free(&out);
}

static void objects_in_one_process_take_different_indices(void **state)
{
    const char *path = fresh_key(*state, "two.pem");
    struct hss *a = open_hss(path);
    struct hss *b = open_hss(path);

    assert_int_equal(reserve(a), 0);
    assert_int_equal(reserve(b), 1);
    assert_int_equal(reserve(b), 2);
    assert_int_equal(reserve(a), 3);
    hss_free(a);
    hss_free(b);
}

/* Killed behind the reservation, before a signature left. */
static void index_reserved_before_a_kill_is_never_taken_again(void **state)
{
    const char *path = fresh_key(*state, "kill.pem");
    struct hss *hss = open_hss(path);
    int status;
    pid_t pid;

    assert_int_equal(reserve(hss), 0);
    pid = fork();
    if (pid == 0) {
        uint32_t q;

        (void)hss_reserve(hss, &q, NULL);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(reserve(hss), 2);
    hss_free(hss);
}

static void child_reserves(const char *path, int out)
{
    struct hss *hss = open_hss(path);
    uint32_t q;
    int i;

    for (i = 0; i < 6; i++) {
        if (hss_reserve(hss, &q, NULL) != 0 ||
            write(out, &q, sizeof q) != (ssize_t)sizeof q) {
            _exit(1);
        }
    }
    hss_free(hss);
    _exit(0);
}

static void processes_at_once_take_different_indices(void **state)
{
    const char *path = fresh_key(*state, "many.pem");
    bool taken[32] = {false};
    uint32_t q;
    int ends[2];
    int status;
    int i;

    assert_int_equal(pipe(ends), 0);
    for (i = 0; i < 4; i++) {
        if (fork() == 0) {
            child_reserves(path, ends[1]);
        }
    }
    for (i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    (void)close(ends[1]);
    for (i = 0; read(ends[0], &q, sizeof q) == (ssize_t)sizeof q; i++) {
        assert_true(q < 24);
        assert_false(taken[q]);
        taken[q] = true;
    }
    assert_int_equal(i, 24);
    (void)close(ends[0]);
}

static void used_up_key_says_so(void **state)
{
    struct buffer out = BUFFER(65536);
    struct author_key *key;
    struct error err;
    int i;

    key = author_key_open(fresh_key(*state, "used.pem"), &err);
    must(key == NULL ? -1 : 0, &err);
    for (i = 0; i < 32; i++) {
        buffer_clear(&out);
        must(author_key_sign(key, bl_span_of("m", 1), &out, &err), &err);
    }
    assert_int_equal(author_key_left(key), 0);
    buffer_clear(&out);
    assert_int_equal(author_key_sign(key, bl_span_of("m", 1), &out, &err), -1);
    assert_int_equal(out.n, 0);
    assert_non_null(strstr(err.text, "used up"));
    author_key_free(key);
    buffer_free(&out);
}

/* --- Damage -------------------------------------------------------------- */

static void overwrite(const char *path, const char *mark, const char *with)
{
    struct buffer text = BUFFER(65536);
    struct error err;
    char *at;
    FILE *file = fopen(path, "r+");

    must(file_read(path, &text, &err), &err);
    at = strstr((char *)text.p, mark);
    assert_non_null(at);
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(at - (char *)text.p), SEEK_SET), 0);
    assert_true(fputs(with, file) >= 0);
    (void)fclose(file);
    buffer_free(&text);
}

/* In place of the newest record: what it gave away is not given again. */
static void torn_record_passes_over_an_index(void **state)
{
    const char *path = fresh_key(*state, "torn.pem");
    struct hss *hss = open_hss(path);
    uint32_t last = 0;
    int i;

    for (i = 0; i < 5; i++) {
        last = reserve(hss);
    }
    overwrite(path, "Next-A: 0000000005", "Next-A: 00000");
    overwrite(path, "Next-A: 00000", "Next-A: 0x");
    assert_true(reserve(hss) > last);
    hss_free(hss);
}

static void rewound_record_is_not_believed(void **state)
{
    const char *path = fresh_key(*state, "rewound.pem");
    struct hss *hss = open_hss(path);

    assert_int_equal(reserve(hss), 0);
    assert_int_equal(reserve(hss), 1);
    assert_int_equal(reserve(hss), 2);
    /* the number without its check */
    overwrite(path, "Next-A: 0000000003", "Next-A: 0000000000");
    assert_int_equal(reserve(hss), 3);
    hss_free(hss);
}

static void key_without_a_readable_record_signs_no_more(void **state)
{
    const char *path = fresh_key(*state, "lost.pem");
    struct hss *hss = open_hss(path);
    struct error err;
    uint32_t q;

    overwrite(path, "Next-A: 0", "Next-A: x");
    overwrite(path, "Next-B: 0", "Next-B: x");
    assert_int_equal(hss_reserve(hss, &q, &err), -1);
    assert_non_null(strstr(err.text, "must not sign"));
    assert_null(author_key_open(path, &err));
    hss_free(hss);
}

static void records_of_another_key_are_not_believed(void **state)
{
    struct buffer other = BUFFER(65536);
    struct error err;
    char first[96];
    struct hss *hss;
    uint32_t q;

    (void)snprintf(first, sizeof first, "%s", fresh_key(*state, "first.pem"));
    hss = open_hss(first);
    must(file_read(fresh_key(*state, "second.pem"), &other, &err), &err);
    must(file_write(first, buffer_span(&other), 0600, &err), &err);
    assert_int_equal(hss_reserve(hss, &q, &err), -1);
    hss_free(hss);
    buffer_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc8554_test_case_2_is_made_bit_for_bit),
        cmocka_unit_test(public_keys_of_the_profile_are_regenerated),
        cmocka_unit_test(every_set_signs_what_core_verifies),
        cmocka_unit_test(tree_of_15_levels_signs_what_core_verifies),
        cmocka_unit_test(each_signature_takes_the_next_index),
        cmocka_unit_test(objects_in_one_process_take_different_indices),
        cmocka_unit_test(index_reserved_before_a_kill_is_never_taken_again),
        cmocka_unit_test(processes_at_once_take_different_indices),
        cmocka_unit_test(used_up_key_says_so),
        cmocka_unit_test(torn_record_passes_over_an_index),
        cmocka_unit_test(rewound_record_is_not_believed),
        cmocka_unit_test(key_without_a_readable_record_signs_no_more),
        cmocka_unit_test(records_of_another_key_are_not_believed),
    };

    return cmocka_run_group_tests_name("author/hss", tests, fixture_make,
                                       fixture_remove);
}
