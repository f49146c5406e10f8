/* SPDX-License-Identifier: Apache-2.0 */
/* From the offer to the reset: what is installed, and what is refused. */
#include "rig.h"

#include "host/file.h"

/* Accepts the ticket for `wanted`; what comes next is the manifest. */
static void offered(struct rig *rig, enum sim_release_name wanted)
{
    rig->server.wanted = wanted;
    rig_start(rig);
    rig_poll(rig);
    assert_int_equal(rig->client->device_state, BL_STATE_OFFERED);
}

static void get(struct rig *rig)
{
    while (rig_next(rig) == BL_TODO_POLL) { /* a report */
        rig_ask(rig);
        rig_give(rig);
    }
    assert_int_equal(rig->action.todo, BL_TODO_GET);
}

static void serve_manifest(struct rig *rig)
{
    get(rig);
    assert_memory_equal(rig->action.uri.p, "manifests/", 10);
    rig_serve(rig, 200, 0, sim_server_get(&rig->server, rig->action.uri),
              true);
}

/* At the payload, from the very beginning. */
static void downloading(struct rig *rig, enum sim_release_name wanted)
{
    offered(rig, wanted);
    serve_manifest(rig);
    get(rig);
    assert_memory_equal(rig->action.uri.p, "payloads/", 9);
    assert_int_equal(rig->action.offset, 0);
    assert_memory_equal(rig->action.etag, fixture.release[wanted].app_sha256,
                        32);
}

static bl_span app(enum sim_release_name name)
{
    return bl_span_of(fixture.release[name].app, SIM_APP_SIZE);
}

static bl_span part(bl_span all, size_t from, size_t to)
{
    return bl_span_of(all.p + from, to - from);
}

static void assert_ended(struct rig *rig, bl_device_state state, bl_status why)
{
    bl_status code = BL_OK;
    struct bl_state stored;

    assert_int_equal(rig->client->device_state, state);
    assert_true(rig_events(rig, state, &code) > 0);
    assert_int_equal(code, why);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.trial, BL_SLOT_NONE);
    assert_int_equal(stored.active, BL_SLOT_A);
    assert_int_equal(stored.floor, 1);
}

static void assert_on_trial(struct rig *rig, enum sim_release_name name)
{
    struct bl_state stored;

    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.trial, BL_SLOT_B);
    assert_int_equal(stored.tries, BL_BOOT_TRIES);
    assert_memory_equal(stored.slot[BL_SLOT_B].manifest,
                        fixture.release[name].manifest, 32);
    assert_memory_equal(rig->device.flash.bytes +
                            rig->device.component[0].area[BL_SLOT_B].offset,
                        fixture.release[name].app, SIM_APP_SIZE);
}

/* Events tell the uptime rightly on a device that runs for years. */
static void uptime_is_right_after_years(void **state)
{
    static const uint64_t seconds[] = {1,        4294967,         34359738,
                                       34560000, 3 * 366 * 86400, 4294967295};
    struct rig *rig = *state;
    struct bl_event event[8];
    uint32_t n = 0;

    rig_start(rig);
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        rig->now_ms = 5000 + seconds[i] * 1000;
        bl_client_poke(rig->client);
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        assert_int_equal(rig->action.todo, BL_TODO_POLL);
        /* Refused for another reason each time, so that it is told. */
        bl_client_answer(rig->client, rig->now_ms, 200,
                         bl_span_of(i % 2 == 0 ? "\xff" : "\xa0", 1), 0);
        assert_ok(bl_journal_read(&rig->client->journal,
                                  rig->client->journal.next - 2, event, 8,
                                  &n));
        assert_int_equal(n, 1);
        assert_int_equal(event[0].uptime_s, seconds[i]);
    }
}

/* --- As it should be
 * ------------------------------------------------------------ */

