/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: what is filled in, what is refused, that writing and reading agree,
 * and windows. */
#include "support/cmocka_all.h"

#include "plan.h"

#include <stdio.h>

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "ffeeddccbbaa99887766554433221100"
#define DIGEST                                                                \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static int read_text(const char *text, struct plan *p, struct error *err)
{
    json_error_t why;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    int result;

    if (json == NULL) {
        fail_msg("%s: %s", text, why.text);
    }
    result = plan_read(json, p, err);
    json_decref(json);
    return result;
}

static void good(const char *text, struct plan *p)
{
    struct error err = {BL_OK, 0, ""};

    if (read_text(text, p, &err) != 0) {
        fail_msg("%s: %s", text, err.text);
    }
}

static void wrong(const char *text, const char *message)
{
    struct error err = {BL_OK, 0, ""};
    static const struct plan empty;
    struct plan p;

    memset(&p, 0xA5, sizeof p);
    assert_int_equal(read_text(text, &p, &err), -1);
    assert_string_equal(err.text, message);
    assert_memory_equal(&p, &empty, sizeof p);
    assert_int_equal(read_text(text, &p, NULL), -1);
}

/* --- Defaults and strategies --------------------------------------------- */

static void check_gates(const struct plan_gates *g)
{
    assert_int_equal(g->confirmed_percent, 95);
    assert_int_equal(g->max_failed_percent, 10);
    assert_int_equal(g->min_sample, 5);
    assert_int_equal(g->min_failed, 2);
    assert_int_equal(g->soak_s, 3600);
    assert_false(g->manual);
}

static void a_plan_that_says_nothing_has_the_defaults(void **state)
{
    static const uint8_t percent[] = {1, 10, 100};
    struct plan p;

    (void)state;
    good("{\"product\": \"thermostat\", \"version\": \"1.4.0\"}", &p);
    assert_int_equal(p.n_stages, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(p.stage[i].percent, percent[i]);
        assert_int_equal(p.stage[i].count, 0);
        check_gates(&p.stage[i].gates);
    }
    assert_null(p.query);
    assert_string_equal(p.channel, "");
    assert_int_equal(p.include.n + p.exclude.n + p.n_windows + p.n_permits, 0);
    assert_true(p.start_at == 0 && p.deadline == 0);
    assert_true(p.metered && p.roaming && !p.consent && !p.security);
    assert_int_equal(p.rate_per_hour + p.max_downloads, 0);
    assert_int_equal(p.priority, 0);
    assert_int_equal(p.on_failure, PLAN_PAUSE);
    assert_int_equal(p.attempts, 2);
    assert_int_equal(p.quarantine_s, 86400);
    plan_free(&p);
}

static void a_strategy_gives_the_stages_when_there_are_none(void **state)
{
    struct plan p;

    (void)state;
    good("{\"strategy\": \"canary\"}", &p);
    assert_int_equal(p.n_stages, 2);
    assert_int_equal(p.stage[0].count, 10);
    assert_int_equal(p.stage[0].percent, 0);
    assert_int_equal(p.stage[1].percent, 100);
    good("{\"strategy\": \"immediate\", \"gates\": {\"soak_s\": 5}}", &p);
    assert_int_equal(p.n_stages, 1);
    assert_int_equal(p.stage[0].percent, 100);
    assert_int_equal(p.stage[0].gates.soak_s, 5);
    good("{\"strategy\": \"immediate\", \"stages\": [{\"percent\": 7}]}", &p);
    assert_int_equal(p.n_stages, 1);
    assert_int_equal(p.stage[0].percent, 7);
    /* As the first API had them. */
    good("{\"stages\": [2, 50]}", &p);
    assert_int_equal(p.n_stages, 2);
    assert_int_equal(p.stage[1].percent, 50);
}

