/* SPDX-License-Identifier: Apache-2.0 */
/* Making a rollout: by operators, by a rollback, by the engine's own return.
 * The admin lock is held, no other; rollout_place needs none. */
#ifndef SERVER_ROLLOUT_MAKE_H
#define SERVER_ROLLOUT_MAKE_H

#include "rollout_change.h"

/* Where stages end for the devices there are, and what the one walk over
 * them has seen. */
struct rollout_placed {
    uint64_t id; /* of the rollout: it salts the buckets. 0: not placed */
    uint64_t cut[ROLLOUT_STAGES];
    uint32_t devices[ROLLOUT_STAGES];
    /* Whole only when there are no takers: else the walk may end early. */
    bool takers;      /* some device can take it, and does not run it yet */
    uint32_t wanted;  /* that lists, query and channels let in */
    uint32_t blocked; /* of them: newer already, or the floor is above */
    uint32_t on_it;   /* of them: run it */
};

struct rollout_wish {
    struct product *product;
    struct release *release;
    const char *name;
    uint8_t kind;
    struct plan plan; /* the caller's */
    bl_span permit;
    const char *actor;
    bool approval;                /* somebody else must agree first */
    bool instead;                 /* what is open of the product ends */
    uint64_t returns_from;        /* 0: none */
    struct rollout_placed placed; /* in advance, or id 0 */
};

/* The new one, or NULL and nothing was changed. */
struct rollout *rollout_make(struct server *s, const struct rollout_wish *wish,
                             struct error *err);

/* Which number the next one has: its buckets depend on it. */
uint64_t rollout_next_id(struct server *s);

/* One that is open, of the same release and for the same devices; NULL. */
const struct rollout *rollout_same(const struct rollout_wish *wish);
uint32_t rollout_open_count(const struct product *product);
/* Is there no device that could take it, of those that it wants? With none
 * at all it is false. */
bool rollout_for_nobody(const struct rollout_placed *placed);

/* Is every device that was seen below this release, and its floor, too? */
bool rollout_leads_forward(struct server *s, const struct product *product,
                           const struct release *release);

/* One walk over the devices; without memory -1. */
int rollout_place(struct server *s, const struct rollout_wish *wish,
                  uint64_t id, struct rollout_placed *out);

#endif