static void update_goes_through_all_states_to_a_reset(void **state)
{
    static const bl_device_state states[] = {
        BL_STATE_OFFERED, BL_STATE_DOWNLOADING, BL_STATE_VERIFYING,
        BL_STATE_INSTALLING, BL_STATE_REBOOTING};
    struct rig *rig = *state;
    bl_status code = BL_OK;

    offered(rig, SIM_R2);
    assert_on_trial(rig, SIM_R2);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        assert_int_equal(rig_events(rig, states[i], &code), 1);
        assert_int_equal(code, BL_OK);
    }
    assert_int_equal(rig->server.last.state, BL_STATE_REBOOTING);
    assert_true(rig->server.last.confirmed); /* the old one, still */
}

static void wanted_that_runs_is_up_to_date(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    rig_poll(rig);
    assert_true(rig->client->reached);
    assert_int_equal(rig->client->device_state, BL_STATE_IDLE);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    assert_int_equal(rig_nonce(rig).n, 0);
}

static void download_is_reported_before_it_begins(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    assert_int_equal(rig->server.last.state, BL_STATE_DOWNLOADING);
    assert_int_equal(rig->server.last.size, SIM_APP_SIZE);
    assert_int_equal(rig->server.last.nonce.n, 0);
}

static void parts_are_installed_each_in_its_component(void **state)
{
    struct rig *rig = *state;

    offered(rig, SIM_R_PARTS);
    assert_on_trial(rig, SIM_R_PARTS);
    assert_memory_equal(rig->device.flash.bytes +
                            rig->device.component[1].area[BL_SLOT_B].offset,
                        fixture.release[SIM_R_PARTS].net, SIM_NET_SIZE);
}

/* A scratch area, or the other slot's image, changes with the next
 * installation: the boot code would then start nothing. */
static void parts_that_do_not_last_are_refused_before_anything(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig->device.component[1].kind = BL_COMPONENT_STAGE;
    offered(rig, SIM_R_PARTS);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_COMPONENT_FORBIDDEN);
    assert_int_equal(rig_events(rig, BL_STATE_DOWNLOADING, &code), 0);
    assert_int_equal(rig->client->state.slot[BL_SLOT_B].status, BL_SLOT_EMPTY);
}

/* --- Transfers that break
 * --------------------------------------------------------- */

/* The GET in hand goes on behind what flash has of the first `n` bytes. */
static void assert_in_flash(struct rig *rig, size_t n)
{
    assert_true(rig->action.offset <= n);
    assert_true(n - rig->action.offset < sizeof(rig->device.io));
    assert_int_equal(rig->action.offset, rig->client->install.done);
    assert_int_not_equal(rig->action.offset, 4000);
}

static void serve_rest(struct rig *rig)
{
    uint32_t from = rig->action.offset;

    rig_serve(rig, from > 0 ? 206 : 200, from,
              part(app(SIM_R2), from, SIM_APP_SIZE), true);
}

static void broken_transfer_resumes_at_its_offset(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, 5000), false);
    get(rig);
    assert_in_flash(rig, 5000);
    serve_rest(rig);
    assert_on_trial(rig, SIM_R2);
}

/* What was not in flash yet is asked for again: `io` is not the client's alone
 * between two transfers. */
static void broken_transfer_leaves_nothing_in_io(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    for (size_t to = 333; to < SIM_APP_SIZE; to += 4321) {
        size_t from = rig->action.offset;

        rig_serve(rig, from > 0 ? 206 : 200, (uint32_t)from,
                  part(app(SIM_R2), from, to), false);
        memset(rig->device.io, 0x5A, sizeof(rig->device.io));
        get(rig);
        assert_in_flash(rig, to);
    }
    serve_rest(rig);
    assert_false(rig->client->restarted);
    assert_on_trial(rig, SIM_R2);
}

static void server_that_ignores_range_is_taken_from_the_beginning(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, 5000), false);
    get(rig);
    rig_serve(rig, 200, 0, app(SIM_R2), true);
    assert_on_trial(rig, SIM_R2);
}

static void answer_from_another_offset_is_an_error(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, 5000), false);
    get(rig);
    assert_in_flash(rig, 5000);
    assert_int_equal(bl_client_body(rig->client, 206, 4000), BL_HTTP);
    assert_int_equal(bl_client_data(rig->client, "x", 1), BL_HTTP);
    bl_client_done(rig->client, rig->now_ms, false, 0);
    get(rig);
    assert_in_flash(rig, 5000);
}

