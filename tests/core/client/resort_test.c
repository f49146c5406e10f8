/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When nothing is as it should be: a slot that rots while the other one is on
 * trial, a security floor above what runs, a state record that flash does not
 * take. The device has to come back, and to take the next update.
 */
#include "crypto_cache.h"
#include "rig.h"

/* --- Flash whose state blocks refuse writes --------------------------------
 */

static struct {
    bl_status (*write)(void *ctx, uint32_t at, const void *p, uint32_t n);
    struct bl_area area[2];
    unsigned refusals;
} worn;

static bl_status worn_write(void *ctx, uint32_t at, const void *p, uint32_t n)
{
    for (int i = 0; i < 2; i++) {
        const struct bl_area *a = &worn.area[i];

        if (worn.refusals > 0 && at >= a->offset && at - a->offset < a->size) {
            worn.refusals--;
            return BL_FLASH;
        }
    }
    return worn.write(ctx, at, p, n);
}

static void wear(struct rig *rig, unsigned refusals)
{
    worn.write = rig->device.flash.flash.write;
    memcpy(worn.area, rig->device.layout.state, sizeof worn.area);
    worn.refusals = refusals;
    rig->device.flash.flash.write = worn_write;
}

/* --- Steps
 * ------------------------------------------------------------------- */

static bl_status boot(struct rig *rig, struct bl_boot_result *result)
{
    struct bl_boot_config config;

    sim_device_boot(&rig->device, &sim_crypto, BL_RESET_SOFTWARE, &config);
    return bl_boot_run(&config, result);
}

/* Boots into `slot`, and starts the client of that image. */
static void boots(struct rig *rig, uint8_t slot)
{
    struct bl_boot_result result;

    assert_ok(boot(rig, &result));
    assert_int_equal(result.slot, slot);
    rig->config.started = (uint8_t)(result.slot + 1);
    rig->now_ms += 1000;
    rig_start(rig);
    assert_int_equal(rig->client->slot, slot);
}

static void install(struct rig *rig, enum sim_release_name name)
{
    rig->server.wanted = name;
    bl_client_poke(rig->client);
    rig->server.polls = 0;
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
}

static void rot(struct rig *rig, uint8_t slot)
{
    const struct bl_area *area = &rig->device.component[0].area[slot];

    rig->device.flash.bytes[area->offset + 5] ^= 1;
}

static void until_reset(struct rig *rig)
{
    while (rig_next(rig) != BL_TODO_RESET) {
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        }
    }
}

static struct bl_state stored(struct rig *rig)
{
    struct bl_state s;

    assert_ok(bl_state_load(&rig->device.layout, &s));
    return s;
}

/* A fix arrives, is tried in the other slot, and is confirmed there. */
static void is_mended(struct rig *rig, enum sim_release_name name)
{
    uint8_t target = (uint8_t)(rig->client->slot ^ 1U);

    rig->health = BL_HEALTH_PASS;
    install(rig, name);
    boots(rig, target);
    rig_poll(rig);
    assert_true(rig->server.last.confirmed);
    assert_int_equal(stored(rig).active, target);
    assert_int_equal(stored(rig).slot[target].status, BL_SLOT_CONFIRMED);
}

/* --- A slot rots
 * ------------------------------------------------------------- */

static void given_up_while_the_other_rots_runs_and_is_mended(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    install(rig, SIM_R2);
    rig->health = BL_HEALTH_FAIL;
    boots(rig, BL_SLOT_B);
    rot(rig, BL_SLOT_A);
    until_reset(rig);
    for (int i = 0; i < 3; i++) {
        boots(rig, BL_SLOT_B);
        assert_int_equal(stored(rig).active, BL_SLOT_B);
        assert_int_equal(stored(rig).trial, BL_SLOT_NONE);
        rig_poll(rig);
        assert_false(rig->server.last.confirmed);
        assert_int_equal(rig->server.last.state, BL_STATE_FAILED);
        assert_memory_equal(rig->server.last.image,
                            fixture.release[SIM_R2].app_sha256, 32);
        /* Told once, however often it boots; also once "up to date". */
        assert_int_equal(rig_events(rig, BL_STATE_FAILED, &code), 1);
        assert_int_equal(code, BL_SLOT_CORRUPT);
        bl_client_poke(rig->client);
        rig_poll(rig);
        assert_int_equal(rig->server.last.state, BL_STATE_FAILED);
    }
    is_mended(rig, SIM_R3);
}

