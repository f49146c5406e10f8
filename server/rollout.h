/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollout decision, pure: facts in, verdict out. What should this device
 * run, and why? Nothing here reads a clock, a table or a lock; the truth table
 * is tests/server/test_rollout.c.
 */
#ifndef SERVER_ROLLOUT_H
#define SERVER_ROLLOUT_H

#include "bowline/journal.h"
#include "bowline/ticket.h"

enum { ROLLOUT_BUCKETS = 10000, ROLLOUT_STAGES = 16 };

enum rollout_state {
    ROLLOUT_RUNNING = 0,
    ROLLOUT_PAUSED = 1,
    ROLLOUT_ABORTED = 2,
    ROLLOUT_FINISHED = 3
};

enum rollout_kind {
    ROLLOUT_UPDATE = 0,
    ROLLOUT_ROLLBACK = 1, /* of a product, with a permit */
    ROLLOUT_PIN = 2       /* of one device, with a permit */
};

/*
 * Something that operators want of a product's devices. `order` tells newer
 * from older: rollout n has 2 n, a pin made while n was the newest 2 n + 1.
 */
struct rollout_candidate {
    uint64_t order;
    uint8_t kind;
    uint8_t state;
    uint32_t limit; /* a device is in the stage when its bucket is below */
    uint64_t sequence;
    const uint8_t *manifest; /* 32 bytes */
};

/* What is known of the device. */
struct rollout_device {
    const uint8_t *id;
    const uint8_t *manifest; /* that it runs */
    uint64_t sequence;       /* that it runs */
    uint64_t floor;
    bool confirmed;
    uint8_t state;   /* bl_device_state, as reported */
    uint64_t offer;  /* order of the candidate it was last offered, 0: none */
    uint8_t outcome; /* of that offer: a bl_device_state */
    uint16_t code;   /* and why: a bl_status */
};

enum rollout_why {
    ROLLOUT_NOTHING, /* no rollout wants anything of it */
    ROLLOUT_OFFER,   /* it should run the candidate */
    ROLLOUT_RUNS,    /* it runs the candidate already */
    ROLLOUT_STAGE,   /* its bucket is in a later stage */
    ROLLOUT_PAUSE,   /* the rollout is paused */
    ROLLOUT_TRIED,   /* it returned, failed or refused this one */
    ROLLOUT_NEWER,   /* it has, or had, something newer */
    ROLLOUT_TRIAL,   /* the image it runs is still on trial */
    ROLLOUT_FLOOR    /* its floor is above the candidate's sequence */
};

struct rollout_verdict {
    int candidate; /* index of the one that decided, -1: none */
    bool wanted;   /* the device should run candidate's manifest */
    enum rollout_why why;
};

/* `candidates` newest first. */
struct rollout_verdict
rollout_decide(const struct rollout_device *device,
               const struct rollout_candidate *candidates, uint32_t n);

/* Can no ticket bring the release to the device, whatever the rollout's
 * stage? It runs something else that is newer, or its floor is above. */
bool rollout_blocked(const struct rollout_device *device, uint64_t sequence,
                     const uint8_t manifest[32]);

/* docs/PROTOCOL.md, "Cohorts". */
uint32_t rollout_bucket(uint64_t rollout, const uint8_t device_id[16]);

/* Is `outcome` the end of an offer? */
bool rollout_final(uint8_t outcome);
/* May an offer that ended with this code be made again? Only when nothing
 * speaks against the release itself. */
bool rollout_may_retry(uint8_t outcome, uint16_t code);

/* The outcome of an offer after an event of the device. */
uint8_t rollout_after_event(uint8_t outcome, uint64_t offer_sequence,
                            uint8_t state, uint64_t event_sequence);

/* What one report says beside the offer that was made. */
struct rollout_report {
    bool runs;      /* the running manifest is the offered one */
    bool confirmed; /* the device says so of the running image */
    bool matches;   /* version and image digest are the release's */
    uint8_t state;
};

/* The outcome of an offer after a report. Success is only what is reported
 * whole, in one report: manifest, version, image digest, confirmed. */
uint8_t rollout_after_report(uint8_t outcome,
                             const struct rollout_report *report);

/* "nothing", "offer", ...: for logs and the API. */
const char *rollout_why_name(enum rollout_why why);
const char *rollout_state_name(uint8_t state);
const char *rollout_kind_name(uint8_t kind);

#endif
