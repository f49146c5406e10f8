/* SPDX-License-Identifier: Apache-2.0 */
/* Steering as a truth table, its properties over all small counts, and the
 * interval against known values. */
#include "support/cmocka_all.h"

#include "steer.h"

#include <math.h>

static const uint64_t noon = 1767268800;

struct setting {
    struct plan plan;
    struct steer_facts facts;
    struct steer_verdict verdict;
};

/* The gates of a plan that says nothing, in its first of three stages. */
static void set_up(struct setting *s, struct steer_counts counts)
{
    json_t *empty = json_object();
    struct error err;

    memset(s, 0, sizeof *s);
    assert_int_equal(plan_read(empty, &s->plan, &err), 0);
    json_decref(empty);
    s->facts.plan = &s->plan;
    s->facts.now = counts;
    s->facts.time = noon;
    s->facts.stage_since = noon - 7200;
    s->facts.gates_since = noon - 3600;
}

static void decide(struct setting *s, enum steer_action action)
{
    static const char *const name[] = {"hold", "advance", "pause", "finish"};

    steer_decide(&s->facts, &s->verdict);
    assert_string_equal(name[s->verdict.action], name[action]);
    assert_true(strlen(s->verdict.reason) > 0);
}

static void expect(struct steer_counts counts, enum steer_action action,
                   const char *reason)
{
    struct setting s;

    set_up(&s, counts);
    decide(&s, action);
    assert_string_equal(s.verdict.reason, reason);
}

/* --- The table ----------------------------------------------------------- */

static void a_server_that_has_just_begun_waits_for_reports(void **state)
{
    struct setting s;
    struct steer_counts good = {.devices = 20, .confirmed = 20};

    (void)state;
    set_up(&s, good);
    s.facts.unwatched = true;
    decide(&s, STEER_HOLD);
    assert_non_null(strstr(s.verdict.reason, "lets devices report first"));
    s.facts.unwatched = false;
    decide(&s, STEER_ADVANCE);
    /* What is bad is seen at once. */
    s.facts.unwatched = true;
    s.facts.now.confirmed = 10;
    s.facts.now.returned = 10;
    decide(&s, STEER_PAUSE);
}

static void a_stage_with_all_gates_passed_advances(void **state)
{
    struct setting s;
    struct steer_counts good = {.devices = 20, .confirmed = 19, .failed = 1};

    (void)state;
    expect(good, STEER_ADVANCE,
           "every gate is passed: 19 of 20 devices have confirmed, 1 failed; "
           "the next stage begins");
    set_up(&s, good);
    s.facts.last = true;
    decide(&s, STEER_FINISH);
    assert_string_equal(s.verdict.reason,
                        "every gate is passed: 19 of 20 devices have "
                        "confirmed, 1 failed; the rollout is finished");
}

/* 8 of 10 confirmed, 2 failed, nobody else: the end, unless one of the two
 * has another try. */
static void who_tries_again_is_waited_for(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s, (struct steer_counts){
                   .devices = 10, .confirmed = 8, .returned = 2});
    decide(&s, STEER_PAUSE);
    s.facts.now.retrying = 1;
    decide(&s, STEER_HOLD);
    assert_int_equal(s.verdict.failures, 2);
    s.facts.now.bad_signature = 1;
    decide(&s, STEER_PAUSE);
    set_up(&s, (struct steer_counts){
                   .devices = 10, .returned = 10, .retrying = 10});
    decide(&s, STEER_PAUSE);
}

static void each_gate_that_waits_says_so_with_numbers(void **state)
{
    (void)state;
    expect(
        (struct steer_counts){
            .devices = 20, .confirmed = 12, .offered = 3, .untouched = 5},
        STEER_HOLD, "12 of 20 devices have confirmed (60%); 19 are needed");
    expect(
        (struct steer_counts){.devices = 20, .confirmed = 1, .untouched = 19},
        STEER_HOLD, "1 of 20 devices has decided; 5 are needed");
    expect((struct steer_counts){.devices = 20,
                                 .confirmed = 8,
                                 .failed = 1,
                                 .returned = 1,
                                 .untouched = 10},
           STEER_HOLD,
           "2 of 10 failed: between 7% and 46% of all would; waiting for more "
           "devices before judging");
    expect((struct steer_counts){.devices = 1, .untouched = 1}, STEER_HOLD,
           "0 of 1 device has decided; 1 is needed");
    expect((struct steer_counts){0}, STEER_HOLD, "no device is in this stage");
}