static void gates_of_a_stage_are_above_those_of_the_plan(void **state)
{
    struct plan p;

    (void)state;
    good("{\"gates\": {\"soak_s\": 60, \"min_sample\": 3},"
         " \"stages\": [{\"count\": 5, \"gates\": {\"soak_s\": 0,"
         " \"manual\": true}}, {\"percent\": 1}, {\"percent\": 100}]}",
         &p);
    assert_int_equal(p.stage[0].gates.soak_s, 0);
    assert_int_equal(p.stage[0].gates.min_sample, 3);
    assert_true(p.stage[0].gates.manual);
    assert_int_equal(p.stage[1].gates.soak_s, 60);
    assert_false(p.stage[1].gates.manual);
    assert_int_equal(p.stage[2].gates.confirmed_percent, 95);
}

static void lists_of_devices_are_sorted_and_found(void **state)
{
    uint8_t a[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                     0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};
    struct plan p;

    (void)state;
    good("{\"target\": {\"include\": [\"" ID_B "\", \"" ID_A "\", \"" ID_B
         "\"], \"exclude\": []}}",
         &p);
    assert_int_equal(p.include.n, 2);
    assert_true(plan_has_id(&p.include, a));
    assert_false(plan_has_id(&p.exclude, a));
    a[15] = 0;
    assert_false(plan_has_id(&p.include, a));
    plan_free(&p);
}

/* --- Refusals ------------------------------------------------------------ */

static void each_number_is_held_to_its_bounds(void **state)
{
    static const struct {
        const char *name;
        long long low, high;
    } member[] = {
        {"start_at", 0, 253402300799},    {"deadline", 0, 253402300799},
        {"min_battery_percent", 0, 100},  {"rate_per_hour", 0, 1000000000},
        {"max_downloads", 0, 1000000000}, {"priority", -100, 100},
    };

    (void)state;
    for (size_t i = 0; i < sizeof member / sizeof member[0]; i++) {
        const char *const other[] = {"\"1\"", "1.0", "null", "true", "[]"};
        char text[128];
        char message[256];
        struct plan p;

        (void)snprintf(message, sizeof message,
                       "%s must be a whole number from %lld to %lld",
                       member[i].name, member[i].low, member[i].high);
        (void)snprintf(text, sizeof text, "{\"%s\": %lld}", member[i].name,
                       member[i].low);
        good(text, &p);
        (void)snprintf(text, sizeof text, "{\"%s\": %lld}", member[i].name,
                       member[i].high);
        good(text, &p);
        (void)snprintf(text, sizeof text, "{\"%s\": %lld}", member[i].name,
                       member[i].low - 1);
        wrong(text, message);
        (void)snprintf(text, sizeof text, "{\"%s\": %lld}", member[i].name,
                       member[i].high + 1);
        wrong(text, message);
        for (size_t k = 0; k < sizeof other / sizeof other[0]; k++) {
            (void)snprintf(text, sizeof text, "{\"%s\": %s}", member[i].name,
                           other[k]);
            wrong(text, message);
        }
    }
}

static void each_switch_is_true_or_false(void **state)
{
    static const char *const name[] = {"consent", "metered", "roaming",
                                       "security"};
    static const char *const other[] = {"0", "1", "\"yes\"", "null"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            char text[128];
            char message[128];

            (void)snprintf(text, sizeof text, "{\"%s\": %s}", name[i],
                           other[k]);
            (void)snprintf(message, sizeof message, "%s must be true or false",
                           name[i]);
            wrong(text, message);
        }
    }
}

