/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads that come as patches, and what happens when they do not. */
#include "rig.h"

#include "double.h"

#include "bowline/cbor.h"

enum {
    ROOM_FOR_PATCH = 8192,
    /* Bytes of `good_patch` that give 9,800 */
    CUT = DOUBLE_HEAD + 9 + 900 + 3 * 9 + 9 + 300
};

/* A patch in the making. */
static struct {
    uint8_t bytes[ROOM_FOR_PATCH];
    size_t n;
    struct sim_patch offer;
} patch;

static void put32(uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        patch.bytes[patch.n++] = (uint8_t)(v >> (8 * i));
    }
}

static void operation(uint8_t kind, uint32_t from, uint32_t n)
{
    patch.bytes[patch.n++] = kind;
    put32(from);
    put32(n);
}

static void literal(const struct sim_release *r, uint32_t from, uint32_t n)
{
    operation(DOUBLE_LITERAL, 0, n);
    memcpy(patch.bytes + patch.n, r->app + from, n);
    patch.n += n;
}

static void head(const struct sim_release *old, const struct sim_release *new)
{
    memset(&patch, 0, sizeof(patch));
    patch.bytes[0] = 'D';
    patch.bytes[2] = 2048 / 256; /* of memory */
    patch.n = 4;
    put32(SIM_APP_SIZE);
    put32(SIM_APP_SIZE);
    memcpy(patch.bytes + patch.n, old->app_sha256, 4);
    memcpy(patch.bytes + patch.n + 4, new->app_sha256, 4);
    patch.n = DOUBLE_HEAD;
}

/* As it stands, offered for SIM_R1 to SIM_R2. */
static void offer(struct rig *rig)
{
    patch.offer.bytes = bl_span_of(patch.bytes, patch.n);
    memcpy(patch.offer.base, fixture.release[SIM_R1].app_sha256, 32);
    memcpy(patch.offer.payload, fixture.release[SIM_R2].app_sha256, 32);
    bl_sha256(patch.bytes, patch.n, patch.offer.sha256);
    rig->server.patch = &patch.offer;
}

/* SIM_R1 to SIM_R2: the runs that look erased are the same in both. */
static void good_patch(struct rig *rig)
{
    const struct sim_release *new = &fixture.release[SIM_R2];

    head(&fixture.release[SIM_R1], new);
    literal(new, 0, 900);
    operation(DOUBLE_COPY, 900, 4300);
    operation(DOUBLE_AGAIN, 1000, 4100);
    operation(DOUBLE_AGAIN, 5100, 200);
    literal(new, 9500, 500);
    operation(DOUBLE_COPY, 10000, 1500);
    literal(new, 11500, 1501);
    offer(rig);
}

static int setup(void **state)
{
    struct rig *rig;

    if (rig_setup(state) != 0) {
        return -1;
    }
    rig = *state;
    rig->config.delta = &bl_delta_engine;
    rig->config.delta_keep = 1;
    rig->config.io_size = 256; /* little is lost in it */
    rig->server.wanted = SIM_R2;
    double_build = 1;
    double_output = 0;
    good_patch(rig);
    return 0;
}

static bool starts(const struct rig *rig, const char *folder)
{
    return strncmp((const char *)rig->action.uri.p, folder, strlen(folder)) ==
           0;
}

/* On to the next GET of this folder. */
static void get(struct rig *rig, const char *folder)
{
    for (int i = 0; i < 20; i++) {
        bl_todo todo = rig_next(rig);

        if (todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        } else if (todo == BL_TODO_GET && starts(rig, folder)) {
            return;
        } else if (todo == BL_TODO_GET && starts(rig, "manifests/")) {
            rig_serve(rig, 200, 0,
                      sim_server_get(&rig->server, rig->action.uri), true);
        } else {
            fail_msg("%.*s is asked for", (int)rig->action.uri.n,
                     (const char *)rig->action.uri.p);
        }
    }
    fail_msg("nothing is asked for");
}

/* The patch from where the GET in hand wants it, up to `end`. */
static void serve_to(struct rig *rig, size_t end)
{
    uint32_t from = rig->action.offset;

    assert_true(from <= end);
    rig_serve(rig, from > 0 ? 206 : 200, from,
              bl_span_of(patch.bytes + from, end - from), end == patch.n);
}

