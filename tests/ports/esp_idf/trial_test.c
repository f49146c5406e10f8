/* SPDX-License-Identifier: Apache-2.0 */
/* The truth table of ports/esp-idf/src/trial.h. */
#include "support/cmocka_all.h"

#include <string.h>

#include "trial.h"

enum { NONE = BL_SLOT_NONE, NO_RECORD = 99 };

/* A runs and is confirmed; otadata has no record of B. */
static struct bowline_facts confirmed_a(void)
{
    struct bowline_facts f;

    memset(&f, 0, sizeof f);
    f.has_state = true;
    f.state.active = BL_SLOT_A;
    f.state.trial = BL_SLOT_NONE;
    f.state.slot[0].status = BL_SLOT_CONFIRMED;
    f.running = BL_SLOT_A;
    f.next = BL_SLOT_A;
    f.recorded[0] = true;
    f.record[0] = BL_ESP_OTA_VALID;
    f.reset = BL_RESET_SOFTWARE;
    f.tries = 3;
    return f;
}

static struct bowline_facts trial_of_b(uint8_t running, uint8_t tries,
                                       uint32_t record)
{
    struct bowline_facts f = confirmed_a();

    f.state.trial = BL_SLOT_B;
    f.state.tries = tries;
    f.state.slot[1].status = BL_SLOT_READY;
    f.state.slot[1].sequence = 7;
    f.running = running;
    f.recorded[1] = record != NO_RECORD;
    f.record[1] = record;
    if (record <= BL_ESP_OTA_VALID) {
        f.next = BL_SLOT_B;
    }
    return f;
}

/* --- Early --------------------------------------------------------------- */

