/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout decision as a truth table, and the buckets. */
#include "support/cmocka_all.h"

#include "rollout_facts.h"

static void decide_nothing_wanted_keeps_what_runs(void **state)
{
    struct rollout_device d = device();

    (void)state;
    expect(&d, NULL, 0, ROLLOUT_NOTHING, -1, false);
}

static void decide_offers_a_newer_release(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    expect(&d, &c, 1, ROLLOUT_OFFER, 0, true);
    c.state = ROLLOUT_FINISHED;
    expect(&d, &c, 1, ROLLOUT_OFFER, 0, true);
}

static void decide_says_who_runs_it_already(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 1, v1);

    (void)state;
    expect(&d, &c, 1, ROLLOUT_RUNS, 0, true);
    d.confirmed = false;
    expect(&d, &c, 1, ROLLOUT_RUNS, 0, true);
}

static void decide_leaves_a_trial_alone(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    d.confirmed = false;
    d.state = BL_STATE_TESTING;
    expect(&d, &c, 1, ROLLOUT_TRIAL, 0, false);
}

/* Its confirmed slot has rotted, and it runs what it had given up. */
static void decide_offers_to_an_image_that_is_a_last_resort(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    d.confirmed = false;
    for (int s = BL_STATE_IDLE; s <= BL_STATE_REFUSED; s++) {
        bool trial = s == BL_STATE_TESTING;

        d.state = (uint8_t)s;
        expect(&d, &c, 1, trial ? ROLLOUT_TRIAL : ROLLOUT_OFFER, 0, !trial);
    }
}

static void decide_never_offers_older_without_a_permit(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 5, v2);

    (void)state;
    d.sequence = 5;
    expect(&d, &c, 1, ROLLOUT_NEWER, 0, false);
    d.sequence = 1;
    d.floor = 6;
    expect(&d, &c, 1, ROLLOUT_FLOOR, 0, false);
    c.kind = ROLLOUT_ROLLBACK;
    expect(&d, &c, 1, ROLLOUT_PERMIT, 0, false);
    c.permit = true;
    expect(&d, &c, 1, ROLLOUT_OFFER, 0, true);
    c.kind = ROLLOUT_PIN;
    expect(&d, &c, 1, ROLLOUT_OFFER, 0, true);
}

static void decide_a_stage_holds_buckets_below_its_limit(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);
    uint32_t bucket = rollout_bucket(1, id);

    (void)state;
    c.cut = (uint64_t)bucket << 32;
    expect(&d, &c, 1, ROLLOUT_STAGE, 0, false);
    c.cut = (uint64_t)(bucket + 1) << 32;
    expect(&d, &c, 1, ROLLOUT_OFFER, 0, true);
}

static void
decide_outside_the_newest_stage_the_older_rollout_holds(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c[2] = {update(2, 3, v3), update(1, 2, v2)};

    (void)state;
    c[0].cut = 0;
    c[1].state = ROLLOUT_FINISHED;
    expect(&d, c, 2, ROLLOUT_OFFER, 1, true);
    /* It has the older one: its turn for the newer comes later. */
    d.manifest = v2;
    d.sequence = 2;
    expect(&d, c, 2, ROLLOUT_RUNS, 1, true);
}

static void decide_paused_goes_on_only_for_who_has_begun(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.state = ROLLOUT_PAUSED;
    d.offer = 2;
    for (uint8_t o = BL_STATE_IDLE; o <= BL_STATE_TESTING; o++) {
        bool begun = o >= BL_STATE_DOWNLOADING;

        d.outcome = o;
        expect(&d, &c, 1, begun ? ROLLOUT_OFFER : ROLLOUT_PAUSE, 0, begun);
    }
}

static void decide_aborted_is_as_if_never_begun(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.state = ROLLOUT_ABORTED;
    expect(&d, &c, 1, ROLLOUT_NOTHING, -1, false);
}

static void decide_who_confirmed_an_aborted_release_stays(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c[2] = {update(2, 3, v3), update(1, 2, v2)};

    (void)state;
    c[0].state = ROLLOUT_ABORTED;
    d.manifest = v3;
    d.sequence = 3;
    d.offer = 4;
    d.outcome = BL_STATE_CONFIRMED;
    expect(&d, c, 2, ROLLOUT_NEWER, 1, false);
}

/* Without a plan: only the way may have another chance. */
static void decide_what_was_given_up_is_not_offered_again(void **state)
{
    static const struct {
        uint8_t outcome;
        uint16_t code;
        bool again;
    } row[] = {
        {BL_STATE_RETURNED, BL_RESET, false},
        {BL_STATE_RETURNED, BL_TRANSPORT, false},
        {BL_STATE_FAILED, BL_READ_BACK, false},
        {BL_STATE_FAILED, BL_ATTEMPTS, true},
        {BL_STATE_FAILED, BL_PAYLOAD_DIGEST, true},
        {BL_STATE_FAILED, BL_NO_SPACE, false},
        {BL_STATE_REFUSED, BL_SIGNATURE, false},
        {BL_STATE_REFUSED, BL_TICKET_NONCE, true},
    };
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct rollout_device d = device();

        d.offer = 2;
        d.outcome = row[i].outcome;
        d.code = row[i].code;
        expect(&d, &c, 1, row[i].again ? ROLLOUT_OFFER : ROLLOUT_TRIED, 0,
               row[i].again);
    }
}

