/* SPDX-License-Identifier: Apache-2.0 */
/* A release that is pushed: installed as one that was offered, without a
 * ticket; judged as strictly. */
#include "rig.h"

static bl_status push(struct rig *rig, enum sim_release_name name)
{
    return bl_client_push(rig->client, rig->now_ms,
                          buffer_span(&fixture.release[name].envelope));
}

/* What a port does behind bl_client_push: no server is there. */
static bl_todo serve(struct rig *rig, enum sim_release_name name)
{
    const struct sim_release *release = &fixture.release[name];

    for (int i = 0; i < 20; i++) {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        if (rig->action.todo == BL_TODO_POLL) {
            bl_client_unreachable(rig->client, rig->now_ms);
        } else if (rig->action.todo == BL_TODO_GET) {
            assert_memory_equal(rig->action.etag, release->app_sha256, 32);
            rig_serve(rig, rig->action.offset > 0 ? 206 : 200,
                      rig->action.offset,
                      bl_span_of(release->app + rig->action.offset,
                                 SIM_APP_SIZE - rig->action.offset),
                      true);
        } else {
            break;
        }
    }
    return rig->action.todo;
}

static void assert_untouched(struct rig *rig)
{
    struct bl_state stored;

    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.active, BL_SLOT_A);
    assert_int_equal(stored.trial, BL_SLOT_NONE);
    assert_int_equal(stored.slot[BL_SLOT_A].status, BL_SLOT_CONFIRMED);
    assert_int_equal(stored.slot[BL_SLOT_B].status, BL_SLOT_EMPTY);
    assert_int_equal(stored.floor, 1);
}

static void refused(struct rig *rig, enum sim_release_name name, bl_status why)
{
    rig_start(rig);
    assert_int_equal(push(rig, name), why);
    assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
    assert_int_not_equal(serve(rig, name), BL_TODO_GET);
    assert_untouched(rig);
}

static void a_pushed_release_is_tried_and_confirmed(void **state)
{
    struct rig *rig = *state;
    struct bl_state stored;

    rig_start(rig);
    assert_ok(push(rig, SIM_R2));
    assert_int_equal(serve(rig, SIM_R2), BL_TODO_RESET);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.trial, BL_SLOT_B);
    assert_int_equal(stored.active, BL_SLOT_A);
    rig_reboot(rig);
    rig->server.wanted = SIM_R2;
    (void)rig_run(rig);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.active, BL_SLOT_B);
    assert_int_equal(stored.slot[BL_SLOT_B].status, BL_SLOT_CONFIRMED);
    assert_int_equal(stored.floor, fixture.release[SIM_R2].sequence);
}

static void a_stranger_s_release_is_refused(void **state)
{
    refused(*state, SIM_R_STRANGER, BL_SIGNATURE);
}

static void another_product_s_release_is_refused(void **state)
{
    refused(*state, SIM_R_OTHER_CLASS, BL_CLASS);
}

static void an_older_release_is_refused(void **state)
{
    struct rig *rig = *state;
    struct bl_state state_;

    assert_ok(bl_state_load(&rig->device.layout, &state_));
    state_.floor = fixture.release[SIM_R3].sequence;
    assert_ok(bl_state_save(&rig->device.layout, &state_));
    rig_start(rig);
    assert_int_equal(push(rig, SIM_R2), BL_SEQUENCE_LOW);
    assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
}

static void what_is_no_envelope_is_refused(void **state)
{
    struct rig *rig = *state;
    uint8_t large[20000] = {0xD8, 0x6B};

    rig_start(rig);
    assert_int_equal(bl_client_push(rig->client, rig->now_ms,
                                    bl_span_of("\xE9\x04\x02\x20", 4)),
                     BL_ENVELOPE);
    assert_int_equal(bl_client_push(rig->client, rig->now_ms,
                                    bl_span_of(large, sizeof large)),
                     BL_TOO_LARGE);
    assert_untouched(rig);
}