static void gates_and_retries_are_held_to_their_bounds(void **state)
{
    (void)state;
    wrong("{\"gates\": {\"confirmed_percent\": 101}}",
          "gates: confirmed_percent must be a whole number from 0 to 100");
    wrong("{\"gates\": {\"max_failed_percent\": -1}}",
          "gates: max_failed_percent must be a whole number from 0 to 100");
    wrong("{\"gates\": {\"min_sample\": 1.5}}",
          "gates: min_sample must be a whole number from 0 to 1000000000");
    wrong("{\"gates\": {\"min_failed\": 0}}",
          "gates: min_failed must be a whole number from 1 to 1000000000");
    wrong("{\"gates\": {\"soak_s\": 7776001}}",
          "gates: soak_s must be a whole number from 0 to 7776000");
    wrong("{\"gates\": {\"manual\": 1}}",
          "gates: manual must be true or false");
    wrong("{\"gates\": {\"soak\": 1}}", "gates: there is no member soak");
    wrong("{\"gates\": 5}", "gates: must be an object");
    wrong("{\"stages\": [{\"percent\": 5, \"gates\": {\"soak_s\": -1}}]}",
          "stages[0]: gates: soak_s must be a whole number from 0 to 7776000");
    wrong("{\"retry\": {\"attempts\": 0}}",
          "retry: attempts must be a whole number from 1 to 10");
    wrong("{\"retry\": {\"quarantine_s\": 2592001}}",
          "retry: quarantine_s must be a whole number from 0 to 2592000");
    wrong("{\"retry\": {\"times\": 1}}", "retry: there is no member times");
    wrong("{\"retry\": []}", "retry: must be an object");
}

static void what_is_not_known_is_refused_by_name(void **state)
{
    (void)state;
    wrong("{\"stage\": [1]}", "there is no member stage");
    wrong("{\"retry stages\": 1}", "there is no member retry stages");
    wrong("{\"\": 1}", "there is no member ");
    wrong("{\"target\": {\"tags\": []}}", "target: there is no member tags");
    wrong("{\"windows\": [{\"day\": []}]}",
          "windows: [0]: there is no member day");
    wrong("{\"permits\": [{\"for\": 1}]}",
          "permits: [0]: there is no member for");
    wrong("{\"stages\": [{\"share\": 1}]}",
          "stages[0]: there is no member share");
    wrong("[]", "a plan must be a JSON object");
    assert_null(json_loads("{\"priority\": 1, \"priority\": 2}",
                           JSON_REJECT_DUPLICATES, NULL));
}

static void stages_are_few_and_rise(void **state)
{
    struct plan p;

    (void)state;
    good("{\"stages\": [{\"count\": 10}, {\"percent\": 1}, {\"count\": 500}, "
         "{\"percent\": 100}]}",
         &p);
    wrong("{\"stages\": []}", "stages: must be a list of 1 to 16");
    wrong("{\"stages\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
          "stages: must be a list of 1 to 16");
    wrong("{\"stages\": 100}", "stages: must be a list of 1 to 16");
    wrong("{\"stages\": [0]}",
          "stages[0]: percent must be a whole number from 1 to 100");
    wrong("{\"stages\": [101]}",
          "stages[0]: percent must be a whole number from 1 to 100");
    wrong("{\"stages\": [{\"count\": 0}]}",
          "stages[0]: count must be a whole number from 1 to 1000000000");
    wrong("{\"stages\": [{\"percent\": 1, \"count\": 1}]}",
          "stages[0]: must have either percent or count");
    wrong("{\"stages\": [{}]}",
          "stages[0]: must have either percent or count");
    wrong("{\"stages\": [\"1\"]}", "stages[0]: must be an object");
    wrong("{\"stages\": [10, 10]}",
          "stages[1]: percent must be more than the 10 before");
    wrong("{\"stages\": [10, {\"count\": 5}, 9]}",
          "stages[2]: percent must be more than the 10 before");
    wrong("{\"stages\": [{\"count\": 5}, 9, {\"count\": 5}]}",
          "stages[2]: count must be more than the 5 before");
    wrong("{\"stages\": [100, {\"count\": 5}]}",
          "stages[1]: comes after the stage of 100 percent, which holds every "
          "device");
    wrong("{\"strategy\": \"slow\"}",
          "strategy must be \"staged\", \"canary\" or \"immediate\"");
    wrong("{\"strategy\": null, \"stages\": [1]}",
          "strategy must be \"staged\", \"canary\" or \"immediate\"");
}

