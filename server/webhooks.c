/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that delivers: looks at the audit log, sends what is due. */
#include "webhooks.h"

#include "server.h"

#include "host/log.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KEEP_S = 7 * 86400, /* the log of deliveries */
    PRUNE_S = 3600,
    STORE_PAUSE_S = 10, /* after the database failed */
    WAIT_MAX_MS = 60000,
    BUSY_MAX = 64
};

struct webhooks {
    struct server *s;
    struct webhook_sender *sender;
    struct webhook_counts counts;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic bool news;
    int64_t pruned;
    int64_t pause_until;
    int retry_s;
};

/* --- Types ----------------------------------------------------------------
 */

void webhook_type(const char *action, char *out, size_t size)
{
    char *dash;

    snprintf(out, size, "%s", action);
    dash = strchr(out, '-');
    if (dash != NULL) {
        *dash = '.';
    }
}

bool webhook_pattern_good(const char *pattern)
{
    size_t n = strlen(pattern);
    size_t end = n;

    if (strcmp(pattern, "*") == 0) {
        return true;
    }
    if (n > 2 && strcmp(pattern + n - 2, ".*") == 0) {
        end = n - 1;
    }
    return n > 0 && n < WEBHOOK_PATTERN &&
           strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == end;
}

static bool fits(const char *pattern, const char *type)
{
    size_t n = strlen(pattern);

    if (n > 0 && pattern[n - 1] == '*') {
        return strncmp(pattern, type, n - 1) == 0;
    }
    return strcmp(pattern, type) == 0;
}

bool webhook_wants(const struct webhook *hook, const char *type)
{
    if (!hook->enabled) {
        return false;
    }
    for (uint32_t i = 0; i < hook->n_events; i++) {
        if (fits(hook->event[i], type)) {
            return true;
        }
    }
    return hook->n_events == 0;
}

/* --- From the audit log to the queue --------------------------------------
 */

struct hooks {
    struct webhook *at;
    uint32_t n;
};

static int collect(void *ctx, const struct webhook *hook)
{
    struct hooks *h = ctx;

    if (h->n < WEBHOOKS_MAX && hook->enabled) {
        h->at[h->n++] = *hook;
    }
    return 0;
}

/* One transaction for all webhooks. */
static int queue_some(struct webhooks *w, struct hooks *h, bool *more,
                      struct error *err)
{
    struct store *store = &w->s->store;

    if (store_begin(store, err) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < h->n; i++) {
        bool some = false;

        if (webhook_queue(w->s, &h->at[i], &some, err) != 0) {
            return store_abort(store);
        }
        *more |= some;
    }
    return store_commit(store, err);
}

static int queue_new(struct webhooks *w, struct error *err)
{
    struct hooks h = {calloc(WEBHOOKS_MAX, sizeof *h.at), 0};
    bool more = false;
    int result;

    if (h.at == NULL) {
        return error_set(err, "no memory");
    }
    store_lock(&w->s->store);
    result = webhook_rows(&w->s->store, collect, &h, err);
    store_unlock(&w->s->store);
    if (result == 0 && h.n > 0) {
        result = queue_some(w, &h, &more, err);
    }
    if (more) {
        atomic_store(&w->news, true);
    }
    free(h.at);
    return result;
}

/* --- Sending --------------------------------------------------------------
 */

static int load_hook(struct webhooks *w, int64_t number, struct webhook *hook,
                     struct error *err)
{
    int result;

    store_lock(&w->s->store);
    result = webhook_row(&w->s->store, number, hook, err);
    store_unlock(&w->s->store);
    return result;
}

static int next_due(struct webhooks *w, struct webhook_delivery *d,
                    int64_t *wait_s, struct error *err)
{
    int64_t busy[BUSY_MAX];
    uint32_t n = webhook_sender_busy(w->sender, busy);
    int64_t waiting;
    int result;

    store_lock(&w->s->store);
    result = webhook_due(&w->s->store, (int64_t)time(NULL), busy, n, d, wait_s,
                         err);
    if (result == 0) {
        result = webhook_waiting(&w->s->store, &waiting, err);
    }
    store_unlock(&w->s->store);
    if (result == 0) {
        atomic_store(&w->counts.waiting, (uint64_t)waiting);
    }
    return result;
}

/* Sends what is due, while there are places; *wait_s until there is more. */
static int send_due(struct webhooks *w, int64_t *wait_s, struct error *err)
{
    struct webhook *hook = calloc(1, sizeof *hook);
    struct webhook_delivery d;
    int result = hook == NULL ? error_set(err, "no memory") : 0;

    *wait_s = 60;
    while (result == 0 && webhook_sender_free_place(w->sender)) {
        result = next_due(w, &d, wait_s, err);
        if (result != 0 || d.number == 0) {
            break;
        }
        result = load_hook(w, d.webhook, hook, err);
        if (result == 0 && webhook_send(w->sender, hook, &d) != 0) {
            result = error_set(err, "webhooks: no memory");
        }
        free(d.body);
        result = result < 0 ? -1 : 0; /* deleted meanwhile: not sent */
    }
    free(hook);
    return result;
}

