/* SPDX-License-Identifier: Apache-2.0 */
/* The threads: who plans, and who waits for what is being made. */
#include "delta_keeper.h"

#include "delta_child.h"
#include "delta_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 16,
    PERIOD_S = 5,
    MARGIN = 65536 /* a patch may be longer than the payload by so much */
};

struct delta_keeper {
    struct server *s;
    pthread_t planner;
    pthread_t worker[WORKERS];
    int n_workers;
    pthread_mutex_t lock;
    pthread_cond_t plan;
    pthread_cond_t work;
    bool asked;    /* to plan at once */
    uint64_t turn; /* of the plan: workers look again when it has changed */
    _Atomic bool stop;
    bool no_room; /* was said in the log */
};

/* One patch in the hands of a worker. */
struct making {
    struct delta_keeper *k;
    struct delta *one; /* stays while it is held */
    uint32_t isas;
    uint32_t ram;
    uint32_t full;
    uint32_t base_size;
    uint8_t base[32];
    uint8_t target[32];
    uint8_t patch[32];
    uint8_t isa;
    bool killed; /* from outside, and its tries are not used up */
    char why[DELTA_REASON];
};

/* --- Room -----------------------------------------------------------------
 */

static struct delta *least_used(const struct deltas *d)
{
    struct delta *best = NULL;

    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];

        if (one != NULL && atomic_load(&one->state) == DELTA_READY &&
            !one->wanted && !one->asked &&
            (best == NULL ||
             atomic_load(&one->used) < atomic_load(&best->used))) {
            best = one;
        }
    }
    return best;
}

static int forget(struct server *s, struct delta *one, struct error *err)
{
    uint8_t patch[32];
    bool kept;

    memcpy(patch, one->patch, 32);
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (delta_store_remove(&s->store, one->number, err) != 0) {
        return store_abort(&s->store);
    }
    if (store_commit(&s->store, err) != 0) {
        return -1;
    }
    pthread_rwlock_wrlock(&s->deltas.lock);
    deltas_remove(&s->deltas, one);
    kept = delta_keeps(&s->deltas, patch, NULL);
    pthread_rwlock_unlock(&s->deltas.lock);
    if (!kept) {
        blob_remove(&s->patches, patch);
    }
    return 0;
}

/* Those used longest ago go first; what rollouts lead to, or an operator
 * asked for, never. */
static bool make_room(struct delta_keeper *k)
{
    struct server *s = k->s;
    uint64_t most = (uint64_t)s->config.delta_store_mb << 20;

    while (delta_stored(s) >= most) {
        struct delta *old = least_used(&s->deltas);
        struct error err;

        if (old == NULL || forget(s, old, &err) != 0) {
            if (!k->no_room) {
                log_warning(
                    "delta-room",
                    LOG_INT("delta_store_mb", s->config.delta_store_mb),
                    LOG_TEXT("advice", "no more patches are made: "
                                       "raise delta_store_mb"));
            }
            k->no_room = true;
            return false;
        }
    }
    k->no_room = false;
    return true;
}

/* --- One patch ------------------------------------------------------------
 */

static int put_row(struct server *s, const struct delta *one,
                   struct error *err)
{
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (delta_store_put(&s->store, one, err) != 0) {
        return store_abort(&s->store);
    }
    return store_commit(&s->store, err);
}

static bool take_next(struct delta_keeper *k, struct making *m)
{
    struct deltas *d = &k->s->deltas;
    struct error err;
    struct delta *one;
    bool got = false;

    pthread_mutex_lock(&k->s->admin);
    one = settings_deltas(k->s) ? deltas_next(d, monotonic_us()) : NULL;
    if (one != NULL && make_room(k)) {
        one->tries++;
        atomic_store(&one->state, DELTA_MAKING);
        got = put_row(k->s, one, &err) == 0;
        if (!got) {
            one->tries--;
            atomic_store(&one->state, DELTA_QUEUED);
        }
    }
    if (got) {
        m->one = one;
        one->held = true;
        m->isas = one->isas;
        m->ram = delta_class_ram[one->ram];
        m->full = one->full;
        memcpy(m->base, one->base, 32);
        memcpy(m->target, one->target, 32);
    }
    pthread_mutex_unlock(&k->s->admin);
    return got;
}

static bool is_stopped(void *ctx)
{
    const struct making *m = ctx;

    return atomic_load(&m->k->stop) ||
           atomic_load(&m->one->state) != DELTA_MAKING;
}

