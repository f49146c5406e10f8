/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench_device.h"
#include "diagnostic.h"

/* Runs one install section with `n` components; status and trace. */
static void expect_with(unsigned n, const char *shared, const char *install,
                        bl_status status, const char *trace)
{
    struct bench b;
    char section[3000];
    bl_span manifest;

    (void)snprintf(section, sizeof section, "20: <[%s]>", install);
    manifest = bench_manifest(n, shared, section);
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE), status);
    assert_string_equal(b.trace, trace);
    free_bytes(manifest);
}

static void expect(unsigned n, const char *install, bl_status status,
                   const char *trace)
{
    expect_with(n, "", install, status, trace);
}

/* One command that holds and leaves a number in the trace, or does not hold
 * when the number is negative. */
#define SAY(number) " 20 {27: " #number "} 27 15 "

/* --- Selection -------------------------------------------------------------
 */

static void single_component_needs_no_index(void **state)
{
    (void)state;
    expect(1, SAY(1), BL_OK, "1");
}

static void several_components_need_an_index_in_each_section(void **state)
{
    (void)state;
    expect(2, SAY(1), BL_MANIFEST, "");
    expect(2, "12 0" SAY(1), BL_OK, "1");
}

static void index_list_runs_each_command_in_its_order(void **state)
{
    (void)state;
    expect(3,
           "12 0 20 {27: 1} 12 1 20 {27: 2} 12 2 20 {27: 3}"
           "12 [2, 0, 1] 27 15",
           BL_OK, "3 1 2");
}

static void index_true_selects_all(void **state)
{
    (void)state;
    expect(3, "12 0 20 {27: 1} 12 1 20 {27: 2} 12 2 20 {27: 3} 12 true 27 15",
           BL_OK, "1 2 3");
}

static void index_that_is_none_is_refused(void **state)
{
    (void)state;
    expect(2, "12 2" SAY(1), BL_COMPONENT, "");
    expect(2, "12 [0, 2]" SAY(1), BL_COMPONENT, "");
    expect(2, "12 []" SAY(1), BL_MANIFEST, "");
    expect(2, "12 false" SAY(1), BL_MANIFEST, "");
    expect(2, "12 [0, 1, 0]" SAY(1), BL_TOO_LARGE, "");
    expect(2, "12 -1" SAY(1), BL_MANIFEST, "");
}

static void
nested_sequence_runs_per_component_and_selection_returns(void **state)
{
    (void)state;
    expect(2,
           "12 0 20 {27: 1} 12 1 20 {27: 2}"
           "12 [0, 1] 32 <[27 15, 12 1, 27 15]> 27 15",
           BL_OK, "1 2 2 2 1 2");
    expect(2,
           "12 0 20 {27: 1} 12 1 20 {27: 2}"
           "12 true 15 [<[27 15, 14 15]> <[12 0, 27 15]>] 27 15",
           BL_OK, "1 1 2 1 1 2");
}

/* --- try-each, run-sequence, soft failure ----------------------------------
 */

static void try_each_takes_the_first_that_holds(void **state)
{
    (void)state;
    expect(1, "15 [<[" SAY(-1) "]> <[" SAY(2) "]> <[" SAY(3) "]>]" SAY(4),
           BL_OK, "-1 2 4");
}

static void try_each_with_nil_goes_on_when_none_holds(void **state)
{
    (void)state;
    expect(1, "15 [<[" SAY(-1) "]> <[" SAY(-2) "]> null]" SAY(3), BL_OK,
           "-1 -2 3");
}

static void try_each_out_of_alternatives_fails_as_the_last_did(void **state)
{
    (void)state;
    expect(1, "15 [<[" SAY(-1) "]> <[20 {5: 7} 5 15]>]" SAY(3), BL_SLOT, "-1");
    expect(1, "15 [<[20 {5: 7} 5 15]> <[14 15]>]" SAY(3), BL_ABORTED, "");
}

