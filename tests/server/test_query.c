/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: what they match, and what is refused at which character. */
#include "support/cmocka_all.h"

#include "bowline/firmware.h"
#include "query_private.h"

#include <stdio.h>
#include <string.h>

/* A device: name, value; a name may come more than once. */
static const char *const kitchen[][2] = {
    {"id", "00112233445566778899aabbccddeeff"},
    {"name", "kitchen-2"},
    {"hardware", "rev-b"},
    {"version", "1.4.0"},
    {"region", "us-east"},
    {"tag", "lab"},
    {"tag", "first"},
    {"sequence", "1700000000"},
    {"rssi", "-70"},
    {"note", ""},
    {NULL, NULL}};

static const char *fact(void *ctx, const char *name, unsigned i)
{
    const char *const(*facts)[2] = ctx;

    for (; (*facts)[0] != NULL; facts++) {
        if (strcmp((*facts)[0], name) == 0 && i-- == 0) {
            return (*facts)[1];
        }
    }
    return NULL;
}

static bool match(const char *text)
{
    struct error err = {BL_OK, 0, ""};
    struct query *q = query_compile(text, &err);
    bool result;

    if (q == NULL) {
        fail_msg("%s: %s", text, err.text);
    }
    result = query_match(q, fact, (void *)(uintptr_t)kitchen);
    query_free(q);
    return result;
}

static void yes(const char *text)
{
    if (!match(text)) {
        fail_msg("does not match: %s", text);
    }
}

static void no(const char *text)
{
    if (match(text)) {
        fail_msg("matches: %s", text);
    }
}

static void wrong(const char *text, const char *message)
{
    struct error err = {BL_OK, 0, ""};
    struct query *q = query_compile(text, &err);

    assert_null(q);
    assert_string_equal(err.text, message);
    assert_null(query_compile(text, NULL));
}

/* --- Matching ------------------------------------------------------------ */

static void each_operator_compares(void **state)
{
    (void)state;
    yes("version = 1.4.0");
    yes("version = 1.4");
    no("version = 1.4.1");
    yes("version != 1.4.1");
    no("version != 1.4");
    yes("version < 1.10");
    no("version < 1.4.0");
    yes("version <= 1.4.0");
    no("version <= 1.3.9");
    yes("version > 1.4-rc.1");
    yes("version >= 1.4.0");
    no("version >= 1.4.0.1");
    yes("name ~ \"kitchen-*\"");
    yes("name ~ \"*-?\"");
    no("name ~ \"kitchen\"");
    yes("region in (eu, \"us-east\")");
    no("region in (eu, us-west)");
    yes("rssi < -60");
    no("rssi < -70.5");
    yes("sequence>=1699999999 and sequence<1700000001");
    yes("note = \"\"");
    no("4g = yes");
    yes("name = \"kitchen-2\"and hardware=rev-b");
}

static void what_was_not_told_is_false_and_not_turns_it_round(void **state)
{
    (void)state;
    no("battery = 5");
    no("battery != 5");
    no("battery < 5");
    no("battery >= 5");
    no("battery ~ \"*\"");
    no("battery in (5, 6)");
    yes("not battery = 5");
    yes("not battery != 5");
    yes("not (battery < 5 or battery >= 5)");
}

static void any_tag_counts(void **state)
{
    (void)state;
    yes("tag = lab");
    yes("tag = first");
    no("tag = last");
    yes("tag in (last, first)");
    yes("tag ~ \"f*\"");
    no("tag != lab");
    no("tag != first");
    yes("tag != last");
    no("not tag = first");
}

static void and_binds_tighter_than_or(void **state)
{
    (void)state;
    yes("name = x and name = y or tag = lab");
    yes("tag = lab or name = x and name = y");
    no("(tag = lab or name = x) and name = y");
    yes("not name = x and not name = y");
    no("not (name = x or tag = lab)");
    yes("not (name = x and tag = lab)");
    yes("hardware = \"rev-b\" and not tag = other and (version < 1.4.0 or "
        "region in\n(eu, \"us-east\")) and name ~ \"kitchen-*\"");
}

/* Words of the language are values where a value stands. */
static void words_of_the_language_may_be_values(void **state)
{
    (void)state;
    no("name = and or name in (or, not, in)");
    no("region = not");
}

