/* SPDX-License-Identifier: Apache-2.0 */
/* What a poll changes in what is known of a device. */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include "poll_message.h"
#include "server.h"

struct report {
    bool changed;      /* more than last_seen */
    bool attributes;   /* they, too: d->attributes is new */
    bool gave_up;      /* the offer ended badly, and not on the way */
    bool delta_failed; /* the patch that it was offered, for the first time */
    uint32_t n_events; /* that are new */
    struct bl_event event[POLL_EVENTS];
};

/* How often a release is tried on a device, and for how long not after that;
 * the numbers are the plan's. */
struct report_retry {
    uint8_t attempts;
    uint32_t quarantine_s;
};

/* The catalog read-locked, the device locked. Takes the poll in. */
void report_take(struct catalog *c, struct device *d, const struct poll *p,
                 uint32_t now, const struct report_retry *retry,
                 struct report *out);

/* What a candidate wants of a device. */
struct report_offer {
    uint64_t order;
    uint32_t release; /* its number; a stepping stone is not the rollout's */
    uint32_t now;
    uint8_t outcome; /* OFFERED, or TESTING: it runs it already */
};

/* The device was offered, or runs already, what a candidate wants. */
bool report_offer(struct catalog *c, struct device *d,
                  const struct report_offer *offer);
/* Sets the outcome of the present offer; keeps the rollout's counts. */
bool report_outcome(struct catalog *c, struct device *d, uint8_t outcome,
                    uint16_t code);
/* The release that the present offer is about, or NULL. */
struct release *report_offered(struct catalog *c, const struct device *d);
/*
 * An offer has ended so: keeps attempts, faulted and quarantined_until. Pure.
 * Every bad end is a fault, but for one that an operator asked for; those that
 * speak neither against the release nor the device (the way was broken, the
 * ticket too late) are no attempts.
 */
void report_end(struct device_state *s, uint32_t now,
                const struct report_retry *retry);
/* Did it end so that it is no attempt? */
bool report_no_try(uint8_t outcome, uint16_t code);
/* Counts a device in (+1) or out (-1), at start and when one is deleted. */
void report_count(struct catalog *c, struct device *d, int by);

#endif