static void try_each_form_is_two_sequences_and_nil_last(void **state)
{
    (void)state;
    expect(1, "15 [<[" SAY(1) "]>]", BL_MANIFEST, "");
    expect(1, "15 [<[" SAY(1) "]> null]", BL_MANIFEST, "");
    expect(1, "15 [<[" SAY(1) "]> null <[" SAY(2) "]>]", BL_MANIFEST, "");
    expect(1, "15 [null <[" SAY(1) "]> <[" SAY(2) "]>]", BL_MANIFEST, "");
    expect(1, "15 [<[" SAY(1) "]> 7]", BL_MANIFEST, "");
    expect(1, "15 [<[" SAY(1) "]> <[]>]", BL_MANIFEST, "");
    expect(1, "15 15", BL_MANIFEST, "");
}

static void inner_try_each_that_fails_leads_to_the_outer_next(void **state)
{
    (void)state;
    expect(1,
           "15 [<[ 15 [<[" SAY(-1) "]> <[" SAY(-2) "]>]" SAY(
               9) "]>"
                  "    <[" SAY(3) "]>]" SAY(4),
           BL_OK, "-1 -2 3 4");
}

static void run_sequence_fails_hard_by_default(void **state)
{
    (void)state;
    expect(1, "32 <[" SAY(-1) SAY(2) "]>" SAY(3), BL_NOT_AUTHORIZED, "-1");
}

static void run_sequence_with_soft_failure_ends_quietly(void **state)
{
    (void)state;
    expect(1, "32 <[20 {13: true}" SAY(-1) SAY(2) "]>" SAY(3), BL_OK, "-1 3");
}

static void soft_failure_is_of_its_own_sequence_only(void **state)
{
    (void)state;
    /* not handed on to the next sequence */
    expect(1, "32 <[20 {13: true}" SAY(1) "]> 32 <[" SAY(-2) "]>",
           BL_NOT_AUTHORIZED, "1 -2");
    /* not handed inwards: the inner one fails, the outer one takes it */
    expect(1,
           "32 <[20 {13: true} 32 <[" SAY(-1) SAY(8) "]>" SAY(9) "]>" SAY(3),
           BL_OK, "-1 3");
    /* every alternative starts soft again */
    expect(1,
           "15 [<[20 {13: true}" SAY(-1) "]> <[" SAY(-2) "]> <[" SAY(3) "]>]",
           BL_OK, "-1 -2 3");
}

static void alternative_with_soft_failure_off_ends_it_all(void **state)
{
    (void)state;
    expect(1, "15 [<[20 {13: false}" SAY(-1) "]> <[" SAY(2) "]>]",
           BL_NOT_AUTHORIZED, "-1");
}

static void soft_failure_at_top_is_refused(void **state)
{
    (void)state;
    expect(1, "20 {13: true}" SAY(1), BL_PARAMETER, "");
    expect_with(1, "20 {13: true}", SAY(1), BL_PARAMETER, "");
    expect_with(1, "32 <[20 {13: true} 14 15]>", SAY(1), BL_OK, "1");
}

static void parameters_outlive_an_alternative_that_failed(void **state)
{
    (void)state;
    expect(1, "15 [<[20 {5: 7, 27: 5} 5 15]> <[20 {5: 1} 5 15]>] 27 15", BL_OK,
           "5");
}

static void nesting_of_four_runs_and_of_five_is_refused(void **state)
{
    (void)state;
    expect(1, "32 <[32 <[32 <[32 <[" SAY(1) "]>]>]>]>" SAY(2), BL_OK, "1 2");
    expect(1, "32 <[32 <[32 <[32 <[32 <[" SAY(1) "]>]>]>]>]>", BL_TOO_LARGE,
           "");
}

/* --- Conditions ------------------------------------------------------------
 */

static void condition_without_its_parameter_fails(void **state)
{
    (void)state;
    expect(1, "5 15", BL_CONDITION, "");
    expect(1, "15 [<[5 15]> <[" SAY(2) "]>]", BL_OK, "2");
    expect(1, "20 {3: $a} 3 15", BL_CONDITION, ""); /* size as well */
}

