/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct bl_state full_state(void)
{
    struct bl_state s;

    memset(&s, 0, sizeof s);
    s.active = 1;
    s.trial = 0;
    s.tries = 2;
    s.last_reset = BL_RESET_CRASH;
    s.trial_reset = BL_RESET_WATCHDOG;
    s.outcome = BL_HEALTH;
    s.outcome_sequence = 0x1122334455667788u;
    s.floor = 0xFFEEDDCCBBAA9988u;
    s.boots = 0xFFFFFFFF;
    s.issued = 0x8877665544332211u;
    for (int i = 0; i < 2; i++) {
        s.slot[i].status = (uint8_t)(BL_SLOT_READY + i);
        s.slot[i].permitted = (uint8_t)(1 - i);
        s.slot[i].root_version = 0xA0B0C0D0u + (uint32_t)i;
        s.slot[i].sequence = 77u + (uint64_t)i;
        memset(s.slot[i].manifest, 0x30 + i, 32);
    }
    return s;
}

static void state_fresh_flash_has_none(void **unused)
{
    struct rig rig;
    struct bl_state s;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(bl_state_load(&rig.layout, &s), BL_STATE_NONE);
    rig_close(&rig);
}

static void state_every_member_comes_back(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct rig rig;
        struct bl_state in = full_state();
        struct bl_state out;

        rig_open(&rig, g);
        memset(&out, 0, sizeof out);
        assert_int_equal(bl_state_save(&rig.layout, &in), BL_OK);
        assert_int_equal(in.number, 1);
        assert_int_equal(bl_state_load(&rig.layout, &out), BL_OK);
        assert_memory_equal(&in, &out, sizeof in);
        assert_null(rig.sim.breach);
        rig_close(&rig);
    }
}

/* docs/SPEC.md, "State record", byte by byte. */
static void state_record_is_what_the_spec_says(void **unused)
{
    static const uint8_t start[40] = {
        'B',  'L',  'S',  '1',  1,    0,    0,    0,    1,    0,
        2,    4,    3,    0,    101,  0,    0x88, 0x77, 0x66, 0x55,
        0x44, 0x33, 0x22, 0x11, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD,
        0xEE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0,    0};
    static const uint8_t slot_b[20] = {3,    0,  0,    0,    0xD1, 0xC0, 0xB0,
                                       0xA0, 78, 0,    0,    0,    0,    0,
                                       0,    0,  0x31, 0x31, 0x31, 0x31};
    struct rig rig;
    struct bl_state in = full_state();
    const uint8_t *p;

    (void)unused;
    rig_open(&rig, 1);
    assert_int_equal(bl_state_save(&rig.layout, &in), BL_OK);
    p = rig.sim.bytes + rig.layout.state[0].offset;
    assert_memory_equal(p, start, sizeof start);
    assert_memory_equal(p + 88, slot_b, sizeof slot_b);
    rig_close(&rig);
}

static void state_newest_wins_over_many_blocks(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct rig rig;
        struct bl_state s = rig_state();
        struct bl_state out;

        rig_open(&rig, g);
        for (uint32_t i = 1; i <= 200; i++) {
            s.boots = i;
            assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
            assert_int_equal(s.number, i);
            assert_int_equal(bl_state_load(&rig.layout, &out), BL_OK);
            assert_int_equal(out.boots, i);
        }
        /* A block is erased when it is begun, not for every record. */
        assert_int_equal(rig.sim.writes, 200);
        assert_int_equal(rig.sim.erases,
                         (200 + rig.layout.state[0].size / 256 - 1) /
                             (rig.layout.state[0].size / 256));
        assert_null(rig.sim.breach);
        rig_close(&rig);
    }
}