static void crashing_while_the_other_rots_still_boots(void **state)
{
    struct rig *rig = *state;
    struct bl_boot_result result;

    rig_start(rig);
    install(rig, SIM_R2);
    rot(rig, BL_SLOT_A);
    for (int i = 0; i < 5; i++) {
        assert_ok(boot(rig, &result));
        assert_int_equal(result.slot, BL_SLOT_B);
        assert_true(result.trial);
    }
    boots(rig, BL_SLOT_B);
    rig_poll(rig);
    assert_true(rig->server.last.confirmed);
}

/* --- A security floor above what runs --------------------------------------
 */

static void second_root(struct rig *rig, uint64_t floor, const char *prefix)
{
    struct author_root root = {
        .version = 2, .issued = SIM_TIME, .floor = floor};
    struct buffer unsigned_root = BUFFER(4096);
    struct error err = {0};

    root.role[BL_ROLE_ROOT].key[0] = fixture.key[SIM_KEY_ROOT];
    root.role[BL_ROLE_RELEASE].key[0] = fixture.key[SIM_KEY_RELEASE];
    root.role[BL_ROLE_TICKET].key[0] = fixture.key[SIM_KEY_TICKET];
    for (int i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        root.role[i].threshold = 1;
        root.role[i].n_keys = 1;
    }
    root.role[BL_ROLE_RELEASE].n_prefixes = prefix != NULL;
    root.role[BL_ROLE_RELEASE].prefix[0] = prefix;
    buffer_clear(&fixture.root[1]);
    assert_int_equal(author_root_new(&root, &unsigned_root, &err), 0);
    assert_int_equal(author_root_sign(buffer_span(&unsigned_root),
                                      buffer_span(&fixture.root[0]),
                                      fixture.key[SIM_KEY_ROOT],
                                      &fixture.root[1], &err),
                     0);
    buffer_free(&unsigned_root);
    rig->server.root = 2;
}

static void raise_floor(struct rig *rig, uint64_t floor)
{
    second_root(rig, floor, NULL);
}

static int floor_teardown(void **state)
{
    struct error err = {0};

    sim_fixture_close(&fixture);
    if (sim_fixture_open(&fixture, &err) != 0) {
        return -1;
    }
    return rig_teardown(state);
}

static void raised_floor_lets_the_device_live_and_update(void **state)
{
    struct rig *rig = *state;

    raise_floor(rig, 2);
    rig_start(rig);
    rig_poll(rig); /* takes the root document */
    assert_int_equal(rig->client->root.floor, 2);
    for (int i = 0; i < 2; i++) {
        boots(rig, BL_SLOT_A);
        rig_poll(rig);
        assert_true(rig->server.last.confirmed);
    }
    is_mended(rig, SIM_R2);
    /* What is below the floor and not active stays forbidden. */
    rot(rig, BL_SLOT_B);
    {
        struct bl_boot_result result;

        assert_int_equal(boot(rig, &result), BL_NO_IMAGE);
    }
}

static void failed_trial_returns_below_a_raised_floor(void **state)
{
    struct rig *rig = *state;

    raise_floor(rig, 2);
    rig_start(rig);
    install(rig, SIM_R2);
    rig->health = BL_HEALTH_FAIL;
    boots(rig, BL_SLOT_B);
    until_reset(rig);
    boots(rig, BL_SLOT_A);
    assert_int_equal(stored(rig).slot[1].status, BL_SLOT_BAD);
    is_mended(rig, SIM_R3);
}

static void crashing_trial_returns_below_a_raised_floor(void **state)
{
    struct rig *rig = *state;
    struct bl_boot_result result;

    raise_floor(rig, 2);
    rig_start(rig);
    install(rig, SIM_R2);
    for (int i = 0; i < BL_BOOT_TRIES; i++) {
        assert_ok(boot(rig, &result));
        assert_int_equal(result.slot, BL_SLOT_B);
    }
    boots(rig, BL_SLOT_A);
    is_mended(rig, SIM_R3);
}

