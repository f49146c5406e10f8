/* SPDX-License-Identifier: Apache-2.0 */
/* Which patches are wanted, by the census; and what is noted of those that
 * there are. */
#include "delta_keeper.h"

#include "api.h"
#include "census.h"
#include "clock.h"
#include "delta_store.h"
#include "rollout_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One pair of images for one class of decoders. */
struct wish {
    uint8_t base[32];
    uint8_t target[32];
    uint8_t ram;
    uint8_t isas;
    bool urgent;
    uint32_t devices;
    uint32_t most; /* of those that `isas` is of */
};

struct wishes {
    struct wish *at;
    uint32_t n;
    uint32_t room;
};

/* --- What is wanted -------------------------------------------------------
 */

static bool leads(struct server *s, const struct rollout *r)
{
    uint64_t ahead = (uint64_t)s->config.delta_ahead_s;

    return r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_PAUSED ||
           (r->state == ROLLOUT_SCHEDULED &&
            r->plan.start_at <= clock_now(s) + ahead);
}

static struct wish *wish_for(struct wishes *w, const uint8_t *base,
                             const uint8_t *target, uint8_t ram)
{
    struct wish *new;

    for (uint32_t i = 0; i < w->n; i++) {
        if (w->at[i].ram == ram && memcmp(w->at[i].base, base, 32) == 0 &&
            memcmp(w->at[i].target, target, 32) == 0) {
            return &w->at[i];
        }
    }
    if (w->n == w->room) {
        uint32_t room = w->room == 0 ? 64 : w->room * 2;

        new = realloc(w->at, room * sizeof *new);
        if (new == NULL) {
            return NULL;
        }
        w->at = new;
        w->room = room;
    }
    new = &w->at[w->n++];
    memset(new, 0, sizeof *new);
    memcpy(new->base, base, 32);
    memcpy(new->target, target, 32);
    new->ram = ram;
    return new;
}

static void add_pair(struct server *s, const struct rollout *r,
                     const struct census_pair *p, struct wishes *out)
{
    const struct release *from = catalog_release_number(&s->catalog, p->from);
    const struct release *to = catalog_release_number(&s->catalog, p->to);
    const uint8_t *base;
    const uint8_t *target;
    struct wish *w;

    if (from == NULL || to == NULL) {
        return;
    }
    base = from->digests.image[p->slot];
    target = to->digests.image[1 - p->slot];
    w = memcmp(base, target, 32) == 0
            ? NULL
            : wish_for(out, base, target, (uint8_t)(p->ram - 1));
    if (w == NULL) {
        return;
    }
    w->devices += p->devices;
    w->urgent |= r->state == ROLLOUT_RUNNING;
    if (p->devices > w->most) {
        w->most = p->devices;
        w->isas = p->isas;
    }
}

static void gather(struct server *s, const struct census *c,
                   struct wishes *out)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < c->n_rollouts; i++) {
        const struct census_rollout *of = &c->rollout[i];
        const struct rollout *r = catalog_rollout(&s->catalog, of->id);

        for (uint32_t k = 0; leads(s, r) && k < of->n_pairs; k++) {
            add_pair(s, r, &of->pair[k], out);
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static int most_first(const void *a, const void *b)
{
    const struct wish *x = a;
    const struct wish *y = b;

    if (x->devices != y->devices) {
        return x->devices > y->devices ? -1 : 1;
    }
    return memcmp(x->base, y->base, 32);
}

/* Of each target the most common bases; the list is sorted. */
static bool is_common(const struct server *s, const struct wishes *w,
                      uint32_t i)
{
    uint32_t bases = 0;

    for (uint32_t k = 0; k < i; k++) {
        bool same = memcmp(w->at[k].target, w->at[i].target, 32) == 0;

        if (same && memcmp(w->at[k].base, w->at[i].base, 32) == 0) {
            return true;
        }
        bases += same;
    }
    return bases < (uint32_t)s->config.delta_bases;
}

/* --- Into the table -------------------------------------------------------
 */

static struct delta *new_row(struct server *s, const struct wish *w)
{
    struct delta *one;
    uint64_t base = 0;
    uint64_t full = 0;

    if (!blob_there(&s->blobs, w->base, &base) ||
        !blob_there(&s->blobs, w->target, &full) || full == 0 ||
        full > UINT32_MAX) {
        return NULL; /* carried in the manifest, or kept elsewhere */
    }
    one = calloc(1, sizeof *one);
    if (one != NULL) {
        memcpy(one->base, w->base, 32);
        memcpy(one->target, w->target, 32);
        one->ram = w->ram;
        one->isas = w->isas;
        one->full = (uint32_t)full;
        one->queued = (int64_t)time(NULL);
    }
    return one;
}

static void want(struct delta *one, const struct wish *w)
{
    one->wanted = true;
    one->urgent = w->urgent;
    one->devices = w->devices;
    if (atomic_load(&one->state) == DELTA_QUEUED && !one->asked) {
        one->isas = w->isas;
    }
}

/* New ones, in one commit. */
static void add_rows(struct server *s, const struct wishes *w)
{
    struct delta **new = calloc(w->n + 1, sizeof(struct delta *));
    struct error err;
    uint32_t n = 0;
    bool good;

    for (uint32_t i = 0; new != NULL &&i < w->n; i++) {
        const struct wish *x = &w->at[i];

        if (deltas_same(&s->deltas, x->base, x->target, x->ram) == NULL &&
            s->deltas.n + n < DELTA_ROWS && is_common(s, w, i)) {
            new[n] = new_row(s, x);
            n += new[n] != NULL;
        }
    }
    good = n > 0 && store_begin(&s->store, &err) == 0;
    for (uint32_t i = 0; good && i < n; i++) {
        good = delta_store_add(&s->store, new[i], &err) == 0;
        if (!good) {
            store_abort(&s->store);
        }
    }
    good = good && store_commit(&s->store, &err) == 0;
    pthread_rwlock_wrlock(&s->deltas.lock);
    for (uint32_t i = 0; i < n; i++) {
        if (!good || deltas_add(&s->deltas, new[i]) != 0) {
            free(new[i]);
        }
    }
    pthread_rwlock_unlock(&s->deltas.lock);
    free(new);
}

static void mark_rows(struct server *s, const struct wishes *w)
{
    struct deltas *d = &s->deltas;

    pthread_rwlock_wrlock(&d->lock);
    for (uint32_t i = 0; i < d->n_rows; i++) {
        if (d->row[i] != NULL) {
            d->row[i]->wanted = false;
            d->row[i]->urgent = false;
            d->row[i]->devices = 0;
        }
    }
    for (uint32_t i = 0; i < w->n; i++) {
        struct delta *one =
            deltas_same(d, w->at[i].base, w->at[i].target, w->at[i].ram);

        if (one != NULL) {
            want(one, &w->at[i]);
        }
    }
    pthread_rwlock_unlock(&d->lock);
}

static bool is_idle(const struct deltas *d, const struct delta *one)
{
    uint8_t state = atomic_load(&one->state);

    if (one->wanted || one->asked || one->held || state == DELTA_MAKING) {
        return false;
    }
    return state == DELTA_QUEUED ||
           (state != DELTA_READY && d->n > DELTA_ROWS / 2);
}

/* What waits in the queue and is wanted no more. */
static void drop_idle(struct server *s)
{
    struct deltas *d = &s->deltas;
    struct error err;

    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];

        if (one == NULL || !is_idle(d, one)) {
            continue;
        }
        if (store_begin(&s->store, &err) != 0) {
            return;
        }
        if (delta_store_remove(&s->store, one->number, &err) != 0) {
            store_abort(&s->store);
            return;
        }
        if (store_commit(&s->store, &err) != 0) {
            return;
        }
        pthread_rwlock_wrlock(&d->lock);
        deltas_remove(d, one);
        pthread_rwlock_unlock(&d->lock);
    }
}

