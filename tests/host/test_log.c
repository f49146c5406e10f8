/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "host/log.h"
#include "host/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int ends[2];
static char line[8192];

/* What the last call wrote, behind the time, which is checked for its form. */
static const char *logged(bool json)
{
    ssize_t n = read(ends[0], line, sizeof line - 1);
    const char *shape = json ? "{\"time\":\"dddd-dd-ddTdd:dd:dd.dddZ\","
                             : "time=dddd-dd-ddTdd:dd:dd.dddZ ";
    size_t i;

    assert_true(n > 0);
    line[n] = 0;
    assert_int_equal(line[n - 1], '\n');
    assert_ptr_equal(strchr(line, '\n'), line + n - 1); /* one line */
    for (i = 0; i < strlen(shape); i++) {
        if (shape[i] == 'd') {
            assert_in_range(line[i], '0', '9');
        } else if (shape[i] != line[i]) {
            fail_msg("%s", line);
        }
    }
    line[n - 1] = 0;
    return line + strlen(shape);
}

static int open_pipe(void **state)
{
    (void)state;
    return pipe(ends);
}

static void logfmt_line_has_its_fields_in_order(void **state)
{
    const uint8_t id[4] = {0x0e, 0x8f, 0, 1};

    (void)state;
    log_configure(LOG_INFO, false, ends[1]);
    log_info("poll", LOG_HEX("device", id, 4), LOG_INT("status", -200),
             LOG_TEXT("path", "/d/v1/poll"), LOG_TEXT("none", NULL),
             LOG_TEXT("empty", ""), LOG_TEXT("note", "two words"));
    assert_string_equal(logged(false),
                        "level=info event=poll device=0e8f0001 status=-200 "
                        "path=/d/v1/poll empty=\"\" note=\"two words\"");
}

static void json_line_is_one_object(void **state)
{
    (void)state;
    log_configure(LOG_INFO, true, ends[1]);
    log_warning("late", LOG_TEXT("who", "a\"b"), LOG_INT("n", 5));
    assert_string_equal(logged(true), "\"level\":\"warning\",\"event\":"
                                      "\"late\",\"who\":\"a\\\"b\",\"n\":5}");
}

static void value_cannot_forge_a_line_or_move_the_cursor(void **state)
{
    (void)state;
    log_configure(LOG_INFO, false, ends[1]);
    log_error("x", LOG_TEXT("a", "1\nlevel=info"),
              LOG_TEXT("b", "\033[2J\x7f"), LOG_TEXT("c", "\xc2\x9b"),
              LOG_TEXT("d", "\xff\xc0\x80"), LOG_TEXT("e", "gr\xc3\xbc"),
              LOG_TEXT("f", "\\"), LOG_TEXT("g", "k=v"));
    assert_string_equal(
        logged(false),
        "level=error event=x a=\"1\\nlevel=info\" b=\"\\u001b[2J\\u007f\" "
        "c=\"\\u009b\" d=\"\\ufffd\\ufffd\\ufffd\" e=\"gr\xc3\xbc\" "
        "f=\"\\\\\" g=\"k=v\"");
}

static void field_that_does_not_fit_is_left_out_whole(void **state)
{
    char *text = malloc(6000);
    int json;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 5999);
    text[5999] = 0;
    for (json = 0; json < 2; json++) {
        log_configure(LOG_INFO, json == 1, ends[1]);
        log_info("big", LOG_INT("n", 1), LOG_TEXT("t", text), LOG_INT("m", 2));
        assert_string_equal(
            logged(json == 1),
            json == 1 ? "\"level\":\"info\",\"event\":\"big\",\"n\":1,"
                        "\"cut\":true}"
                      : "level=info event=big n=1 cut=true");
    }
    free(text);
}

static void level_below_the_chosen_one_is_silent(void **state)
{
    enum log_level level;

    (void)state;
    assert_int_equal(log_level_parse("warning", &level), 0);
    assert_int_equal(level, LOG_WARNING);
    assert_int_equal(log_level_parse("loud", &level), -1);
    log_configure(level, false, ends[1]);
    log_info("hidden", LOG_INT("n", 1));
    log_debug("hidden", LOG_INT("n", 1));
    log_error("seen", LOG_INT("n", 1));
    assert_string_equal(logged(false), "level=error event=seen n=1");
}

/* --- Progress
 * ------------------------------------------------------------------ */

static void bar_fills_the_width_and_tells_rate_and_rest(void **state)
{
    struct progress p = {.terminal = true, .width = 79, .bytes = true};
    char text[256];

    (void)state;
    (void)strcpy(p.name, "upload app.bin");
    progress_format(&p, 10000, 1000000, 4000000, text, sizeof text);
    assert_string_equal(text, "upload app.bin  [######..................."
                              "..]  25%  1.0 MB  100 kB/s  30s left");
    assert_int_equal(strlen(text), 78);
    progress_format(&p, 10000, 5000000, 4000000, text, sizeof text);
    assert_non_null(strstr(text, "#] 100%  4.0 MB"));
}

static void narrow_terminal_and_file_get_no_bar(void **state)
{
    struct progress p = {.terminal = true, .width = 30, .bytes = false};
    char text[256];

    (void)state;
    (void)strcpy(p.name, "make key");
    progress_format(&p, 100, 3, 32, text, sizeof text);
    assert_string_equal(text, "make key    9%  3");
    p.terminal = false;
    p.width = 80;
    progress_format(&p, 7200000, 3, 32, text, sizeof text);
    assert_null(strchr(text, '['));
    progress_format(&p, 0, 3, 0, text, sizeof text);
    assert_string_equal(text, "make key   3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt_line_has_its_fields_in_order),
        cmocka_unit_test(json_line_is_one_object),
        cmocka_unit_test(value_cannot_forge_a_line_or_move_the_cursor),
        cmocka_unit_test(field_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(level_below_the_chosen_one_is_silent),
        cmocka_unit_test(bar_fills_the_width_and_tells_rate_and_rest),
        cmocka_unit_test(narrow_terminal_and_file_get_no_bar),
    };

    return cmocka_run_group_tests_name("host/log", tests, open_pipe, NULL);
}
