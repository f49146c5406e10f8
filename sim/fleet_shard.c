/* SPDX-License-Identifier: Apache-2.0 */
/* A thread and its devices, the one that is due first on top of a heap. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet.h"

enum { LOOP_MS = 100, POKES_MS = 2000, WAKES = 64 };

uint64_t fleet_wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000U + (uint64_t)t.tv_nsec / 1000000U;
}

/* --- Counts -------------------------------------------------------------- */

void fleet_add(struct fleet_shard *shard, enum fleet_count count, int64_t n)
{
    atomic_fetch_add_explicit(&shard->count[count], n, memory_order_relaxed);
}

int64_t fleet_count(const struct fleet *fleet, enum fleet_count count)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < fleet->options.threads; i++) {
        sum += atomic_load_explicit(&fleet->shard[i].count[count],
                                    memory_order_relaxed);
    }
    return sum;
}

/* --- The heap ------------------------------------------------------------ */

static void place(struct fleet_shard *s, uint32_t at, struct fleet_device *d)
{
    s->heap[at] = d;
    d->heap_at = at + 1;
}

static void rise(struct fleet_shard *s, uint32_t at)
{
    struct fleet_device *d = s->heap[at];

    while (at > 0 && s->heap[(at - 1) / 2]->due_ms > d->due_ms) {
        place(s, at, s->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(s, at, d);
}

static void sink(struct fleet_shard *s, uint32_t at)
{
    struct fleet_device *d = s->heap[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < s->heap_n &&
            s->heap[child + 1]->due_ms < s->heap[child]->due_ms) {
            child++;
        }
        if (child >= s->heap_n || s->heap[child]->due_ms >= d->due_ms) {
            break;
        }
        place(s, at, s->heap[child]);
        at = child;
    }
    place(s, at, d);
}

void fleet_wake_at(struct fleet_device *d, uint64_t due_ms)
{
    struct fleet_shard *s = d->shard;

    if (d->heap_at == 0) {
        d->due_ms = due_ms;
        s->heap[s->heap_n] = d;
        rise(s, s->heap_n++);
    } else if (due_ms < d->due_ms) {
        d->due_ms = due_ms;
        rise(s, d->heap_at - 1);
    }
}

static struct fleet_device *take_due(struct fleet_shard *s, uint64_t now)
{
    struct fleet_device *d;

    if (s->heap_n == 0 || s->heap[0]->due_ms > now) {
        return NULL;
    }
    d = s->heap[0];
    d->heap_at = 0;
    s->heap_n--;
    if (s->heap_n > 0) {
        s->heap[0] = s->heap[s->heap_n];
        sink(s, 0);
    }
    return d;
}

/* --- The loop ------------------------------------------------------------ */

/* The end is near: faults stop, and every device speaks once more. */
static void enter_phase(struct fleet_shard *s, enum fleet_phase phase)
{
    s->phase = phase;
    for (uint32_t i = 0; phase == FLEET_SETTLE && i < s->n; i++) {
        struct fleet_device *d = &s->device[i];

        fleet_wake_at(d, fleet_wall_ms() + fleet_random(d) % POKES_MS);
        fleet_device_poke(d);
    }
}

static uint32_t wake_due(struct fleet_shard *s)
{
    struct fleet_device *d;
    uint64_t now = fleet_wall_ms();
    int n = 0;

    while (n++ < WAKES && (d = take_due(s, now)) != NULL) {
        fleet_device_wake(d);
    }
    now = fleet_wall_ms();
    if (s->heap_n == 0 || s->heap[0]->due_ms > now + LOOP_MS) {
        return LOOP_MS;
    }
    return s->heap[0]->due_ms > now ? (uint32_t)(s->heap[0]->due_ms - now) : 0;
}

static void *shard_run(void *ctx)
{
    struct fleet_shard *s = ctx;
    const struct fleet_net_counts *counts = fleet_net_counts(s->net);
    enum fleet_phase phase;

    while ((phase = (enum fleet_phase)atomic_load(&s->fleet->phase)) !=
           FLEET_STOP) {
        if (phase != s->phase) {
            enter_phase(s, phase);
        }
        fleet_net_run(s->net, wake_due(s));
        atomic_store_explicit(&s->exchanges, counts->exchanges,
                              memory_order_relaxed);
        atomic_store_explicit(&s->connects, counts->connects,
                              memory_order_relaxed);
        atomic_store_explicit(&s->resumed, counts->resumed,
                              memory_order_relaxed);
        atomic_store_explicit(&s->bytes, counts->bytes, memory_order_relaxed);
    }
    return NULL;
}

/* --- Start and end ------------------------------------------------------- */

static int shard_open(struct fleet *fleet, struct fleet_shard *s,
                      struct error *err)
{
    const struct fleet_options *o = &fleet->options;
    struct fleet_net_config config = {
        .server = o->server,
        .ca_file = o->ca_file,
        .connections = (o->connections + o->threads - 1) / o->threads,
        .fresh = o->fresh,
    };

    s->heap = calloc(s->n > 0 ? s->n : 1, sizeof(struct fleet_device *));
    if (s->heap == NULL) {
        return error_set(err, "out of memory");
    }
    s->net = fleet_net_open(&config, err);
    if (s->net == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        /* Switched on within what is a first poll's spread anyway. */
        fleet_wake_at(&s->device[i], fleet->started_ms);
    }
    return 0;
}

int fleet_shards_start(struct fleet *fleet, struct error *err)
{
    for (uint32_t i = 0; i < fleet->options.threads; i++) {
        if (shard_open(fleet, &fleet->shard[i], err) != 0) {
            return -1;
        }
    }
    for (uint32_t i = 0; i < fleet->options.threads; i++) {
        if (pthread_create(&fleet->shard[i].thread, NULL, shard_run,
                           &fleet->shard[i]) != 0) {
            atomic_store(&fleet->phase, FLEET_STOP);
            fleet->options.threads = i;
            fleet_shards_join(fleet);
            return error_set(err, "cannot start a thread");
        }
    }
    return 0;
}

void fleet_shards_join(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->options.threads; i++) {
        (void)pthread_join(fleet->shard[i].thread, NULL);
    }
}
