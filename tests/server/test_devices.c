/* SPDX-License-Identifier: Apache-2.0 */
/* The live table: many devices, found, removed, registered anew. */
#include "support/cmocka_all.h"

#include "devices.h"

enum { MANY = 50000 };

static struct device make(uint32_t number)
{
    struct device d;

    memset(&d, 0, sizeof d);
    d.number = number;
    /* Ids in a row: the worst that an operator may choose. */
    memcpy(d.id + 12, &number, sizeof number);
    return d;
}

static void many_devices_are_found_by_id_and_by_number(void **state)
{
    struct devices *t = devices_new();

    (void)state;
    for (uint32_t i = 1; i <= MANY; i++) {
        struct device d = make(i);

        assert_int_equal(devices_add(t, &d, NULL), 0);
    }
    assert_int_equal(devices_count(t), MANY);
    for (uint32_t i = 1; i <= MANY; i++) {
        struct device d = make(i);
        struct device *found = devices_lock(t, d.id);

        assert_non_null(found);
        assert_int_equal(found->number, i);
        devices_unlock(t, found);
        found = devices_lock_number(t, i);
        assert_non_null(found);
        devices_unlock(t, found);
    }
    devices_free(t);
}

static void a_removed_device_is_not_found_and_others_still_are(void **state)
{
    struct devices *t = devices_new();

    (void)state;
    for (uint32_t i = 1; i <= 5000; i++) {
        struct device d = make(i);

        assert_int_equal(devices_add(t, &d, NULL), 0);
    }
    for (uint32_t i = 1; i <= 5000; i += 2) {
        devices_remove_locked(t, devices_lock_number(t, i));
    }
    for (uint32_t i = 1; i <= 5000; i++) {
        struct device d = make(i);
        struct device *found = devices_lock(t, d.id);

        assert_int_equal(found != NULL, i % 2 == 0);
        if (found != NULL) {
            devices_unlock(t, found);
        }
    }
    assert_int_equal(devices_count(t), 2500);
    assert_null(devices_lock_number(t, 1));
    devices_free(t);
}

static void an_id_is_there_once(void **state)
{
    struct devices *t = devices_new();
    struct device d = make(1);
    struct error err;

    (void)state;
    assert_int_equal(devices_add(t, &d, NULL), 0);
    d.number = 2;
    assert_int_equal(devices_add(t, &d, &err), -1);
    assert_int_equal(devices_count(t), 1);
    devices_remove_locked(t, devices_lock_number(t, 1));
    assert_int_equal(devices_add(t, &d, NULL), 0);
    assert_null(devices_lock_number(t, 1));
    devices_unlock(t, devices_lock_number(t, 2));
    devices_free(t);
}

static void numbers_that_are_not_there_are_not_found(void **state)
{
    struct devices *t = devices_new();
    struct device d = make(5000);

    (void)state;
    assert_null(devices_lock(t, d.id));
    assert_null(devices_lock_number(t, 0));
    assert_null(devices_lock_number(t, 1));
    assert_int_equal(devices_add(t, &d, NULL), 0);
    assert_null(devices_lock_number(t, 1));
    assert_null(devices_lock_number(t, 4999));
    assert_null(devices_lock_number(t, UINT32_MAX));
    d.number = UINT32_MAX;
    assert_int_equal(devices_add(t, &d, NULL), -1);
    devices_free(t);
}

static void polls_that_cost_come_at_a_pace(void **state)
{
    const uint64_t second = 1000000;
    uint64_t now = 1000 * second;
    struct device d = {.number = 1};
    uint32_t wait_s = 0;

    (void)state;
    for (int i = 0; i < 60; i++) {
        assert_true(device_may_poll(&d, now, 60, &wait_s));
    }
    assert_false(device_may_poll(&d, now, 60, &wait_s));
    assert_int_equal(wait_s, 2);
    assert_false(device_may_poll(&d, now + second - 1, 60, &wait_s));
    assert_true(device_may_poll(&d, now + second, 60, &wait_s));
    assert_false(device_may_poll(&d, now + second, 60, &wait_s));
    /* One a second, for ever; then a minute's worth again. */
    for (int i = 2; i < 1000; i++) {
        assert_true(
            device_may_poll(&d, now + (uint64_t)i * second, 60, &wait_s));
    }
    now += 1100 * second;
    for (int i = 0; i < 60; i++) {
        assert_true(device_may_poll(&d, now, 60, &wait_s));
    }
    assert_false(device_may_poll(&d, now, 60, &wait_s));
    for (int i = 0; i < 1000; i++) {
        assert_true(device_may_poll(&d, now, 0, &wait_s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_that_cost_come_at_a_pace),
        cmocka_unit_test(many_devices_are_found_by_id_and_by_number),
        cmocka_unit_test(a_removed_device_is_not_found_and_others_still_are),
        cmocka_unit_test(an_id_is_there_once),
        cmocka_unit_test(numbers_that_are_not_there_are_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
