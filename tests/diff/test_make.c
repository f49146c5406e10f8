/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff/diff.h"
#include "diff/pairs.h"

enum { ROOM = 1 << 18, LARGE = 1 << 20 };

static uint8_t *room_get(void)
{
    uint8_t *p = calloc(1, LARGE);
    assert_non_null(p);
    return p;
}

/* Makes a patch, applies it, compares; the patch's bytes. */
static size_t round_trip(const uint8_t *from, size_t from_n, const uint8_t *to,
                         size_t to_n, const struct diff_options *options,
                         struct diff_report *report)
{
    struct buffer patch = BUFFER(SIZE_MAX), made = BUFFER(SIZE_MAX);
    struct diff_options usual;
    struct error error = {0};
    diff_defaults(&usual);
    if (diff_make(from, from_n, to, to_n, options ? options : &usual, &patch,
                  report, &error) != 0) {
        fail_msg("%s", error.text);
    }
    if (diff_apply(from, from_n, patch.p, patch.n, &made, &error) != 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(made.n, to_n);
    assert_memory_equal(made.p, to, to_n);
    size_t n = patch.n;
    buffer_free(&patch);
    buffer_free(&made);
    return n;
}

static void identical_images_cost_a_head(void **state)
{
    uint8_t *p = room_get();
    struct dice d = {1};
    (void)state;
    fill_noise(&d, p, 50001);
    assert_in_range(round_trip(p, 50001, p, 50001, NULL, NULL), 1, 15);
    size_t n = make_firmware(7, 0x08004000, 500, 0, 0, p, LARGE);
    assert_in_range(round_trip(p, n, p, n, NULL, NULL), 1, 15);
    free(p);
}

static void a_small_edit_costs_its_bytes_and_a_head(void **state)
{
    uint8_t *p = room_get(), *q = room_get();
    struct dice d = {2};
    (void)state;
    fill_noise(&d, p, 60000);
    for (uint32_t changed = 1; changed <= 32; changed *= 2) {
        memcpy(q, p, 60000);
        fill_noise(&d, q + 30000, changed);
        assert_in_range(round_trip(p, 60000, q, 60000, NULL, NULL), 1,
                        changed + 20 + changed / 16);
    }
    free(p);
    free(q);
}

static void moved_code_costs_little_more_than_what_is_new(void **state)
{
    uint8_t *p = room_get(), *q = room_get();
    struct diff_report report;
    (void)state;
    size_t n = make_firmware(3, 0x08004000, 1000, 300, 0, p, LARGE);
    size_t m = make_firmware(3, 0x08004000, 1000, 300, 256, q, LARGE);
    size_t bytes = round_trip(p, n, q, m, NULL, &report);
    assert_int_equal(report.info.isa, BL_DELTA_THUMB);
    assert_int_equal(report.bytes, bytes);
    assert_in_range(bytes, 256, 600);
    free(p);
    free(q);
}

static void every_size_goes_there_and_back(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 31, 255, 4097, 70001};
    enum { N = sizeof sizes / sizeof *sizes };
    uint8_t *p = room_get(), *q = room_get();
    struct dice d = {4};
    (void)state;
    fill_noise(&d, p, 70001);
    memcpy(q, p, 70001);
    fill_noise(&d, q + 20, 10);
    for (size_t a = 0; a < N; a++) {
        for (size_t b = 0; b < N; b++) {
            (void)round_trip(p, sizes[a], q, sizes[b], NULL, NULL);
        }
    }
    free(p);
    free(q);
}

static void noise_grows_by_little(void **state)
{
    uint8_t *p = room_get(), *q = room_get();
    struct dice d = {5};
    (void)state;
    fill_noise(&d, p, 100000);
    fill_noise(&d, q, 100000);
    assert_in_range(round_trip(p, 100000, q, 100000, NULL, NULL), 99000,
                    103000);
    free(p);
    free(q);
}