static unsigned failures(struct rig *rig)
{
    struct bl_event event[4];
    uint32_t after = 0;
    uint32_t n = 0;
    unsigned found = 0;

    for (;;) {
        assert_ok(bl_journal_read(&rig->client->journal, after, event, 4, &n));
        if (n == 0) {
            return found;
        }
        for (uint32_t i = 0; i < n; i++) {
            found += event[i].state == BL_STATE_DOWNLOADING &&
                     event[i].code == BL_DELTA_FAILED;
        }
        after = event[n - 1].number;
    }
}

static const uint8_t *slot(const struct rig *rig, uint8_t which)
{
    return rig->device.flash.bytes +
           rig->device.component[0].area[which].offset;
}

static void assert_on_trial(struct rig *rig)
{
    struct bl_state stored;

    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_ok(bl_state_load(&rig->device.layout, &stored));
    assert_int_equal(stored.trial, BL_SLOT_B);
    assert_memory_equal(slot(rig, BL_SLOT_B), fixture.release[SIM_R2].app,
                        SIM_APP_SIZE);
    assert_memory_equal(slot(rig, BL_SLOT_A), fixture.release[SIM_R1].app,
                        SIM_APP_SIZE);
}

/* The patch is given up, and the payload asked for from `offset` on. */
static void assert_whole(struct rig *rig, bl_status why, bool from_nothing)
{
    get(rig, "payloads/");
    assert_int_equal(rig->client->delta.why, why);
    assert_int_equal(failures(rig), 1);
    assert_int_equal(rig->action.offset == 0, from_nothing);
    assert_int_equal(rig->server.last.state, BL_STATE_DOWNLOADING);
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 1);
}

/* Serves up to `end`, then the power goes; what is asked for next. */
static void cut_at(struct rig *rig, size_t end)
{
    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, end);
    rig_start(rig);
    double_output = 0;
    get(rig, "deltas/");
}

/* --- As it should be ------------------------------------------------------
 */

static void poll_says_what_deltas_the_device_takes(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    rig_poll(rig);
    assert_true(rig->server.last.nonce.n > 0);
    assert_true(rig->server.last.has_deltas);
    assert_int_equal(rig->server.last.delta_format, 1);
    assert_int_equal(rig->server.last.delta_memory, SIM_DELTA_MEMORY);
    assert_int_equal(rig->server.last.delta_sets, 3);
    get(rig, "deltas/"); /* behind a report */
    assert_int_equal(rig->server.last.nonce.n, 0);
    assert_false(rig->server.last.has_deltas);
}

static void device_without_the_engine_says_nothing_and_takes_none(void **state)
{
    struct rig *rig = *state;

    rig->config.delta = NULL;
    rig_start(rig);
    rig_poll(rig);
    assert_false(rig->server.last.has_deltas);
    rig->server.last.has_deltas = true;
    get(rig, "payloads/");
    assert_on_trial(rig);
}

static void patch_gives_the_payload(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    get(rig, "deltas/");
    assert_int_equal(rig->action.uri.n, 7 + 64);
    assert_int_equal(rig->action.offset, 0);
    assert_int_equal(rig->action.size, patch.n);
    assert_memory_equal(rig->action.etag, patch.offer.sha256, 32);
    serve_to(rig, patch.n);
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
    assert_int_equal(rig_events(rig, BL_STATE_DOWNLOADING, &code), 1);
    assert_int_equal(rig_events(rig, BL_STATE_VERIFYING, &code), 1);
    assert_int_equal(double_output, SIM_APP_SIZE);
}

static void patch_comes_byte_by_byte(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    assert_ok(bl_client_body(rig->client, 200, 0));
    for (size_t i = 0; i < patch.n; i++) {
        assert_ok(bl_client_data(rig->client, patch.bytes + i, 1));
    }
    bl_client_done(rig->client, rig->now_ms, true, 0);
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
}

static unsigned busy_calls;

static void on_busy(void *ctx)
{
    (void)ctx;
    busy_calls++;
}

static void long_copies_let_the_watchdog_be_fed(void **state)
{
    struct rig *rig = *state;

    busy_calls = 0;
    rig->config.busy = on_busy;
    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n);
    assert_true(busy_calls >= SIM_APP_SIZE / DOUBLE_QUANTUM);
}

