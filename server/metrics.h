/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms, lock-free to add to; printed by metrics.c in the
 * Prometheus text format. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "host/buffer.h"

#include <stdatomic.h>

enum { METRICS_BUCKETS = 12 };

struct histogram {
    _Atomic uint64_t bucket[METRICS_BUCKETS + 1];
    _Atomic uint64_t sum_us;
};

struct metrics {
    _Atomic uint64_t polls_light;
    _Atomic uint64_t polls_ticket;
    _Atomic uint64_t polls_refused;
    _Atomic uint64_t events;
    _Atomic uint64_t downloads;
    _Atomic uint64_t download_bytes;
    _Atomic uint64_t downloads_busy; /* turned away: too many at once */
    _Atomic uint64_t uploads;
    _Atomic uint64_t requests[6]; /* by status / 100 */
    _Atomic uint64_t cut_slow;
    _Atomic uint64_t logins_good;
    _Atomic uint64_t logins_refused;
    _Atomic uint64_t logins_limited; /* too many tries */
    _Atomic uint64_t flushes;
    _Atomic uint64_t flush_failures;
    _Atomic uint64_t flush_records;
    _Atomic int64_t downloads_open;
    _Atomic int64_t unmanaged_open; /* of them, of unmanaged clients */
    _Atomic int64_t connections;
    struct histogram request_time;
    struct histogram poll_time;
    struct histogram flush_time;
};

void histogram_add(struct histogram *h, uint64_t us);
/* Whole families, with HELP and TYPE. */
int metrics_counter(struct buffer *out, const char *name, const char *help,
                    const char *kind, uint64_t value);
int metrics_histogram(struct buffer *out, const char *name, const char *help,
                      struct histogram *h);
/* A label's value: what would end it is escaped, what is too long is cut. */
void metrics_label(const char *text, char *out, size_t size);
uint64_t monotonic_us(void);

#endif
