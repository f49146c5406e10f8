/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of the engine: pace, sets, facts of a device, a rollout's
 * course at rest, sentences. */
#include "support/cmocka_all.h"

#include "device_facts.h"
#include "number_set.h"
#include "pace.h"
#include "rollout_why.h"
#include "steering.h"

#include <stdlib.h>

enum { SECOND = 1000000 };

static void pace_allows_a_minutes_worth_then_one_by_one(void **state)
{
    _Atomic uint64_t due = 0;
    uint64_t now = 5000ULL * SECOND;
    uint32_t n = 0;

    (void)state;
    while (pace_wait(&due, 600, now) == 0) {
        pace_take(&due, 600, now);
        n++;
        assert_true(n < 100);
    }
    assert_int_equal(n, 10);
    assert_int_equal(pace_wait(&due, 600, now), 7); /* 6 s, rounded up */
    assert_int_equal(pace_wait(&due, 600, now + 6ULL * SECOND), 0);
    assert_int_equal(pace_wait(&due, 0, now), 0);
}

static void pace_of_one_an_hour_is_one_an_hour(void **state)
{
    _Atomic uint64_t due = 0;
    uint64_t now = 5000ULL * SECOND;

    (void)state;
    assert_int_equal(pace_wait(&due, 1, now), 0);
    pace_take(&due, 1, now);
    assert_in_range(pace_wait(&due, 1, now), 3600, 3601);
    assert_in_range(pace_wait(&due, 1, now + 3599ULL * SECOND), 1, 2);
    assert_int_equal(pace_wait(&due, 1, now + 3600ULL * SECOND), 0);
}

static void a_set_has_what_was_added_and_nothing_else(void **state)
{
    struct number_set set;

    (void)state;
    assert_int_equal(number_set_init(&set), 0);
    assert_false(number_set_has(&set, 1));
    for (uint32_t i = 1; i < 5000; i += 3) {
        assert_int_equal(number_set_add(&set, i), 0);
        assert_int_equal(number_set_add(&set, i), 0);
    }
    for (uint32_t i = 1; i < 5000; i++) {
        assert_int_equal(number_set_has(&set, i), i % 3 == 1);
    }
    number_set_clear(&set);
    assert_false(number_set_has(&set, 1));
    number_set_free(&set);
}

static void what_is_taken_out_of_a_set_hides_nothing_else(void **state)
{
    struct number_set set;

    (void)state;
    assert_int_equal(number_set_init(&set), 0);
    number_set_remove(&set, 1);
    for (uint32_t i = 1; i <= 3000; i++) {
        assert_int_equal(number_set_add(&set, i), 0);
    }
    for (uint32_t i = 2; i <= 3000; i += 2) {
        number_set_remove(&set, i);
        number_set_remove(&set, i);
    }
    for (uint32_t i = 1; i <= 3000; i++) {
        assert_int_equal(number_set_has(&set, i), i % 2 == 1);
    }
    assert_int_equal(set.n, 1500);
    number_set_free(&set);
}

static void a_set_takes_no_more_than_it_may_hold(void **state)
{
    struct number_set set;

    (void)state;
    assert_int_equal(number_set_init(&set), 0);
    assert_false(number_set_add_below(&set, 1, 0));
    assert_true(number_set_add_below(&set, 1, 2));
    assert_true(number_set_add_below(&set, 2, 2));
    assert_false(number_set_add_below(&set, 3, 2));
    assert_true(number_set_add_below(&set, 2, 2));
    assert_false(number_set_has(&set, 3));
    number_set_free(&set);
}

static void text_is_read_in_place_from_our_own_json(void **state)
{
    static const char object[] =
        "{\"a\":\"tag\",\"tag\":\"x\\\"y\\\\z\",\"uni\":\"\\u0007!\","
        "\"empty\":\"\"}";
    static const char list[] = "[\"one\",\"t,w]o\",\"\\\"\"]";
    char out[8];

    (void)state;
    assert_string_equal(json_text_member(object, "a", out, sizeof out), "tag");
    assert_string_equal(json_text_member(object, "tag", out, sizeof out),
                        "x\"y\\z");
    assert_string_equal(json_text_member(object, "uni", out, sizeof out),
                        "\a!");
    assert_string_equal(json_text_member(object, "empty", out, sizeof out),
                        "");
    assert_null(json_text_member(object, "x\"y\\z", out, sizeof out));
    assert_null(json_text_member(NULL, "a", out, sizeof out));
    assert_string_equal(json_text_item(list, 1, out, sizeof out), "t,w]o");
    assert_string_equal(json_text_item(list, 2, out, sizeof out), "\"");
    assert_null(json_text_item(list, 3, out, sizeof out));
    assert_null(json_text_item("[]", 0, out, sizeof out));
    /* Cut, never overrun. */
    assert_string_equal(json_text_item("[\"123456789\"]", 0, out, sizeof out),
                        "1234567");
}