static void progress_is_told_in_bytes_of_the_payload(void **state)
{
    struct rig *rig = *state;

    cut_at(rig, patch.n - 1300);
    assert_int_equal(rig->server.last.size, SIM_APP_SIZE);
    assert_true(rig->server.last.done >= 8192);
}

/* --- What is not taken ----------------------------------------------------
 */

static void patch_for_another_base_is_not_asked_for(void **state)
{
    struct rig *rig = *state;

    patch.offer.base[31] ^= 1;
    rig_start(rig);
    get(rig, "payloads/");
    assert_int_equal(rig->client->delta.why, BL_DELTA_BASE);
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
}

static void patch_for_another_payload_is_not_asked_for(void **state)
{
    struct rig *rig = *state;

    patch.offer.payload[0] ^= 1;
    rig_start(rig);
    get(rig, "payloads/");
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
}

static void patch_as_large_as_the_payload_is_not_asked_for(void **state)
{
    struct rig *rig = *state;

    patch.offer.bytes.n = SIM_APP_SIZE;
    rig_start(rig);
    get(rig, "payloads/");
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
}

static void base_that_rotted_is_found_before_anything_is_fetched(void **state)
{
    struct rig *rig = *state;
    uint8_t *base;

    rig_start(rig);
    base = rig->device.flash.bytes +
           rig->device.component[0].area[BL_SLOT_A].offset;
    base[8000] ^= 4;
    get(rig, "payloads/");
    base[8000] ^= 4;
    assert_whole(rig, BL_DELTA_BASE, true);
}

static void offer_that_is_malformed_spoils_the_answer(void **state)
{
    static const uint8_t answers[][8] = {
        {0xa1, 0x09, 0x80}, /* an array of nothing */
        {0xa1, 0x09, 0x84, 0x41, 0x00, 0x40, 0x40, 0x00},
        {0xa1, 0x09, 0x41, 0x00}};
    static const size_t sizes[] = {3, 8, 4};
    struct rig *rig = *state;

    rig_start(rig);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        bl_client_answer(rig->client, rig->now_ms, 200,
                         bl_span_of(answers[i], sizes[i]), 0);
        assert_int_equal(rig->client->refusal, BL_ANSWER);
    }
}

/* --- Patches that cannot be had -------------------------------------------
 */

static void missing_patch_brings_the_whole_payload(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    rig_serve(rig, 404, 0, bl_span_of(NULL, 0), true);
    assert_whole(rig, BL_DELTA_FAILED, true);
}

static void patch_that_vanished_costs_nothing_of_what_it_gave(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, 2000);
    get(rig, "deltas/");
    rig_serve(rig, 404, 0, bl_span_of(NULL, 0), true);
    assert_whole(rig, BL_DELTA_FAILED, false);
}

static void busy_server_is_asked_again_and_then_for_the_payload(void **state)
{
    struct rig *rig = *state;
    uint64_t before;

    rig_start(rig);
    before = rig->now_ms;
    for (int i = 0; i < 10; i++) {
        get(rig, "deltas/");
        rig_serve(rig, 503, 0, bl_span_of(NULL, 0), true);
    }
    assert_true(rig->now_ms - before > 60000);
    assert_whole(rig, BL_HTTP, true);
}

static void transfers_that_break_go_on_where_they_were(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    for (size_t at = 1; at < patch.n; at += 500) {
        get(rig, "deltas/");
        assert_int_equal(rig->action.offset, at < 500 ? 0 : at - 500);
        serve_to(rig, at);
    }
    get(rig, "deltas/");
    serve_to(rig, patch.n);
    assert_on_trial(rig);
    assert_int_equal(double_output, SIM_APP_SIZE);
    assert_int_equal(failures(rig), 0);
}

static void sender_that_ignores_range_is_taken_from_where_it_was(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, 1234);
    get(rig, "deltas/");
    assert_int_equal(rig->action.offset, 1234);
    rig_serve(rig, 200, 0, patch.offer.bytes, true);
    assert_on_trial(rig);
    assert_int_equal(double_output, SIM_APP_SIZE);
}

static void transfers_that_always_break_end_the_attempts(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    for (int i = 0; i < 10; i++) {
        get(rig, "deltas/");
        bl_client_unreachable(rig->client, rig->now_ms);
    }
    assert_int_equal(rig_events(rig, BL_STATE_FAILED, &code), 1);
    assert_int_equal(code, BL_ATTEMPTS);
    assert_int_equal(failures(rig), 0);
}

