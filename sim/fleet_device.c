/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's power, its boot code, and what the firmware that it starts does.
 * All flash, every decision and every message are the real core's.
 */
#include "fleet_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto_cache.h"
#include "fleet.h"

enum { /* of the device's time */
       RESET_MS = 2000,
       CRASH_MS = 1000,
       DARK_MS = 30 * 1000, /* at most, after a power cut */
       SLEEP_MS = 6 * 3600 * 1000,
       BATTERY_LOW = 20 /* percent: no update below */
};

/* --- Chance -------------------------------------------------------------- */

uint64_t fleet_random(struct fleet_device *d)
{
    uint64_t x = d->random += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

bool fleet_draw(struct fleet_device *d, double share)
{
    return share > 0 &&
           (double)(fleet_random(d) >> 11) < share * (double)(1ULL << 53);
}

static bl_status random_bytes(void *ctx, void *out, size_t n)
{
    struct fleet_device *d = ctx;
    uint8_t *p = out;

    while (n > 0) {
        uint64_t r = fleet_random(d);
        size_t part = n < sizeof r ? n : sizeof r;

        memcpy(p, &r, part);
        p += part;
        n -= part;
    }
    return BL_OK;
}

/* --- What its firmware does ---------------------------------------------- */

static bl_health on_health(void *ctx)
{
    const struct fleet_device *d = ctx;
    const struct bl_client *c = &d->client;

    switch (d->behaviour) {
    case FLEET_HEALTH:
        return BL_HEALTH_FAIL;
    case FLEET_PENDING:
        return BL_HEALTH_PENDING;
    default: /* it takes a moment to be sure of oneself */
        return c->now_ms - c->started_ms >=
                       (uint64_t)c->config.timing.health_interval * 1000
                   ? BL_HEALTH_PASS
                   : BL_HEALTH_PENDING;
    }
}

static bl_wait on_ready(void *ctx)
{
    const struct fleet_device *d = ctx;

    return fleet_device_battery(d, d->client.now_ms) < BATTERY_LOW
               ? BL_WAIT_BATTERY
               : BL_WAIT_NONE;
}

static uint64_t on_now(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL);
}

/* --- Condition and counts ------------------------------------------------ */

bool fleet_device_settled(const struct fleet_device *d)
{
    const struct bl_client *c = &d->client;

    if (d->power == FLEET_MUTE || d->power == FLEET_DEAD ||
        d->power == FLEET_WRECKED) {
        return true;
    }
    return d->power == FLEET_UP && !d->busy &&
           c->state.trial == BL_SLOT_NONE && c->reached &&
           c->acked == c->journal.next - 1 && !c->ask &&
           (c->device_state == BL_STATE_IDLE ||
            c->device_state == BL_STATE_WAITING ||
            c->device_state >= BL_STATE_CONFIRMED) &&
           (d->shard->phase == FLEET_RUN ||
            d->told_ms > d->shard->fleet->settle_ms);
}

static void recount(struct fleet_device *d, bool *is, bool now,
                    enum fleet_count count)
{
    if (*is != now) {
        fleet_add(d->shard, count, now ? 1 : -1);
        *is = now;
    }
}

static void count_event(struct fleet_device *d, const struct bl_event *event)
{
    static const struct {
        bl_device_state state;
        enum fleet_count count;
        size_t own;
    } table[] = {
        {BL_STATE_CONFIRMED, COUNT_CONFIRMED,
         offsetof(struct fleet_device, confirmations)},
        {BL_STATE_RETURNED, COUNT_RETURNED,
         offsetof(struct fleet_device, returned)},
        {BL_STATE_FAILED, COUNT_FAILED, offsetof(struct fleet_device, failed)},
        {BL_STATE_REFUSED, COUNT_REFUSED,
         offsetof(struct fleet_device, refused)},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (event->state == table[i].state) {
            fleet_add(d->shard, table[i].count, 1);
            ++*(uint32_t *)(void *)((char *)d + table[i].own);
        }
    }
    fleet_patch_event(d, event);
}

