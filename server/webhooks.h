/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhooks: what the audit log says is POSTed to whoever asked for it. The
 * log itself is the queue: each webhook has the number of the line that it
 * has come to, so that a change and the promise to tell of it are one
 * transaction, and nothing is lost at a stop or a crash. Lines that a webhook
 * wants become rows of `deliveries`; one thread sends them (webhook_send.c),
 * at most one at a time for each webhook, and tries again WEBHOOK_TRIES
 * times, each wait double the one before. A receiver may get one twice: "id"
 * is the same.
 */
#ifndef SERVER_WEBHOOKS_H
#define SERVER_WEBHOOKS_H

#include "store.h"

#include <jansson.h>
#include <stdatomic.h>

struct server;
struct webhooks;

enum {
    WEBHOOKS_MAX = 32,
    WEBHOOK_URL = 1024,
    WEBHOOK_SECRET = 129, /* text, with its end */
    WEBHOOK_SECRET_MIN = 16,
    WEBHOOK_EVENTS = 32,  /* patterns of one */
    WEBHOOK_PATTERN = 41, /* "rollout.*", with its end */
    WEBHOOK_TRIES = 9,    /* the first, and eight more */
    WEBHOOK_QUEUE = 1000, /* rows that wait, of one; the rest stays a line */
    WEBHOOK_ERROR = 256
};

struct webhook {
    int64_t number;
    char url[WEBHOOK_URL + 1];
    char secret[WEBHOOK_SECRET];
    bool enabled;
    int64_t position; /* the last audit line that was looked at */
    int64_t created;
    char created_by[64];
    uint32_t n_events; /* 0: all */
    char event[WEBHOOK_EVENTS][WEBHOOK_PATTERN];
};

struct webhook_counts {
    _Atomic uint64_t delivered;
    _Atomic uint64_t failed;   /* tries that were not */
    _Atomic uint64_t given_up; /* after the last try */
    _Atomic uint64_t waiting;
};

struct webhooks *webhooks_start(struct server *s, struct error *err);
/* What is under way is broken off, and sent at the next start. */
void webhooks_stop(struct webhooks *w);
/* There is something new: an audit line, a test, a webhook. NULL: nothing. */
void webhooks_wake(struct webhooks *w);
const struct webhook_counts *webhooks_counts(const struct webhooks *w);

/* "rollout-pause" is told as "rollout.pause". */
void webhook_type(const char *action, char *out, size_t size);
/* A pattern is a type, "*", or one that ends in ".*". */
bool webhook_pattern_good(const char *pattern);
bool webhook_wants(const struct webhook *hook, const char *type);

/* --- webhook_store.c; the store's lock is held ---------------------------
 */

typedef int (*webhook_each)(void *ctx, const struct webhook *hook);
int webhook_rows(struct store *store, webhook_each each, void *ctx,
                 struct error *err);
/* 1: there is none of this number. */
int webhook_row(struct store *store, int64_t number, struct webhook *out,
                struct error *err);
int webhook_add(struct store *store, struct webhook *hook, struct error *err);
int webhook_put(struct store *store, const struct webhook *hook,
                struct error *err);
int webhook_delete(struct store *store, int64_t number, struct error *err);
/* Looks at audit lines behind hook->position, queues what it wants. */
int webhook_queue(struct server *s, struct webhook *hook, bool *more,
                  struct error *err);
/* A delivery by hand: its number. */
int webhook_queue_test(struct store *store, const struct webhook *hook,
                       const char *actor, int64_t *number, struct error *err);

struct webhook_delivery {
    int64_t number;
    int64_t webhook;
    uint32_t tries; /* that were made */
    char type[64];
    char *body; /* the caller frees it */
};

/* The next one that is due; number 0: none, then *wait_s says how long. */
int webhook_due(struct store *store, int64_t now, const int64_t *busy,
                uint32_t n_busy, struct webhook_delivery *out, int64_t *wait_s,
                struct error *err);

struct webhook_result {
    long status; /* HTTP; 0: none came */
    uint32_t ms;
    char error[WEBHOOK_ERROR]; /* "": delivered */
};

int webhook_done(struct store *store, const struct webhook_delivery *d,
                 const struct webhook_result *result, int64_t next,
                 struct error *err);
int webhook_prune(struct store *store, int64_t before, struct error *err);
int webhook_waiting(struct store *store, int64_t *n, struct error *err);

/* --- webhook_send.c ------------------------------------------------------
 */

struct webhook_policy {
    bool allow_http;
    bool allow_private;
    const char *ca; /* PEM file, or "": the system's */
};

/* Why a URL cannot be one, or NULL. */
const char *webhook_url_fault(const char *url, const struct webhook_policy *p);
/* The host of a good URL, for logs: nothing else of it is shown. */
void webhook_host(const char *url, char *out, size_t size);

struct webhook_sender;

struct webhook_sender *webhook_sender_new(const struct webhook_policy *p,
                                          struct error *err);
/* Breaks off what is under way: nobody is told of it. */
void webhook_sender_free(struct webhook_sender *s);
/* Has it a place for one more? */
bool webhook_sender_free_place(const struct webhook_sender *s);
/* Takes d->body over. -1: it could not be begun. */
int webhook_send(struct webhook_sender *s, const struct webhook *hook,
                 struct webhook_delivery *d);
/* The webhooks that have one under way. */
uint32_t webhook_sender_busy(const struct webhook_sender *s, int64_t *out);
/* Works for at most `ms`, or until webhook_sender_wake; `done` is called for
 * each that has ended. */
typedef void (*webhook_ended)(void *ctx, const struct webhook_delivery *d,
                              const struct webhook_result *result);
void webhook_sender_work(struct webhook_sender *s, int ms, webhook_ended ended,
                         void *ctx);
void webhook_sender_wake(struct webhook_sender *s);

#endif