static void nothing_is_taken_when_it_is_not_the_time(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(push(rig, SIM_R1), BL_BUSY); /* it runs that one */
    rig->wait = BL_WAIT_BATTERY;
    assert_int_equal(push(rig, SIM_R2), BL_BUSY);
    rig->wait = BL_WAIT_NONE;
    assert_untouched(rig);
    assert_ok(push(rig, SIM_R2));
    assert_int_equal(push(rig, SIM_R3), BL_BUSY); /* one at a time */
    assert_int_equal(serve(rig, SIM_R2), BL_TODO_RESET);
    rig_reboot(rig);
    assert_int_equal(push(rig, SIM_R3), BL_BUSY); /* on trial */
}

static void a_push_that_breaks_off_leaves_the_old_slot(void **state)
{
    struct rig *rig = *state;
    const struct sim_release *release = &fixture.release[SIM_R2];
    struct bl_boot_config boot;
    struct bl_boot_result result;

    rig_start(rig);
    assert_ok(push(rig, SIM_R2));
    do {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
    } while (rig->action.todo == BL_TODO_POLL);
    assert_int_equal(rig->action.todo, BL_TODO_GET);
    rig_serve(rig, 200, 0, bl_span_of(release->app, 5000), false);
    assert_int_equal(rig->client->device_state, BL_STATE_FAILED);
    sim_device_boot(&rig->device, rig->config.crypto, BL_RESET_POWER, &boot);
    assert_ok(bl_boot_run(&boot, &result));
    assert_int_equal(result.slot, BL_SLOT_A);
    assert_false(result.trial);
}

/* --- Developer mode -------------------------------------------------------
 */

static void developer_mode_takes_what_is_pushed_and_boots_it(void **state)
{
    struct rig *rig = *state;
    struct bl_state stored;

    rig->config.developer = &bl_client_developer;
    rig_start(rig);
    assert_ok(push(rig, SIM_R_STRANGER));
    assert_int_equal(serve(rig, SIM_R_STRANGER), BL_TODO_RESET);
    rig_reboot(rig);
    assert_int_equal(rig->client->slot, BL_SLOT_B);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.trial, BL_SLOT_B);
    assert_int_equal(stored.slot[BL_SLOT_B].root_version, 0);
}

static void developer_mode_does_not_believe_a_server(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig->config.developer = &bl_client_developer;
    rig->server.wanted = SIM_R_STRANGER;
    rig_start(rig);
    assert_int_not_equal(rig_run(rig), BL_TODO_RESET);
    assert_true(rig_events(rig, BL_STATE_REFUSED, &code) > 0);
    assert_int_equal(code, BL_SIGNATURE);
    assert_untouched(rig);
}

static void developer_mode_still_refuses_another_product_s(void **state)
{
    struct rig *rig = *state;

    rig->config.developer = &bl_client_developer;
    refused(rig, SIM_R_OTHER_CLASS, BL_CLASS);
}

static void
developer_mode_wants_the_manifest_that_the_digest_names(void **state)
{
    struct rig *rig = *state;
    struct buffer envelope = BUFFER(SIM_ENVELOPE_MAX);
    const struct buffer *good = &fixture.release[SIM_R2].envelope;

    assert_int_equal(buffer_append(&envelope, good->p, good->n, NULL), 0);
    envelope.p[envelope.n - 1] ^= 1;
    rig->config.developer = &bl_client_developer;
    rig_start(rig);
    assert_int_equal(
        bl_client_push(rig->client, rig->now_ms, buffer_span(&envelope)),
        BL_MANIFEST_DIGEST);
    buffer_free(&envelope);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pushed_release_is_tried_and_confirmed),
        TEST(a_stranger_s_release_is_refused),
        TEST(another_product_s_release_is_refused),
        TEST(an_older_release_is_refused),
        TEST(what_is_no_envelope_is_refused),
        TEST(nothing_is_taken_when_it_is_not_the_time),
        TEST(a_push_that_breaks_off_leaves_the_old_slot),
        TEST(developer_mode_takes_what_is_pushed_and_boots_it),
        TEST(developer_mode_does_not_believe_a_server),
        TEST(developer_mode_still_refuses_another_product_s),
        TEST(developer_mode_wants_the_manifest_that_the_digest_names),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
