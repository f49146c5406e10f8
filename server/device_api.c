/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device API, docs/PROTOCOL.md. The poll path is lean: no JSON, no
 * database, no memory but what the connection has; the answer is held until
 * the journal has committed whenever it promises something.
 */
#include "api.h"
#include "decide.h"
#include "lives.h"
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
    /* One, and one that has broken and is not yet known to have. */
    DOWNLOADS_EACH = 2,
    RETRY_S = 10
};

static void say_in(struct http_request *rq, int status, uint32_t seconds,
                   const char *text)
{
    char after[12];

    http_reply_line(rq, status, text);
    snprintf(after, sizeof after, "%" PRIu32, seconds);
    http_reply_header(rq, "Retry-After", after);
}

static void say_later(struct http_request *rq, int status, const char *text)
{
    say_in(rq, status, RETRY_S, text);
}

/* --- Poll -----------------------------------------------------------------
 */

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
    const struct release *wanted; /* NULL: what it runs */
    bl_span permit;
    uint64_t batch;
    uint8_t manifest[32]; /* desired */
    bool wait;
    enum life life;
    uint32_t judged; /* the life that it was judged by */
};

static struct rollout_verdict decide(struct server *s, struct device *d,
                                     struct rollout_candidate *candidates)
{
    struct rollout_device facts = {
        .id = d->id,
        .manifest = d->s.manifest,
        .sequence = d->s.sequence,
        .floor = d->s.floor,
        .confirmed = d->s.confirmed != 0,
        .state = d->s.state,
        .offer = d->s.offer,
        .outcome = d->s.outcome,
        .code = d->s.code,
    };
    const struct product *product =
        catalog_product_number(&s->catalog, d->product);
    uint32_t n = catalog_candidates(product, d->pin, candidates);

    return rollout_decide(&facts, candidates, n);
}

struct rollout_verdict device_decide(struct server *s, struct device *d,
                                     uint64_t *order)
{
    struct rollout_candidate candidates[CATALOG_CANDIDATES + 1];
    struct rollout_verdict v = decide(s, d, candidates);

    *order = v.candidate < 0 ? 0 : candidates[v.candidate].order;
    return v;
}

/* Until a rollout's plan says other numbers. */
static const struct report_retry usual_retry = {2, 86400};

/* It runs what is wanted already: what it says counts for this rollout. */
static void take_runs(struct server *s, struct device *d, struct poll_work *w,
                      const struct report_offer *offer)
{
    struct report again;

    report_offer(&s->catalog, d, offer);
    report_take(&s->catalog, d, &w->poll, offer->now, &usual_retry, &again);
    w->report.changed = true;
}

/* The offer is made by a ticket, not by a hint. */
static void take_verdict(struct server *s, struct device *d,
                         struct poll_work *w)
{
    struct report_offer offer = {.now = d->s.last_seen};
    struct rollout_verdict v = device_decide(s, d, &offer.order);
    const struct release *r;
    bl_span permit;

