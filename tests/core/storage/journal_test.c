/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct bl_event event_of(uint32_t n)
{
    struct bl_event e;

    memset(&e, 0, sizeof e);
    e.uptime_s = n * 3;
    e.boot = n / 7;
    e.sequence = (uint64_t)n << 33;
    e.code = (uint16_t)(n * 5);
    e.state = (uint8_t)(n % 12);
    e.slot = (uint8_t)(n % 2);
    e.attempt = (uint8_t)(n + 1);
    e.reset = (uint8_t)(n % 5);
    return e;
}

static void append(struct bl_journal *j, uint32_t n)
{
    struct bl_event e = event_of(n);

    assert_int_equal(bl_journal_append(j, &e), BL_OK);
    assert_int_equal(e.number, n);
}

static void assert_event(const struct bl_event *e, uint32_t n)
{
    struct bl_event want = event_of(n);

    assert_int_equal(e->number, n);
    assert_int_equal(e->uptime_s, want.uptime_s);
    assert_int_equal(e->boot, want.boot);
    assert_int_equal(e->sequence, want.sequence);
    assert_int_equal(e->code, want.code);
    assert_int_equal(e->state, want.state);
    assert_int_equal(e->slot, want.slot);
    assert_int_equal(e->attempt, want.attempt);
    assert_int_equal(e->reset, want.reset);
}

static uint32_t places(const struct rig *rig)
{
    uint32_t write_size = rig->sim.flash.write_size;

    return rig->layout.journal[0].size / (write_size > 32 ? write_size : 32);
}

static void journal_on_fresh_flash_is_empty(void **unused)
{
    struct rig rig;
    struct bl_journal j;
    struct bl_event e;
    uint32_t n = 9;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
    assert_int_equal(bl_journal_read(&j, 0, &e, 1, &n), BL_OK);
    assert_int_equal(n, 0);
    append(&j, 1);
    rig_close(&rig);
}

/* Appends, and opens anew now and then; at every moment the last events are
 * there, in order, as many as one block holds at least. */
static void journal_keeps_the_last_events(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct rig rig;
        struct bl_journal j;

        rig_open(&rig, g);
        assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
        for (uint32_t i = 1; i <= 5 * places(&rig); i++) {
            uint32_t keep = places(&rig) < i ? places(&rig) : i;
            uint32_t after = i - keep;
            uint32_t n;
            struct bl_event e[8];

            append(&j, i);
            if (i % 5 == 0) {
                assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
            }
            while (after < i) {
                assert_int_equal(bl_journal_read(&j, after, e, 8, &n), BL_OK);
                assert_true(n > 0);
                for (uint32_t k = 0; k < n; k++) {
                    assert_event(&e[k], after + 1 + k);
                }
                after += n;
            }
            assert_int_equal(bl_journal_read(&j, i, e, 8, &n), BL_OK);
            assert_int_equal(n, 0);
        }
        assert_null(rig.sim.breach);
        rig_close(&rig);
    }
}

static void journal_record_is_what_the_spec_says(void **unused)
{
    static const uint8_t want[28] = {1, 0, 0, 0, 3, 0, 0,    0,   0, 0,
                                     0, 0, 0, 0, 0, 0, 2,    0,   0, 0,
                                     5, 0, 1, 1, 2, 1, 0x42, 0x4A};
    struct rig rig;
    struct bl_journal j;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
    append(&j, 1);
    assert_memory_equal(rig.sim.bytes + rig.layout.journal[0].offset, want,
                        sizeof want);
    rig_close(&rig);
}

static void journal_steps_over_a_corrupt_record(void **unused)
{
    struct rig rig;
    struct bl_journal j;
    struct bl_event e[8];
    uint32_t n;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
    for (uint32_t i = 1; i <= 3; i++) {
        append(&j, i);
    }
    rig.sim.bytes[rig.layout.journal[0].offset + 32 + 20] ^= 1;
    assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
    assert_int_equal(bl_journal_read(&j, 0, e, 8, &n), BL_OK);
    assert_int_equal(n, 2);
    assert_event(&e[0], 1);
    assert_event(&e[1], 3);
    append(&j, 4);
    rig_close(&rig);
}

static void journal_of_noise_is_begun_anew(void **unused)
{
    struct rig rig;
    struct bl_journal j;
    struct bl_event e[8];
    uint32_t n;

    (void)unused;
    rig_open(&rig, 1);
    for (int i = 0; i < 2; i++) {
        memset(rig.sim.bytes + rig.layout.journal[i].offset, 0x77,
               rig.layout.journal[i].size);
    }
    assert_int_equal(bl_journal_open(&j, &rig.layout), BL_OK);
    append(&j, 1);
    append(&j, 2);
    assert_int_equal(bl_journal_read(&j, 0, e, 8, &n), BL_OK);
    assert_int_equal(n, 2);
    assert_null(rig.sim.breach);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_on_fresh_flash_is_empty),
        cmocka_unit_test(journal_keeps_the_last_events),
        cmocka_unit_test(journal_record_is_what_the_spec_says),
        cmocka_unit_test(journal_steps_over_a_corrupt_record),
        cmocka_unit_test(journal_of_noise_is_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