static void range_that_cannot_be_had_begins_anew(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, 5000), false);
    get(rig);
    rig_serve(rig, 416, 0, bl_span_of(NULL, 0), false);
    get(rig);
    assert_int_equal(rig->action.offset, 0);
    rig_serve(rig, 200, 0, app(SIM_R2), true);
    assert_on_trial(rig, SIM_R2);
}

static void power_cut_resumes_and_says_so(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, 12500), false);
    offered(rig, SIM_R2); /* a new start: RAM is gone */
    serve_manifest(rig);
    assert_true(rig_events(rig, BL_STATE_DOWNLOADING, &code) == 2);
    assert_int_equal(code, BL_INTERRUPTED);
    get(rig);
    assert_true(rig->action.offset >= 10240);
    assert_true(rig->action.offset <= 12500);
    assert_on_trial(rig, SIM_R2);
}

/* Has the last try at SIM_R2 been called an interrupted one? */
static bool called_interrupted(struct rig *rig)
{
    bl_status code = BL_OK;

    assert_true(rig_events(rig, BL_STATE_DOWNLOADING, &code) > 0);
    return code == BL_INTERRUPTED;
}

static void refuse_r2(struct rig *rig)
{
    static uint8_t wrong[SIM_APP_SIZE];

    memcpy(wrong, app(SIM_R2).p, SIM_APP_SIZE);
    wrong[4711] ^= 4;
    get(rig);
    rig_serve(rig, 200, 0, bl_span_of(wrong, SIM_APP_SIZE), true);
    assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
}

static void
refused_release_that_is_tried_again_was_not_interrupted(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    downloading(rig, SIM_R2);
    refuse_r2(rig);
    for (unsigned i = 2; i < 5; i++) {
        serve_manifest(rig);
        assert_int_equal(rig_events(rig, BL_STATE_DOWNLOADING, &code), i);
        assert_false(called_interrupted(rig));
        refuse_r2(rig);
        assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), i);
    }
    offered(rig, SIM_R2); /* nor after a reset, for the refusal was its end */
    serve_manifest(rig);
    assert_false(called_interrupted(rig));
    offered(rig, SIM_R2); /* but this time it was */
    serve_manifest(rig);
    assert_true(called_interrupted(rig));
    assert_on_trial(rig, SIM_R2);
}

static void
failed_download_that_is_tried_again_was_not_interrupted(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, 12500), false);
    for (int i = 0; i < 9; i++) {
        get(rig);
        bl_client_unreachable(rig->client, rig->now_ms);
    }
    assert_ended(rig, BL_STATE_FAILED, BL_ATTEMPTS);
    serve_manifest(rig);
    assert_false(called_interrupted(rig));
    get(rig);
    assert_true(rig->action.offset > 0); /* and yet it goes on */
    assert_on_trial(rig, SIM_R2);
}

static void pieces_of_different_images_are_begun_anew_once(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R3), 0, 5000), false);
    get(rig);
    serve_rest(rig);
    get(rig);
    assert_int_equal(rig->action.offset, 0);
    rig_serve(rig, 200, 0, app(SIM_R2), true);
    assert_on_trial(rig, SIM_R2);
}

static void download_fails_after_ten_attempts(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    for (int i = 0; i < 10; i++) {
        get(rig);
        bl_client_unreachable(rig->client, rig->now_ms);
    }
    assert_ended(rig, BL_STATE_FAILED, BL_ATTEMPTS);
}

static void retry_after_of_a_download_is_honoured(void **state)
{
    struct rig *rig = *state;
    uint64_t then;

    downloading(rig, SIM_R2);
    assert_int_equal(bl_client_body(rig->client, 503, 0), BL_HTTP);
    then = rig->now_ms;
    bl_client_done(rig->client, rig->now_ms, false, 300);
    get(rig);
    assert_int_equal(rig->now_ms - then, 300000);
}

