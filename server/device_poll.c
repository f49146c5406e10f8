/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The poll, docs/PROTOCOL.md. Its path is lean: no JSON, no database, no
 * memory but what the connection has; the answer is held until the journal
 * has committed whenever it promises something.
 */
#include "clock.h"
#include "decide.h"
#include "device_delta.h"
#include "device_reply.h"
#include "lives.h"
#include "pace.h"
#include "report.h"
#include "router.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    ROOTS_BYTES = 3072, /* what a small device can take at once */
    ANSWER_MAX = 65536,
    RETRY_S = 10,
    INTERVAL_S = 1800, /* of devices, when the server sets none */
    SPREAD_S = 900     /* those that wait for one moment come over so long */
};

void say_in(struct http_request *rq, int status, uint32_t seconds,
            const char *text)
{
    char after[12];

    http_reply_line(rq, status, text);
    snprintf(after, sizeof after, "%" PRIu32, seconds);
    http_reply_header(rq, "Retry-After", after);
}

void say_later(struct http_request *rq, int status, const char *text)
{
    say_in(rq, status, RETRY_S, text);
}

struct held { /* lives as long as the connection's request */
    struct journal_waiter waiter;
    struct http_request *rq;
};

static void on_committed(struct journal_waiter *waiter, bool ok)
{
    struct held *held = (struct held *)waiter;
    struct http_request *rq = held->rq;

    free(held);
    if (!ok) {
        say_later(rq, 503, "the report could not be stored; send it again");
    }
    http_release(rq);
}

static void hold_until_durable(struct server *s, struct http_request *rq,
                               uint64_t batch)
{
    struct held *held = malloc(sizeof *held);
    int result;

    if (held == NULL) {
        say_later(rq, 503, "no memory");
        return;
    }
    held->waiter.done = on_committed;
    held->rq = rq;
    http_hold(rq);
    result = journal_wait(s->journal, batch, &held->waiter);
    if (result != 0) {
        on_committed(&held->waiter, result > 0);
    }
}

struct poll_work {
    struct poll poll;
    struct report report;
    struct poll_answer answer;
    struct device_delta delta;
    const struct release *wanted; /* NULL: what it runs */
    bl_span permit;
    uint64_t batch;
    uint8_t manifest[32]; /* desired */
    bool wait;
    enum life life;
    uint32_t judged; /* the life that it was judged by */
};

/* How often the release that it was offered is tried, by its plan. */
static struct report_retry retry_of(struct server *s, const struct device *d)
{
    const struct rollout *r =
        d->s.offer % 2 == 1 ? NULL
                            : catalog_rollout(&s->catalog, d->s.offer / 2);
    struct report_retry retry = {2, 86400};

    if (r != NULL) {
        retry.attempts = r->plan.attempts;
        retry.quarantine_s = r->plan.quarantine_s;
    }
    retry.quarantine_s = clock_real_s(s, retry.quarantine_s);
    return retry;
}

/* It runs what is wanted already: what it says counts for this rollout. */
static void take_runs(struct server *s, struct device *d, struct poll_work *w,
                      const struct report_offer *offer)
{
    struct report_retry retry = retry_of(s, d);
    struct report again;

    report_offer(&s->catalog, d, offer);
    report_take(&s->catalog, d, &w->poll, offer->now, &retry, &again);
    w->report.changed = true;
}

/* What the plan asks of the device itself. */
static void put_policy(const struct server *s, const struct decision *x,
                       struct poll_policy *out)
{
    const struct plan *p = x->candidate[x->v.candidate].plan;

    if (p == NULL) {
        return;
    }
    out->min_battery = p->min_battery_percent;
    out->no_metered = !p->metered;
    out->no_roaming = !p->roaming;
    out->consent = p->consent;
    out->forced = x->v.forced;
    out->window_s = x->v.closes_in == 0 ? 0 : clock_real_s(s, x->v.closes_in);
}

/* Those that wait for one moment shall not all come at it. */
static uint32_t spread(const struct device *d, uint32_t over)
{
    uint32_t h = (uint32_t)d->id[12] << 24 | (uint32_t)d->id[13] << 16 |
                 (uint32_t)d->id[14] << 8 | d->id[15];

    return over == 0 ? 0 : (uint32_t)((uint64_t)h * over >> 32);
}