static void each_condition_fails_by_its_own_name(void **state)
{
    (void)state;
    expect(1, "20 {1: $C} 1 15", BL_VENDOR, "");
    expect(1, "20 {2: $V} 2 15", BL_CLASS, "");
    expect(1, "20 {3: $a, 14: 4} 3 15", BL_IMAGE_MISMATCH, "");
    expect(1, "20 {4: 1000} 4 15", BL_EXPIRED, "");
    expect(1, "20 {4: 1001} 4 15", BL_OK, "");
    expect(1, "20 {5: 0} 5 15", BL_SLOT, "");
    expect(1, "20 {18: h'61616161'} 6 15", BL_CONTENT, "");
    expect(1, "20 {24: $V} 24 15", BL_DEVICE_ID, "");
    expect(1, "20 {26: 100} 26 15", BL_OK, "");
    expect(1, SAY(-1), BL_NOT_AUTHORIZED, "-1");
    expect(1, "14 15", BL_ABORTED, "");
}

static void version_is_compared_as_far_as_the_manifest_says(void **state)
{
    static const struct {
        const char *match;
        bl_status status;
    } table[] = {
        /* the device has 1.4.2; 1 >, 2 >=, 3 =, 4 <=, 5 < */
        {"[1 [1 4 1]]", BL_OK},      {"[1 [1 4 2]]", BL_VERSION},
        {"[2 [1 4 2]]", BL_OK},      {"[2 [1 4 3]]", BL_VERSION},
        {"[3 [1]]", BL_OK},          {"[3 [1 4 2 0]]", BL_OK},
        {"[3 [1 5]]", BL_VERSION},   {"[4 [1 4]]", BL_OK},
        {"[4 [1 3 9]]", BL_VERSION}, {"[5 [2]]", BL_OK},
        {"[5 [1 4 2]]", BL_VERSION}, {"[2 [1 4 2 1]]", BL_VERSION},
        {"[2 [1 4 -1 1]]", BL_OK},   {"[1 [1 4 2 -1 1]]", BL_OK},
        {"[0 [1]]", BL_MANIFEST},    {"[6 [1]]", BL_MANIFEST},
        {"[1 []]", BL_MANIFEST},     {"[1 [1] 2]", BL_MANIFEST},
        {"[1 ['x']]", BL_MANIFEST},
    };
    char text[100];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(text, sizeof text, "20 {28: <%s>} 28 15",
                       table[i].match);
        expect(1, text, table[i].status, "");
    }
}

/* --- Directives ------------------------------------------------------------
 */

static void fetch_yields_once_per_component(void **state)
{
    (void)state;
    expect(3,
           "12 0 20 {3: $x, 14: 4, 21: 'p/x'}"
           "12 2 20 {3: $y, 14: 4, 21: 'p/y'} 12 [0, 2] 21 2 3 15",
           BL_OK, "a?p/x c?p/y");
}

static void write_is_read_back(void **state)
{
    (void)state;
    expect(1, "20 {3: $a, 14: 4, 18: h'61616161'} 18 2 3 15", BL_OK, "a=aaaa");
    expect(1, "20 {3: $b, 14: 4, 18: h'61616161'} 18 2", BL_PAYLOAD_DIGEST,
           "a=aaaa");
    expect(1, "20 {3: $a, 14: 3, 18: h'61616161'} 18 2", BL_MANIFEST, "");
}

static void copy_is_read_back(void **state)
{
    const char *staged = "12 1 20 {3: $x, 14: 4, 21: 'x'} 21 2 3 15";
    char text[200];

    (void)state;
    (void)snprintf(text, sizeof text,
                   "%s 12 0 20 {3: $x, 14: 4, 22: 1} 22 2 3 15", staged);
    expect(2, text, BL_OK, "b?x a<b");
    (void)snprintf(text, sizeof text,
                   "%s 12 0 20 {3: $y, 14: 4, 22: 1} 22 2 3 15", staged);
    expect(2, text, BL_PAYLOAD_DIGEST, "b?x a<b");
    expect(2, "12 0 20 {3: $y, 14: 4, 22: 0} 22 2", BL_MANIFEST, "");
    expect(2, "12 0 20 {3: $y, 14: 4, 22: 2} 22 2", BL_COMPONENT, "");
}

