/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed members of images: found, paired, and cheap to change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "diff/diff.h"
#include "diff/pairs.h"
#include "members.h"

enum { ROOM = 1 << 18, PAGE = 60000, GZIP = 31, ZLIB = 15, CODE = 20000 };

struct image {
    uint8_t p[ROOM];
    size_t n;
};

/* A web page in which one word differs where `edit` says, 0: nowhere. */
static size_t make_page(uint32_t seed, size_t edit, char *out)
{
    static const char *const words[] = {"<div class=\"",
                                        "\">",
                                        "</div>",
                                        "function ",
                                        "(event) {",
                                        "}\n",
                                        "return ",
                                        "document.getElementById(\"",
                                        "\").style.",
                                        "display = ",
                                        "margin: ",
                                        "px;\n",
                                        "color: #",
                                        "const ",
                                        "let ",
                                        "if (",
                                        ") ",
                                        "state.",
                                        "value",
                                        "width",
                                        "network",
                                        "password",
                                        "update"};
    struct dice d = {seed};
    size_t n = 0;
    bool edited = edit == 0;
    while (n < PAGE) {
        const char *word = words[dice_roll(&d, sizeof words / sizeof *words)];
        char name[8] = {(char)('a' + dice_roll(&d, 26)),
                        (char)('a' + dice_roll(&d, 26)), ' ', 0};
        if (!edited && n > edit) {
            memcpy(out + n, "changed-here ", 13);
            n += 13;
            edited = true;
        }
        memcpy(out + n, word, strlen(word));
        n += strlen(word);
        memcpy(out + n, name, strlen(name));
        n += dice_roll(&d, 4) == 0 ? strlen(name) : 0;
    }
    return n;
}

static void add_noise(struct image *i, uint32_t seed, size_t n)
{
    struct dice d = {seed};
    fill_noise(&d, i->p + i->n, n);
    i->n += n;
}

static void add_member(struct image *i, const char *page, size_t n, int bits,
                       int level)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, bits, 8, 0), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)page;
    z.avail_in = (uInt)n;
    z.next_out = i->p + i->n;
    z.avail_out = (uInt)(ROOM - i->n);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    i->n += z.total_out;
    deflateEnd(&z);
}

/* Noise as code, then three pages, the second of which may be edited. */
static struct image *make_image(size_t edit, int bits, int level)
{
    struct image *i = calloc(1, sizeof *i);
    char *page = malloc(PAGE + 64);
    uint32_t k;
    assert_non_null(i);
    assert_non_null(page);
    add_noise(i, 9, CODE);
    for (k = 0; k < 3; k++) {
        size_t n = make_page(k + 1, k == 1 ? edit : 0, page);
        add_member(i, page, n, bits, level);
        add_noise(i, 20 + k, 100);
    }
    free(page);
    return i;
}

static void gzip_and_zlib_members_are_found(void **state)
{
    static const int bits[] = {GZIP, ZLIB};
    (void)state;
    for (size_t b = 0; b < 2; b++) {
        struct image *i = make_image(0, bits[b], 9);
        struct members list;
        struct error error = {0};
        assert_int_equal(members_find(i->p, (uint32_t)i->n, &list, &error), 0);
        assert_int_equal(list.n, 3);
        for (uint32_t k = 0; k < 3; k++) {
            assert_in_range(list.m[k].inflated, PAGE, PAGE + 64);
        }
        members_free(&list);
        free(i);
    }
}

static void a_damaged_member_is_none(void **state)
{
    struct image *i = make_image(0, GZIP, 9);
    struct members list;
    struct error error = {0};
    (void)state;
    i->p[CODE + 200] ^= 4;
    assert_int_equal(members_find(i->p, (uint32_t)i->n, &list, &error), 0);
    assert_int_equal(list.n, 2);
    members_free(&list);
    free(i);
}

static void members_pair_with_what_they_were(void **state)
{
    struct image *a = make_image(0, GZIP, 9);
    struct image *b = make_image(500, GZIP, 9);
    struct members old, now;
    struct error error = {0};
    uint32_t pair[3];
    (void)state;
    assert_int_equal(members_find(a->p, (uint32_t)a->n, &old, &error), 0);
    assert_int_equal(members_find(b->p, (uint32_t)b->n, &now, &error), 0);
    assert_int_equal(now.n, 3);
    assert_int_equal(members_pair(a->p, &old, b->p, &now, pair, &error), 0);
    assert_int_equal(pair[0], MEMBER_SAME);
    assert_int_equal(pair[1], 1);
    assert_int_equal(pair[2], MEMBER_SAME);
    members_free(&old);
    members_free(&now);
    free(a);
    free(b);
}

/* The patch from `a` to `b`, applied and explained. */
static size_t patch_of(const struct image *a, const struct image *b,
                       const struct diff_options *options,
                       struct diff_report *report)
{
    struct buffer patch = BUFFER(SIZE_MAX), made = BUFFER(SIZE_MAX);
    struct diff_report again;
    struct error error = {0};
    if (diff_make(a->p, a->n, b->p, b->n, options, &patch, report, &error) !=
            0 ||
        diff_apply(a->p, a->n, patch.p, patch.n, &made, &error) != 0 ||
        diff_explain(a->p, a->n, patch.p, patch.n, &again, &error) != 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(made.n, b->n);
    assert_memory_equal(made.p, b->p, b->n);
    assert_int_equal(again.members, report->members);
    assert_int_equal(again.bits_members, report->bits_members);
    size_t n = patch.n;
    buffer_free(&patch);
    buffer_free(&made);
    return n;
}

static void an_edited_page_costs_little(void **state)
{
    static const int levels[] = {1, 6, 9};
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        struct image *a = make_image(0, GZIP, levels[l]);
        struct image *b = make_image(500, GZIP, levels[l]);
        struct diff_options options;
        struct diff_report report;
        diff_defaults(&options);
        size_t with = patch_of(a, b, &options, &report);
        assert_int_equal(report.members, 1);
        assert_true(report.info.deflate);
        assert_true(report.info.ram <= options.ram);
        options.no_deflate = true;
        size_t without = patch_of(a, b, &options, &report);
        assert_int_equal(report.members, 0);
        assert_false(report.info.deflate);
        assert_true(with * 10 < without);
        free(a);
        free(b);
    }
}

