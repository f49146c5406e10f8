/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has patches made: for what the fleet really runs, by the census, and
 * what rollouts lead to; most common first, in the background. One thread
 * plans (delta_plan.c), `delta_workers` threads wait for a child each.
 */
#ifndef SERVER_DELTA_KEEPER_H
#define SERVER_DELTA_KEEPER_H

#include "server.h"

struct delta_keeper;

/* s->deltas from the store, and the threads. */
int delta_keeper_start(struct server *s, struct error *err);
/* Ends what is being made, too; it is made anew after the next start. */
void delta_keeper_stop(struct server *s);
/* A rollout has changed, or a setting: it plans at once. NULL: nothing. */
void delta_keeper_wake(struct delta_keeper *k);

/* An operator's orders; the admin lock is held. -1 with err->code 409: it
 * cannot be now, 507 and others of the store. */

/* From what->base to what->target, for what->ram and what->isas: queued, or
 * what is there already. NULL: the error is set. */
struct delta *delta_order(struct server *s, const char *actor,
                          const struct delta *what, struct error *err);
int delta_remake(struct server *s, const char *actor, struct delta *one,
                 struct error *err);
int delta_withdraw(struct server *s, const char *actor, struct delta *one,
                   const char *why, struct error *err);

/* Its file was damaged: it is made anew, by the server itself. */
int delta_mend(struct server *s, struct delta *one, struct error *err);

/* "thermostat 1.0 -> 1.1, 12 KB", as far as that is known. */
enum { DELTA_NAME = 256 };
void delta_name(struct server *s, const struct delta *one,
                char out[DELTA_NAME]);
/* A release whose image this is; NULL: none. The catalog is locked. */
struct release *delta_release(const struct catalog *c,
                              const uint8_t image[32]);
/* Tells those who listen that the target's patches have changed. */
void delta_tell(struct server *s, const uint8_t target[32]);

/* delta_plan.c: what is wanted now, into s->deltas; takes the admin lock. */
void delta_plan(struct server *s, bool fresh);
/* Withdraws those that failed on too many devices, has those made anew whose
 * file is damaged, writes what was counted at polls. */
void delta_upkeep(struct server *s);
/* Bytes of all patches. */
uint64_t delta_stored(struct server *s);
/* Is the blob some ready patch's? */
bool delta_keeps(const struct deltas *d, const uint8_t patch[32],
                 const struct delta *but);

/* delta_totals.c: what patches did outlives rows and restarts. */
int delta_totals_load(struct server *s, struct error *err);
/* The admin lock is held, as by delta_upkeep. Within a transaction of its
 * own, when there is something new. */
void delta_totals_write(struct server *s, int64_t now);
/* {"enabled", "saved", "installs", "saved_today", "installs_today"} */
struct json_t *delta_totals_json(struct server *s, int64_t now);

/* delta_check.c: are the files what they were? */

/* Of a patch that is offered, or sent: `fd` is open, or -1: it is opened. What
 * is read once is not read again while the file stays as it is. */
bool delta_sound(struct server *s, const uint8_t patch[32], int fd);
/* A few of them, each time others. */
void delta_check_some(struct server *s);

#endif
