/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include "host/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    RECORD_SEEN = 1,  /* u8 kind, u32 device, u32 last_seen */
    RECORD_STATE = 2, /* u8 kind, u32 device, device_record */
    SEEN_SIZE = 9,
    STATE_SIZE = 5 + DEVICE_RECORD,
    BATCH_LIMIT = 32 << 20,
    RESULTS = 256,
    FOLD_MAX = 20000, /* rows a flush */
    DROP_MAX = 4,     /* old blobs a flush */
    KEPT_MAX = 1 << 20
};

struct pending_event {
    uint32_t device;
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
};

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* --- Replay ---------------------------------------------------------------
 */

struct replay {
    struct devices *devices;
    bool damaged;
};

/* 0 when the bytes left are no record. */
static size_t replay_record(struct devices *devices, bl_span rest)
{
    size_t size = rest.p[0] == RECORD_SEEN    ? SEEN_SIZE
                  : rest.p[0] == RECORD_STATE ? STATE_SIZE
                                              : 0;
    struct device *d;

    if (size == 0 || size > rest.n) {
        return 0;
    }
    d = devices_lock_number(devices, get_u32(rest.p + 1));
    if (d == NULL) {
        return size; /* deleted since */
    }
    if (rest.p[0] == RECORD_SEEN) {
        d->s.last_seen = get_u32(rest.p + 5);
    } else if (device_record_get(&d->s,
                                 bl_span_of(rest.p + 5, DEVICE_RECORD)) != 0) {
        size = 0;
    }
    d->dirty = true;
    devices_unlock(devices, d);
    return size;
}

static int replay_row(void *ctx, sqlite3_stmt *row)
{
    struct replay *r = ctx;
    bl_span rest = db_blob(row, 0);

    while (rest.n > 0) {
        size_t n = replay_record(r->devices, rest);

        if (n == 0) {
            r->damaged = true;
            return 1;
        }
        rest = bl_span_of(rest.p + n, rest.n - n);
    }
    return 0;
}

static void settle(struct devices *devices)
{
    for (uint32_t i = 1; i <= devices_last(devices); i++) {
        struct device *d = devices_lock_number(devices, i);

        if (d != NULL) {
            d->durable = d->s.event;
            devices_unlock(devices, d);
        }
    }
}

int journal_replay(struct store *store, struct devices *devices,
                   struct error *err)
{
    struct replay r = {devices, false};

    if (db_each(&store->db, err, replay_row, &r,
                "SELECT records FROM journal ORDER BY number", "") != 0) {
        return -1;
    }
    if (r.damaged) {
        return error_set(err, "the database's table journal holds what this "
                              "program did not write; restore a backup");
    }
    settle(devices);
    return 0;
}

/* --- Filling a batch ------------------------------------------------------
 */

static int grow(void **p, size_t size, size_t *capacity, size_t wanted)
{
    size_t n = *capacity == 0 ? 256 : *capacity;
    void *bigger;

    if (wanted <= *capacity) {
        return 0;
    }
    while (n < wanted) {
        n *= 2;
    }
    bigger = realloc(*p, n * size);
    if (bigger == NULL) {
        return -1;
    }
    *p = bigger;
    *capacity = n;
    return 0;
}

static int grow_outcomes(struct pending_outcomes *o, size_t wanted)
{
    void *p = o->at;

    if (grow(&p, sizeof *o->at, &o->capacity, wanted) != 0) {
        return -1;
    }
    o->at = p;
    return 0;
}

static uint8_t *reserve(struct journal *j, size_t n, uint32_t n_events,
                        uint32_t n_outcomes)
{
    struct batch *b = j->open;
    void *bytes = b->p;
    void *events = b->event;

    if (b->n + n > BATCH_LIMIT || grow(&bytes, 1, &b->capacity, b->n + n)) {
        return NULL;
    }
    b->p = bytes;
    if (grow(&events, sizeof *b->event, &b->event_capacity,
             b->n_events + n_events)) {
        return NULL;
    }
    b->event = events;
    if (grow_outcomes(&b->outcomes, b->outcomes.n + n_outcomes) != 0) {
        return NULL;
    }
    if (b->n == 0) {
        b->first_us = monotonic_us();
        pthread_cond_signal(&j->wake);
    }
    b->n += n;
    b->records++;
    return b->p + b->n - n;
}

