/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of rollouts, by operators and by the engine itself: first in the
 * store, with an audit line, then in memory, then told to who listens. The
 * admin lock is held, no other.
 */
#ifndef SERVER_ROLLOUT_CHANGE_H
#define SERVER_ROLLOUT_CHANGE_H

#include "server.h"

/* Who does what. `what` is for the event stream: "paused", "advanced". */
struct rollout_act {
    const char *actor; /* an operator, or ROLLOUT_SELF */
    const char *action;
    const char *what;
    const char *detail;
};

#define ROLLOUT_SELF "bowline"

/* How it shall be; begin with rollout_now. */
struct rollout_next {
    uint8_t state;
    uint32_t stage;
    struct steering steering;
    uint64_t sent; /* what of it was taken from the running counters */
    uint64_t saved;
    uint64_t delta_saved;
    uint64_t delta_devices;
    const struct plan *plan; /* NULL: as it is; else taken over */
    const char *name;        /* NULL: as it is */
    const char *stages;      /* NULL: as they are; with `cut` */
    const uint64_t *cut;
};

void rollout_now(const struct rollout *r, struct rollout_next *out);
/* In a transaction of the caller's. */
int rollout_store(struct server *s, struct rollout *r,
                  const struct rollout_next *next, struct error *err);
/* In memory, once that is committed; the catalog locked to write. */
void rollout_set(struct rollout *r, const struct rollout_next *next);
/* All of it. -1: nothing was changed. */
int rollout_apply(struct server *s, struct rollout *r,
                  const struct rollout_next *next,
                  const struct rollout_act *act, struct error *err);
/* Tells those who listen. */
void rollout_tell(struct server *s, const struct rollout *r, const char *what);

/* Text that was cut to fit ends with a whole character again. */
void rollout_clip(char *text);

/* The next states; each also fills the times. */
void rollout_next_begin(struct rollout_next *n, uint64_t now);
void rollout_next_stage(struct rollout_next *n, uint64_t now);
void rollout_next_reason(struct rollout_next *n, const char *by,
                         const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
