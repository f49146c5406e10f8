/* SPDX-License-Identifier: Apache-2.0 */
/* Patches at a poll: what is offered, waited for, and has been used. Catalog
 * and device are locked. */
#ifndef SERVER_DEVICE_DELTA_H
#define SERVER_DEVICE_DELTA_H

#include "report.h"

/* With its room: the answer points into it. */
struct device_delta {
    uint8_t patch[32];
    struct poll_delta offer;
};

/* What could be asked for on its way to `wanted`; false: nothing. */
bool device_delta_ask(struct server *s, const struct device *d,
                      const struct release *wanted, struct delta_ask *ask);
/* A patch to `wanted`, when there is one for this device; else
 * out->offer.size is 0. True: the device's record has changed. */
bool device_delta_offer(struct server *s, struct device *d,
                        const struct poll *p, const struct release *wanted,
                        struct device_delta *out);
/* Seconds for which it should rather wait for a patch that is coming; 0: it
 * should not. */
uint32_t device_delta_wait(struct server *s, const struct device *d,
                           const struct poll *p, const struct release *wanted);
/* What the poll says of the patch that it was offered: it runs what came of
 * it, or it failed. True: the device's record has changed. */
bool device_delta_seen(struct server *s, struct device *d,
                       const struct poll *p, const struct report *r);

/* Bytes of a patch, or of a payload, are sent. The device is locked. */
void device_delta_sent(struct server *s, struct device *d,
                       const uint8_t patch[32], uint64_t bytes);
/* So many of them did not come. */
void device_delta_missing(struct server *s, struct device *d,
                          const uint8_t patch[32], uint64_t bytes);
void device_payload_sent(struct server *s, struct device *d,
                         const uint8_t payload[32]);

#endif
