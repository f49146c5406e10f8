/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of journal.h share: journal.c fills batches and answers who
 * waits, journal_write.c commits them, journal_replay.c reads them back. */
#ifndef SERVER_JOURNAL_INTERNAL_H
#define SERVER_JOURNAL_INTERNAL_H

#include "journal.h"

#include <pthread.h>

enum {
    RECORD_SEEN = 1,  /* u8 kind, u32 device, u32 last_seen */
    RECORD_STATE = 2, /* u8 kind, u32 device, device_record */
    SEEN_SIZE = 9,
    STATE_HEAD = 5,
    STATE_SIZE = STATE_HEAD + DEVICE_RECORD,
    BATCH_LIMIT = 32 << 20,
    RESULTS = 256,
    FOLD_MAX = 20000, /* rows a flush */
    DROP_MAX = 4,     /* old blobs a flush */
    KEPT_MAX = 1 << 20
};

struct pending_event {
    uint32_t device;
    uint32_t life;
    struct bl_event event;
};

struct pending_outcome {
    uint32_t device;
    struct outcome outcome;
};

/* A growing list of them. */
struct pending_outcomes {
    struct pending_outcome *at;
    size_t n;
    size_t capacity;
};

/* Devices whose attributes are to be written, as they are then: a promise
 * that is kept by something newer is kept as well. */
struct pending_devices {
    uint32_t *at;
    size_t n;
    size_t capacity;
};

struct batch {
    uint64_t number;
    uint8_t *p;
    size_t n;
    size_t capacity;
    uint32_t records;
    struct pending_event *event;
    size_t n_events;
    size_t event_capacity;
    struct pending_outcomes outcomes;
    struct pending_devices attributes;
    struct journal_waiter *waiters;
    uint64_t first_us;
    bool poisoned; /* builds on a batch that failed: promise nothing */
};

struct journal {
    struct journal_config config;
    struct store *store;
    struct devices *devices;
    struct metrics *metrics;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct batch two[2];
    struct batch *open; /* being filled */
    bool stop;
    _Atomic bool failing;
    uint64_t closed; /* newest batch whose result is known */
    uint8_t result[RESULTS];
    /* Only the thread: */
    uint64_t last_us;
    uint64_t next_row;
    uint64_t oldest_row;
    uint64_t fold_cursor;
    uint64_t sweep_began_us;
    uint64_t sweep_row;  /* next_row when this sweep began */
    uint64_t drop_below; /* blobs that a whole sweep has folded */
    uint32_t *folded;
    uint32_t n_folded;
    /* Of batches that failed. Their devices send the events again, but what
     * they say then is not new: it is written with the next batch. */
    struct pending_outcomes kept;
    struct pending_devices kept_attributes;
};

/* Room for `wanted` in all. */
int journal_grow_outcomes(struct pending_outcomes *o, size_t wanted);
int journal_grow_devices(struct pending_devices *p, size_t wanted);
/* One transaction; on the journal's thread. */
bool journal_commit(struct journal *j, const struct batch *b);

#endif
