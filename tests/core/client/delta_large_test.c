/* SPDX-License-Identifier: Apache-2.0 */
/* An image of a usual size, with the real decoder and the usual distance of
 * checkpoints: what a power cut costs. */
#include "rig.h"

#include "crypto_cache.h"
#include "patches.h"

#include "diff/diff.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SIZE = 300 * 1024,
    NEW_SIZE = SIZE + 1280,
    MOST_REDONE = 64 * 1024,
    PORTION = 997
};

static uint8_t old_image[SIZE];
static uint8_t new_image[NEW_SIZE];
static struct buffer patch = BUFFER(1 << 20);
static struct sim_patch offer;

static void noise(uint8_t *out, size_t n, uint32_t x)
{
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525U + 1013904223U;
        out[i] = (uint8_t)(x >> 24);
    }
}

/* Twenty places of 64 bytes are inserted, and a tenth of all is another. */
static void make_images(void)
{
    size_t from = 0;
    size_t at = 0;

    noise(old_image, SIZE, 1);
    for (unsigned i = 0; i < 20; i++) {
        memcpy(new_image + at, old_image + from, SIZE / 20);
        noise(new_image + at + 3000, SIZE / 200, 2 + i);
        noise(new_image + at + SIZE / 20, 64, 99 + i);
        from += SIZE / 20;
        at += SIZE / 20 + 64;
    }
}

static int make_envelope(struct sim_release *r, const uint8_t *image,
                         uint32_t size, struct error *err)
{
    struct author_image app = {.component = "app", .size = size};
    struct author_manifest m = {.sequence = r->sequence,
                                .version = r->version,
                                .vendor_name = "example.com",
                                .model_name = "simulated",
                                .image = &app,
                                .n_images = 1};
    struct bl_suit_envelope envelope;

    bl_sha256(image, size, r->app_sha256);
    memcpy(app.sha256, r->app_sha256, 32);
    memcpy(m.vendor_id, fixture.vendor_id, 16);
    memcpy(m.class_id, fixture.class_id, 16);
    buffer_free(&r->envelope);
    r->envelope.limit = SIM_ENVELOPE_MAX;
    if (author_envelope(&m, &fixture.key[SIM_KEY_RELEASE], 1, &r->envelope,
                        err) != 0 ||
        bl_suit_read(buffer_span(&r->envelope), &envelope) != BL_OK) {
        return -1;
    }
    memcpy(r->manifest, envelope.digest, 32);
    return 0;
}

static int group_setup(void **state)
{
    struct diff_options options;
    struct error err = {0};

    make_images();
    diff_defaults(&options);
    options.ram = SIM_DELTA_MEMORY;
    if (rig_group_setup(state) != 0 ||
        make_envelope(&fixture.release[SIM_R1], old_image, SIZE, &err) != 0 ||
        make_envelope(&fixture.release[SIM_R2], new_image, NEW_SIZE, &err) !=
            0 ||
        diff_make(old_image, SIZE, new_image, NEW_SIZE, &options, &patch, NULL,
                  &err) != 0) {
        printf("%s\n", err.text);
        return -1;
    }
    sim_patch_offer(&fixture, SIM_R1, SIM_R2, buffer_span(&patch), &offer);
    return 0;
}

static int group_teardown(void **state)
{
    buffer_free(&patch);
    return rig_group_teardown(state);
}

/* As sim_device_provision, of this size. */
static bl_status provision(struct sim_device *d)
{
    const struct sim_release *r = &fixture.release[SIM_R1];
    struct bl_install install;
    struct bl_state state = {.active = BL_SLOT_B, .trial = BL_SLOT_NONE};
    uint32_t offset = 0;
    bool resumed = false;
    bl_status s;

    assert_ok(bl_root_save(&d->layout, buffer_span(&fixture.root[0]), d->io,
                           sizeof(d->io)));
    assert_ok(bl_install_open(&install, &d->layout, &state, BL_SLOT_A,
                              r->manifest, r->sequence, 1, false, d->io,
                              sizeof(d->io), &resumed));
    assert_ok(bl_install_begin(&install, d->component[0].id, SIZE,
                               r->app_sha256, &offset));
    assert_ok(bl_install_data(&install, old_image, SIZE));
    assert_ok(bl_install_end(&install));
    s = bl_install_close(&install, buffer_span(&r->envelope));
    state.active = BL_SLOT_A;
    state.slot[BL_SLOT_A].status = BL_SLOT_CONFIRMED;
    state.floor = r->sequence;
    return s == BL_OK ? bl_state_save(&d->layout, &state) : s;
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    *state = rig;
    if (rig == NULL) {
        return -1;
    }
    rig->client = &rig->device.client;
    rig->server.fixture = &fixture;
    rig->server.root = 1;
    rig->now_ms = 5000;
    return 0;
}