static void directive_that_fails_ends_it_all_in_a_try_each_too(void **state)
{
    struct bench b;
    bl_span manifest =
        bench_manifest(2, "",
                       "20: <[12 0, 15 [<[20 {3: $a, 14: 4, 22: 1} 22 2]>"
                       "<[" SAY(2) "]>]]>");

    (void)state;
    bench_init(&b);
    b.copy_status = BL_FLASH;
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE), BL_FLASH);
    assert_string_equal(b.trace, "a<b");
    free_bytes(manifest);
}

static void copy_is_refused_where_the_platform_has_none(void **state)
{
    struct bench b;
    bl_span manifest =
        bench_manifest(2, "", "20: <[12 0, 20 {3: $a, 14: 4, 22: 1} 22 2]>");

    (void)state;
    bench_init(&b);
    b.platform.copy = NULL;
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE), BL_COMMAND);
    assert_string_equal(b.trace, "");
    free_bytes(manifest);
}

static void
what_is_wrong_anywhere_is_seen_before_anything_is_done(void **state)
{
    const char *first = "12 0 20 {3: $x, 14: 4, 21: 'x'} 21 2";
    static const struct {
        const char *then;
        bl_status status;
    } table[] = {
        {"12 3 20 {3: $d, 14: 4, 18: h'64'} 18 2", BL_COMPONENT_FORBIDDEN},
        {"12 3 20 {3: $d, 14: 4, 21: 'x'} 21 2", BL_COMPONENT_FORBIDDEN},
        {"12 1 20 {3: $x, 21: 'x'} 21 2", BL_MANIFEST}, /* no size */
        {"12 1 20 {14: 4, 21: 'x'} 21 2", BL_MANIFEST}, /* no digest */
        {"12 1 20 {3: $x, 14: 4} 21 2", BL_MANIFEST},   /* no URI */
        {"15 [<[14 15]> <[40 15]>]", BL_COMMAND},
        {"32 <[-257 15]>", BL_MANIFEST}, /* from what? */
        {"-258 15", BL_COMMAND},
        {"9223372036854775807 15", BL_COMMAND},
        {"20 {-258: h'01'}", BL_DELTA},
        {"20 {19: h'01'}", BL_ENCRYPTION},
        {"20 {25: h'01'}", BL_PARAMETER},
        {"20 {-300: 1}", BL_PARAMETER},
        {"20 {}", BL_MANIFEST},
        {"20 {14: 4, 3: $x}", BL_MANIFEST}, /* order of keys */
        {"20 {14: 4294967296}", BL_TOO_LARGE},
        {"20 {21: 'a b'}", BL_MANIFEST},
        {"20 {21: ''}", BL_MANIFEST},
        {"20 {3: <[-43 h'00']>}", BL_ALGORITHM},
        {"20 {3: <[-16 h'00']>}", BL_DIGEST},
        {"3 16", BL_MANIFEST},
        {"3 -1", BL_MANIFEST},
        {"3", BL_MANIFEST},
        {"23 2", BL_COMMAND}, /* invoke outside its section */
        {"11 15", BL_COMMAND},
        {"32 h''", BL_MANIFEST},
        {"32 <[]>", BL_MANIFEST},
        {"20 {1: $V 2: $C 3: $a 4: 1 5: 1 12: true 14: 4 18: h'00' 22: 0}",
         BL_TOO_LARGE},
    };
    char text[600];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(text, sizeof text, "%s %s", first, table[i].then);
        expect(4, text, table[i].status, "");
    }
}