/* --- Patches that are wrong -----------------------------------------------
 */

/* What is offered now does not give SIM_R2. */
static void assert_refused(struct rig *rig, bl_status why)
{
    bl_sha256(patch.bytes, patch.n, patch.offer.sha256);
    patch.offer.bytes.n = patch.n;
    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n);
    assert_whole(rig, why, true);
}

static void patch_with_an_error_brings_the_whole_payload(void **state)
{
    patch.bytes[DOUBLE_HEAD + 9 + 900] = DOUBLE_BAD;
    assert_refused(*state, BL_DELTA_FORMAT);
}

static void patch_that_gives_another_image_brings_the_payload(void **state)
{
    patch.bytes[DOUBLE_HEAD + 9 + 100] ^= 1;
    assert_refused(*state, BL_PAYLOAD_DIGEST);
}

static void patch_that_wants_more_memory_brings_the_payload(void **state)
{
    patch.bytes[2] = SIM_DELTA_MEMORY / 256 + 1;
    assert_refused(*state, BL_DELTA_RAM);
}

static void patch_for_one_slot_brings_the_payload(void **state)
{
    patch.bytes[1] = 1;
    assert_refused(*state, BL_DELTA);
}

static void head_for_another_base_brings_the_payload(void **state)
{
    patch.bytes[12] ^= 1;
    assert_refused(*state, BL_DELTA_BASE);
}

static void head_of_another_size_brings_the_payload(void **state)
{
    patch.bytes[8] ^= 1;
    assert_refused(*state, BL_DELTA_FORMAT);
}

static void patch_that_ends_early_brings_the_payload(void **state)
{
    patch.n -= 100;
    assert_refused(*state, BL_DELTA_FORMAT);
}

static void patch_that_is_only_a_part_of_a_head_brings_the_payload(void **s)
{
    patch.n = 7;
    assert_refused(*s, BL_DELTA_FORMAT);
}

static void patch_longer_than_it_was_said_brings_the_payload(void **state)
{
    struct rig *rig = *state;

    patch.offer.bytes.n = patch.n - 1;
    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n);
    assert_whole(rig, BL_DELTA_FORMAT, true);
}

static void patch_shorter_than_it_was_said_brings_the_payload(void **state)
{
    struct rig *rig = *state;

    patch.offer.bytes.n = patch.n + 1;
    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n);
    assert_whole(rig, BL_DELTA_FORMAT, true);
}

/* The journal knows it after a reset, too. */
static void patch_that_failed_is_not_tried_again(void **state)
{
    struct rig *rig = *state;

    patch.bytes[DOUBLE_HEAD + 9 + 900] = DOUBLE_BAD;
    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n);
    get(rig, "payloads/");
    rig_serve(rig, 200, 0, bl_span_of(fixture.release[SIM_R2].app, 5000),
              false);
    rig_start(rig);
    get(rig, "payloads/");
    assert_int_equal(rig->server.patches, 2);
    assert_int_equal(rig->action.offset, 0); /* one block: it is done again */
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 1);
}

static void flash_that_fails_is_no_fault_of_the_patch(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    get(rig, "deltas/");
    assert_ok(bl_client_body(rig->client, 200, 0));
    sim_flash_cut_in(&rig->device.flash, 1, SIM_CUT_ABSENT);
    assert_int_equal(bl_client_data(rig->client, patch.bytes, 2000), BL_FLASH);
    sim_flash_power_on(&rig->device.flash);
    bl_client_done(rig->client, rig->now_ms, false, 0);
    assert_int_equal(rig_events(rig, BL_STATE_FAILED, &code), 1);
    assert_int_equal(code, BL_FLASH);
    assert_int_equal(failures(rig), 0);
}

/* --- Resets in the middle -------------------------------------------------
 */

static void finish(struct rig *rig)
{
    serve_to(rig, patch.n);
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
}

/* 11,700 bytes of output: kept at 4,096 and 8,192, of which the blocks up to
 * 10,240 hold both. */
static void cut_goes_on_from_the_newest_checkpoint(void **state)
{
    struct rig *rig = *state;

    cut_at(rig, patch.n - 1300);
    /* Behind the first literals and the three copies' heads. */
    assert_true(rig->action.offset > 24 + 900);
    assert_true(rig->action.offset < 24 + 900 + 5 * 9);
    finish(rig);
    assert_true(double_output < SIM_APP_SIZE - 8192);
}

