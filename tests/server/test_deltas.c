/* SPDX-License-Identifier: Apache-2.0 */
/* The table of patches: which one a device is offered, which is made next. */
#include "support/cmocka_all.h"

#include "deltas.h"

#include <stdlib.h>
#include <string.h>

enum { K12 = 2, K16 = 3, K32 = 4 };

static const struct delta_rules rules = {70, 2};
static const uint8_t base[32] = {1, 2, 3};
static const uint8_t target[32] = {4, 5, 6};

static struct delta *put(struct deltas *d, uint32_t number, uint8_t ram,
                         uint32_t size)
{
    struct delta *one = calloc(1, sizeof *one);

    assert_non_null(one);
    memcpy(one->base, base, 32);
    memcpy(one->target, target, 32);
    one->number = number;
    one->ram = ram;
    one->isas = 63;
    one->isa = BL_DELTA_THUMB;
    one->size = size;
    one->full = 1000;
    one->patch[0] = (uint8_t)number;
    atomic_store(&one->state, DELTA_READY);
    assert_int_equal(deltas_add(d, one), 0);
    return one;
}

/* The number of the patch that is offered; 0: none. */
static uint32_t offered(struct deltas *d, uint32_t ram, uint32_t isas)
{
    struct delta_ask ask = {base, target, ram, isas};
    struct delta_offer found = {0};

    return deltas_find(d, &ask, &found) ? found.number : 0;
}

static void classes_are_the_largest_that_fit(void **state)
{
    (void)state;
    assert_int_equal(delta_class(0), 0);
    assert_int_equal(delta_class(6143), 0);
    assert_int_equal(delta_class(6144), 1);
    assert_int_equal(delta_class(12287), 2);
    assert_int_equal(delta_class(12288), 3);
    assert_int_equal(delta_class(16384), 4);
    assert_int_equal(delta_class(UINT64_MAX), 5);
}

static void the_smallest_that_a_device_can_apply_is_offered(void **state)
{
    struct deltas d;
    uint8_t other[32] = {9};
    struct delta_ask ask = {other, target, 32768, 63};
    struct delta_offer found;

    (void)state;
    assert_int_equal(deltas_init(&d, &rules), 0);
    put(&d, 1, K12, 300);
    put(&d, 2, K16, 200);
    put(&d, 3, K32, 250);
    assert_int_equal(offered(&d, 12287, 63), 0);
    assert_int_equal(offered(&d, 12288, 63), 1);
    assert_int_equal(offered(&d, 16384, 63), 2);
    assert_int_equal(offered(&d, 32768, 63), 2);
    assert_int_equal(offered(&d, 32768, 1U << BL_DELTA_THUMB), 2);
    assert_int_equal(offered(&d, 32768, 1U << BL_DELTA_PLAIN), 0);
    assert_false(deltas_find(&d, &ask, &found));
    deltas_free(&d);
}

static void only_what_is_ready_worth_it_and_good_is_offered(void **state)
{
    struct deltas d;
    struct delta *one;

    (void)state;
    assert_int_equal(deltas_init(&d, &rules), 0);
    one = put(&d, 1, K12, 700);
    assert_int_equal(offered(&d, 12288, 63), 1);
    one->size = 701;
    assert_int_equal(offered(&d, 12288, 63), 0);
    one->size = 700;
    for (uint8_t s = 0; s < DELTA_STATES; s++) {
        atomic_store(&one->state, s);
        assert_int_equal(offered(&d, 12288, 63), s == DELTA_READY);
    }
    atomic_store(&one->state, DELTA_READY);
    deltas_failed(&d, 1);
    assert_int_equal(offered(&d, 12288, 63), 1);
    deltas_failed(&d, 1);
    assert_int_equal(offered(&d, 12288, 63), 0);
    assert_int_equal(atomic_load(&d.failures), 2);
    deltas_free(&d);
}

static void nothing_is_as_large_as_the_payload(void **state)
{
    const struct delta_rules all = {100, 2};

    (void)state;
    assert_true(delta_worth(&all, 999, 1000));
    assert_false(delta_worth(&all, 1000, 1000));
    assert_false(delta_worth(&rules, 0xFFFFFFFF, 1000));
}

