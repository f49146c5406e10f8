/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECOND = 1000000 };

static const struct throttle_rule rule = {'t', 3, 10};
static const struct throttle_rule other = {'o', 3, 10};

static int set_up(void **state)
{
    struct throttle *t = calloc(1, sizeof *t);

    throttle_init(t);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void use_up(struct throttle *t, const char *key, uint64_t now)
{
    while (throttle_take(t, &rule, key, now) == 0) {
    }
}

static void a_few_at_once_then_one_in_a_while(void **state)
{
    struct throttle *t = *state;
    uint64_t now = 1000 * (uint64_t)SECOND;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(throttle_take(t, &rule, "a", now), 0);
    }
    assert_int_equal(throttle_take(t, &rule, "a", now), 10);
    assert_int_equal(throttle_take(t, &rule, "a", now + 4 * SECOND), 6);
    assert_int_equal(throttle_take(t, &rule, "a", now + 10 * SECOND), 0);
    assert_int_equal(throttle_take(t, &rule, "a", now + 11 * SECOND), 9);
    /* All of it is back after long. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(throttle_take(t, &rule, "a", now + 999 * SECOND), 0);
    }
    assert_int_not_equal(throttle_take(t, &rule, "a", now + 999 * SECOND), 0);
}

static void keys_and_kinds_are_apart(void **state)
{
    struct throttle *t = *state;

    use_up(t, "a", SECOND);
    assert_int_equal(throttle_take(t, &rule, "b", SECOND), 0);
    assert_int_equal(throttle_take(t, &other, "a", SECOND), 0);
}

static void what_is_given_back_may_be_taken(void **state)
{
    struct throttle *t = *state;

    use_up(t, "a", SECOND);
    throttle_give_back(t, &rule, "a", SECOND);
    assert_int_equal(throttle_take(t, &rule, "a", SECOND), 0);
    assert_int_not_equal(throttle_take(t, &rule, "a", SECOND), 0);
    throttle_give_back(t, &rule, "unknown", SECOND);
    assert_int_equal(throttle_take(t, &rule, "unknown", SECOND), 0);
}

/* Who floods it with names does not wash out what somebody has used up: the
 * least used are forgotten first. */
static void a_flood_of_keys_forgets_the_least_used(void **state)
{
    struct throttle *t = *state;
    char key[32];

    use_up(t, "guessed", SECOND);
    for (int i = 0; i < 40 * THROTTLE_SETS; i++) {
        snprintf(key, sizeof key, "flood %d", i);
        throttle_take(t, &rule, key, SECOND);
    }
    assert_int_not_equal(throttle_take(t, &rule, "guessed", SECOND), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_few_at_once_then_one_in_a_while),
        CASE(keys_and_kinds_are_apart),
        CASE(what_is_given_back_may_be_taken),
        CASE(a_flood_of_keys_forgets_the_least_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