static void targets_are_checked_whole(void **state)
{
    (void)state;
    wrong("{\"target\": {\"query\": \"version <\"}}",
          "target: query: character 10: expected a value");
    wrong("{\"target\": {\"query\": 5}}",
          "target: query: must be a text of 0 to 1024 bytes");
    wrong("{\"target\": {\"channel\": \"Beta\"}}",
          "target: channel: must be of a-z, 0-9 and -");
    wrong("{\"target\": {\"channel\": \"-beta\"}}",
          "target: channel: must be of a-z, 0-9 and -");
    wrong("{\"target\": {\"channel\": \"abcdefghijabcdefghijabcdefghijab\"}}",
          "target: channel: must be a text of 0 to 31 bytes");
    wrong("{\"target\": {\"include\": [\"" ID_A "\", \"0011\"]}}",
          "target: include: [1] must be the id of a device: 32 hex digits");
    wrong("{\"target\": {\"exclude\": [5]}}",
          "target: exclude: [0] must be the id of a device: 32 hex digits");
    wrong("{\"target\": {\"exclude\": \"" ID_A "\"}}",
          "target: exclude: must be a list of 0 to 100000");
    wrong("{\"target\": \"all\"}", "target: must be an object");
}

static void windows_and_times_are_checked_whole(void **state)
{
    (void)state;
    wrong("{\"deadline\": 5, \"start_at\": 5}",
          "deadline must be after start_at");
    wrong("{\"windows\": {}}", "windows: must be a list of 0 to 8");
    wrong("{\"windows\": [1,2,3,4,5,6,7,8,9]}",
          "windows: must be a list of 0 to 8");
    wrong("{\"windows\": [{\"from\": \"2:00\", \"to\": \"05:00\"}]}",
          "windows: [0]: from must be a time from 00:00 to 23:59");
    wrong("{\"windows\": [{\"from\": \"24:00\", \"to\": \"05:00\"}]}",
          "windows: [0]: from must be a time from 00:00 to 23:59");
    wrong("{\"windows\": [{\"from\": \"02:60\", \"to\": \"05:00\"}]}",
          "windows: [0]: from must be a time from 00:00 to 23:59");
    wrong("{\"windows\": [{\"from\": \"02:00\"}]}",
          "windows: [0]: to must be a time from 00:00 to 24:00");
    wrong("{\"windows\": [{\"from\": \"02:00\", \"to\": \"24:01\"}]}",
          "windows: [0]: to must be a time from 00:00 to 24:00");
    wrong("{\"windows\": [{\"from\": \"02:00\", \"to\": \"02:00\"}]}",
          "windows: [0]: to must differ from \"from\"; a whole day is 00:00 "
          "to 24:00");
    wrong("{\"windows\": [{\"days\": [], \"from\": \"02:00\", \"to\": "
          "\"05:00\"}]}",
          "windows: [0]: days: must be a list of 1 to 7");
    wrong("{\"windows\": [{\"days\": [\"mon\", \"Tue\"], \"from\": "
          "\"02:00\", \"to\": \"05:00\"}]}",
          "windows: [0]: days[1] must be \"mon\", \"tue\", \"wed\", \"thu\", "
          "\"fri\", \"sat\" or \"sun\"");
}

static void permits_names_and_the_rest_are_checked(void **state)
{
    (void)state;
    wrong("{\"on_failure\": \"stop\"}",
          "on_failure: must be \"pause\" or \"return\"");
    wrong("{\"on_failure\": \"pause return\"}",
          "on_failure: must be \"pause\" or \"return\"");
    wrong("{\"on_failure\": \"\"}",
          "on_failure: must be \"pause\" or \"return\"");
    wrong("{\"permit\": \"\"}", "permit: must be a text of 1 to 32768 bytes");
    wrong("{\"name\": 5}", "name: must be a text of 0 to 255 bytes");
    wrong("{\"permits\": [{\"manifest\": \"00\", \"permit\": \"AAAA\"}]}",
          "permits: [0]: manifest must be 64 hex digits");
    wrong("{\"permits\": [{\"manifest\": \"" DIGEST "\"}]}",
          "permits: [0]: permit must be the permit in base64, of at most "
          "16384 bytes");
    wrong("{\"permits\": [{\"manifest\": \"" DIGEST
          "\", \"permit\": \"A*==\"}]}",
          "permits: [0]: permit is no base64");
    wrong("{\"permits\": [{\"manifest\": \"" DIGEST
          "\", \"permit\": \"====\"}]}",
          "permits: [0]: permit is no base64");
    wrong("{\"permits\": [{\"manifest\": \"" DIGEST
          "\", \"permit\": \"AAAA\"}, {\"manifest\": \"" DIGEST
          "\", \"permit\": \"AAAA\"}]}",
          "permits: [1]: manifest has a permit already");
}

