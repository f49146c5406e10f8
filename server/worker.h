/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that takes too long for an HTTP thread, which also answers devices: a
 * password hash, a walk over the whole audit log or all devices. One thread
 * each, requests one after another; a request that waits is held (http.h).
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include "http.h"

struct server;
struct worker;

typedef void worker_job(struct server *server, struct http_request *rq);

/* Walks over a large fleet: so many wait, one of them of each caller. In a
 * fleet of up to WALK_FEW a walk is over before a queue would help. */
enum { WORKER_QUEUE = 64, WALKS_WAITING = 4, WALK_FEW = 5000 };

struct worker *worker_start(struct server *server, struct error *err);
/* What waits is done first; afterwards nothing may come. */
void worker_stop(struct worker *worker);
/* In finish only: the job replies, on the worker's thread. Too much waiting
 * is answered with 503 at once. */
void worker_do(struct worker *worker, struct http_request *rq,
               worker_job *job);
/* A change that takes such a walk: at once here where devices are few. */
void worker_change(struct worker *worker, struct http_request *rq,
                   worker_job *job);
/* A walk over all devices that somebody asks for: the same, but at once here
 * where they are few, and 429 where one caller's walks would keep the
 * others from theirs. */
void worker_walk(struct worker *worker, struct http_request *rq,
                 worker_job *job);

#endif
