/* SPDX-License-Identifier: Apache-2.0 */
/* The truth table of boot.h, row by row, then every combination of facts. */
#include "bowline/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* A device on release 10 in slot A, release 11 in slot B. */
static struct bl_boot_facts usual(void)
{
    struct bl_boot_facts f;

    memset(&f, 0, sizeof f);
    f.has_state = true;
    f.reset = BL_RESET_SOFTWARE;
    f.tries = 3;
    f.root_version = 7;
    f.state.active = BL_SLOT_A;
    f.state.trial = BL_SLOT_NONE;
    f.state.floor = 10;
    f.state.boots = 5;
    for (int i = 0; i < 2; i++) {
        uint64_t sequence = 10 + (uint64_t)i;

        f.slot[i] =
            (struct bl_boot_slot){true, true, true, true, sequence, {0}};
        f.slot[i].manifest[0] = (uint8_t)(0xA0 + i);
        f.state.slot[i].status = i == 0 ? BL_SLOT_CONFIRMED : BL_SLOT_READY;
        f.state.slot[i].sequence = sequence;
        f.state.slot[i].root_version = 7;
        f.state.slot[i].manifest[0] = (uint8_t)(0xA0 + i);
    }
    return f;
}

static struct bl_boot_facts on_trial(uint8_t tries)
{
    struct bl_boot_facts f = usual();

    f.state.trial = BL_SLOT_B;
    f.state.tries = tries;
    return f;
}

static struct bl_boot_verdict decide(const struct bl_boot_facts *f)
{
    struct bl_boot_verdict v;

    memset(&v, 0x5A, sizeof v);
    bl_boot_decide(f, &v);
    return v;
}

/* --- No trial ------------------------------------------------------------ */

static void decide_no_trial_starts_active(void **unused)
{
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v = decide(&f);

    (void)unused;
    assert_int_equal(v.slot, BL_SLOT_A);
    assert_int_equal(v.why, BL_OK);
    assert_true(v.save);
    assert_int_equal(v.state.boots, 6);
    assert_int_equal(v.state.last_reset, BL_RESET_SOFTWARE);
    assert_int_equal(v.state.active, BL_SLOT_A);
    assert_int_equal(v.state.trial, BL_SLOT_NONE);
}

static void decide_confirmed_that_crashed_is_started_again(void **unused)
{
    struct bl_boot_facts f = usual();
    int cause;

    (void)unused;
    for (cause = BL_RESET_UNKNOWN; cause <= BL_RESET_CRASH; cause++) {
        f.reset = (bl_reset_cause)cause;
        assert_int_equal(decide(&f).slot, BL_SLOT_A);
        assert_int_equal(decide(&f).state.last_reset, cause);
    }
}

static void decide_corrupt_active_falls_to_ready_other(void **unused)
{
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v;

    (void)unused;
    f.slot[0].whole = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_B);
    assert_int_equal(v.why, BL_SLOT_CORRUPT);
    assert_int_equal(v.state.active, BL_SLOT_B);
    assert_int_equal(v.state.floor, 10);
}

static void decide_corrupt_active_never_falls_to_empty_writing(void **unused)
{
    static const uint8_t status[] = {BL_SLOT_EMPTY, BL_SLOT_WRITING};
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v;
    size_t i;

    (void)unused;
    f.slot[0].whole = false;
    for (i = 0; i < sizeof status; i++) {
        f.state.slot[1].status = status[i];
        v = decide(&f);
        assert_int_equal(v.slot, BL_SLOT_NONE);
        assert_int_equal(v.why, BL_NO_IMAGE);
        assert_false(v.save);
        assert_memory_equal(&v.state, &f.state, sizeof f.state);
    }
}

static void decide_untrusted_or_below_floor_is_not_started(void **unused)
{
    struct bl_boot_facts f = usual();

    (void)unused;
    f.slot[0].trusted = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
    f = usual();
    f.slot[0].above_floor = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
    f = usual();
    f.slot[0].present = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
}

/* --- Last resorts -------------------------------------------------------- */

