/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/file.h"
#include "posix/flash_file.h"

enum { SIZE = 4096, BLOCK = 1024, UNIT = 8 };

static const struct flash_geometry geometry = {SIZE, BLOCK, UNIT};

struct fixture {
    char dir[FILE_TEMP];
    char path[FILE_TEMP + 16];
    struct flash_file file;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(file_temp_folder("flash", f->dir, NULL), 0);
    (void)snprintf(f->path, sizeof f->path, "%s/flash.bin", f->dir);
    assert_int_equal(flash_file_create(f->path, SIZE, NULL), 0);
    assert_int_equal(flash_file_open(&f->file, f->path, &geometry, NULL), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char cut[FILE_TEMP + 16];

    flash_file_close(&f->file);
    (void)snprintf(cut, sizeof cut, "%s/cut", f->dir);
    (void)unlink(cut);
    (void)unlink(f->path);
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

static bl_status wr(struct fixture *f, uint32_t at, const void *p, uint32_t n)
{
    return f->file.flash.write(f->file.flash.ctx, at, p, n);
}

static bl_status er(struct fixture *f, uint32_t at, uint32_t n)
{
    return f->file.flash.erase(f->file.flash.ctx, at, n);
}

static void expect_bytes(struct fixture *f, uint32_t at, int value, uint32_t n)
{
    uint8_t got[SIZE];

    assert_true(n <= SIZE);
    assert_int_equal(f->file.flash.read(f->file.flash.ctx, at, got, n), BL_OK);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(got[i], value);
    }
}

static void a_new_chip_is_erased(void **state)
{
    expect_bytes(*state, 0, 0xFF, SIZE);
}

static void a_chip_is_never_made_over_another(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};

    assert_int_equal(flash_file_create(f->path, SIZE, &err), -1);
    assert_non_null(strstr(err.text, f->path));
}

static void a_chip_of_another_size_is_refused(void **state)
{
    struct fixture *f = *state;
    struct flash_geometry other = {SIZE * 2, BLOCK, UNIT};
    struct flash_file file;

    assert_int_equal(flash_file_open(&file, f->path, &other, NULL), -1);
}

static void impossible_geometry_is_refused(void **state)
{
    static const struct flash_geometry bad[] = {
        {SIZE, 1000, UNIT}, {SIZE, 128, UNIT}, {SIZE, BLOCK, 512},
        {SIZE, BLOCK, 3},   {SIZE, BLOCK, 0},  {SIZE + 8, BLOCK, UNIT},
    };
    struct fixture *f = *state;
    struct flash_file file;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(flash_file_open(&file, f->path, &bad[i], NULL), -1);
    }
}

static void written_bytes_are_read_back(void **state)
{
    struct fixture *f = *state;
    uint8_t data[16];

    memset(data, 0xA5, sizeof data);
    assert_int_equal(wr(f, 8, data, 16), BL_OK);
    assert_int_equal(f->file.flash.sync(f->file.flash.ctx), BL_OK);
    expect_bytes(f, 0, 0xFF, 8);
    expect_bytes(f, 8, 0xA5, 16);
    expect_bytes(f, 24, 0xFF, SIZE - 24);
}

static void a_unit_that_is_not_erased_is_not_written(void **state)
{
    struct fixture *f = *state;
    uint8_t data[24];

    memset(data, 0x00, sizeof data);
    assert_int_equal(wr(f, 8, data, 8), BL_OK);
    memset(data, 0x11, sizeof data);
    assert_int_equal(wr(f, 8, data, 8), BL_FLASH);
    assert_int_equal(wr(f, 0, data, 24), BL_FLASH);
    expect_bytes(f, 0, 0xFF, 8);
    expect_bytes(f, 8, 0x00, 8);
    expect_bytes(f, 16, 0xFF, 8);
}

static void half_units_are_not_written(void **state)
{
    struct fixture *f = *state;
    uint8_t data[16] = {0};

    assert_int_equal(wr(f, 4, data, 8), BL_FLASH);
    assert_int_equal(wr(f, 8, data, 4), BL_FLASH);
}

static void erase_takes_whole_blocks_and_no_others(void **state)
{
    struct fixture *f = *state;
    uint8_t data[SIZE];

    memset(data, 0x42, sizeof data);
    assert_int_equal(wr(f, 0, data, SIZE), BL_OK);
    assert_int_equal(er(f, 1, BLOCK), BL_FLASH);
    assert_int_equal(er(f, 0, BLOCK - 8), BL_FLASH);
    assert_int_equal(er(f, BLOCK, BLOCK), BL_OK);
    expect_bytes(f, 0, 0x42, BLOCK);
    expect_bytes(f, BLOCK, 0xFF, BLOCK);
    expect_bytes(f, 2 * BLOCK, 0x42, 2 * BLOCK);
    assert_int_equal(wr(f, BLOCK, data, 8), BL_OK);
}

