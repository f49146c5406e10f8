/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rollout knows of its own course, durable: when its stages began and
 * ended, why it waits, who agreed, what was brought back. The column
 * rollouts.steer holds it as JSON; it outlives the process, so that a soak
 * does not begin anew with the server.
 */
#ifndef SERVER_STEERING_H
#define SERVER_STEERING_H

#include "plan.h"

#include "host/error.h"

enum {
    STEERING_REASON = 400,
    STEERING_NAME = 64,
    STEERING_APPROVALS = 4,
    STEERING_RETURNS = 16
};

struct steering_approval {
    char by[STEERING_NAME];
    char person[STEERING_NAME]; /* behind `by`: a token may go */
    char note[200];
    uint64_t when;
};

struct steering {
    char created_by[STEERING_NAME];
    char person[STEERING_NAME];  /* behind it: a token may go */
    uint64_t started;            /* its first stage began; 0: not yet */
    uint64_t since[PLAN_STAGES]; /* each stage began */
    uint64_t until[PLAN_STAGES]; /* and ended; 0: not yet */
    uint64_t gates_since;        /* steer.h; 0: the gates are not met */
    uint64_t watched; /* they were, and the server ran, until then: what
                         passes between a stop and devices' next reports is
                         no soak time */
    uint32_t confirmed_at_start; /* of the present stage */
    uint32_t seen_failures;      /* when it was last resumed: steer.h */
    uint32_t seen_bad_signature;
    uint64_t sent;          /* payload bytes, and those that devices */
    uint64_t saved;         /* did not fetch again after a break */
    uint64_t delta_saved;   /* by patches: bytes not fetched, */
    uint64_t delta_devices; /* and devices that installed from one */
    bool advance_asked;     /* an operator said advance */
    bool recall;            /* aborted: who has not installed goes back */
    bool returned;          /* what it had updated was sent back */
    char reason[STEERING_REASON]; /* why it is paused or aborted */
    char by[STEERING_NAME];       /* who did it: an operator or "bowline" */
    uint32_t n_approvals;
    struct steering_approval approval[STEERING_APPROVALS];
    uint64_t returns_from; /* id of the rollout that this one undoes */
    uint32_t n_returns;
    uint64_t returns[STEERING_RETURNS]; /* ids of those that undo it */
};

/* "" is a course that has not begun. -1 when it is no such JSON. */
int steering_read(const char *text, struct steering *s);
/* NULL without memory. */
char *steering_text(const struct steering *s);

#endif
