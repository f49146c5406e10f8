/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device is, apart from its firmware: name and id, where it stands, its
 * battery, its link, and the person beside it. All of it follows from the
 * seed, the device's number, and its time.
 */
#include <stdio.h>
#include <string.h>

#include "fleet.h"

enum { /* of the device's time */
       MINUTE_MS = 60 * 1000,
       HOUR_MS = 60 * MINUTE_MS,
       LINK_CHANGES_MS = 20 * MINUTE_MS,
       CHARGED_EVERY_H = 24,
       EMPTIEST = 25, /* percent, when it is charged again */
       LIFE_LEAST_H = 2,
       LIFE_MOST_H = 72,
       ANSWERS_MS = 15 * MINUTE_MS, /* a person who is asked, at most */
       LATER_S = 30 * 60
};

enum { ZONES = 10 };

static const char *const profiles[] = {"normal", "sleepy", "roaming", "dying"};
static const char *const powers[] = {"off",    "up",   "hung",
                                     "silent", "dead", "wrecked"};

const char *fleet_profile_name(enum fleet_profile profile)
{
    return profiles[profile];
}

const char *fleet_power_name(enum fleet_power power)
{
    return powers[power];
}

static enum fleet_profile profile_of(const char *word)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, profiles[i]) == 0) {
            return (enum fleet_profile)i;
        }
    }
    return FLEET_NORMAL;
}

static double chance(const struct fleet_device *d, const char *purpose)
{
    return fleet_chance(d->shard->fleet->options.rules.seed, purpose,
                        d->number);
}

/* --- Name, id, attributes ------------------------------------------------ */

static void make_id(const struct fleet_options *o, uint32_t number,
                    uint8_t id[BL_ID_SIZE])
{
    char text[128];
    uint8_t digest[32];
    int n = snprintf(text, sizeof text, "bowline-sim/%llu/%.64s/%u",
                     (unsigned long long)o->rules.seed, o->product,
                     (unsigned)number);

    bl_sha256(text, (size_t)n, digest);
    memcpy(id, digest, BL_ID_SIZE);
}

void fleet_device_describe(struct fleet_device *d)
{
    const struct fleet_options *o = &d->shard->fleet->options;
    uint32_t n = 0;

    for (; n < o->n_attributes; n++) {
        d->attribute[n].name = o->attribute[n].name;
        d->attribute[n].value =
            fleet_shares_pick(&o->attribute[n].values, o->rules.seed,
                              o->attribute[n].name, d->number);
    }
    d->attribute[n].name = "profile";
    d->attribute[n].value = fleet_profile_name(d->profile);
    d->n_attributes = n + 1;
}

void fleet_device_make(struct fleet_device *d, struct fleet_shard *shard,
                       uint32_t number)
{
    const struct fleet_options *o = &shard->fleet->options;
    uint64_t seed = o->rules.seed;

    d->shard = shard;
    d->number = number;
    make_id(o, number, d->id);
    (void)snprintf(d->name, sizeof d->name, "%.32s-%05u", o->prefix,
                   (unsigned)(number + 1));
    d->hardware = fleet_shares_pick(&o->hardware, seed, "hardware", number);
    d->profile =
        profile_of(fleet_shares_pick(&o->profile, seed, "profile", number));
    d->random = seed * 0x9E3779B97F4A7C15u + number;
    d->random ^= fleet_random(d);
    d->reset = BL_RESET_POWER;
    if (chance(d, "deltas") < o->deltas) {
        d->patch.memory =
            shard->fleet->patch_memory + (size_t)number * o->delta_memory;
    }
    fleet_device_describe(d);
}

/* --- Its conditions ------------------------------------------------------ */

/* Half of the ordinary ones hang on a socket. */
static bool has_mains(const struct fleet_device *d)
{
    return d->profile == FLEET_NORMAL && chance(d, "mains") < 0.5;
}

uint8_t fleet_device_battery(const struct fleet_device *d, uint64_t now_ms)
{
    double hours = (double)now_ms / HOUR_MS;
    double left;

    if (has_mains(d)) {
        return BL_BATTERY_UNKNOWN;
    }
    if (d->profile == FLEET_DYING) {
        left =
            100 * (1 - hours / (LIFE_LEAST_H + (LIFE_MOST_H - LIFE_LEAST_H) *
                                                   chance(d, "battery")));
        return left > 0 ? (uint8_t)left : 0;
    }
    hours += CHARGED_EVERY_H * chance(d, "battery");
    hours -= CHARGED_EVERY_H * (double)(uint64_t)(hours / CHARGED_EVERY_H);
    return (uint8_t)(100 - (100 - EMPTIEST) * hours / CHARGED_EVERY_H);
}

enum fleet_connection fleet_link_now(const struct fleet_device *d,
                                     uint64_t now_ms)
{
    uint64_t period = now_ms / LINK_CHANGES_MS;
    double at;

    if (d->profile != FLEET_ROAMING || d->shard->phase != FLEET_RUN) {
        return FLEET_LINK_GOOD;
    }
    at = fleet_chance(d->shard->fleet->options.rules.seed, "link",
                      (uint64_t)d->number << 32 | period);
    return at < 0.5   ? FLEET_LINK_GOOD
           : at < 0.8 ? FLEET_LINK_ROAMING
                      : FLEET_LINK_NONE;
}

void fleet_device_conditions(void *device, struct bl_conditions *out)
{
    static const int16_t zones[ZONES] = {-480, -300, -180, 0,   60,
                                         60,   120,  330,  480, 540};
    const struct fleet_device *d = device;
    bool roams = fleet_link_now(d, d->client.now_ms) == FLEET_LINK_ROAMING;

    out->battery = fleet_device_battery(d, d->client.now_ms);
    out->flags = BL_LINK_KNOWN | BL_POWER_KNOWN;
    out->flags |= has_mains(d) ? BL_POWERED : 0;
    out->flags |= roams ? BL_METERED | BL_ROAMING : 0;
    out->utc_offset = zones[(size_t)(chance(d, "zone") * ZONES)];
}

/* --- The person beside it ------------------------------------------------ */

/* Most agree, some later, and a few do not. */
static void answer(struct fleet_device *d, uint64_t now_ms)
{
    uint64_t r = fleet_random(d) % 100;
    bl_status s;

    if (r < 75) {
        s = bl_client_consent(&d->client, true);
    } else if (r < 90) {
        s = bl_client_postpone(&d->client, now_ms, LATER_S);
    } else {
        s = bl_client_consent(&d->client, false);
    }
    (void)s; /* BL_BUSY: the offer is gone, and so is the question */
    d->asked_ms = 0;
}

uint64_t fleet_device_person(struct fleet_device *d, uint64_t now_ms)
{
    if (d->client.wait != BL_WAIT_CONSENT ||
        d->client.consent != BL_CONSENT_OPEN) {
        d->asked_ms = 0;
        return 0;
    }
    if (d->asked_ms == 0) {
        d->asked_ms = now_ms + 1 + fleet_random(d) % ANSWERS_MS;
    }
    if (now_ms >= d->asked_ms) {
        answer(d, now_ms);
    }
    return d->asked_ms;
}