/* --- Writing ------------------------------------------------------------- */

static void same_ids(const struct plan_ids *a, const struct plan_ids *b)
{
    assert_int_equal(a->n, b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        assert_memory_equal(a->at[i], b->at[i], 16);
    }
}

/* Member by member: a JSON text alone would not show what is not written. */
static void same_plan(const struct plan *a, const struct plan *b)
{
    assert_int_equal(a->n_stages, b->n_stages);
    for (uint32_t i = 0; i < a->n_stages; i++) {
        const struct plan_stage *x = &a->stage[i];
        const struct plan_stage *y = &b->stage[i];

        assert_int_equal(x->percent, y->percent);
        assert_int_equal(x->count, y->count);
        assert_int_equal(x->gates.confirmed_percent,
                         y->gates.confirmed_percent);
        assert_int_equal(x->gates.max_failed_percent,
                         y->gates.max_failed_percent);
        assert_int_equal(x->gates.manual, y->gates.manual);
        assert_int_equal(x->gates.min_sample, y->gates.min_sample);
        assert_int_equal(x->gates.min_failed, y->gates.min_failed);
        assert_int_equal(x->gates.soak_s, y->gates.soak_s);
    }
    assert_string_equal(a->query_text, b->query_text);
    assert_int_equal(a->query == NULL, b->query == NULL);
    assert_string_equal(a->channel, b->channel);
    same_ids(&a->include, &b->include);
    same_ids(&a->exclude, &b->exclude);
    assert_true(a->start_at == b->start_at && a->deadline == b->deadline);
    assert_int_equal(a->n_windows, b->n_windows);
    for (uint32_t i = 0; i < a->n_windows; i++) {
        assert_int_equal(a->window[i].days, b->window[i].days);
        assert_int_equal(a->window[i].from_minute, b->window[i].from_minute);
        assert_int_equal(a->window[i].to_minute, b->window[i].to_minute);
    }
    assert_true(a->consent == b->consent && a->metered == b->metered &&
                a->roaming == b->roaming && a->security == b->security);
    assert_int_equal(a->min_battery_percent, b->min_battery_percent);
    assert_int_equal(a->rate_per_hour, b->rate_per_hour);
    assert_int_equal(a->max_downloads, b->max_downloads);
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->on_failure, b->on_failure);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->quarantine_s, b->quarantine_s);
    assert_int_equal(a->n_permits, b->n_permits);
    for (uint32_t i = 0; i < a->n_permits; i++) {
        assert_memory_equal(a->permit[i].manifest, b->permit[i].manifest, 32);
        assert_true(bl_span_equal(a->permit[i].permit, b->permit[i].permit));
    }
}

static void round_trip(const struct plan *p)
{
    json_t *json = plan_json(p);
    struct error err = {BL_OK, 0, ""};
    struct plan again;
    json_t *twice;

    assert_non_null(json);
    if (plan_read(json, &again, &err) != 0) {
        fail_msg("%s", err.text);
    }
    same_plan(p, &again);
    twice = plan_json(&again);
    assert_true(json_equal(json, twice));
    json_decref(json);
    json_decref(twice);
    plan_free(&again);
}

static unsigned seed;