static void decide_all_below_floor_starts_active_not_the_other(void **unused)
{
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v;

    (void)unused;
    f.slot[0].above_floor = false;
    f.slot[1].above_floor = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_A);
    assert_int_equal(v.why, BL_SECURITY_FLOOR);
    assert_int_equal(v.state.active, BL_SLOT_A);
    f.slot[0].whole = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_NONE);
}

static void decide_active_below_floor_before_one_given_up(void **unused)
{
    struct bl_boot_facts f = usual();

    (void)unused;
    f.slot[0].above_floor = false;
    f.state.slot[1].status = BL_SLOT_BAD;
    assert_int_equal(decide(&f).slot, BL_SLOT_A);
}

static void decide_trial_out_of_tries_returns_below_the_floor(void **unused)
{
    struct bl_boot_facts f = on_trial(0);
    struct bl_boot_verdict v;

    (void)unused;
    f.slot[0].above_floor = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_A);
    assert_int_equal(v.why, BL_RESET);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_BAD);
}

static void decide_corrupt_active_falls_to_one_given_up(void **unused)
{
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v;

    (void)unused;
    f.state.slot[1].status = BL_SLOT_BAD;
    f.slot[0].whole = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_B);
    assert_int_equal(v.why, BL_SLOT_CORRUPT);
    assert_int_equal(v.state.active, BL_SLOT_B);
    assert_int_equal(v.state.trial, BL_SLOT_NONE);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_BAD);
    f.state = v.state; /* and stays there */
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
    f.slot[1].trusted = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_NONE);
}

/* It has run as active; its fix turned out to crash. */
static void decide_trial_out_of_tries_returns_to_one_given_up(void **unused)
{
    struct bl_boot_facts f = on_trial(0);
    struct bl_boot_verdict v;

    (void)unused;
    f.state.slot[0].status = BL_SLOT_BAD;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_A);
    assert_int_equal(v.state.outcome, BL_RESET);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_BAD);
}

static void decide_of_two_given_up_above_floor_then_active(void **unused)
{
    struct bl_boot_facts f = usual();

    (void)unused;
    f.state.slot[0].status = BL_SLOT_BAD;
    f.state.slot[1].status = BL_SLOT_BAD;
    assert_int_equal(decide(&f).slot, BL_SLOT_A);
    f.state.active = BL_SLOT_B;
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
    f.slot[1].above_floor = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_A);
    f.slot[0].above_floor = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
}

/* --- A trial ------------------------------------------------------------- */

static void decide_trial_with_tries_counts_one_and_starts_it(void **unused)
{
    struct bl_boot_facts f = on_trial(3);
    struct bl_boot_verdict v = decide(&f);

    (void)unused;
    assert_int_equal(v.slot, BL_SLOT_B);
    assert_int_equal(v.state.tries, 2);
    assert_int_equal(v.state.trial, BL_SLOT_B);
    assert_int_equal(v.state.active, BL_SLOT_A);
    assert_int_equal(v.why, BL_OK);
}

static void decide_trial_gets_exactly_its_tries(void **unused)
{
    struct bl_boot_facts f = on_trial(3);
    int started = 0;

    (void)unused;
    for (;;) {
        struct bl_boot_verdict v = decide(&f);

        if (v.slot == BL_SLOT_A) {
            break;
        }
        started++;
        f.state = v.state;
        assert_true(started <= 3);
    }
    assert_int_equal(started, 3);
}

static void decide_trial_out_of_tries_returns_to_confirmed(void **unused)
{
    struct bl_boot_facts f = on_trial(0);
    struct bl_boot_verdict v;

    (void)unused;
    f.reset = BL_RESET_WATCHDOG;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_A);
    assert_int_equal(v.why, BL_RESET);
    assert_int_equal(v.state.trial, BL_SLOT_NONE);
    assert_int_equal(v.state.outcome, BL_RESET);
    assert_int_equal(v.state.outcome_sequence, 11);
    assert_int_equal(v.state.trial_reset, BL_RESET_WATCHDOG);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_BAD);
    assert_int_equal(v.state.slot[0].status, BL_SLOT_CONFIRMED);
}