/* It waits, and it is known until when: sooner than it would come anyway. */
static void put_interval(const struct server *s, const struct device *d,
                         const struct rollout_verdict *v,
                         struct poll_answer *out)
{
    uint32_t usual = s->config.poll_interval_s > 0
                         ? (uint32_t)s->config.poll_interval_s
                         : INTERVAL_S;
    uint32_t wait = v->wait_s == 0 ? 0 : clock_real_s(s, v->wait_s);
    uint32_t over = usual / 3 < SPREAD_S ? usual / 3 : SPREAD_S;

    out->interval_s = (uint32_t)s->config.poll_interval_s;
    if (!v->wanted && wait > 0 && wait < usual) {
        out->interval_s = wait + spread(d, over);
    }
}

/* A ticket is made out: that is the offer. */
static void make_offer(struct server *s, struct device *d,
                       const struct decision *x, struct poll_work *w)
{
    struct rollout *r = decision_rollout(s, x, x->v.candidate);
    struct report_offer offer = {.order = x->order,
                                 .release = w->wanted->number,
                                 .now = d->s.last_seen,
                                 .outcome = BL_STATE_OFFERED};
    bool known = d->s.offer == x->order && !rollout_final(d->s.outcome);

    if (report_offer(&s->catalog, d, &offer)) {
        w->report.changed = true;
        if (r != NULL && !known) {
            pace_take(&r->pace_us, r->plan.rate_per_hour, clock_us(s));
        }
    }
}

/* A stage of a count: the last place goes to one of those that ask now. */
static bool takes_place(struct server *s, const struct device *d,
                        const struct decision *x)
{
    struct rollout *r = decision_rollout(s, x, x->v.candidate);

    return r == NULL || !catalog_counts_taken(r) ||
           (d->s.offer == x->order && d->s.outcome != BL_STATE_IDLE) ||
           number_set_add_below(&r->taken, d->number, catalog_stage_most(r));
}

/* A patch that is being made may be worth the wait. */
static bool waits_for_delta(struct server *s, const struct device *d,
                            const struct decision *x,
                            const struct release *wanted, struct poll_work *w)
{
    uint32_t wait_s = x->v.forced || w->poll.nonce.n == 0
                          ? 0
                          : device_delta_wait(s, d, &w->poll, wanted);

    if (wait_s > 0) {
        w->answer.interval_s = wait_s + spread(d, wait_s / 4);
    }
    return wait_s > 0;
}

/* The offer is made by a ticket, not by a hint. */
static void take_verdict(struct server *s, struct device *d,
                         struct poll_work *w)
{
    struct decision x;
    const struct release *r;
    bl_span permit;

    device_decide(s, d, &x);
    memcpy(w->manifest, d->s.manifest, 32);
    if (w->report.gave_up && x.v.why == ROLLOUT_OFFER &&
        x.order == d->s.offer) {
        /* Another try comes at a later poll: this one's end is seen first. */
        w->answer.interval_s = (uint32_t)s->config.poll_interval_s;
        return;
    }
    put_interval(s, d, &x.v, &w->answer);
    r = decision_release(s, d, &x, &permit);
    if (r == NULL) {
        return;
    }
    if (x.v.why == ROLLOUT_OFFER) {
        if (waits_for_delta(s, d, &x, r, w) ||
            (w->poll.nonce.n > 0 && !takes_place(s, d, &x))) {
            return;
        }
        w->wanted = r;
        w->permit = permit;
        memcpy(w->manifest, r->manifest, 32);
        put_policy(s, &x, &w->answer.policy);
        if (w->poll.nonce.n > 0) {
            make_offer(s, d, &x, w);
            w->report.changed |=
                device_delta_offer(s, d, &w->poll, r, &w->delta);
            w->answer.delta = w->delta.offer;
        }
    } else if (d->s.offer != x.order) {
        struct report_offer offer = {.order = x.order,
                                     .release = r->number,
                                     .now = d->s.last_seen,
                                     .outcome = BL_STATE_TESTING};

        take_runs(s, d, w, &offer);
    }
}