uint64_t journal_seen(struct journal *j, struct device *device)
{
    uint64_t number = 0;
    uint8_t *p;

    device->dirty = true;
    pthread_mutex_lock(&j->lock);
    p = reserve(j, SEEN_SIZE, 0, 0);
    if (p != NULL) {
        p[0] = RECORD_SEEN;
        put_u32(p + 1, device->number);
        put_u32(p + 5, device->s.last_seen);
        number = j->open->number;
    }
    pthread_mutex_unlock(&j->lock);
    return number;
}

static void add_news(struct batch *b, uint32_t device,
                     const struct journal_news *news)
{
    for (uint32_t i = 0; i < news->n_events; i++) {
        b->event[b->n_events].device = device;
        b->event[b->n_events++].event = news->event[i];
    }
    for (uint32_t i = 0; i < news->n_outcomes; i++) {
        b->outcomes.at[b->outcomes.n].device = device;
        b->outcomes.at[b->outcomes.n++].outcome = news->outcome[i];
    }
}

uint64_t journal_state(struct journal *j, struct device *device,
                       const struct journal_news *news)
{
    uint64_t number = 0;
    uint8_t *p;

    device->dirty = true;
    pthread_mutex_lock(&j->lock);
    p = reserve(j, STATE_SIZE, news->n_events, news->n_outcomes);
    if (p != NULL) {
        p[0] = RECORD_STATE;
        put_u32(p + 1, device->number);
        device_record_put(&device->s, p + 5);
        add_news(j->open, device->number, news);
        number = j->open->number;
    }
    pthread_mutex_unlock(&j->lock);
    return number;
}

int journal_wait(struct journal *j, uint64_t batch,
                 struct journal_waiter *waiter)
{
    int result = 0;

    pthread_mutex_lock(&j->lock);
    if (batch <= j->closed) {
        bool known = j->closed - batch < RESULTS;

        result = known && j->result[batch % RESULTS] ? 1 : -1;
    } else {
        /* The open batch or the one being written: both are in `two`. */
        struct batch *b = &j->two[batch % 2];

        waiter->next = b->waiters;
        b->waiters = waiter;
        pthread_cond_signal(&j->wake);
    }
    pthread_mutex_unlock(&j->lock);
    return result;
}

bool journal_failing(struct journal *j)
{
    return atomic_load(&j->failing);
}

/* --- Writing a batch ------------------------------------------------------
 */

static int fold_one(struct journal *j, uint32_t number, struct error *err)
{
    struct device *d = devices_lock_number(j->devices, number);
    struct device_state copy;

    if (d == NULL) {
        return 0;
    }
    if (!d->dirty) {
        devices_unlock(j->devices, d);
        return 0;
    }
    copy = d->s;
    /* An event whose batch is not committed must not look known after a
     * crash: the device would be told that it is stored. */
    d->dirty = d->durable != copy.event;
    copy.event = d->durable;
    devices_unlock(j->devices, d);
    j->folded[j->n_folded++] = number;
    return store_state_put(j->store, number, &copy, err);
}

static void next_sweep(struct journal *j, uint64_t now_us)
{
    j->drop_below = j->sweep_row;
    j->sweep_row = j->next_row;
    j->sweep_began_us = now_us;
    j->fold_cursor = 0;
}

/* As many rows as the time since the sweep began asks for. */
static int fold(struct journal *j, struct error *err)
{
    uint64_t now = monotonic_us();
    uint64_t last = devices_last(j->devices);
    uint64_t age = now - j->sweep_began_us;
    uint64_t sweep = (uint64_t)j->config.sweep_s * 1000000;
    uint64_t target = age >= sweep ? last : last * age / sweep;

    while (j->fold_cursor < target && j->n_folded < FOLD_MAX) {
        if (fold_one(j, (uint32_t)++j->fold_cursor, err) != 0) {
            return -1;
        }
    }
    if (age >= sweep && j->fold_cursor >= last) {
        next_sweep(j, now);
    }
    return 0;
}

static int drop_old(struct journal *j, struct error *err)
{
    uint64_t to = j->oldest_row + DROP_MAX;

    if (to > j->drop_below) {
        to = j->drop_below;
    }
    if (to <= j->oldest_row) {
        return 0;
    }
    if (db_run(&j->store->db, err,
               "DELETE FROM journal WHERE number >= ? AND number < ?", "ii",
               (int64_t)j->oldest_row, (int64_t)to) != 0) {
        return -1;
    }
    j->oldest_row = to;
    return 0;
}

static int write_events(struct journal *j, const struct batch *b,
                        struct error *err)
{
    uint64_t now = (uint64_t)time(NULL);