/* Cut anywhere, what is left is read without going beyond it. */
static void torn_json_is_no_harm(void **state)
{
    static const char object[] = "{\"a\":\"b\\u0041c\",\"d\":\"\\n\"}";
    char out[16];

    (void)state;
    for (size_t n = 0; n < sizeof object; n++) {
        char *copy = malloc(n + 1);

        assert_non_null(copy);
        memcpy(copy, object, n);
        copy[n] = '\0';
        (void)json_text_member(copy, "d", out, sizeof out);
        (void)json_text_item(copy, 3, out, sizeof out);
        free(copy);
    }
}

static void facts_of_a_device_by_name(void **state)
{
    char name[] = "kitchen";
    char tags[] = "[\"lab\",\"eu\"]";
    char attributes[] = "{\"region\":\"eu\"}";
    struct device d = {.name = name, .tags = tags, .attributes = attributes};
    struct device_facts f = {.device = &d, .product = "lamp"};

    (void)state;
    device_state_init(&d.s);
    d.id[0] = 0xAB;
    assert_string_equal(device_fact(&f, "name", 0), "kitchen");
    assert_string_equal(device_fact(&f, "product", 0), "lamp");
    assert_string_equal(device_fact(&f, "channel", 0), "stable");
    assert_string_equal(device_fact(&f, "tag", 1), "eu");
    assert_null(device_fact(&f, "tag", 2));
    assert_string_equal(device_fact(&f, "region", 0), "eu");
    assert_null(device_fact(&f, "region", 1));
    assert_null(device_fact(&f, "state", 0)); /* never seen */
    assert_null(device_fact(&f, "version", 0));
    d.s.first_seen = 1;
    d.s.sequence = 7;
    assert_string_equal(device_fact(&f, "sequence", 0), "7");
    assert_string_equal(device_fact(&f, "slot", 0), "A");
    assert_string_equal(device_fact(&f, "id", 0),
                        "ab000000000000000000000000000000");
}

static void a_course_is_read_as_it_was_written(void **state)
{
    struct steering s;
    struct steering again;
    char *text;

    (void)state;
    assert_int_equal(steering_read("", &s), 0);
    assert_true(s.recall);
    snprintf(s.created_by, sizeof s.created_by, "ann");
    snprintf(s.reason, sizeof s.reason, "because \"it\" failed");
    s.started = 5;
    s.since[0] = 5;
    s.until[0] = 9;
    s.since[1] = 9;
    s.gates_since = 8;
    s.seen_failures = 3;
    s.recall = false;
    s.n_returns = 2;
    s.returns[1] = 12;
    s.n_approvals = 1;
    s.approval[0].when = 4;
    snprintf(s.approval[0].by, sizeof s.approval[0].by, "bob");
    text = steering_text(&s);
    assert_non_null(text);
    assert_int_equal(steering_read(text, &again), 0);
    free(text);
    assert_memory_equal(&again, &s, sizeof s);
    assert_int_equal(steering_read("[1]", &again), -1);
    assert_int_equal(steering_read("{", &again), -1);
}

/* Every answer has a sentence, whole, in whatever room there is. */
static void every_verdict_has_a_sentence(void **state)
{
    struct rollout_device d = {.channel = "", .version = "1.0"};
    struct rollout_verdict v = {.candidate = 0, .stone = -1, .held = -1};
    struct why_rollout about = {.id = 7, .version = "1.2", .channel = ""};
    struct why_facts f = {.seen = true,
                          .device = &d,
                          .v = &v,
                          .about = &about,
                          .min_version = "",
                          .wait = ""};
    char all[ROLLOUT_WHYS][400];
    char small[12];

    (void)state;
    for (int i = 0; i < ROLLOUT_WHYS; i++) {
        v.why = (enum rollout_why)i;
        rollout_sentence(&f, all[i], sizeof all[i]);
        assert_true(strlen(all[i]) > 10);
        rollout_sentence(&f, small, sizeof small);
        assert_true(strlen(small) < sizeof small);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(all[i], all[k]);
        }
    }
}

