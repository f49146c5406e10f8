/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout decision for a device of the table: facts gathered, verdict. */
#ifndef SERVER_DECIDE_H
#define SERVER_DECIDE_H

#include "device_facts.h"
#include "server.h"

struct decision {
    struct device_facts facts;
    struct rollout_device device;
    struct rollout_candidate candidate[CATALOG_CANDIDATES + 1];
    uint32_t n;
    struct rollout_verdict v;
    uint64_t now;   /* the engine's */
    uint64_t order; /* of the candidate that decided, or 0 */
};

/* Catalog and device locked. */
void device_decide(struct server *s, struct device *d, struct decision *out);
/* The facts alone: enough for rollout_target and rollout_blocked. */
void device_look_light(struct server *s, struct device *d,
                       struct decision *out);
/* The same without the verdict: facts, candidates. */
void device_look(struct server *s, struct device *d, struct decision *out);
/* The release that the verdict would have it run, a stepping stone when one
 * comes first; NULL: what it runs. *permit for it, or empty. */
struct release *decision_release(struct server *s, const struct device *d,
                                 const struct decision *decision,
                                 bl_span *permit);
/* The rollout behind candidate `i`, or NULL (none, or a pin). */
struct rollout *decision_rollout(struct server *s,
                                 const struct decision *decision, int i);

#endif
