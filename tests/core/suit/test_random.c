/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random manifests from a fixed seed: sequences of valid and of damaged
 * commands, and bytes changed at random. Nothing may crash, read outside the
 * bytes or run without end; what the scan refused has done nothing; what runs
 * writes only components that may be written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench_device.h"
#include "diagnostic.h"

static uint32_t seed;

static uint32_t next(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

/* Commands that are good at least somewhere. */
static const char *const commands[] = {
    "27 15 ",
    "20 {27: 1} 27 15 ",
    "20 {27: -1} 27 15 ",
    "12 0 ",
    "12 1 ",
    "12 true ",
    "12 [1, 0] ",
    "20 {3: $x, 14: 4, 21: 'x'} 21 2 ",
    "20 {3: $a, 14: 4, 18: h'61616161'} 18 2 ",
    "12 0 20 {3: $x, 14: 4, 22: 1} 22 2 ",
    "12 3 20 {3: $d, 14: 4} 3 15 ",
    "12 0 20 {3: $x, 14: 4, 22: 1, -258: <{1: 1, 2: 3}>} -257 2 ",
    "20 {5: 1} 5 15 ",
    "20 {5: 2} 5 15 ",
    "3 15 ",
    "20 {13: true} ",
    "20 {28: <[2 [1 4]]>} 28 15 ",
    "14 15 ",
};
static const uint32_t n_commands = sizeof commands / sizeof commands[0];

/* Appends a random sequence's commands, nested at random. */
static void sequence(char *text, size_t size, unsigned depth)
{
    uint32_t n = 1 + next(3);
    uint32_t kind;

    for (; n > 0 && strlen(text) + 400 < size; n--) {
        kind = depth < 5 ? next(5) : 4;
        if (kind == 0) {
            strcat(text, "32 <[");
            sequence(text, size, depth + 1);
            strcat(text, "]> ");
        } else if (kind == 1) {
            strcat(text, "15 [<[");
            sequence(text, size, depth + 1);
            strcat(text, "]> <[");
            sequence(text, size, depth + 1);
            strcat(text, next(2) == 0 ? "]>] " : "]> null] ");
        } else {
            strcat(text, commands[next(n_commands)]);
        }
    }
}

static void nothing_forbidden_was_written(const struct bench *b)
{
    assert_null(strstr(b->trace, "d="));
    assert_null(strstr(b->trace, "d?"));
    assert_null(strstr(b->trace, "d<"));
    assert_memory_equal(b->content[3], "dddd", 4);
    assert_true(b->events < 3000);
}

static bool is_scanned(bl_span bytes)
{
    struct bench b;
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;

    bench_init(&b);
    memset(&envelope, 0, sizeof envelope);
    envelope.manifest = bytes;
    return bl_suit_scan(&envelope, &b.platform, &manifest) == BL_OK;
}

static void run_both(bl_span bytes, unsigned *ran)
{
    struct bench b;
    bool scanned = is_scanned(bytes);
    bl_status status;

    bench_init(&b);
    status = bench_run(&b, bytes, BL_SUIT_UPDATE);
    nothing_forbidden_was_written(&b);
    if (!scanned) {
        assert_int_not_equal(status, BL_OK);
        assert_string_equal(b.trace, "");
        return;
    }
    ++*ran;
    /* A manifest that is built right never fails for how it is built, but
     * for a parameter that only another way would have set. */
    assert_int_not_equal(status, BL_COMMAND);
    assert_int_not_equal(status, BL_PARAMETER);
    assert_int_not_equal(status, BL_COMPONENT);
    assert_int_not_equal(status, BL_CBOR);
    assert_int_not_equal(status, BL_TOO_LARGE);
    bench_init(&b);
    status = bench_run(&b, bytes, BL_SUIT_INVOKE);
    nothing_forbidden_was_written(&b);
}

static bl_span random_manifest(void)
{
    char install[3000] = "20: <[12 0 ";

    sequence(install, sizeof install - 300, 1);
    strcat(install, "]>");
    return bench_manifest(4, "", install);
}

static void random_sequences_end_and_keep_within_bounds(void **state)
{
    unsigned ran = 0;
    unsigned i;
    bl_span manifest;

    (void)state;
    seed = 20261123;
    for (i = 0; i < 5000; i++) {
        manifest = random_manifest();
        run_both(manifest, &ran);
        free_bytes(manifest);
    }
    /* enough of both kinds, or the test shows nothing */
    assert_in_range(ran, 500, 4500);
}

static bl_span damaged(bl_span from)
{
    size_t cut = next(4) == 0 ? next(5) : 0;
    size_t n = from.n > cut ? from.n - cut : 1;
    uint8_t *bytes = malloc(n);
    uint32_t changes = 1 + next(4);

    memcpy(bytes, from.p, n);
    for (; changes > 0; changes--) {
        bytes[next((uint32_t)n)] = (uint8_t)next(256);
    }
    return bl_span_of(bytes, n);
}

static void damaged_manifests_are_refused_or_run_within_bounds(void **state)
{
    unsigned ran = 0;
    unsigned i;
    unsigned k;

    (void)state;
    seed = 4711;
    for (i = 0; i < 500; i++) {
        bl_span manifest = random_manifest();

        for (k = 0; k < 40; k++) {
            bl_span other = damaged(manifest);

            run_both(other, &ran);
            free_bytes(other);
        }
        free_bytes(manifest);
    }
    assert_in_range(ran, 100, 15000);
}

/* A run that skipped the scan, as a flaw elsewhere might make it. */
static void run_survives_without_a_scan(void **state)
{
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_run run;
    bl_suit_event event;
    struct bench b;
    unsigned i;
    unsigned events;
    bl_status status;

    (void)state;
    seed = 99;
    for (i = 0; i < 3000; i++) {
        char text[2000] = "[";
        bl_span whole = bench_manifest(2, "", "");
        bl_span bytes;
        bl_span other;

        sequence(text, 1500, 1);
        strcat(text, "]");
        bytes = diagnostic(text);
        other = damaged(bytes);
        bench_init(&b);
        memset(&envelope, 0, sizeof envelope);
        envelope.manifest = whole;
        assert_int_equal(bl_suit_scan(&envelope, &b.platform, &manifest),
                         BL_OK);
        manifest.install = other;
        status = bl_suit_start(&run, &envelope, &manifest, &b.platform,
                               BL_SUIT_UPDATE);
        for (events = 0; status == BL_OK; events++) {
            assert_true(events < 3000);
            status = bl_suit_step(&run, &event);
            if (status == BL_OK && event == BL_SUIT_DONE) {
                break;
            }
        }
        free_bytes(bytes);
        free_bytes(other);
        free_bytes(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences_end_and_keep_within_bounds),
        cmocka_unit_test(damaged_manifests_are_refused_or_run_within_bounds),
        cmocka_unit_test(run_survives_without_a_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
