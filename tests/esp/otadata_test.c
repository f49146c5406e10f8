/* SPDX-License-Identifier: Apache-2.0 */
/* The table of docs/ESP32.md, and what esp_ota_ops writes. */
#include <stdlib.h>
#include <string.h>

#include "otadata_rig.h"
#include "support/cmocka_all.h"

static struct rig rig;

static int two_slots(void **unused)
{
    (void)unused;
    rig_open(&rig, 2, true);
    rig.ota.options.rollback = true;
    rig_image(&rig, 0, 0);
    rig_image(&rig, 1, 0);
    rig_image(&rig, BL_ESP_FACTORY, 0);
    return 0;
}

static int two_slots_alone(void **unused)
{
    (void)unused;
    rig_open(&rig, 2, false);
    rig.ota.options.rollback = true;
    rig_image(&rig, 0, 0);
    rig_image(&rig, 1, 0);
    return 0;
}

static int with_floor(void **unused)
{
    (void)two_slots_alone(unused);
    rig.ota.options.anti_rollback = true;
    return 0;
}

static int leave(void **unused)
{
    (void)unused;
    assert_null(rig.sim.breach);
    rig_close(&rig);
    return 0;
}

static void put(int i, uint32_t number, uint32_t state)
{
    struct bl_esp_ota_record r = rig_made(number, state);

    rig_record(&rig, i, &r);
}

static void is(int i, uint32_t number, uint32_t state)
{
    struct bl_esp_ota_record r[2];

    assert_int_equal(bl_esp_ota_read(&rig.ota, r), BL_OK);
    assert_int_equal(r[i].number, number);
    assert_int_equal(r[i].state, state);
    if (number != BL_ESP_OTA_BLANK) {
        assert_int_equal(r[i].crc, bl_esp_ota_crc(number));
    }
}

static int boot(void)
{
    int index = BL_ESP_NOTHING;

    assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_OK);
    return index;
}

/* --- Records ------------------------------------------------------------- */

static void crcs_are_those_of_boot_app0_bin(void **unused)
{
    (void)unused;
    assert_int_equal(bl_esp_ota_crc(1), 0x4743989A);
    assert_int_equal(bl_esp_ota_crc(2), 0x55F63774);
}

static void next_number_is_the_lowest_that_names_the_slot(void **unused)
{
    uint32_t next = 0;

    (void)unused;
    for (uint32_t n = 1; n <= 16; n++) {
        for (uint32_t from = 0; from < 60; from++) {
            for (uint32_t slot = 0; slot < n; slot++) {
                struct bl_esp_ota_record r;
                uint32_t lower;

                assert_int_equal(bl_esp_ota_number(from, slot, n, &next),
                                 BL_OK);
                r.number = next;
                assert_true(next >= from && next - from <= n);
                /* number 0 names the slot of 2^32, which ESP-IDF's sum
                 * does not see */
                if (next != 0) {
                    assert_int_equal(bl_esp_ota_slot(&r, n), slot);
                }
                for (lower = from; lower < next; lower++) {
                    r.number = lower;
                    assert_true(lower == 0 || bl_esp_ota_slot(&r, n) != slot);
                }
            }
        }
    }
    assert_int_equal(bl_esp_ota_number(0xFFFFFFFE, 0, 2, &next), BL_NO_SPACE);
    assert_int_equal(bl_esp_ota_number(1, 2, 2, &next), BL_ARGUMENT);
    assert_int_equal(bl_esp_ota_number(1, 0, 0, &next), BL_ARGUMENT);
}

static void states_have_names(void **unused)
{
    (void)unused;
    assert_string_equal(bl_esp_ota_state_name(BL_ESP_OTA_NEW), "new");
    assert_string_equal(bl_esp_ota_state_name(BL_ESP_OTA_ABORTED), "aborted");
    assert_string_equal(bl_esp_ota_state_name(BL_ESP_OTA_UNDEFINED),
                        "undefined");
    assert_string_equal(bl_esp_ota_state_name(5), "unknown");
}

/* --- The bootloader ------------------------------------------------------ */

static void blank_otadata_boots_the_factory_application(void **unused)
{
    (void)unused;
    assert_int_equal(boot(), BL_ESP_FACTORY);
    is(0, BL_ESP_OTA_BLANK, 0xFFFFFFFF);
}

