/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout decision for a device of the table. */
#ifndef SERVER_DECIDE_H
#define SERVER_DECIDE_H

#include "server.h"

/* Catalog and device locked; `order` of the candidate that decided, or 0. */
struct rollout_verdict device_decide(struct server *s, struct device *d,
                                     uint64_t *order);

#endif
