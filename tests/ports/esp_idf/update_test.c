/* SPDX-License-Identifier: Apache-2.0 */
/* Whole updates of a device that runs the component. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "esp_ota_ops.h"
#include "patches.h"
#include "rig.h"

static struct sim_fixture fixture;
static struct sim_patch patches[SIM_PATCHES];
static int home; /* the slot that runs before the update */

static int setup(void **state)
{
    (void)state;
    return rig_open(&fixture);
}

static int teardown(void **state)
{
    (void)state;
    rig_close();
    return 0;
}

/* idf.py flashes an image and no manifest: the device fetches its release
 * once, into the other slot. */
static void provision(void)
{
    rig_factory();
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(rig_confirmed(), SIM_R1);
    home = chip.running;
    assert_int_equal(home, 1);
    chip.ranges = 0;
    chip.sent_whole = 0;
    memset(chip.posted, 0, sizeof chip.posted);
    memset(rig.boots, 0, sizeof rig.boots);
}

/* The server wants it; what runs when all is quiet again. */
static enum sim_release_name offer(enum sim_release_name name)
{
    chip.server.wanted = name;
    assert_int_equal(rig_run(), CHIP_QUIET);
    return rig_confirmed();
}

static void stays_on_release_1(void)
{
    uint32_t record;

    assert_int_equal(rig_confirmed(), SIM_R1);
    assert_int_equal(chip.running, home);
    /* What refused the other image is not to be taken for a later one's. */
    assert_int_equal(bl_esp_ota_state(&chip.ota, 1 - home, &record),
                     BL_STATE_NONE);
}

/* --- What goes well ------------------------------------------------------ */

static void a_flashed_device_reports_to_its_server(void **state)
{
    (void)state;
    provision();
    assert_true(chip.server.polls > 0);
    assert_true(chip.server.last.confirmed);
    assert_string_equal(chip.authorization, "Bearer secret");
    assert_string_equal(chip.cert, "the server's certificate");
    assert_int_equal(chip.task_stack, CONFIG_BOWLINE_TASK_STACK);
    assert_int_equal(chip.errors, 0);
}

static void an_update_is_tried_and_confirmed(void **state)
{
    struct bl_state after;

    (void)state;
    provision();
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_int_equal(chip.running, 1 - home);
    assert_int_equal(rig.boots[SIM_R2], 1);
    assert_int_equal(chip.posted[BOWLINE_EVENT_TRIAL], 1);
    assert_int_equal(chip.posted[BOWLINE_EVENT_CONFIRMED], 1);
    assert_int_equal(chip.posted[BOWLINE_EVENT_RETURNED], 0);
    assert_int_equal(chip.posted[BOWLINE_EVENT_RESTART], 1);
    assert_int_equal(rig_state(&after), BL_OK);
    assert_int_equal(after.floor, 2);
    assert_int_equal(chip.errors, 0);
}

static void updates_go_to_and_fro(void **state)
{
    (void)state;
    provision();
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_int_equal(offer(SIM_R3), SIM_R3);
    assert_int_equal(chip.running, home);
    assert_int_equal(offer(SIM_R_FULL), SIM_R_FULL);
    assert_int_equal(chip.running, 1 - home);
}

static void a_broken_transfer_goes_on_where_it_was(void **state)
{
    (void)state;
    provision();
    chip.breaks = 3;
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_true(chip.ranges >= 3);
    assert_true(chip.sent_whole < 2 * SIM_APP_SIZE);
}

static void a_server_without_ranges_is_taken_from_the_start(void **state)
{
    (void)state;
    provision();
    chip.breaks = 1;
    chip.server.no_range = true;
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_int_equal(chip.ranges, 0);
}

static void a_patch_takes_the_place_of_the_image(void **state)
{
    (void)state;
    provision();
    assert_int_equal(offer(SIM_R2), SIM_R2);
    chip.sent_whole = 0;
    chip.server.patch = &patches[SIM_RUNS_PATCH];
    assert_int_equal(offer(SIM_R3), SIM_R3);
    assert_int_equal(chip.sent_whole, 0);
    assert_int_equal(chip.sent_patch, patches[SIM_RUNS_PATCH].bytes.n);
    assert_true(chip.sent_patch < SIM_APP_SIZE / 2);
}