/* Every expression over three truths, against a slow and plain judge. */
static const char *leaf(unsigned k)
{
    static const char *const text[] = {"name = x", "tag = lab"};

    return text[k & 1];
}

static void all_small_expressions_mean_what_logic_says(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1U << 10; bits++) {
        bool v[3];
        bool first_or = (bits & 64) != 0;
        bool second_or = (bits & 128) != 0;
        unsigned group = bits >> 8 & 3; /* none, left, right, all inverted */
        char text[256];
        bool should;

        for (unsigned i = 0; i < 3; i++) {
            v[i] = ((bits >> i & 1) != 0) != ((bits >> (3 + i) & 1) != 0);
        }
        (void)snprintf(
            text, sizeof text, "%s%s%s %s %s%s%s%s %s %s%s%s",
            group == 1   ? "("
            : group == 3 ? "not ("
                         : "",
            bits & 8 ? "not " : "", leaf(bits), first_or ? "or" : "and",
            group == 2 ? "(" : "", bits & 16 ? "not " : "", leaf(bits >> 1),
            group == 1 ? ")" : "", second_or ? "or" : "and",
            bits & 32 ? "not " : "", leaf(bits >> 2), group >= 2 ? ")" : "");
        if (group == 1) {
            bool l = first_or ? v[0] || v[1] : v[0] && v[1];
            should = second_or ? l || v[2] : l && v[2];
        } else if (group == 2) {
            bool r = second_or ? v[1] || v[2] : v[1] && v[2];
            should = first_or ? v[0] || r : v[0] && r;
        } else if (!first_or && second_or) {
            should = (v[0] && v[1]) || v[2];
        } else if (first_or && !second_or) {
            should = v[0] || (v[1] && v[2]);
        } else {
            should = first_or ? v[0] || v[1] || v[2] : v[0] && v[1] && v[2];
        }
        should = group == 3 ? !should : should;
        if (match(text) != should) {
            fail_msg("wrong: %s", text);
        }
    }
}

static unsigned asked;

static const char *counting(void *ctx, const char *name, unsigned i)
{
    asked++;
    return fact(ctx, name, i);
}

static void what_is_decided_is_not_asked(void **state)
{
    struct query *q = query_compile("name = x and tag = a and tag = b", NULL);

    (void)state;
    assert_non_null(q);
    asked = 0;
    assert_false(query_match(q, counting, (void *)(uintptr_t)kitchen));
    assert_int_equal(asked, 1);
    query_free(q);
    assert_true(query_match(NULL, counting, NULL));
}

/* --- Comparing ----------------------------------------------------------- */

static void versions_stand_in_their_order(void **state)
{
    static const char *const up[] = {"-71",
                                     "-70.5",
                                     "-70",
                                     "-1",
                                     "0",
                                     "0.9",
                                     "1.4-alpha",
                                     "1.4-beta",
                                     "1.4-beta.2",
                                     "1.4-rc",
                                     "1.4-rc.1",
                                     "1.4-rc.2",
                                     "1.4",
                                     "1.4-2-gabc",
                                     "1.4.0.1",
                                     "1.4.1",
                                     "1.5-rc.1",
                                     "1.5",
                                     "1.10",
                                     "2",
                                     "4294967296",
                                     "99999999999999999999999",
                                     "100000000000000000000000"};
    size_t n = sizeof up / sizeof up[0];

    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            int order = query_compare(up[i], up[k]);

            if ((order > 0) - (order < 0) != (i > k) - (i < k)) {
                fail_msg("%s %s: %d", up[i], up[k], order);
            }
        }
    }
}

/* What a device judges by min-version, a query must not judge otherwise. */
static void versions_compare_as_core_compares_them(void **state)
{
    static const char *const part[] = {
        "0",    "1",        "1.0",      "1.2",     "2",          "10.1",
        "1-rc", "1.0-rc.2", "1-beta.1", "1-alpha", "1.2.3-rc.10"};
    size_t n = sizeof part / sizeof part[0];

    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            int32_t a[8];
            int32_t b[8];
            uint32_t n_a = bl_version_parse(part[i], a, 8);
            uint32_t n_b = bl_version_parse(part[k], b, 8);
            int order = query_compare(part[i], part[k]);

            assert_int_equal((order > 0) - (order < 0),
                             bl_version_compare(a, n_a, b, n_b));
        }
    }
}

