/* SPDX-License-Identifier: Apache-2.0 */
/* When an installation takes the other slot: not before the manifest's own
 * conditions hold, since what lies there is what the device can go back to. */
#include "rig.h"

#include "host/file.h"

#include "../suit/diagnostic.h"

#include <stdio.h>
#include <stdlib.h>

/* A device that has R2 confirmed in slot B, and R1 in A to go back to. */
static void with_fallback(struct rig *rig)
{
    rig->server.wanted = SIM_R2;
    rig_start(rig);
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    rig_reboot(rig);
    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->client->state.active, BL_SLOT_B);
}

static struct bl_state stored(struct rig *rig)
{
    struct bl_state s;

    assert_ok(bl_state_load(&rig->device.layout, &s));
    return s;
}

static void assert_fallback_is_whole(struct rig *rig)
{
    struct bl_state s = stored(rig);

    assert_int_equal(s.slot[BL_SLOT_A].status, BL_SLOT_CONFIRMED);
    assert_memory_equal(s.slot[BL_SLOT_A].manifest,
                        fixture.release[SIM_R1].manifest, 32);
    assert_memory_equal(rig->device.flash.bytes +
                            rig->device.component[0].area[BL_SLOT_A].offset,
                        fixture.release[SIM_R1].app, SIM_APP_SIZE);
}

/* Back to R1 without a byte of its payload over the network. */
static void assert_can_go_back(struct rig *rig)
{
    rig->server.wanted = SIM_R1;
    rig->server.permit = true;
    rig->server.breaks = UINT32_MAX; /* no payload would come */
    bl_client_poke(rig->client);
    for (int i = 0; i < 20; i++) {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        assert_int_not_equal(rig->action.todo, BL_TODO_GET);
        if (rig->action.todo == BL_TODO_RESET) {
            assert_int_equal(stored(rig).trial, BL_SLOT_A);
            return;
        }
        assert_int_equal(rig->action.todo, BL_TODO_POLL);
        rig_ask(rig);
        rig_give(rig);
    }
    fail_msg("it does not go back");
}

/* The device is offered an envelope of the test's own. */
static void offer(struct rig *rig, struct sim_fixture *other, bl_span envelope)
{
    struct bl_suit_envelope read;
    struct sim_release *r = &other->release[SIM_R3];

    *other = fixture;
    assert_ok(bl_suit_read(envelope, &read));
    memcpy(r->manifest, read.digest, 32);
    r->envelope.p = (uint8_t *)(uintptr_t)envelope.p;
    r->envelope.n = envelope.n;
    rig->server.fixture = other;
    rig->server.wanted = SIM_R3;
    bl_client_poke(rig->client);
}

static void assert_refused(struct rig *rig, bl_status why)
{
    bl_status code = BL_OK;

    assert_int_equal(rig_run(rig), BL_TODO_SLEEP);
    assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
    assert_int_equal(code, why);
}

static void release_of_another_product_leaves_the_fallback(void **state)
{
    struct rig *rig = *state;

    with_fallback(rig);
    rig->server.wanted = SIM_R_OTHER_CLASS;
    bl_client_poke(rig->client);
    assert_refused(rig, BL_CLASS);
    assert_fallback_is_whole(rig);
    assert_can_go_back(rig);
}

static void release_for_newer_firmware_leaves_the_fallback(void **state)
{
    struct rig *rig = *state;
    struct author_image image = {.component = "app", .size = SIM_APP_SIZE};
    struct author_manifest m = {.sequence = 77,
                                .version = "9.1.0",
                                .vendor_name = "example.com",
                                .model_name = "simulated",
                                .minimum_version = "9.0.0",
                                .image = &image,
                                .n_images = 1};
    struct buffer envelope = BUFFER(SIM_ENVELOPE_MAX);
    static struct sim_fixture other;

    memcpy(image.sha256, fixture.release[SIM_R3].app_sha256, 32);
    memcpy(m.vendor_id, fixture.vendor_id, 16);
    memcpy(m.class_id, fixture.class_id, 16);
    assert_int_equal(
        author_envelope(&m, &fixture.key[SIM_KEY_RELEASE], 1, &envelope, NULL),
        0);
    with_fallback(rig);
    offer(rig, &other, buffer_span(&envelope));
    assert_refused(rig, BL_VERSION);
    assert_fallback_is_whole(rig);
    rig->server.fixture = &fixture;
    assert_can_go_back(rig);
    buffer_free(&envelope);
}

static void download_takes_the_slot_when_it_begins(void **state)
{
    struct rig *rig = *state;

    with_fallback(rig);
    rig->server.wanted = SIM_R3;
    bl_client_poke(rig->client);
    do {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        }
    } while (rig->action.todo == BL_TODO_POLL);
    assert_int_equal(rig->action.todo, BL_TODO_GET);
    assert_fallback_is_whole(rig); /* the manifest is yet to come */
    rig_serve(rig, 200, 0, sim_server_get(&rig->server, rig->action.uri),
              true);
    assert_int_equal(stored(rig).slot[BL_SLOT_A].status, BL_SLOT_WRITING);
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_int_equal(stored(rig).trial, BL_SLOT_A);
}

