/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over the devices cannot see: those that are no more, and which
 * stage holds those beyond a count. */
#include "census.h"

uint32_t census_stage(const struct rollout *r, const uint8_t id[16])
{
    uint64_t rank = rollout_rank(r->id, id);
    uint32_t i = 0;

    while (i < r->plan.n_stages && rank >= r->cut[i]) {
        i++;
    }
    return i;
}

/* It was registered anew, and says for itself how it is. */
static bool is_back(struct server *s, struct rollout *r, const uint8_t id[16])
{
    struct device *d = devices_lock(s->devices, id);
    bool back;

    if (d == NULL) {
        return false;
    }
    back = number_set_has(&r->failed, d->number) ||
           (d->s.confirmed != 0 &&
            memcmp(d->s.manifest, r->release->manifest, 32) == 0);
    devices_unlock(s->devices, d);
    return back;
}

/* Devices that failed and were removed: removing them makes nothing good. */
static void count_gone(struct server *s, struct rollout *r,
                       struct census_rollout *out)
{
    for (uint32_t i = 0; i < r->n_gone; i++) {
        const uint8_t *id = r->gone[i].id;
        uint32_t stage = census_stage(r, id);

        if (stage < r->plan.n_stages && !is_back(s, r, id)) {
            out->targets++;
            out->stage[stage].devices++;
            out->stage[stage].failed++;
        }
    }
}

/* A stage of a count holds no more than that, whoever came since: devices
 * that were not offered it belong to the next stage. */
static void hold_counts(const struct rollout *r, struct census_rollout *out)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        struct steer_counts *c = &out->stage[i];
        uint32_t most = r->plan.stage[i].count;
        uint32_t over;

        sum += c->devices;
        if (most == 0 || sum <= most) {
            continue;
        }
        over = sum - most < c->untouched ? sum - most : c->untouched;
        c->devices -= over;
        c->untouched -= over;
        sum -= over;
        if (i + 1 < r->plan.n_stages) {
            out->stage[i + 1].devices += over;
            out->stage[i + 1].untouched += over;
        }
    }
}

void census_end(struct server *s, struct census *c)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < c->n_rollouts; i++) {
        struct census_rollout *out = &c->rollout[i];
        struct rollout *r = catalog_rollout(&s->catalog, out->id);

        if (r != NULL && rollout_open(r->state)) {
            count_gone(s, r, out);
            hold_counts(r, out);
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}
