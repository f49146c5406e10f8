/* SPDX-License-Identifier: Apache-2.0 */
/* Times, windows and stages as people write them on a command line. */
#include "support/cmocka_all.h"

#include "amount.h"

#include <string.h>

static void duration(const char *text, uint64_t seconds)
{
    uint64_t n = 77;

    assert_true(amount_duration(text, &n));
    assert_int_equal(n, seconds);
}

static void durations_have_units_or_are_seconds(void **state)
{
    static const char *const wrong[] = {
        "",      "h",     "1x",          "-1h", "1.5h", "1h30",
        "1 h 3", "1hour", "1234567890s", "+1h", " 1h"};
    uint64_t n;

    (void)state;
    duration("0", 0);
    duration("90", 90);
    duration("90s", 90);
    duration("12min", 720);
    duration("12m", 720);
    duration("1h", 3600);
    duration("2d", 172800);
    duration("1h 30min", 5400);
    duration("1h30min5s", 5405);
    duration("999999999d", 86399999913600);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (amount_duration(wrong[i], &n)) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

static void times_are_utc_relative_or_seconds(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds;
    } good[] = {{"2026-02-01 02:00", 1769911200},
                {"2026-02-01T02:00:30Z", 1769911230},
                {"2026-02-01 02:00 UTC", 1769911200},
                {"2024-02-29 00:00", 1709164800},
                {"2100-01-01 00:00", 4102444800},
                {"+2h", 1000 + 7200},
                {"1769911200", 1769911200}};
    static const char *const wrong[] = {"",
                                        "tomorrow",
                                        "2026-02-01",
                                        "2026-02-30 01:00",
                                        "+",
                                        "2026-13-01 01:00",
                                        "2026-02-01 24:30",
                                        "2026-02-01 02:60",
                                        "+2x",
                                        "2026-02-01 02:00+1",
                                        "2026-02-01x02:00",
                                        "1969-01-01 00:00",
                                        "2026-02-01 02:00:77"};
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(amount_time(good[i].text, 1000, &n));
        assert_int_equal(n, good[i].seconds);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (amount_time(wrong[i], 1000, &n)) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

static void same(json_t *made, const char *json)
{
    json_t *should = json_loads(json, 0, NULL);

    assert_non_null(should);
    if (!json_equal(made, should)) {
        fail_msg("%s is not %s", json_dumps(made, 0), json);
    }
    json_decref(made);
    json_decref(should);
}

static void windows_name_days_and_times(void **state)
{
    static const char *const wrong[] = {"",
                                        "mon",
                                        "mon-fri",
                                        "mon 2:00-05:00",
                                        "mon  02:00-05:00",
                                        "foo 02:00-05:00",
                                        "mon- 02:00-05:00",
                                        "mon,02:00-05:00",
                                        "02:00",
                                        "02:00-05:00 mon",
                                        "02-05",
                                        "mon-fri 02:00 05:00",
                                        "monday 02:00-05:00",
                                        "none",
                                        "mon 02:00-05:000"};

    (void)state;
    same(amount_window("mon-fri 02:00-05:00"),
         "{\"days\": [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"], "
         "\"from\": \"02:00\", \"to\": \"05:00\"}");
    same(amount_window("sun,tue 22:00-06:00"),
         "{\"days\": [\"tue\", \"sun\"], \"from\": \"22:00\", \"to\": "
         "\"06:00\"}");
    same(amount_window("sat-mon,thu 22:00-24:00"),
         "{\"days\": [\"mon\", \"thu\", \"sat\", \"sun\"], \"from\": "
         "\"22:00\", \"to\": \"24:00\"}");
    same(amount_window("22:00-06:00"),
         "{\"from\": \"22:00\", \"to\": \"06:00\"}");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *window = amount_window(wrong[i]);

        if (window != NULL) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

static void stages_are_percents_or_devices_first(void **state)
{
    static const char *const wrong[] = {
        "",     "0",     "1,1",    "10,5", "101",      "1,,2", "1,", ",1",
        "1 ,2", "1%,1%", "5,5,1%", "x",    "100%,200", "1;2",  "-1"};

    (void)state;
    same(amount_stages("1,10,100"), "[1, 10, 100]");
    same(amount_stages("50"), "[50]");
    same(amount_stages("10,1%,100%"), "[{\"count\": 10}, 1, 100]");
    same(amount_stages("10,500,25%"),
         "[{\"count\": 10}, {\"count\": 500}, 25]");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *list = amount_stages(wrong[i]);

        if (list != NULL) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units_or_are_seconds),
        cmocka_unit_test(times_are_utc_relative_or_seconds),
        cmocka_unit_test(windows_name_days_and_times),
        cmocka_unit_test(stages_are_percents_or_devices_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