static void without_factory_the_first_start_is_written_down(void **unused)
{
    (void)unused;
    assert_int_equal(boot(), 0);
    is(0, 1, BL_ESP_OTA_VALID);
    is(1, BL_ESP_OTA_BLANK, 0xFFFFFFFF);
}

static void new_image_gets_one_start_and_is_given_up(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_NEW);
    assert_int_equal(boot(), 1);
    is(1, 2, BL_ESP_OTA_PENDING);
    assert_int_equal(boot(), 0);
    is(1, 2, BL_ESP_OTA_ABORTED);
    assert_int_equal(boot(), 0);
}

static void slot_that_no_longer_verifies_is_stepped_over(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_VALID);
    rig_no_image(&rig, 1);
    assert_int_equal(boot(), 0);
    is(1, 2, BL_ESP_OTA_VALID); /* otadata does not learn of it */
    rig_no_image(&rig, 0);
    assert_int_equal(boot(), BL_ESP_FACTORY);
    rig_image(&rig, 1, 0);
    rig_no_image(&rig, BL_ESP_FACTORY);
    put(1, BL_ESP_OTA_BLANK, BL_ESP_OTA_UNDEFINED);
    assert_int_equal(boot(), 1); /* down from slot 0, then up */
}

static void nothing_whole_is_no_image(void **unused)
{
    int index = 7;

    (void)unused;
    rig_no_image(&rig, 0);
    rig_no_image(&rig, 1);
    rig_no_image(&rig, BL_ESP_FACTORY);
    assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_NO_IMAGE);
    assert_int_equal(index, 7);
}

static void hostile_tables_end_in_no_image_not_in_a_crash(void **unused)
{
    int index = 7;

    (void)unused;
    rig.slots.n_ota = 0;
    memset(rig.slots.ota, 0, sizeof rig.slots.ota);
    put(0, 1, BL_ESP_OTA_VALID);
    assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_NO_IMAGE);
    rig.ota.options.anti_rollback = true;
    assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_NO_IMAGE);
    rig.slots.n_ota = 95; /* rows of one number, all over again */
    assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_NO_IMAGE);
    rig.slots.otadata.size = BL_ESP_FLASH_SECTOR;
    assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_NO_IMAGE);
}

static void versions_below_the_fuse_are_not_booted(void **unused)
{
    (void)unused;
    rig_image(&rig, 0, 1);
    rig_image(&rig, 1, 2);
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_VALID);
    assert_int_equal(boot(), 1);
    assert_int_equal(rig.efuse, 2); /* it was confirmed: the fuse follows */
    rig_no_image(&rig, 1);
    {
        int index;

        assert_int_equal(bl_esp_boot_run(&rig.ota, &index), BL_NO_IMAGE);
    }
}

/* --- The application ----------------------------------------------------- */

static void update_is_written_to_the_other_record(void **unused)
{
    (void)unused;
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 0), BL_OK);
    is(0, 1, BL_ESP_OTA_NEW);
    assert_int_equal(boot(), 0);
    assert_int_equal(bl_esp_ota_mark_valid(&rig.ota, 0), BL_OK);
    is(0, 1, BL_ESP_OTA_VALID);
    assert_int_equal(bl_esp_ota_begin(&rig.ota, 0, 1), BL_OK);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 1), BL_OK);
    is(0, 1, BL_ESP_OTA_VALID);
    is(1, 2, BL_ESP_OTA_NEW);
    assert_int_equal(boot(), 1);
    assert_int_equal(bl_esp_ota_mark_valid(&rig.ota, 1), BL_OK);
    assert_int_equal(bl_esp_ota_begin(&rig.ota, 1, 0), BL_OK);
    is(0, BL_ESP_OTA_BLANK, 0xFFFFFFFF); /* slot 0 is being written */
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 0), BL_OK);
    is(0, 3, BL_ESP_OTA_NEW);
    is(1, 2, BL_ESP_OTA_VALID);
}

static void without_rollback_the_state_is_undefined(void **unused)
{
    (void)unused;
    rig.ota.options.rollback = false;
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 1), BL_OK);
    is(0, 2, BL_ESP_OTA_UNDEFINED);
    assert_int_equal(boot(), 1);
    is(0, 2, BL_ESP_OTA_UNDEFINED);
}