static void encrypted_flash_is_updated_as_well(void **state)
{
    (void)state;
    for (unsigned i = 1; i < chip.n_parts; i++) {
        chip.part[i].encrypted = true;
    }
    provision();
    chip.breaks = 2;
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_int_equal(offer(SIM_R3), SIM_R3);
    assert_null(chip.flash.breach);
}

/* --- What does not ------------------------------------------------------- */

static void a_failed_health_check_brings_the_old_image_back(void **state)
{
    (void)state;
    provision();
    assert_int_equal(offer(SIM_R_UNHEALTHY), SIM_R1);
    stays_on_release_1();
    assert_true(rig.boots[SIM_R_UNHEALTHY] >= 1);
    assert_int_equal(chip.posted[BOWLINE_EVENT_RETURNED],
                     rig.boots[SIM_R_UNHEALTHY]);
    assert_string_equal(chip.last_reason, "health");
}

static void no_confirmation_in_ten_minutes_brings_it_back(void **state)
{
    uint64_t before;

    (void)state;
    provision();
    before = chip.now_us;
    chip.server.wanted = SIM_R_SILENT;
    chip.stop_at_return = true;
    (void)rig_run();
    assert_true(chip.now_us - before > 600ULL * 1000000U);
    assert_true(chip.now_us - before < 900ULL * 1000000U);
    assert_string_equal(chip.last_reason, "confirm-deadline");
    chip.stop_at_return = false;
    chip.server.wanted = SIM_R1;
    assert_int_equal(rig_run(), CHIP_QUIET);
    stays_on_release_1();
}

static void a_crash_behind_the_hook_has_three_tries(void **state)
{
    (void)state;
    provision();
    chip.server.wanted = SIM_R_CRASHES;
    chip.stop_at_return = true;
    (void)rig_run();
    assert_int_equal(rig.boots[SIM_R_CRASHES], 3);
    assert_int_equal(chip.running, home);
    assert_string_equal(chip.last_reason, "boot-tries");
}

static void an_image_that_dies_before_the_hook_has_one(void **state)
{
    (void)state;
    provision();
    rig.dies_early = 1U << SIM_R2;
    chip.server.wanted = SIM_R2;
    chip.stop_at_return = true;
    (void)rig_run();
    assert_int_equal(rig.boots[SIM_R2], 1);
    assert_int_equal(chip.running, home);
    assert_string_equal(chip.last_reason, "boot-tries");
}

static void a_cut_at_the_first_boot_is_no_rollback(void **state)
{
    (void)state;
    provision();
    chip.server.wanted = SIM_R2;
    rig.cut_which = SIM_R2;
    rig.cut_late = 1;
    assert_int_equal(rig_run(), CHIP_CUT);
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(rig_confirmed(), SIM_R2);
    assert_int_equal(rig.boots[SIM_R2], 2);
    assert_int_equal(chip.posted[BOWLINE_EVENT_RETURNED], 0);
}

static void nor_is_one_before_the_hook(void **state)
{
    (void)state;
    provision();
    chip.server.wanted = SIM_R2;
    rig.cut_which = SIM_R2;
    rig.cut_early = 2;
    assert_int_equal(rig_run(), CHIP_CUT);
    assert_int_equal(rig_run(), CHIP_CUT);
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(rig_confirmed(), SIM_R2);
    assert_int_equal(chip.posted[BOWLINE_EVENT_RETURNED], 0);
}

/* It hangs, and somebody pulls the plug, again and again. */
static void but_not_for_ever(void **state)
{
    unsigned cuts = 0;

    (void)state;
    provision();
    chip.server.wanted = SIM_R2;
    rig.cut_which = SIM_R2;
    rig.cut_early = 100;
    chip.stop_at_return = true;
    while (rig_run() == CHIP_CUT) {
        assert_true(++cuts < 10);
    }
    assert_int_equal(chip.running, home);
    assert_int_equal(chip.posted[BOWLINE_EVENT_RETURNED], 1);
    assert_true(rig.boots[SIM_R2] <= 4);
}