/* A record with this number, in place 0 of the first block. */
static void plant(struct rig *rig, uint32_t number)
{
    uint8_t *p = rig->sim.bytes + rig->layout.state[0].offset;
    uint32_t crc = 0xFFFFFFFF;

    for (int i = 0; i < 4; i++) {
        p[4 + i] = (uint8_t)(number >> (8 * i));
    }
    for (int i = 0; i < 252 * 8; i++) {
        crc ^= i % 8 == 0 ? p[i / 8] : 0;
        crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    for (int i = 0; i < 4; i++) {
        p[252 + i] = (uint8_t)(~crc >> (8 * i));
    }
}

static void state_record_number_wraps(void **unused)
{
    struct rig rig;
    struct bl_state s = rig_state();
    struct bl_state out;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
    plant(&rig, 0xFFFFFFFF);
    for (uint32_t i = 0; i < 40; i++) {
        s.boots = i;
        assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
        assert_int_equal(s.number, i);
        assert_int_equal(bl_state_load(&rig.layout, &out), BL_OK);
        assert_int_equal(out.boots, i);
    }
    rig_close(&rig);
}

static void state_any_flipped_bit_makes_a_record_invalid(void **unused)
{
    struct rig rig;
    struct bl_state s = rig_state();
    struct bl_state out;
    uint8_t *p;

    (void)unused;
    rig_open(&rig, 0);
    s.boots = 1;
    assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
    s.boots = 2;
    assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
    p = rig.sim.bytes + rig.layout.state[0].offset + BL_STATE_RECORD;
    for (int bit = 0; bit < BL_STATE_RECORD * 8; bit++) {
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(bl_state_load(&rig.layout, &out), BL_OK);
        assert_int_equal(out.boots, 1);
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    rig_close(&rig);
}

static void state_impossible_slot_numbers_are_no_record(void **unused)
{
    struct rig rig;
    struct bl_state s = rig_state();

    (void)unused;
    rig_open(&rig, 0);
    s.active = 2;
    assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
    assert_int_equal(bl_state_load(&rig.layout, &s), BL_STATE_NONE);
    s = rig_state();
    s.slot[1].status = BL_SLOT_BAD + 1;
    assert_int_equal(bl_state_save(&rig.layout, &s), BL_OK);
    assert_int_equal(bl_state_load(&rig.layout, &s), BL_STATE_NONE);
    rig_close(&rig);
}

/* --- Transitions --------------------------------------------------------- */

static void state_confirm_raises_the_floor_and_never_lowers_it(void **unused)
{
    struct bl_state s = rig_state();

    (void)unused;
    s.slot[1].status = BL_SLOT_READY;
    s.slot[1].sequence = 9;
    assert_int_equal(bl_state_try(&s, 1, 3), BL_OK);
    bl_state_confirm(&s);
    assert_int_equal(s.active, 1);
    assert_int_equal(s.trial, BL_SLOT_NONE);
    assert_int_equal(s.tries, 0);
    assert_int_equal(s.floor, 9);
    assert_int_equal(s.outcome, BL_OK);
    assert_int_equal(s.outcome_sequence, 9);
    assert_int_equal(s.slot[1].status, BL_SLOT_CONFIRMED);
    assert_int_equal(bl_state_try(&s, 0, 3), BL_OK);
    bl_state_confirm(&s);
    assert_int_equal(s.active, 0);
    assert_int_equal(s.floor, 9);
}

static void state_return_marks_bad_and_keeps_why(void **unused)
{
    struct bl_state s = rig_state();

    (void)unused;
    s.slot[1].status = BL_SLOT_READY;
    s.slot[1].sequence = 9;
    assert_int_equal(bl_state_try(&s, 1, 3), BL_OK);
    bl_state_return(&s, BL_DEADLINE);
    assert_int_equal(s.active, 0);
    assert_int_equal(s.trial, BL_SLOT_NONE);
    assert_int_equal(s.slot[1].status, BL_SLOT_BAD);
    assert_int_equal(s.outcome, BL_DEADLINE);
    assert_int_equal(s.outcome_sequence, 9);
    assert_int_equal(s.floor, 5);
    assert_int_equal(bl_state_try(&s, 1, 3), BL_BUSY);
}

static void state_try_takes_only_what_may_be_tried(void **unused)
{
    struct bl_state s = rig_state();

    (void)unused;
    assert_int_equal(bl_state_try(&s, 2, 3), BL_ARGUMENT);
    assert_int_equal(bl_state_try(&s, 1, 0), BL_ARGUMENT);
    assert_int_equal(bl_state_try(&s, 0, 3), BL_BUSY);
    assert_int_equal(bl_state_try(&s, 1, 3), BL_BUSY);
    s.slot[1].status = BL_SLOT_WRITING;
    assert_int_equal(bl_state_try(&s, 1, 3), BL_BUSY);
    s.slot[1].status = BL_SLOT_READY;
    assert_int_equal(bl_state_try(&s, 1, 3), BL_OK);
    assert_int_equal(bl_state_try(&s, 1, 3), BL_BUSY);
}

static void state_without_a_trial_nothing_is_confirmed_or_returned(void **u)
{
    struct bl_state s = rig_state();
    struct bl_state before = s;

    (void)u;
    bl_state_confirm(&s);
    bl_state_return(&s, BL_HEALTH);
    assert_memory_equal(&s, &before, sizeof s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_fresh_flash_has_none),
        cmocka_unit_test(state_every_member_comes_back),
        cmocka_unit_test(state_record_is_what_the_spec_says),
        cmocka_unit_test(state_newest_wins_over_many_blocks),
        cmocka_unit_test(state_record_number_wraps),
        cmocka_unit_test(state_any_flipped_bit_makes_a_record_invalid),
        cmocka_unit_test(state_impossible_slot_numbers_are_no_record),
        cmocka_unit_test(state_confirm_raises_the_floor_and_never_lowers_it),
        cmocka_unit_test(state_return_marks_bad_and_keeps_why),
        cmocka_unit_test(state_try_takes_only_what_may_be_tried),
        cmocka_unit_test(
            state_without_a_trial_nothing_is_confirmed_or_returned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