static void slot_that_counts_already_only_gets_a_new_state(void **unused)
{
    (void)unused;
    put(0, 7, BL_ESP_OTA_VALID);
    put(1, 6, BL_ESP_OTA_VALID);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 0), BL_OK);
    is(0, 7, BL_ESP_OTA_NEW);
    is(1, 6, BL_ESP_OTA_VALID);
}

static void label_of_a_record_stays(void **unused)
{
    struct bl_esp_ota_record r = rig_made(1, BL_ESP_OTA_PENDING);
    struct bl_esp_ota_record read[2];

    (void)unused;
    memcpy(r.label, "a label of somebody", 20);
    rig_record(&rig, 0, &r);
    assert_int_equal(bl_esp_ota_mark_valid(&rig.ota, 0), BL_OK);
    assert_int_equal(bl_esp_ota_read(&rig.ota, read), BL_OK);
    assert_memory_equal(read[0].label, r.label, sizeof r.label);
}

static void factory_is_chosen_by_erasing(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_VALID);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, BL_ESP_FACTORY), BL_OK);
    is(0, BL_ESP_OTA_BLANK, 0xFFFFFFFF);
    is(1, BL_ESP_OTA_BLANK, 0xFFFFFFFF);
    assert_int_equal(boot(), BL_ESP_FACTORY);
}

static void slot_without_a_whole_image_is_not_chosen(void **unused)
{
    uint64_t ops;

    (void)unused;
    rig_no_image(&rig, 1);
    ops = rig.sim.ops;
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 1), BL_SLOT_CORRUPT);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 2), BL_ARGUMENT);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, BL_ESP_TEST), BL_ARGUMENT);
    assert_int_equal(rig.sim.ops, ops); /* nothing was written */
}

static void no_update_begins_before_the_running_one_is_confirmed(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_NEW);
    assert_int_equal(boot(), 1);
    assert_int_equal(bl_esp_ota_begin(&rig.ota, 1, 0), BL_BUSY);
    assert_int_equal(bl_esp_ota_mark_valid(&rig.ota, 1), BL_OK);
    assert_int_equal(bl_esp_ota_begin(&rig.ota, 1, 1), BL_ARGUMENT);
    assert_int_equal(bl_esp_ota_begin(&rig.ota, 1, 0), BL_OK);
}

static void application_gives_up_and_the_old_one_boots(void **unused)
{
    int index = BL_ESP_NOTHING;

    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_NEW);
    assert_int_equal(boot(), 1);
    assert_true(bl_esp_ota_can_return(&rig.ota));
    assert_int_equal(bl_esp_ota_mark_invalid(&rig.ota), BL_OK);
    is(1, 2, BL_ESP_OTA_INVALID);
    assert_int_equal(boot(), 0);
    assert_int_equal(bl_esp_ota_last_invalid(&rig.ota, &index), BL_OK);
    assert_int_equal(index, 1);
}

static void nobody_gives_up_who_cannot_go_back(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    assert_false(bl_esp_ota_can_return(&rig.ota));
    assert_int_equal(bl_esp_ota_mark_invalid(&rig.ota), BL_NO_IMAGE);
    is(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_VALID);
    rig_no_image(&rig, 0);
    assert_int_equal(bl_esp_ota_mark_invalid(&rig.ota), BL_NO_IMAGE);
}

static void factory_application_has_no_record_to_mark(void **unused)
{
    int index = BL_ESP_NOTHING;

    (void)unused;
    assert_int_equal(bl_esp_ota_mark_valid(&rig.ota, BL_ESP_FACTORY), BL_BUSY);
    assert_int_equal(bl_esp_ota_mark_invalid(&rig.ota), BL_BUSY);
    assert_int_equal(bl_esp_ota_set_state(&rig.ota, BL_ESP_OTA_NEW), BL_BUSY);
    assert_int_equal(bl_esp_ota_get_boot(&rig.ota, &index), BL_OK);
    assert_int_equal(index, BL_ESP_FACTORY);
    assert_int_equal(bl_esp_ota_next(&rig.ota, BL_ESP_FACTORY, &index), BL_OK);
    assert_int_equal(index, 0);
    assert_int_equal(bl_esp_ota_next(&rig.ota, 0, &index), BL_OK);
    assert_int_equal(index, 1);
    assert_int_equal(bl_esp_ota_next(&rig.ota, 1, &index), BL_OK);
    assert_int_equal(index, 0);
}