static unsigned dice(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

static json_t *some_stages(void)
{
    json_t *list = json_array();
    unsigned percent = 0;
    unsigned count = 0;

    while (percent < 100 && json_array_size(list) < 1 + dice(PLAN_STAGES)) {
        json_t *stage = json_object();

        if (dice(2) == 0) {
            count += 1 + dice(1000);
            (void)json_object_set_new(stage, "count", json_integer(count));
        } else {
            percent += 1 + dice(100 - percent);
            (void)json_object_set_new(stage, "percent", json_integer(percent));
        }
        if (dice(3) == 0) {
            (void)json_object_set_new(stage, "gates",
                                      json_pack("{s:i, s:b, s:i}", "soak_s",
                                                (int)dice(9999), "manual",
                                                (int)dice(2), "min_failed",
                                                (int)(1 + dice(5))));
        }
        (void)json_array_append_new(list, stage);
    }
    return list;
}

static json_t *some_windows(void)
{
    static const char *const day[] = {"mon", "tue", "wed", "thu",
                                      "fri", "sat", "sun"};
    json_t *list = json_array();

    for (unsigned n = dice(PLAN_WINDOWS + 1); n > 0; n--) {
        json_t *days = json_array();
        unsigned from = dice(1440);
        unsigned to = (from + 1 + dice(1439)) % 1440;

        for (unsigned i = 0; i < 1 + dice(7); i++) {
            (void)json_array_append_new(days, json_string(day[dice(7)]));
        }
        to = to == 0 ? 1440 : to;
        (void)json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o}", "days", days, "from",
                      json_sprintf("%02u:%02u", from / 60, from % 60), "to",
                      json_sprintf("%02u:%02u", to / 60, to % 60)));
    }
    return list;
}

static json_t *some_ids(void)
{
    json_t *list = json_array();

    for (unsigned n = dice(20); n > 0; n--) {
        (void)json_array_append_new(list,
                                    json_sprintf("%08x%08x%08x%08x", dice(9),
                                                 dice(9), seed, dice(99)));
    }
    return list;
}

static json_t *some_permits(void)
{
    json_t *list = json_array();

    for (unsigned n = dice(PLAN_PERMITS + 1); n > 0; n--) {
        static const char *const text[] = {"AA==", "AAE=", "AAEC", "/+8="};

        (void)json_array_append_new(list, json_pack("{s:o, s:s}", "manifest",
                                                    json_sprintf("%064x", n),
                                                    "permit", text[dice(4)]));
    }
    return list;
}

static json_t *some_plan(void)
{
    static const char *const query[] = {"", "tag = lab",
                                        "name ~ \"k\xC3\xBC*\" or "
                                        "version < 1.4"};
    static const char *const channel[] = {"", "beta", "stable-2"};

    return json_pack(
        "{s:o, s:o, s:{s:s, s:s, s:o, s:o}, s:i, s:i, s:b, s:i, s:b, s:b, "
        "s:i, s:i, s:i, s:b, s:s, s:{s:i, s:i}, s:o}",
        "stages", some_stages(), "windows", some_windows(), "target", "query",
        query[dice(3)], "channel", channel[dice(3)], "include", some_ids(),
        "exclude", some_ids(), "start_at", (int)dice(1000), "deadline",
        (int)(1000 + dice(1000)), "consent", (int)dice(2),
        "min_battery_percent", (int)dice(101), "metered", (int)dice(2),
        "roaming", (int)dice(2), "rate_per_hour", (int)dice(100000),
        "max_downloads", (int)dice(1000), "priority", (int)dice(201) - 100,
        "security", (int)dice(2), "on_failure",
        dice(2) == 0 ? "pause" : "return", "retry", "attempts",
        (int)(1 + dice(10)), "quarantine_s", (int)dice(99999), "permits",
        some_permits());
}

static void what_is_written_is_read_the_same(void **state)
{
    struct plan p;

    (void)state;
    plan_default(&p);
    round_trip(&p);
    good("{}", &p);
    round_trip(&p);
    for (seed = 1; seed < 2000000000 && seed != 0;) {
        struct error err = {BL_OK, 0, ""};
        json_t *json = some_plan();
        static unsigned done;

        assert_non_null(json);
        if (plan_read(json, &p, &err) != 0) {
            fail_msg("%s", err.text);
        }
        round_trip(&p);
        plan_free(&p);
        json_decref(json);
        if (++done == 400) {
            break;
        }
    }
}

