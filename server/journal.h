/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How device state becomes durable: by group commit. What polls change is
 * appended to a batch in memory; a thread writes each batch as one blob into
 * the table journal, with the events of the batch, in one transaction with
 * synchronous=FULL. The same transactions write a rolling slice of changed
 * devices into device_state (the fold) and drop blobs that two sweeps have
 * made needless: the journal stays bounded, no write is a burst.
 *
 * An answer that promises something waits for its batch: journal_wait. When
 * a batch fails (disk full), all that wait for it are told so, and what it
 * held is not acknowledged: devices send their events again.
 */
#ifndef SERVER_JOURNAL_H
#define SERVER_JOURNAL_H

#include "devices.h"
#include "metrics.h"
#include "outcomes.h"
#include "store.h"

struct journal;

struct journal_waiter {
    struct journal_waiter *next;
    void (*done)(struct journal_waiter *waiter, bool ok);
};

struct journal_config {
    uint32_t idle_ms;  /* a batch nobody waits for: 50 */
    uint32_t flush_ms; /* least time between two batches: 10 */
    uint32_t sweep_s;  /* every changed device is folded within: 300 */
    uint32_t events;   /* kept for each device, by the fold; 0: all */
};

/* Replays what the last run left, into `devices`. Before journal_start. */
int journal_replay(struct store *store, struct devices *devices,
                   struct error *err);
struct journal *journal_start(const struct journal_config *config,
                              struct store *store, struct devices *devices,
                              struct metrics *metrics, struct error *err);
/* Writes the last batch. */
void journal_stop(struct journal *j);

/* What a poll told beside the device's own state. */
struct journal_news {
    const struct bl_event *event;
    uint32_t n_events;
    const struct outcome *outcome;
    uint32_t n_outcomes;
    bool attributes; /* the device's are new: written as they are then */
};

/*
 * Both with the device locked; both return the batch to wait for, or 0 when
 * too much waits to be written already: answer 503.
 * journal_seen: only last_seen has changed.
 */
uint64_t journal_seen(struct journal *j, struct device *device);
uint64_t journal_state(struct journal *j, struct device *device,
                       const struct journal_news *news);

/* 1: committed, -1: failed, 0: `waiter->done` will be called, maybe before
 * this returns, on the journal's thread. */
int journal_wait(struct journal *j, uint64_t batch,
                 struct journal_waiter *waiter);
/* Did the last batch fail? */
bool journal_failing(struct journal *j);

#endif
