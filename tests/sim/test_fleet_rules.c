/* SPDX-License-Identifier: Apache-2.0 */
/* What chance decides for a fleet, and how it is asked for. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "fleet_rules.h"

enum { MANY = 20000 };

static uint32_t count(const struct fleet_rules *rules, const char *version,
                      enum fleet_behaviour wanted)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        n += fleet_behaviour_of(rules, version, false, i) == wanted;
    }
    return n;
}

/* Within two percent points; the seed is fixed, so it holds always. */
static void assert_share(uint32_t n, double share)
{
    assert_in_range(n,
                    (uint32_t)((share - 0.02 > 0 ? share - 0.02 : 0) * MANY),
                    (uint32_t)((share + 0.02) * MANY));
}

static void a_share_is_a_percentage_or_a_fraction(void **state)
{
    struct error err = {0};
    double share = 9;

    (void)state;
    assert_int_equal(fleet_share_parse("2%", &share, &err), 0);
    assert_true(share > 0.0199 && share < 0.0201);
    assert_int_equal(fleet_share_parse("0.3", &share, &err), 0);
    assert_true(share > 0.2999 && share < 0.3001);
    assert_int_equal(fleet_share_parse("100%", &share, &err), 0);
    assert_int_equal(fleet_share_parse("0", &share, &err), 0);
    for (const char *const *bad =
             (const char *const[]){"", "%", "101%", "-1%", "2", "nan", "3x",
                                   "5%%", NULL};
         *bad != NULL; bad++) {
        assert_int_equal(fleet_share_parse(*bad, &share, &err), -1);
        assert_non_null(strstr(err.text, "share"));
    }
}

static void words_without_a_share_divide_what_is_left(void **state)
{
    struct fleet_shares s;
    struct error err = {0};

    (void)state;
    assert_int_equal(fleet_shares_parse("a:50%,b,c", &s, &err), 0);
    assert_int_equal(s.n, 3);
    assert_true(s.share[1] > 0.249 && s.share[1] < 0.251);
    assert_string_equal(s.name[2], "c");
    assert_int_equal(fleet_shares_parse("a:60%,b:50%", &s, &err), -1);
    assert_int_equal(fleet_shares_parse(":50%", &s, &err), -1);
    assert_int_equal(fleet_shares_parse("a:x", &s, &err), -1);
}

static void a_fleet_is_divided_as_its_shares_say(void **state)
{
    struct fleet_shares s;
    struct error err = {0};
    uint32_t n = 0;

    (void)state;
    assert_int_equal(fleet_shares_parse("rev-a:70%,rev-b:30%", &s, &err), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        n += strcmp(fleet_shares_pick(&s, 7, "hardware", i), "rev-b") == 0;
    }
    assert_share(n, 0.3);
}

static void a_rule_shares_out_behaviours_by_version(void **state)
{
    struct fleet_rules rules = {.seed = 1};
    struct error err = {0};

    (void)state;
    assert_int_equal(
        fleet_rule_parse(&rules, "1.2.0=crash:30%,silent:2%", &err), 0);
    assert_share(count(&rules, "1.2.0", FLEET_CRASH), 0.3);
    assert_share(count(&rules, "1.2.0", FLEET_SILENT), 0.02);
    assert_int_equal(count(&rules, "1.2.0", FLEET_HANG), 0);
    assert_int_equal(count(&rules, "1.3.0", FLEET_GOOD), MANY);
}

static void any_version_means_those_after_the_factory(void **state)
{
    struct fleet_rules rules = {.seed = 1};
    struct error err = {0};

    (void)state;
    assert_int_equal(fleet_rule_parse(&rules, "*=hang", &err), 0);
    assert_int_equal(fleet_rule_parse(&rules, "1.1.0=good", &err), 0);
    assert_int_equal(count(&rules, "9.9", FLEET_HANG), MANY);
    assert_int_equal(count(&rules, "1.1.0", FLEET_GOOD), MANY);
    assert_int_equal(fleet_behaviour_of(&rules, "1.0.0", true, 5), FLEET_GOOD);
}

static void a_rule_that_is_none_is_named(void **state)
{
    struct fleet_rules rules = {.seed = 1};
    struct error err = {0};

    (void)state;
    for (const char *const *bad =
             (const char *const[]){"", "1.2.0", "=crash:3%", "1.2.0=burn:3%",
                                   "1.2.0=crash:60%,hang:60%", NULL};
         *bad != NULL; bad++) {
        assert_int_equal(fleet_rule_parse(&rules, *bad, &err), -1);
        assert_true(err.text[0] != '\0');
    }
    assert_int_equal(rules.n, 0);
}

static void the_same_seed_decides_the_same(void **state)
{
    struct fleet_rules a = {.seed = 5, .bad_release = 0.5};
    struct fleet_rules b = {.seed = 5, .bad_release = 0.5};
    struct fleet_rules c = {.seed = 6, .bad_release = 0.5};
    uint32_t other = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        char version[16];

        (void)snprintf(version, sizeof version, "1.%u", (unsigned)i);
        assert_int_equal(fleet_behaviour_of(&a, version, false, i),
                         fleet_behaviour_of(&b, version, false, i));
        other += fleet_release_is_bad(&a, version, false) !=
                 fleet_release_is_bad(&c, version, false);
    }
    assert_true(other > 20);
}

static void a_share_of_the_releases_is_bad_never_the_factory_s(void **state)
{
    struct fleet_rules rules = {.seed = 5, .bad_release = 0.3};
    uint32_t bad = 0;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        char version[16];

        (void)snprintf(version, sizeof version, "1.%u", (unsigned)i);
        bad += fleet_release_is_bad(&rules, version, false);
        assert_false(fleet_release_is_bad(&rules, version, true));
        if (fleet_release_is_bad(&rules, version, false) && bad < 4) {
            assert_share(MANY - count(&rules, version, FLEET_GOOD), 0.9);
        }
    }
    assert_in_range(bad, 250, 350);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_a_percentage_or_a_fraction),
        cmocka_unit_test(words_without_a_share_divide_what_is_left),
        cmocka_unit_test(a_fleet_is_divided_as_its_shares_say),
        cmocka_unit_test(a_rule_shares_out_behaviours_by_version),
        cmocka_unit_test(any_version_means_those_after_the_factory),
        cmocka_unit_test(a_rule_that_is_none_is_named),
        cmocka_unit_test(the_same_seed_decides_the_same),
        cmocka_unit_test(a_share_of_the_releases_is_bad_never_the_factory_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