/* The release role may not write "app" any more, whether it is downloaded or
 * there already. */
static void other_slot_is_not_reused_for_what_may_not_be_written(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;
    struct buffer kept;

    rig_start(rig);
    is_mended(rig, SIM_R2);
    second_root(rig, 0, "cfg");
    bl_client_poke(rig->client);
    rig_poll(rig);
    assert_int_equal(rig->client->root.version, 2);
    kept = fixture.release[SIM_R1].permit[1];
    fixture.release[SIM_R1].permit[1] = fixture.release[SIM_R1].permit[0];
    rig->server.permit = true;
    rig->server.wanted = SIM_R1;
    rig->server.polls = 1;
    bl_client_poke(rig->client);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    fixture.release[SIM_R1].permit[1] = kept;
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_COMPONENT_FORBIDDEN);
    assert_int_equal(stored(rig).trial, BL_SLOT_NONE);
}

/* --- A state record that flash does not take -------------------------------
 */

static void refused_try_is_reported_by_what_runs(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    install(rig, SIM_R2);
    wear(rig, 1);
    boots(rig, BL_SLOT_A);
    rig_poll(rig);
    assert_int_equal(rig->server.last.slot, BL_SLOT_A);
    assert_int_equal(rig->server.last.sequence, 1);
    assert_true(rig->server.last.confirmed);
    assert_memory_equal(rig->server.last.image,
                        fixture.release[SIM_R1].app_sha256, 32);
    assert_int_equal(stored(rig).trial, BL_SLOT_NONE);
    assert_int_equal(stored(rig).active, BL_SLOT_A);
    assert_int_equal(stored(rig).slot[1].status, BL_SLOT_BAD);
    assert_int_equal(rig_events(rig, BL_STATE_RETURNED, &code), 1);
    assert_int_equal(code, BL_FLASH);
    is_mended(rig, SIM_R3);
}

static void refused_fallback_never_writes_what_runs(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    is_mended(rig, SIM_R2); /* active and confirmed in B */
    rot(rig, BL_SLOT_B);
    wear(rig, 1);
    boots(rig, BL_SLOT_A);
    assert_int_equal(stored(rig).active, BL_SLOT_A);
    is_mended(rig, SIM_R3); /* into B */
    assert_int_equal(rig->client->slot, BL_SLOT_B);
}

/* Nothing can be installed any more; but the device runs, and says why. */
static void worn_out_state_runs_without_asking_for_resets(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    install(rig, SIM_R2);
    wear(rig, UINT32_MAX);
    rig->server.wanted = SIM_R3;
    for (int i = 0; i < 3; i++) {
        uint64_t end;

        boots(rig, BL_SLOT_A);
        end = rig->now_ms + 2000 * 1000;
        while (rig->now_ms < end) {
            bl_todo todo = rig_next(rig);

            assert_int_not_equal(todo, BL_TODO_RESET);
            if (todo == BL_TODO_POLL) {
                rig_ask(rig);
                rig_give(rig);
            } else if (todo == BL_TODO_GET) {
                rig_serve(rig, 200, 0,
                          sim_server_get(&rig->server, rig->action.uri), true);
            }
        }
        assert_true(rig_events(rig, BL_STATE_FAILED, &code) > 0);
        assert_int_equal(code, BL_FLASH);
    }
    worn.refusals = 0;
    is_mended(rig, SIM_R3);
}

#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define FLOOR_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, rig_setup, floor_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(given_up_while_the_other_rots_runs_and_is_mended),
        TEST(crashing_while_the_other_rots_still_boots),
        FLOOR_TEST(raised_floor_lets_the_device_live_and_update),
        FLOOR_TEST(failed_trial_returns_below_a_raised_floor),
        FLOOR_TEST(crashing_trial_returns_below_a_raised_floor),
        FLOOR_TEST(other_slot_is_not_reused_for_what_may_not_be_written),
        TEST(refused_try_is_reported_by_what_runs),
        TEST(refused_fallback_never_writes_what_runs),
        TEST(worn_out_state_runs_without_asking_for_resets),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
