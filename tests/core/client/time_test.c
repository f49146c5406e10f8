/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time it is for permits, on a device without a clock: what tickets say,
 * and what a thief of the ticket key can make of it.
 */
#include "bowline/cbor.h"
#include "rig.h"

enum { DAY = 86400 };

static const bl_span no_permit;

static struct bl_state stored(struct rig *rig)
{
    struct bl_state s;

    assert_ok(bl_state_load(&rig->device.layout, &s));
    return s;
}

/* The next poll is answered by whoever holds `key`. */
static void answer(struct rig *rig, int key, uint64_t issued,
                   enum sim_release_name name, bl_span permit)
{
    struct author_ticket ticket = {
        .issued = issued, .expiry = issued + 3600, .root_version = 1};
    struct buffer bytes = BUFFER(512);
    struct bl_cbor_writer w;
    bl_span out;

    bl_client_poke(rig->client);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    ticket.nonce = rig_nonce(rig);
    memcpy(ticket.device_id, fixture.device_id, 16);
    memcpy(ticket.manifest, fixture.release[name].manifest, 32);
    assert_int_equal(author_ticket(&ticket, fixture.key[key], &bytes, NULL),
                     0);
    bl_cbor_writer_init(&w, rig->answer, sizeof rig->answer);
    bl_cbor_put_map(&w, permit.n > 0 ? 3 : 2);
    bl_cbor_put_uint(&w, 1);
    bl_cbor_put_bstr(&w, buffer_span(&bytes));
    bl_cbor_put_uint(&w, 3);
    bl_cbor_put_uint(&w, fixture.release[name].envelope.n);
    if (permit.n > 0) {
        bl_cbor_put_uint(&w, 4);
        bl_cbor_put_bstr(&w, permit);
    }
    assert_ok(bl_cbor_writer_finish(&w, &out));
    rig->answer_n = out.n;
    rig_give(rig);
    buffer_free(&bytes);
}

/* Offers R2 with a permit until `expiry`: what the device thinks of it. */
static bl_status permitted(struct rig *rig, int key, uint64_t issued,
                           uint64_t expiry)
{
    struct author_permit permit = {.expiry = expiry};
    struct buffer bytes = BUFFER(512);

    memcpy(permit.class_id, fixture.class_id, 16);
    memcpy(permit.manifest, fixture.release[SIM_R2].manifest, 32);
    assert_int_equal(
        author_permit(&permit, &fixture.key[SIM_KEY_RELEASE], 1, &bytes, NULL),
        0);
    answer(rig, key, issued, SIM_R2, buffer_span(&bytes));
    assert_int_equal(rig->client->refusal, BL_OK);
    buffer_free(&bytes);
    return rig->client->permit;
}

static void root_with_ticket_key(struct rig *rig, int key)
{
    struct author_root root = {.version = 2, .issued = SIM_TIME + 50};
    struct buffer bytes = BUFFER(4096);
    struct error err = {0};

    root.role[BL_ROLE_ROOT].key[0] = fixture.key[SIM_KEY_ROOT];
    root.role[BL_ROLE_RELEASE].key[0] = fixture.key[SIM_KEY_RELEASE];
    root.role[BL_ROLE_TICKET].key[0] = fixture.key[key];
    for (int i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        root.role[i].threshold = 1;
        root.role[i].n_keys = 1;
    }
    buffer_clear(&fixture.root[1]);
    assert_int_equal(author_root_new(&root, &bytes, &err), 0);
    assert_int_equal(
        author_root_sign(buffer_span(&bytes), buffer_span(&fixture.root[0]),
                         fixture.key[SIM_KEY_ROOT], &fixture.root[1], &err),
        0);
    buffer_free(&bytes);
    rig->server.root = 2;
    bl_client_poke(rig->client);
    rig_poll(rig);
    assert_int_equal(rig->client->root.version, 2);
}

static int root_teardown(void **state)
{
    struct error err = {0};

    sim_fixture_close(&fixture);
    if (sim_fixture_open(&fixture, &err) != 0) {
        return -1;
    }
    return rig_teardown(state);
}

/* --- Backwards
 * --------------------------------------------------------------- */

