/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back of what a rollout has updated: one rollout of kind "return"
 * for each former release. It names no devices: whoever runs the release by
 * that rollout, and ran the former one before it, goes back when it polls; who
 * was off meanwhile, later. Who is still on trial goes back without a permit;
 * who has confirmed needs one, for the floor has risen. The admin lock is
 * held, no other.
 */
#ifndef SERVER_ROLLOUT_RETURN_H
#define SERVER_ROLLOUT_RETURN_H

#include "server.h"

#include <jansson.h>

enum { RETURN_NOTHING = -1000 }; /* error.code: no device can go back */

struct return_wish {
    const char *actor;
    bool approval;
    uint32_t n_permits; /* beside those of the plan */
    struct plan_permit permit[PLAN_PERMITS];
};

int return_read_permits(const json_t *body, struct return_wish *wish,
                        struct error *err);
void return_free(struct return_wish *wish);
/* ReturnPreview: whom it touches, and which permits are missing. */
json_t *return_json(struct server *s, struct rollout *r,
                    const struct return_wish *wish);
/* -1: nothing goes back; err->status says which permit is no good. */
int return_begin(struct server *s, struct rollout *r,
                 const struct return_wish *wish, struct error *err);

#endif
