/* SPDX-License-Identifier: Apache-2.0 */
/* One device of the fleet. */
#ifndef SIM_FLEET_DEVICE_H
#define SIM_FLEET_DEVICE_H

#include "fleet_flash.h"
#include "fleet_net.h"
#include "fleet_rules.h"

#include "bowline/boot.h"
#include "bowline/client.h"

enum fleet_power {
    FLEET_OFF,    /* starts when due */
    FLEET_UP,     /* the client runs */
    FLEET_HUNG,   /* until the watchdog bites */
    FLEET_MUTE,   /* FLEET_SILENT: for good */
    FLEET_DEAD,   /* its battery is empty */
    FLEET_WRECKED /* no slot may be started */
};

enum fleet_profile { FLEET_NORMAL, FLEET_SLEEPY, FLEET_ROAMING, FLEET_DYING };

enum {
    FLEET_ATTRIBUTES = 8, /* that may be asked for; `profile` comes on top */
    FLEET_ENVELOPE = 8192,
    FLEET_IO = 1024,
    FLEET_MESSAGE = BL_CLIENT_MESSAGE,
    FLEET_TOKEN = 160,
    FLEET_NAME = 48
};

/* The manifest that some answer of the server wanted, other than what ran. */
struct fleet_offer {
    uint64_t time; /* seconds since 1970 */
    uint8_t manifest[32];
};

/* What a report said. */
struct fleet_told {
    bool any;
    bool confirmed;
    uint8_t slot;
    uint8_t manifest[32];
    char version[FLEET_TEXT];
};

/* What it does with patches; the decoder's memory is the fleet's. */
struct fleet_patch {
    uint8_t *memory;     /* NULL: it takes none */
    uint8_t digest[32];  /* of the one that it fetched last */
    uint8_t payload[32]; /* that this leads to */
    uint32_t bytes;      /* that came of it; 0: the payload came whole */
    bool on;             /* the transfer under way is a patch's */
    bool whole;          /* ... a payload's */
    bool spoil;          /* ... and is damaged on its way */
    uint32_t installed;  /* releases that came from patches, and stayed */
    uint32_t failed;
    uint64_t saved; /* bytes of these releases that never came */
};

struct fleet_release;
struct fleet_shard;

struct fleet_device {
    struct fleet_shard *shard;
    uint32_t number; /* from 0 */
    uint8_t id[BL_ID_SIZE];
    char name[FLEET_NAME];
    char token[FLEET_TOKEN];
    const char *hardware;
    enum fleet_profile profile;
    enum fleet_power power;
    enum fleet_behaviour behaviour; /* of what runs */
    bl_reset_cause reset;
    uint8_t started;               /* 1 + slot that runs; 0: none did yet */
    struct fleet_release *release; /* that runs; NULL: none */
    uint64_t random;

    /* When it acts next, wall clock; heap_at is 1 + its place, 0: nowhere. */
    uint64_t due_ms;
    uint32_t heap_at;
    bool busy;    /* an exchange is on its way */
    bool dropped; /* ... that was never sent, and times out when due */
    bool settled;
    bool valid; /* an ESP32: otadata knows that the image is confirmed */
    bool trial;
    uint64_t slept_ms; /* device time: a sleepy one was last awake */
    uint64_t asked_ms; /* device time: when its person will answer; 0: never */
    struct fleet_exchange exchange;

    struct fleet_told told;   /* arrived at the server */
    struct fleet_told maybe;  /* may have arrived after that */
    struct fleet_told saying; /* is on its way */
    uint64_t told_ms;         /* wall: last poll that was answered */
    uint32_t acked;           /* events that the server said it has */
    uint32_t boots;
    uint32_t crashes;
    uint32_t returned;
    uint32_t failed;
    uint32_t refused;
    uint32_t confirmations;
    uint32_t power_cuts;
    uint32_t polls;
    uint64_t bytes;
    uint32_t event; /* last one counted above */
    struct fleet_offer *offer;
    uint32_t n_offers;
    struct fleet_patch patch;

    struct fleet_flash flash;
    struct bl_layout layout;
    struct bl_health_check health;
    struct bl_attribute attribute[FLEET_ATTRIBUTES + 1];
    uint32_t n_attributes;
    struct bl_client client;
    uint8_t io[FLEET_IO];
    uint8_t message[FLEET_MESSAGE];
    uint8_t root[BL_ROOT_AREA];
    uint8_t envelope[FLEET_ENVELOPE];
};

/* --- fleet_device.c --- */
/* Identity and nature of device `number`, without flash and token. */
void fleet_device_make(struct fleet_device *device, struct fleet_shard *shard,
                       uint32_t number);
/* Does what is due. */
void fleet_device_wake(struct fleet_device *device);
/* --- fleet_esp.c: a device that boots by otadata --- */
bool fleet_esp(const struct fleet_device *device);
/* The bootloader, and what comes before the client; *slot starts. */
bl_status fleet_esp_boot(struct fleet_device *device, uint8_t *slot);
/* The client has done something: is its image confirmed now? */
void fleet_esp_look(struct fleet_device *device);
/* It wants to be restarted. */
void fleet_esp_reset(struct fleet_device *device);

/* After the client has done something: power, counts, condition. */
void fleet_device_look(struct fleet_device *device);
/* Makes a device poll within a moment, whatever its profile. */
void fleet_device_poke(struct fleet_device *device);
void fleet_device_close(struct fleet_device *device);

/* Is it, as far as it can know, at rest, and has told everything? */
bool fleet_device_settled(const struct fleet_device *device);
/* Whom it belongs to and where it is: fleet_nature.c. 0..100 at this time of
 * the device; BL_BATTERY_UNKNOWN: it has none. */
uint8_t fleet_device_battery(const struct fleet_device *device,
                             uint64_t now_ms);
void fleet_device_describe(struct fleet_device *device);
void fleet_device_conditions(void *device, struct bl_conditions *out);
/* Lets the person at the device speak, if it is time. When next? 0: nobody
 * was asked. */
uint64_t fleet_device_person(struct fleet_device *device, uint64_t now_ms);
uint64_t fleet_random(struct fleet_device *device);
bool fleet_draw(struct fleet_device *device, double share);

enum fleet_connection { FLEET_LINK_GOOD, FLEET_LINK_ROAMING, FLEET_LINK_NONE };
enum fleet_connection fleet_link_now(const struct fleet_device *device,
                                     uint64_t now_ms);

/* --- fleet_link.c --- */
/* Sends what the client asks for. */
void fleet_link_poll(struct fleet_device *device,
                     const struct bl_action *action);
void fleet_link_get(struct fleet_device *device,
                    const struct bl_action *action);
/* The time-out of an exchange that was never sent. */
void fleet_link_lost(struct fleet_device *device);

/* --- fleet_patch.c --- */
/* A transfer begins, goes on, and an event tells what came of it. */
void fleet_patch_get(struct fleet_device *device,
                     const struct bl_action *action);
bl_status fleet_patch_data(struct fleet_device *device, const void *data,
                           size_t n);
void fleet_patch_event(struct fleet_device *device,
                       const struct bl_event *event);

const char *fleet_power_name(enum fleet_power power);
const char *fleet_profile_name(enum fleet_profile profile);

#endif