static void decide_trial_out_of_tries_and_no_active_starts_trial(void **unused)
{
    struct bl_boot_facts f = on_trial(0);
    struct bl_boot_verdict v;

    (void)unused;
    f.slot[0].whole = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_B);
    assert_int_equal(v.why, BL_SLOT_CORRUPT);
    assert_int_equal(v.state.trial, BL_SLOT_B);
    assert_int_equal(v.state.tries, 0);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_READY);
}

static void decide_corrupt_trial_returns_to_confirmed(void **unused)
{
    struct bl_boot_facts f = on_trial(3);
    struct bl_boot_verdict v;

    (void)unused;
    f.slot[1].whole = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_A);
    assert_int_equal(v.why, BL_SLOT_CORRUPT);
    assert_int_equal(v.state.outcome, BL_SLOT_CORRUPT);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_BAD);
}

static void decide_trial_starts_though_active_is_corrupt(void **unused)
{
    struct bl_boot_facts f = on_trial(2);

    (void)unused;
    f.slot[0].whole = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_B);
    assert_int_equal(decide(&f).state.tries, 1);
}

static void decide_nothing_bootable_changes_nothing(void **unused)
{
    struct bl_boot_facts f = on_trial(2);
    struct bl_boot_verdict v;

    (void)unused;
    f.slot[0].whole = false;
    f.slot[1].trusted = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_NONE);
    assert_int_equal(v.why, BL_NO_IMAGE);
    assert_false(v.save);
    assert_memory_equal(&v.state, &f.state, sizeof f.state);
}

/* --- No state ------------------------------------------------------------ */

static void decide_lost_state_tries_the_higher_of_two(void **unused)
{
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v;

    (void)unused;
    f.has_state = false;
    memset(&f.state, 0xEE, sizeof f.state);
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_B);
    assert_int_equal(v.why, BL_STATE_NONE);
    assert_int_equal(v.state.active, BL_SLOT_A);
    assert_int_equal(v.state.trial, BL_SLOT_B);
    assert_int_equal(v.state.tries, 2);
    assert_int_equal(v.state.floor, 10);
    assert_int_equal(v.state.slot[0].status, BL_SLOT_CONFIRMED);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_READY);
    assert_int_equal(v.state.slot[1].root_version, 7);
    assert_memory_equal(v.state.slot[1].manifest, f.slot[1].manifest, 32);
    f.tries = 0;
    assert_int_equal(decide(&f).state.tries, BL_BOOT_TRIES - 1);
}

static void decide_lost_state_confirms_the_only_one(void **unused)
{
    struct bl_boot_facts f = usual();
    struct bl_boot_verdict v;

    (void)unused;
    f.has_state = false;
    memset(&f.state, 0xEE, sizeof f.state);
    f.slot[0].whole = false;
    v = decide(&f);
    assert_int_equal(v.slot, BL_SLOT_B);
    assert_int_equal(v.state.active, BL_SLOT_B);
    assert_int_equal(v.state.trial, BL_SLOT_NONE);
    assert_int_equal(v.state.floor, 11);
    assert_int_equal(v.state.slot[1].status, BL_SLOT_CONFIRMED);
    assert_int_equal(v.state.slot[0].status, BL_SLOT_EMPTY);
}

static void decide_lost_state_and_no_slot_starts_nothing(void **unused)
{
    struct bl_boot_facts f = usual();

    (void)unused;
    f.has_state = false;
    f.slot[0].trusted = false;
    f.slot[1].above_floor = false;
    assert_int_equal(decide(&f).slot, BL_SLOT_NONE);
    assert_int_equal(decide(&f).why, BL_NO_IMAGE);
}

/* --- Every combination --------------------------------------------------- */

static bool sound(const struct bl_boot_slot *s)
{
    return s->present && s->whole && s->trusted && s->above_floor;
}