static void the_hook_counts_and_rearms(void **state)
{
    static const struct {
        uint8_t tries;
        uint32_t record;
        uint8_t left;
        uint32_t set; /* NO_RECORD: nothing */
        bool spent;
        bool no_rollback;
    } row[] = {
        {3, BL_ESP_OTA_PENDING, 2, BL_ESP_OTA_NEW, false, false},
        {2, BL_ESP_OTA_PENDING, 1, BL_ESP_OTA_NEW, false, false},
        /* the last try is ESP-IDF's own */
        {1, BL_ESP_OTA_PENDING, 0, NO_RECORD, false, false},
        /* the application has confirmed it by itself */
        {3, BL_ESP_OTA_VALID, 2, BL_ESP_OTA_NEW, false, false},
        {1, BL_ESP_OTA_VALID, 0, BL_ESP_OTA_PENDING, false, false},
        {0, BL_ESP_OTA_VALID, 0, BL_ESP_OTA_INVALID, true, false},
        {0, BL_ESP_OTA_PENDING, 0, BL_ESP_OTA_INVALID, true, false},
        /* a bootloader without rollback leaves NEW */
        {3, BL_ESP_OTA_NEW, 2, NO_RECORD, false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct bowline_facts f =
            trial_of_b(BL_SLOT_B, row[i].tries, row[i].record);
        struct bowline_early v;

        bowline_decide_early(&f, &v);
        assert_int_equal(v.save, row[i].tries > 0);
        assert_int_equal(v.state.tries, row[i].left);
        assert_int_equal(v.set, row[i].set != NO_RECORD);
        if (v.set) {
            assert_int_equal(v.record, row[i].set);
        }
        assert_int_equal(v.spent, row[i].spent);
        assert_int_equal(v.no_rollback, row[i].no_rollback);
    }
}

static void the_hook_leaves_a_last_resort_alone(void **state)
{
    struct bowline_facts f = trial_of_b(BL_SLOT_B, 0, BL_ESP_OTA_ABORTED);
    struct bowline_early v;

    (void)state;
    f.next = BL_SLOT_A; /* which could not be loaded */
    bowline_decide_early(&f, &v);
    assert_false(v.save || v.set || v.spent);
}

static void the_hook_ends_a_confirmation_that_was_cut(void **state)
{
    struct bowline_facts f = confirmed_a();
    struct bowline_early v;

    (void)state;
    bowline_decide_early(&f, &v);
    assert_false(v.save || v.set);
    f.record[0] = BL_ESP_OTA_PENDING;
    bowline_decide_early(&f, &v);
    assert_false(v.save);
    assert_true(v.set);
    assert_int_equal(v.record, BL_ESP_OTA_VALID);
}

static void an_image_that_bowline_has_not_put_there_is_tried_too(void **state)
{
    struct bowline_facts f = confirmed_a();
    struct bowline_early v;

    (void)state;
    f.has_state = false;
    bowline_decide_early(&f, &v);
    assert_false(v.save || v.set); /* it is VALID: flashed, not updated to */
    f.record[0] = BL_ESP_OTA_PENDING;
    bowline_decide_early(&f, &v);
    assert_true(v.save && v.set);
    assert_int_equal(v.state.trial, BL_SLOT_A);
    assert_int_equal(v.state.active, BL_SLOT_B);
    assert_int_equal(v.state.tries, 2);
    assert_int_equal(v.record, BL_ESP_OTA_NEW);
}

/* --- Settled ------------------------------------------------------------- */

static void what_a_finds_of_its_trial_b(void **state)
{
    static const struct {
        uint8_t tries;
        uint32_t record;
        bl_reset_cause reset;
        enum bowline_way way;
        bl_status outcome; /* BL_OK: still on trial */
        uint8_t left;
    } row[] = {
        /* put on trial, and cut before otadata was written */
        {3, NO_RECORD, BL_RESET_POWER, BOWLINE_FORWARD, BL_OK, 3},
        {3, NO_RECORD, BL_RESET_CRASH, BOWLINE_FORWARD, BL_OK, 3},
        /* ... cut while the hook rewrote it */
        {2, NO_RECORD, BL_RESET_POWER, BOWLINE_FORWARD, BL_OK, 2},
        {0, NO_RECORD, BL_RESET_POWER, BOWLINE_STAY, BL_RESET, 0},
        /* died before the hook, or in its last try */
        {3, BL_ESP_OTA_ABORTED, BL_RESET_CRASH, BOWLINE_STAY, BL_RESET, 0},
        {3, BL_ESP_OTA_ABORTED, BL_RESET_WATCHDOG, BOWLINE_STAY, BL_RESET, 0},
        {3, BL_ESP_OTA_ABORTED, BL_RESET_UNKNOWN, BOWLINE_STAY, BL_RESET, 0},
        {0, BL_ESP_OTA_ABORTED, BL_RESET_CRASH, BOWLINE_STAY, BL_RESET, 0},
        /* ... or it was the power */
        {3, BL_ESP_OTA_ABORTED, BL_RESET_POWER, BOWLINE_FORWARD, BL_OK, 3},
        {1, BL_ESP_OTA_ABORTED, BL_RESET_POWER, BOWLINE_FORWARD, BL_OK, 1},
        {0, BL_ESP_OTA_ABORTED, BL_RESET_POWER, BOWLINE_STAY, BL_RESET, 0},
        /* has given itself up, or was a boot too many */
        {2, BL_ESP_OTA_INVALID, BL_RESET_SOFTWARE, BOWLINE_STAY, BL_HEALTH, 0},
        {0, BL_ESP_OTA_INVALID, BL_RESET_CRASH, BOWLINE_STAY, BL_RESET, 0},
        /* could not be loaded */
        {3, BL_ESP_OTA_PENDING, BL_RESET_SOFTWARE, BOWLINE_STAY,
         BL_SLOT_CORRUPT, 0},
        {3, BL_ESP_OTA_VALID, BL_RESET_SOFTWARE, BOWLINE_STAY, BL_SLOT_CORRUPT,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct bowline_facts f =
            trial_of_b(BL_SLOT_A, row[i].tries, row[i].record);
        struct bowline_settled v;

        f.reset = row[i].reset;
        bowline_decide_settled(&f, &v);
        assert_true(v.save);
        assert_int_equal(v.way, row[i].way);
        assert_int_equal(v.state.tries, row[i].left);
        if (row[i].outcome == BL_OK) {
            assert_int_equal(v.state.trial, BL_SLOT_B);
            assert_false(v.forget);
        } else {
            assert_int_equal(v.state.trial, BL_SLOT_NONE);
            assert_int_equal(v.state.outcome, row[i].outcome);
            assert_int_equal(v.state.outcome_sequence, 7);
            assert_int_equal(v.state.slot[1].status, BL_SLOT_BAD);
            assert_int_equal(v.state.trial_reset, row[i].reset);
            assert_int_equal(v.forget, row[i].record != NO_RECORD);
        }
        assert_int_equal(v.state.boots, 1);
        assert_int_equal(v.state.last_reset, row[i].reset);
    }
}

/* Each start is counted once: by the hook, or else by who sends it again. */
static void power_cuts_before_the_hook_come_to_an_end(void **state)
{
    struct bowline_facts f = trial_of_b(BL_SLOT_A, 2, BL_ESP_OTA_ABORTED);
    static const uint8_t left[] = {2, 1};
    struct bowline_settled v;
    struct bowline_early e;

    (void)state;
    f.reset = BL_RESET_POWER;
    for (size_t i = 0; i < sizeof left; i++) {
        bowline_decide_settled(&f, &v);
        assert_int_equal(v.way, BOWLINE_FORWARD);
        assert_int_equal(v.state.tries, left[i]);
        f.state = v.state;
    }
    bowline_decide_settled(&f, &v);
    assert_int_equal(v.way, BOWLINE_STAY);
    assert_int_equal(v.state.outcome, BL_RESET);
    f = trial_of_b(BL_SLOT_B, 2, BL_ESP_OTA_PENDING);
    f.state.trial_reset = BL_RESET_POWER;
    bowline_decide_early(&f, &e);
    assert_int_equal(e.state.trial_reset, BL_RESET_UNKNOWN);
}

static void the_trial_itself_goes_on_unless_it_is_spent(void **state)
{
    struct bowline_facts f = trial_of_b(BL_SLOT_B, 2, BL_ESP_OTA_NEW);
    struct bowline_settled v;

    (void)state;
    bowline_decide_settled(&f, &v);
    assert_int_equal(v.way, BOWLINE_STAY);
    assert_int_equal(v.state.trial, BL_SLOT_B);
    assert_false(v.valid || v.forget);
    f.spent = true;
    bowline_decide_settled(&f, &v);
    assert_int_equal(v.way, BOWLINE_BACK);
}

static void a_confirmed_slot_clears_what_refused_the_other(void **state)
{
    static const struct {
        uint32_t record;
        bool forget;
    } row[] = {{NO_RECORD, false},           {BL_ESP_OTA_NEW, false},
               {BL_ESP_OTA_PENDING, true},   {BL_ESP_OTA_VALID, false},
               {BL_ESP_OTA_INVALID, true},   {BL_ESP_OTA_ABORTED, true},
               {BL_ESP_OTA_UNDEFINED, false}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct bowline_facts f = confirmed_a();
        struct bowline_settled v;

        f.recorded[1] = row[i].record != NO_RECORD;
        f.record[1] = row[i].record;
        bowline_decide_settled(&f, &v);
        assert_int_equal(v.forget, row[i].forget);
        assert_int_equal(v.way, BOWLINE_STAY);
        assert_false(v.valid);
    }
}

static void an_image_that_was_given_up_leaves(void **state)
{
    struct bowline_facts f = confirmed_a();
    struct bowline_settled v;

    (void)state;
    f.running = BL_SLOT_B; /* cut before otadata knew */
    f.next = BL_SLOT_B;
    f.recorded[1] = true;
    f.record[1] = BL_ESP_OTA_PENDING;
    f.state.slot[1].status = BL_SLOT_BAD;
    bowline_decide_settled(&f, &v);
    assert_int_equal(v.way, BOWLINE_BACK);
    assert_false(v.valid);
}

static void a_confirmed_image_that_was_aborted_is_tried_again(void **state)
{
    struct bowline_facts f = confirmed_a();
    struct bowline_settled v;

    (void)state;
    f.state.active = BL_SLOT_B; /* confirmed, otadata cut before it knew */
    f.state.slot[1].status = BL_SLOT_CONFIRMED;
    f.recorded[1] = true;
    f.record[1] = BL_ESP_OTA_ABORTED;
    bowline_decide_settled(&f, &v);
    assert_int_equal(v.way, BOWLINE_FORWARD);
    assert_int_equal(v.state.active, BL_SLOT_A);
    assert_int_equal(v.state.trial, BL_SLOT_B);
    assert_int_equal(v.state.tries, 3);
    /* The bootloader could not load it, or A was flashed by hand. */
    f.record[1] = BL_ESP_OTA_VALID;
    bowline_decide_settled(&f, &v);
    assert_int_equal(v.way, BOWLINE_STAY);
    assert_int_equal(v.state.active, BL_SLOT_B); /* the client reconciles */
}

static void without_a_record_what_runs_is_confirmed(void **state)
{
    struct bowline_facts f = confirmed_a();
    struct bowline_settled v;

    (void)state;
    f.has_state = false;
    memset(&f.state, 0xEE, sizeof f.state);
    f.running = BL_SLOT_B;
    f.next = BL_SLOT_B;
    f.recorded[1] = true;
    f.record[1] = BL_ESP_OTA_VALID;
    bowline_decide_settled(&f, &v);
    assert_true(v.save);
    assert_int_equal(v.state.active, BL_SLOT_B);
    assert_int_equal(v.state.trial, BL_SLOT_NONE);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_CONFIRMED);
    assert_int_equal(v.state.floor, 0);
    assert_int_equal(v.way, BOWLINE_STAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hook_counts_and_rearms),
        cmocka_unit_test(the_hook_leaves_a_last_resort_alone),
        cmocka_unit_test(the_hook_ends_a_confirmation_that_was_cut),
        cmocka_unit_test(an_image_that_bowline_has_not_put_there_is_tried_too),
        cmocka_unit_test(what_a_finds_of_its_trial_b),
        cmocka_unit_test(power_cuts_before_the_hook_come_to_an_end),
        cmocka_unit_test(the_trial_itself_goes_on_unless_it_is_spent),
        cmocka_unit_test(a_confirmed_slot_clears_what_refused_the_other),
        cmocka_unit_test(an_image_that_was_given_up_leaves),
        cmocka_unit_test(a_confirmed_image_that_was_aborted_is_tried_again),
        cmocka_unit_test(without_a_record_what_runs_is_confirmed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
