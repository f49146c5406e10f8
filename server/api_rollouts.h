/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of /api/v1/rollouts share. The admin lock is held. */
#ifndef SERVER_API_ROLLOUTS_H
#define SERVER_API_ROLLOUTS_H

#include "api.h"
#include "rollout_make.h"

/* The rollout that the path names, or NULL and the error is set. */
struct rollout *rollout_named(struct server *s, struct http_request *rq);
/* Has core check the permits of a plan; -1 and the error is set. */
int rollout_check_permits(struct server *s, struct http_request *rq,
                          const struct product *product,
                          const struct plan *plan);
/* Makes it and replies. */
int rollout_reply_new(struct server *s, struct http_request *rq, int status,
                      const struct rollout_wish *wish);

#endif
