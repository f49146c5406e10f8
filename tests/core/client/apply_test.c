/* SPDX-License-Identifier: Apache-2.0 */
/* A release whose manifest has patches of its own. */
#include "patches.h"
#include "rig.h"

#include <stdio.h>

/* Installs, restarts and confirms. */
static void update(struct rig *rig, enum sim_release_name wanted)
{
    const struct sim_release *r = &fixture.release[wanted];

    rig->server.wanted = wanted;
    bl_client_poke(rig->client);
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    rig_reboot(rig);
    for (int i = 0; i < 9 && rig->client->state.trial != BL_SLOT_NONE; i++) {
        (void)rig_run(rig);
        rig->now_ms += 11000;
    }
    assert_int_equal(rig->client->state.trial, BL_SLOT_NONE);
    assert_memory_equal(rig->client->running, r->manifest, 32);
    assert_memory_equal(rig->client->image_digest, r->app_sha256, 32);
}

static void open_on(struct rig *rig, enum sim_release_name running)
{
    rig->config.delta = &bl_delta_engine;
    rig_start(rig);
    if (running != SIM_R1) {
        update(rig, running);
    }
}

static bool stage_has_patch(const struct rig *rig)
{
    const struct buffer *patch = &fixture.release[SIM_R_PATCHED].patch;

    assert_true(patch->n > 64);
    return memcmp(rig->device.flash.bytes +
                      rig->device.component[3].area[0].offset,
                  patch->p, patch->n) == 0;
}

static void assert_refused(struct rig *rig, bl_status why)
{
    bl_status code = BL_OK;

    rig->server.wanted = SIM_R_PATCHED;
    bl_client_poke(rig->client);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, why);
    assert_int_equal(rig->client->state.trial, BL_SLOT_NONE);
}

static void device_that_runs_the_base_takes_the_patch(void **state)
{
    struct rig *rig = *state;

    open_on(rig, SIM_R2);
    update(rig, SIM_R_PATCHED);
    assert_true(stage_has_patch(rig));
}

static void device_that_runs_another_takes_the_image(void **state)
{
    struct rig *rig = *state;

    open_on(rig, SIM_R1);
    update(rig, SIM_R_PATCHED);
    assert_false(stage_has_patch(rig));
}

static void device_without_a_decoder_refuses_before_anything(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    assert_refused(rig, BL_DELTA);
    assert_int_equal(rig_events(rig, BL_STATE_DOWNLOADING, &code), 0);
    assert_int_equal(rig->client->state.slot[BL_SLOT_B].status, BL_SLOT_EMPTY);
}

static void patch_that_wants_more_memory_ends_it(void **state)
{
    struct rig *rig = *state;

    open_on(rig, SIM_R2);
    rig->config.delta_memory_size = 2048;
    rig_reboot(rig);
    assert_refused(rig, BL_DELTA_RAM);
    assert_memory_equal(rig->client->running, fixture.release[SIM_R2].manifest,
                        32);
}

/* The image there was built by firmware that had a decoder. */
static void installed_release_needs_no_decoder_to_go_back_to(void **state)
{
    struct rig *rig = *state;

    open_on(rig, SIM_R2);
    update(rig, SIM_R_PATCHED);
    rig->server.permit = true;
    update(rig, SIM_R2);
    rig->config.delta = NULL;
    rig_reboot(rig);
    update(rig, SIM_R_PATCHED);
}

static int group_setup(void **state)
{
    struct error err = {0};

    if (rig_group_setup(state) != 0) {
        return -1;
    }
    if (sim_patch_release(&fixture, &err) != 0) {
        printf("%s\n", err.text);
        return -1;
    }
    return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(device_that_runs_the_base_takes_the_patch),
        TEST(device_that_runs_another_takes_the_image),
        TEST(device_without_a_decoder_refuses_before_anything),
        TEST(patch_that_wants_more_memory_ends_it),
        TEST(installed_release_needs_no_decoder_to_go_back_to),
    };

    return cmocka_run_group_tests(tests, group_setup, rig_group_teardown);
}
