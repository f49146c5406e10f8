/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a rollout's stages end. Percent are of buckets, so the fleet need not
 * be counted: only a stage that would hold nobody is raised to its first
 * device. A count of devices takes one walk, once, when the rollout is made.
 */
#include "census.h"
#include "decide.h"
#include "rollout_make.h"

#include "api.h"

#include <stdlib.h>

struct ranks {
    struct server *s;
    const struct product *product;
    struct rollout_candidate candidate;
    struct rollout_placed *out;
    struct decision *decision;
    uint64_t *at; /* of the devices that it wants, and can take it */
    uint32_t n;
    uint32_t capacity;
    uint64_t least; /* of them all */
};

/* Can it take it, and does not run it already? */
static bool wants(struct ranks *k, struct device *d)
{
    const struct rollout_device *facts = &k->decision->device;

    device_look_light(k->s, d, k->decision);
    if (rollout_target(facts, &k->candidate) != ROLLOUT_OFFER) {
        return false;
    }
    k->out->wanted++;
    if (memcmp(d->s.manifest, k->candidate.manifest, 32) == 0) {
        k->out->on_it++;
        return false;
    }
    if (d->s.first_seen != 0 && k->candidate.kind == ROLLOUT_UPDATE &&
        rollout_blocked(facts, k->candidate.sequence, k->candidate.manifest)) {
        k->out->blocked++;
        return false;
    }
    k->out->takers = true;
    return true;
}

static int keep(struct ranks *k, uint64_t rank)
{
    if (k->n == k->capacity) {
        uint32_t capacity = k->capacity == 0 ? 1024 : k->capacity * 2;
        uint64_t *at = realloc(k->at, capacity * sizeof *at);

        if (at == NULL) {
            return -1;
        }
        k->at = at;
        k->capacity = capacity;
    }
    k->at[k->n++] = rank;
    return 0;
}

/* `all`: every rank is needed; else one below `enough` is. */
static int collect(struct ranks *k, bool all, uint64_t enough)
{
    uint32_t last = devices_last(k->s->devices);
    int result = 0;

    k->least = UINT64_MAX;
    for (uint32_t i = 1;
         i <= last && result == 0 && (all || k->least >= enough); i++) {
        struct device *d;

        catalog_breathe(&k->s->catalog, i);
        d = devices_lock_number(k->s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (d->product == k->product->number && wants(k, d)) {
            uint64_t rank = rollout_rank(k->out->id, d->id);

            k->least = rank < k->least ? rank : k->least;
            result = all ? keep(k, rank) : 0;
        }
        devices_unlock(k->s->devices, d);
    }
    return result;
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t x = *a;

    *a = *b;
    *b = x;
}

/* What would be at `place` if they were sorted (quickselect: ranks are hashes,
 * so that any pivot is a good one). They change places. */
static uint64_t rank_at(struct ranks *k, uint32_t place)
{
    uint32_t from = 0;
    uint32_t to = k->n - 1;

    while (from < to) {
        uint64_t pivot = k->at[from + (to - from) / 2];
        uint32_t low = from;
        uint32_t next = from;
        uint32_t high = to + 1;

        while (next < high) {
            if (k->at[next] < pivot) {
                swap(&k->at[next++], &k->at[low++]);
            } else if (k->at[next] > pivot) {
                swap(&k->at[next], &k->at[--high]);
            } else {
                next++;
            }
        }
        if (place >= low && place < high) {
            return pivot;
        }
        if (place < low) {
            to = low - 1;
        } else {
            from = high;
        }
    }
    return k->at[from];
}

static uint64_t cut_of(struct ranks *k, const struct plan_stage *stage)
{
    uint64_t cut;

    if (stage->percent > 0) {
        cut = (uint64_t)stage->percent * (ROLLOUT_BUCKETS / 100) << 32;
        /* Whole buckets: anybody can tell who is in. */
        return k->least < ROLLOUT_ALL && cut <= k->least
                   ? ((k->least >> 32) + 1) << 32
                   : cut;
    }
    return stage->count >= k->n ? ROLLOUT_ALL : rank_at(k, stage->count);
}

static void count_stage(const struct ranks *k, uint64_t cut, uint32_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < k->n; i++) {
        n += k->at[i] < cut;
    }
    *out = n;
}

static void place(struct ranks *k, const struct plan *p)
{
    uint32_t *devices = k->out->devices;
    uint64_t *cut = k->out->cut;
    uint32_t all = atomic_load(&k->product->devices);

    for (uint32_t i = 0; i < p->n_stages; i++) {
        cut[i] = cut_of(k, &p->stage[i]);
        if (i > 0 && cut[i] < cut[i - 1]) {
            cut[i] = cut[i - 1];
        }
        if (k->at != NULL) {
            count_stage(k, cut[i], &devices[i]);
        } else { /* until a census has counted them */
            devices[i] = (uint32_t)((uint64_t)all * p->stage[i].percent / 100);
        }
    }
}

static bool has_counts(const struct plan *p)
{
    for (uint32_t i = 0; i < p->n_stages; i++) {
        if (p->stage[i].percent == 0) {
            return true;
        }
    }
    return false;
}

int rollout_place(struct server *s, const struct rollout_wish *wish,
                  uint64_t id, struct rollout_placed *out)
{
    const struct plan *p = &wish->plan;
    bool all = has_counts(p) || devices_count(s->devices) <= CENSUS_FEW;
    uint64_t first = (uint64_t)p->stage[0].percent * (ROLLOUT_BUCKETS / 100)
                     << 32;
    struct ranks k = {
        .s = s,
        .product = wish->product,
        .candidate = {.kind = wish->kind,
                      .sequence = wish->release->sequence,
                      .manifest = wish->release->manifest,
                      .channels = wish->release->channels,
                      .plan = p},
        .out = out,
        .decision = malloc(sizeof *k.decision),
    };
    int result = -1;

    memset(out, 0, sizeof *out);
    out->id = id;
    pthread_rwlock_rdlock(&s->catalog.lock);
    if (k.decision != NULL && collect(&k, all, first) == 0) {
        place(&k, p);
        result = 0;
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    free(k.decision);
    free(k.at);
    return result;
}
