/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_internal.h"

#include <stdlib.h>
#include <time.h>

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
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

int journal_grow_outcomes(struct pending_outcomes *o, size_t wanted)
{
    void *p = o->at;

    if (grow(&p, sizeof *o->at, &o->capacity, wanted) != 0) {
        return -1;
    }
    o->at = p;
    return 0;
}

int journal_grow_devices(struct pending_devices *list, size_t wanted)
{
    void *p = list->at;

    if (grow(&p, sizeof *list->at, &list->capacity, wanted) != 0) {
        return -1;
    }
    list->at = p;
    return 0;
}

static int reserve_news(struct batch *b, const struct journal_news *news)
{
    void *events = b->event;

    if (grow(&events, sizeof *b->event, &b->event_capacity,
             b->n_events + news->n_events)) {
        return -1;
    }
    b->event = events;
    if (journal_grow_outcomes(&b->outcomes,
                              b->outcomes.n + news->n_outcomes) != 0) {
        return -1;
    }
    return journal_grow_devices(&b->attributes,
                                b->attributes.n + news->attributes);
}

static uint8_t *reserve(struct journal *j, size_t n,
                        const struct journal_news *news)
{
    struct batch *b = j->open;
    void *bytes = b->p;

    if (b->n + n > BATCH_LIMIT || grow(&bytes, 1, &b->capacity, b->n + n)) {
        return NULL;
    }
    b->p = bytes;
    if (reserve_news(b, news) != 0) {
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
    const struct journal_news none = {NULL, 0, NULL, 0, false};
    uint64_t number = 0;
    uint8_t *p;

    device->dirty = true;
    pthread_mutex_lock(&j->lock);
    p = reserve(j, SEEN_SIZE, &none);
    if (p != NULL) {
        p[0] = RECORD_SEEN;
        put_u32(p + 1, device->number);
        put_u32(p + 5, device->s.last_seen);
        number = j->open->number;
    }
    pthread_mutex_unlock(&j->lock);
    return number;
}

static void add_news(struct batch *b, const struct device *device,
                     const struct journal_news *news)
{
    for (uint32_t i = 0; i < news->n_events; i++) {
        b->event[b->n_events].device = device->number;
        b->event[b->n_events].life = device->life;
        b->event[b->n_events++].event = news->event[i];
    }
    for (uint32_t i = 0; i < news->n_outcomes; i++) {
        b->outcomes.at[b->outcomes.n].device = device->number;
        b->outcomes.at[b->outcomes.n++].outcome = news->outcome[i];
    }
    if (news->attributes) {
        b->attributes.at[b->attributes.n++] = device->number;
    }
}

uint64_t journal_state(struct journal *j, struct device *device,
                       const struct journal_news *news)
{
    uint64_t number = 0;
    uint8_t *p;

    device->dirty = true;
    device->fresh |= news->n_events > 0;
    pthread_mutex_lock(&j->lock);
    p = reserve(j, STATE_SIZE, news);
    if (p != NULL) {
        p[0] = RECORD_STATE;
        put_u32(p + 1, device->number);
        device_record_put(&device->s, p + STATE_HEAD);
        add_news(j->open, device, news);
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

/* --- The thread -----------------------------------------------------------
 */

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
    b->attributes.n = 0;
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
        ok = journal_commit(j, b);
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
        free(j->two[i].attributes.at);
    }
    free(j->kept.at);
    free(j->kept_attributes.at);
    free(j->folded);
    free(j);
}