static void image_that_flash_has_to_its_end_needs_no_patch(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    rig->config.delta_keep = 0;
    assert_ok(bl_client_body(rig->client, 200, 0));
    assert_ok(bl_client_data(rig->client, patch.bytes, patch.n));
    assert_ok(bl_install_end(&rig->client->install));
    rig_start(rig);
    rig_poll(rig);
    assert_on_trial(rig);
}

static uint8_t *place(const struct rig *rig, unsigned i)
{
    const struct bl_area *area = &rig->device.component[0].area[BL_SLOT_B];
    uint32_t block = rig->device.flash.flash.erase_size;
    uint32_t size = (52 + SIM_DELTA_MEMORY + block - 1) / block * block;

    return rig->device.flash.bytes + area->offset +
           (SIM_APP_SIZE + block - 1) / block * block + i * size;
}

static void damaged_checkpoint_leaves_the_one_before(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n - 1300);
    place(rig, 2)[500] ^= 1;
    rig_start(rig);
    double_output = 0;
    get(rig, "deltas/");
    assert_true(rig->action.offset > 24 + 900);
    finish(rig);
    assert_true(double_output > SIM_APP_SIZE - 8192);
    assert_true(double_output < SIM_APP_SIZE - 4095);
}

static void checkpoint_of_another_build_is_not_taken(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, CUT);
    rig_start(rig);
    get(rig, "deltas/");
    assert_true(rig->action.offset > 0);
    double_build = 2;
    rig_start(rig);
    double_output = 0;
    get(rig, "deltas/");
    assert_int_equal(rig->action.offset, 0);
    finish(rig);
    assert_int_equal(double_output, SIM_APP_SIZE);
}

static void checkpoint_of_another_patch_is_not_taken(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, CUT);
    /* The same image by another patch. */
    head(&fixture.release[SIM_R1], &fixture.release[SIM_R2]);
    literal(&fixture.release[SIM_R2], 0, 950);
    operation(DOUBLE_COPY, 950, 8550);
    literal(&fixture.release[SIM_R2], 9500, 3501);
    offer(rig);
    rig_start(rig);
    get(rig, "deltas/");
    assert_int_equal(rig->action.offset, 0);
    finish(rig);
}

static void checkpoints_that_are_not_wanted_are_not_read_either(void **state)
{
    struct rig *rig = *state;

    cut_at(rig, CUT);
    assert_true(rig->action.offset > 0);
    rig->config.delta_keep = BL_DELTA_KEEP_NONE;
    rig_start(rig);
    get(rig, "deltas/");
    assert_int_equal(rig->action.offset, 0);
    finish(rig);
}

/* What flash has is not written again. */
static void cut_without_checkpoints_begins_the_patch_anew(void **state)
{
    struct rig *rig = *state;
    uint64_t before;

    rig->config.delta_keep = 1U << 20;
    cut_at(rig, CUT);
    assert_int_equal(rig->action.offset, 0);
    before = rig->device.flash.writes;
    serve_to(rig, 24 + 9 + 900);
    assert_int_equal(rig->device.flash.writes, before);
    get(rig, "deltas/");
    finish(rig);
    assert_int_equal(double_output, SIM_APP_SIZE);
}

static void patch_goes_on_from_what_came_whole(void **state)
{
    struct rig *rig = *state;

    rig->server.patch = NULL;
    rig_start(rig);
    get(rig, "payloads/");
    rig_serve(rig, 200, 0, bl_span_of(fixture.release[SIM_R2].app, 9800),
              false);
    rig->server.patch = &patch.offer;
    rig_start(rig);
    get(rig, "deltas/");
    assert_true(rig->client->install.done > 8000);
    finish(rig);
}

static void rest_that_is_shorter_than_the_patch_comes_whole(void **state)
{
    struct rig *rig = *state;

    rig->server.patch = NULL;
    rig_start(rig);
    get(rig, "payloads/");
    rig_serve(rig, 200, 0, bl_span_of(fixture.release[SIM_R2].app, 12900),
              false);
    rig->server.patch = &patch.offer;
    rig_start(rig);
    get(rig, "payloads/");
    assert_true(rig->action.offset > 10000);
    assert_on_trial(rig);
    assert_int_equal(failures(rig), 0);
}

