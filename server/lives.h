/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device numbers its events from 1. Provisioned anew it does so again: a
 * new life, whose events are no repetition of those that are known. Both
 * lives are kept; the table lives has which one a device is in, when it is
 * not its first.
 */
#ifndef SERVER_LIVES_H
#define SERVER_LIVES_H

#include "poll_message.h"
#include "store.h"

enum life {
    LIFE_SAME,
    LIFE_NEW,
    LIFE_UNSURE /* all its events are known numbers, of rows long pruned */
};

/* By the rows of the life that the device is in; `durable` is its newest.
 * Takes the store's lock. */
enum life life_judge(struct store *store, uint32_t device, uint32_t life,
                     uint32_t durable, const struct poll *poll);

int life_put(struct store *store, uint32_t device, uint32_t life,
             struct error *err);

/* Keeps the device's newest `keep` events, of all its lives. */
int life_prune(struct store *store, uint32_t device, uint32_t keep,
               struct error *err);

#endif
