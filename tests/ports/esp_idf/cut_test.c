/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the power at every flash operation of an update, in every way a cut
 * can go, the bootloader's operations among them; and for each of these once
 * more during what follows, at a place that is drawn. After it the device
 * must boot each time, and come to the end that the uncut run came to. A good
 * image must not be returned because of a cut.
 */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "rig.h"

static struct sim_fixture fixture;
static struct sim_flash start; /* provisioned, before the update */
static struct sim_server server;

static int setup(void **state)
{
    struct sim_geometry geometry = {CHIP_SIZE, BL_ESP_FLASH_SECTOR, 4, 0xFF};

    (void)state;
    if (rig_open(&fixture) != 0 || sim_flash_open(&start, &geometry) != 0) {
        return -1;
    }
    rig_factory();
    if (rig_run() != CHIP_QUIET || rig_confirmed() != SIM_R1) {
        return -1;
    }
    sim_flash_copy(&start, &chip.flash);
    server = chip.server;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sim_flash_close(&start);
    rig_close();
    return 0;
}

static void begin(enum sim_release_name wanted)
{
    sim_flash_copy(&chip.flash, &start);
    sim_flash_power_on(&chip.flash);
    chip.server = server;
    chip.server.wanted = wanted;
    chip.yields = true;
    memset(chip.posted, 0, sizeof chip.posted);
    memset(rig.boots, 0, sizeof rig.boots);
}

static void fail_at(uint64_t k, enum sim_cut kind, uint64_t k2,
                    const char *what)
{
    fail_msg("cut at operation %llu (%s), then %llu: %s",
             (unsigned long long)k, sim_cut_name(kind), (unsigned long long)k2,
             what);
}

/* Goes on until nothing is cut any more. */
static void recover(uint64_t k, enum sim_cut kind, uint64_t k2,
                    enum sim_release_name expected)
{
    enum chip_end end;

    sim_flash_power_on(&chip.flash);
    if (k2 != 0) {
        sim_flash_cut_in(&chip.flash, k2,
                         (enum sim_cut)((kind + k2) % SIM_CUTS));
        (void)rig_run();
        sim_flash_power_on(&chip.flash);
    }
    end = rig_run();
    if (rig.dead) {
        fail_at(k, kind, k2, "nothing boots");
    }
    if (end != CHIP_QUIET) {
        fail_at(k, kind, k2, "it does not come to rest");
    }
    if (rig_confirmed() != expected) {
        fail_at(k, kind, k2, "another image runs in the end");
    }
    if (chip.flash.breach != NULL) {
        fail_at(k, kind, k2, chip.flash.breach);
    }
    if (expected != SIM_R1 && chip.posted[BOWLINE_EVENT_RETURNED] > 0) {
        fail_at(k, kind, k2, "a good image was returned");
    }
}

static void cut_everywhere(enum sim_release_name wanted,
                           enum sim_release_name expected, bool twice)
{
    uint64_t before;
    uint64_t ops;

    begin(wanted);
    before = chip.flash.ops;
    recover(0, SIM_CUT_ABSENT, 0, expected);
    ops = chip.flash.ops - before;
    assert_true(ops > 30);
    for (uint64_t k = 1; k <= ops; k++) {
        for (int kind = 0; kind < SIM_CUTS; kind++) {
            const char *only = getenv("ESP_IDF_CUT"); /* "24/0", to replay */
            char id[32];
            uint64_t k2 = twice ? 1 + (k * 7 + (uint64_t)kind * 13) % 40 : 0;

            (void)snprintf(id, sizeof id, "%llu/%d", (unsigned long long)k,
                           kind);
            if (only != NULL && strcmp(only, id) != 0) {
                continue;
            }
            begin(wanted);
            chip.flash.seed = (uint32_t)k;
            sim_flash_cut_in(&chip.flash, k, (enum sim_cut)kind);
            if (rig_run() != CHIP_CUT) {
                continue; /* this run took fewer operations */
            }
            recover(k, (enum sim_cut)kind, k2, expected);
        }
    }
    print_message("%llu operations, %d ways each\n", (unsigned long long)ops,
                  (int)SIM_CUTS);
}

static void a_good_update_gets_there_whenever_it_is_cut(void **state)
{
    (void)state;
    cut_everywhere(SIM_R2, SIM_R2, false);
}

static void and_when_it_is_cut_twice(void **state)
{
    (void)state;
    cut_everywhere(SIM_R2, SIM_R2, true);
}

static void a_crashing_one_goes_back_whenever_it_is_cut(void **state)
{
    (void)state;
    cut_everywhere(SIM_R_CRASHES, SIM_R1, false);
}

static void an_unhealthy_one_goes_back_whenever_it_is_cut(void **state)
{
    (void)state;
    cut_everywhere(SIM_R_UNHEALTHY, SIM_R1, false);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ONE(a_good_update_gets_there_whenever_it_is_cut),
        ONE(and_when_it_is_cut_twice),
        ONE(a_crashing_one_goes_back_whenever_it_is_cut),
        ONE(an_unhealthy_one_goes_back_whenever_it_is_cut),
    };
#undef ONE
    struct error err = {0};
    int failed;

    if (sim_fixture_open_p256(&fixture, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sim_fixture_close(&fixture);
    return failed;
}
