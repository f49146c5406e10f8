/* SPDX-License-Identifier: Apache-2.0 */
/* Making a rollout: by operators, by a rollback, by the engine's own return.
 * The admin lock is held, no other. */
#ifndef SERVER_ROLLOUT_MAKE_H
#define SERVER_ROLLOUT_MAKE_H

#include "rollout_change.h"

struct rollout_wish {
    struct product *product;
    struct release *release;
    const char *name;
    uint8_t kind;
    struct plan plan; /* the caller's */
    bl_span permit;
    const char *actor;
    bool approval;         /* somebody else must agree first */
    bool instead;          /* what is open of the product ends */
    uint64_t returns_from; /* 0: none */
};

/* The new one, or NULL and nothing was changed. */
struct rollout *rollout_make(struct server *s, const struct rollout_wish *wish,
                             struct error *err);

/* Which number the next one has: its buckets depend on it. */
uint64_t rollout_next_id(struct server *s);

/* One that is open, of the same release and for the same devices; NULL. */
const struct rollout *rollout_same(const struct rollout_wish *wish);
uint32_t rollout_open_count(const struct product *product);
/* Is there no device that could take it, of those that it wants? Then
 * *blocked of *devices can not; with none at all it is false. */
bool rollout_for_nobody(struct server *s, const struct rollout_wish *wish,
                        uint32_t *blocked, uint32_t *devices);

/* Is every device that was seen below this release, and its floor, too? */
bool rollout_leads_forward(struct server *s, const struct product *product,
                           const struct release *release);

/* Where stages end for the devices there are. `id` salts the buckets. */
int rollout_place(struct server *s, const struct rollout_wish *wish,
                  uint64_t id, uint64_t cut[ROLLOUT_STAGES],
                  uint32_t devices[ROLLOUT_STAGES]);

#endif