/* In percent or devices, as the plan says it; never in places of a hash. */
static void a_later_stage_is_said_for_people(void **state)
{
    static const struct plan_stage stages[] = {
        {.percent = 5}, {.count = 1}, {.count = 30}, {.percent = 80}};
    struct rollout_device d = {.channel = "", .version = "1.0"};
    struct rollout_verdict v = {
        .why = ROLLOUT_STAGE, .candidate = 0, .stone = -1, .held = -1};
    struct why_rollout about = {.id = 7,
                                .version = "1.2",
                                .channel = "",
                                .n_stages = 4,
                                .own_stage = 2,
                                .stages = stages};
    struct why_facts f = {.seen = true,
                          .device = &d,
                          .v = &v,
                          .about = &about,
                          .min_version = "",
                          .wait = ""};
    char said[400];

    (void)state;
    rollout_sentence(&f, said, sizeof said);
    assert_string_equal(
        said, "its turn has not come: rollout 7 is at stage 1 of 4, for 5 "
              "percent of the devices; this one comes with stage 3, for 30 "
              "devices");
    about.stage = 1;
    about.own_stage = 4;
    rollout_sentence(&f, said, sizeof said);
    assert_string_equal(said,
                        "its turn has not come: rollout 7 is at stage 2 of "
                        "4, for 1 device; this one is in none of its stages");
}

/* What it did itself goes before what others may have for it; a sentence
 * that is about that anyway does not say it twice. */
static void its_own_outcome_comes_first(void **state)
{
    static const char before[] =
        "it returned from 1.1 of rollout 5: no trusted key verifies a "
        "signature; ";
    struct rollout_device d = {.channel = "",
                               .version = "1.0",
                               .outcome = BL_STATE_RETURNED,
                               .code = BL_SIGNATURE};
    struct rollout_verdict v = {.candidate = 0, .stone = -1, .held = -1};
    struct why_rollout own = {.id = 5, .version = "1.1", .channel = ""};
    struct why_rollout newer = {.id = 7, .version = "1.2", .channel = ""};
    struct why_facts f = {.seen = true,
                          .device = &d,
                          .v = &v,
                          .own = &own,
                          .min_version = "",
                          .wait = ""};
    char text[400];
    char bare[400];

    (void)state;
    for (int i = 0; i < ROLLOUT_WHYS; i++) {
        v.why = (enum rollout_why)i;
        f.about = &newer;
        f.own_first = false;
        rollout_sentence(&f, bare, sizeof bare);
        f.own_first = true;
        rollout_sentence(&f, text, sizeof text);
        assert_memory_equal(text, before, strlen(before));
        assert_string_equal(text + strlen(before), bare);
        if (i != ROLLOUT_QUARANTINE) {
            assert_null(strstr(bare, "trusted key"));
        }
        f.about = &own;
        rollout_sentence(&f, text, sizeof text);
        assert_non_null(strstr(text, "trusted key"));
        assert_int_equal(strstr(text, before) == NULL,
                         i == ROLLOUT_TRIED || i == ROLLOUT_QUARANTINE ||
                             i == ROLLOUT_OFFER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_allows_a_minutes_worth_then_one_by_one),
        cmocka_unit_test(pace_of_one_an_hour_is_one_an_hour),
        cmocka_unit_test(a_set_has_what_was_added_and_nothing_else),
        cmocka_unit_test(what_is_taken_out_of_a_set_hides_nothing_else),
        cmocka_unit_test(a_set_takes_no_more_than_it_may_hold),
        cmocka_unit_test(text_is_read_in_place_from_our_own_json),
        cmocka_unit_test(torn_json_is_no_harm),
        cmocka_unit_test(facts_of_a_device_by_name),
        cmocka_unit_test(a_course_is_read_as_it_was_written),
        cmocka_unit_test(every_verdict_has_a_sentence),
        cmocka_unit_test(a_later_stage_is_said_for_people),
        cmocka_unit_test(its_own_outcome_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
