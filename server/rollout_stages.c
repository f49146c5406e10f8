/* SPDX-License-Identifier: Apache-2.0 */
/* Stages: where they end, whom they hold, and how they were at the end. */
#include "rollout_view.h"

#include <stdlib.h>

/* Buckets of all devices of the product, as counts by bucket. */
static void count_buckets(struct server *s, const struct product *product,
                          uint64_t id, uint32_t counts[ROLLOUT_BUCKETS])
{
    memset(counts, 0, ROLLOUT_BUCKETS * sizeof counts[0]);
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (d->product == product->number) {
            counts[rollout_bucket(id, d->id)]++;
        }
        devices_unlock(s->devices, d);
    }
}

/* docs/PROTOCOL.md: a stage's limit is raised until it holds a device. */
static void set_limits(struct rollout *r, const uint32_t *counts)
{
    uint32_t first = 0;

    while (first < ROLLOUT_BUCKETS && counts[first] == 0) {
        first++;
    }
    for (uint32_t i = 0; i < r->n_stages; i++) {
        r->limit[i] = r->percent[i] * (ROLLOUT_BUCKETS / 100);
        if (first < ROLLOUT_BUCKETS && r->limit[i] <= first) {
            r->limit[i] = first + 1;
        }
    }
}

static void recount(struct server *s, struct rollout *r)
{
    uint32_t generation = atomic_load(&r->product->generation);
    uint32_t *counts;

    if (r->ended || (r->counted && r->generation == generation)) {
        return;
    }
    counts = malloc(ROLLOUT_BUCKETS * sizeof *counts);
    if (counts == NULL) {
        return;
    }
    count_buckets(s, r->product, r->id, counts);
    for (uint32_t i = 0; i < r->n_stages; i++) {
        uint32_t n = 0;

        for (uint32_t b = 0; b < r->limit[i] && b < ROLLOUT_BUCKETS; b++) {
            n += counts[b];
        }
        r->stage_devices[i] = n;
    }
    free(counts);
    r->generation = generation;
    r->counted = true;
}

uint32_t rollout_devices(struct server *s, const struct rollout *r,
                         uint32_t stage)
{
    recount(s, catalog_rollout(&s->catalog, r->id));
    return r->stage_devices[stage];
}

char *rollout_place_stages(struct server *s, const struct rollout_wish *wish,
                           uint64_t id)
{
    struct rollout *r = calloc(1, sizeof *r);
    uint32_t *counts = malloc(ROLLOUT_BUCKETS * sizeof *counts);
    char *text = NULL;

    if (r != NULL && counts != NULL) {
        r->n_stages = wish->n_stages;
        memcpy(r->percent, wish->percent, sizeof r->percent);
        count_buckets(s, wish->product, id, counts);
        set_limits(r, counts);
        text = rollout_stages_text(r);
    }
    free(r);
    free(counts);
    return text;
}

static bool is_end(uint8_t state)
{
    return state == ROLLOUT_ABORTED || state == ROLLOUT_FINISHED;
}

static int store_end(struct server *s, struct rollout *r, struct error *err)
{
    struct rollout_look look;
    char *text;
    int result;

    recount(s, r);
    rollout_look(s, r->product, r->release, r, &look);
    r->blocked = look.blocked;
    text = rollout_ended_text(r);
    if (text == NULL) {
        return error_set(err, "no memory");
    }
    result = store_rollout_ended(&s->store, r->id, text, err);
    free(text);
    return result;
}

int rollout_store_state(struct server *s, struct rollout *r, uint8_t state,
                        uint32_t stage, struct error *err)
{
    if (is_end(state) && store_end(s, r, err) != 0) {
        return -1;
    }
    return store_rollout_set(&s->store, r->id, state, stage, err);
}

void rollout_set_state(struct rollout *r, uint8_t state, uint32_t stage)
{
    r->state = state;
    r->stage = stage;
    r->ended = is_end(state);
    r->changed = (uint64_t)time(NULL);
}
