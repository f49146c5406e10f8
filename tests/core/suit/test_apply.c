/* SPDX-License-Identifier: Apache-2.0 */
/* The private command x-apply: what of it is refused, and when it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench_device.h"
#include "diagnostic.h"

/* Component 3, 'd', is the base; 1, 'b', the stage; 0, 'a', the target. */
#define BASE(letter) "12 3 20 {3: $" letter ", 14: 4} 3 15 "
#define PATCH "12 1 20 {3: $x, 14: 4, 21: 'x'} 21 2 3 15 "
#define APPLY "12 0 20 {3: $x, 14: 4, 22: 1, -258: <{1: 1, 2: 3}>} -257 2 "
#define CHECK "3 15 "
#define FULL "12 0 20 {3: $x, 14: 4, 21: 'full/x'} 21 2 "

static void run(struct bench *b, const char *sections, bl_status status,
                const char *trace)
{
    bl_span manifest = bench_manifest(4, "", sections);

    assert_int_equal(bench_run(b, manifest, BL_SUIT_UPDATE), status);
    assert_string_equal(b->trace, trace);
    free_bytes(manifest);
}

static void expect(const char *install, bl_status status, const char *trace)
{
    struct bench b;
    char section[2000];

    (void)snprintf(section, sizeof section, "20: <[%s]>", install);
    bench_init(&b);
    run(&b, section, status, trace);
}

static void image_is_built_from_patch_and_base(void **state)
{
    (void)state;
    expect(BASE("d") PATCH APPLY CHECK, BL_OK, "b?x a<b+d");
}

static void another_image_than_the_signed_one_ends_it(void **state)
{
    (void)state;
    expect(BASE("d") PATCH
           "12 0 20 {3: $y, 14: 4, 22: 1, -258: <{1: 1, 2: 3}>} -257 2 ",
           BL_PAYLOAD_DIGEST, "b?x a<b+d");
}

static void wrong_base_ends_it_before_the_patch_is_fetched(void **state)
{
    (void)state;
    expect(BASE("e") PATCH APPLY CHECK, BL_IMAGE_MISMATCH, "");
}

static void other_base_takes_the_whole_image(void **state)
{
    (void)state;
    expect("12 0 15 [<[" BASE("d") PATCH APPLY "]> <[" FULL "]>] 12 0 3 15",
           BL_OK, "b?x a<b+d");
    expect("12 0 15 [<[" BASE("e") PATCH APPLY "]> <[" FULL "]>] 12 0 3 15",
           BL_OK, "a?full/x");
    expect("12 0 15 [<[" BASE("e") PATCH APPLY "]> <[" BASE("d") PATCH APPLY
           "]> <[" FULL "]>] 12 0 3 15",
           BL_OK, "b?x a<b+d");
}

/* What is given to the decoder is what the manifest has matched. */
static void base_and_patch_must_have_been_matched(void **state)
{
    (void)state;
    expect("12 3 20 {3: $d, 14: 4} " PATCH APPLY, BL_MANIFEST, "b?x");
    expect(BASE("d") "12 1 20 {3: $x, 14: 4, 21: 'x'} 21 2 " APPLY,
           BL_MANIFEST, "b?x");
    /* matched, and then said to be another */
    expect(BASE("d") "12 3 20 {3: $e} " PATCH APPLY, BL_MANIFEST, "b?x");
    expect(BASE("d") "12 3 20 {14: 3} " PATCH APPLY, BL_MANIFEST, "b?x");
    /* matched, and then fetched again */
    expect(BASE("d") PATCH "21 2 " APPLY, BL_MANIFEST, "b?x b?x");
    /* said once more, the same: as the shared sequence does */
    expect(BASE("d") PATCH "12 1 20 {21: 'x'} " APPLY, BL_OK, "b?x a<b+d");
}

static void match_of_an_earlier_section_counts(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    run(&b, "16: <[" BASE("d") PATCH "]> 20: <[" APPLY CHECK "]>", BL_OK,
        "b?x a<b+d");
}