    for (size_t i = 0; i < b->n_events; i++) {
        if (store_event_add(j->store, b->event[i].device, &b->event[i].event,
                            now, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int write_outcomes(struct journal *j, const struct pending_outcomes *o,
                          struct error *err)
{
    uint64_t now = (uint64_t)time(NULL);

    for (size_t i = 0; i < o->n; i++) {
        if (outcome_put(j->store, o->at[i].device, &o->at[i].outcome, now,
                        err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Without memory for it, the oldest are kept: it was full for long. */
static void keep_outcomes(struct journal *j, const struct pending_outcomes *o)
{
    struct pending_outcomes *kept = &j->kept;

    if (o->n == 0 || kept->n + o->n > KEPT_MAX ||
        grow_outcomes(kept, kept->n + o->n) != 0) {
        return;
    }
    memcpy(kept->at + kept->n, o->at, o->n * sizeof *o->at);
    kept->n += o->n;
}

static int write_batch(struct journal *j, const struct batch *b,
                       struct error *err)
{
    if (store_begin(j->store, err) != 0) {
        return -1;
    }
    if (db_run(&j->store->db, err,
               "INSERT INTO journal (number, records) VALUES (?, ?)", "ib",
               (int64_t)j->next_row, bl_span_of(b->p, b->n)) != 0 ||
        write_events(j, b, err) != 0 ||
        write_outcomes(j, &j->kept, err) != 0 ||
        write_outcomes(j, &b->outcomes, err) != 0 || fold(j, err) != 0 ||
        drop_old(j, err) != 0) {
        return store_abort(j->store);
    }
    return store_commit(j->store, err);
}

static void mark_dirty_again(struct journal *j)
{
    for (uint32_t i = 0; i < j->n_folded; i++) {
        struct device *d = devices_lock_number(j->devices, j->folded[i]);

        if (d != NULL) {
            d->dirty = true;
            devices_unlock(j->devices, d);
        }
    }
}

/* Committed: known. Failed: forget that they came, so that they are taken
 * in when the device sends them again. */
static void settle_events(struct journal *j, const struct batch *b, bool ok)
{
    for (size_t i = 0; i < b->n_events; i++) {
        struct device *d = devices_lock_number(j->devices, b->event[i].device);

        if (d == NULL) {
            continue;
        }
        if (ok && b->event[i].event.number > d->durable) {
            d->durable = b->event[i].event.number;
        } else if (!ok) {
            d->s.event = d->durable;
        }
        devices_unlock(j->devices, d);
    }
}

struct sweep_mark {
    uint64_t oldest_row;
    uint64_t cursor;
    uint64_t began_us;
    uint64_t sweep_row;
    uint64_t drop_below;
};

static bool commit_batch(struct journal *j, const struct batch *b)
{
    struct sweep_mark m = {j->oldest_row, j->fold_cursor, j->sweep_began_us,
                           j->sweep_row, j->drop_below};
    struct error err = {BL_OK, 0, ""};
    uint64_t began = monotonic_us();
    bool ok;

    j->n_folded = 0;
    ok = write_batch(j, b, &err) == 0;
    histogram_add(&j->metrics->flush_time, monotonic_us() - began);
    atomic_fetch_add(&j->metrics->flush_records, b->records);
    if (ok) {
        atomic_fetch_add(&j->metrics->flushes, 1);
        j->next_row++;
        j->kept.n = 0;
    } else {
        atomic_fetch_add(&j->metrics->flush_failures, 1);
        j->oldest_row = m.oldest_row;
        j->fold_cursor = m.cursor;
        j->sweep_began_us = m.began_us;
        j->sweep_row = m.sweep_row;
        j->drop_below = m.drop_below;
        mark_dirty_again(j);
        keep_outcomes(j, &b->outcomes);
    }
    if (!ok && !atomic_load(&j->failing)) {
        log_error("journal-failing", LOG_TEXT("error", err.text),
                  LOG_TEXT("advice",
                           "devices get 503 until it can be written; "
                           "free space in the data directory"));
    } else if (ok && atomic_load(&j->failing)) {
        log_info("journal-recovered", LOG_INT("records", b->records));
    }
    atomic_store(&j->failing, !ok);
    settle_events(j, b, ok);
    return ok;
}

static void answer_waiters(struct journal_waiter *w, bool ok)
{
    while (w != NULL) {
        struct journal_waiter *next = w->next;

        w->done(w, ok);
        w = next;
    }
}

static struct timespec at_us(uint64_t us)
{
    struct timespec t;

    t.tv_sec = (time_t)(us / 1000000);
    t.tv_nsec = (long)(us % 1000000) * 1000;
    return t;
}

/* When the open batch is due; 0: nothing to write. Locked. */
static uint64_t due_us(const struct journal *j)
{
    const struct batch *b = j->open;
    uint64_t soonest = j->last_us + (uint64_t)j->config.flush_ms * 1000;
    uint64_t idle = b->first_us + (uint64_t)j->config.idle_ms * 1000;

    if (b->n == 0) {
        return 0;
    }
    if (b->waiters != NULL) {
        return soonest;
    }
    return idle > soonest ? idle : soonest;
}

/* Waits for work; returns the batch to write, or NULL to end. Locked. */
static struct batch *take_batch(struct journal *j)
{
    struct batch *b;

    for (;;) {
        uint64_t due = due_us(j);

        if (j->stop && due == 0) {
            return NULL;
        }
        if (due == 0) {
            pthread_cond_wait(&j->wake, &j->lock);
            continue;
        }
        if (j->stop || monotonic_us() >= due) {
            break;
        }
        struct timespec until = at_us(due);
        pthread_cond_timedwait(&j->wake, &j->lock, &until);
    }
    b = j->open;
    j->open = &j->two[(b->number + 1) % 2];
    j->open->number = b->number + 1;
    return b;
}

static struct journal_waiter *close_batch(struct journal *j, struct batch *b,
                                          bool committed)
{
    struct journal_waiter *waiters = b->waiters;

    j->result[b->number % RESULTS] = committed && !b->poisoned;
    j->closed = b->number;
    /* Only a failure poisons, and only the batch that was being filled. */
    j->open->poisoned = !committed;
    b->n = 0;
    b->records = 0;
    b->n_events = 0;
    b->outcomes.n = 0;
    b->waiters = NULL;
    b->poisoned = false;
    return waiters;
}

static void *run(void *ctx)
{
    struct journal *j = ctx;
    struct batch *b;

    pthread_mutex_lock(&j->lock);
    while ((b = take_batch(j)) != NULL) {
        struct journal_waiter *waiters;
        bool poisoned;
        bool ok;

        pthread_mutex_unlock(&j->lock);
        ok = commit_batch(j, b);
        pthread_mutex_lock(&j->lock);
        poisoned = b->poisoned;
        waiters = close_batch(j, b, ok);
        j->last_us = monotonic_us();
        pthread_mutex_unlock(&j->lock);
        answer_waiters(waiters, ok && !poisoned);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* --- Start and stop -------------------------------------------------------
 */

static int read_bounds(void *ctx, sqlite3_stmt *row)
{
    struct journal *j = ctx;

    j->oldest_row = (uint64_t)sqlite3_column_int64(row, 0);
    j->next_row = (uint64_t)sqlite3_column_int64(row, 1) + 1;
    return 0;
}

static int prepare(struct journal *j, struct error *err)
{
    pthread_condattr_t monotonic;

    if (db_each(&j->store->db, err, read_bounds, j,
                "SELECT coalesce(min(number), 1), coalesce(max(number), 0)"
                " FROM journal",
                "") != 0) {
        return -1;
    }
    j->folded = malloc(FOLD_MAX * sizeof *j->folded);
    if (j->folded == NULL) {
        return error_set(err, "no memory for the journal");
    }
    j->sweep_row = j->next_row;
    j->drop_below = j->oldest_row;
    j->sweep_began_us = monotonic_us();
    j->last_us = j->sweep_began_us; /* never 0: that means not due */
    j->two[1].number = 1;
    j->open = &j->two[1];
    pthread_mutex_init(&j->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&j->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

struct journal *journal_start(const struct journal_config *config,
                              struct store *store, struct devices *devices,
                              struct metrics *metrics, struct error *err)
{
    struct journal *j = calloc(1, sizeof *j);

    if (j == NULL) {
        error_set(err, "no memory for the journal");
        return NULL;
    }
    j->config = *config;
    j->store = store;
    j->devices = devices;
    j->metrics = metrics;
    if (prepare(j, err) != 0) {
        free(j->folded);
        free(j);
        return NULL;
    }
    if (pthread_create(&j->thread, NULL, run, j) != 0) {
        error_set(err, "the journal's thread could not be started");
        free(j->folded);
        free(j);
        return NULL;
    }
    return j;
}

void journal_stop(struct journal *j)
{
    if (j == NULL) {
        return;
    }
    pthread_mutex_lock(&j->lock);
    j->stop = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->lock);
    for (int i = 0; i < 2; i++) {
        free(j->two[i].p);
        free(j->two[i].event);
        free(j->two[i].outcomes.at);
    }
    free(j->kept.at);
    free(j->folded);
    free(j);
}
