/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: numbers for Prometheus. packaging/grafana and
 * packaging/prometheus read them by these names. */
#include "api.h"
#include "census.h"
#include "rollout_change.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

#ifndef BOWLINE_VERSION
#define BOWLINE_VERSION "0"
#endif

enum { PAGE_MAX = 16 << 20, LABEL = 256 };

static void put_head(struct buffer *out, const char *name, const char *help,
                     const char *kind)
{
    buffer_printf(out, NULL, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                  kind);
}

static void put_gauge(struct buffer *out, const char *name, const char *help,
                      uint64_t value)
{
    metrics_counter(out, name, help, "gauge", value);
}

/* --- Devices --------------------------------------------------------------
 */

static void put_states(const struct census *c, struct buffer *out)
{
    put_head(out, "bowline_devices", "Devices by reported state.", "gauge");
    for (int i = 0; i <= BL_STATE_REFUSED; i++) {
        buffer_printf(out, NULL, "bowline_devices{state=\"%s\"} %" PRIu32 "\n",
                      bl_device_state_name((bl_device_state)i), c->states[i]);
    }
    put_gauge(out, "bowline_devices_registered", "Devices there are.",
              c->devices);
    put_gauge(out, "bowline_devices_silent",
              "Devices not heard of for three intervals.", c->silent);
    put_gauge(out, "bowline_devices_attention", "Devices that need a person.",
              c->attention);
    put_gauge(out, "bowline_devices_wanted",
              "Devices that a rollout wants to run something.", c->wanted);
    put_gauge(out, "bowline_devices_updated",
              "Of them: those that run it, confirmed.", c->updated);
}

static void put_versions_of(const struct census_product *p, const char *name,
                            struct buffer *out)
{
    char product[LABEL];
    char version[LABEL];

    metrics_label(name, product, sizeof product);
    for (uint32_t i = 0; i < p->n_versions; i++) {
        metrics_label(p->version[i].version, version, sizeof version);
        buffer_printf(out, NULL,
                      "bowline_device_versions{product=\"%s\",version=\"%s\"}"
                      " %" PRIu32 "\n",
                      product, version, p->version[i].devices);
    }
}

/* Devices say their versions themselves: the census keeps so many of each
 * product, so that a liar cannot fill the time series. */