/* --- Windows ------------------------------------------------------------- */

static const uint64_t monday = 1767571200; /* 2026-01-05 00:00 UTC */

static void window(const char *list, struct plan *p)
{
    char text[512];

    (void)snprintf(text, sizeof text, "{\"windows\": [%s]}", list);
    good(text, p);
}

static void expect(const struct plan *p, uint64_t now, int east, bool open,
                   uint32_t opens_in, uint32_t closes_in)
{
    uint32_t opens = 99;
    uint32_t closes = 99;

    assert_int_equal(plan_window_open(p, now, east, &opens, &closes), open);
    assert_int_equal(opens, opens_in);
    assert_int_equal(closes, closes_in);
}

static void a_window_opens_and_closes_to_the_second(void **state)
{
    struct plan p;

    (void)state;
    window("{\"days\": [\"mon\"], \"from\": \"02:00\", \"to\": \"05:00\"}",
           &p);
    expect(&p, monday, 0, false, 7200, 0);
    expect(&p, monday + 7199, 0, false, 1, 0);
    expect(&p, monday + 7200, 0, true, 0, 10800);
    expect(&p, monday + 17999, 0, true, 0, 1);
    expect(&p, monday + 18000, 0, false, 7 * 86400 - 10800, 0);
    expect(&p, monday - 1, 0, false, 7201, 0);
}

static void over_midnight_the_day_is_that_of_the_begin(void **state)
{
    struct plan p;

    (void)state;
    window("{\"days\": [\"sun\"], \"from\": \"22:00\", \"to\": \"06:00\"}",
           &p);
    expect(&p, monday, 0, true, 0, 6 * 3600);
    expect(&p, monday - 7200, 0, true, 0, 8 * 3600);
    expect(&p, monday + 6 * 3600, 0, false, 6 * 86400 + 16 * 3600, 0);
    expect(&p, monday + 22 * 3600, 0, false, 6 * 86400, 0);
}

static void windows_that_touch_or_overlap_are_one(void **state)
{
    struct plan p;

    (void)state;
    window("{\"days\": [\"sat\"], \"from\": \"20:00\", \"to\": \"24:00\"},"
           "{\"days\": [\"sun\"], \"from\": \"00:00\", \"to\": \"04:00\"},"
           "{\"days\": [\"sun\"], \"from\": \"03:00\", \"to\": \"05:00\"}",
           &p);
    expect(&p, monday - 86400 - 3600, 0, true, 0, 6 * 3600);
    window("{\"from\": \"00:00\", \"to\": \"24:00\"}", &p);
    expect(&p, monday + 12345, 0, true, 0, 0);
    window("{\"from\": \"12:00\", \"to\": \"11:59\"}", &p);
    expect(&p, monday + 43200, 0, true, 0, 86400 - 60);
    expect(&p, monday + 43199, 0, false, 1, 0);
}

static void without_windows_and_after_the_deadline_it_is_open(void **state)
{
    struct plan p;

    (void)state;
    good("{}", &p);
    expect(&p, monday, 0, true, 0, 0);
    window("{\"days\": [\"mon\"], \"from\": \"02:00\", \"to\": \"05:00\"}",
           &p);
    p.deadline = monday + 3600;
    expect(&p, monday, 0, false, 3600, 0);
    expect(&p, monday + 3600, 0, true, 0, 0);
    p.deadline = monday + 4 * 3600;
    expect(&p, monday, 0, false, 7200, 0);
    expect(&p, monday + 3 * 3600, 0, true, 0, 0);
    p.deadline = monday + 6 * 3600;
    expect(&p, monday + 3 * 3600, 0, true, 0, 7200);
}

