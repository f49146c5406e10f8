/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "crypto_cache.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BOOTS_MAX = 40,     /* more in one run is a boot loop */
    ACTIONS_MAX = 2000, /* more in one boot is a client that spins */
    PORTION = 700,      /* bytes that the network brings at once */
    KEEP = 4000         /* bytes of a delta's output between checkpoints */
};

/* --- What is said ----------------------------------------------------------
 */

static void say(const struct sim_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct sim_world *w, const char *format, ...)
{
    va_list args;

    if (!w->log) {
        return;
    }
    printf("%10.1f s  op %-5llu ", (double)w->now_ms / 1000,
           (unsigned long long)w->device.flash.ops);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static enum sim_end broken(struct sim_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum sim_end broken(struct sim_world *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(w->fault, sizeof(w->fault), format, args);
    va_end(args);
    say(w, "BROKEN: %s", w->fault);
    return SIM_BROKEN;
}

/* --- What the application of a release does
 * ----------------------------------- */

static bl_status random_bytes(void *ctx, void *out, size_t n)
{
    struct sim_world *w = ctx;
    uint8_t *p = out;

    for (size_t i = 0; i < n; i++) {
        w->random ^= w->random << 13;
        w->random ^= w->random >> 17;
        w->random ^= w->random << 5;
        p[i] = (uint8_t)(w->random >> 7);
    }
    return BL_OK;
}

static bl_health health(void *ctx)
{
    const struct sim_world *w = ctx;

    switch (w->fixture->release[w->running].behaviour) {
    case SIM_UNHEALTHY:
        return BL_HEALTH_FAIL;
    case SIM_SILENT:
        return BL_HEALTH_PENDING;
    default:
        return BL_HEALTH_PASS;
    }
}

/* --- The pump
 * -------------------------------------------------------------------- */

static void pump_poll(struct sim_world *w, const struct bl_action *action)
{
    uint8_t out[SIM_ANSWER_MAX];
    bl_span answer = {NULL, 0};
    int r = sim_server_poll(&w->server, action->body, out, &answer);

    say(w, "poll: %s, state %u, %u events%s",
        w->server.last.nonce.p != NULL ? "ticket" : "light",
        (unsigned)w->server.last.state, (unsigned)w->server.last.n_events,
        r == 0 ? "" : "; REFUSED by the server");
    bl_client_answer(&w->device.client, w->now_ms, r == 0 ? 200 : 400, answer,
                     0);
}

/* Moves a body; true when it came through whole. */
static bool pump_body(struct sim_world *w, bl_span body, bool breaks,
                      uint32_t *sent)
{
    size_t end = body.n;
    size_t at = 0;

    if (breaks && w->server.break_at < end) {
        end = w->server.break_at;
    }
    while (at < end) {
        size_t n = end - at < PORTION ? end - at : PORTION;

        *sent += (uint32_t)n;
        if (bl_client_data(&w->device.client, body.p + at, n) != BL_OK) {
            return false;
        }
        at += n;
    }
    return at == body.n;
}

static void pump_get(struct sim_world *w, const struct bl_action *action)
{
    struct bl_client *c = &w->device.client;
    bl_span content = sim_server_get(&w->server, action->uri);
    char kind = (char)action->uri.p[0]; /* manifest, payload, delta */
    bool breaks = kind != 'm' && w->server.breaks > 0;
    uint32_t other = 0;
    uint32_t *sent = kind == 'p'   ? &w->server.sent_whole
                     : kind == 'd' ? &w->server.sent_patch
                                   : &other;
    uint32_t from = w->server.no_range ? 0 : action->offset;
    bool ok = false;

    say(w, "get %.*s.. from %u", 16, (const char *)action->uri.p,
        (unsigned)action->offset);
    if (breaks) {
        w->server.breaks--;
    }
    w->server.whole += kind == 'p' && content.n == SIM_APP_SIZE;
    if (content.p == NULL) {
        (void)(bl_client_body(c, 404, 0) == BL_OK);
    } else if (from > content.n) {
        (void)(bl_client_body(c, 416, 0) == BL_OK);
    } else if (bl_client_body(c, from > 0 ? 206 : 200, from) == BL_OK) {
        ok = pump_body(w, bl_span_of(content.p + from, content.n - from),
                       breaks, sent);
    }
    bl_client_done(c, w->now_ms, ok, 0);
}

/* --- What must never happen
 * --------------------------------------------------------- */

static enum sim_end check_flash(struct sim_world *w)
{
    const struct sim_flash *flash = &w->device.flash;
    struct bl_state state;

    if (flash->breach != NULL) {
        return broken(w, "flash contract: %s at %u", flash->breach,
                      (unsigned)flash->breach_at);
    }
    if (flash->dead) {
        say(w, "power cut (%s)", sim_cut_name(flash->cut));
        return SIM_CUT;
    }
    if (w->checked == flash->ops) {
        return SIM_SETTLED; /* nothing was written since */
    }
    w->checked = flash->ops;
    if (bl_state_load(&w->device.layout, &state) != BL_OK) {
        return broken(w, "no state record");
    }
    if (state.floor < w->floor) {
        return broken(w, "the floor fell from %llu to %llu",
                      (unsigned long long)w->floor,
                      (unsigned long long)state.floor);
    }
    w->floor = state.floor;
    return SIM_SETTLED;
}

static bool settled(const struct sim_world *w)
{
    const struct bl_client *c = &w->device.client;
    const uint8_t *wanted = w->fixture->release[w->server.wanted].manifest;
    bool has = memcmp(c->running, wanted, 32) == 0;
    bool refused =
        memcmp(c->refused, wanted, 32) == 0 && w->now_ms < c->retry_ms;

    return c->state.trial == BL_SLOT_NONE && c->reached &&
           c->acked == c->journal.next - 1 && (has || refused) &&
           c->due_ms > w->now_ms;
}

/* --- One boot
 * --------------------------------------------------------------------------
 */

/* SIM_SETTLED with *reset set: the device restarts. */
static enum sim_end act(struct sim_world *w, bool *reset, bool *done)
{
    struct bl_action action;
    enum sim_end end;

    bl_client_next(&w->device.client, w->now_ms, &action);
    end = check_flash(w);
    if (end != SIM_SETTLED) {
        return end;
    }
    switch (action.todo) {
    case BL_TODO_POLL:
        pump_poll(w, &action);
        break;
    case BL_TODO_GET:
        pump_get(w, &action);
        break;
    case BL_TODO_RESET:
        *reset = true;
        break;
    default:
        *done = settled(w);
        if (action.until_ms <= w->now_ms) {
            return broken(w, "the client sleeps until %llu",
                          (unsigned long long)action.until_ms);
        }
        w->now_ms = *done ? w->now_ms : action.until_ms;
        break;
    }
    return check_flash(w);
}

static enum sim_end client_run(struct sim_world *w, bool *done)
{
    struct bl_client_config config;
    static const char name[] = "application";
    struct bl_health_check check = {name, health, w};
    enum sim_end end;
    bool reset = false;
    bl_status s;

    sim_device_client(&w->device, w->fixture, &config);
    config.crypto = &sim_crypto;
    config.version = w->fixture->release[w->running].version;
    config.reset_cause = w->reset;
    config.started = w->started;
    config.random = random_bytes;
    config.ctx = w;
    config.health = &check;
    config.n_health = 1;
    config.delta = w->engine;
    config.delta_keep = KEEP;
    s = bl_client_init(&w->device.client, &config, w->now_ms);
    end = check_flash(w);
    if (end == SIM_SETTLED && s != BL_OK) {
        return broken(w, "client: %s", bl_status_name(s));
    }
    for (int i = 0; end == SIM_SETTLED && !reset && !*done; i++) {
        end = i < ACTIONS_MAX ? act(w, &reset, done)
                              : broken(w, "the client spins");
        w->now_ms++;
    }
    w->reset = BL_RESET_SOFTWARE;
    return end;
}

static enum sim_end boot(struct sim_world *w)
{
    struct bl_boot_config config;
    struct bl_boot_result result;
    enum sim_end end;
    bl_status s;

    memset(&result, 0, sizeof(result));
    sim_device_boot(&w->device, &sim_crypto, w->reset, &config);
    s = bl_boot_run(&config, &result);
    end = check_flash(w);
    if (end != SIM_SETTLED) {
        return end;
    }
    if (s != BL_OK) {
        return broken(w, "does not boot: %s", bl_status_name(s));
    }
    w->started = (uint8_t)(result.slot + 1);
    w->running = sim_device_image(&w->device, w->fixture, &result);
    if (w->running == SIM_R_NONE) {
        return broken(w, "slot %u boots and is no whole release",
                      (unsigned)result.slot);
    }
    say(w, "boot: %s in slot %u%s, %s",
        w->fixture->release[w->running].version, (unsigned)result.slot,
        result.trial ? " on trial" : "", bl_status_name(result.why));
    if ((w->may_boot >> w->running & 1U) == 0) {
        return broken(w, "%s may not be seen here",
                      w->fixture->release[w->running].version);
    }
    return SIM_SETTLED;
}

static enum sim_end one_boot(struct sim_world *w, bool *done)
{
    enum sim_end end = boot(w);

    if (end != SIM_SETTLED) {
        return end;
    }
    if (w->fixture->release[w->running].behaviour == SIM_CRASHES) {
        w->reset = BL_RESET_CRASH;
        w->now_ms += 100;
        return SIM_SETTLED;
    }
    return client_run(w, done);
}

enum sim_end sim_world_run(struct sim_world *w)
{
    enum sim_end end = SIM_SETTLED;
    bool done = false;

    sim_flash_power_on(&w->device.flash);
    if (w->cut_in != 0) {
        sim_flash_cut_in(&w->device.flash, w->cut_in, w->cut_kind);
        w->cut_in = 0;
    }
    w->reset = BL_RESET_POWER;
    for (int i = 0; end == SIM_SETTLED && !done; i++) {
        /* By the boot and not by what went before: the same nonces in most
         * runs, so that few tickets are new. */
        w->random = 12345U + (uint32_t)i * 7919U;
        end = i < BOOTS_MAX ? one_boot(w, &done) : broken(w, "boots for ever");
    }
    return end;
}

/* --- Life -------------------------------------------------------------- */

int sim_world_open(struct sim_world *w, const struct sim_fixture *f,
                   const struct sim_shape *shape, uint32_t room)
{
    memset(w, 0, sizeof(*w));
    w->fixture = f;
    w->server.fixture = f;
    w->server.root = 1;
    w->may_boot = 1U << SIM_R1;
    w->now_ms = 1000;
    if (sim_device_open(&w->device, shape, room, f) != 0) {
        return -1;
    }
    return sim_device_provision(&w->device, f) == BL_OK ? 0 : -1;
}

void sim_world_close(struct sim_world *w)
{
    sim_device_close(&w->device);
}

int sim_snapshot_open(struct sim_snapshot *snapshot, const struct sim_world *w)
{
    const struct bl_flash *flash = &w->device.flash.flash;
    struct sim_geometry g = {flash->size, flash->erase_size, flash->write_size,
                             flash->erased};

    memset(snapshot, 0, sizeof(*snapshot));
    return sim_flash_open(&snapshot->flash, &g);
}

void sim_snapshot_close(struct sim_snapshot *snapshot)
{
    sim_flash_close(&snapshot->flash);
}

void sim_world_save(const struct sim_world *w, struct sim_snapshot *snapshot)
{
    sim_flash_copy(&snapshot->flash, &w->device.flash);
    snapshot->server = w->server;
    snapshot->may_boot = w->may_boot;
    snapshot->now_ms = w->now_ms;
    snapshot->floor = w->floor;
}

void sim_world_restore(struct sim_world *w,
                       const struct sim_snapshot *snapshot)
{
    sim_flash_copy(&w->device.flash, &snapshot->flash);
    w->server = snapshot->server;
    w->may_boot = snapshot->may_boot;
    w->now_ms = snapshot->now_ms;
    w->floor = snapshot->floor;
    w->checked = 0;
    w->fault[0] = '\0';
}
