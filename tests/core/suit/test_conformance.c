/* SPDX-License-Identifier: Apache-2.0 */
/* Every published vector gives its verdict, through the engine that
 * `bowline conformance` runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conformance.h"

struct sums {
    int same;
    int differs;
    int unsupported;
};

static int count(const json_t *result, const char *name)
{
    return (int)json_integer_value(json_object_get(result, name));
}

/* Runs one file and prints what differed, so that a failure says which. */
static struct sums run(const char *name)
{
    char path[300];
    const char *files[1] = {path};
    char error[CONFORMANCE_MESSAGE];
    json_t *result = json_object();
    const json_t *vector;
    struct sums sums;
    size_t i;
    int code;

    assert_true(snprintf(path, sizeof path, "%s/%s", VECTORS, name) > 0);
    code = conformance_check(files, 1, NULL, result, error);
    assert_string_equal(error, "");
    sums.same = count(result, "same");
    sums.differs = count(result, "differs");
    sums.unsupported = count(result, "unsupported");
    json_array_foreach(json_object_get(result, "vectors"), i, vector)
    {
        if (strcmp(json_string_value(json_object_get(vector, "result")),
                   "differs") == 0) {
            print_error("%s: %s: %s\n", name,
                        json_string_value(json_object_get(vector, "name")),
                        json_string_value(json_object_get(vector, "reason")));
        }
    }
    assert_int_equal(code, sums.differs > 0 ? 1 : 0);
    json_decref(result);
    return sums;
}

static void expect(const char *name, int same, int unsupported)
{
    struct sums sums = run(name);

    assert_int_equal(sums.differs, 0);
    assert_int_equal(sums.same, same);
    assert_int_equal(sums.unsupported, unsupported);
}

static void profile_envelopes_are_accepted(void **state)
{
    (void)state;
    /* the encrypted one is refused by name */
    expect("bowline-profile/positive.json", 17, 1);
}

static void profile_envelopes_are_refused_for_the_reason_named(void **state)
{
    (void)state;
    expect("bowline-profile/negative.json", 41, 0);
}

static void tickets_roots_and_reports_give_their_verdicts(void **state)
{
    (void)state;
    expect("bowline-profile/tickets.json", 9, 0);
    expect("bowline-profile/roots.json", 9, 0);
    expect("bowline-profile/reports.json", 3, 0);
}

static void examples_of_the_draft_are_read_and_verified(void **state)
{
    (void)state;
    expect("suit-manifest/draft-37-examples-0-2.json", 7, 0);
}

static void cose_examples_give_their_verdicts(void **state)
{
    (void)state;
    /* left: ES384, and ES512 with either curve, in two forms each */
    expect("cose/sign-flat.json", 25, 6);
}

static void hss_examples_verify(void **state)
{
    (void)state;
    expect("lms/rfc8554-appendix-f.json", 2, 0);
    expect("lms/parameters.json", 10, 0);
}

static void wycheproof_signatures_and_macs_give_their_verdicts(void **state)
{
    (void)state;
    expect("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", 262, 0);
    expect("wycheproof/ed25519_test.json", 151, 0);
    expect("wycheproof/hmac_sha256_test.json", 174, 0);
}

static void slots_that_esp_idf_chooses_are_chosen(void **state)
{
    (void)state;
    expect("esp/otadata-select.json", 489, 0);
}

static void file_that_is_no_vector_file_is_an_error(void **state)
{
    const char *files[1] = {VECTORS "/README.md"};
    char error[CONFORMANCE_MESSAGE];

    (void)state;
    assert_int_equal(conformance_check(files, 1, NULL, NULL, error),
                     CONFORMANCE_ERROR);
    assert_non_null(strstr(error, "README.md"));
    files[0] = VECTORS "/absent.json";
    assert_int_equal(conformance_check(files, 1, NULL, NULL, error),
                     CONFORMANCE_ERROR);
    assert_non_null(strstr(error, "absent.json"));
}

/* The positive vectors, each with an outcome that cannot be. */
static void wrong_expectations_are_seen_as_differences(void **state)
{
    static const char path[] = "conformance-wrong.json";
    const char *files[1] = {path};
    json_t *file =
        json_load_file(VECTORS "/bowline-profile/positive.json", 0, NULL);
    json_t *result = json_object();
    char error[CONFORMANCE_MESSAGE];
    json_t *vector;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        json_t *expected = json_object_get(vector, "expected");
        const char *verdict =
            json_string_value(json_object_get(expected, "verdict"));

        if (json_object_get(expected, "image_sha256") != NULL) {
            /* the right verdict, another image: that of the base */
            (void)json_object_set(
                expected, "image_sha256",
                json_object_get(json_object_get(vector, "device_state"),
                                "active_image_sha256"));
        } else {
            (void)json_object_set_new(
                expected, "verdict",
                json_string(strcmp(verdict, "accept") == 0 ? "reject"
                                                           : "accept"));
        }
    }
    assert_int_equal(json_dump_file(file, path, 0), 0);
    assert_int_equal(conformance_check(files, 1, NULL, result, error),
                     CONFORMANCE_DIFFERS);
    assert_int_equal(count(result, "same"), 0);
    assert_int_equal(count(result, "differs"), 17);
    json_decref(result);
    json_decref(file);
    (void)remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_envelopes_are_accepted),
        cmocka_unit_test(profile_envelopes_are_refused_for_the_reason_named),
        cmocka_unit_test(tickets_roots_and_reports_give_their_verdicts),
        cmocka_unit_test(examples_of_the_draft_are_read_and_verified),
        cmocka_unit_test(cose_examples_give_their_verdicts),
        cmocka_unit_test(hss_examples_verify),
        cmocka_unit_test(wycheproof_signatures_and_macs_give_their_verdicts),
        cmocka_unit_test(wrong_expectations_are_seen_as_differences),
        cmocka_unit_test(slots_that_esp_idf_chooses_are_chosen),
        cmocka_unit_test(file_that_is_no_vector_file_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