/* The boot code would find it changed one day, and start nothing. */
static void start_must_not_depend_on_a_fleeting_component(void **state)
{
    static const struct {
        const char *shared;
        const char *sections;
        bl_status status;
    } table[] = {
        {"", "20: <[12 3 20 {3: $x, 14: 4} 3 15]>", BL_IMAGE_MISMATCH},
        {"", "7: <[12 3 20 {3: $x, 14: 4} 3 15]>", BL_COMPONENT_FORBIDDEN},
        {"", "7: <[12 true 27 15]>", BL_COMPONENT_FORBIDDEN},
        {"", "7: <[12 3 32 <[3 15]>]>", BL_COMPONENT_FORBIDDEN},
        {"", "7: <[12 0 15 [<[12 0 3 15]> <[12 3 3 15]>]]>",
         BL_COMPONENT_FORBIDDEN},
        {"", "8: <[12 3 3 15]>", BL_COMPONENT_FORBIDDEN},
        {"", "9: <[12 3 23 2]>", BL_COMPONENT_FORBIDDEN},
        {"12 3 20 {3: $x, 14: 4} 3 15", "9: <[12 0 23 2]>",
         BL_COMPONENT_FORBIDDEN},
    };
    struct bench b;
    bl_span manifest;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        manifest = bench_manifest(4, table[i].shared, table[i].sections);
        bench_init(&b);
        assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE),
                         table[i].status);
        free_bytes(manifest);
    }
}

static void uri_of_127_bytes_is_taken_and_of_128_refused(void **state)
{
    char uri[129];
    char text[300];
    char trace[200];

    (void)state;
    memset(uri, 'u', 128);
    uri[127] = '\0';
    (void)snprintf(text, sizeof text, "20 {3: $u, 14: 4, 21: '%s'} 21 2", uri);
    (void)snprintf(trace, sizeof trace, "a?%s", uri);
    expect(1, text, BL_OK, trace);
    uri[127] = 'u';
    uri[128] = '\0';
    (void)snprintf(text, sizeof text, "20 {3: $u, 14: 4, 21: '%s'} 21 2", uri);
    expect(1, text, BL_TOO_LARGE, "");
}

static void
image_larger_than_its_slot_is_refused_before_the_fetch(void **state)
{
    (void)state;
    expect(1, "20 {3: $u, 14: 5, 21: 'u'} 21 2", BL_NO_SPACE, "");
}

static void part_of_an_envelope_that_lacks_it_is_refused(void **state)
{
    (void)state;
    expect(1, "20 {3: $p, 14: 4, 21: '#app'} 21 2", BL_SEVERED, "");
}

static void eight_alternatives_run_and_nine_are_refused(void **state)
{
    (void)state;
#define NO "<[14 15]>"
    expect(1, "15 [" NO NO NO NO NO NO NO "<[" SAY(8) "]>]", BL_OK, "8");
    expect(1, "15 [" NO NO NO NO NO NO NO NO " null]" SAY(1), BL_OK, "1");
    expect(1, "15 [" NO NO NO NO NO NO NO NO "<[" SAY(9) "]>]", BL_TOO_LARGE,
           "");
}

/* --- Shared sequence and procedures -----------------------------------------
 */

static void shared_runs_before_each_section_of_the_procedure(void **state)
{
    struct bench b;
    bl_span manifest =
        bench_manifest(1, SAY(1),
                       "7: <[" SAY(7) "]> 8: <[" SAY(
                           8) "]> 9: <[23 2]>"
                              "16: <[" SAY(16) "]> 20: <[" SAY(20) "]>");

    (void)state;
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE), BL_OK);
    assert_string_equal(b.trace, "1 16 1 20 1 7");
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_INVOKE), BL_OK);
    assert_string_equal(b.trace, "1 7 1 8 1 !a");
    free_bytes(manifest);
}

static void parameters_last_through_the_sections(void **state)
{
    struct bench b;
    bl_span manifest = bench_manifest(
        1, "", "7: <[3 15]> 20: <[20 {3: $x, 14: 4, 21: 'x'} 21 2]>");

    (void)state;
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE), BL_OK);
    assert_string_equal(b.trace, "a?x");
    free_bytes(manifest);
}