static void count_events(struct fleet_device *d)
{
    struct bl_event event[BL_CLIENT_EVENTS];
    uint32_t n = 1;

    while (n > 0 && d->client.journal.next - 1 > d->event) {
        n = 0;
        if (bl_journal_read(&d->client.journal, d->event, event,
                            BL_CLIENT_EVENTS, &n) != BL_OK) {
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            count_event(d, &event[i]);
            d->event = event[i].number;
        }
    }
}

static void set_power(struct fleet_device *d, enum fleet_power power)
{
    static const enum fleet_count counts[] = {
        [FLEET_MUTE] = NOW_SILENT,
        [FLEET_DEAD] = NOW_DEAD,
        [FLEET_WRECKED] = NOW_WRECK,
    };

    if (power >= FLEET_MUTE && d->power != power) {
        fleet_add(d->shard, counts[power], 1);
    }
    d->power = power;
    recount(d, &d->trial,
            d->started != 0 && power <= FLEET_MUTE &&
                d->client.state.trial == d->started - 1,
            NOW_TRIAL);
    recount(d, &d->settled, fleet_device_settled(d), NOW_SETTLED);
}

static void start_again(struct fleet_device *d, bl_reset_cause cause,
                        uint64_t ms)
{
    const struct fleet *fleet = d->shard->fleet;

    d->reset = cause;
    set_power(d, FLEET_OFF);
    fleet_wake_at(d, fleet_wall_ms() +
                         (uint64_t)((double)ms / fleet->options.speed) + 1);
}

/* The power went in the middle of a flash operation. */
static void go_dark(struct fleet_device *d)
{
    d->power_cuts++;
    fleet_add(d->shard, COUNT_POWER_CUTS, 1);
    start_again(d, BL_RESET_POWER, 1 + fleet_random(d) % DARK_MS);
}

void fleet_device_look(struct fleet_device *d)
{
    if (d->flash.breach != NULL) {
        fleet_add(d->shard, COUNT_BREACHES, 1);
        (void)fprintf(stderr, "bowline-sim: %s: flash contract: %s\n", d->name,
                      d->flash.breach);
        d->flash.breach = NULL;
    }
    if (d->flash.dead) {
        go_dark(d);
        return;
    }
    count_events(d);
    set_power(d, d->power);
    fleet_wake_at(d, fleet_wall_ms());
}

/* --- Boot ---------------------------------------------------------------- */

static void maybe_cut(struct fleet_device *d, uint32_t operations)
{
    if (d->shard->phase == FLEET_RUN && d->flash.cut_at == SIM_NO_CUT &&
        fleet_draw(d, d->shard->fleet->options.power_cuts)) {
        fleet_flash_cut_in(&d->flash, 1 + fleet_random(d) % operations,
                           (enum sim_cut)(fleet_random(d) % SIM_CUTS));
    }
}

/* Boot code and client have the device's buffers in turn. */
#define WORK_SPACE(d)                                                         \
    .envelope = (d)->envelope, .envelope_size = sizeof(d)->envelope,          \
    .root = (d)->root, .root_size = sizeof(d)->root, .io = (d)->io,           \
    .io_size = sizeof(d)->io

static bl_status boot(struct fleet_device *d, struct bl_boot_result *result)
{
    const struct fleet_factory *f = &d->shard->fleet->factory;
    const struct bl_suit_platform identity = {
        .vendor_id = f->vendor_id,
        .class_id = f->class_id,
        .n_class_ids = 1,
        .device_id = d->id,
    };
    const struct bl_boot_config config = {
        .layout = &d->layout,
        .crypto = &sim_crypto,
        .identity = &identity,
        .reset = d->reset,
        .tries = BL_BOOT_TRIES,
        WORK_SPACE(d),
    };

    if (fleet_esp(d)) {
        return fleet_esp_boot(d, &result->slot);
    }
    d->boots++;
    fleet_add(d->shard, COUNT_BOOTS, 1);
    return bl_boot_run(&config, result);
}