/* What the child says is believed as little as a device would. */
static bool head_fits(struct making *m, const struct buffer *patch)
{
    struct bl_delta_info info;

    if (bl_delta_head(patch->p, patch->n, &info) != BL_OK || info.in_place ||
        info.old_size != m->base_size || info.new_size != m->full ||
        info.ram > m->ram || (m->isas >> info.isa & 1U) == 0 ||
        memcmp(info.old_check, m->base, BL_DELTA_CHECK) != 0 ||
        memcmp(info.new_check, m->target, BL_DELTA_CHECK) != 0) {
        snprintf(m->why, sizeof m->why,
                 "what was made is no patch for these images and devices");
        return false;
    }
    m->isa = info.isa;
    return true;
}

static int keep_patch(struct making *m, const struct buffer *patch)
{
    struct blobs *blobs = &m->k->s->patches;
    struct blob_upload u;
    struct error err;

    bl_sha256(patch->p, patch->n, m->patch);
    if (blob_begin(blobs, &u, m->patch, &err) != 0) {
        snprintf(m->why, sizeof m->why, "%.*s", DELTA_REASON - 1, err.text);
        return -1;
    }
    if (blob_write(&u, patch->p, patch->n, &err) != 0) {
        blob_cancel(&u);
        snprintf(m->why, sizeof m->why, "%.*s", DELTA_REASON - 1, err.text);
        return -1;
    }
    if (blob_finish(blobs, &u, &err) != 0) {
        snprintf(m->why, sizeof m->why, "%.*s", DELTA_REASON - 1, err.text);
        return -1;
    }
    return 0;
}

/* Some other time there may be memory for it. */
static enum delta_state judge_killed(struct making *m)
{
    char why[DELTA_REASON];

    m->killed = m->one->tries < DELTA_TRIES;
    if (m->killed) {
        return DELTA_QUEUED;
    }
    snprintf(why, sizeof why, "%d times, the last: %.*s", DELTA_TRIES,
             DELTA_REASON - 40, m->why);
    memcpy(m->why, why, sizeof why);
    return DELTA_FAILED;
}

static enum delta_state judge(struct making *m, enum delta_made made,
                              const struct buffer *patch)
{
    if (made == DELTA_CHILD_KILLED) {
        return judge_killed(m);
    }
    if (made == DELTA_CHILD_STOPPED) {
        return DELTA_QUEUED;
    }
    if (made != DELTA_CHILD_OK || !head_fits(m, patch)) {
        return DELTA_FAILED;
    }
    if (!delta_worth(&m->k->s->deltas.rules, patch->n, m->full)) {
        snprintf(m->why, sizeof m->why,
                 "%zu bytes, more than delta_share = %u percent of %u",
                 patch->n, m->k->s->deltas.rules.share, m->full);
        bl_sha256(patch->p, patch->n, m->patch);
        return DELTA_USELESS;
    }
    return keep_patch(m, patch) == 0 ? DELTA_READY : DELTA_FAILED;
}

static enum delta_state make(struct making *m, struct buffer *patch)
{
    struct server *s = m->k->s;
    const struct config *c = &s->config;
    struct delta_job job = {.ram = m->ram,
                            .isas = m->isas,
                            .effort = c->delta_effort,
                            .seconds = c->delta_seconds,
                            .memory_mb = c->delta_memory_mb,
                            .program = c->delta_program,
                            .stopped = is_stopped,
                            .ctx = m};
    enum delta_state state = DELTA_FAILED;
    struct error err;
    uint64_t size = 0;
    uint64_t full = 0;

    job.base = blob_open(&s->blobs, m->base, &size, &err);
    job.target = blob_open(&s->blobs, m->target, &full, &err);
    m->base_size = (uint32_t)size;
    if (job.base < 0 || job.target < 0 || full != m->full) {
        snprintf(m->why, sizeof m->why, "an image is not in the store");
    } else {
        state =
            judge(m, delta_child(&job, patch, m->why, sizeof m->why), patch);
    }
    if (job.base >= 0) {
        close(job.base);
    }
    if (job.target >= 0) {
        close(job.target);
    }
    return state;
}

