/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of steer.h for a rollout of the catalog. The admin lock is held,
 * or the catalog's. */
#ifndef SERVER_ROLLOUT_STEER_H
#define SERVER_ROLLOUT_STEER_H

#include "census.h"

void rollout_steer_facts(const struct server *s, const struct rollout *r,
                         uint32_t stage, const struct census *c,
                         struct steer_facts *out);
/* Have devices had the time to report, since the server began or since the
 * stage did? */
bool rollout_watched(const struct server *s, const struct rollout *r,
                     const struct census *c);
/* steering.gates_since without the time that nobody watched. */
uint64_t rollout_gates_since(const struct rollout *r);
/* 0: nothing to say. Seconds since 1970, real. */
uint64_t rollout_expected_finish(const struct server *s,
                                 const struct rollout *r,
                                 const struct census *c);
/* Of the stages up to `stage`; what it was at its end when it has ended. */
uint32_t rollout_devices(const struct rollout *r, uint32_t stage,
                         const struct census *c);

#endif