/* Which release is in the slot that the boot code chose? */
static struct fleet_release *find_release(struct fleet_device *d, uint8_t slot)
{
    bl_span envelope;

    if (bl_slot_envelope(&d->layout, slot, d->envelope, sizeof d->envelope,
                         &envelope) != BL_OK) {
        return NULL;
    }
    return fleet_release_of(d->shard->fleet, envelope);
}

static void runs(struct fleet_device *d, struct fleet_release *release)
{
    if (d->release != NULL) {
        atomic_fetch_sub(&d->release->running, 1);
    }
    d->release = release;
    if (release != NULL) {
        atomic_fetch_add(&release->running, 1);
    }
}

static void configure(struct fleet_device *d, struct bl_client_config *config)
{
    const struct fleet *fleet = d->shard->fleet;
    const struct fleet_factory *f = &fleet->factory;

    *config = (struct bl_client_config){
        .layout = &d->layout,
        .crypto = &sim_crypto,
        .timing = fleet->options.timing,
        .hardware = d->hardware,
        .version = d->release->version,
        .reset_cause = d->reset,
        .started = d->started,
        .random = random_bytes,
        .ready = on_ready,
        .conditions = fleet_device_conditions,
        .attributes = d->attribute,
        .n_attributes = d->n_attributes,
        .now = on_now,
        .ctx = d,
        .health = &d->health,
        .n_health = 1,
        WORK_SPACE(d),
        .message = d->message,
        .message_size = sizeof d->message,
        .delta = d->patch.memory == NULL ? NULL : &bl_delta_engine,
        .delta_memory = d->patch.memory,
        .delta_memory_size = fleet->options.delta_memory,
    };
    d->health = (struct bl_health_check){"application", on_health, d};
    memcpy(config->device_id, d->id, BL_ID_SIZE);
    memcpy(config->vendor_id, f->vendor_id, BL_ID_SIZE);
    memcpy(config->class_id, f->class_id, BL_ID_SIZE);
}

static void start_client(struct fleet_device *d)
{
    const struct fleet *fleet = d->shard->fleet;
    struct bl_client_config config;
    bl_status s;

    configure(d, &config);
    s = bl_client_init(&d->client, &config,
                       fleet_device_ms(fleet, fleet_wall_ms()));
    if (s != BL_OK && !d->flash.dead) {
        set_power(d, FLEET_WRECKED);
        return;
    }
    set_power(d, FLEET_UP);
    if (d->shard->phase != FLEET_RUN) {
        bl_client_poke(&d->client);
    }
    fleet_device_look(d);
}

static void start_firmware(struct fleet_device *d)
{
    const struct fleet_options *o = &d->shard->fleet->options;
    bool crashes;

    d->behaviour = fleet_behaviour_of(&o->rules, d->release->version,
                                      d->release->factory, d->number);
    crashes = d->behaviour == FLEET_CRASH ||
              (d->behaviour == FLEET_FLAKY && d->boots % 2 == 0);
    if (crashes) {
        d->crashes++;
        fleet_add(d->shard, COUNT_CRASHES, 1);
        start_again(d, BL_RESET_CRASH, CRASH_MS);
    } else if (d->behaviour == FLEET_HANG) {
        set_power(d, FLEET_HUNG);
        fleet_wake_at(d, fleet_wall_ms() +
                             (uint64_t)(o->watchdog_s * 1000.0 / o->speed) +
                             1);
    } else if (d->behaviour == FLEET_SILENT) {
        set_power(d, FLEET_MUTE);
    } else {
        start_client(d);
    }
}

