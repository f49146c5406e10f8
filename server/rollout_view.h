/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout as operators see it. It makes no rows for devices that it waits
 * for: how many a stage holds, who is blocked and who is silent is in the
 * census; what became of the others is in the table outcomes. The admin lock
 * is held.
 */
#ifndef SERVER_ROLLOUT_VIEW_H
#define SERVER_ROLLOUT_VIEW_H

#include "api.h"
#include "census.h"

/* Why it is blocked for some, and what to do. "" when it is not. */
void rollout_blocked_reason(uint32_t blocked, uint32_t devices,
                            const struct release *release, char *out,
                            size_t size);

/* It goes no further without: it is paused, waits for approval, or runs with
 * gates that only an operator's word opens. */
bool rollout_needs_person(const struct server *s, const struct rollout *r,
                          const struct census *c);
/* `whole`: with the devices that did not keep it, and why. */
json_t *rollout_json(struct server *s, struct rollout *r,
                     const struct census *c, bool whole);
void rollout_reply(struct server *s, struct http_request *rq, int status,
                   struct rollout *r);
json_t *rollout_outcome_json(const struct outcome_row *row);
void rollout_reply_outcomes(struct server *s, struct http_request *rq,
                            const struct outcome_query *query);

/* rollout_stages_view.c */
json_t *rollout_stages_json(const struct server *s, const struct rollout *r,
                            const struct census *c);
/* One sentence: what happens now, and why it waits. */
void rollout_status(const struct server *s, const struct rollout *r,
                    const struct census *c, char *out, size_t size);

/* null for 0 */
json_t *time_or_null(uint64_t seconds);

#endif