/* What can never become right on that device is not tried again; nor is what
 * an operator ended. */
static void what_may_be_tried_again(void **state)
{
    static const struct {
        uint8_t outcome;
        uint16_t code;
        bool may;
        bool way;
    } row[] = {
        {BL_STATE_RETURNED, BL_OK, true, false}, /* its events were lost */
        {BL_STATE_RETURNED, BL_RESET, true, false},
        {BL_STATE_RETURNED, BL_HEALTH, true, false},
        {BL_STATE_RETURNED, BL_DEADLINE, true, false},
        {BL_STATE_RETURNED, BL_SLOT_CORRUPT, true, false},
        {BL_STATE_RETURNED, BL_OPERATOR, false, false},
        {BL_STATE_FAILED, BL_FLASH, true, false},
        {BL_STATE_FAILED, BL_READ_BACK, true, false},
        {BL_STATE_FAILED, BL_IMAGE_MISMATCH, true, false},
        {BL_STATE_FAILED, BL_PAYLOAD_DIGEST, true, true},
        {BL_STATE_FAILED, BL_ATTEMPTS, true, true},
        {BL_STATE_FAILED, BL_NO_SPACE, false, false},
        {BL_STATE_FAILED, BL_SLOT, false, false},
        {BL_STATE_REFUSED, BL_CBOR, false, false},
        {BL_STATE_REFUSED, BL_SIGNATURE, false, false},
        {BL_STATE_REFUSED, BL_SEQUENCE_LOW, false, false},
        {BL_STATE_REFUSED, BL_VENDOR, false, false},
        {BL_STATE_REFUSED, BL_CLASS, false, false},
        {BL_STATE_REFUSED, BL_EXPIRED, false, false},
        {BL_STATE_REFUSED, BL_SECURITY_FLOOR, false, false},
        {BL_STATE_REFUSED, BL_NOT_AUTHORIZED, true, false},
        {BL_STATE_REFUSED, BL_BATTERY, true, false},
        {BL_STATE_REFUSED, BL_TICKET_EXPIRED, true, true},
        {BL_STATE_CONFIRMED, BL_OK, false, false},
        {BL_STATE_TESTING, BL_OK, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(rollout_may_retry(row[i].outcome, row[i].code),
                         row[i].may);
        assert_int_equal(rollout_way_failed(row[i].outcome, row[i].code),
                         row[i].way);
    }
}

static void decide_a_later_rollout_of_it_is_a_new_offer(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(2, 2, v2);

    (void)state;
    d.offer = 2;
    d.outcome = BL_STATE_RETURNED;
    d.code = BL_RESET;
    expect(&d, &c, 1, ROLLOUT_OFFER, 0, true);
}

static void decide_a_pin_stands_between_older_and_newer_rollouts(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate pin = update(0, 1, v1);
    struct rollout_candidate c[2];

    (void)state;
    pin.order = 3; /* made while rollout 1 was the newest */
    pin.kind = ROLLOUT_PIN;
    pin.permit = true;
    d.manifest = v2;
    d.sequence = 2;
    expect(&d, &pin, 1, ROLLOUT_OFFER, 0, true);
    d.manifest = v1;
    d.sequence = 1;
    d.floor = 2;
    d.offer = 3;
    d.outcome = BL_STATE_CONFIRMED;
    expect(&d, &pin, 1, ROLLOUT_RUNS, 0, true);
    c[0] = update(2, 3, v3);
    c[1] = pin;
    expect(&d, c, 2, ROLLOUT_OFFER, 0, true);
}

static void event_ends_an_offer_only_of_its_own_release(void **state)
{
    (void)state;
    assert_int_equal(
        rollout_after_event(BL_STATE_TESTING, 2, BL_STATE_RETURNED, 2),
        BL_STATE_RETURNED);
    assert_int_equal(
        rollout_after_event(BL_STATE_TESTING, 2, BL_STATE_RETURNED, 1),
        BL_STATE_TESTING);
    /* Refused before its number could be read. */
    assert_int_equal(
        rollout_after_event(BL_STATE_OFFERED, 2, BL_STATE_REFUSED, 0),
        BL_STATE_REFUSED);
    assert_int_equal(
        rollout_after_event(BL_STATE_CONFIRMED, 2, BL_STATE_REFUSED, 0),
        BL_STATE_CONFIRMED);
    /* An event alone is no success. */
    assert_int_equal(
        rollout_after_event(BL_STATE_TESTING, 2, BL_STATE_CONFIRMED, 2),
        BL_STATE_TESTING);
    assert_int_equal(rollout_after_event(BL_STATE_IDLE, 0, BL_STATE_FAILED, 0),
                     BL_STATE_IDLE);
}

static void report_is_success_only_when_whole(void **state)
{
    (void)state;
    for (int bits = 0; bits < 8; bits++) {
        struct rollout_report r = {.runs = (bits & 1) != 0,
                                   .confirmed = (bits & 2) != 0,
                                   .matches = (bits & 4) != 0,
                                   .state = BL_STATE_CONFIRMED};
        uint8_t o = rollout_after_report(BL_STATE_INSTALLING, &r);

        assert_int_equal(o == BL_STATE_CONFIRMED, bits == 7);
        r.state = BL_STATE_IDLE;
        o = rollout_after_report(BL_STATE_RETURNED, &r);
        assert_int_equal(o == BL_STATE_CONFIRMED, bits == 7);
    }
}

static void report_of_a_last_resort_is_no_success_and_no_trial(void **state)
{
    struct rollout_report r = {
        .runs = true, .matches = true, .state = BL_STATE_FAILED};

    (void)state;
    assert_int_equal(rollout_after_report(BL_STATE_RETURNED, &r),
                     BL_STATE_RETURNED);
    assert_int_equal(rollout_after_report(BL_STATE_TESTING, &r),
                     BL_STATE_FAILED);
    r.state = BL_STATE_TESTING; /* the same release, once more on trial */
    assert_int_equal(rollout_after_report(BL_STATE_RETURNED, &r),
                     BL_STATE_TESTING);
    r.confirmed = true;
    assert_int_equal(rollout_after_report(BL_STATE_RETURNED, &r),
                     BL_STATE_CONFIRMED);
}

static void
report_of_a_state_left_from_before_does_not_end_an_offer(void **state)
{
    struct rollout_report r = {.state = BL_STATE_RETURNED};

    (void)state;
    assert_int_equal(rollout_after_report(BL_STATE_OFFERED, &r),
                     BL_STATE_OFFERED);
    assert_int_equal(rollout_after_report(BL_STATE_DOWNLOADING, &r),
                     BL_STATE_RETURNED);
}

static void what_has_begun_stays_begun_while_it_waits(void **state)
{
    (void)state;
    for (uint8_t o = BL_STATE_OFFERED; o <= BL_STATE_TESTING; o++) {
        struct rollout_report r = {.state = BL_STATE_WAITING};
        uint8_t wanted = o >= BL_STATE_DOWNLOADING ? o : BL_STATE_WAITING;

        assert_int_equal(rollout_after_report(o, &r), wanted);
        assert_int_equal(rollout_after_event(o, 2, BL_STATE_WAITING, 2),
                         wanted);
        r.state = BL_STATE_DOWNLOADING;
        assert_int_equal(rollout_after_report(o, &r), BL_STATE_DOWNLOADING);
    }
}

static void buckets_are_those_of_the_protocol(void **state)
{
    uint32_t below = 0;
    uint8_t device_id[16] = {0};

    (void)state;
    /* SHA-256("7" || 16 zero bytes), first eight bytes, mod 10000: computed
     * with Python's hashlib. */
    assert_int_equal(rollout_bucket(7, device_id), 5704);
    for (uint32_t i = 0; i < 20000; i++) {
        memcpy(device_id, &i, sizeof i);
        below += rollout_bucket(1, device_id) < 1000;
    }
    assert_in_range(below, 1800, 2200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide_nothing_wanted_keeps_what_runs),
        cmocka_unit_test(decide_offers_a_newer_release),
        cmocka_unit_test(decide_says_who_runs_it_already),
        cmocka_unit_test(decide_leaves_a_trial_alone),
        cmocka_unit_test(decide_offers_to_an_image_that_is_a_last_resort),
        cmocka_unit_test(decide_never_offers_older_without_a_permit),
        cmocka_unit_test(decide_a_stage_holds_buckets_below_its_limit),
        cmocka_unit_test(
            decide_outside_the_newest_stage_the_older_rollout_holds),
        cmocka_unit_test(decide_paused_goes_on_only_for_who_has_begun),
        cmocka_unit_test(decide_aborted_is_as_if_never_begun),
        cmocka_unit_test(decide_who_confirmed_an_aborted_release_stays),
        cmocka_unit_test(decide_what_was_given_up_is_not_offered_again),
        cmocka_unit_test(what_may_be_tried_again),
        cmocka_unit_test(decide_a_later_rollout_of_it_is_a_new_offer),
        cmocka_unit_test(decide_a_pin_stands_between_older_and_newer_rollouts),
        cmocka_unit_test(event_ends_an_offer_only_of_its_own_release),
        cmocka_unit_test(report_is_success_only_when_whole),
        cmocka_unit_test(report_of_a_last_resort_is_no_success_and_no_trial),
        cmocka_unit_test(
            report_of_a_state_left_from_before_does_not_end_an_offer),
        cmocka_unit_test(what_has_begun_stays_begun_while_it_waits),
        cmocka_unit_test(buckets_are_those_of_the_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