static void what_is_coming_is_waited_for_and_not_for_ever(void **state)
{
    struct deltas d;
    struct delta_ask ask = {base, target, 13000, 63};
    struct delta *one;

    (void)state;
    assert_int_equal(deltas_init(&d, &rules), 0);
    one = put(&d, 1, K12, 100);
    one->queued = 1000;
    assert_int_equal(deltas_coming(&d, &ask, 1010, 60), 0); /* it is ready */
    atomic_store(&one->state, DELTA_MAKING);
    assert_int_equal(deltas_coming(&d, &ask, 1010, 60), 50);
    atomic_store(&one->state, DELTA_QUEUED);
    assert_int_equal(deltas_coming(&d, &ask, 1059, 60), 1);
    assert_int_equal(deltas_coming(&d, &ask, 1060, 60), 0);
    assert_int_equal(deltas_coming(&d, &ask, 999, 60), 0);
    ask.ram = 6000;
    assert_int_equal(deltas_coming(&d, &ask, 1010, 60), 0);
    ask.ram = 16384; /* another class */
    assert_int_equal(deltas_coming(&d, &ask, 1010, 60), 0);
    deltas_free(&d);
}

static void asked_then_urgent_then_common_then_old_is_made_next(void **state)
{
    struct deltas d;
    struct delta *one[5];

    (void)state;
    assert_int_equal(deltas_init(&d, &rules), 0);
    assert_null(deltas_next(&d, 0));
    for (uint8_t i = 0; i < 5; i++) {
        one[i] = put(&d, i + 1, i, 100);
        atomic_store(&one[i]->state, DELTA_QUEUED);
    }
    assert_ptr_equal(deltas_next(&d, 0), one[0]);
    one[3]->devices = 9;
    assert_ptr_equal(deltas_next(&d, 0), one[3]);
    one[2]->urgent = true;
    assert_ptr_equal(deltas_next(&d, 0), one[2]);
    one[4]->asked = true;
    assert_ptr_equal(deltas_next(&d, 0), one[4]);
    atomic_store(&one[4]->state, DELTA_MAKING);
    assert_ptr_equal(deltas_next(&d, 0), one[2]);
    deltas_free(&d);
}

static void what_is_removed_is_found_no_more(void **state)
{
    struct deltas d;
    uint8_t patch[32] = {2};
    uint8_t from[32];
    uint8_t to[32];
    uint32_t full;

    (void)state;
    assert_int_equal(deltas_init(&d, &rules), 0);
    put(&d, 1, K12, 100);
    put(&d, 2, K16, 90);
    put(&d, 500, K32, 80);
    assert_true(deltas_patch(&d, patch, from, to));
    assert_memory_equal(from, base, 32);
    assert_memory_equal(to, target, 32);
    assert_true(deltas_fetched(&d, 2, patch, 77));
    assert_false(deltas_fetched(&d, 1, patch, 77));
    assert_true(deltas_leads_to(&d, 2, target, &full));
    assert_int_equal(full, 1000);
    deltas_remove(&d, deltas_row(&d, 2));
    assert_false(deltas_patch(&d, patch, from, to));
    assert_false(deltas_fetched(&d, 2, patch, 77));
    assert_false(deltas_leads_to(&d, 2, target, &full));
    deltas_installed(&d, 2, 5); /* counted, for none */
    assert_int_equal(atomic_load(&d.saved), 5);
    assert_null(deltas_same(&d, base, target, K16));
    assert_int_equal(offered(&d, 16384, 63), 1);
    assert_int_equal(offered(&d, 32768, 63), 500);
    assert_null(deltas_row(&d, 0xFFFFFFFF));
    deltas_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_the_largest_that_fit),
        cmocka_unit_test(the_smallest_that_a_device_can_apply_is_offered),
        cmocka_unit_test(only_what_is_ready_worth_it_and_good_is_offered),
        cmocka_unit_test(nothing_is_as_large_as_the_payload),
        cmocka_unit_test(what_is_coming_is_waited_for_and_not_for_ever),
        cmocka_unit_test(asked_then_urgent_then_common_then_old_is_made_next),
        cmocka_unit_test(what_is_removed_is_found_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