/* Under the catalog's and the device's lock. */
static void poll_locked(struct server *s, struct device *d,
                        struct poll_work *w)
{
    const struct poll *p = &w->poll;
    struct report *r = &w->report;
    struct outcome_mark mark = outcome_mark(d);
    struct outcome outcome[2]; /* of the old offer, and of the new */
    struct journal_news news = {r->event, 0, outcome, 0, false};
    struct report_retry retry;

    if (w->life == LIFE_NEW && w->judged == d->life) {
        device_begin_life(d);
    }
    retry = retry_of(s, d);
    report_take(&s->catalog, d, p, (uint32_t)time(NULL), &retry, r);
    r->changed |= device_delta_seen(s, d, p, r);
    news.n_outcomes += outcome_changed(&mark, d, &outcome[0]);
    mark = outcome_mark(d);
    take_verdict(s, d, w);
    news.n_outcomes += outcome_changed(&mark, d, &outcome[news.n_outcomes]);
    news.n_events = r->n_events;
    news.attributes = r->attributes;
    w->batch = r->changed ? journal_state(s->journal, d, &news)
                          : journal_seen(s->journal, d);
    stream_device(s->stream, d->id);
    if (r->changed) {
        stream_fleet(s->stream);
    }
    if (w->batch == 0 && r->attributes) {
        /* Not promised: they are news again when they come again. */
        free(d->attributes);
        d->attributes = NULL;
    }
    w->wait = p->nonce.n > 0 || p->n_events > 0 || r->attributes;
    w->answer.event = w->wait ? d->s.event : d->durable;
    if (w->life == LIFE_UNSURE && r->n_events == 0) {
        /* So that it comes to send what can be judged. */
        w->answer.event = p->event[p->n_events - 1].number;
    }
    w->answer.has_event = w->answer.event > 0;
}

/* The device is gone (deleted this moment), or of another product. */
static int poll_device(struct server *s, struct http_request *rq,
                       struct poll_work *w)
{
    struct device *d = devices_lock(s->devices, w->poll.id);
    const struct product *product;

    if (d == NULL) {
        http_reply_line(rq, 401, "not authenticated: no such device");
        return -1;
    }
    product = catalog_product_number(&s->catalog, d->product);
    if (w->poll.class_id != NULL &&
        memcmp(w->poll.class_id, product->class_id, 16) != 0) {
        char text[160];

        devices_unlock(s->devices, d);
        snprintf(text, sizeof text,
                 "the class id is not that of %s, which this device is "
                 "registered for",
                 product->name);
        http_reply_line(rq, 403, text);
        return -1;
    }
    poll_locked(s, d, w);
    devices_unlock(s->devices, d);
    if (w->batch == 0) {
        say_later(rq, 503, "too many reports wait to be stored");
        return -1;
    }
    return 0;
}

static void add_roots(const struct catalog *c, uint64_t version,
                      struct poll_answer *a)
{
    size_t bytes = 0;

    while (a->n_roots < POLL_ROOTS && ++version <= c->root.version) {
        const struct root_entry *e =
            version < c->roots.n ? c->roots.at[version] : NULL;

        if (e == NULL ||
            (a->n_roots > 0 && bytes + e->document.n > ROOTS_BYTES)) {
            return;
        }
        bytes += e->document.n;
        a->root[a->n_roots++] = e->document;
    }
}

static int add_ticket(struct server *s, struct http_request *rq,
                      const struct poll_work *w, struct buffer *out)
{
    uint64_t now = (uint64_t)time(NULL);
    struct author_ticket t = {
        .expiry = now + (uint64_t)s->config.ticket_validity_s,
        .issued = now,
        .nonce = w->poll.nonce,
        .root_version = s->catalog.root.version,
    };
    struct error err;

    memcpy(t.device_id, w->poll.id, 16);
    memcpy(t.manifest, w->manifest, 32);
    if (!s->catalog.has_root ||
        !tickets_trusted(&s->tickets, &s->catalog.root)) {
        say_later(rq, 503,
                  "no tickets: the server's ticket key is not in "
                  "the ticket role of its root document");
        return -1;
    }
    if (tickets_sign(&s->tickets, &t, out, &err) != 0) {
        log_error("ticket", LOG_TEXT("error", err.text));
        say_later(rq, 503, "no ticket could be signed");
        return -1;
    }
    return 0;
}