static void a_stage_soaks_from_when_its_gates_were_met(void **state)
{
    struct steer_counts good = {.devices = 5, .confirmed = 5};
    struct setting s;

    (void)state;
    set_up(&s, good);
    s.facts.gates_since = 0;
    decide(&s, STEER_HOLD);
    assert_true(s.verdict.gates_met);
    assert_string_equal(s.verdict.reason, "soaking: 0 s of 1 h");
    s.facts.gates_since = noon - 12 * 60;
    decide(&s, STEER_HOLD);
    assert_string_equal(s.verdict.reason, "soaking: 12 min of 1 h");
    assert_int_equal(s.verdict.gate[GATE_SOAK].value, 720);
    s.facts.gates_since = noon - 3599;
    decide(&s, STEER_HOLD);
    s.facts.gates_since = noon - 3600;
    decide(&s, STEER_ADVANCE);
    /* A clock that was set back. */
    s.facts.gates_since = noon + 50;
    decide(&s, STEER_HOLD);
    s.plan.stage[0].gates.soak_s = 0;
    s.facts.gates_since = 0;
    decide(&s, STEER_ADVANCE);
}

static void gates_that_are_not_met_stop_the_soaking(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s,
           (struct steer_counts){.devices = 5, .confirmed = 4, .offered = 1});
    decide(&s, STEER_HOLD);
    assert_false(s.verdict.gates_met);
    assert_int_equal(s.verdict.gate[GATE_SOAK].state, GATE_WAITING);
    assert_int_equal(s.verdict.gate[GATE_SOAK].value, 0);
    assert_string_equal(s.verdict.gate[GATE_SOAK].text,
                        "soaks for 1 h once enough devices are well");
}

static void a_manual_gate_waits_for_an_operator_and_not_alone(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s, (struct steer_counts){.devices = 5, .confirmed = 5});
    s.plan.stage[0].gates.manual = true;
    decide(&s, STEER_HOLD);
    assert_string_equal(s.verdict.reason, "an operator must say advance");
    s.facts.advance_asked = true;
    decide(&s, STEER_ADVANCE);
    s.facts.now.confirmed = 3;
    s.facts.now.untouched = 2;
    decide(&s, STEER_HOLD);
}

static void failures_that_are_clear_pause(void **state)
{
    (void)state;
    expect((struct steer_counts){.devices = 100,
                                 .confirmed = 14,
                                 .returned = 3,
                                 .failed = 1,
                                 .refused = 1,
                                 .silent = 1,
                                 .untouched = 80},
           STEER_PAUSE,
           "6 of 20 failed: between 16% and 48% of all would; fewer than 10% "
           "may");
    /* Unclear, and nobody is left to make it clear. */
    expect((struct steer_counts){.devices = 20, .confirmed = 18, .silent = 2},
           STEER_PAUSE,
           "2 of 20 failed: between 3% and 26% of all would; fewer than 10% "
           "may");
    /* Below the ceiling, but too few are well. */
    expect((struct steer_counts){.devices = 100, .confirmed = 93, .failed = 7},
           STEER_PAUSE,
           "no device is left to decide: 93 of 100 confirmed (93%), 95 are "
           "needed; 7 failed");
}

