/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps the census: the thread that walks, and the last whole one. */
#include "census.h"

#include "census_history.h"

#include <stdlib.h>
#include <time.h>

enum {
    SECOND_US = 1000000,
    LONGEST_US = 60 * SECOND_US, /* between two walks */
    SHARE = 50                   /* of the time: two percent */
};

struct census_keeper {
    struct server *s;
    pthread_t thread;
    pthread_mutex_t lock; /* of `last`, and of the thread's sleep */
    pthread_cond_t wake;
    pthread_mutex_t walking; /* one at a time, of those at once */
    struct census *last;
    struct census_history history;
    bool wanted; /* somebody asked for a newer one */
    _Atomic bool stop;
};

void census_release(const struct census *c)
{
    union {
        const struct census *in;
        struct census *out;
    } p = {c};

    if (c != NULL && atomic_fetch_sub(&p.out->holders, 1) == 1) {
        census_free(p.out);
    }
}

const struct census *census_hold(struct server *s)
{
    struct census_keeper *k = s->census;
    struct census *c;

    pthread_mutex_lock(&k->lock);
    c = k->last;
    atomic_fetch_add(&c->holders, 1);
    pthread_mutex_unlock(&k->lock);
    return c;
}

/* Of those that wait for an offer, so many keep no place any more. */
static void tell_rollouts(struct server *s, const struct census *c)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < c->n_rollouts; i++) {
        struct rollout *r = catalog_rollout(&s->catalog, c->rollout[i].id);

        atomic_store(&r->absent, c->rollout[i].absent);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* The newer of two is kept, whichever ended first. */
static void publish(struct census_keeper *k, struct census *c)
{
    const struct census *old = c;

    tell_rollouts(k->s, c);
    pthread_mutex_lock(&k->lock);
    if (c->began_us >= k->last->began_us) {
        old = k->last;
        k->last = c;
    }
    pthread_mutex_unlock(&k->lock);
    census_release(old);
}

/* Walked here, on the thread of whoever asks: where devices are few. */
static const struct census *walk_now(struct server *s)
{
    struct census_keeper *k = s->census;
    uint64_t asked = monotonic_us();
    const struct census *c;
    struct census *mine;

    pthread_mutex_lock(&k->walking);
    c = census_hold(s);
    if (!c->whole || c->began_us < asked) { /* nobody did it meanwhile */
        mine = census_new(s);
        if (mine != NULL && census_walk(s, mine, false, NULL)) {
            census_release(c);
            publish(k, mine);
            c = census_hold(s);
        } else {
            census_free(mine);
        }
    }
    pthread_mutex_unlock(&k->walking);
    return c;
}

static void ask_for_newer(struct census_keeper *k)
{
    pthread_mutex_lock(&k->lock);
    k->wanted = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
}

const struct census *census_fresh(struct server *s)
{
    uint32_t devices = devices_count(s->devices);
    const struct census *c;

    if (devices <= CENSUS_FEW) {
        return walk_now(s);
    }
    c = census_hold(s);
    if (devices <= CENSUS_SOME && c->began_us + SECOND_US < monotonic_us()) {
        ask_for_newer(s->census);
    }
    return c;
}

const struct census_rollout *census_of(const struct census *c, uint64_t id)
{
    for (uint32_t i = 0; i < c->n_rollouts; i++) {
        if (c->rollout[i].id == id) {
            return &c->rollout[i];
        }
    }
    return NULL;
}

void census_sum(const struct census_rollout *r, uint32_t stage,
                struct steer_counts *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; r != NULL && i <= stage && i < ROLLOUT_STAGES; i++) {
        const struct steer_counts *c = &r->stage[i];

        out->devices += c->devices;
        out->offered += c->offered;
        out->confirmed += c->confirmed;
        out->returned += c->returned;
        out->failed += c->failed;
        out->refused += c->refused;
        out->silent += c->silent;
        out->untouched += c->untouched;
        out->bad_signature += c->bad_signature;
        out->retrying += c->retrying;
    }
}

/* --- The thread -----------------------------------------------------------
 */

static struct timespec after_us(uint64_t us)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += (time_t)(us / SECOND_US);
    t.tv_nsec += (long)(us % SECOND_US) * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* Until then, or a second after the last walk when somebody asks. */
static void wait_until(struct census_keeper *k, uint64_t least, uint64_t most)
{
    pthread_mutex_lock(&k->lock);
    while (!atomic_load(&k->stop)) {
        uint64_t now = monotonic_us();
        uint64_t end = k->wanted && least < most ? least : most;
        struct timespec t;

        if (now >= end) {
            break;
        }
        t = after_us(end - now);
        pthread_cond_timedwait(&k->wake, &k->lock, &t);
    }
    k->wanted = false;
    pthread_mutex_unlock(&k->lock);
}

static void *keep_counting(void *ctx)
{
    struct census_keeper *k = ctx;
    bool first = true;

    while (!atomic_load(&k->stop)) {
        struct census *c = census_new(k->s);
        uint64_t pause = SECOND_US;
        uint64_t now;

        if (c == NULL || !census_walk(k->s, c, !first, &k->stop)) {
            census_free(c);
        } else {
            uint64_t took = c->took_us;

            if (first || devices_count(k->s->devices) <= CENSUS_SOME) {
                pause = took * SHARE > pause ? took * SHARE : pause;
            }
            census_history_add(k->s, &k->history, c);
            publish(k, c);
            first = false;
        }
        now = monotonic_us();
        pause = pause > LONGEST_US ? LONGEST_US : pause;
        wait_until(k, now + SECOND_US, now + pause);
    }
    return NULL;
}

struct census_keeper *census_start(struct server *s, struct error *err)
{
    struct census_keeper *k = calloc(1, sizeof *k);

    if (k == NULL || (k->last = census_new(s)) == NULL) {
        free(k);
        error_set(err, "no memory for the census");
        return NULL;
    }
    k->s = s;
    s->census = k;
    pthread_mutex_init(&k->lock, NULL);
    pthread_mutex_init(&k->walking, NULL);
    pthread_cond_init(&k->wake, NULL);
    if (pthread_create(&k->thread, NULL, keep_counting, k) != 0) {
        census_free(k->last);
        free(k);
        s->census = NULL;
        error_set(err, "no thread for the census");
        return NULL;
    }
    return k;
}

void census_stop(struct census_keeper *k)
{
    if (k == NULL) {
        return;
    }
    pthread_mutex_lock(&k->lock);
    atomic_store(&k->stop, true);
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    census_release(k->last);
    free(k);
}