/* A judge that looks at each minute's own day and time. */
static bool is_open(const struct plan_window *w, int64_t local)
{
    int64_t day = local / 86400;
    int minute = (int)(local % 86400 / 60);
    unsigned today = (unsigned)((day + 3) % 7);
    unsigned before = (today + 6) % 7;

    if (w->from_minute < w->to_minute) {
        return (w->days >> today & 1) != 0 && minute >= w->from_minute &&
               minute < w->to_minute;
    }
    return ((w->days >> today & 1) != 0 && minute >= w->from_minute) ||
           ((w->days >> before & 1) != 0 && minute < w->to_minute);
}

static void every_offset_and_weekday_agrees_with_a_plain_judge(void **state)
{
    static const uint16_t times[][2] = {{120, 300}, {1320, 360},  {0, 1440},
                                        {0, 1},     {1439, 1440}, {1439, 1}};

    (void)state;
    for (unsigned t = 0; t < 6; t++) {
        for (unsigned day = 0; day < 7; day++) {
            struct plan p = {.n_windows = 1};

            p.window[0].days = (uint8_t)(1U << day);
            p.window[0].from_minute = times[t][0];
            p.window[0].to_minute = times[t][1];
            for (int east = -840; east <= 840; east += 15) {
                for (uint64_t s = 0; s < 7 * 86400; s += 3540) {
                    uint64_t now = monday + s;
                    int64_t local = (int64_t)now + east * 60;
                    uint32_t opens;
                    uint32_t closes;
                    bool open =
                        plan_window_open(&p, now, east, &opens, &closes);

                    assert_int_equal(open, is_open(&p.window[0], local));
                    assert_int_equal(open, opens == 0);
                    local += open ? closes : opens;
                    assert_int_equal(!open, is_open(&p.window[0], local));
                    assert_int_equal(open, is_open(&p.window[0], local - 1));
                }
            }
        }
    }
}

static void the_first_seconds_of_1970_and_the_last_are_no_trap(void **state)
{
    struct plan p;

    (void)state;
    window("{\"days\": [\"wed\"], \"from\": \"10:00\", \"to\": \"11:00\"}",
           &p);
    /* 1970-01-01 00:00 UTC is Wednesday 10:00, 14 hours west. */
    expect(&p, 0, -840, true, 0, 3600);
    expect(&p, 0, 840, false, 5 * 86400 + 20 * 3600, 0);
    for (int east = -840; east <= 840; east++) {
        uint32_t opens;
        uint32_t closes;

        (void)plan_window_open(&p, UINT64_MAX, east, &opens, &closes);
        assert_true(opens <= 7 * 86400 && closes <= 3600);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_that_says_nothing_has_the_defaults),
        cmocka_unit_test(a_strategy_gives_the_stages_when_there_are_none),
        cmocka_unit_test(gates_of_a_stage_are_above_those_of_the_plan),
        cmocka_unit_test(lists_of_devices_are_sorted_and_found),
        cmocka_unit_test(each_number_is_held_to_its_bounds),
        cmocka_unit_test(each_switch_is_true_or_false),
        cmocka_unit_test(gates_and_retries_are_held_to_their_bounds),
        cmocka_unit_test(what_is_not_known_is_refused_by_name),
        cmocka_unit_test(stages_are_few_and_rise),
        cmocka_unit_test(targets_are_checked_whole),
        cmocka_unit_test(windows_and_times_are_checked_whole),
        cmocka_unit_test(permits_names_and_the_rest_are_checked),
        cmocka_unit_test(what_is_written_is_read_the_same),
        cmocka_unit_test(a_window_opens_and_closes_to_the_second),
        cmocka_unit_test(over_midnight_the_day_is_that_of_the_begin),
        cmocka_unit_test(windows_that_touch_or_overlap_are_one),
        cmocka_unit_test(without_windows_and_after_the_deadline_it_is_open),
        cmocka_unit_test(every_offset_and_weekday_agrees_with_a_plain_judge),
        cmocka_unit_test(the_first_seconds_of_1970_and_the_last_are_no_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