static void set_made(const struct making *m, enum delta_state state,
                     uint32_t size, uint32_t ms)
{
    struct delta *one = m->one;
    int64_t now = (int64_t)time(NULL);

    pthread_rwlock_wrlock(&m->k->s->deltas.lock);
    one->ms = ms;
    one->size = size;
    one->isa = m->isa;
    one->made = now;
    memcpy(one->patch, m->patch, 32);
    memcpy(one->reason, m->why, sizeof one->reason);
    memset(&one->stamp, 0, sizeof one->stamp);
    atomic_store(&one->damaged, false);
    atomic_store(&one->used, now);
    atomic_store(&one->state, state);
    pthread_rwlock_unlock(&m->k->s->deltas.lock);
}

static void say_made(struct making *m, enum delta_state state, uint32_t size,
                     uint32_t ms)
{
    struct deltas *d = &m->k->s->deltas;
    char name[DELTA_NAME];

    atomic_fetch_add(&d->made[state], 1);
    atomic_fetch_add(&d->making_ms, ms);
    delta_name(m->k->s, m->one, name);
    LOG_EVENT(
        state == DELTA_FAILED ? LOG_WARNING : LOG_INFO, "delta",
        LOG_TEXT("patch", name), LOG_TEXT("state", delta_state_name(state)),
        LOG_INT("bytes", size), LOG_INT("of", m->full), LOG_INT("ms", ms),
        LOG_TEXT("why", m->why[0] == '\0' ? NULL : m->why));
    delta_tell(m->k->s, m->target);
}

/* It was killed: again after a pause, each time a longer one. */
static void rest(const struct making *m)
{
    struct delta *one = m->one;
    uint64_t pause = (uint64_t)m->k->s->config.delta_pause_s * one->tries;
    char name[DELTA_NAME];

    pthread_rwlock_wrlock(&m->k->s->deltas.lock);
    one->rest_us = monotonic_us() + pause * 1000000;
    memcpy(one->reason, m->why, sizeof one->reason);
    pthread_rwlock_unlock(&m->k->s->deltas.lock);
    delta_name(m->k->s, one, name);
    log_warning("delta", LOG_TEXT("patch", name), LOG_TEXT("state", "queued"),
                LOG_TEXT("why", m->why), LOG_INT("tries", one->tries),
                LOG_INT("again_in", (int64_t)pause));
}

/* It was killed; or stopped, by the server's end or since it is wanted no
 * more: that is no try. */
static void put_back(const struct making *m)
{
    struct delta *one = m->one;
    struct error err;

    if (m->killed) {
        rest(m);
    } else {
        one->tries--;
    }
    atomic_store(&one->state, DELTA_QUEUED);
    put_row(m->k->s, one, &err);
    delta_tell(m->k->s, m->target);
}

static void finish(struct making *m, enum delta_state state, uint32_t size,
                   uint32_t ms)
{
    struct server *s = m->k->s;
    struct error err;

    pthread_mutex_lock(&s->admin);
    m->one->held = false;
    if (atomic_load(&m->one->state) != DELTA_MAKING) {
        if (state == DELTA_READY && !delta_keeps(&s->deltas, m->patch, NULL)) {
            blob_remove(&s->patches, m->patch);
        }
    } else if (state == DELTA_QUEUED) {
        put_back(m);
    } else {
        set_made(m, state, size, ms);
        if (put_row(s, m->one, &err) != 0) {
            log_error("delta", LOG_TEXT("error", err.text));
        }
        say_made(m, state, size, ms);
    }
    pthread_mutex_unlock(&s->admin);
}

static void make_one(struct making *m)
{
    struct buffer patch = BUFFER((size_t)m->full + MARGIN);
    uint64_t from = monotonic_us();
    enum delta_state state;

    delta_tell(m->k->s, m->target);
    state = make(m, &patch);
    finish(m, state, (uint32_t)patch.n,
           (uint32_t)((monotonic_us() - from) / 1000));
    buffer_free(&patch);
}

/* --- The threads ----------------------------------------------------------
 */

static void *work(void *ctx)
{
    struct delta_keeper *k = ctx;
    uint64_t seen = 0;

    while (!atomic_load(&k->stop)) {
        struct making m = {.k = k};

        if (take_next(k, &m)) {
            make_one(&m);
            continue;
        }
        pthread_mutex_lock(&k->lock);
        while (!atomic_load(&k->stop) && k->turn == seen) {
            pthread_cond_wait(&k->work, &k->lock);
        }
        seen = k->turn;
        pthread_mutex_unlock(&k->lock);
    }
    return NULL;
}