/* As the Arduino core does, or an application that knows no better. */
static void an_application_that_confirms_itself_is_still_on_trial(void **state)
{
    (void)state;
    provision();
    rig.marks_valid = 1U << SIM_R_CRASHES;
    chip.server.wanted = SIM_R_CRASHES;
    chip.stop_at_return = true;
    (void)rig_run();
    assert_int_equal(rig.boots[SIM_R_CRASHES], 4); /* the last one counts */
    assert_int_equal(chip.running, home);
}

static void an_image_that_esp_idf_refuses_is_given_up(void **state)
{
    (void)state;
    provision();
    chip.refuse_images = true;
    chip.server.wanted = SIM_R2;
    chip.stop_at_return = true;
    (void)rig_run();
    assert_int_equal(rig.boots[SIM_R2], 0);
    assert_string_equal(chip.last_reason, "slot-corrupt");
}

static void an_image_that_rots_before_its_start_is_given_up(void **state)
{
    (void)state;
    provision();
    chip.server.wanted = SIM_R2;
    chip.rots = true;
    chip.stop_at_return = true;
    (void)rig_run();
    assert_int_equal(rig.boots[SIM_R2], 0);
    assert_string_equal(chip.last_reason, "slot-corrupt");
    assert_int_equal(chip.running, home);
}

/* --- Other ways into the chip -------------------------------------------- */

static void an_image_of_esp_https_ota_is_taken_over_as_a_trial(void **state)
{
    (void)state;
    rig_factory();
    chip_program(1, SIM_R2);
    assert_true(chip_bootloader()); /* writes the first record */
    assert_int_equal(bl_esp_ota_set_boot(&chip.ota, 1), BL_OK);
    chip.server.wanted = SIM_R2;
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(chip.posted[BOWLINE_EVENT_TRIAL] > 0, 1);
    assert_int_equal(chip_image(chip.running), SIM_R2);
}

static void and_goes_back_when_it_crashes(void **state)
{
    (void)state;
    rig_factory();
    chip_program(1, SIM_R_CRASHES);
    assert_true(chip_bootloader());
    assert_int_equal(bl_esp_ota_set_boot(&chip.ota, 1), BL_OK);
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(rig.boots[SIM_R_CRASHES], 3);
    assert_int_equal(rig_confirmed(), SIM_R1);
}

static void an_image_flashed_by_hand_is_not_taken_for_the_release(void **state)
{
    (void)state;
    provision();
    assert_int_equal(offer(SIM_R2), SIM_R2);
    chip_program(1 - home, SIM_R_NEAR);
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_int_equal(chip.running, home); /* fetched anew, to there */
}

/* --- The server ---------------------------------------------------------- */

static void a_lost_server_is_told_once_and_found_again(void **state)
{
    (void)state;
    provision();
    chip.offline = true;
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(chip.posted[BOWLINE_EVENT_SERVER_LOST], 1);
    chip.offline = false;
    chip.refuses = 503;
    chip.retry_after = 7200;
    chip.server.polls = 0;
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(chip.posted[BOWLINE_EVENT_SERVER_LOST], 2);
    assert_in_range(chip.refused, 1, 2); /* in three hours */
    chip.refuses = 0;
    assert_int_equal(offer(SIM_R2), SIM_R2);
}

static void status_and_requests_need_a_task(void **state)
{
    bowline_status_t status;

    (void)state;
    assert_int_equal(bowline_poll(), ESP_ERR_INVALID_STATE);
    assert_int_equal(bowline_get_status(&status), ESP_ERR_INVALID_STATE);
    provision();
    assert_int_equal(offer(SIM_R2), SIM_R2);
    assert_int_equal(bowline_get_status(&status), ESP_OK);
    assert_string_equal(status.state, "idle");
    assert_int_equal(status.slot, 1 - home);
    assert_true(status.reached);
    assert_false(status.trial);
    assert_int_equal(bowline_poll(), ESP_OK);
    assert_int_equal(bowline_get_status(NULL), ESP_ERR_INVALID_ARG);
}

