/* SPDX-License-Identifier: Apache-2.0 */
/* Versions, and the texts of statuses. */
#include "bowline/firmware.h"
#include "bowline/status.h"
#include "cmocka_all.h"

#include <string.h>

BL_FIRMWARE("thermostat", "1.4.2");

static void assert_version(const char *text, uint32_t n, int32_t a, int32_t b,
                           int32_t c, int32_t d)
{
    int32_t v[4] = {0};
    const int32_t expected[4] = {a, b, c, d};

    assert_int_equal(bl_version_parse(text, v, 4), n);
    if (n != 0) {
        assert_memory_equal(v, expected, sizeof v);
    }
}

static void version_is_its_numbers(void **state)
{
    (void)state;
    assert_version("1.4.2", 3, 1, 4, 2, 0);
    assert_version("7", 1, 7, 0, 0, 0);
    assert_version("0.0.0.1", 4, 0, 0, 0, 1);
    assert_version("2147483647", 1, INT32_MAX, 0, 0, 0);
    assert_version("1.4-rc.1", 4, 1, 4, -1, 1);
    assert_version("1.4-rc", 3, 1, 4, -1, 0);
    assert_version("1.4-beta.2", 4, 1, 4, -2, 2);
    assert_version("1.4-alpha", 3, 1, 4, -3, 0);
    assert_version("1.4-rc.1+linux", 4, 1, 4, -1, 1);
    assert_version("1.4.2+abc.7", 3, 1, 4, 2, 0);
    assert_version("1.4.2-dirty", 3, 1, 4, 2, 0);
    assert_version("1.4-rcx.1", 2, 1, 4, 0, 0);
    assert_version("1.4-", 2, 1, 4, 0, 0);
}

static void what_is_no_version_gives_nothing(void **state)
{
    static const char *const bad[] = {"",
                                      "v1.2",
                                      "1.",
                                      "1..2",
                                      ".1",
                                      "a",
                                      "1.2a",
                                      "1 .2",
                                      "-1",
                                      "1.2 ",
                                      "2147483648",
                                      "+",
                                      "-",
                                      "-rc.1",
                                      "1.4-rc.",
                                      "1.4-rc.x",
                                      "99999999999999999999",
                                      "1.2.3.4.5",
                                      "1.2.3.4-rc",
                                      "1.2.3-rc.1"};
    int32_t v[4];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bl_version_parse(bad[i], v, 4) != 0) {
            fail_msg("a version: \"%s\"", bad[i]);
        }
    }
    assert_int_equal(bl_version_parse("1", v, 0), 0);
}

static int compare(const char *a, const char *b)
{
    int32_t va[8], vb[8];
    uint32_t na = bl_version_parse(a, va, 8);
    uint32_t nb = bl_version_parse(b, vb, 8);

    assert_true(na > 0 && nb > 0);
    assert_int_equal(bl_version_compare(va, na, vb, nb),
                     -bl_version_compare(vb, nb, va, na));
    return bl_version_compare(va, na, vb, nb);
}

static void versions_are_ordered(void **state)
{
    static const char *const up[] = {
        "0.9",      "1.4-alpha", "1.4-beta", "1.4-beta.2", "1.4-rc",
        "1.4-rc.1", "1.4-rc.2",  "1.4",      "1.4.0.1",    "1.4.1",
        "1.5-rc.1", "1.5",       "1.10",     "2"};
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof up / sizeof up[0]; i++) {
        for (j = 0; j < sizeof up / sizeof up[0]; j++) {
            assert_int_equal(compare(up[i], up[j]), (i > j) - (i < j));
        }
    }
    assert_int_equal(compare("1.4", "1.4.0.0"), 0);
}

static void the_record_lies_as_specified(void **state)
{
    const uint8_t *p = (const uint8_t *)&bl_firmware;

    (void)state;
    assert_int_equal(sizeof bl_firmware, 128);
    assert_memory_equal(p,
                        "\x89"
                        "BOWLINE-FW\r\n\x1a\n\0\1\0",
                        18);
    assert_string_equal((const char *)p + 32, "1.4.2");
    assert_string_equal((const char *)p + 64, "thermostat");
}

static void every_status_has_its_text(void **state)
{
    static const struct {
        bl_status status;
        int reason;
        const char *name;
    } all[] = {
#define ROW(name, number, reason, text, meaning) {BL_##name, reason, text},
        BL_STATUS_LIST(ROW)
#undef ROW
    };
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_string_equal(bl_status_name(all[i].status), all[i].name);
        assert_int_equal(bl_status_suit_reason(all[i].status), all[i].reason);
        assert_true(strlen(bl_status_meaning(all[i].status)) > 3);
        for (j = 0; j < i; j++) { /* a number, a name: one status each */
            assert_int_not_equal(all[i].status, all[j].status);
            assert_string_not_equal(all[i].name, all[j].name);
        }
    }
}

static void unknown_numbers_have_a_text_too(void **state)
{
    (void)state;
    assert_string_equal(bl_status_name((bl_status)99), "unknown");
    assert_string_equal(bl_status_name((bl_status)256), "unknown");
    assert_string_equal(bl_status_name((bl_status)-1), "unknown");
    assert_non_null(bl_status_meaning((bl_status)99));
    assert_int_equal(bl_status_suit_reason((bl_status)99), 11);
    assert_string_equal(bl_reset_cause_name(BL_RESET_POWER), "power");
    assert_string_equal(bl_reset_cause_name(BL_RESET_SOFTWARE), "software");
    assert_string_equal(bl_reset_cause_name(BL_RESET_WATCHDOG), "watchdog");
    assert_string_equal(bl_reset_cause_name(BL_RESET_CRASH), "crash");
    assert_string_equal(bl_reset_cause_name(BL_RESET_UNKNOWN), "unknown");
    assert_string_equal(bl_reset_cause_name((bl_reset_cause)77), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_its_numbers),
        cmocka_unit_test(what_is_no_version_gives_nothing),
        cmocka_unit_test(versions_are_ordered),
        cmocka_unit_test(the_record_lies_as_specified),
        cmocka_unit_test(every_status_has_its_text),
        cmocka_unit_test(unknown_numbers_have_a_text_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