static void expired_permit_stays_expired_whatever_a_ticket_says(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    answer(rig, SIM_KEY_TICKET, SIM_TIME + 7200, SIM_R1, no_permit);
    assert_int_equal(permitted(rig, SIM_KEY_TICKET, 0, SIM_TIME + 7199),
                     BL_PERMIT_EXPIRED);
}

static void also_after_a_reset(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    answer(rig, SIM_KEY_TICKET, SIM_TIME + 7200, SIM_R1, no_permit);
    rig_start(rig);
    assert_int_equal(permitted(rig, SIM_KEY_TICKET, 0, SIM_TIME + 7199),
                     BL_PERMIT_EXPIRED);
    rig_start(rig);
    assert_int_equal(permitted(rig, SIM_KEY_TICKET, 0, SIM_TIME + 7201),
                     BL_OK);
}

static void never_before_the_root_document(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(permitted(rig, SIM_KEY_TICKET, 0, SIM_TIME - 1),
                     BL_PERMIT_EXPIRED);
}

static void flash_is_told_the_time_once_a_day(void **state)
{
    struct rig *rig = *state;
    uint32_t number;

    rig_start(rig);
    answer(rig, SIM_KEY_TICKET, SIM_TIME, SIM_R1, no_permit);
    number = stored(rig).number;
    for (unsigned i = 0; i < 20; i++) {
        answer(rig, SIM_KEY_TICKET, SIM_TIME + i * DAY / 20, SIM_R1,
               no_permit);
    }
    assert_int_equal(stored(rig).number, number);
    assert_true(stored(rig).issued == SIM_TIME);
    answer(rig, SIM_KEY_TICKET, SIM_TIME + DAY, SIM_R1, no_permit);
    assert_int_equal(stored(rig).number, number + 1);
    assert_true(stored(rig).issued == SIM_TIME + DAY);
}

/* What is saved anyway takes the time along. */
static void trial_is_recorded_with_the_time(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    answer(rig, SIM_KEY_TICKET, SIM_TIME, SIM_R1, no_permit);
    rig->server.wanted = SIM_R2; /* its tickets are of SIM_TIME + 60 */
    bl_client_poke(rig->client);
    rig->server.polls = 0;
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_true(stored(rig).issued == SIM_TIME + 60);
}

/* --- Forwards
 * ---------------------------------------------------------------- */

static void replaced_ticket_key_takes_its_time_along(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    answer(rig, SIM_KEY_TICKET, UINT64_MAX - 3600, SIM_R1, no_permit);
    assert_int_equal(
        permitted(rig, SIM_KEY_TICKET, SIM_TIME + 60, SIM_TIME + 3600),
        BL_PERMIT_EXPIRED);
    rig_start(rig);
    root_with_ticket_key(rig, SIM_KEY_STRANGER);
    assert_true(stored(rig).issued == 0);
    rig_start(rig);
    assert_int_equal(permitted(rig, SIM_KEY_STRANGER, 0, SIM_TIME + 49),
                     BL_PERMIT_EXPIRED);
    rig_start(rig);
    assert_int_equal(
        permitted(rig, SIM_KEY_STRANGER, SIM_TIME + 60, SIM_TIME + 3600),
        BL_OK);
}

static void time_outlives_a_root_document_that_keeps_the_key(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    answer(rig, SIM_KEY_TICKET, SIM_TIME + 7200, SIM_R1, no_permit);
    root_with_ticket_key(rig, SIM_KEY_TICKET);
    assert_int_equal(permitted(rig, SIM_KEY_TICKET, 0, SIM_TIME + 7199),
                     BL_PERMIT_EXPIRED);
}

#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define ROOT_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, rig_setup, root_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(expired_permit_stays_expired_whatever_a_ticket_says),
        TEST(also_after_a_reset),
        TEST(never_before_the_root_document),
        TEST(flash_is_told_the_time_once_a_day),
        TEST(trial_is_recorded_with_the_time),
        ROOT_TEST(replaced_ticket_key_takes_its_time_along),
        ROOT_TEST(time_outlives_a_root_document_that_keeps_the_key),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