/* --- Manifests that the author does not write -------------------------------
 */

static void hex(const uint8_t *p, size_t n, char *out)
{
    hex_encode(p, n, out);
    out[2 * n] = '\0';
}

/* The bytes are allocated. */
static bl_span make_manifest(const char *install)
{
    char vendor[33];
    char class_id[33];
    char text[2000];

    hex(fixture.vendor_id, 16, vendor);
    hex(fixture.class_id, 16, class_id);
    (void)snprintf(text, sizeof(text),
                   "<{1: 1, 2: 78, 3: <{2: [[h'617070']], 4: "
                   "<[20 {1: h'%s', 2: h'%s'} 1 15 2 15 20 {3: $a, 14: 4}]>}>,"
                   " 7: <[3 15]>, 9: <[3 15 23 2]>, 20: <[%s]>}>",
                   vendor, class_id, install);
    return diagnostic(text);
}

/* Signed by the release key; `install` are its commands. */
static void write_envelope(const char *install, struct buffer *out)
{
    bl_span manifest = make_manifest(install);
    struct bl_cbor_writer w;
    uint8_t room[SIM_ENVELOPE_MAX];
    uint8_t digest[32];
    char digest_text[65];
    char wrapper[200];
    bl_span bare = {NULL, 0};
    bl_span inner;

    bl_sha256(manifest.p, manifest.n, digest);
    hex(digest, 32, digest_text);
    (void)snprintf(wrapper, sizeof(wrapper), "<[<[-16 h'%s']>]>", digest_text);
    inner = diagnostic(wrapper);
    bl_cbor_writer_init(&w, room, sizeof(room));
    bl_cbor_put_tag(&w, 107);
    bl_cbor_put_map(&w, 2);
    bl_cbor_put_uint(&w, 2);
    bl_cbor_put_raw(&w, inner);
    bl_cbor_put_uint(&w, 3);
    bl_cbor_put_raw(&w, manifest);
    assert_ok(bl_cbor_writer_finish(&w, &bare));
    assert_int_equal(
        author_envelope_cosign(bare, fixture.key[SIM_KEY_RELEASE], out, NULL),
        0);
    free((void *)(uintptr_t)inner.p);
    free((void *)(uintptr_t)manifest.p);
}

static void offer_commands(struct rig *rig, const char *install)
{
    static struct sim_fixture other;
    static uint8_t bytes[SIM_ENVELOPE_MAX];
    struct buffer envelope = BUFFER(SIM_ENVELOPE_MAX);
    size_t n;

    write_envelope(install, &envelope);
    n = buffer_span(&envelope).n;
    memcpy(bytes, buffer_span(&envelope).p, n);
    buffer_free(&envelope);
    with_fallback(rig);
    offer(rig, &other, bl_span_of(bytes, n));
}

static void assert_written(struct rig *rig)
{
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_int_equal(stored(rig).trial, BL_SLOT_A);
    assert_memory_equal(rig->device.flash.bytes +
                            rig->device.component[0].area[BL_SLOT_A].offset,
                        "aaaa", 4);
}

static void manifest_that_writes_takes_the_slot_then(void **state)
{
    struct rig *rig = *state;

    offer_commands(rig, "20 {18: h'61616161'} 18 2 3 15");
    assert_written(rig);
}

static void
manifest_that_writes_after_a_condition_fails_takes_nothing(void **state)
{
    struct rig *rig = *state;

    offer_commands(rig, "20 {24: h'00000000000000000000000000000000'} 24 15"
                        " 20 {18: h'61616161'} 18 2 3 15");
    assert_refused(rig, BL_DEVICE_ID);
    assert_fallback_is_whole(rig);
}

/* What a condition found in the slot before it was taken is gone then: here
 * the image that is to be written is there in the first run, so that nothing
 * would be. */
static void conditions_are_judged_anew_in_the_slot_that_was_taken(void **state)
{
    struct rig *rig = *state;
    uint8_t *there;

    offer_commands(rig, "15 [<[3 15]> <[20 {18: h'61616161'} 18 2]>]");
    there = rig->device.flash.bytes +
            rig->device.component[0].area[BL_SLOT_A].offset;
    memcpy(there, "aaaa", 4);
    assert_written(rig);
}

int main(void)
{
#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(release_of_another_product_leaves_the_fallback),
        TEST(release_for_newer_firmware_leaves_the_fallback),
        TEST(download_takes_the_slot_when_it_begins),
        TEST(manifest_that_writes_takes_the_slot_then),
        TEST(manifest_that_writes_after_a_condition_fails_takes_nothing),
        TEST(conditions_are_judged_anew_in_the_slot_that_was_taken),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