void delta_plan(struct server *s, bool fresh)
{
    const struct census *c = fresh ? census_fresh(s) : census_hold(s);
    struct wishes w = {NULL, 0, 0};

    if (!c->whole) { /* nothing is known yet */
        census_release(c);
        return;
    }
    gather(s, c, &w);
    census_release(c);
    if (w.n > 0) {
        qsort(w.at, w.n, sizeof *w.at, most_first);
    }
    pthread_mutex_lock(&s->admin);
    add_rows(s, &w);
    mark_rows(s, &w);
    drop_idle(s);
    pthread_mutex_unlock(&s->admin);
    free(w.at);
}

/* --- Upkeep ---------------------------------------------------------------
 */

static void withdraw_bad(struct server *s)
{
    struct deltas *d = &s->deltas;

    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];
        struct error err;
        char why[80];
        uint32_t n = one == NULL ? 0 : atomic_load(&one->failures);

        if (n < d->rules.failures || atomic_load(&one->state) != DELTA_READY) {
            continue;
        }
        snprintf(why, sizeof why, "it failed on %u device%s", n,
                 n == 1 ? "" : "s");
        if (delta_withdraw(s, ROLLOUT_SELF, one, why, &err) != 0) {
            log_error("delta", LOG_TEXT("error", err.text));
        }
    }
}

static void mend_damaged(struct server *s)
{
    struct deltas *d = &s->deltas;

    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];
        struct error err;

        if (one != NULL && atomic_load(&one->damaged) &&
            delta_mend(s, one, &err) != 0) {
            log_error("delta", LOG_TEXT("error", err.text));
        }
    }
}

static void write_counts(struct server *s)
{
    struct deltas *d = &s->deltas;
    struct error err;
    bool open = false;

    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];

        if (one == NULL || !atomic_exchange(&one->counted, false)) {
            continue;
        }
        if (!open && store_begin(&s->store, &err) != 0) {
            atomic_store(&one->counted, true);
            return;
        }
        open = true;
        if (delta_store_put(&s->store, one, &err) != 0) {
            store_abort(&s->store);
            return;
        }
    }
    if (open && store_commit(&s->store, &err) != 0) {
        log_error("delta", LOG_TEXT("error", err.text));
    }
}

void delta_upkeep(struct server *s)
{
    delta_check_some(s);
    pthread_mutex_lock(&s->admin);
    mend_damaged(s);
    withdraw_bad(s);
    write_counts(s);
    delta_totals_write(s, (int64_t)time(NULL));
    pthread_mutex_unlock(&s->admin);
}

uint64_t delta_stored(struct server *s)
{
    uint64_t sum = 0;

    pthread_rwlock_rdlock(&s->deltas.lock);
    for (uint32_t i = 0; i < s->deltas.n_rows; i++) {
        const struct delta *one = s->deltas.row[i];

        if (one != NULL && atomic_load(&one->state) == DELTA_READY) {
            sum += one->size;
        }
    }
    pthread_rwlock_unlock(&s->deltas.lock);
    return sum;
}

bool delta_keeps(const struct deltas *d, const uint8_t patch[32],
                 const struct delta *but)
{
    for (uint32_t i = 0; i < d->n_rows; i++) {
        const struct delta *one = d->row[i];

        if (one != NULL && one != but &&
            atomic_load(&one->state) == DELTA_READY &&
            memcmp(one->patch, patch, 32) == 0) {
            return true;
        }
    }
    return false;
}
