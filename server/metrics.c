/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <inttypes.h>
#include <time.h>

static const uint32_t bound_us[METRICS_BUCKETS] = {
    50,    100,   250,    500,    1000,    2500,
    10000, 50000, 100000, 500000, 1000000, 10000000};

uint64_t monotonic_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void histogram_add(struct histogram *h, uint64_t us)
{
    int i = 0;

    while (i < METRICS_BUCKETS && us > bound_us[i]) {
        i++;
    }
    atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

int metrics_counter(struct buffer *out, const char *name, const char *help,
                    const char *kind, uint64_t value)
{
    return buffer_printf(out, NULL,
                         "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name,
                         help, name, kind, name, value);
}

void metrics_label(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text != '\0' && n + 3 < size; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n') {
            out[n++] = '\\';
        }
        out[n++] = *text == '\n' ? 'n' : *text;
    }
    out[n] = '\0';
}

int metrics_histogram(struct buffer *out, const char *name, const char *help,
                      struct histogram *h)
{
    uint64_t total = 0;
    int result = buffer_printf(
        out, NULL, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);

    for (int i = 0; i < METRICS_BUCKETS && result == 0; i++) {
        total += atomic_load(&h->bucket[i]);
        result = buffer_printf(out, NULL, "%s_bucket{le=\"%g\"} %" PRIu64 "\n",
                               name, bound_us[i] / 1e6, total);
    }
    total += atomic_load(&h->bucket[METRICS_BUCKETS]);
    if (result == 0) {
        result =
            buffer_printf(out, NULL,
                          "%s_bucket{le=\"+Inf\"} %" PRIu64
                          "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
                          name, total, name,
                          (double)atomic_load(&h->sum_us) / 1e6, name, total);
    }
    return result;
}
