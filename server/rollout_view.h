/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout as operators see it. It makes no rows for devices that it waits
 * for: how many a stage holds, who is blocked and who is silent is counted
 * from the table of devices (rollout_stages.c, rollout_look.c); what became
 * of the others is in the table outcomes. The admin lock is held.
 */
#ifndef SERVER_ROLLOUT_VIEW_H
#define SERVER_ROLLOUT_VIEW_H

#include "api.h"

/* How many devices of the product does a stage hold, or held when it ended? */
uint32_t rollout_devices(struct server *s, const struct rollout *r,
                         uint32_t stage);
/* The stages' limits, for the devices there are, as text to store; NULL
 * without memory. */
char *rollout_place_stages(struct server *s, const struct rollout_wish *wish,
                           uint64_t id);

/* In a transaction: a new state or stage; at its end also what it was. */
int rollout_store_state(struct server *s, struct rollout *r, uint8_t state,
                        uint32_t stage, struct error *err);
/* The same in memory, once that is committed; the catalog locked to write. */
void rollout_set_state(struct rollout *r, uint8_t state, uint32_t stage);

enum { LOOK_NAMES = 10, LOOK_NAME = 129 };

struct look_device {
    uint8_t id[16];
    char name[LOOK_NAME];
    uint32_t last_seen; /* 0: never */
};

struct look_list {
    uint32_t n; /* of them all */
    struct look_device first[LOOK_NAMES];
};

struct rollout_look {
    uint32_t devices;        /* of the product */
    uint32_t seen;           /* of them, since they were registered */
    uint32_t blocked;        /* cannot take the release */
    uint64_t newest;         /* highest sequence number or floor of any */
    struct look_list unseen; /* in the stage, and never heard of */
    struct look_list silent; /* not for three intervals */
};

/* One walk over all devices. `r` NULL: it has not begun, nobody is waited
 * for. */
void rollout_look(struct server *s, const struct product *product,
                  const struct release *release, const struct rollout *r,
                  struct rollout_look *out);
/* Why it is blocked for some, and what to do. "" when it is not. */
void rollout_blocked_reason(const struct rollout_look *look,
                            const struct release *release, char *out,
                            size_t size);

/* `whole`: with the devices that did not keep it. */
json_t *rollout_json(struct server *s, struct rollout *r, bool whole);
void rollout_reply_outcomes(struct server *s, struct http_request *rq,
                            const struct outcome_query *query);

#endif