static void one_of_one_neither_passes_nor_pauses_and_says_why(void **state)
{
    (void)state;
    expect((struct steer_counts){.devices = 1, .failed = 1}, STEER_HOLD,
           "no device is left to decide, and this stage cannot pass by "
           "itself: 0 of 1 confirmed, 1 is needed; 1 failed (fewer than 10% "
           "may), too few to pause; advance by hand, retry or abort");
    expect((struct steer_counts){.devices = 10, .confirmed = 9, .silent = 1},
           STEER_HOLD,
           "no device is left to decide, and this stage cannot pass by "
           "itself: 9 of 10 confirmed, 10 are needed; 1 failed (fewer than "
           "10% may), too few to pause; advance by hand, retry or abort");
}

static void a_refused_signature_pauses_whatever_the_counts(void **state)
{
    struct setting s;

    (void)state;
    expect((struct steer_counts){.devices = 1000,
                                 .confirmed = 999,
                                 .refused = 1,
                                 .bad_signature = 1},
           STEER_PAUSE,
           "1 device refused the release's signature: the release, or the "
           "way to the devices, is wrong for all of them");
    set_up(&s, (struct steer_counts){.devices = 1000,
                                     .confirmed = 999,
                                     .refused = 1,
                                     .bad_signature = 1});
    plan_free(&s.plan);
    plan_default(&s.plan);
    decide(&s, STEER_PAUSE);
    s.facts.seen_bad_signature = 1;
    decide(&s, STEER_HOLD);
    s.facts.now.bad_signature = 2;
    decide(&s, STEER_PAUSE);
}

static void resumed_it_pauses_again_only_for_more(void **state)
{
    struct steer_counts bad = {
        .devices = 100, .confirmed = 10, .failed = 10, .untouched = 80};
    struct setting s;

    (void)state;
    set_up(&s, bad);
    decide(&s, STEER_PAUSE);
    s.facts.seen_failures = 10;
    decide(&s, STEER_HOLD);
    assert_int_equal(s.verdict.gate[GATE_FAILED].state, GATE_FAILING);
    assert_string_equal(s.verdict.reason,
                        "10 of 20 failed: between 33% and 67% of all would; "
                        "fewer than 10% may; an operator resumed in spite of "
                        "it");
    s.facts.now.failed = 11;
    decide(&s, STEER_PAUSE);
    s.facts.now =
        (struct steer_counts){.devices = 20, .confirmed = 10, .failed = 10};
    decide(&s, STEER_HOLD);
    assert_non_null(
        strstr(s.verdict.reason, "a person resumed it in spite of them"));
    assert_true(s.verdict.person);
    s.facts.now =
        (struct steer_counts){.devices = 20, .confirmed = 9, .untouched = 11};
    decide(&s, STEER_HOLD);
    assert_false(s.verdict.person);
}

static void before_its_time_a_rollout_holds(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s, (struct steer_counts){.devices = 5, .confirmed = 5});
    s.plan.start_at = noon + 5400;
    decide(&s, STEER_HOLD);
    assert_string_equal(s.verdict.reason, "starts in 1 h 30 min");
}

/* Rollbacks, and rollouts from before there were gates. */
static void without_gates_it_finishes_when_all_have_confirmed(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s,
           (struct steer_counts){.devices = 20, .confirmed = 19, .failed = 1});
    plan_free(&s.plan);
    plan_default(&s.plan);
    s.facts.last = true;
    decide(&s, STEER_HOLD);
    s.facts.now.confirmed = 20;
    s.facts.now.failed = 0;
    s.facts.gates_since = 0;
    decide(&s, STEER_FINISH);
    s.facts.now = (struct steer_counts){0};
    decide(&s, STEER_HOLD);
    for (uint32_t failed = 0; failed <= 20; failed++) {
        s.facts.now = (struct steer_counts){
            .devices = 21, .failed = failed, .untouched = 21 - failed};
        decide(&s, STEER_HOLD);
    }
}

