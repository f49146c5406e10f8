/* SPDX-License-Identifier: Apache-2.0 */
/* The table `deltas`: what outlives the process of deltas.h. The bytes of a
 * patch are in the folder "deltas" by their digest. Within a transaction. */
#ifndef SERVER_DELTA_STORE_H
#define SERVER_DELTA_STORE_H

#include "deltas.h"
#include "store.h"

/* Fills number. */
int delta_store_add(struct store *store, struct delta *one, struct error *err);
/* All that may change. */
int delta_store_put(struct store *store, const struct delta *one,
                    struct error *err);
int delta_store_remove(struct store *store, uint32_t number,
                       struct error *err);
/* What was being made when the program ended is queued anew, or has failed
 * when that has happened DELTA_TRIES times. */
enum { DELTA_TRIES = 3 };
int delta_store_load(struct store *store, struct deltas *d, struct error *err);

#endif