static void shared_may_not_do_anything(void **state)
{
    (void)state;
    expect_with(1, "20 {3: $x, 14: 4, 21: 'x'} 21 2", SAY(1), BL_COMMAND, "");
    expect_with(1, "32 <[23 2]>", SAY(1), BL_COMMAND, "");
    expect_with(1, "-257 15", SAY(1), BL_COMMAND, "");
    expect_with(1, "20 {-258: h'01'}", SAY(1), BL_PARAMETER, "");
    expect_with(1, "15 [<[" SAY(1) "]> <[14 15]>]", SAY(2), BL_OK, "1 2");
}

static bl_status scan_text(const char *text)
{
    struct bench b;
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest out;
    bl_span manifest;
    bl_status status;

    manifest = diagnostic(text);
    bench_init(&b);
    memset(&envelope, 0, sizeof envelope);
    envelope.manifest = manifest;
    status = bl_suit_scan(&envelope, &b.platform, &out);
    free_bytes(manifest);
    return status;
}

static void vendor_and_class_must_be_checked_for_certain(void **state)
{
    (void)state;
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{2: [[h'61']]}>}"),
                     BL_NO_COMPATIBILITY_CHECK);
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{2: [[h'61']], 4: <[20 "
                               "{1: $V, 2: $C} 1 15]>}>}"),
                     BL_NO_COMPATIBILITY_CHECK);
    assert_int_equal(
        scan_text("{1: 1, 2: 1, 3: <{2: [[h'61']], 4: <[20 {1: $V, 2: $C} "
                  "1 15 15 [<[2 15]> <[14 15]> null]]>}>}"),
        BL_NO_COMPATIBILITY_CHECK);
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{2: [[h'61']], 4: <[20 "
                               "{1: $V, 2: $C} 1 15 2 15]>}>}"),
                     BL_OK);
}

static void manifest_form_is_checked(void **state)
{
#define COMMON "3: <{2: [[h'61']], 4: <[20 {1: $V, 2: $C} 1 15 2 15]>}>"
    (void)state;
    assert_int_equal(scan_text("{1: 2, 2: 1, " COMMON "}"), BL_MANIFEST);
    assert_int_equal(scan_text("{2: 1, " COMMON "}"), BL_MANIFEST);
    assert_int_equal(scan_text("{1: 1, " COMMON "}"), BL_MANIFEST);
    assert_int_equal(scan_text("{1: 1, 2: 1, " COMMON ", 24: <[3 15]>}"),
                     BL_MANIFEST);
    assert_int_equal(scan_text("{1: 1, 2: 1, " COMMON ", 5: 1}"), BL_MANIFEST);
    assert_int_equal(scan_text("{1: 1, 2: 1, " COMMON ", 6: <[1 4 -1 1]>}"),
                     BL_OK);
    assert_int_equal(scan_text("{1: 1, 2: 1, " COMMON ", 6: <[]>}"),
                     BL_MANIFEST);
    assert_int_equal(scan_text("{1: 1, 2: 1, " COMMON ", 4: 'http://x'}"),
                     BL_OK);
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{1: {}, 2: [[h'61']]}>}"),
                     BL_MANIFEST);
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{2: [[h'7A']]}>}"),
                     BL_COMPONENT);
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{2: [[]]}>}"), BL_COMPONENT);
    assert_int_equal(scan_text("{1: 1, 2: 1, 3: <{2: [[h'61'] [h'61']]}>}"),
                     BL_COMPONENT);
    assert_int_equal(
        scan_text("{1: 1, 2: 1, 3: <{2: [[h'' h'' h'' h'' h'' h'']]}>}"),
        BL_COMPONENT);
    assert_int_equal(
        scan_text("{1: 1, 2: 1, " COMMON ", 20: $a}"),
        BL_COMMAND); /* a wrapped digest is taken for a sequence */
    assert_int_equal(scan_text("{1: 1, 2: 1, " COMMON
                               ", 20: [-16 h'00000000000000000000000000000000"
                               "00000000000000000000000000000000']}"),
                     BL_SEVERED);
}

