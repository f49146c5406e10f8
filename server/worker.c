/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "api.h"
#include "devices.h"

#include <pthread.h>
#include <stdlib.h>

struct task {
    struct http_request *rq;
    worker_job *job;
};

struct worker {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct task task[WORKER_QUEUE];
    uint32_t first;
    uint32_t n;
    bool ending;
};

/* False: nothing waits, and nothing will. */
static bool next_task(struct worker *w, struct task *task)
{
    bool found;

    pthread_mutex_lock(&w->lock);
    while (w->n == 0 && !w->ending) {
        pthread_cond_wait(&w->changed, &w->lock);
    }
    found = w->n > 0;
    if (found) {
        *task = w->task[w->first];
        w->first = (w->first + 1) % WORKER_QUEUE;
        w->n--;
    }
    pthread_mutex_unlock(&w->lock);
    return found;
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct task task;

    while (next_task(w, &task)) {
        task.job(w->server, task.rq);
        http_release(task.rq);
    }
    return NULL;
}

struct worker *worker_start(struct server *server, struct error *err)
{
    struct worker *w = calloc(1, sizeof *w);

    if (w == NULL) {
        error_set(err, "no memory");
        return NULL;
    }
    w->server = server;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (pthread_create(&w->thread, NULL, work, w) != 0) {
        error_set(err, "a thread could not be started");
        free(w);
        return NULL;
    }
    return w;
}

void worker_stop(struct worker *w)
{
    if (w == NULL) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* With the lock. False: there is no room. */
static bool take(struct worker *w, struct http_request *rq, worker_job *job)
{
    if (w->n == WORKER_QUEUE || w->ending) {
        return false;
    }
    /* Held before it can be released. */
    http_hold(rq);
    w->task[(w->first + w->n) % WORKER_QUEUE] = (struct task){rq, job};
    w->n++;
    pthread_cond_signal(&w->changed);
    return true;
}

void worker_do(struct worker *w, struct http_request *rq, worker_job *job)
{
    bool taken;

    pthread_mutex_lock(&w->lock);
    taken = take(w, rq, job);
    pthread_mutex_unlock(&w->lock);
    if (!taken) {
        api_error(rq, 503, "busy", "too many such requests wait already");
        http_reply_header(rq, "Retry-After", "2");
    }
}

/* May this caller's walk wait, too? One that waits while another of the same
 * caller is done is enough for a page that asks for two things at once. */
static bool may_wait(const struct worker *w, const struct http_request *rq)
{
    if (w->n >= WALKS_WAITING) {
        return false;
    }
    for (uint32_t i = 0; i < w->n; i++) {
        const struct task *t = &w->task[(w->first + i) % WORKER_QUEUE];

        if (strcmp(t->rq->actor, rq->actor) == 0) {
            return false;
        }
    }
    return true;
}

static bool few(const struct worker *w)
{
    return devices_count(w->server->devices) <= WALK_FEW;
}

void worker_change(struct worker *w, struct http_request *rq, worker_job *job)
{
    if (few(w)) {
        job(w->server, rq);
    } else {
        worker_do(w, rq, job);
    }
}

void worker_walk(struct worker *w, struct http_request *rq, worker_job *job)
{
    bool taken;

    if (few(w)) {
        job(w->server, rq);
        return;
    }
    pthread_mutex_lock(&w->lock);
    taken = may_wait(w, rq) && take(w, rq, job);
    pthread_mutex_unlock(&w->lock);
    if (!taken) {
        api_error(rq, 429, "busy",
                  "walks over all devices are done one after another, and "
                  "enough of them wait: ask again");
        http_reply_header(rq, "Retry-After", "2");
    }
}