/* Was it asked for? */
static bool wait_turn(struct delta_keeper *k)
{
    struct timespec until;
    bool asked;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PERIOD_S;
    pthread_mutex_lock(&k->lock);
    k->turn++;
    pthread_cond_broadcast(&k->work);
    while (!atomic_load(&k->stop) && !k->asked &&
           pthread_cond_timedwait(&k->plan, &k->lock, &until) == 0) {
    }
    asked = k->asked;
    k->asked = false;
    pthread_mutex_unlock(&k->lock);
    return asked;
}

static void *plan(void *ctx)
{
    struct delta_keeper *k = ctx;

    while (!atomic_load(&k->stop)) {
        bool asked = wait_turn(k);

        if (!atomic_load(&k->stop) && settings_deltas(k->s)) {
            delta_plan(k->s, asked);
        }
        delta_upkeep(k->s);
    }
    return NULL;
}

void delta_keeper_wake(struct delta_keeper *k)
{
    if (k == NULL) {
        return;
    }
    pthread_mutex_lock(&k->lock);
    k->asked = true;
    pthread_cond_signal(&k->plan);
    pthread_mutex_unlock(&k->lock);
}

/* --- Start and end --------------------------------------------------------
 */

static bool blob_is_kept(void *ctx, const uint8_t sha256[32])
{
    return delta_keeps(ctx, sha256, NULL);
}

/* A restored backup has rows, and no patches: they are made anew. What was
 * written and not noted is removed. Bytes are looked at later: before the
 * first offer. */
static void match_blobs(struct server *s)
{
    uint32_t lost = 0;

    for (uint32_t i = 0; i < s->deltas.n_rows; i++) {
        struct delta *one = s->deltas.row[i];
        uint64_t size;

        if (one != NULL && atomic_load(&one->state) == DELTA_READY &&
            (!blob_there(&s->patches, one->patch, &size) ||
             size != one->size)) {
            atomic_store(&one->state, DELTA_QUEUED);
            one->tries = 0;
            lost++;
        }
    }
    if (lost > 0) {
        log_warning("delta-files", LOG_INT("lost", lost),
                    LOG_TEXT("advice", "patches that are not whole in the "
                                       "folder deltas are made anew"));
    }
    blobs_sweep(&s->patches, blob_is_kept, &s->deltas);
}

static int start_threads(struct delta_keeper *k)
{
    int n = k->s->config.delta_workers;

    if (pthread_create(&k->planner, NULL, plan, k) != 0) {
        return -1;
    }
    while (k->n_workers < n && k->n_workers < WORKERS &&
           pthread_create(&k->worker[k->n_workers], NULL, work, k) == 0) {
        k->n_workers++;
    }
    return 0;
}

int delta_keeper_start(struct server *s, struct error *err)
{
    const struct delta_rules rules = {(uint32_t)s->config.delta_share,
                                      (uint32_t)s->config.delta_failures};
    struct delta_keeper *k = calloc(1, sizeof *k);
    int result;

    if (k == NULL || deltas_init(&s->deltas, &rules) != 0) {
        free(k);
        return error_set(err, "no memory");
    }
    k->s = s;
    k->asked = true;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->plan, NULL);
    pthread_cond_init(&k->work, NULL);
    store_lock(&s->store); /* others' threads run already */
    result = delta_store_load(&s->store, &s->deltas, err);
    if (result == 0) {
        result = delta_totals_load(s, err);
    }
    store_unlock(&s->store);
    if (result != 0) {
        deltas_free(&s->deltas);
        free(k);
        return -1;
    }
    match_blobs(s);
    if (start_threads(k) != 0) {
        deltas_free(&s->deltas);
        free(k);
        return error_set(err, "no thread for the patches");
    }
    s->delta_keeper = k;
    return 0;
}

void delta_keeper_stop(struct server *s)
{
    struct delta_keeper *k = s->delta_keeper;

    if (k == NULL) {
        return;
    }
    pthread_mutex_lock(&k->lock);
    atomic_store(&k->stop, true);
    pthread_cond_broadcast(&k->plan);
    pthread_cond_broadcast(&k->work);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->planner, NULL);
    for (int i = 0; i < k->n_workers; i++) {
        pthread_join(k->worker[i], NULL);
    }
    s->delta_keeper = NULL;
    delta_upkeep(s); /* what was counted last */
    deltas_free(&s->deltas);
    free(k);
}
