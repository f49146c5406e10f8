/* SPDX-License-Identifier: Apache-2.0 */
/* How often a refusal is logged. */
#include "support/cmocka_all.h"

#include "rate.h"

enum { SECOND = 1000000 };

static uint32_t use(struct rate *r, uint64_t now_us, uint32_t times)
{
    uint32_t allowed = 0;
    uint32_t left_out;

    for (uint32_t i = 0; i < times; i++) {
        allowed += rate_allows(r, now_us, &left_out);
    }
    return allowed;
}

static void a_few_at_once_then_one_in_a_while(void **state)
{
    struct rate r;
    uint64_t now = 5 * (uint64_t)SECOND;

    (void)state;
    rate_init(&r);
    assert_int_equal(use(&r, now, 100), RATE_AT_ONCE);
    now += RATE_SECONDS * SECOND - 1;
    assert_int_equal(use(&r, now, 5), 0);
    now += 1;
    assert_int_equal(use(&r, now, 5), 1);
    now += 3 * RATE_SECONDS * SECOND;
    assert_int_equal(use(&r, now, 100), 3);
    now += 1000 * (uint64_t)SECOND;
    assert_int_equal(use(&r, now, 100), RATE_AT_ONCE);
}

static void what_is_left_out_is_said_with_the_next(void **state)
{
    struct rate r;
    uint32_t left_out = 99;

    (void)state;
    rate_init(&r);
    assert_true(rate_allows(&r, 7, &left_out));
    assert_int_equal(left_out, 0);
    use(&r, 7, RATE_AT_ONCE - 1 + 25);
    assert_true(rate_allows(&r, 7 + RATE_SECONDS * SECOND, &left_out));
    assert_int_equal(left_out, 25);
    assert_true(rate_allows(&r, 7 + 2 * RATE_SECONDS * SECOND, &left_out));
    assert_int_equal(left_out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_at_once_then_one_in_a_while),
        cmocka_unit_test(what_is_left_out_is_said_with_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