static void state_is_that_of_the_record_that_names_the_slot(void **unused)
{
    struct bl_esp_ota_record blank = rig_blank();
    uint32_t state = 77;

    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_NEW);
    assert_int_equal(bl_esp_ota_state(&rig.ota, 1, &state), BL_OK);
    assert_int_equal(state, BL_ESP_OTA_NEW);
    assert_int_equal(bl_esp_ota_state(&rig.ota, 0, &state), BL_OK);
    assert_int_equal(state, BL_ESP_OTA_VALID);
    rig_record(&rig, 1, &blank);
    state = 77;
    put(0, 2, BL_ESP_OTA_VALID);
    assert_int_equal(bl_esp_ota_state(&rig.ota, 0, &state), BL_STATE_NONE);
    assert_int_equal(state, 77);
    assert_int_equal(bl_esp_ota_state(&rig.ota, BL_ESP_FACTORY, &state),
                     BL_ARGUMENT);
}

static void rearmed_trial_gets_another_start(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    put(1, 2, BL_ESP_OTA_NEW);
    for (int tries = 0; tries < 3; tries++) {
        assert_int_equal(boot(), 1);
        is(1, 2, BL_ESP_OTA_PENDING);
        assert_int_equal(bl_esp_ota_set_state(&rig.ota, BL_ESP_OTA_NEW),
                         BL_OK);
    }
    assert_int_equal(boot(), 1);
    assert_int_equal(boot(), 0);
}

static void image_below_the_fuse_is_erased_not_chosen(void **unused)
{
    (void)unused;
    rig.efuse = 3;
    rig_image(&rig, 0, 3);
    rig_image(&rig, 1, 2);
    put(0, 1, BL_ESP_OTA_VALID);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 1), BL_SEQUENCE_LOW);
    assert_false(rig.ota.whole(&rig, bl_esp_slot(&rig.slots, 1)));
    assert_int_equal(boot(), 0);
}

static void fuse_is_raised_when_the_application_says_it_works(void **unused)
{
    (void)unused;
    put(0, 1, BL_ESP_OTA_VALID);
    rig_image(&rig, 1, 4);
    assert_int_equal(bl_esp_ota_set_boot(&rig.ota, 1), BL_OK);
    assert_int_equal(boot(), 1);
    assert_int_equal(rig.efuse, 0);
    assert_int_equal(bl_esp_ota_mark_valid(&rig.ota, 1), BL_OK);
    assert_int_equal(rig.efuse, 4);
    assert_false(bl_esp_ota_can_return(&rig.ota)); /* slot 0 is below it */
}

#define WITH(test, set_up) cmocka_unit_test_setup_teardown(test, set_up, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crcs_are_those_of_boot_app0_bin),
        cmocka_unit_test(next_number_is_the_lowest_that_names_the_slot),
        cmocka_unit_test(states_have_names),
        WITH(blank_otadata_boots_the_factory_application, two_slots),
        WITH(without_factory_the_first_start_is_written_down, two_slots_alone),
        WITH(new_image_gets_one_start_and_is_given_up, two_slots),
        WITH(slot_that_no_longer_verifies_is_stepped_over, two_slots),
        WITH(nothing_whole_is_no_image, two_slots),
        WITH(hostile_tables_end_in_no_image_not_in_a_crash, two_slots_alone),
        WITH(versions_below_the_fuse_are_not_booted, with_floor),
        WITH(update_is_written_to_the_other_record, two_slots),
        WITH(without_rollback_the_state_is_undefined, two_slots),
        WITH(slot_that_counts_already_only_gets_a_new_state, two_slots),
        WITH(label_of_a_record_stays, two_slots),
        WITH(factory_is_chosen_by_erasing, two_slots),
        WITH(slot_without_a_whole_image_is_not_chosen, two_slots),
        WITH(no_update_begins_before_the_running_one_is_confirmed, two_slots),
        WITH(application_gives_up_and_the_old_one_boots, two_slots),
        WITH(nobody_gives_up_who_cannot_go_back, two_slots_alone),
        WITH(factory_application_has_no_record_to_mark, two_slots),
        WITH(state_is_that_of_the_record_that_names_the_slot, two_slots),
        WITH(rearmed_trial_gets_another_start, two_slots),
        WITH(image_below_the_fuse_is_erased_not_chosen, with_floor),
        WITH(fuse_is_raised_when_the_application_says_it_works, with_floor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