static void an_update_waits_for_consent(void **state)
{
    (void)state;
    provision();
    chip.server.policy.consent = true;
    assert_int_equal(offer(SIM_R2), SIM_R1);
    assert_int_equal(chip.posted[BOWLINE_EVENT_CONSENT], 1);
    chip.agrees = true;
    assert_int_equal(offer(SIM_R2), SIM_R2);
}

static void the_application_may_reject_a_trial(void **state)
{
    (void)state;
    provision();
    chip.rejects = true;
    chip.stop_at_return = true;
    chip.server.wanted = SIM_R_SILENT;
    (void)rig_run();
    assert_string_equal(chip.last_reason, "health");
    chip.rejects = false;
    chip.stop_at_return = false;
    chip.server.wanted = SIM_R1;
    assert_int_equal(rig_run(), CHIP_QUIET);
    stays_on_release_1();
}

/* A root document that is none: nothing is trusted, and it says so. */
static void it_stops_without_a_root_document(void **state)
{
    (void)state;
    rig_factory();
    rig.bad_root = true;
    chip.stop_at_stopped = true;
    assert_int_equal(rig_run(), CHIP_QUIET);
    assert_int_equal(chip.posted[BOWLINE_EVENT_STOPPED], 1);
    assert_int_equal(chip.server.polls, 0);
}

static void what_is_missing_is_named(void **state)
{
    bowline_config_t config = BOWLINE_CONFIG_DEFAULT();

    (void)state;
    assert_int_equal(bowline_start(NULL), ESP_ERR_INVALID_ARG);
    config.server = "http://updates.example.com";
    config.cert_pem = "x";
    config.vendor = "example.com";
    config.product = "simulated";
    assert_int_equal(bowline_start(&config), ESP_ERR_INVALID_ARG);
    config.server = "https://updates.example.com";
    config.cert_pem = NULL;
    assert_int_equal(bowline_start(&config), ESP_ERR_INVALID_ARG);
    config.cert_pem = "x";
    chip.n_parts = 3;
    assert_int_equal(bowline_start(&config), ESP_ERR_NOT_FOUND);
    chip.n_parts = 4;
    assert_int_equal(bowline_start(&config), ESP_OK);
    assert_int_equal(bowline_start(&config), ESP_ERR_INVALID_STATE);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ONE(a_flashed_device_reports_to_its_server),
        ONE(an_update_is_tried_and_confirmed),
        ONE(updates_go_to_and_fro),
        ONE(a_broken_transfer_goes_on_where_it_was),
        ONE(a_server_without_ranges_is_taken_from_the_start),
        ONE(a_patch_takes_the_place_of_the_image),
        ONE(encrypted_flash_is_updated_as_well),
        ONE(a_failed_health_check_brings_the_old_image_back),
        ONE(no_confirmation_in_ten_minutes_brings_it_back),
        ONE(a_crash_behind_the_hook_has_three_tries),
        ONE(an_image_that_dies_before_the_hook_has_one),
        ONE(a_cut_at_the_first_boot_is_no_rollback),
        ONE(nor_is_one_before_the_hook),
        ONE(but_not_for_ever),
        ONE(an_application_that_confirms_itself_is_still_on_trial),
        ONE(an_image_that_esp_idf_refuses_is_given_up),
        ONE(an_image_that_rots_before_its_start_is_given_up),
        ONE(an_image_of_esp_https_ota_is_taken_over_as_a_trial),
        ONE(and_goes_back_when_it_crashes),
        ONE(an_image_flashed_by_hand_is_not_taken_for_the_release),
        ONE(a_lost_server_is_told_once_and_found_again),
        ONE(status_and_requests_need_a_task),
        ONE(an_update_waits_for_consent),
        ONE(the_application_may_reject_a_trial),
        ONE(it_stops_without_a_root_document),
        ONE(what_is_missing_is_named),
    };
#undef ONE
    struct error err = {0};
    int failed;

    if (sim_fixture_open_p256(&fixture, &err) != 0 ||
        sim_patches_open(&fixture, patches, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sim_patches_close(patches);
    sim_fixture_close(&fixture);
    return failed;
}