static void too_little_memory_leaves_members_alone(void **state)
{
    struct image *a = make_image(0, ZLIB, 9);
    struct image *b = make_image(500, ZLIB, 9);
    struct diff_options options;
    struct diff_report report;
    (void)state;
    diff_defaults(&options);
    options.ram = 5 * 1024;
    (void)patch_of(a, b, &options, &report);
    assert_int_equal(report.members, 0);
    assert_true(report.info.ram <= options.ram);
    free(a);
    free(b);
}

/* --- the decoder, with members --- */

struct target {
    const struct image *old;
    struct image *now;
};

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct target *t = ctx;
    assert_true(offset <= t->old->n && n <= t->old->n - offset);
    memcpy(out, t->old->p + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct target *t = ctx;
    assert_true(offset <= t->now->n && n <= t->now->n - offset);
    memcpy(out, t->now->p + offset, n);
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct target *t = ctx;
    assert_true(n <= ROOM - t->now->n);
    memcpy(t->now->p + t->now->n, data, n);
    t->now->n += n;
    return BL_OK;
}

/* In portions; between calls the decoder's memory goes elsewhere. */
static bl_status apply_moving(const struct buffer *patch, size_t portion,
                              struct target *t)
{
    struct bl_delta_io io = {t, read_old, read_new, write_new};
    struct bl_delta_info info;
    struct bl_delta *d;
    bl_status status = bl_delta_head(patch->p, patch->n, &info);
    size_t at = 0;
    bool whole = false;
    uint64_t *memory;
    if (status != BL_OK) {
        return status;
    }
    memory = malloc(info.ram);
    assert_non_null(memory);
    status = bl_delta_start(&info, &io, (uint32_t)t->old->n, ROOM, memory,
                            info.ram, &d);
    while (status == BL_OK && !whole) {
        uint64_t *other = malloc(info.ram);
        size_t n = patch->n - at < portion ? patch->n - at : portion;
        size_t taken = 0;
        assert_non_null(other);
        memcpy(other, memory, info.ram);
        memset(memory, 0x5A, info.ram);
        free(memory);
        memory = other;
        status = bl_delta_resume(memory, info.ram, &io, &d);
        if (status == BL_OK) {
            status = at == patch->n
                         ? bl_delta_end(d, &whole)
                         : bl_delta_data(d, patch->p + at, n, &taken);
        }
        at += taken;
    }
    free(memory);
    return status;
}

static void make_patch(const struct image *a, const struct image *b,
                       struct buffer *patch)
{
    struct diff_options options;
    struct error error = {0};
    diff_defaults(&options);
    assert_int_equal(
        diff_make(a->p, a->n, b->p, b->n, &options, patch, NULL, &error), 0);
}

static void members_survive_any_portion_and_a_dump_of_memory(void **state)
{
    struct image *a = make_image(0, GZIP, 9);
    struct image *b = make_image(500, GZIP, 9);
    struct image *made = calloc(1, sizeof *made);
    struct buffer patch = BUFFER(SIZE_MAX);
    struct target t = {a, made};
    (void)state;
    assert_non_null(made);
    make_patch(a, b, &patch);
    for (size_t portion = 1; portion < 200; portion = portion * 3 + 1) {
        made->n = 0;
        assert_int_equal(apply_moving(&patch, portion, &t), BL_OK);
        assert_int_equal(made->n, b->n);
        assert_memory_equal(made->p, b->p, b->n);
    }
    buffer_free(&patch);
    free(a);
    free(b);
    free(made);
}

/* Every access is checked by the target; the outcome is any status. */
static void flipped_bits_of_a_patch_with_members_end(void **state)
{
    struct image *a = make_image(0, GZIP, 9);
    struct image *b = make_image(500, GZIP, 9);
    struct image *made = calloc(1, sizeof *made);
    struct buffer patch = BUFFER(SIZE_MAX);
    struct target t = {a, made};
    struct dice d = {77};
    (void)state;
    assert_non_null(made);
    make_patch(a, b, &patch);
    for (int k = 0; k < 150; k++) {
        size_t at = dice_roll(&d, (uint32_t)patch.n);
        uint8_t kept = patch.p[at];
        patch.p[at] ^= (uint8_t)(1U << dice_roll(&d, 8));
        made->n = 0;
        bl_status status = apply_moving(&patch, patch.n, &t);
        assert_true(status != BL_OK || made->n <= ROOM);
        patch.p[at] = kept;
    }
    buffer_free(&patch);
    free(a);
    free(b);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_and_zlib_members_are_found),
        cmocka_unit_test(a_damaged_member_is_none),
        cmocka_unit_test(members_pair_with_what_they_were),
        cmocka_unit_test(an_edited_page_costs_little),
        cmocka_unit_test(too_little_memory_leaves_members_alone),
        cmocka_unit_test(members_survive_any_portion_and_a_dump_of_memory),
        cmocka_unit_test(flipped_bits_of_a_patch_with_members_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