static void counts_at_their_ends_overflow_nothing(void **state)
{
    static const uint32_t end[] = {0, 1, UINT32_MAX - 1, UINT32_MAX};

    (void)state;
    for (unsigned i = 0; i < 4 * 4 * 4 * 4 * 4; i++) {
        struct setting s;

        set_up(&s, (struct steer_counts){.devices = end[i & 3],
                                         .confirmed = end[i >> 2 & 3],
                                         .failed = end[i >> 4 & 3],
                                         .silent = end[i >> 6 & 3],
                                         .untouched = end[i >> 8 & 3]});
        steer_decide(&s.facts, &s.verdict);
        for (unsigned g = 0; g < STEER_GATES; g++) {
            assert_int_equal(s.verdict.gate[g].name, g);
            assert_true(strlen(s.verdict.gate[g].text) > 0);
        }
    }
}

/* --- Properties over all small counts ------------------------------------ */

static void check(const struct setting *s)
{
    const struct steer_verdict *v = &s->verdict;
    const struct steer_counts *n = &s->facts.now;
    const struct plan_gates *gates = &s->plan.stage[0].gates;
    double ceiling = gates->max_failed_percent / 100.0;
    bool judged = gates->max_failed_percent < 100;
    bool bad =
        judged && v->failures >= gates->min_failed && v->failed_low >= ceiling;
    bool fine = !judged || v->failures == 0 ||
                (double)v->failures / v->sample < ceiling;
    bool ended = n->offered + n->untouched == 0;

    assert_int_equal(v->failures,
                     n->returned + n->failed + n->refused + n->silent);
    assert_int_equal(v->sample, v->failures + n->confirmed);
    if (v->action == STEER_ADVANCE || v->action == STEER_FINISH) {
        assert_true(fine && v->gates_met);
        assert_true(n->confirmed * 100 >=
                    n->devices * gates->confirmed_percent);
        assert_int_equal(v->action == STEER_FINISH, s->facts.last);
    }
    if (v->action == STEER_PAUSE) {
        assert_true(v->failures >= gates->min_failed && v->failures > 0);
        assert_true(bad || ended);
    }
    if (bad) {
        assert_int_equal(v->action, STEER_PAUSE);
    }
    if (ended && v->action == STEER_HOLD && n->devices > 0) {
        bool waits =
            v->gates_met && (v->gate[GATE_SOAK].state == GATE_WAITING ||
                             v->gate[GATE_MANUAL].state == GATE_WAITING);

        assert_true(waits || !judged || v->failures < gates->min_failed);
    }
}

static void try_settings(struct setting *s)
{
    static const struct plan_gates gates[] = {
        {95, 10, false, 5, 2, 3600},  {95, 10, true, 5, 2, 0},
        {0, 0, false, 0, 1, 0},       {50, 30, false, 2, 1, 0},
        {100, 100, false, 0, 1, 0},   {80, 20, false, 1000, 3, 60},
        {100, 99, false, 1, 9, 3600},
    };

    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        for (unsigned bits = 0; bits < 8; bits++) {
            s->plan.stage[0].gates = gates[i];
            s->facts.last = (bits & 1) != 0;
            s->facts.advance_asked = (bits & 2) != 0;
            s->facts.gates_since = (bits & 4) != 0 ? noon - 3600 : 0;
            steer_decide(&s->facts, &s->verdict);
            check(s);
        }
    }
}

/* Six kinds of device, at most seven of them in all. */
static void no_small_count_breaks_a_promise(void **state)
{
    struct setting s;
    uint32_t k[6];
    unsigned tried = 0;

    (void)state;
    set_up(&s, (struct steer_counts){0});
    for (unsigned code = 0; code < 8 * 8 * 8 * 8 * 8 * 8; code++) {
        uint32_t all = 0;

        for (unsigned i = 0; i < 6; i++) {
            k[i] = code >> 3 * i & 7;
            all += k[i];
        }
        if (all > 7) {
            continue;
        }
        s.facts.now = (struct steer_counts){.devices = all,
                                            .confirmed = k[0],
                                            .offered = k[1],
                                            .untouched = k[2],
                                            .failed = k[3],
                                            .silent = k[4],
                                            .returned = k[5]};
        try_settings(&s);
        tried++;
    }
    assert_int_equal(tried, 1716);
    plan_free(&s.plan);
}