static void what_is_wrong_is_seen_before_anything_is_done(void **state)
{
    static const struct {
        const char *apply;
        bl_status status;
    } table[] = {
        {"20 {22: 1, -258: <{1: 2, 2: 3}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{1: 0, 2: 3}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{1: 1, 2: 4}>} -257 2", BL_COMPONENT},
        {"20 {22: 4, -258: <{1: 1, 2: 3}>} -257 2", BL_COMPONENT},
        /* digests of blocks, which nobody would check */
        {"20 {22: 1, -258: <{1: 1, 2: 3, 3: 4096, 4: h'00'}>} -257 2",
         BL_DELTA},
        {"20 {22: 1, -258: <{1: 1, 2: 3, 5: 0}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{1: 1}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{2: 3}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{2: 3, 1: 1}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{1: 1, 1: 1, 2: 3}>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: <{1: 1, 2: -1}>} -257 2", BL_COMPONENT},
        {"20 {22: 1, -258: <[1, 3]>} -257 2", BL_DELTA},
        {"20 {22: 1, -258: {1: 1, 2: 3}} -257 2", BL_MANIFEST},
        {"20 {22: 1, -258: h''} -257 2", BL_DELTA},
        {"20 {22: 1, -258: h'a20101020300'} -257 2", BL_DELTA},
        /* an index in two bytes is not its one encoding */
        {"20 {22: 1, -258: h'a20101021803'} -257 2", BL_DELTA},
        /* what it needs: patch, base, digest and size of all three */
        {"20 {22: 1} -257 2", BL_MANIFEST},
        {"20 {-258: <{1: 1, 2: 3}>} -257 2", BL_MANIFEST},
        {"20 {22: 2, -258: <{1: 1, 2: 3}>} -257 2", BL_MANIFEST},
        {"20 {22: 1, -258: <{1: 1, 2: 2}>} -257 2", BL_MANIFEST},
        /* from itself */
        {"20 {22: 0, -258: <{1: 1, 2: 3}>} -257 2", BL_MANIFEST},
        {"20 {22: 1, -258: <{1: 1, 2: 0}>} -257 2", BL_MANIFEST},
        {"20 {22: 1, -258: <{1: 1, 2: 3}>} -257 16", BL_MANIFEST},
    };
    char text[600];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(text, sizeof text,
                       BASE("d") PATCH "12 0 20 {3: $x, 14: 4} %s",
                       table[i].apply);
        expect(text, table[i].status, "");
    }
    /* a target that may not be written */
    expect(BASE("d") PATCH "12 3 20 {22: 1, -258: <{1: 1, 2: 1}>} -257 2",
           BL_COMPONENT_FORBIDDEN, "");
}

/* The boot code runs validate, load and invoke at every start. */
static void it_has_no_place_in_what_runs_at_each_start(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    run(&b,
        "7: <[12 0 20 {3: $x, 14: 4, 22: 1, -258: <{1: 1, 2: 2}>} -257 2]>"
        "20: <[12 1 20 {3: $x, 14: 4, 21: 'x'} 21 2 3 15 12 2 "
        "20 {3: $x, 14: 4}]>",
        BL_COMMAND, "");
}

static void
device_without_a_decoder_refuses_it_also_as_an_alternative(void **state)
{
    static const char *const sections[] = {
        "20: <[" BASE("d") PATCH APPLY CHECK "]>",
        "20: <[12 0 15 [<[" BASE("d") PATCH APPLY "]> <[" FULL "]>]]>",
        "20: <[12 0 15 [<[" FULL "]> <[" BASE("d") PATCH APPLY "]>]]>",
        "20: <[12 0 20 {-258: <{1: 1, 2: 3}>} " FULL "]>",
        "20: <[12 0 20 {-258: h'00'} " FULL "]>",
    };
    struct bench b;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        bench_init(&b);
        b.platform.apply = NULL;
        run(&b, sections[i], BL_DELTA, "");
    }
}