static void failed_release_waits_for_the_next_regular_poll(void **state)
{
    struct rig *rig = *state;
    uint64_t then;

    downloading(rig, SIM_R2);
    for (int i = 0; i < 10; i++) {
        get(rig);
        bl_client_unreachable(rig->client, rig->now_ms);
    }
    then = rig->now_ms;
    rig_poll(rig); /* tells so at once */
    assert_int_equal(rig->server.last.state, BL_STATE_FAILED);
    assert_true(rig->now_ms == then);
    while (rig_next(rig) == BL_TODO_POLL) {
        rig_ask(rig);
        rig_give(rig);
    }
    assert_int_equal(rig->action.todo, BL_TODO_GET);
    assert_true(rig->now_ms - then >= 1620000);
    assert_true(rig->now_ms - then <= 2 * 1980000);
}

/* --- Payloads that are not what they should be
 * --------------------------------------- */

static void wrong_payload_is_refused(void **state)
{
    struct rig *rig = *state;
    uint8_t wrong[SIM_APP_SIZE];

    memcpy(wrong, app(SIM_R2).p, SIM_APP_SIZE);
    wrong[4711] ^= 4;
    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, bl_span_of(wrong, SIM_APP_SIZE), true);
    assert_ended(rig, BL_STATE_REFUSED, BL_PAYLOAD_DIGEST);
}

static void long_payload_is_refused(void **state)
{
    struct rig *rig = *state;
    uint8_t too_long[SIM_APP_SIZE + 1] = {0};

    memcpy(too_long, app(SIM_R2).p, SIM_APP_SIZE);
    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, bl_span_of(too_long, sizeof(too_long)), true);
    assert_ended(rig, BL_STATE_REFUSED, BL_PAYLOAD_LONG);
}

static void short_payload_is_refused(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, part(app(SIM_R2), 0, SIM_APP_SIZE - 1), true);
    assert_ended(rig, BL_STATE_REFUSED, BL_PAYLOAD_SHORT);
}

static void payload_that_is_there_needs_no_happy_end(void **state)
{
    struct rig *rig = *state;

    downloading(rig, SIM_R2);
    rig_serve(rig, 200, 0, app(SIM_R2), false);
    assert_on_trial(rig, SIM_R2);
}

/* --- Manifests that are not what they should be
 * ---------------------------------------- */

static void serve_envelope(struct rig *rig, bl_span envelope)
{
    get(rig);
    rig_serve(rig, 200, 0, envelope, true);
}

static void manifest_for_another_product_is_refused(void **state)
{
    struct rig *rig = *state;

    offered(rig, SIM_R_OTHER_CLASS);
    serve_manifest(rig);
    assert_ended(rig, BL_STATE_REFUSED, BL_CLASS);
}

static void manifest_by_a_stranger_is_refused(void **state)
{
    struct rig *rig = *state;

    offered(rig, SIM_R_STRANGER);
    serve_manifest(rig);
    assert_ended(rig, BL_STATE_REFUSED, BL_SIGNATURE);
}

static void manifest_that_the_ticket_does_not_name_is_refused(void **state)
{
    struct rig *rig = *state;

    offered(rig, SIM_R2);
    serve_envelope(rig, buffer_span(&fixture.release[SIM_R3].envelope));
    assert_ended(rig, BL_STATE_REFUSED, BL_TICKET_DIGEST);
}

static void manifest_that_does_not_fit_is_refused(void **state)
{
    struct rig *rig = *state;
    static const uint8_t zeros[SIM_ENVELOPE_MAX + 1];

    offered(rig, SIM_R2);
    serve_envelope(rig, bl_span_of(zeros, sizeof(zeros)));
    assert_ended(rig, BL_STATE_REFUSED, BL_TOO_LARGE);
}

/* The key id beside a signature is a hint and not signed. */
static bool is_hint(bl_span whole, size_t at)
{
    struct bl_suit_envelope e;
    size_t kid;

    assert_ok(bl_suit_read(whole, &e));
    kid = (size_t)(e.block[0].kid.p - whole.p);
    return at >= kid && at < kid + e.block[0].kid.n;
}

static void truncated_manifests_are_refused(void **state)
{
    struct rig *rig = *state;
    bl_span whole = buffer_span(&fixture.release[SIM_R2].envelope);

    for (size_t i = 0; i < whole.n; i++) {
        offered(rig, SIM_R2);
        serve_envelope(rig, part(whole, 0, i));
        assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
    }
    assert_int_equal(rig->client->state.slot[BL_SLOT_B].status, BL_SLOT_EMPTY);
}

