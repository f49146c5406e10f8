/* SPDX-License-Identifier: Apache-2.0 */
/* The server itself: health, metrics, its description, root documents.
 */
#include "api.h"
#include "census.h"
#include "describe.h"
#include "router.h"

#include "bowline/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef BOWLINE_VERSION
#define BOWLINE_VERSION "0"
#endif

/* openapi.json, put into the program by the build. */
extern const unsigned char openapi_json[];
extern const size_t openapi_json_size;

void server_health(struct server *s, struct http_request *rq)
{
    if (journal_failing(s->journal)) {
        api_error(rq, 503, "disk",
                  "what devices report cannot be stored; "
                  "see the log");
        return;
    }
    api_json(rq, 200, json_pack("{s:s}", "status", "ok"));
}

void server_openapi(struct server *s, struct http_request *rq)
{
    (void)s;
    http_reply(rq, 200, "application/json",
               bl_span_of(openapi_json, openapi_json_size));
}

void server_show(struct server *s, struct http_request *rq)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    api_json(rq, 200,
             json_pack("{s:s, s:o, s:I, s:I, s:I, s:b}", "version",
                       BOWLINE_VERSION, "root_version",
                       s->catalog.has_root
                           ? json_integer((json_int_t)s->catalog.root.version)
                           : json_null(),
                       "devices", (json_int_t)devices_count(s->devices),
                       "time", (json_int_t)time(NULL), "started",
                       (json_int_t)s->started, "tickets",
                       s->catalog.has_root &&
                           tickets_trusted(&s->tickets, &s->catalog.root)));
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- Metrics ----------------------------------------------------------------
 */

static void put_devices(struct server *s, struct buffer *out)
{
    const struct census *c = census_fresh(s);

    buffer_printf(out, NULL,
                  "# HELP bowline_devices Devices by reported state.\n"
                  "# TYPE bowline_devices gauge\n");
    for (int i = 0; i <= BL_STATE_REFUSED; i++) {
        buffer_printf(out, NULL, "bowline_devices{state=\"%s\"} %" PRIu32 "\n",
                      bl_device_state_name((bl_device_state)i), c->states[i]);
    }
    census_release(c);
}

