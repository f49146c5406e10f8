/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device as the server knows it, and its record at rest: what the journal
 * and the table device_state hold (little endian, fixed size, with a version
 * byte). What was registered (token, product, name) is in the table devices.
 */
#ifndef SERVER_DEVICE_H
#define SERVER_DEVICE_H

#include "bowline/journal.h"
#include "bowline/ticket.h"

#include <stdbool.h>

enum {
    DEVICE_TEXT = 32,
    DEVICE_RECORD = 274,        /* version 3 */
    DEVICE_RECORD_SECOND = 260, /* version 2 */
    DEVICE_RECORD_FIRST = 201   /* version 1 */
};

/* What a device does not say. */
enum {
    DEVICE_NO_OFFSET = INT16_MIN,
    DEVICE_NO_BATTERY = 255,
    DEVICE_NO_TRIES = 255
};

/* What it says of its power and its link; key 19 of a poll. */
enum {
    DEVICE_POWERED = 1,
    DEVICE_METERED = 2,
    DEVICE_ROAMING = 4,
    DEVICE_LINK_KNOWN = 8,
    DEVICE_POWER_KNOWN = 16
};

/* What the device last told, and what it was last offered. */
struct device_state {
    uint8_t manifest[32];
    uint8_t image[32];
    uint64_t sequence;
    uint64_t floor;
    uint64_t root_version;
    uint64_t offer; /* order of a rollout or a pin, rollout.h; 0: none */
    uint64_t noted_sequence; /* of the last notable event */
    uint32_t first_seen;     /* seconds since 1970; 0: never */
    uint32_t last_seen;
    uint32_t event; /* number of the newest event taken in */
    uint32_t done;
    uint32_t total;
    uint16_t code;       /* why the offer ended */
    uint16_t noted_code; /* of the last notable event */
    uint8_t outcome;     /* of the offer: bl_device_state */
    uint8_t noted_state;
    uint8_t noted_reset;
    uint8_t state;
    uint8_t slot;
    uint8_t confirmed;
    uint8_t wait;
    uint8_t expect; /* slot the offer goes to: 1 A, 2 B, 0 any */
    char hardware[DEVICE_TEXT];
    char version[DEVICE_TEXT];
    /* The confirmed one before `manifest`; zero: none is known. */
    uint8_t prev_manifest[32];
    uint64_t prev_sequence;
    uint32_t offer_release; /* its number: a stepping stone is not the
                               rollout's own; 0: none, or not known */
    uint32_t offered_at;
    uint32_t quarantined_until; /* 0: not */
    int16_t utc_offset;         /* minutes east, DEVICE_NO_OFFSET */
    uint8_t attempts;           /* offers of offer_release that ended badly */
    uint8_t faulted; /* an offer ended badly, and no other well since */
    uint8_t battery; /* percent, DEVICE_NO_BATTERY */
    uint8_t link;    /* DEVICE_POWERED and the like */
    uint8_t tries;   /* boots left on trial, DEVICE_NO_TRIES */
    /* Deltas, key 21 of a poll. */
    uint8_t delta_ram;     /* delta_class() of its decoder; 0: takes none */
    uint8_t delta_isas;    /* instruction sets, as bits */
    uint32_t delta_failed; /* release (number) whose patch failed on it */
    uint32_t delta_row;    /* patch that it was offered last; 0: none */
    uint32_t delta_sent;   /* bytes of it that were sent since */
};

struct pin;

struct device {
    uint8_t id[BL_ID_SIZE];
    uint8_t token[32]; /* SHA-256 of its secret; zero: certificate only */
    uint32_t number;   /* row in the table devices; 0: unused */
    uint32_t product;  /* row in the table products */
    uint32_t durable;  /* number of the last event committed */
    uint32_t runs;     /* release it runs: number in releases, 0: unknown */
    uint32_t life;     /* how often its events began anew, lives.h */
    bool fresh;        /* has events since they were pruned last */
    bool dirty;        /* newer than its row in device_state */
    uint8_t downloads; /* open now */
    uint64_t busy_us;  /* device_may_poll */
    struct pin *pin;   /* its own desired release, or NULL */
    char *name;        /* "" when none */
    char *tags;        /* a JSON array of strings */
    char *attributes;  /* a JSON object of strings; NULL: none */
    char *channel;     /* NULL: stable */
    struct device_state s;
};

/*
 * May it poll with a nonce or with events now? A minute's worth at once, then
 * `per_minute` evenly. Else *wait_s says in how many seconds.
 */
bool device_may_poll(struct device *d, uint64_t now_us, uint32_t per_minute,
                     uint32_t *wait_s);

/* Its events are numbered from 1 again. */
void device_begin_life(struct device *d);

/* As of one that has told nothing yet. */
void device_state_init(struct device_state *s);

/* DEVICE_RECORD bytes. */
void device_record_put(const struct device_state *s, uint8_t *out);
/* How long the record is that these bytes begin with, by its version; 0: of
 * no form that is known. */
size_t device_record_size(bl_span bytes);
/* -1 when the record is of another form. What an older version does not hold
 * is as device_state_init has it. */
int device_record_get(struct device_state *s, bl_span record);

#endif
