/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "host/buffer.h"
#include "host/error.h"
#include "host/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char folder[FILE_TEMP];

static const char *path(const char *name)
{
    static char text[4][FILE_TEMP + 64];
    static unsigned next;
    char *out = text[next++ % 4];

    (void)snprintf(out, sizeof text[0], "%s/%s", folder, name);
    return out;
}

static int make_folder(void **state)
{
    (void)state;
    return file_temp_folder("host", folder, NULL);
}

static int entries(const char *of)
{
    DIR *dir = opendir(of);
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        n++;
    }
    (void)closedir(dir);
    return n - 2;
}

static int remove_folder(void **state)
{
    char command[FILE_TEMP + 16];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* --- Errors
 * -------------------------------------------------------------------- */

static void error_gains_its_prefix_as_it_climbs(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_set(&err, "version is %d", 3), -1);
    assert_int_equal(error_prefix(&err, "thermostat.bin"), -1);
    assert_int_equal(error_prefix(&err, "%s", "release"), -1);
    assert_string_equal(err.text, "release: thermostat.bin: version is 3");
    assert_int_equal(err.status, BL_OK);
}

static void error_of_errno_names_text_and_number(void **state)
{
    struct error err;

    (void)state;
    errno = ENOENT;
    (void)error_errno(&err, "%s", "x");
    assert_string_equal(err.text, "x: No such file or directory (errno 2)");
    assert_int_equal(err.code, ENOENT);
}

static void error_of_a_status_names_it(void **state)
{
    struct error err;

    (void)state;
    (void)error_status(&err, BL_SEQUENCE_LOW, "offer");
    assert_int_equal(err.status, BL_SEQUENCE_LOW);
    assert_non_null(strstr(err.text, "offer: older than"));
    assert_non_null(strstr(err.text, "(sequence-low)"));
    (void)error_prefix(&err, "poll");
    assert_int_equal(err.status, BL_SEQUENCE_LOW);
}