static void put_rollouts(struct server *s, struct buffer *out)
{
    buffer_printf(out, NULL,
                  "# HELP bowline_rollout_devices Devices by outcome, of "
                  "rollouts that are not ended.\n"
                  "# TYPE bowline_rollout_devices gauge\n");
    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < s->catalog.rollouts.n; i++) {
        const struct rollout *r = s->catalog.rollouts.at[i];

        if (r == NULL || !rollout_open(r->state)) {
            continue;
        }
        for (int o = BL_STATE_OFFERED; o <= BL_STATE_REFUSED; o++) {
            buffer_printf(out, NULL,
                          "bowline_rollout_devices{rollout=\"%" PRIu64
                          "\",product=\"%s\",state=\"%s\",outcome=\"%s\"} "
                          "%" PRIu32 "\n",
                          r->id, r->product->name,
                          rollout_state_name(r->state),
                          bl_device_state_name((bl_device_state)o),
                          atomic_load(&r->count[o]));
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static void put_polls(struct metrics *m, struct buffer *out)
{
    buffer_printf(out, NULL,
                  "# HELP bowline_polls_total Polls of devices.\n"
                  "# TYPE bowline_polls_total counter\n"
                  "bowline_polls_total{kind=\"light\"} %" PRIu64 "\n"
                  "bowline_polls_total{kind=\"ticket\"} %" PRIu64 "\n"
                  "bowline_polls_total{kind=\"refused\"} %" PRIu64 "\n",
                  atomic_load(&m->polls_light), atomic_load(&m->polls_ticket),
                  atomic_load(&m->polls_refused));
    buffer_printf(out, NULL,
                  "# HELP bowline_http_requests_total Answers by class.\n"
                  "# TYPE bowline_http_requests_total counter\n");
    for (int i = 2; i <= 5; i++) {
        buffer_printf(out, NULL,
                      "bowline_http_requests_total{code=\"%dxx\"} %" PRIu64
                      "\n",
                      i, atomic_load(&m->requests[i]));
    }
    metrics_histogram(out, "bowline_request_seconds",
                      "Time from header to the end of the answer.",
                      &m->request_time);
    metrics_histogram(out, "bowline_poll_seconds",
                      "Time in the poll handler, without the wait for the "
                      "journal.",
                      &m->poll_time);
}

static void put_rest(struct server *s, struct buffer *out)
{
    struct metrics *m = &s->metrics;

    metrics_counter(out, "bowline_events_total", "Events taken in.", "counter",
                    atomic_load(&m->events));
    metrics_counter(out, "bowline_downloads_total", "Payload downloads begun.",
                    "counter", atomic_load(&m->downloads));
    metrics_counter(out, "bowline_download_bytes_total",
                    "Payload bytes offered.", "counter",
                    atomic_load(&m->download_bytes));
    metrics_counter(out, "bowline_downloads_refused_total",
                    "Downloads put off: too many at once.", "counter",
                    atomic_load(&m->downloads_busy));
    metrics_counter(out, "bowline_downloads_open", "Downloads under way.",
                    "gauge", (uint64_t)atomic_load(&m->downloads_open));
    metrics_counter(out, "bowline_uploads_total", "Payloads uploaded.",
                    "counter", atomic_load(&m->uploads));
    metrics_counter(out, "bowline_connections", "Open connections.", "gauge",
                    (uint64_t)atomic_load(&m->connections));
    metrics_counter(out, "bowline_stream_clients", "Open event streams.",
                    "gauge", stream_listeners(s->stream));
    metrics_counter(out, "bowline_slow_cut_total",
                    "Connections cut: too slow.", "counter",
                    atomic_load(&m->cut_slow));
    metrics_counter(out, "bowline_journal_flushes_total", "Batches committed.",
                    "counter", atomic_load(&m->flushes));
    metrics_counter(out, "bowline_journal_failures_total",
                    "Batches that could not be committed.", "counter",
                    atomic_load(&m->flush_failures));
    metrics_counter(out, "bowline_journal_records_total",
                    "Records in batches.", "counter",
                    atomic_load(&m->flush_records));
    metrics_histogram(out, "bowline_journal_flush_seconds",
                      "Time to commit a batch.", &m->flush_time);
}

void server_metrics(struct server *s, struct http_request *rq)
{
    struct buffer out = BUFFER(1 << 20);

    put_devices(s, &out);
    put_rollouts(s, &out);
    put_polls(&s->metrics, &out);
    put_rest(s, &out);
    http_reply(rq, 200, "text/plain; version=0.0.4", buffer_span(&out));
    buffer_free(&out);
}

/* --- Root documents
 * ---------------------------------------------------------- */

static json_t *root_json(const struct root_entry *e)
{
    json_t *what = describe_root(e->document);
    json_t *out;
    uint8_t digest[32];

    bl_sha256(e->document.p, e->document.n, digest);
    out = json_pack("{s:I, s:o, s:I}", "version", (json_int_t)e->version,
                    "sha256", api_hex(digest, 32), "size",
                    (json_int_t)e->document.n);
    json_object_update(out, what);
    json_decref(what);
    return out;
}

struct new_root {
    uint64_t version;
    bl_span document;
};

static int write_root(struct server *s, void *ctx, struct error *err)
{
    const struct new_root *new = ctx;

    return store_root_add(&s->store, new->version, new->document, err);
}

static int store_root(struct server *s, struct http_request *rq,
                      uint64_t version)
{
    struct new_root new = {version, rq->body};
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, version);
    return api_change(s, rq, write_root, &new, "root-add", text, "");
}

static void warn_tickets(struct server *s)
{
    if (s->catalog.has_root &&
        !tickets_trusted(&s->tickets, &s->catalog.root)) {
        log_warning("tickets-untrusted",
                    LOG_INT("root_version", s->catalog.root.version),
                    LOG_TEXT("advice",
                             "the ticket key is not in the ticket role of "
                             "the newest root document: devices that ask "
                             "with a nonce get 503"));
    }
}

static void add_root(struct server *s, struct http_request *rq)
{
    const struct bl_root *trusted =
        s->catalog.has_root ? &s->catalog.root : NULL;
    struct bl_root root;
    bl_status status;

    if (rq->body.n > BL_ROOT_MAX) {
        api_error(rq, 422, bl_status_name(BL_TOO_LARGE),
                  "the root document has %zu bytes; devices have room for %d: "
                  "one with fewer keys or signatures is needed",
                  rq->body.n, BL_ROOT_MAX);
        return;
    }
    status = bl_root_accept(rq->body, trusted, s->crypto, &root);
    if (status != BL_OK) {
        api_error(rq, status == BL_ROOT_VERSION ? 409 : 422,
                  bl_status_name(status), "the root document is refused: %s%s",
                  bl_status_meaning(status),
                  trusted == NULL ? " (none is trusted yet: version 1 comes "
                                    "first)"
                                  : "");
        return;
    }
    if (trusted == NULL && root.version != 1) {
        api_error(rq, 409, "root-version",
                  "the first root document must have version 1, this has "
                  "%" PRIu64,
                  root.version);
        return;
    }
    if (store_root(s, rq, root.version) != 0) {
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    if (catalog_add_root(&s->catalog, root.version, rq->body) != 0) {
        api_error(rq, 503, "memory", "no memory; restart the server");
    } else {
        api_json(rq, 201,
                 json_pack("{s:I}", "version", (json_int_t)root.version));
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    warn_tickets(s);
}

void root_add(struct server *s, struct http_request *rq)
{
    pthread_mutex_lock(&s->admin);
    add_root(s, rq);
    pthread_mutex_unlock(&s->admin);
}

void root_list(struct server *s, struct http_request *rq)
{
    json_t *items = json_array();

    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < s->catalog.roots.n; i++) {
        if (s->catalog.roots.at[i] != NULL) {
            json_array_append_new(items, root_json(s->catalog.roots.at[i]));
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    api_list(rq, items, 0);
}

void root_show(struct server *s, struct http_request *rq)
{
    char *end;
    unsigned long long version = strtoull(rq->param[0], &end, 10);
    const struct root_entry *e = NULL;

    pthread_rwlock_rdlock(&s->catalog.lock);
    if (*end == '\0' && version < s->catalog.roots.n) {
        e = s->catalog.roots.at[version];
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (e == NULL) {
        api_error(rq, 404, "not-found", "there is no root document %s",
                  rq->param[0]);
        return;
    }
    http_reply(rq, 200, "application/octet-stream", e->document);
}