static bool may_boot(const struct bl_boot_facts *f, uint8_t slot)
{
    uint8_t status = f->state.slot[slot].status;

    return sound(&f->slot[slot]) &&
           (!f->has_state || status == BL_SLOT_READY ||
            status == BL_SLOT_CONFIRMED);
}

static bool on_trial_in(const struct bl_boot_facts *f)
{
    return f->state.trial <= 1 && f->state.trial != f->state.active;
}

/* Whole and authentic, but given up, or below the floor and active. A trial
 * that cannot go on is given up by this very decision. */
static bool may_boot_at_last(const struct bl_boot_facts *f, uint8_t slot)
{
    uint8_t status = f->state.slot[slot].status;
    bool tried = on_trial_in(f) && f->state.trial == slot;

    return f->has_state && f->slot[slot].present && f->slot[slot].whole &&
           f->slot[slot].trusted &&
           (status == BL_SLOT_BAD || tried ||
            (slot == f->state.active &&
             (status == BL_SLOT_READY || status == BL_SLOT_CONFIRMED)));
}

static bool active_may_run(const struct bl_boot_facts *f)
{
    uint8_t a = f->state.active;

    return a <= 1 && f->state.slot[a].status != BL_SLOT_BAD &&
           may_boot_at_last(f, a);
}

