/* SPDX-License-Identifier: Apache-2.0 */
/* Offers that wait: the policy of the operator, the conditions of the device,
 * the word of the person at it. */
#include "rig.h"

static struct bl_conditions now; /* what `conditions` says */

static void on_conditions(void *ctx, struct bl_conditions *out)
{
    (void)ctx;
    assert_int_equal(out->battery, BL_BATTERY_UNKNOWN);
    assert_int_equal(out->utc_offset, BL_OFFSET_UNKNOWN);
    *out = now;
}

/* R2 is offered with a policy, and the device says `wait` of it. */
static void waiting(struct rig *rig, bl_wait wait)
{
    rig->config.conditions = on_conditions;
    rig->server.wanted = SIM_R2;
    rig_start(rig);
    rig_poll(rig);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->client->device_state, BL_STATE_WAITING);
    assert_int_equal(rig->server.last.state, BL_STATE_WAITING);
    assert_int_equal(rig->server.last.wait, wait);
    assert_int_equal(rig->client->wait, wait);
}

static void pass(struct rig *rig, uint32_t seconds)
{
    rig->now_ms += seconds * 1000ULL;
}

static void assert_waits(struct rig *rig, bl_wait wait)
{
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->client->device_state, BL_STATE_WAITING);
    assert_int_equal(rig->server.last.wait, wait);
}

static void assert_goes_on(struct rig *rig)
{
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
}

static void low_battery_waits_until_it_is_charged(void **state)
{
    struct rig *rig = *state;
    bl_status code;

    rig->server.policy.min_battery = 40;
    now = (struct bl_conditions){-570, 39, BL_POWER_KNOWN};
    waiting(rig, BL_WAIT_BATTERY);
    assert_true(rig->server.last.has_power && rig->server.last.has_offset);
    assert_int_equal(rig->server.last.battery, 39);
    assert_int_equal(rig->server.last.flags, BL_POWER_KNOWN);
    assert_int_equal(rig->server.last.utc_offset, -570);
    now.battery = 40;
    pass(rig, 61);
    assert_goes_on(rig);
    assert_int_equal(rig_events(rig, BL_STATE_WAITING, &code), 1);
}

static void another_reason_is_told_at_once(void **state)
{
    struct rig *rig = *state;
    bl_status code;

    rig->server.policy.min_battery = 40;
    rig->server.policy.no_metered = true;
    now = (struct bl_conditions){BL_OFFSET_UNKNOWN, 10,
                                 BL_LINK_KNOWN | BL_METERED};
    waiting(rig, BL_WAIT_BATTERY);
    assert_false(rig->server.last.has_offset);
    now.flags |= BL_POWERED;
    pass(rig, 61);
    assert_waits(rig, BL_WAIT_NETWORK);
    assert_int_equal(rig_events(rig, BL_STATE_WAITING, &code), 1);
    now.flags = BL_LINK_KNOWN | BL_POWERED;
    pass(rig, 61);
    assert_goes_on(rig);
}

/* For consent, until the window has closed. */
static void wait_past_the_window(struct rig *rig)
{
    rig->server.policy.consent = true;
    rig->server.policy.window_s = 600;
    now = (struct bl_conditions){0, 100, 0};
    waiting(rig, BL_WAIT_CONSENT);
    pass(rig, 601);
}

/* Agreed to too late, and the server cannot be asked. */
static void window_that_closes_meanwhile_is_waited_for(void **state)
{
    struct rig *rig = *state;

    wait_past_the_window(rig);
    assert_ok(bl_client_consent(rig->client, true));
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    assert_int_equal(rig->server.last.wait, BL_WAIT_WINDOW);
    assert_int_equal(rig->server.last.nonce.n, 0);
    bl_client_unreachable(rig->client, rig->now_ms);
    assert_int_equal(rig->client->wait, BL_WAIT_WINDOW);
    /* The next one opens: a light poll is enough to hear it. */
    pass(rig, 3600);
    assert_goes_on(rig);
}

/* What a server does whose window has closed: it offers nothing. */
static void offer_that_is_gone_with_its_window_is_dropped(void **state)
{
    struct rig *rig = *state;

    wait_past_the_window(rig);
    rig->server.wanted = SIM_R1;
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->client->device_state, BL_STATE_IDLE);
    assert_int_equal(rig->client->wait, BL_WAIT_NONE);
}

static void consent_is_asked_and_given(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.consent = true;
    now = (struct bl_conditions){0, BL_BATTERY_UNKNOWN, 0};
    waiting(rig, BL_WAIT_CONSENT);
    pass(rig, 300);
    assert_waits(rig, BL_WAIT_CONSENT);
    assert_ok(bl_client_consent(rig->client, true));
    assert_goes_on(rig);
    assert_int_equal(bl_client_consent(rig->client, true), BL_BUSY);
}

