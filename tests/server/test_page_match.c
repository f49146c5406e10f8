/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"
#include "support/cmocka_all.h"

static void gzip_is_sent_only_to_who_takes_it(void **state)
{
    (void)state;
    assert_true(page_takes_gzip("gzip"));
    assert_true(page_takes_gzip("br, deflate , GZip;q=0.5"));
    assert_true(page_takes_gzip("deflate,gzip; q=1"));
    assert_false(page_takes_gzip(NULL));
    assert_false(page_takes_gzip(""));
    assert_false(page_takes_gzip("br, gzipped"));
    assert_false(page_takes_gzip("gzip;q=0"));
    assert_false(page_takes_gzip("gzip; q=0.000, br"));
    assert_false(page_takes_gzip(",, ,"));
}

static void a_tag_is_found_in_a_list_weak_or_not(void **state)
{
    (void)state;
    assert_true(page_same("W/\"ab\"", "W/\"ab\""));
    assert_true(page_same("\"ab\"", "W/\"ab\""));
    assert_true(page_same("\"x\", W/\"ab\" , \"y\"", "W/\"ab\""));
    assert_true(page_same("*", "W/\"ab\""));
    assert_false(page_same(NULL, "W/\"ab\""));
    assert_false(page_same("", "W/\"ab\""));
    assert_false(page_same("\"abc\"", "W/\"ab\""));
    assert_false(page_same("ab", "W/\"ab\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_is_sent_only_to_who_takes_it),
        cmocka_unit_test(a_tag_is_found_in_a_list_weak_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