#define HOLDS(what)                                                           \
    do {                                                                      \
        if (!(what)) {                                                        \
            fail_msg("case %lu: %s", number, #what);                          \
        }                                                                     \
    } while (0)

static void check_with_state(const struct bl_boot_facts *f,
                             const struct bl_boot_verdict *v,
                             unsigned long number)
{
    bool trial = on_trial_in(f);

    HOLDS(v->state.floor == f->state.floor);
    HOLDS(v->state.tries <= f->state.tries);
    if (!trial && f->state.active <= 1 && may_boot(f, f->state.active)) {
        HOLDS(v->slot == f->state.active && v->why == BL_OK);
        HOLDS(memcmp(v->state.slot, f->state.slot, sizeof f->state.slot) == 0);
    }
    if (trial && v->slot == v->state.trial) {
        HOLDS(f->state.tries > 0 || f->state.active > 1 ||
              !may_boot_at_last(f, f->state.active));
        HOLDS(f->state.tries == 0 || v->state.tries == f->state.tries - 1);
    }
    if (trial && v->slot != BL_SLOT_NONE && v->slot != f->state.trial) {
        HOLDS(v->state.slot[f->state.trial].status == BL_SLOT_BAD);
        HOLDS(v->state.outcome != BL_OK && v->why != BL_OK);
        HOLDS(v->state.outcome == v->why || !active_may_run(f));
    }
}

/* What is started though it is not bootable: only for want of a better. */
static void check_last_resort(const struct bl_boot_facts *f,
                              const struct bl_boot_verdict *v,
                              unsigned long number)
{
    uint8_t other = (uint8_t)(v->slot ^ 1);
    bool spent = on_trial_in(f) && f->state.tries == 0 &&
                 v->state.slot[other].status == BL_SLOT_BAD;

    HOLDS(may_boot_at_last(f, v->slot));
    HOLDS(v->slot == v->state.active && v->why != BL_OK);
    HOLDS(!may_boot(f, other) || spent);
    if (v->state.slot[v->slot].status == BL_SLOT_BAD) {
        HOLDS(!active_may_run(f) || f->state.active == v->slot);
        HOLDS(f->slot[v->slot].above_floor || !f->slot[other].above_floor ||
              !may_boot_at_last(f, other));
    } else {
        HOLDS(v->slot == f->state.active);
    }
}

static void check_invariants(const struct bl_boot_facts *f,
                             unsigned long number)
{
    struct bl_boot_verdict v = decide(f);

    HOLDS(v.slot <= 1 || v.slot == BL_SLOT_NONE);
    HOLDS(v.save == (v.slot != BL_SLOT_NONE));
    HOLDS((v.slot != BL_SLOT_NONE) ==
          (may_boot(f, 0) || may_boot(f, 1) || may_boot_at_last(f, 0) ||
           may_boot_at_last(f, 1)));
    if (v.slot == BL_SLOT_NONE) {
        HOLDS(v.why == BL_NO_IMAGE);
        return;
    }
    if (!may_boot(f, v.slot)) {
        check_last_resort(f, &v, number);
    }
    HOLDS(v.slot == v.state.active || v.slot == v.state.trial);
    HOLDS(v.state.trial == BL_SLOT_NONE || v.state.trial != v.state.active);
    HOLDS(v.state.last_reset == f->reset);
    if (f->has_state) {
        HOLDS(v.state.boots == f->state.boots + 1);
        check_with_state(f, &v, number);
    } else {
        HOLDS(v.why == BL_STATE_NONE && v.state.active <= 1);
        HOLDS(v.state.floor == f->slot[v.state.active].sequence);
    }
}

/* Takes the next digit of a mixed-radix number. */
static unsigned digit(unsigned long *number, unsigned base)
{
    unsigned d = (unsigned)(*number % base);

    *number /= base;
    return d;
}

static bool facts_by_number(unsigned long number, struct bl_boot_facts *f)
{
    static const uint8_t slots[] = {BL_SLOT_A, BL_SLOT_B, BL_SLOT_NONE};
    static const uint8_t tries[] = {0, 1, 3};
    int i;

    *f = usual();
    for (i = 0; i < 2; i++) {
        f->slot[i].present = digit(&number, 2);
        f->slot[i].whole = digit(&number, 2);
        f->slot[i].trusted = digit(&number, 2);
        f->slot[i].above_floor = digit(&number, 2);
        f->state.slot[i].status = (uint8_t)digit(&number, 5);
    }
    f->state.active = slots[digit(&number, 3)];
    f->state.trial = slots[digit(&number, 3)];
    f->state.tries = tries[digit(&number, 3)];
    f->slot[1].sequence = 9 + digit(&number, 3); /* below, equal, above */
    f->has_state = digit(&number, 2);
    return number == 0;
}

static void decide_invariants_hold_for_every_combination(void **unused)
{
    struct bl_boot_facts f;
    unsigned long number = 0;

    (void)unused;
    while (facts_by_number(number, &f)) {
        check_invariants(&f, number);
        number++;
    }
    assert_int_equal(number, 256 * 25 * 27 * 3 * 2);
    print_message("%lu combinations\n", number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide_no_trial_starts_active),
        cmocka_unit_test(decide_confirmed_that_crashed_is_started_again),
        cmocka_unit_test(decide_corrupt_active_falls_to_ready_other),
        cmocka_unit_test(decide_corrupt_active_never_falls_to_empty_writing),
        cmocka_unit_test(decide_untrusted_or_below_floor_is_not_started),
        cmocka_unit_test(decide_all_below_floor_starts_active_not_the_other),
        cmocka_unit_test(decide_active_below_floor_before_one_given_up),
        cmocka_unit_test(decide_trial_out_of_tries_returns_below_the_floor),
        cmocka_unit_test(decide_corrupt_active_falls_to_one_given_up),
        cmocka_unit_test(decide_trial_out_of_tries_returns_to_one_given_up),
        cmocka_unit_test(decide_of_two_given_up_above_floor_then_active),
        cmocka_unit_test(decide_trial_with_tries_counts_one_and_starts_it),
        cmocka_unit_test(decide_trial_gets_exactly_its_tries),
        cmocka_unit_test(decide_trial_out_of_tries_returns_to_confirmed),
        cmocka_unit_test(decide_trial_out_of_tries_and_no_active_starts_trial),
        cmocka_unit_test(decide_corrupt_trial_returns_to_confirmed),
        cmocka_unit_test(decide_trial_starts_though_active_is_corrupt),
        cmocka_unit_test(decide_nothing_bootable_changes_nothing),
        cmocka_unit_test(decide_lost_state_tries_the_higher_of_two),
        cmocka_unit_test(decide_lost_state_confirms_the_only_one),
        cmocka_unit_test(decide_lost_state_and_no_slot_starts_nothing),
        cmocka_unit_test(decide_invariants_hold_for_every_combination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
