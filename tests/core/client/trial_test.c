/* SPDX-License-Identifier: Apache-2.0 */
/* The trial: when a new image is confirmed, and when the device goes back. */
#include "rig.h"

/* Installs a release and boots it on trial. */
static void on_trial(struct rig *rig, enum sim_release_name name)
{
    rig->server.wanted = name;
    rig_start(rig);
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    rig_reboot(rig);
    assert_int_equal(rig->client->slot, BL_SLOT_B);
    assert_int_equal(rig->client->device_state, BL_STATE_TESTING);
}

static struct bl_state stored(struct rig *rig)
{
    struct bl_state s;

    assert_ok(bl_state_load(&rig->device.layout, &s));
    return s;
}

static void assert_returned(struct rig *rig, bl_status why)
{
    struct bl_state s = stored(rig);
    bl_status code = BL_OK;

    assert_int_equal(s.trial, BL_SLOT_NONE);
    assert_int_equal(s.active, BL_SLOT_A);
    assert_int_equal(s.slot[BL_SLOT_B].status, BL_SLOT_BAD);
    assert_int_equal(s.outcome, why);
    assert_int_equal(s.floor, 1);
    assert_int_equal(rig_events(rig, BL_STATE_RETURNED, &code), 1);
    assert_int_equal(code, why);
}

static void passing_checks_confirm_and_tell_at_once(void **state)
{
    struct rig *rig = *state;
    struct bl_state s;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    rig_poll(rig);
    assert_false(rig->server.last.confirmed);
    assert_int_equal(rig->server.last.state, BL_STATE_TESTING);
    rig->health = BL_HEALTH_PASS;
    rig_poll(rig);
    assert_true(rig->server.last.confirmed);
    assert_int_equal(rig->server.last.state, BL_STATE_CONFIRMED);
    assert_int_equal(rig->server.last.slot, BL_SLOT_B);
    assert_memory_equal(rig->server.last.image,
                        fixture.release[SIM_R2].app_sha256, 32);
    s = stored(rig);
    assert_int_equal(s.active, BL_SLOT_B);
    assert_int_equal(s.floor, 2);
    assert_int_equal(rig->client->device_state, BL_STATE_IDLE);
}

static void server_is_asked_soon_on_trial(void **state)
{
    struct rig *rig = *state;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    assert_true(rig->client->due_ms <= rig->now_ms + 5000);
}

static void without_checks_the_server_must_be_reached(void **state)
{
    struct rig *rig = *state;

    rig->config.n_health = 0;
    on_trial(rig, SIM_R2);
    for (int i = 0; i < 3; i++) {
        while (rig_next(rig) != BL_TODO_POLL) {
        }
        bl_client_unreachable(rig->client, rig->now_ms);
        assert_int_equal(stored(rig).trial, BL_SLOT_B);
    }
    while (rig_next(rig) != BL_TODO_POLL) {
    }
    rig_ask(rig);
    rig_give(rig);
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(stored(rig).active, BL_SLOT_B);
}

static void failing_check_returns_after_three_rounds(void **state)
{
    struct rig *rig = *state;

    rig->health = BL_HEALTH_FAIL;
    on_trial(rig, SIM_R2);
    while (rig_next(rig) == BL_TODO_POLL) {
        rig_ask(rig);
        rig_give(rig);
    }
    while (rig->action.todo == BL_TODO_SLEEP) {
        assert_int_equal(stored(rig).trial, BL_SLOT_B);
        (void)rig_next(rig);
    }
    assert_int_equal(rig->action.todo, BL_TODO_RESET);
    assert_int_equal(rig->client->health_failed, 3);
    assert_returned(rig, BL_HEALTH);
}

static void check_that_recovers_is_forgiven(void **state)
{
    struct rig *rig = *state;

    rig->health = BL_HEALTH_FAIL;
    on_trial(rig, SIM_R2);
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    rig->now_ms += 10000;
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig->client->health_failed, 2);
    rig->health = BL_HEALTH_PENDING;
    rig->now_ms += 10000;
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig->client->health_failed, 0);
    assert_int_equal(stored(rig).trial, BL_SLOT_B);
}

static void deadline_returns(void **state)
{
    struct rig *rig = *state;
    uint64_t start;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    start = rig->now_ms;
    while (rig_next(rig) != BL_TODO_RESET) {
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        }
    }
    assert_int_equal(rig->now_ms - start, 600000);
    assert_returned(rig, BL_DEADLINE);
}

static void application_may_give_up_its_trial_only(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(bl_client_return(rig->client, BL_HEALTH), BL_BUSY);
    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    assert_int_equal(bl_client_return(rig->client, BL_OK), BL_ARGUMENT);
    assert_ok(bl_client_return(rig->client, BL_HEALTH));
    assert_int_equal(rig_next(rig), BL_TODO_RESET);
    assert_int_equal(bl_client_return(rig->client, BL_HEALTH), BL_BUSY);
    assert_returned(rig, BL_HEALTH);
}