static void switch_on(struct fleet_device *d)
{
    struct bl_boot_result result;
    bl_status s;

    memset(&result, 0, sizeof result);
    fleet_flash_power_on(&d->flash);
    maybe_cut(d, 8);
    s = boot(d, &result);
    if (d->flash.dead) {
        go_dark(d);
        return;
    }
    if (s != BL_OK) {
        runs(d, NULL);
        set_power(d, FLEET_WRECKED);
        return;
    }
    d->started = (uint8_t)(result.slot + 1);
    runs(d, find_release(d, result.slot));
    if (d->release == NULL) {
        set_power(d, FLEET_WRECKED);
        return;
    }
    start_firmware(d);
}

/* --- Running ------------------------------------------------------------- */

static uint64_t wakes_at(struct fleet_device *d, uint64_t now, uint64_t until,
                         uint64_t person)
{
    bool may_sleep = d->profile == FLEET_SLEEPY && d->settled &&
                     d->shard->phase == FLEET_RUN;

    if (!may_sleep || now >= d->slept_ms + SLEEP_MS) {
        d->slept_ms = now;
    }
    if (may_sleep && until < d->slept_ms + SLEEP_MS) {
        return d->slept_ms + SLEEP_MS;
    }
    if (person != 0 && person < until) {
        until = person;
    }
    return until > now ? until : now + 1;
}

static void act(struct fleet_device *d)
{
    const struct fleet *fleet = d->shard->fleet;
    uint64_t now = fleet_device_ms(fleet, fleet_wall_ms());
    uint64_t person = fleet_device_person(d, now);
    struct bl_action action;

    bl_client_next(&d->client, now, &action);
    if (fleet_esp(d) && !d->flash.dead) {
        fleet_esp_look(d);
    }
    if (d->flash.dead || d->flash.breach != NULL) {
        fleet_device_look(d);
        return;
    }
    count_events(d);
    switch (action.todo) {
    case BL_TODO_POLL:
        fleet_link_poll(d, &action);
        break;
    case BL_TODO_GET:
        maybe_cut(d, 16 + d->client.run.fetch.size / FLEET_IO * 2);
        fleet_link_get(d, &action);
        break;
    case BL_TODO_RESET:
        if (fleet_esp(d)) {
            fleet_esp_reset(d);
        }
        if (d->flash.dead) {
            go_dark(d);
            break;
        }
        start_again(d, BL_RESET_SOFTWARE, RESET_MS);
        break;
    default:
        set_power(d, d->power);
        fleet_wake_at(
            d, fleet_when(fleet, wakes_at(d, now, action.until_ms, person)));
        break;
    }
}

void fleet_device_wake(struct fleet_device *d)
{
    uint64_t now = fleet_device_ms(d->shard->fleet, fleet_wall_ms());

    if (d->busy && !d->dropped) {
        return; /* its end wakes the device again */
    }
    if (fleet_device_battery(d, now) == 0 && d->power < FLEET_MUTE) {
        d->busy = false;
        set_power(d, FLEET_DEAD);
        return;
    }
    if (d->dropped) {
        fleet_link_lost(d);
        return;
    }
    switch (d->power) {
    case FLEET_OFF:
        switch_on(d);
        break;
    case FLEET_HUNG:
        fleet_add(d->shard, COUNT_WATCHDOG, 1);
        start_again(d, BL_RESET_WATCHDOG, CRASH_MS);
        break;
    case FLEET_UP:
        act(d);
        break;
    default:
        break;
    }
}

void fleet_device_poke(struct fleet_device *d)
{
    if (d->power == FLEET_UP && !d->busy) {
        bl_client_poke(&d->client);
    }
    d->flash.cut_at = SIM_NO_CUT;
    set_power(d, d->power);
}

void fleet_device_close(struct fleet_device *d)
{
    fleet_flash_close(&d->flash);
    free(d->offer);
    explicit_bzero(d->token, sizeof d->token);
}
