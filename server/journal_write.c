/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is written: one transaction, with its share of the fold. */
#include "journal_internal.h"

#include "host/log.h"
#include "lives.h"

#include <stdlib.h>
#include <time.h>

static int fold_one(struct journal *j, uint32_t number, struct error *err)
{
    struct device *d = devices_lock_number(j->devices, number);
    uint32_t keep = j->config.events;
    struct device_state copy;
    uint32_t life;
    bool fresh;

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
    life = d->life;
    fresh = d->fresh;
    d->fresh = false;
    devices_unlock(j->devices, d);
    j->folded[j->n_folded++] = number;
    if ((life > 0 && life_put(j->store, number, life, err) != 0) ||
        (fresh && keep > 0 && life_prune(j->store, number, keep, err) != 0)) {
        return -1;
    }
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
        const struct pending_event *e = &b->event[i];

        if (store_event_add(j->store, e->device, e->life, &e->event, now,
                            err) != 0 ||
            (e->life > 0 &&
             life_put(j->store, e->device, e->life, err) != 0)) {
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

static int write_device_attributes(struct journal *j, uint32_t number,
                                   struct error *err)
{
    struct device *d = devices_lock_number(j->devices, number);
    bool any;
    char *copy;
    int result;

    if (d == NULL) {
        return 0; /* deleted since */
    }
    any = d->attributes != NULL;
    copy = any ? strdup(d->attributes) : NULL;
    devices_unlock(j->devices, d);
    if (any && copy == NULL) {
        return error_set(err, "no memory for a device's attributes");
    }
    result = store_attributes_put(j->store, number, copy, err);
    free(copy);
    return result;
}

static int write_attributes(struct journal *j, const struct pending_devices *p,
                            struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        if (write_device_attributes(j, p->at[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void keep_attributes(struct journal *j, const struct pending_devices *p)
{
    struct pending_devices *kept = &j->kept_attributes;

    if (p->n == 0 || kept->n + p->n > KEPT_MAX ||
        journal_grow_devices(kept, kept->n + p->n) != 0) {
        return;
    }
    memcpy(kept->at + kept->n, p->at, p->n * sizeof *p->at);
    kept->n += p->n;
}

/* Without memory for it, the oldest are kept: it was full for long. */
static void keep_outcomes(struct journal *j, const struct pending_outcomes *o)
{
    struct pending_outcomes *kept = &j->kept;

    if (o->n == 0 || kept->n + o->n > KEPT_MAX ||
        journal_grow_outcomes(kept, kept->n + o->n) != 0) {
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
        write_outcomes(j, &b->outcomes, err) != 0 ||
        write_attributes(j, &j->kept_attributes, err) != 0 ||
        write_attributes(j, &b->attributes, err) != 0 || fold(j, err) != 0 ||
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
            d->fresh = true;
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
        if (b->event[i].life != d->life) {
            /* Of the life before: of no more account. */
        } else if (ok && b->event[i].event.number > d->durable) {
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

bool journal_commit(struct journal *j, const struct batch *b)
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
        j->kept_attributes.n = 0;
    } else {
        atomic_fetch_add(&j->metrics->flush_failures, 1);
        j->oldest_row = m.oldest_row;
        j->fold_cursor = m.cursor;
        j->sweep_began_us = m.began_us;
        j->sweep_row = m.sweep_row;
        j->drop_below = m.drop_below;
        mark_dirty_again(j);
        keep_outcomes(j, &b->outcomes);
        keep_attributes(j, &b->attributes);
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