static void procedure_without_a_section_has_shown_nothing(void **state)
{
    struct bench b;
    bl_span manifest = bench_manifest(1, "", "8: <[" SAY(1) "]>");

    (void)state;
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE),
                     BL_NO_COMPATIBILITY_CHECK);
    free_bytes(manifest);
}

static void settled_conditions_hold_once_installed(void **state)
{
    struct bench b;
    bl_span manifest = bench_manifest(1, "20 {28: <[1 [9]]>} 28 15",
                                      "7: <[20 {4: 1} 4 15]> 9: <[23 2]>");

    (void)state;
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_INVOKE), BL_VERSION);
    bench_init(&b);
    b.platform.installed = true;
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_INVOKE), BL_OK);
    assert_string_equal(b.trace, "!a");
    free_bytes(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_component_needs_no_index),
        cmocka_unit_test(several_components_need_an_index_in_each_section),
        cmocka_unit_test(index_list_runs_each_command_in_its_order),
        cmocka_unit_test(index_true_selects_all),
        cmocka_unit_test(index_that_is_none_is_refused),
        cmocka_unit_test(
            nested_sequence_runs_per_component_and_selection_returns),
        cmocka_unit_test(try_each_takes_the_first_that_holds),
        cmocka_unit_test(try_each_with_nil_goes_on_when_none_holds),
        cmocka_unit_test(try_each_out_of_alternatives_fails_as_the_last_did),
        cmocka_unit_test(try_each_form_is_two_sequences_and_nil_last),
        cmocka_unit_test(inner_try_each_that_fails_leads_to_the_outer_next),
        cmocka_unit_test(run_sequence_fails_hard_by_default),
        cmocka_unit_test(run_sequence_with_soft_failure_ends_quietly),
        cmocka_unit_test(soft_failure_is_of_its_own_sequence_only),
        cmocka_unit_test(alternative_with_soft_failure_off_ends_it_all),
        cmocka_unit_test(soft_failure_at_top_is_refused),
        cmocka_unit_test(parameters_outlive_an_alternative_that_failed),
        cmocka_unit_test(nesting_of_four_runs_and_of_five_is_refused),
        cmocka_unit_test(condition_without_its_parameter_fails),
        cmocka_unit_test(each_condition_fails_by_its_own_name),
        cmocka_unit_test(version_is_compared_as_far_as_the_manifest_says),
        cmocka_unit_test(fetch_yields_once_per_component),
        cmocka_unit_test(write_is_read_back),
        cmocka_unit_test(copy_is_read_back),
        cmocka_unit_test(directive_that_fails_ends_it_all_in_a_try_each_too),
        cmocka_unit_test(copy_is_refused_where_the_platform_has_none),
        cmocka_unit_test(
            what_is_wrong_anywhere_is_seen_before_anything_is_done),
        cmocka_unit_test(start_must_not_depend_on_a_fleeting_component),
        cmocka_unit_test(uri_of_127_bytes_is_taken_and_of_128_refused),
        cmocka_unit_test(
            image_larger_than_its_slot_is_refused_before_the_fetch),
        cmocka_unit_test(part_of_an_envelope_that_lacks_it_is_refused),
        cmocka_unit_test(eight_alternatives_run_and_nine_are_refused),
        cmocka_unit_test(shared_runs_before_each_section_of_the_procedure),
        cmocka_unit_test(parameters_last_through_the_sections),
        cmocka_unit_test(shared_may_not_do_anything),
        cmocka_unit_test(vendor_and_class_must_be_checked_for_certain),
        cmocka_unit_test(manifest_form_is_checked),
        cmocka_unit_test(procedure_without_a_section_has_shown_nothing),
        cmocka_unit_test(settled_conditions_hold_once_installed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