static void put_versions(struct server *s, const struct census *c,
                         struct buffer *out)
{
    put_head(out, "bowline_device_versions",
             "Devices by the version they say they run.", "gauge");
    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < c->n_products; i++) {
        const struct product *p = catalog_product_number(&s->catalog, i);

        if (p != NULL) {
            put_versions_of(&c->product[i], p->name, out);
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- Rollouts -------------------------------------------------------------
 */

/* Each family is written whole, so each walks over the rollouts once. */
typedef void put_one(const struct rollout *r, const struct census *c,
                     const char *labels, struct buffer *out);

static void each_rollout(struct server *s, const struct census *c,
                         struct buffer *out, put_one *put)
{
    for (uint32_t i = 0; i < s->catalog.rollouts.n; i++) {
        const struct rollout *r = s->catalog.rollouts.at[i];
        char labels[LABEL * 2];
        char product[LABEL];

        if (r == NULL || !rollout_open(r->state)) {
            continue;
        }
        metrics_label(r->product->name, product, sizeof product);
        snprintf(labels, sizeof labels,
                 "rollout=\"%" PRIu64 "\",product=\"%s\"", r->id, product);
        put(r, c, labels, out);
    }
}

static void put_outcomes(const struct rollout *r, const struct census *c,
                         const char *labels, struct buffer *out)
{
    (void)c;
    for (int o = BL_STATE_OFFERED; o <= BL_STATE_REFUSED; o++) {
        buffer_printf(out, NULL,
                      "bowline_rollout_devices{%s,outcome=\"%s\"} %" PRIu32
                      "\n",
                      labels, bl_device_state_name((bl_device_state)o),
                      atomic_load(&r->count[o]));
    }
}

static void put_state(const struct rollout *r, const struct census *c,
                      const char *labels, struct buffer *out)
{
    (void)c;
    buffer_printf(out, NULL, "bowline_rollout_state{%s,state=\"%s\"} 1\n",
                  labels, rollout_state_name(r->state));
}

static void put_stage(const struct rollout *r, const struct census *c,
                      const char *labels, struct buffer *out)
{
    (void)c;
    buffer_printf(out, NULL, "bowline_rollout_stage{%s} %" PRIu32 "\n", labels,
                  r->stage + 1);
}

static void put_paused_itself(const struct rollout *r, const struct census *c,
                              const char *labels, struct buffer *out)
{
    bool itself = r->state == ROLLOUT_PAUSED &&
                  strcmp(r->steering.by, ROLLOUT_SELF) == 0;

    (void)c;
    buffer_printf(out, NULL, "bowline_rollout_paused_itself{%s} %d\n", labels,
                  itself);
}

static void put_counted(const struct rollout *r, const struct census *c,
                        const char *labels, struct buffer *out)
{
    const struct census_rollout *of = census_of(c, r->id);

    if (of != NULL) {
        buffer_printf(
            out, NULL,
            "bowline_rollout_waiting_for{%s,why=\"unseen\"} %" PRIu32 "\n"
            "bowline_rollout_waiting_for{%s,why=\"silent\"} %" PRIu32 "\n"
            "bowline_rollout_waiting_for{%s,why=\"blocked\"} %" PRIu32 "\n",
            labels, of->unseen.n, labels, of->silent.n, labels, of->blocked);
    }
}

static void put_rollouts(struct server *s, const struct census *c,
                         struct buffer *out)
{
    static const struct {
        const char *name;
        const char *help;
        put_one *put;
    } family[] = {
        {"bowline_rollout_devices",
         "Devices by outcome, of rollouts that are not ended.", put_outcomes},
        {"bowline_rollout_state", "1 for the state it is in.", put_state},
        {"bowline_rollout_stage", "The stage it is in, from 1.", put_stage},
        {"bowline_rollout_paused_itself",
         "1: it was paused by Bowline, not by an operator.",
         put_paused_itself},
        {"bowline_rollout_waiting_for",
         "Devices of its stage that it waits for, and those that cannot take "
         "it.",
         put_counted},
    };

    pthread_rwlock_rdlock(&s->catalog.lock);
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++) {
        put_head(out, family[i].name, family[i].help, "gauge");
        each_rollout(s, c, out, family[i].put);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- The server -----------------------------------------------------------
 */

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

static void put_logins(struct metrics *m, struct buffer *out)
{
    buffer_printf(out, NULL,
                  "# HELP bowline_logins_total Logins of users, and tries.\n"
                  "# TYPE bowline_logins_total counter\n"
                  "bowline_logins_total{result=\"good\"} %" PRIu64 "\n"
                  "bowline_logins_total{result=\"refused\"} %" PRIu64 "\n"
                  "bowline_logins_total{result=\"limited\"} %" PRIu64 "\n",
                  atomic_load(&m->logins_good),
                  atomic_load(&m->logins_refused),
                  atomic_load(&m->logins_limited));
}

static void put_work(struct metrics *m, struct buffer *out)
{
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

static void put_webhooks(struct server *s, struct buffer *out)
{
    const struct webhook_counts *w = webhooks_counts(s->webhooks);

    put_head(out, "bowline_webhook_deliveries_total",
             "Tries to deliver; given-up ones count as failed, too.",
             "counter");
    buffer_printf(out, NULL,
                  "bowline_webhook_deliveries_total{result=\"delivered\"} "
                  "%" PRIu64 "\n"
                  "bowline_webhook_deliveries_total{result=\"failed\"} "
                  "%" PRIu64 "\n"
                  "bowline_webhook_deliveries_total{result=\"given-up\"} "
                  "%" PRIu64 "\n",
                  atomic_load(&w->delivered), atomic_load(&w->failed),
                  atomic_load(&w->given_up));
    put_gauge(out, "bowline_webhook_waiting", "Deliveries that wait.",
              atomic_load(&w->waiting));
}

static void put_deltas(struct server *s, struct buffer *out)
{
    struct deltas *d = &s->deltas;
    uint32_t n[DELTA_STATES] = {0};
    uint64_t bytes = 0;

    pthread_rwlock_rdlock(&d->lock);
    for (uint32_t i = 0; i < d->n_rows; i++) {
        if (d->row[i] != NULL) {
            uint8_t state = atomic_load(&d->row[i]->state);

            n[state]++;
            bytes += state == DELTA_READY ? d->row[i]->size : 0;
        }
    }
    pthread_rwlock_unlock(&d->lock);
    put_head(out, "bowline_delta_patches", "Patches by state.", "gauge");
    for (uint8_t i = 0; i < DELTA_STATES; i++) {
        buffer_printf(out, NULL,
                      "bowline_delta_patches{state=\"%s\"} %" PRIu32 "\n",
                      delta_state_name(i), n[i]);
    }
    put_gauge(out, "bowline_delta_stored_bytes", "Patches that are kept.",
              bytes);
    put_head(out, "bowline_delta_made_total",
             "Patches made, by what became of them; withdrawn ones, too.",
             "counter");
    for (uint8_t i = DELTA_READY; i < DELTA_STATES; i++) {
        buffer_printf(out, NULL,
                      "bowline_delta_made_total{result=\"%s\"} %" PRIu64 "\n",
                      delta_state_name(i), atomic_load(&d->made[i]));
    }
    put_head(out, "bowline_delta_making_seconds_total",
             "Time that making patches took.", "counter");
    buffer_printf(out, NULL, "bowline_delta_making_seconds_total %.3f\n",
                  (double)atomic_load(&d->making_ms) / 1000.0);
    metrics_counter(out, "bowline_delta_installs_total",
                    "Devices that confirmed what came of a patch.", "counter",
                    atomic_load(&d->installs));
    metrics_counter(out, "bowline_delta_failures_total",
                    "Patches that failed on a device.", "counter",
                    atomic_load(&d->failures));
    metrics_counter(out, "bowline_delta_saved_bytes_total",
                    "Payload bytes that devices did not fetch, by patches.",
                    "counter", atomic_load(&d->saved));
}

static void put_operators(struct server *s, struct buffer *out)
{
    uint64_t lines;
    uint64_t sessions;

    store_lock(&s->store);
    lines = s->store.head.lines;
    store_unlock(&s->store);
    pthread_rwlock_rdlock(&s->people.lock);
    sessions = s->people.n_sessions;
    pthread_rwlock_unlock(&s->people.lock);
    metrics_counter(out, "bowline_audit_lines_total",
                    "Lines of the audit log.", "counter", lines);
    put_gauge(out, "bowline_sessions", "Sessions of operators.", sessions);
    put_gauge(out, "bowline_stream_clients", "Open event streams.",
              stream_listeners(s->stream));
}

static void put_disk(struct server *s, struct buffer *out)
{
    struct statvfs fs;

    if (statvfs(s->config.data, &fs) != 0) {
        return;
    }
    put_gauge(out, "bowline_data_free_bytes",
              "Free for the server where its data is.",
              (uint64_t)fs.f_bavail * fs.f_frsize);
    put_gauge(out, "bowline_data_size_bytes",
              "Size of the file system where its data is.",
              (uint64_t)fs.f_blocks * fs.f_frsize);
}

static void put_health(struct server *s, struct buffer *out)
{
    bool trusted;

    pthread_rwlock_rdlock(&s->catalog.lock);
    trusted =
        s->catalog.has_root && tickets_trusted(&s->tickets, &s->catalog.root);
    pthread_rwlock_unlock(&s->catalog.lock);
    put_gauge(out, "bowline_tickets_trusted",
              "1: the ticket key is in the newest root document.", trusted);
    put_gauge(out, "bowline_journal_failing",
              "1: what devices report cannot be stored.",
              journal_failing(s->journal));
    if (s->certificate_until > 0) {
        put_gauge(out, "bowline_certificate_expiry_timestamp_seconds",
                  "When the server's certificate expires.",
                  (uint64_t)s->certificate_until);
    }
    put_gauge(out, "bowline_start_timestamp_seconds",
              "When the server was started.", s->started);
    put_head(out, "bowline_build_info", "The program.", "gauge");
    buffer_printf(out, NULL, "bowline_build_info{version=\"%s\"} 1\n",
                  BOWLINE_VERSION);
}

void server_metrics(struct server *s, struct http_request *rq)
{
    struct buffer out = BUFFER(PAGE_MAX);
    const struct census *c = census_fresh(s);

    put_states(c, &out);
    put_versions(s, c, &out);
    put_rollouts(s, c, &out);
    census_release(c);
    put_polls(&s->metrics, &out);
    put_logins(&s->metrics, &out);
    put_work(&s->metrics, &out);
    put_webhooks(s, &out);
    put_deltas(s, &out);
    put_operators(s, &out);
    put_disk(s, &out);
    put_health(s, &out);
    http_reply(rq, 200, "text/plain; version=0.0.4", buffer_span(&out));
    buffer_free(&out);
}