static void flipped_manifests_are_refused(void **state)
{
    struct rig *rig = *state;
    bl_span whole = buffer_span(&fixture.release[SIM_R2].envelope);
    uint8_t copy[SIM_ENVELOPE_MAX];

    for (size_t i = 0; i < whole.n; i++) {
        if (is_hint(whole, i)) {
            continue;
        }
        memcpy(copy, whole.p, whole.n);
        copy[i] ^= (uint8_t)(1U << i % 8);
        offered(rig, SIM_R2);
        serve_envelope(rig, bl_span_of(copy, whole.n));
        assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
    }
    assert_int_equal(rig->client->state.slot[BL_SLOT_B].status, BL_SLOT_EMPTY);
}

static void refusal_that_repeats_itself_is_written_once(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    offered(rig, SIM_R_STRANGER);
    for (int i = 0; i < 4; i++) {
        serve_manifest(rig);
    }
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(rig_events(rig, BL_STATE_OFFERED, &code), 1);
}

/* --- Floors and permits
 * ------------------------------------------------------------------ */

static void set_floor(struct rig *rig, uint64_t floor)
{
    struct bl_state s;

    assert_ok(bl_state_load(&rig->device.layout, &s));
    s.floor = floor;
    assert_ok(bl_state_save(&rig->device.layout, &s));
}

static void below_the_floor_is_refused_without_a_permit(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    set_floor(rig, 3);
    offered(rig, SIM_R2);
    serve_manifest(rig);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_SEQUENCE_LOW);
}

static void permit_lifts_the_floor_for_one_release(void **state)
{
    struct rig *rig = *state;

    set_floor(rig, 3);
    rig->server.permit = true;
    offered(rig, SIM_R2);
    assert_on_trial(rig, SIM_R2);
    assert_int_equal(rig->client->state.slot[BL_SLOT_B].permitted, 1);
    assert_int_equal(rig->client->state.floor, 3);
}

static void permit_for_another_release_is_refused_by_name(void **state)
{
    struct rig *rig = *state;
    struct sim_fixture other = fixture;
    bl_status code = BL_OK;

    set_floor(rig, 3);
    other.release[SIM_R2].permit[0] = fixture.release[SIM_R1].permit[0];
    rig->server.fixture = &other;
    rig->server.permit = true;
    offered(rig, SIM_R2);
    serve_manifest(rig);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_PERMIT_TARGET);
}

static void permit_by_a_stranger_is_refused_by_name(void **state)
{
    struct rig *rig = *state;
    struct author_permit permit = {.expiry = SIM_TIME + 86400,
                                   .issued = SIM_TIME};
    struct sim_fixture other = fixture;
    struct buffer signed_one = BUFFER(512);
    bl_status code = BL_OK;

    memcpy(permit.class_id, fixture.class_id, 16);
    memcpy(permit.manifest, fixture.release[SIM_R2].manifest, 32);
    assert_int_equal(author_permit(&permit, &fixture.key[SIM_KEY_STRANGER], 1,
                                   &signed_one, NULL),
                     0);
    other.release[SIM_R2].permit[0] = signed_one;
    set_floor(rig, 3);
    rig->server.fixture = &other;
    rig->server.permit = true;
    offered(rig, SIM_R2);
    serve_manifest(rig);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_PERMIT_SIGNATURE);
    buffer_free(&signed_one);
}

static uint64_t late(void *ctx)
{
    (void)ctx;
    return SIM_TIME + 3600; /* the ticket is still good */
}

static void expired_permit_is_refused_by_name(void **state)
{
    struct rig *rig = *state;
    struct author_permit permit = {.expiry = SIM_TIME + 1800,
                                   .issued = SIM_TIME};
    struct sim_fixture other = fixture;
    struct buffer signed_one = BUFFER(512);
    bl_status code = BL_OK;

    memcpy(permit.class_id, fixture.class_id, 16);
    memcpy(permit.manifest, fixture.release[SIM_R2].manifest, 32);
    assert_int_equal(author_permit(&permit, &fixture.key[SIM_KEY_RELEASE], 1,
                                   &signed_one, NULL),
                     0);
    other.release[SIM_R2].permit[0] = signed_one;
    set_floor(rig, 3);
    rig->server.fixture = &other;
    rig->server.permit = true;
    rig->config.now = late;
    offered(rig, SIM_R2);
    serve_manifest(rig);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, BL_PERMIT_EXPIRED);
    buffer_free(&signed_one);
}

