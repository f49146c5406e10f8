/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "crypto_cache.h"

#include <stdio.h>
#include <stdlib.h>

struct sim_fixture fixture;

bl_status rig_random(void *ctx, void *out, size_t n)
{
    struct rig *rig = ctx;
    uint8_t *p = out;

    for (size_t i = 0; i < n; i++) {
        if (!rig->fixed) {
            rig->random = rig->random * 1664525U + 1013904223U;
        }
        p[i] = (uint8_t)(rig->random >> 24);
    }
    return BL_OK;
}

static bl_wait on_ready(void *ctx)
{
    const struct rig *rig = ctx;

    return rig->wait;
}

static bl_health on_health(void *ctx)
{
    const struct rig *rig = ctx;

    return rig->health;
}

int rig_group_setup(void **state)
{
    struct error err = {0};

    (void)state;
    if (sim_fixture_open(&fixture, &err) != 0) {
        printf("%s\n", err.text);
        return -1;
    }
    return 0;
}

int rig_group_teardown(void **state)
{
    (void)state;
    sim_fixture_close(&fixture);
    return 0;
}

int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    if (rig == NULL ||
        sim_device_open(&rig->device, &sim_shapes[1], RIG_ROOM, &fixture) !=
            0 ||
        sim_device_provision(&rig->device, &fixture) != BL_OK) {
        return -1;
    }
    rig->client = &rig->device.client;
    rig->server.fixture = &fixture;
    rig->server.root = 1;
    rig->server.wanted = SIM_R1;
    rig->now_ms = 5000;
    rig->random = 7;
    rig->health = BL_HEALTH_PASS;
    rig->check.name = "test";
    rig->check.check = on_health;
    rig->check.ctx = rig;
    sim_device_client(&rig->device, &fixture, &rig->config);
    rig->config.crypto = &sim_crypto;
    rig->config.version = "1.0.0";
    rig->config.reset_cause = BL_RESET_POWER;
    rig->config.random = rig_random;
    rig->config.ready = on_ready;
    rig->config.ctx = rig;
    rig->config.health = &rig->check;
    rig->config.n_health = 1;
    *state = rig;
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    const char *breach = rig->device.flash.breach;

    sim_device_close(&rig->device);
    free(rig);
    if (breach != NULL) {
        printf("flash contract: %s\n", breach);
    }
    return breach == NULL ? 0 : -1;
}

void rig_start(struct rig *rig)
{
    assert_ok(bl_client_init(rig->client, &rig->config, rig->now_ms));
}

void rig_reboot(struct rig *rig)
{
    struct bl_boot_config boot;
    struct bl_boot_result result;

    sim_device_boot(&rig->device, &sim_crypto, BL_RESET_SOFTWARE, &boot);
    assert_ok(bl_boot_run(&boot, &result));
    rig->config.reset_cause = BL_RESET_SOFTWARE;
    rig->now_ms += 1000;
    rig_start(rig);
}

bl_todo rig_next(struct rig *rig)
{
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    if (rig->action.todo == BL_TODO_SLEEP) {
        assert_true(rig->action.until_ms > rig->now_ms);
        rig->now_ms = rig->action.until_ms;
        bl_client_next(rig->client, rig->now_ms, &rig->action);
    }
    return rig->action.todo;
}

void rig_ask(struct rig *rig)
{
    bl_span answer = {NULL, 0};

    assert_int_equal(rig->action.todo, BL_TODO_POLL);
    assert_int_equal(
        sim_server_poll(&rig->server, rig->action.body, rig->answer, &answer),
        0);
    rig->answer_n = answer.n;
}

void rig_give(struct rig *rig)
{
    bl_client_answer(rig->client, rig->now_ms, 200,
                     bl_span_of(rig->answer, rig->answer_n), 0);
}

void rig_poll(struct rig *rig)
{
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    rig_give(rig);
}

void rig_serve(struct rig *rig, int status, uint32_t offset, bl_span body,
               bool ok)
{
    struct bl_client *c = rig->client;
    bool taken;

    assert_int_equal(rig->action.todo, BL_TODO_GET);
    taken = bl_client_body(c, status, offset) == BL_OK;

    for (size_t at = 0; taken && at < body.n;) {
        size_t n = body.n - at < 333 ? body.n - at : 333;

        taken = bl_client_data(c, body.p + at, n) == BL_OK;
        at += n;
    }
    bl_client_done(c, rig->now_ms, ok && taken, 0);
}

static void serve(struct rig *rig)
{
    bl_span body = sim_server_get(&rig->server, rig->action.uri);
    uint32_t from = rig->action.offset;

    assert_non_null(body.p);
    assert_true(from < body.n);
    rig_serve(rig, from > 0 ? 206 : 200, from,
              bl_span_of(body.p + from, body.n - from), true);
}

bl_todo rig_run(struct rig *rig)
{
    for (int i = 0; i < 60; i++) {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        switch (rig->action.todo) {
        case BL_TODO_POLL:
            rig_ask(rig);
            rig_give(rig);
            break;
        case BL_TODO_GET:
            serve(rig);
            break;
        case BL_TODO_SLEEP:
            if (rig->server.polls > 0) {
                return BL_TODO_SLEEP;
            }
            rig->now_ms = rig->action.until_ms;
            break;
        default:
            return rig->action.todo;
        }
    }
    fail_msg("the client does not come to rest");
    return BL_TODO_SLEEP;
}

unsigned rig_events(struct rig *rig, bl_device_state state, bl_status *code)
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
            if (event[i].state == state) {
                found++;
                *code = (bl_status)event[i].code;
            }
        }
        after = event[n - 1].number;
    }
}

bl_span rig_nonce(struct rig *rig)
{
    struct sim_server server = rig->server;
    struct sim_poll poll;

    assert_int_equal(rig->action.todo, BL_TODO_POLL);
    assert_int_equal(sim_server_read(&server, rig->action.body, &poll), 0);
    return poll.nonce;
}