static void nothing_outside_the_chip_is_touched(void **state)
{
    struct fixture *f = *state;
    uint8_t data[16] = {0};

    assert_int_equal(wr(f, SIZE - 8, data, 16), BL_FLASH);
    assert_int_equal(wr(f, 0xFFFFFFF8U, data, 16), BL_FLASH);
    assert_int_equal(er(f, SIZE, BLOCK), BL_FLASH);
    assert_int_equal(er(f, 0xFFFFFC00U, BLOCK), BL_FLASH);
    assert_int_equal(f->file.flash.read(f->file.flash.ctx, SIZE - 8, data, 16),
                     BL_FLASH);
}

/* --- Power cuts ------------------------------------------------------------
 */

static void set_cut(struct fixture *f, uint32_t after, uint32_t from,
                    enum flash_cut_kind kind)
{
    struct flash_cut cut = {after, from, kind};

    assert_int_equal(flash_cut_set(f->dir, &cut, NULL), 0);
}

/* Erases block 0, writes 32 bytes at 0 and 64 in a process that may die. */
static bool survives(struct fixture *f)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        uint8_t data[32] = {0};

        _exit(er(f, 0, BLOCK) == BL_OK && wr(f, 0, data, 32) == BL_OK &&
                      wr(f, 64, data, 32) == BL_OK
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return false;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void without_a_cut_the_power_stays(void **state)
{
    assert_true(survives(*state));
    expect_bytes(*state, 0, 0, 32);
    expect_bytes(*state, 64, 0, 32);
}

static void cut_absent_leaves_the_operation_undone(void **state)
{
    set_cut(*state, 1, 0, FLASH_CUT_ABSENT);
    assert_false(survives(*state));
    expect_bytes(*state, 0, 0xFF, 128);
}

static void cut_partial_leaves_half_and_one_undefined_unit(void **state)
{
    set_cut(*state, 1, 0, FLASH_CUT_PARTIAL);
    assert_false(survives(*state));
    expect_bytes(*state, 0, 0, 16);
    expect_bytes(*state, 16, 0x5A, UNIT);
    expect_bytes(*state, 24, 0xFF, 104);
}

static void cut_complete_leaves_the_operation_done(void **state)
{
    set_cut(*state, 1, 0, FLASH_CUT_COMPLETE);
    assert_false(survives(*state));
    expect_bytes(*state, 0, 0, 32);
    expect_bytes(*state, 32, 0xFF, 96);
}

static void cut_partial_of_an_erase_leaves_old_bytes(void **state)
{
    struct fixture *f = *state;
    uint8_t data[BLOCK] = {0};

    assert_int_equal(wr(f, 0, data, BLOCK), BL_OK);
    set_cut(f, 0, 0, FLASH_CUT_PARTIAL);
    assert_false(survives(f));
    expect_bytes(f, 0, 0xFF, BLOCK / 2);
    expect_bytes(f, BLOCK / 2, 0x5A, 1);
    expect_bytes(f, BLOCK / 2 + 1, 0, BLOCK / 2 - 1);
}

static void a_cut_happens_once(void **state)
{
    set_cut(*state, 2, 0, FLASH_CUT_PARTIAL);
    assert_false(survives(*state));
    assert_true(survives(*state));
}

static void a_cut_counts_across_processes(void **state)
{
    set_cut(*state, 4, 0, FLASH_CUT_ABSENT);
    assert_true(survives(*state)); /* three operations */
    assert_false(survives(*state));
    expect_bytes(*state, 0, 0xFF, 128);
}

static void a_cut_counts_only_from_its_offset_on(void **state)
{
    set_cut(*state, 0, 64, FLASH_CUT_ABSENT);
    assert_false(survives(*state));
    expect_bytes(*state, 0, 0, 32);
    expect_bytes(*state, 64, 0xFF, 32);
}

static void kinds_are_read_by_their_names_only(void **state)
{
    enum flash_cut_kind kind = FLASH_CUT_ABSENT;

    (void)state;
    assert_int_equal(flash_cut_kind_parse("complete", &kind), 0);
    assert_int_equal(kind, FLASH_CUT_COMPLETE);
    assert_int_equal(flash_cut_kind_parse("completely", &kind), -1);
    assert_int_equal(flash_cut_kind_parse("", &kind), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_chip_is_erased),
        TEST(a_chip_is_never_made_over_another),
        TEST(a_chip_of_another_size_is_refused),
        TEST(impossible_geometry_is_refused),
        TEST(written_bytes_are_read_back),
        TEST(a_unit_that_is_not_erased_is_not_written),
        TEST(half_units_are_not_written),
        TEST(erase_takes_whole_blocks_and_no_others),
        TEST(nothing_outside_the_chip_is_touched),
        TEST(without_a_cut_the_power_stays),
        TEST(cut_absent_leaves_the_operation_undone),
        TEST(cut_partial_leaves_half_and_one_undefined_unit),
        TEST(cut_complete_leaves_the_operation_done),
        TEST(cut_partial_of_an_erase_leaves_old_bytes),
        TEST(a_cut_happens_once),
        TEST(a_cut_counts_across_processes),
        TEST(a_cut_counts_only_from_its_offset_on),
        TEST(kinds_are_read_by_their_names_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