/* Two numbers only, but more devices. */
static void no_mix_of_well_and_failed_breaks_a_promise(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s, (struct steer_counts){0});
    for (uint32_t well = 0; well <= 40; well++) {
        for (uint32_t failed = 0; failed <= 40; failed++) {
            for (uint32_t left = 0; left <= 40; left += 20) {
                s.facts.now =
                    (struct steer_counts){.devices = well + failed + left,
                                          .confirmed = well,
                                          .refused = failed,
                                          .untouched = left};
                try_settings(&s);
            }
        }
    }
    plan_free(&s.plan);
}

/* --- Wilson -------------------------------------------------------------- */

static void near(double is, double should)
{
    if (fabs(is - should) > 0.00005) {
        print_error("%f is not %f\n", is, should);
        fail();
    }
}

/* z = 1.96: the values that textbooks and R's prop.test(correct=F) give. */
static void wilson_gives_the_known_values(void **state)
{
    static const struct {
        uint32_t k, n;
        double low, high;
    } known[] = {
        {0, 10, 0.0, 0.27753},     {1, 10, 0.01788, 0.40415},
        {5, 10, 0.23659, 0.76341}, {10, 10, 0.72247, 1.0},
        {1, 3, 0.06149, 0.79234},  {81, 263, 0.2553, 0.3662},
        {1, 29, 0.0061, 0.1718},   {15, 148, 0.0624, 0.1605},
    };
    double low;
    double high;

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        steer_wilson(known[i].k, known[i].n, 1.959964, &low, &high);
        near(low, known[i].low);
        near(high, known[i].high);
    }
    steer_wilson(1, 3, 1.6448536, &low, &high);
    near(low, 0.0783);
    near(high, 0.7465);
    steer_wilson(0, 0, 1.6448536, &low, &high);
    assert_true(low == 0 && high == 1);
}

static void wilson_mirrors_narrows_and_holds_the_share(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 60; n++) {
        for (uint32_t k = 0; k <= n; k++) {
            double low, high, l2, h2;

            steer_wilson(k, n, 1.6448536, &low, &high);
            assert_true(0 <= low && low <= (double)k / n);
            assert_true((double)k / n <= high && high <= 1);
            steer_wilson(n - k, n, 1.6448536, &l2, &h2);
            assert_true(fabs(low - (1 - h2)) < 1e-9);
            steer_wilson(4 * k, 4 * n, 1.6448536, &l2, &h2);
            assert_true(h2 - l2 < high - low);
        }
    }
}

/* --- Finish -------------------------------------------------------------- */

static struct steer_pace pace(void)
{
    struct steer_pace p = {.now = noon,
                           .stage_since = noon - 3600,
                           .stage_devices = {100, 1000, 10000},
                           .confirmed = 50,
                           .poll_interval_s = 1800};

    return p;
}

static void finish_counts_this_stage_the_later_ones_and_soaking(void **state)
{
    struct steer_pace p = pace();
    struct setting s;

    (void)state;
    set_up(&s, (struct steer_counts){0});
    /* 45 more at 50 an hour, 3 x 1 h of soaking, 2 stages like this one. */
    assert_int_equal(steer_finish(&s.plan, 0, &p),
                     noon + 3240 + 3 * 3600 + 2 * 6840);
    p.confirmed = 95;
    p.gates_since = noon - 600;
    assert_int_equal(steer_finish(&s.plan, 0, &p),
                     noon + 3000 + 2 * 3600 + 2 * 3000);
    /* 9,000 devices at 1,000 an hour; 900 take less than a stage does. */
    s.plan.rate_per_hour = 1000;
    assert_int_equal(steer_finish(&s.plan, 0, &p),
                     noon + 3000 + 2 * 3600 + 900 * 36 / 10 + 9 * 3600);
    /* In the last stage only its own rest counts. */
    p.confirmed = 9500;
    assert_int_equal(steer_finish(&s.plan, 2, &p), noon + 3000);
}

