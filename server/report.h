/* SPDX-License-Identifier: Apache-2.0 */
/* What a poll changes in what is known of a device. */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include "poll_message.h"
#include "server.h"

struct report {
    bool changed;      /* more than last_seen */
    uint32_t n_events; /* that are new */
    struct bl_event event[POLL_EVENTS];
};

/* The catalog read-locked, the device locked. Takes the poll in. */
void report_take(struct catalog *c, struct device *d, const struct poll *p,
                 uint32_t now, struct report *out);
/* The device was offered, or runs already, what a candidate wants. */
bool report_offer(struct catalog *c, struct device *d, uint64_t order,
                  uint8_t outcome);
/* Sets the outcome of the present offer; keeps the rollout's counts. */
bool report_outcome(struct catalog *c, struct device *d, uint8_t outcome,
                    uint16_t code);
/* Counts a device in (+1) or out (-1), at start and when one is deleted. */
void report_count(struct catalog *c, struct device *d, int by);

#endif