    memcpy(w->manifest, d->s.manifest, 32);
    if (!v.wanted) {
        return;
    }
    r = catalog_offer(&s->catalog, d->pin, offer.order, &permit);
    offer.release = r->number;
    if (v.why == ROLLOUT_OFFER) {
        w->wanted = r;
        w->permit = permit;
        memcpy(w->manifest, r->manifest, 32);
        if (w->poll.nonce.n > 0) {
            offer.outcome = BL_STATE_OFFERED;
            w->report.changed |= report_offer(&s->catalog, d, &offer);
        }
    } else if (d->s.offer != offer.order) {
        offer.outcome = BL_STATE_TESTING;
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

    if (w->life == LIFE_NEW && w->judged == d->life) {
        device_begin_life(d);
    }
    report_take(&s->catalog, d, p, (uint32_t)time(NULL), &usual_retry, r);
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
    a->interval_s = (uint32_t)s->config.poll_interval_s;
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

/* --- Manifests and payloads -----------------------------------------------
 */

static uint32_t product_of(struct server *s, const uint8_t *device_id)
{
    struct device *d = devices_lock(s->devices, device_id);
    uint32_t product;

    if (d == NULL) {
        return 0;
    }
    product = d->product;
    devices_unlock(s->devices, d);
    return product;
}

void device_manifest(struct server *s, struct http_request *rq)
{
    uint32_t product = product_of(s, rq->device_id);
    const struct release *r = NULL;
    uint8_t digest[32];
    char etag[70];

    if (hex_decode(rq->param[0], strlen(rq->param[0]), digest, 32) != 0) {
        http_reply_line(rq, 404, "not a digest of 64 hex digits");
        return;
    }
    pthread_rwlock_rdlock(&s->catalog.lock);
    r = catalog_release(&s->catalog, digest);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (r == NULL || r->product->number != product) {
        http_reply_line(rq, 404, "no such manifest");
        return;
    }
    http_reply(rq, 200, "application/suit-envelope+cose", r->envelope);
    snprintf(etag, sizeof etag, "\"%.64s\"", rq->param[0]);
    http_reply_header(rq, "ETag", etag);
}

enum range { RANGE_NONE, RANGE_PART, RANGE_BEYOND };

/* "bytes=N-" only; anything else is ignored, as RFC 9110 section 14.2 lets
 * one. A validator that is not ours means: the whole. */
static enum range read_range(const struct http_request *rq, const char *etag,
                             uint64_t size, uint64_t *from)
{
    const char *range = http_header(rq, "Range");
    const char *validator = http_header(rq, "If-Range");
    uint64_t v = 0;
    const char *p;

    if (range == NULL || strncmp(range, "bytes=", 6) != 0 ||
        (validator != NULL && strcmp(validator, etag) != 0)) {
        return RANGE_NONE;
    }
    for (p = range + 6; *p >= '0' && *p <= '9' && p < range + 24; p++) {
        v = v * 10 + (uint64_t)(*p - '0');
    }
    if (p == range + 6 || strcmp(p, "-") != 0) {
        return RANGE_NONE;
    }
    *from = v;
    return v >= size ? RANGE_BEYOND : RANGE_PART;
}

static void send_payload(struct server *s, struct http_request *rq, int fd,
                         uint64_t size)
{
    char etag[70];
    char text[96];
    uint64_t from = 0;
    enum range range;

    snprintf(etag, sizeof etag, "\"%.64s\"", rq->param[0]);
    range = read_range(rq, etag, size, &from);
    if (range == RANGE_BEYOND) {
        close(fd);
        http_reply_line(rq, 416, "the range begins behind the end");
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        http_reply_header(rq, "Content-Range", text);
        return;
    }
    http_reply_file(rq, range == RANGE_PART ? 206 : 200,
                    "application/octet-stream", fd, from, size - from);
    if (range == RANGE_PART) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                 from, size - 1, size);
        http_reply_header(rq, "Content-Range", text);
    }
    http_reply_header(rq, "ETag", etag);
    http_reply_header(rq, "Accept-Ranges", "bytes");
    http_reply_header(rq, "Cache-Control", "private, immutable");
    atomic_fetch_add(&s->metrics.downloads, 1);
    atomic_fetch_add(&s->metrics.download_bytes, size - from);
}

static bool take_own_slot(struct server *s, const uint8_t *device_id)
{
    struct device *d = devices_lock(s->devices, device_id);
    bool free = d != NULL && d->downloads < DOWNLOADS_EACH;

    if (d == NULL) {
        return false;
    }
    d->downloads += free;
    devices_unlock(s->devices, d);
    return free;
}

static void leave_own_slot(struct server *s, const uint8_t *device_id)
{
    struct device *d = devices_lock(s->devices, device_id);

    if (d == NULL) {
        return;
    }
    if (d->downloads > 0) { /* registered anew since: it has none */
        d->downloads--;
    }
    devices_unlock(s->devices, d);
}

/* NULL, or who has too many. */
static const char *take_slot(struct server *s, struct http_request *rq)
{
    int64_t open = atomic_fetch_add(&s->metrics.downloads_open, 1);
    const char *problem = NULL;

    if (open >= s->config.max_downloads) {
        problem = "too many downloads at once";
    } else if (!take_own_slot(s, rq->device_id)) {
        problem = "this device has as many downloads open as it may";
    }
    rq->counted = problem == NULL;
    if (problem != NULL) {
        atomic_fetch_sub(&s->metrics.downloads_open, 1);
        atomic_fetch_add(&s->metrics.downloads_busy, 1);
    }
    return problem;
}

void device_payload_end(struct server *s, struct http_request *rq)
{
    if (rq->counted) {
        rq->counted = false;
        atomic_fetch_sub(&s->metrics.downloads_open, 1);
        leave_own_slot(s, rq->device_id);
    }
}

static bool is_for(struct server *s, const uint8_t *device_id,
                   const uint8_t sha256[32])
{
    uint32_t product = product_of(s, device_id);
    bool found;

    pthread_rwlock_rdlock(&s->catalog.lock);
    found = product != 0 && catalog_has_payload(&s->catalog, product, sha256);
    pthread_rwlock_unlock(&s->catalog.lock);
    return found;
}

void device_payload(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    const char *problem;
    uint8_t sha256[32];
    uint64_t size;
    int fd;

    if (hex_decode(rq->param[0], strlen(rq->param[0]), sha256, 32) != 0) {
        http_reply_line(rq, 404, "not a digest of 64 hex digits");
        return;
    }
    if (!is_for(s, rq->device_id, sha256)) {
        http_reply_line(rq, 404, "no such payload");
        return;
    }
    /* The ETag is the path's text: one spelling of it. */
    hex_encode(sha256, 32, rq->param[0]);
    problem = take_slot(s, rq);
    if (problem != NULL) {
        say_later(rq, 429, problem);
        return;
    }
    fd = blob_open(&s->blobs, sha256, &size, &err);
    if (fd < 0) {
        http_reply_line(rq, 404, "no such payload");
        return;
    }
    send_payload(s, rq, fd, size);
}