static void only_what_is_the_same_is_equal(void **state)
{
    (void)state;
    assert_int_equal(query_compare("1.4", "1.4.0"), 0);
    assert_int_equal(query_compare("1.4.0+x", "1.4.0+x"), 0);
    assert_int_not_equal(query_compare("010", "10"), 0);
    assert_int_not_equal(query_compare("10-kitchen", "10-cellar"), 0);
    assert_int_not_equal(query_compare("1.4+x", "1.4"), 0);
    assert_int_not_equal(query_compare("1.", "1"), 0);
    assert_int_not_equal(query_compare("", "0"), 0);
    assert_int_not_equal(query_compare("-", "0"), 0);
    assert_int_not_equal(query_compare("1.4-rcx", "1.4-rc"), 0);
    assert_true(query_compare("apple", "pear") < 0);
    assert_true(query_compare("1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
                              "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.2") < 0);
}

static void globs_match_as_shells_do(void **state)
{
    (void)state;
    assert_true(query_glob("", ""));
    assert_true(query_glob("*", ""));
    assert_false(query_glob("?", ""));
    assert_true(query_glob("a*b*c", "aXbXbc"));
    assert_false(query_glob("a*b*c", "aXbXb"));
    assert_true(query_glob("**?", "z"));
    assert_true(query_glob("?", "\xC3\xBC")); /* one character, two bytes */
    assert_false(query_glob("??", "\xC3\xBC"));
    assert_true(query_glob("k?che", "k\xC3\xBC"
                                    "che"));
    assert_false(query_glob("kitchen", "kitchen2"));
    assert_false(query_glob("kitchen2", "kitchen"));
    /* Many stars take no exponential time. */
    assert_false(query_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

/* --- Refusals ------------------------------------------------------------ */

static void an_empty_text_is_every_device(void **state)
{
    (void)state;
    wrong("", "");
    wrong(" \t\r\n ", "");
    assert_true(query_match(NULL, fact, NULL));
}

static void mistakes_are_told_with_their_character(void **state)
{
    (void)state;
    wrong("version", "character 8: expected an operator: = != < <= > >= ~ or "
                     "in");
    wrong("version 1", "character 9: expected an operator: = != < <= > >= ~ "
                       "or in");
    wrong("version == 1", "character 9: no such operator; there are = != < "
                          "<= > >= ~ and in");
    wrong("version =! 1", "character 9: no such operator; there are = != < "
                          "<= > >= ~ and in");
    wrong("version <", "character 10: expected a value");
    wrong("version < )", "character 11: expected a value");
    wrong("= 1", "character 1: expected the name of an attribute, as version "
                 "or tag");
    wrong("1.4 = version", "character 1: expected the name of an attribute, "
                           "as version or tag");
    wrong("and = 1", "character 1: expected the name of an attribute, as "
                     "version or tag");
    wrong("not not a = 1", "character 5: expected the name of an attribute, "
                           "as version or tag");
    wrong("\"a\" = 1", "character 2: expected the name of an attribute, as "
                       "version or tag");
    wrong("a = 1 b = 2", "character 7: expected and, or, or the end");
    wrong("a = 1 AND b = 2", "character 7: expected and, or, or the end");
    wrong("a = 1 and", "character 10: expected the name of an attribute, as "
                       "version or tag");
    wrong("(a = 1", "character 1: this ( is never closed");
    wrong("(a = 1 b", "character 8: expected and, or, or )");
    wrong("a = 1)", "character 6: this ) was never opened");
    wrong("()", "character 2: expected the name of an attribute, as version "
                "or tag");
    wrong("a in b", "character 6: expected ( behind in");
    wrong("a in ()", "character 7: expected a value");
    wrong("a in (b", "character 8: expected , or ) in the list");
    wrong("a in (b,)", "character 9: expected a value");
    wrong("a = \"b", "character 5: this quotation mark has no end");
    wrong("a = 'b'", "character 5: quote with \" and not with '");
    wrong("a = 1 && b = 2", "character 7: say and, or; not && and ||");
    wrong("a = b\xC3\xBC", "character 6: not expected here; put text with "
                           "such characters in quotation marks");
    wrong("a = \"\xC3\xBC\" ;", "character 9: not expected here; put text "
                                "with such characters in quotation marks");
    wrong("a = \"x\ny\"", "character 7: a control character");
    wrong("a = 1; drop table", "character 6: not expected here; put text "
                               "with such characters in quotation marks");
}

static void repeat(char *out, const char *piece, unsigned n)
{
    for (size_t size = strlen(piece); n > 0; n--, out += size) {
        memcpy(out, piece, size + 1);
    }
}

static void limits_hold_and_are_told(void **state)
{
    char text[4096];
    struct query *q;

    (void)state;
    repeat(text, "a=1 or ", QUERY_TERMS - 1);
    strcat(text, "a=1");
    q = query_compile(text, NULL);
    assert_non_null(q);
    query_free(q);
    repeat(text, "a=1 or ", QUERY_TERMS);
    strcat(text, "a=1");
    wrong(text, "character 449: a query has at most 64 comparisons");

    repeat(text, "(", QUERY_DEPTH);
    strcat(text, "a=1");
    repeat(text + strlen(text), ")", QUERY_DEPTH);
    q = query_compile(text, NULL);
    assert_non_null(q);
    query_free(q);
    repeat(text, "(", 500);
    wrong(text, "character 17: at most 16 parentheses inside each other");

    repeat(text, " ", QUERY_TEXT + 1);
    wrong(text, "character 1025: a query has at most 1024 bytes");
    repeat(text, "x", QUERY_TEXT);
    memcpy(text, "a=", 2);
    q = query_compile(text, NULL);
    assert_non_null(q);
    query_free(q);
    /* As many values as the text has room for. */
    repeat(text, "a in(", 1);
    repeat(text + 5, "b,", (QUERY_TEXT - 7) / 2);
    strcat(text, "b)");
    q = query_compile(text, NULL);
    assert_non_null(q);
    query_free(q);
    /* More turns than anyone needs: refused, not written past the end. */
    repeat(text, "not(not(not a=1))or ", 10);
    repeat(text + strlen(text), "not(not a=1)or ", 54);
    text[strlen(text) - 3] = '\0';
    wrong(text, "character 978: the query is too long from here on");
}

/* Each beginning of a good text, and each with one byte changed, is either
 * compiled or refused with a place in it. */
static void broken_texts_are_refused_and_nothing_worse(void **state)
{
    static const char good[] =
        "hardware = \"rev-b\" and not tag = lab and (version < 1.4.0 or "
        "region in (eu, \"us-east\")) and name ~ \"kitchen-*\"";
    static const char bytes[] = "\"()=<>~,!' a0-\n\x80\xFF";
    char text[sizeof good];

    (void)state;
    for (size_t i = 0; i < sizeof good - 1; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            struct error err = {BL_OK, 0, ""};
            unsigned place = 0;
            struct query *q;

            memcpy(text, good, sizeof good);
            text[i] = bytes[k]; /* the last one is the end */
            q = query_compile(text, &err);
            if (q == NULL && text[0] != '\0') {
                assert_int_equal(sscanf(err.text, "character %u: ", &place),
                                 1);
                assert_true(place >= 1 && place <= strlen(text) + 1);
            } else if (q != NULL) {
                (void)query_match(q, fact, (void *)(uintptr_t)kitchen);
            }
            query_free(q);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operator_compares),
        cmocka_unit_test(what_was_not_told_is_false_and_not_turns_it_round),
        cmocka_unit_test(any_tag_counts),
        cmocka_unit_test(and_binds_tighter_than_or),
        cmocka_unit_test(words_of_the_language_may_be_values),
        cmocka_unit_test(all_small_expressions_mean_what_logic_says),
        cmocka_unit_test(what_is_decided_is_not_asked),
        cmocka_unit_test(versions_stand_in_their_order),
        cmocka_unit_test(versions_compare_as_core_compares_them),
        cmocka_unit_test(only_what_is_the_same_is_equal),
        cmocka_unit_test(globs_match_as_shells_do),
        cmocka_unit_test(an_empty_text_is_every_device),
        cmocka_unit_test(mistakes_are_told_with_their_character),
        cmocka_unit_test(limits_hold_and_are_told),
        cmocka_unit_test(broken_texts_are_refused_and_nothing_worse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