static void ticket_for_the_old_image_ends_the_trial(void **state)
{
    struct rig *rig = *state;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    rig->server.wanted = SIM_R1;
    rig_poll(rig);
    assert_int_equal(rig_next(rig), BL_TODO_RESET);
    assert_returned(rig, BL_OPERATOR);
}

static void other_offers_wait_for_the_end_of_the_trial(void **state)
{
    struct rig *rig = *state;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    rig->server.wanted = SIM_R3;
    rig_poll(rig);
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig->action.todo, BL_TODO_SLEEP);
    assert_int_equal(stored(rig).trial, BL_SLOT_B);
    rig->health = BL_HEALTH_PASS;
    rig->now_ms += 10000;
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_int_equal(stored(rig).trial, BL_SLOT_A);
}

static void returned_device_says_so_and_does_not_try_at_once(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    assert_ok(bl_client_return(rig->client, BL_HEALTH));
    rig->health = BL_HEALTH_PASS;
    rig->server.polls = 0;
    rig_reboot(rig);
    assert_int_equal(rig->client->slot, BL_SLOT_A);
    assert_int_equal(rig->client->device_state, BL_STATE_RETURNED);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->server.last.state, BL_STATE_RETURNED);
    assert_true(rig->action.until_ms >= rig->now_ms + 1620000);
    assert_int_equal(rig_events(rig, BL_STATE_RETURNED, &code), 1);
    rig->server.polls = 0;
    rig->now_ms = rig->action.until_ms;
    assert_int_equal(rig_run(rig), BL_TODO_RESET); /* once more, later */
}

static void event_lost_to_a_power_cut_is_told_later_once(void **state)
{
    struct rig *rig = *state;
    struct bl_state s;
    bl_status code = BL_OK;

    rig->health = BL_HEALTH_PENDING;
    on_trial(rig, SIM_R2);
    s = stored(rig);
    bl_state_return(&s, BL_HEALTH);
    assert_ok(bl_state_save(&rig->device.layout, &s)); /* cut here */
    rig_reboot(rig);
    assert_int_equal(rig_events(rig, BL_STATE_RETURNED, &code), 1);
    assert_int_equal(code, BL_HEALTH);
    rig_reboot(rig);
    assert_int_equal(rig_events(rig, BL_STATE_RETURNED, &code), 1);
}

static void release_in_the_other_slot_needs_no_download(void **state)
{
    struct rig *rig = *state;

    on_trial(rig, SIM_R2);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(stored(rig).active, BL_SLOT_B);
    rig->server.wanted = SIM_R1;
    rig->server.permit = true;
    for (int i = 0; rig_next(rig) != BL_TODO_RESET; i++) {
        assert_true(i < 20);
        assert_int_not_equal(rig->action.todo, BL_TODO_GET);
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        }
    }
    assert_int_equal(stored(rig).trial, BL_SLOT_A);
    assert_int_equal(stored(rig).slot[BL_SLOT_A].permitted, 1);
    rig_reboot(rig);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(stored(rig).active, BL_SLOT_A);
    assert_int_equal(stored(rig).floor, 2);
}

static void release_in_the_other_slot_obeys_the_floor(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    on_trial(rig, SIM_R2);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    rig->server.wanted = SIM_R1; /* and no permit */
    rig->now_ms = rig->action.until_ms;
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_SEQUENCE_LOW);
    assert_int_equal(stored(rig).active, BL_SLOT_B);
    assert_int_equal(stored(rig).trial, BL_SLOT_NONE);
}

static void damaged_other_slot_is_downloaded_again(void **state)
{
    struct rig *rig = *state;

    on_trial(rig, SIM_R2);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    rig->device.flash
        .bytes[rig->device.component[0].area[BL_SLOT_A].offset + 99] ^= 1;
    rig->server.wanted = SIM_R1;
    rig->server.permit = true;
    rig->now_ms = rig->action.until_ms;
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_int_equal(stored(rig).trial, BL_SLOT_A);
    assert_memory_equal(rig->device.flash.bytes +
                            rig->device.component[0].area[BL_SLOT_A].offset,
                        fixture.release[SIM_R1].app, SIM_APP_SIZE);
}

int main(void)
{
#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(passing_checks_confirm_and_tell_at_once),
        TEST(server_is_asked_soon_on_trial),
        TEST(without_checks_the_server_must_be_reached),
        TEST(failing_check_returns_after_three_rounds),
        TEST(check_that_recovers_is_forgiven),
        TEST(deadline_returns),
        TEST(application_may_give_up_its_trial_only),
        TEST(ticket_for_the_old_image_ends_the_trial),
        TEST(other_offers_wait_for_the_end_of_the_trial),
        TEST(returned_device_says_so_and_does_not_try_at_once),
        TEST(event_lost_to_a_power_cut_is_told_later_once),
        TEST(release_in_the_other_slot_needs_no_download),
        TEST(release_in_the_other_slot_obeys_the_floor),
        TEST(damaged_other_slot_is_downloaded_again),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