/* The last bytes of a patch may give very much: no GET for what is there. */
static void cut_behind_the_patchs_last_byte_asks_for_nothing_more(void **state)
{
    struct rig *rig = *state;
    const struct sim_release *new = &fixture.release[SIM_R2];

    /* All of it first, in pieces that do not belong there: another image. */
    head(&fixture.release[SIM_R1], new);
    literal(new, 0, 1200);
    operation(DOUBLE_COPY, 1200, 11801);
    offer(rig);
    rig_start(rig);
    get(rig, "deltas/");
    assert_ok(bl_client_body(rig->client, 200, 0));
    assert_ok(bl_client_data(rig->client, patch.bytes, patch.n));
    /* At about 10 KB of what the patch's end makes of it. */
    sim_flash_cut_in(&rig->device.flash, 41, SIM_CUT_ABSENT);
    bl_client_done(rig->client, rig->now_ms, true, 0);
    sim_flash_power_on(&rig->device.flash);
    rig_start(rig);
    double_output = 0;
    get(rig, "payloads/"); /* it was wrong, and found so without a GET */
    assert_int_equal(rig->client->delta.why, BL_PAYLOAD_DIGEST);
    assert_true(double_output > 0);
    assert_true(double_output < SIM_APP_SIZE);
    assert_on_trial(rig);
}

static void offer_that_waits_goes_on_by_delta(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    get(rig, "deltas/");
    serve_to(rig, patch.n - 1300);
    rig->wait = BL_WAIT_BATTERY;
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    rig_give(rig);
    assert_int_equal(rig->client->device_state, BL_STATE_WAITING);
    rig->wait = BL_WAIT_NONE;
    get(rig, "deltas/");
    assert_true(rig->action.offset > 0);
    finish(rig);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(poll_says_what_deltas_the_device_takes),
        T(device_without_the_engine_says_nothing_and_takes_none),
        T(patch_gives_the_payload),
        T(patch_comes_byte_by_byte),
        T(long_copies_let_the_watchdog_be_fed),
        T(progress_is_told_in_bytes_of_the_payload),
        T(patch_for_another_base_is_not_asked_for),
        T(patch_for_another_payload_is_not_asked_for),
        T(patch_as_large_as_the_payload_is_not_asked_for),
        T(base_that_rotted_is_found_before_anything_is_fetched),
        T(offer_that_is_malformed_spoils_the_answer),
        T(missing_patch_brings_the_whole_payload),
        T(patch_that_vanished_costs_nothing_of_what_it_gave),
        T(busy_server_is_asked_again_and_then_for_the_payload),
        T(transfers_that_break_go_on_where_they_were),
        T(sender_that_ignores_range_is_taken_from_where_it_was),
        T(transfers_that_always_break_end_the_attempts),
        T(patch_with_an_error_brings_the_whole_payload),
        T(patch_that_gives_another_image_brings_the_payload),
        T(patch_that_wants_more_memory_brings_the_payload),
        T(patch_for_one_slot_brings_the_payload),
        T(head_for_another_base_brings_the_payload),
        T(head_of_another_size_brings_the_payload),
        T(patch_that_ends_early_brings_the_payload),
        T(patch_that_is_only_a_part_of_a_head_brings_the_payload),
        T(patch_longer_than_it_was_said_brings_the_payload),
        T(patch_shorter_than_it_was_said_brings_the_payload),
        T(patch_that_failed_is_not_tried_again),
        T(flash_that_fails_is_no_fault_of_the_patch),
        T(cut_goes_on_from_the_newest_checkpoint),
        T(image_that_flash_has_to_its_end_needs_no_patch),
        T(damaged_checkpoint_leaves_the_one_before),
        T(checkpoint_of_another_build_is_not_taken),
        T(checkpoint_of_another_patch_is_not_taken),
        T(checkpoints_that_are_not_wanted_are_not_read_either),
        T(cut_without_checkpoints_begins_the_patch_anew),
        T(patch_goes_on_from_what_came_whole),
        T(rest_that_is_shorter_than_the_patch_comes_whole),
        T(cut_behind_the_patchs_last_byte_asks_for_nothing_more),
        T(offer_that_waits_goes_on_by_delta),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