static void random_edits_go_there_and_back(void **state)
{
    uint8_t *p = room_get(), *q = room_get();
    struct diff_options o;
    struct dice d = {6};
    (void)state;
    diff_defaults(&o);
    for (uint32_t k = 0; k < 60; k++) {
        static const uint32_t rams[] = {6, 8, 12, 16, 32};
        size_t n = 1 + dice_roll(&d, 3000);
        if (k % 2 == 0) {
            fill_noise(&d, p, n);
        } else {
            n = make_firmware(k, 0x08000000, 30 + k, 10, 0, p, LARGE);
        }
        memcpy(q, p, n);
        size_t m = n;
        mutate(&d, q, &m, LARGE);
        o.ram = rams[k % 5] * 1024;
        o.isa = k % 3 == 0 ? (uint8_t)(k / 3 % (BL_DELTA_XTENSA + 1))
                           : DIFF_DETECT;
        (void)round_trip(p, n, q, m, &o, NULL);
    }
    free(p);
    free(q);
}

static void monotonous_images_are_done_in_bounded_time(void **state)
{
    uint8_t *p = room_get(), *q = room_get();
    struct dice d = {7};
    (void)state;
    for (uint32_t kind = 0; kind < 4; kind++) {
        for (size_t k = 0; k < ROOM; k++) {
            p[k] = (uint8_t)(kind == 0   ? 0
                             : kind == 1 ? k & 1
                             : kind == 2 ? (k / 3) % 3
                                         : (k >> 8 & k) == 0);
        }
        memcpy(q, p, ROOM);
        for (size_t k = 0; k < 50; k++) {
            q[dice_roll(&d, ROOM)] ^= 1;
        }
        memset(p + ROOM / 2, 0xff, 999);
        (void)round_trip(p, ROOM, q, ROOM - 5, NULL, NULL);
    }
    free(p);
    free(q);
}

static void decoder_memory_is_never_more_than_allowed(void **state)
{
    static const uint32_t rams[] = {6, 8, 12, 16, 32};
    uint8_t *p = room_get(), *q = room_get();
    struct diff_options o;
    (void)state;
    diff_defaults(&o);
    size_t n = make_firmware(8, 0x08004000, 1000, 300, 0, p, LARGE);
    size_t m = make_firmware(8, 0x08004000, 1000, 500, 2000, q, LARGE);
    for (size_t k = 0; k < sizeof rams / sizeof *rams; k++) {
        struct diff_report report;
        o.ram = rams[k] * 1024;
        (void)round_trip(p, n, q, m, &o, &report);
        assert_in_range(report.info.ram, 1, o.ram);
    }
    free(p);
    free(q);
}

static void same_input_gives_same_patch(void **state)
{
    struct buffer a = BUFFER(SIZE_MAX), b = BUFFER(SIZE_MAX);
    uint8_t *p = room_get(), *q = room_get(), *r = room_get();
    struct diff_options o;
    (void)state;
    diff_defaults(&o);
    size_t n = make_firmware(9, 0x08004000, 400, 100, 0, p, LARGE);
    size_t m = make_firmware(9, 0x08004000, 400, 200, 80, q, LARGE);
    memcpy(r, p, n);
    assert_int_equal(diff_make(p, n, q, m, &o, &a, NULL, NULL), 0);
    assert_int_equal(diff_make(r, n, q, m, &o, &b, NULL, NULL), 0);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    buffer_free(&a);
    buffer_free(&b);
    free(p);
    free(q);
    free(r);
}

struct seen {
    uint32_t calls, last, stop_at;
    bool sorted;
};

static bool progress(void *ctx, uint32_t permille)
{
    struct seen *s = ctx;
    s->sorted = s->sorted && permille >= s->last && permille <= 1000;
    s->last = permille;
    return ++s->calls != s->stop_at;
}

static void progress_rises_to_the_end_and_can_stop(void **state)
{
    struct buffer patch = BUFFER(SIZE_MAX);
    struct diff_options o;
    struct seen s = {0, 0, 0, true};
    struct error error = {0};
    uint8_t *p = room_get();
    struct dice d = {10};
    (void)state;
    fill_noise(&d, p, LARGE / 2);
    diff_defaults(&o);
    o.progress = progress;
    o.ctx = &s;
    assert_int_equal(
        diff_make(p, ROOM, p + ROOM, ROOM, &o, &patch, NULL, &error), 0);
    assert_true(s.sorted);
    assert_int_equal(s.last, 1000);
    uint32_t calls = s.calls;
    assert_in_range(calls, 5, 10000);
    for (uint32_t k = 1; k <= calls; k += 3) {
        struct seen fresh = {0, 0, k, true};
        s = fresh;
        assert_int_equal(
            diff_make(p, ROOM, p + ROOM, ROOM, &o, &patch, NULL, &error), -1);
        assert_non_null(strstr(error.text, "stopped"));
        assert_int_equal(s.calls, k);
    }
    buffer_free(&patch);
    free(p);
}