/* --- Waiting ----------------------------------------------------------- */

static void waits_for_consent_and_says_so(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig->wait = BL_WAIT_CONSENT;
    offered(rig, SIM_R2);
    rig_poll(rig);
    assert_int_equal(rig->server.last.state, BL_STATE_WAITING);
    assert_int_equal(rig->server.last.wait, BL_WAIT_CONSENT);
    for (int i = 0; i < 10; i++) {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        assert_int_equal(rig->action.todo, BL_TODO_SLEEP);
        assert_true(rig->action.until_ms <= rig->now_ms + 60000);
        rig->now_ms = rig->action.until_ms;
    }
    assert_int_equal(rig_events(rig, BL_STATE_WAITING, &code), 1);
    rig->wait = BL_WAIT_NONE;
    assert_on_trial(rig, SIM_R2);
    assert_int_equal(rig_events(rig, BL_STATE_OFFERED, &code), 1);
}

static void offer_withdrawn_while_waiting_is_dropped(void **state)
{
    struct rig *rig = *state;

    rig->wait = BL_WAIT_WINDOW;
    offered(rig, SIM_R2);
    rig_poll(rig);
    rig->server.wanted = SIM_R1;
    do {
        while (rig_next(rig) == BL_TODO_SLEEP) {
        }
        rig_ask(rig);
        rig_give(rig);
    } while (rig->server.last.nonce.n == 0);
    assert_int_equal(rig->client->device_state, BL_STATE_IDLE);
    rig->wait = BL_WAIT_NONE;
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->client->device_state, BL_STATE_IDLE);
}

int main(void)
{
#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(update_goes_through_all_states_to_a_reset),
        TEST(wanted_that_runs_is_up_to_date),
        TEST(download_is_reported_before_it_begins),
        TEST(parts_are_installed_each_in_its_component),
        TEST(parts_that_do_not_last_are_refused_before_anything),
        TEST(broken_transfer_resumes_at_its_offset),
        TEST(broken_transfer_leaves_nothing_in_io),
        TEST(server_that_ignores_range_is_taken_from_the_beginning),
        TEST(answer_from_another_offset_is_an_error),
        TEST(range_that_cannot_be_had_begins_anew),
        TEST(power_cut_resumes_and_says_so),
        TEST(refused_release_that_is_tried_again_was_not_interrupted),
        TEST(failed_download_that_is_tried_again_was_not_interrupted),
        TEST(pieces_of_different_images_are_begun_anew_once),
        TEST(download_fails_after_ten_attempts),
        TEST(retry_after_of_a_download_is_honoured),
        TEST(failed_release_waits_for_the_next_regular_poll),
        TEST(wrong_payload_is_refused),
        TEST(long_payload_is_refused),
        TEST(short_payload_is_refused),
        TEST(payload_that_is_there_needs_no_happy_end),
        TEST(manifest_for_another_product_is_refused),
        TEST(manifest_by_a_stranger_is_refused),
        TEST(manifest_that_the_ticket_does_not_name_is_refused),
        TEST(manifest_that_does_not_fit_is_refused),
        TEST(truncated_manifests_are_refused),
        TEST(flipped_manifests_are_refused),
        TEST(refusal_that_repeats_itself_is_written_once),
        TEST(below_the_floor_is_refused_without_a_permit),
        TEST(permit_lifts_the_floor_for_one_release),
        TEST(permit_for_another_release_is_refused_by_name),
        TEST(permit_by_a_stranger_is_refused_by_name),
        TEST(expired_permit_is_refused_by_name),
        TEST(uptime_is_right_after_years),
        TEST(waits_for_consent_and_says_so),
        TEST(offer_withdrawn_while_waiting_is_dropped),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