static void no_holds_until_it_is_forced(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.consent = true;
    now = (struct bl_conditions){0, BL_BATTERY_UNKNOWN, 0};
    waiting(rig, BL_WAIT_CONSENT);
    assert_ok(bl_client_consent(rig->client, false));
    pass(rig, 100000);
    assert_waits(rig, BL_WAIT_CONSENT);
    rig->server.policy.forced = true;
    pass(rig, 2000); /* the next poll hears of it */
    assert_goes_on(rig);
}

static void later_is_not_asked_before(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.consent = true;
    now = (struct bl_conditions){0, BL_BATTERY_UNKNOWN, 0};
    waiting(rig, BL_WAIT_CONSENT);
    assert_ok(bl_client_postpone(rig->client, rig->now_ms, 3600));
    assert_waits(rig, BL_WAIT_CONSENT);
    assert_int_equal(rig->client->consent, BL_CONSENT_LATER);
    pass(rig, 3599);
    assert_waits(rig, BL_WAIT_CONSENT);
    assert_int_equal(rig->client->consent, BL_CONSENT_LATER);
    pass(rig, 61);
    assert_waits(rig, BL_WAIT_CONSENT);
    assert_int_equal(rig->client->consent, BL_CONSENT_OPEN);
    assert_ok(bl_client_consent(rig->client, true));
    assert_goes_on(rig);
}

/* One who was not asked may put it off while something else is waited for;
 * it goes on by itself. */
static void later_without_a_question_goes_on_by_itself(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.min_battery = 50;
    now = (struct bl_conditions){0, 10, 0};
    waiting(rig, BL_WAIT_BATTERY);
    assert_ok(bl_client_postpone(rig->client, rig->now_ms, 3600));
    now.battery = 90;
    pass(rig, 120);
    assert_waits(rig, BL_WAIT_CONSENT);
    pass(rig, 3600);
    assert_goes_on(rig);
}

static void consent_is_for_one_release(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.consent = true;
    rig->server.policy.min_battery = 50;
    now = (struct bl_conditions){0, 10, 0};
    waiting(rig, BL_WAIT_BATTERY);
    assert_ok(bl_client_consent(rig->client, true));
    rig->server.wanted = SIM_R3;
    now.battery = 90;
    bl_client_poke(rig->client);
    assert_waits(rig, BL_WAIT_CONSENT);
    assert_int_equal(rig->client->consent, BL_CONSENT_OPEN);
}

static void consent_without_an_offer_is_busy(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    rig->client->consent_ms = 77;
    assert_int_equal(bl_client_consent(rig->client, true), BL_BUSY);
    assert_int_equal(bl_client_postpone(rig->client, 0, 1), BL_BUSY);
    assert_int_equal(rig->client->consent_ms, 77); /* refused: as it was */
    rig_poll(rig);
    assert_int_equal(bl_client_consent(rig->client, true), BL_BUSY);
}

static void application_has_the_last_word_when_forced(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.forced = true;
    rig->wait = BL_WAIT_WINDOW;
    now = (struct bl_conditions){0, 100, 0};
    waiting(rig, BL_WAIT_WINDOW);
    rig->wait = BL_WAIT_NONE;
    pass(rig, 61);
    assert_goes_on(rig);
}

static void forced_waits_for_a_dying_battery(void **state)
{
    struct rig *rig = *state;

    rig->server.policy.forced = true;
    rig->server.policy.consent = true;
    now = (struct bl_conditions){0, 4, 0};
    waiting(rig, BL_WAIT_BATTERY);
    now.battery = 5;
    pass(rig, 61);
    assert_goes_on(rig);
}

/* --- Once it has begun -------------------------------------------------- */

/* At the payload of R2, with a policy. */
static void downloading(struct rig *rig)
{
    rig->config.conditions = on_conditions;
    rig->server.wanted = SIM_R2;
    rig_start(rig);
    for (int gets = 0; gets < 2;) {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        if (rig->action.todo == BL_TODO_SLEEP) {
            rig->now_ms = rig->action.until_ms;
        } else if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        } else if (++gets == 1) {
            rig_serve(rig, 200, 0,
                      sim_server_get(&rig->server, rig->action.uri), true);
        }
    }
    assert_memory_equal(rig->action.uri.p, "payloads/", 9);
}

static bl_span app(size_t n)
{
    return bl_span_of(fixture.release[SIM_R2].app, n);
}

