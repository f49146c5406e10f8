/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of bytes, as clients write them. */
#include "support/cmocka_all.h"

#include "range.h"

static void part(const char *text, uint64_t from, uint64_t n)
{
    struct range r;

    assert_int_equal(range_read(text, 100, &r), RANGE_PART);
    assert_int_equal(r.from, from);
    assert_int_equal(r.n, n);
}

static void one_range_of_bytes_is_a_part(void **state)
{
    (void)state;
    part("bytes=0-0", 0, 1);
    part("bytes=0-99", 0, 100);
    part("bytes=7-", 7, 93);
    part("bytes=99-", 99, 1);
    part("BYTES=5-6", 5, 2);
    part("bytes=-1", 99, 1);
    part("bytes=-1000", 0, 100);
}

static void an_end_behind_the_last_byte_is_cut(void **state)
{
    (void)state;
    part("bytes=90-100", 90, 10);
    part("bytes=90-999999999999999999", 90, 10);
}

static void only_who_leaves_the_end_open_goes_on(void **state)
{
    struct range r;

    (void)state;
    range_read("bytes=7-", 100, &r);
    assert_true(r.open);
    range_read("bytes=7-99", 100, &r);
    assert_false(r.open);
    range_read("bytes=-7", 100, &r);
    assert_false(r.open);
}

static void what_is_no_range_is_the_whole(void **state)
{
    static const char *const text[] = {"",
                                       "bytes",
                                       "bytes=",
                                       "bytes=-",
                                       "bytes=a-",
                                       "bytes=1",
                                       "bytes=2-1",
                                       "bytes=1-2,4-5",
                                       "bytes=1-2 ",
                                       "bytes= 1-2",
                                       "bytes=1--2",
                                       "lines=1-2",
                                       "bytes=--1",
                                       "bytes=0x1-2",
                                       "bytes=+1-2",
                                       "bytes=1-2-3",
                                       "bytes=\xff",
                                       "bytes=1-1111111111111111111111111",
                                       "bytes=1111111111111111111111111-"};
    struct range r;

    (void)state;
    assert_int_equal(range_read(NULL, 100, &r), RANGE_WHOLE);
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        assert_int_equal(range_read(text[i], 100, &r), RANGE_WHOLE);
        assert_int_equal(r.from, 0);
        assert_int_equal(r.n, 100);
        assert_false(r.open);
    }
}

static void what_begins_behind_the_end_is_beyond(void **state)
{
    struct range r;

    (void)state;
    assert_int_equal(range_read("bytes=100-", 100, &r), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=100-200", 100, &r), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=-0", 100, &r), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=0-", 0, &r), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=-5", 0, &r), RANGE_BEYOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_of_bytes_is_a_part),
        cmocka_unit_test(an_end_behind_the_last_byte_is_cut),
        cmocka_unit_test(only_who_leaves_the_end_open_goes_on),
        cmocka_unit_test(what_is_no_range_is_the_whole),
        cmocka_unit_test(what_begins_behind_the_end_is_beyond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