/* A slot of the new image's size and so much more. */
static void open_device(struct rig *rig, uint32_t room)
{
    assert_int_equal(sim_device_open(&rig->device, &sim_shapes[0],
                                     NEW_SIZE - SIM_APP_SIZE + room, &fixture),
                     0);
    assert_ok(provision(&rig->device));
    sim_device_client(&rig->device, &fixture, &rig->config);
    rig->config.crypto = &sim_crypto;
    rig->config.version = "1.0.0";
    rig->config.random = rig_random;
    rig->config.ctx = rig;
    rig->config.delta = &bl_delta_engine;
    rig->server.wanted = SIM_R2;
    rig->server.patch = &offer;
}

static void next_get(struct rig *rig, const char *folder)
{
    while (rig_next(rig) != BL_TODO_GET || rig->action.uri.p[0] == 'm') {
        if (rig->action.todo == BL_TODO_POLL) {
            rig_ask(rig);
            rig_give(rig);
        } else {
            assert_int_equal(rig->action.todo, BL_TODO_GET);
            rig_serve(rig, 200, 0,
                      sim_server_get(&rig->server, rig->action.uri), true);
        }
    }
    assert_memory_equal(rig->action.uri.p, folder, strlen(folder));
}

/* Feeds the patch until the image has `output` bytes, or it ends. */
static void feed(struct rig *rig, uint32_t output)
{
    struct bl_client *c = rig->client;
    size_t at = rig->action.offset;

    assert_ok(bl_client_body(c, at > 0 ? 206 : 200, (uint32_t)at));
    while (at < patch.n && (c->delta.decoder == NULL ||
                            bl_delta_written(c->delta.decoder) < output)) {
        size_t n = patch.n - at < PORTION ? patch.n - at : PORTION;

        assert_ok(bl_client_data(c, patch.p + at, n));
        at += n;
    }
}

static void assert_done(struct rig *rig)
{
    const struct bl_area *area = &rig->device.component[0].area[BL_SLOT_B];

    feed(rig, UINT32_MAX);
    bl_client_done(rig->client, rig->now_ms, true, 0);
    assert_int_equal(rig_run(rig), BL_TODO_RESET);
    assert_memory_equal(rig->device.flash.bytes + area->offset, new_image,
                        NEW_SIZE);
    assert_int_equal(rig->client->delta.why, BL_OK);
}

/* Cuts each `step` bytes of output, and says what the worst has cost. */
static uint32_t worst_of_cuts(struct rig *rig, uint32_t step)
{
    const struct bl_client_delta *d = &rig->client->delta;
    uint32_t worst = 0;

    rig_start(rig);
    for (uint32_t at = step; at < NEW_SIZE - 40000; at += step) {
        uint32_t written;
        uint32_t taken;
        uint32_t again;

        next_get(rig, "deltas/");
        feed(rig, at);
        written = bl_delta_written(d->decoder);
        taken = d->received;
        rig_start(rig);
        next_get(rig, "deltas/");
        again = d->decoder == NULL ? 0 : bl_delta_written(d->decoder);
        assert_true(again <= rig->client->install.done);
        assert_true(written - rig->client->install.done <= 2 * 4096);
        assert_int_equal(rig->action.offset, d->received);
        assert_true(d->received <= taken);
        worst = written - again > worst ? written - again : worst;
        rig_start(rig);
    }
    next_get(rig, "deltas/");
    assert_done(rig);
    return worst;
}

static void cut_costs_64_kb_of_output_at_most(void **state)
{
    struct rig *rig = *state;
    uint32_t worst;

    open_device(rig, 40000); /* two places */
    worst = worst_of_cuts(rig, 7000);
    assert_true(worst <= MOST_REDONE);
    assert_true(worst >= 48 * 1024);
}

static void more_places_cost_no_more(void **state)
{
    struct rig *rig = *state;

    open_device(rig, 200000);
    assert_true(worst_of_cuts(rig, 13000) <= MOST_REDONE);
}

static void no_room_costs_all_of_the_patch_but_no_flash(void **state)
{
    struct rig *rig = *state;
    uint64_t writes;

    open_device(rig, 0);
    rig_start(rig);
    next_get(rig, "deltas/");
    feed(rig, 200000);
    rig_start(rig);
    next_get(rig, "deltas/");
    assert_int_equal(rig->action.offset, 0);
    writes = rig->device.flash.writes;
    feed(rig, 180000);
    assert_int_equal(rig->device.flash.writes, writes);
    bl_client_done(rig->client, rig->now_ms, false, 0);
    next_get(rig, "deltas/");
    assert_true(rig->action.offset > 0); /* within a boot it goes on */
    assert_done(rig);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(cut_costs_64_kb_of_output_at_most),
        T(more_places_cost_no_more),
        T(no_room_costs_all_of_the_patch_but_no_flash),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