static void error_longer_than_its_room_is_cut_not_overrun(void **state)
{
    struct error err;
    char text[1000];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    (void)error_set(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    (void)error_prefix(&err, "%s", "front");
    assert_memory_equal(err.text, "front: aaa", 10);
    (void)error_prefix(&err, "%s", text);
    (void)error_errno(&err, "%s", text);
    (void)error_status(&err, BL_FLASH, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void error_may_be_nobodys(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, "x"), -1);
    assert_int_equal(error_errno(NULL, "x"), -1);
    assert_int_equal(error_status(NULL, BL_FLASH, "x"), -1);
    assert_int_equal(error_prefix(NULL, "x"), -1);
}

/* --- Buffers
 * ------------------------------------------------------------------- */

static void buffer_takes_its_limit_and_no_byte_more(void **state)
{
    struct error err;
    size_t limit;

    (void)state;
    for (limit = 0; limit < 2000; limit += 37) {
        struct buffer b = BUFFER(limit);
        size_t i;

        for (i = 0; i < limit; i++) {
            assert_int_equal(buffer_append(&b, "x", 1, &err), 0);
            assert_int_equal(b.p[b.n], 0);
        }
        assert_int_equal(buffer_append(&b, "x", 1, &err), -1);
        assert_int_equal(buffer_printf(&b, &err, "%d", 1), -1);
        assert_int_equal(buffer_reserve(&b, 1, &err), -1);
        assert_int_equal(buffer_append(&b, "", 0, &err), 0);
        assert_int_equal(b.n, limit);
        buffer_free(&b);
        assert_null(b.p);
    }
}

static void buffer_refuses_sizes_that_would_wrap(void **state)
{
    struct buffer b = BUFFER(SIZE_MAX);

    (void)state;
    assert_int_equal(buffer_append(&b, "abc", 3, NULL), 0);
    assert_int_equal(buffer_reserve(&b, SIZE_MAX, NULL), -1);
    assert_int_equal(buffer_reserve(&b, SIZE_MAX - 3, NULL), -1);
    assert_int_equal(b.n, 3);
    assert_string_equal((char *)b.p, "abc");
    buffer_wipe(&b);
}

static void buffer_formats_and_clears(void **state)
{
    struct buffer b = BUFFER(1000);
    uint8_t *memory;
    int i;

    (void)state;
    for (i = 0; i < 50; i++) {
        assert_int_equal(buffer_printf(&b, NULL, "%02d,", i), 0);
    }
    assert_int_equal(b.n, 150);
    assert_memory_equal(b.p + 147, "49,", 4);
    memory = b.p;
    buffer_clear(&b);
    assert_ptr_equal(b.p, memory);
    assert_int_equal(buffer_span(&b).n, 0);
    assert_string_equal((char *)b.p, "");
    buffer_free(&b);
}

/* --- Files
 * --------------------------------------------------------------------- */

static void file_is_written_whole_and_read_back(void **state)
{
    struct buffer big = BUFFER(200000);
    struct buffer back = BUFFER(200000);
    struct error err;
    struct stat st;
    int i;

    (void)state;
    for (i = 0; i < 200000; i++) {
        assert_int_equal(buffer_append(&big, &i, 1, &err), 0);
    }
    assert_int_equal(file_write(path("big"), buffer_span(&big), 0640, &err),
                     0);
    assert_int_equal(stat(path("big"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(file_read(path("big"), &back, &err), 0);
    assert_int_equal(back.n, big.n);
    assert_memory_equal(back.p, big.p, big.n);
    buffer_free(&big);
    buffer_free(&back);
}

static void file_over_the_limit_is_refused_and_leaves_the_buffer(void **state)
{
    struct buffer b = BUFFER(10);
    struct error err;

    (void)state;
    assert_int_equal(
        file_write(path("nine"), bl_span_of("123456789", 9), 0600, &err), 0);
    assert_int_equal(buffer_append(&b, "ab", 2, &err), 0);
    assert_int_equal(file_read(path("nine"), &b, &err), -1);
    assert_non_null(strstr(err.text, "nine: larger than"));
    assert_int_equal(b.n, 2);
    assert_string_equal((char *)b.p, "ab");
    buffer_clear(&b);
    assert_int_equal(buffer_append(&b, "a", 1, &err), 0);
    assert_int_equal(file_read(path("nine"), &b, &err), 0); /* just fits */
    assert_string_equal((char *)b.p, "a123456789");
    buffer_free(&b);
}

/* What fails leaves the old file and nothing beside it. */
static void failed_write_leaves_the_old_file(void **state)
{
    struct error err;
    struct buffer b = BUFFER(10);
    int before;

    (void)state;
    assert_int_equal(mkdir(path("dir"), 0700), 0);
    assert_int_equal(mkdir(path("dir/target"), 0700), 0);
    assert_int_equal(
        file_write(path("dir/keep"), bl_span_of("old", 3), 0600, &err), 0);
    before = entries(path("dir"));
    /* a folder stands where the file should be: rename fails */
    assert_int_equal(
        file_write(path("dir/target"), bl_span_of("new", 3), 0600, &err), -1);
    assert_non_null(strstr(err.text, "cannot replace"));
    assert_int_equal(entries(path("dir")), before);
    assert_int_equal(
        file_write(path("none/x"), bl_span_of("new", 3), 0600, &err), -1);
    assert_int_equal(file_read(path("dir/keep"), &b, &err), 0);
    assert_string_equal((char *)b.p, "old");
    buffer_free(&b);
}

/* A reader at any moment sees the old content or the new one, never a part. */
static void readers_see_old_or_new_never_a_part(void **state)
{
    struct buffer one = BUFFER(65536);
    struct buffer seen = BUFFER(65536);
    char letter;
    int fd;
    int i;

    (void)state;
    for (i = 0; i < 65536; i++) {
        assert_int_equal(buffer_append(&one, "a", 1, NULL), 0);
    }
    assert_int_equal(file_write(path("atomic"), buffer_span(&one), 0600, NULL),
                     0);
    fd = open(path("atomic"), O_RDONLY); /* the old one, held open */
    assert_true(fd >= 0);
    memset(one.p, 'b', one.n);
    assert_int_equal(file_write(path("atomic"), buffer_span(&one), 0600, NULL),
                     0);
    assert_int_equal(file_read(path("atomic"), &seen, NULL), 0);
    assert_memory_equal(seen.p, one.p, one.n);
    for (i = 0; i < 65536; i++) {
        assert_int_equal(read(fd, &letter, 1), 1);
        assert_int_equal(letter, 'a');
    }
    (void)close(fd);
    buffer_free(&one);
    buffer_free(&seen);
}

static void created_file_never_replaces_another(void **state)
{
    struct buffer b = BUFFER(10);
    struct error err;
    struct stat st;

    (void)state;
    assert_int_equal(
        file_create(path("new"), bl_span_of("one", 3), 0600, &err), 0);
    assert_int_equal(stat(path("new"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(
        file_create(path("new"), bl_span_of("two", 3), 0600, &err), -1);
    assert_non_null(strstr(err.text, "never replaced"));
    assert_int_equal(file_read(path("new"), &b, &err), 0);
    assert_string_equal((char *)b.p, "one");
    buffer_free(&b);
}

static void temporary_folders_are_where_tmpdir_says(void **state)
{
    const char *was = getenv("TMPDIR");
    char *kept = was == NULL ? NULL : strdup(was);
    char long_name[2 * FILE_TEMP] = "";
    char made[FILE_TEMP];
    struct stat st;
    struct error err;

    (void)state;
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    assert_int_equal(file_temp_folder("x", made, &err), 0);
    assert_memory_equal(made, folder, strlen(folder));
    assert_memory_equal(made + strlen(folder), "/bowline-x-", 11);
    assert_int_equal(stat(made, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(rmdir(made), 0);
    assert_int_equal(setenv("TMPDIR", path("nowhere"), 1), 0);
    assert_int_equal(file_temp_folder("x", made, &err), -1);
    assert_non_null(strstr(err.text, "nowhere (TMPDIR)"));
    memset(long_name, 'a', sizeof long_name - 1);
    assert_int_equal(setenv("TMPDIR", long_name, 1), 0);
    assert_int_equal(file_temp_folder("x", made, &err), -1);
    assert_int_equal(
        kept == NULL ? unsetenv("TMPDIR") : setenv("TMPDIR", kept, 1), 0);
    free(kept);
}

static void folders_are_made_on_the_way(void **state)
{
    struct error err;
    struct stat st;

    (void)state;
    assert_int_equal(file_make_dirs(path("a/b/c"), 0700, &err), 0);
    assert_int_equal(file_make_dirs(path("a/b/c"), 0700, &err), 0);
    assert_int_equal(file_make_dirs(path("a/b/d/"), 0700, &err), 0);
    assert_int_equal(stat(path("a/b/c"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(file_write(path("a/file"), bl_span_of("", 0), 0600, &err),
                     0);
    assert_int_equal(file_make_dirs(path("a/file"), 0700, &err), -1);
    assert_int_equal(file_make_dirs(path("a/file/b"), 0700, &err), -1);
}

static void digest_of_a_file_is_sha256(void **state)
{
    uint8_t digest[32];
    char text[65];
    uint64_t size = 0;
    struct error err;

    (void)state;
    assert_int_equal(file_write(path("abc"), bl_span_of("abc", 3), 0600, &err),
                     0);
    assert_int_equal(file_sha256(path("abc"), digest, &size, &err), 0);
    hex_encode(digest, 32, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223"
                              "b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(size, 3);
    assert_int_equal(file_sha256(path("no"), digest, &size, &err), -1);
    assert_int_equal(file_sha256(folder, digest, &size, &err), -1);
}

static void hex_takes_exactly_its_digits(void **state)
{
    uint8_t bytes[3];
    char text[7];

    (void)state;
    assert_int_equal(hex_decode("00Ffa5", 6, bytes, 3), 0);
    hex_encode(bytes, 3, text);
    assert_string_equal(text, "00ffa5");
    assert_int_equal(hex_decode("00ffa", 5, bytes, 3), -1);
    assert_int_equal(hex_decode("00ffa50", 7, bytes, 3), -1);
    assert_int_equal(hex_decode("00ffg5", 6, bytes, 3), -1);
    assert_int_equal(hex_decode("00ff 5", 6, bytes, 3), -1);
    assert_int_equal(hex_decode("", 0, bytes, 0), 0);
    assert_int_equal(hex_decode("", 0, bytes, SIZE_MAX / 2 + 1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_gains_its_prefix_as_it_climbs),
        cmocka_unit_test(error_of_errno_names_text_and_number),
        cmocka_unit_test(error_of_a_status_names_it),
        cmocka_unit_test(error_longer_than_its_room_is_cut_not_overrun),
        cmocka_unit_test(error_may_be_nobodys),
        cmocka_unit_test(buffer_takes_its_limit_and_no_byte_more),
        cmocka_unit_test(buffer_refuses_sizes_that_would_wrap),
        cmocka_unit_test(buffer_formats_and_clears),
        cmocka_unit_test(file_is_written_whole_and_read_back),
        cmocka_unit_test(file_over_the_limit_is_refused_and_leaves_the_buffer),
        cmocka_unit_test(failed_write_leaves_the_old_file),
        cmocka_unit_test(readers_see_old_or_new_never_a_part),
        cmocka_unit_test(created_file_never_replaces_another),
        cmocka_unit_test(temporary_folders_are_where_tmpdir_says),
        cmocka_unit_test(folders_are_made_on_the_way),
        cmocka_unit_test(digest_of_a_file_is_sha256),
        cmocka_unit_test(hex_takes_exactly_its_digits),
    };

    return cmocka_run_group_tests_name("host/base", tests, make_folder,
                                       remove_folder);
}