static void finish_says_nothing_when_it_cannot_know(void **state)
{
    struct steer_pace p = pace();
    struct setting s;

    (void)state;
    set_up(&s, (struct steer_counts){0});
    p.confirmed_at_start = 50;
    assert_int_equal(steer_finish(&s.plan, 0, &p), 0);
    p = pace();
    p.stage_since = noon;
    assert_int_equal(steer_finish(&s.plan, 0, &p), 0);
    p = pace();
    p.stage_devices[0] = 0;
    assert_int_equal(steer_finish(&s.plan, 0, &p), 0);
    p = pace();
    s.plan.stage[2].gates.manual = true;
    assert_int_equal(steer_finish(&s.plan, 0, &p), 0);
    s.plan.stage[2].gates.manual = false;
    s.plan.start_at = noon + 1;
    assert_int_equal(steer_finish(&s.plan, 0, &p), 0);
    s.plan.start_at = 0;
    s.plan.rate_per_hour = 1;
    p.stage_devices[2] = UINT32_MAX;
    assert_int_equal(steer_finish(&s.plan, 0, &p), 0);
    assert_int_equal(steer_finish(&s.plan, 3, &p), 0);
}

static void durations_read_as_people_say_them(void **state)
{
    static const struct {
        uint64_t seconds;
        const char *text;
    } known[] = {{0, "0 s"},           {59, "59 s"},       {60, "1 min"},
                 {90, "1 min 30 s"},   {3600, "1 h"},      {3659, "1 h"},
                 {5400, "1 h 30 min"}, {86400, "1 d"},     {90000, "1 d 1 h"},
                 {172799, "1 d 23 h"}, {31536000, "365 d"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        steer_duration(known[i].seconds, text, sizeof text);
        assert_string_equal(text, known[i].text);
    }
}

static void names_are_what_the_api_says(void **state)
{
    (void)state;
    assert_string_equal(steer_gate_title(GATE_SAMPLE), "sample");
    assert_string_equal(steer_gate_title(GATE_CONFIRMED), "confirmed");
    assert_string_equal(steer_gate_title(GATE_FAILED), "failed");
    assert_string_equal(steer_gate_title(GATE_SOAK), "soak");
    assert_string_equal(steer_gate_title(GATE_MANUAL), "manual");
    assert_string_equal(steer_gate_state_name(GATE_PASSED), "passed");
    assert_string_equal(steer_gate_state_name(GATE_WAITING), "waiting");
    assert_string_equal(steer_gate_state_name(GATE_FAILING), "failing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_has_just_begun_waits_for_reports),
        cmocka_unit_test(a_stage_with_all_gates_passed_advances),
        cmocka_unit_test(who_tries_again_is_waited_for),
        cmocka_unit_test(each_gate_that_waits_says_so_with_numbers),
        cmocka_unit_test(a_stage_soaks_from_when_its_gates_were_met),
        cmocka_unit_test(gates_that_are_not_met_stop_the_soaking),
        cmocka_unit_test(a_manual_gate_waits_for_an_operator_and_not_alone),
        cmocka_unit_test(failures_that_are_clear_pause),
        cmocka_unit_test(one_of_one_neither_passes_nor_pauses_and_says_why),
        cmocka_unit_test(a_refused_signature_pauses_whatever_the_counts),
        cmocka_unit_test(resumed_it_pauses_again_only_for_more),
        cmocka_unit_test(before_its_time_a_rollout_holds),
        cmocka_unit_test(without_gates_it_finishes_when_all_have_confirmed),
        cmocka_unit_test(counts_at_their_ends_overflow_nothing),
        cmocka_unit_test(no_small_count_breaks_a_promise),
        cmocka_unit_test(no_mix_of_well_and_failed_breaks_a_promise),
        cmocka_unit_test(wilson_gives_the_known_values),
        cmocka_unit_test(wilson_mirrors_narrows_and_holds_the_share),
        cmocka_unit_test(finish_counts_this_stage_the_later_ones_and_soaking),
        cmocka_unit_test(finish_says_nothing_when_it_cannot_know),
        cmocka_unit_test(durations_read_as_people_say_them),
        cmocka_unit_test(names_are_what_the_api_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