static void what_cannot_be_is_refused(void **state)
{
    struct buffer patch = BUFFER(SIZE_MAX);
    struct diff_options o;
    struct error error = {0};
    const uint8_t one[1] = {1};
    (void)state;
    diff_defaults(&o);
    assert_int_equal(diff_make(one, 0, one, 1, &o, &patch, NULL, &error), -1);
    assert_int_equal(diff_make(one, 1, one, 0, &o, &patch, NULL, &error), -1);
    assert_int_equal(
        diff_make(one, (size_t)2 << 30, one, 1, &o, &patch, NULL, &error), -1);
    o.ram = 100;
    assert_int_equal(diff_make(one, 1, one, 1, &o, &patch, NULL, &error), -1);
    assert_non_null(strstr(error.text, "at least"));
    diff_defaults(&o);
    o.isa = BL_DELTA_ISAS;
    assert_int_equal(diff_make(one, 1, one, 1, &o, &patch, NULL, &error), -1);
    buffer_free(&patch);
}

static void a_patch_for_another_image_is_refused(void **state)
{
    struct buffer patch = BUFFER(SIZE_MAX), made = BUFFER(SIZE_MAX);
    uint8_t *p = room_get(), *q = room_get();
    struct diff_options o;
    struct error error = {0};
    struct dice d = {11};
    (void)state;
    diff_defaults(&o);
    fill_noise(&d, p, 5000);
    memcpy(q, p, 5000);
    q[100]++;
    assert_int_equal(diff_make(p, 5000, q, 5000, &o, &patch, NULL, &error), 0);
    assert_int_equal(diff_apply(q, 5000, patch.p, patch.n, &made, &error), -1);
    assert_int_equal(diff_apply(p, 4999, patch.p, patch.n, &made, &error), -1);
    assert_int_equal(diff_apply(p, 5000, patch.p, patch.n, &made, &error), 0);
    buffer_free(&patch);
    buffer_free(&made);
    free(p);
    free(q);
}

static void a_patch_explains_itself_as_it_was_made(void **state)
{
    struct buffer patch = BUFFER(SIZE_MAX);
    uint8_t *p = room_get(), *q = room_get();
    struct diff_options o;
    struct diff_report made, told;
    struct error error = {0};
    (void)state;
    diff_defaults(&o);
    size_t n = make_firmware(12, 0x08004000, 600, 300, 0, p, LARGE);
    size_t m = make_firmware(12, 0x08004000, 600, 200, 500, q, LARGE);
    assert_int_equal(diff_make(p, n, q, m, &o, &patch, &made, &error), 0);
    if (diff_explain(p, n, patch.p, patch.n, &told, &error) != 0) {
        fail_msg("%s", error.text);
    }
    told.found = made.found;
    assert_memory_equal(&told, &made, sizeof made);
    assert_int_equal(diff_explain(p, n - 1, patch.p, patch.n, &told, &error),
                     -1);
    for (size_t cut = 0; cut < patch.n; cut += 7) {
        (void)diff_explain(p, n, patch.p, cut, &told, &error);
    }
    buffer_free(&patch);
    free(p);
    free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identical_images_cost_a_head),
        cmocka_unit_test(a_small_edit_costs_its_bytes_and_a_head),
        cmocka_unit_test(moved_code_costs_little_more_than_what_is_new),
        cmocka_unit_test(every_size_goes_there_and_back),
        cmocka_unit_test(noise_grows_by_little),
        cmocka_unit_test(random_edits_go_there_and_back),
        cmocka_unit_test(monotonous_images_are_done_in_bounded_time),
        cmocka_unit_test(decoder_memory_is_never_more_than_allowed),
        cmocka_unit_test(same_input_gives_same_patch),
        cmocka_unit_test(progress_rises_to_the_end_and_can_stop),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_patch_explains_itself_as_it_was_made),
        cmocka_unit_test(a_patch_for_another_image_is_refused),
    };
    return cmocka_run_group_tests_name("diff_make", tests, NULL, NULL);
}