static void log_result(const struct webhook_delivery *d,
                       const struct webhook_result *r, bool over)
{
    if (r->error[0] == '\0') {
        log_debug("webhook", LOG_INT("webhook", d->webhook),
                  LOG_INT("delivery", d->number), LOG_INT("status", r->status),
                  LOG_INT("ms", r->ms));
    } else {
        log_warning("webhook", LOG_INT("webhook", d->webhook),
                    LOG_INT("delivery", d->number),
                    LOG_INT("tries", d->tries + 1),
                    LOG_TEXT("error", r->error),
                    LOG_TEXT("given_up", over ? "yes" : "no"));
    }
}

static int write_result(struct webhooks *w, const struct webhook_delivery *d,
                        const struct webhook_result *r, int64_t next,
                        struct error *err)
{
    if (store_begin(&w->s->store, err) != 0) {
        return -1;
    }
    if (webhook_done(&w->s->store, d, r, next, err) != 0) {
        return store_abort(&w->s->store);
    }
    return store_commit(&w->s->store, err);
}

static void pause_after(struct webhooks *w, const struct error *err)
{
    log_error("webhooks", LOG_TEXT("error", err->text));
    w->pause_until = (int64_t)time(NULL) + STORE_PAUSE_S;
}

static void ended(void *ctx, const struct webhook_delivery *d,
                  const struct webhook_result *r)
{
    struct webhooks *w = ctx;
    struct error err = {BL_OK, 0, ""};
    bool good = r->error[0] == '\0';
    bool over = good || d->tries + 1 >= WEBHOOK_TRIES;
    int64_t wait = (int64_t)w->retry_s << d->tries;

    atomic_fetch_add(good ? &w->counts.delivered : &w->counts.failed, 1);
    if (over && !good) {
        atomic_fetch_add(&w->counts.given_up, 1);
    }
    log_result(d, r, over);
    if (write_result(w, d, r, over ? 0 : (int64_t)time(NULL) + wait, &err) !=
        0) {
        pause_after(w, &err);
    }
    /* There may be room again for lines that wait. */
    atomic_store(&w->news, true);
}

static void prune(struct webhooks *w)
{
    struct error err = {BL_OK, 0, ""};
    int64_t now = (int64_t)time(NULL);

    if (now - w->pruned < PRUNE_S && now >= w->pruned) {
        return;
    }
    w->pruned = now;
    store_lock(&w->s->store);
    if (webhook_prune(&w->s->store, now - KEEP_S, &err) != 0) {
        log_error("webhooks", LOG_TEXT("error", err.text));
    }
    store_unlock(&w->s->store);
}

static int wait_ms(const struct webhooks *w, int64_t wait_s)
{
    int64_t now = (int64_t)time(NULL);

    if (w->pause_until > now) {
        wait_s = w->pause_until - now;
    } else if (atomic_load(&w->news)) {
        return 0;
    }
    return wait_s >= WAIT_MAX_MS / 1000 ? WAIT_MAX_MS : (int)wait_s * 1000;
}

static void *run(void *ctx)
{
    struct webhooks *w = ctx;

    while (!atomic_load(&w->stop)) {
        struct error err = {BL_OK, 0, ""};
        int64_t wait_s = 60;

        prune(w);
        if (w->pause_until <= (int64_t)time(NULL)) {
            if ((atomic_exchange(&w->news, false) &&
                 queue_new(w, &err) != 0) ||
                send_due(w, &wait_s, &err) != 0) {
                pause_after(w, &err);
                atomic_store(&w->news, true);
            }
        }
        webhook_sender_work(w->sender, wait_ms(w, wait_s), ended, w);
    }
    return NULL;
}

/* --- Life -----------------------------------------------------------------
 */

struct webhooks *webhooks_start(struct server *s, struct error *err)
{
    const struct webhook_policy policy = {
        .allow_http = s->config.webhook_allow_http != 0,
        .allow_private = s->config.webhook_allow_private != 0,
        .ca = s->config.webhook_ca,
    };
    struct webhooks *w = calloc(1, sizeof *w);

    if (w == NULL) {
        error_set(err, "no memory");
        return NULL;
    }
    w->s = s;
    w->retry_s = s->config.webhook_retry_s;
    atomic_store(&w->news, true);
    w->sender = webhook_sender_new(&policy, err);
    if (w->sender == NULL || pthread_create(&w->thread, NULL, run, w) != 0) {
        webhook_sender_free(w->sender);
        free(w);
        error_prefix(err, "webhooks");
        return NULL;
    }
    return w;
}

void webhooks_wake(struct webhooks *w)
{
    if (w != NULL) {
        atomic_store(&w->news, true);
        webhook_sender_wake(w->sender);
    }
}

void webhooks_stop(struct webhooks *w)
{
    if (w == NULL) {
        return;
    }
    atomic_store(&w->stop, true);
    webhook_sender_wake(w->sender);
    pthread_join(w->thread, NULL);
    webhook_sender_free(w->sender);
    free(w);
}

const struct webhook_counts *webhooks_counts(const struct webhooks *w)
{
    return &w->counts;
}