static void poll_reply(struct server *s, struct http_request *rq,
                       struct poll_work *w)
{
    struct buffer ticket = BUFFER(512);
    struct poll_answer *a = &w->answer;
    uint8_t small[2048];
    uint8_t *large = NULL;
    bl_span body;

    if (w->poll.nonce.n > 0) {
        if (add_ticket(s, rq, w, &ticket) != 0) {
            buffer_free(&ticket);
            return;
        }
        a->ticket = buffer_span(&ticket);
    }
    add_roots(&s->catalog, w->poll.root_version, a);
    a->manifest = w->manifest;
    if (w->wanted != NULL) {
        a->envelope_size = w->wanted->envelope.n;
        a->permit = w->permit;
    }
    if (poll_answer_write(a, small, sizeof small, &body) != BL_OK) {
        large = malloc(ANSWER_MAX * 2);
        if (large == NULL ||
            poll_answer_write(a, large, ANSWER_MAX * 2, &body) != BL_OK) {
            body = bl_span_of(NULL, 0);
        }
    }
    if (body.p == NULL) {
        say_later(rq, 503, "the answer could not be made");
    } else {
        http_reply(rq, 200, "application/cbor", body);
    }
    free(large);
    buffer_free(&ticket);
}

/* Before the locks of the poll: the store's comes before them. */
static int admit(struct server *s, struct http_request *rq,
                 struct poll_work *w)
{
    const struct poll *p = &w->poll;
    struct device *d = devices_lock(s->devices, p->id);
    uint32_t most = (uint32_t)s->config.polls_per_minute;
    uint32_t wait_s = 0;
    uint32_t number;
    uint32_t durable;
    bool allowed;

    w->life = LIFE_SAME;
    if (d == NULL) {
        return 0; /* poll_device says so */
    }
    allowed = (p->nonce.n == 0 && p->n_events == 0 && !poll_has(p, 18)) ||
              device_may_poll(d, rq->began_us, most, &wait_s);
    number = d->number;
    durable = d->durable;
    w->judged = d->life;
    devices_unlock(s->devices, d);
    if (!allowed) {
        atomic_fetch_add(&s->metrics.polls_refused, 1);
        say_in(rq, 429, wait_s,
               "more polls with a nonce or events than polls_per_minute");
        return -1;
    }
    w->life = life_judge(&s->store, number, w->judged, durable, p);
    return 0;
}

static void poll_answer(struct server *s, struct http_request *rq,
                        struct poll_work *w)
{
    int result;

    pthread_rwlock_rdlock(&s->catalog.lock);
    result = poll_device(s, rq, w);
    if (result == 0) {
        poll_reply(s, rq, w);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (result == 0 && w->wait) {
        hold_until_durable(s, rq, w->batch);
    }
}

void device_poll(struct server *s, struct http_request *rq)
{
    struct poll_work w;
    bl_status status = poll_read(rq->body, &w.poll);
    char fault[POLL_FAULT];

    memset(&w.answer, 0, sizeof w.answer);
    w.report.n_events = 0;
    w.report.attributes = false;
    w.wanted = NULL;
    w.permit = bl_span_of(NULL, 0);
    if (status != BL_OK) {
        atomic_fetch_add(&s->metrics.polls_refused, 1);
        poll_fault_text(&w.poll.fault, fault);
        http_reply_line(rq, 400, fault);
        return;
    }
    if (memcmp(w.poll.id, rq->device_id, 16) != 0) {
        atomic_fetch_add(&s->metrics.polls_refused, 1);
        http_reply_line(rq, 403, "the device id is not the authenticated one");
        return;
    }
    if (admit(s, rq, &w) != 0) {
        return;
    }
    poll_answer(s, rq, &w);
    atomic_fetch_add_explicit(w.poll.nonce.n > 0 ? &s->metrics.polls_ticket
                                                 : &s->metrics.polls_light,
                              1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->metrics.events, w.report.n_events,
                              memory_order_relaxed);
    histogram_add(&s->metrics.poll_time, monotonic_us() - rq->began_us);
}
