/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "suggest.h"

static const char *nearest(const char *typed)
{
    static const char *const words[] = {"start", "status", "pause", "list"};
    struct suggest s = {typed, NULL, 0, 0};
    size_t i;

    for (i = 0; i < 4; i++) {
        suggest_offer(&s, words[i], strlen(words[i]));
    }
    return s.word == NULL ? "" : s.word;
}

static void suggest_finds_a_swap_a_loss_and_a_change(void **state)
{
    (void)state;
    assert_string_equal(nearest("strat"), "start");
    assert_string_equal(nearest("statu"), "status");
    assert_string_equal(nearest("pauze"), "pause");
    assert_string_equal(nearest("lists"), "list");
}

static void suggest_is_silent_about_other_words(void **state)
{
    char longer[200];

    (void)state;
    memset(longer, 's', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_string_equal(nearest("frob"), "");
    assert_string_equal(nearest(""), "");
    assert_string_equal(nearest("l"), "");
    assert_string_equal(nearest(longer), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suggest_finds_a_swap_a_loss_and_a_change),
        cmocka_unit_test(suggest_is_silent_about_other_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