/* The boot code has no decoder, and starts what was built by one. */
static void installed_image_needs_no_decoder(void **state)
{
    struct bench b;
    bl_span manifest =
        bench_manifest(4, "12 0 20 {3: $x, 14: 4}",
                       "7: <[12 0 3 15]> 9: <[12 0 23 2]> "
                       "20: <[" BASE("d") PATCH APPLY CHECK "]>");

    (void)state;
    bench_init(&b);
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_UPDATE), BL_OK);
    b.platform.apply = NULL;
    b.platform.installed = true;
    b.trace[0] = '\0';
    assert_int_equal(bench_run(&b, manifest, BL_SUIT_INVOKE), BL_OK);
    assert_string_equal(b.trace, "!a");
    free_bytes(manifest);
}

static void failing_decoder_ends_it_all_in_a_try_each_too(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    b.copy_status = BL_DELTA_FORMAT;
    run(&b, "20: <[12 0 15 [<[" BASE("d") PATCH APPLY "]> <[" FULL "]>]]>",
        BL_DELTA_FORMAT, "b?x a<b+d");
}

/* --- What has to be at hand ----------------------------------------------
 */

static void payloads(const char *sections, bool every, const char *uris)
{
    bl_span manifest = bench_manifest(4, "", sections);
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest read;
    struct bl_suit_fetch fetch;
    char text[200] = "";
    uint32_t i;

    memset(&envelope, 0, sizeof envelope);
    envelope.manifest = manifest;
    assert_int_equal(bl_suit_scan(&envelope, NULL, &read), BL_OK);
    for (i = 0; (every ? bl_suit_every_payload : bl_suit_payload)(
                    &envelope, &read, 1, i, &fetch) == BL_OK;
         i++) {
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "%.*s ", (int)fetch.uri.n, (const char *)fetch.uri.p);
    }
    assert_string_equal(text, uris);
    free_bytes(manifest);
}

static void each_alternatives_payload_is_found(void **state)
{
    const char *two =
        "20: <[12 0 15 [<[" BASE("d") "12 1 20 {3: $y, 14: 4, 21: 'one/y'} "
                                      "21 2 3 15 " APPLY "]> <[" BASE("e")
                                          PATCH APPLY
        "]> <[" FULL "]>] 12 0 3 15 20 {3: $z, 14: 4, 21: 'z'} 21 2]>";
    const char *slots =
        "20: <[12 0 15 [<[20 {5: 0} 5 15 20 {3: $y, 14: 4, 21: 'y'}]>"
        "<[20 {5: 1} 5 15 20 {3: $x, 14: 4, 21: 'x'}]>"
        "<[20 {5: 2} 5 15 20 {3: $z, 14: 4, 21: 'z'}]>] 21 2 3 15]>";

    (void)state;
    payloads(two, false, "full/x z ");
    payloads(two, true, "one/y x full/x z ");
    payloads(slots, false, "x ");
    payloads(slots, true, "x "); /* the slot is what it is */
    payloads("20: <[12 true 15 [<[14 15]> <[14 15]> null] " FULL "]>", true,
             "full/x ");
    payloads("20: <[12 true 15 [<[" FULL "]> <[14 15]>]]>", true,
             "full/x full/x full/x full/x ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_is_built_from_patch_and_base),
        cmocka_unit_test(another_image_than_the_signed_one_ends_it),
        cmocka_unit_test(wrong_base_ends_it_before_the_patch_is_fetched),
        cmocka_unit_test(other_base_takes_the_whole_image),
        cmocka_unit_test(base_and_patch_must_have_been_matched),
        cmocka_unit_test(match_of_an_earlier_section_counts),
        cmocka_unit_test(what_is_wrong_is_seen_before_anything_is_done),
        cmocka_unit_test(it_has_no_place_in_what_runs_at_each_start),
        cmocka_unit_test(
            device_without_a_decoder_refuses_it_also_as_an_alternative),
        cmocka_unit_test(installed_image_needs_no_decoder),
        cmocka_unit_test(failing_decoder_ends_it_all_in_a_try_each_too),
        cmocka_unit_test(each_alternatives_payload_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