/* The link broke; the next one costs. */
static void transfer_goes_on_over_another_link_only(void **state)
{
    struct rig *rig = *state;
    bl_status code;

    rig->server.policy.no_metered = true;
    now = (struct bl_conditions){0, 100, BL_LINK_KNOWN};
    downloading(rig);
    rig_serve(rig, 200, 0, app(12800), false);
    now.flags |= BL_METERED;
    pass(rig, 61);
    assert_waits(rig, BL_WAIT_NETWORK);
    pass(rig, 3000);
    assert_waits(rig, BL_WAIT_NETWORK);
    assert_int_equal(rig_events(rig, BL_STATE_WAITING, &code), 1);
    now.flags = BL_LINK_KNOWN;
    pass(rig, 61);
    do {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        } else if (rig->action.offset == 0) {
            rig_serve(rig, 200, 0,
                      sim_server_get(&rig->server, rig->action.uri), true);
        }
    } while (rig->action.todo != BL_TODO_GET || rig->action.offset == 0);
    assert_true(rig->action.offset > 8000); /* what was there is kept */
    assert_goes_on(rig);
}

/* Nobody was to be asked, but somebody is there, and says it in time. */
static void later_holds_the_reset_of_what_was_begun(void **state)
{
    struct rig *rig = *state;

    now = (struct bl_conditions){0, 100, 0};
    downloading(rig);
    assert_ok(bl_client_postpone(rig->client, rig->now_ms, 7200));
    rig_serve(rig, 200, 0, app(SIM_APP_SIZE), true);
    assert_waits(rig, BL_WAIT_CONSENT);
    pass(rig, 7199);
    assert_waits(rig, BL_WAIT_CONSENT);
    pass(rig, 61);
    assert_goes_on(rig);
    assert_int_equal(bl_client_postpone(rig->client, rig->now_ms, 60),
                     BL_BUSY);
}

/* Installed, but not started: the window has closed. The next one needs no
 * download. */
static void reset_waits_for_the_next_window(void **state)
{
    struct rig *rig = *state;
    struct bl_state stored;

    rig->server.policy.window_s = 600;
    now = (struct bl_conditions){0, 100, 0};
    downloading(rig);
    pass(rig, 601);
    rig->server.wanted = SIM_R1; /* as a server whose window is closed */
    rig_serve(rig, 200, 0, app(SIM_APP_SIZE), true);
    assert_int_equal(rig->client->wait, BL_WAIT_WINDOW);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.trial, BL_SLOT_NONE);
    assert_int_equal(stored.slot[BL_SLOT_B].status, BL_SLOT_READY);
    rig_reboot(rig); /* a power cut starts nothing new */
    assert_int_equal(rig->client->slot, BL_SLOT_A);
    rig->server.wanted = SIM_R2;
    do {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        assert_int_not_equal(rig->action.todo, BL_TODO_GET);
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        } else {
            rig->now_ms = rig->action.until_ms;
        }
    } while (rig->action.todo != BL_TODO_RESET);
}

/* A rule that is not known is none; a map that is none is no answer. */
static void policies_are_read_strictly(void **state)
{
    static const uint8_t later[] = {0xA1, 0x08, 0xA2, 0x05,
                                    0xF5, 0x18, 0x63, 0xA0};
    static const uint8_t bad[][5] = {
        {0xA1, 0x08, 0x80},             /* an array */
        {0xA1, 0x08, 0xA1, 0x02, 0x00}, /* a number for a bool */
        {0xA1, 0x08, 0xA1, 0x01, 0xF5}, /* a bool for a number */
    };
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    bl_client_answer(rig->client, rig->now_ms, 200,
                     bl_span_of(later, sizeof(later)), 0);
    assert_int_equal(rig->client->refusal, BL_TICKET_MISSING);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rig_start(rig);
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        bl_client_answer(rig->client, rig->now_ms, 200,
                         bl_span_of(bad[i], i == 0 ? 3 : 5), 0);
        assert_int_equal(rig->client->refusal, BL_ANSWER);
    }
}

static void trial_tells_the_boots_left(void **state)
{
    struct rig *rig = *state;

    rig->health = BL_HEALTH_PENDING;
    rig->server.wanted = SIM_R2;
    rig_start(rig);
    rig_poll(rig);
    assert_int_equal(rig->server.last.tries, 0);
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    rig_reboot(rig);
    rig_poll(rig);
    assert_int_equal(rig->server.last.tries, BL_BOOT_TRIES - 1);
}

int main(void)
{
#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(low_battery_waits_until_it_is_charged),
        TEST(another_reason_is_told_at_once),
        TEST(window_that_closes_meanwhile_is_waited_for),
        TEST(offer_that_is_gone_with_its_window_is_dropped),
        TEST(consent_is_asked_and_given),
        TEST(no_holds_until_it_is_forced),
        TEST(later_is_not_asked_before),
        TEST(later_without_a_question_goes_on_by_itself),
        TEST(consent_is_for_one_release),
        TEST(consent_without_an_offer_is_busy),
        TEST(application_has_the_last_word_when_forced),
        TEST(forced_waits_for_a_dying_battery),
        TEST(transfer_goes_on_over_another_link_only),
        TEST(later_holds_the_reset_of_what_was_begun),
        TEST(reset_waits_for_the_next_window),
        TEST(policies_are_read_strictly),
        TEST(trial_tells_the_boots_left),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
