/* SPDX-License-Identifier: Apache-2.0 */
/* The lean flash keeps the contract as the other one does, and shares. */
#include "support/cmocka_all.h"

#include <string.h>

#include "fleet_flash.h"

enum { SIZE = 8 * FLEET_ERASE };

static bl_status put(struct fleet_flash *f, uint32_t at, uint8_t value,
                     uint32_t n)
{
    uint8_t data[4096];

    memset(data, value, n);
    return f->flash.write(f, at, data, n);
}

static uint8_t get(struct fleet_flash *f, uint32_t at)
{
    uint8_t value = 0;

    assert_int_equal(f->flash.read(f, at, &value, 1), BL_OK);
    return value;
}

static void what_was_written_is_read_across_pages(void **state)
{
    struct fleet_flash f;

    (void)state;
    assert_int_equal(fleet_flash_open(&f, SIZE), 0);
    assert_int_equal(put(&f, 1000, 0x5A, 2048), BL_OK);
    assert_int_equal(get(&f, 999), 0xFF);
    assert_int_equal(get(&f, 1000), 0x5A);
    assert_int_equal(get(&f, 3047), 0x5A);
    assert_int_equal(get(&f, 3048), 0xFF);
    assert_int_equal(f.flash.erase(&f, 2048, 2048), BL_OK);
    assert_int_equal(get(&f, 2047), 0x5A);
    assert_int_equal(get(&f, 2048), 0xFF);
    assert_null(f.breach);
    fleet_flash_close(&f);
    assert_int_equal(fleet_flash_pages(), 0);
}

static void what_the_contract_forbids_is_refused_and_noted(void **state)
{
    struct fleet_flash f;

    (void)state;
    assert_int_equal(fleet_flash_open(&f, SIZE), 0);
    assert_int_equal(put(&f, 0, 1, 8), BL_OK);
    assert_int_equal(put(&f, 0, 1, 8), BL_FLASH);
    assert_string_equal(f.breach, "write to a unit that is not erased");
    f.breach = NULL;
    assert_int_equal(put(&f, 12, 1, 8), BL_FLASH);
    assert_int_equal(put(&f, 16, 1, 7), BL_FLASH);
    assert_int_equal(put(&f, SIZE - 8, 1, 16), BL_FLASH);
    assert_int_equal(f.flash.erase(&f, 1024, FLEET_ERASE), BL_FLASH);
    assert_non_null(f.breach);
    fleet_flash_close(&f);
}

static void devices_share_pages_until_they_write(void **state)
{
    struct fleet_flash a;
    struct fleet_flash b;

    (void)state;
    assert_int_equal(fleet_flash_open(&a, SIZE), 0);
    assert_int_equal(put(&a, 0, 0x11, 4096), BL_OK);
    assert_int_equal(fleet_flash_clone(&b, &a), 0);
    assert_int_equal(fleet_flash_pages(), 4);
    assert_int_equal(b.flash.erase(&b, 0, FLEET_ERASE), BL_OK);
    assert_int_equal(put(&b, 8, 0x22, 8), BL_OK);
    assert_int_equal(fleet_flash_pages(), 5);
    assert_int_equal(get(&a, 8), 0x11);
    assert_int_equal(get(&b, 8), 0x22);
    assert_int_equal(get(&b, 2048), 0x11);
    fleet_flash_close(&a);
    assert_int_equal(get(&b, 2048), 0x11);
    fleet_flash_close(&b);
    assert_int_equal(fleet_flash_pages(), 0);
}

/* For each kind: what the units of a write of 64 x 0x33 may hold after it. */
static void a_cut_leaves_what_its_kind_says(void **state)
{
    (void)state;
    for (int kind = 0; kind < SIM_CUTS; kind++) {
        struct fleet_flash f;
        uint32_t whole = 0;

        assert_int_equal(fleet_flash_open(&f, SIZE), 0);
        f.seed = 99;
        fleet_flash_cut_in(&f, 2, (enum sim_cut)kind);
        assert_int_equal(put(&f, 0, 0x33, 64), BL_OK);
        assert_int_equal(put(&f, 64, 0x33, 64), BL_FLASH);
        assert_true(f.dead);
        assert_int_equal(put(&f, 256, 0x33, 8), BL_FLASH);
        fleet_flash_power_on(&f);
        while (whole < 8 && get(&f, 64 + 8 * whole) == 0x33) {
            whole++;
        }
        assert_int_equal(get(&f, 0), 0x33);
        if (kind == SIM_CUT_COMPLETE) {
            assert_int_equal(whole, 8);
        } else {
            assert_true(whole < 8);
            assert_true(kind != SIM_CUT_ABSENT || whole == 0);
            assert_true(kind == SIM_CUT_PARTIAL ||
                        get(&f, 64 + 8 * whole) == 0xFF);
            assert_int_equal(get(&f, 127), 0xFF);
        }
        assert_null(f.breach);
        fleet_flash_close(&f);
    }
}

static void a_faint_unit_takes_a_write_and_holds_something_else(void **state)
{
    struct fleet_flash f;
    uint32_t unit = 0;

    (void)state;
    assert_int_equal(fleet_flash_open(&f, SIZE), 0);
    fleet_flash_cut_in(&f, 1, SIM_CUT_FAINT);
    assert_int_equal(put(&f, 0, 0x33, 64), BL_FLASH);
    fleet_flash_power_on(&f);
    while (get(&f, unit) == 0x33) {
        unit += 8;
    }
    assert_int_equal(put(&f, unit, 0x44, 8), BL_OK);
    assert_int_not_equal(get(&f, unit), 0x44);
    assert_int_equal(f.flash.erase(&f, 0, FLEET_ERASE), BL_OK);
    assert_int_equal(put(&f, unit, 0x44, 8), BL_OK);
    assert_int_equal(get(&f, unit), 0x44);
    fleet_flash_close(&f);
}

static void a_chip_that_was_kept_is_the_same(void **state)
{
    struct fleet_flash a;
    struct fleet_flash b;

    (void)state;
    assert_int_equal(fleet_flash_open(&a, SIZE), 0);
    assert_int_equal(fleet_flash_open(&b, SIZE), 0);
    assert_int_equal(put(&a, 2048, 0x66, 1500 / 8 * 8), BL_OK);
    for (uint32_t i = 0; i < fleet_flash_n_pages(&a); i++) {
        const uint8_t *page = fleet_flash_page(&a, i);

        assert_true((page != NULL) == (i == 2 || i == 3));
        if (page != NULL) {
            assert_int_equal(fleet_flash_set_page(&b, i, page), 0);
        }
    }
    assert_int_equal(get(&b, 3000), 0x66);
    assert_int_equal(put(&b, 2048, 0, 8), BL_FLASH);
    fleet_flash_close(&a);
    fleet_flash_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_across_pages),
        cmocka_unit_test(what_the_contract_forbids_is_refused_and_noted),
        cmocka_unit_test(devices_share_pages_until_they_write),
        cmocka_unit_test(a_cut_leaves_what_its_kind_says),
        cmocka_unit_test(a_faint_unit_takes_a_write_and_holds_something_else),
        cmocka_unit_test(a_chip_that_was_kept_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
