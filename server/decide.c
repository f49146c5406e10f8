/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include "clock.h"

static uint64_t quarantine_of(const struct server *s, const struct device *d,
                              uint64_t now)
{
    uint64_t until = clock_of(s, d->s.quarantined_until);

    /* Over, but it was: a restart of a fast clock must not lose that. */
    return until == 0 ? 0 : until > now ? until : 1;
}

void device_look_light(struct server *s, struct device *d,
                       struct decision *out)
{
    const struct product *product =
        catalog_product_number(&s->catalog, d->product);
    int east = d->s.utc_offset == DEVICE_NO_OFFSET ? 0 : d->s.utc_offset;

    out->now = clock_now(s);
    out->facts.device = d;
    out->facts.product = product->name;
    out->device = (struct rollout_device){
        .id = d->id,
        .manifest = d->s.manifest,
        .sequence = d->s.sequence,
        .before = d->s.prev_manifest,
        .floor = d->s.floor,
        .version = d->s.version,
        .channel = d->channel,
        .confirmed = d->s.confirmed != 0,
        .state = d->s.state,
        .offer = d->s.offer,
        .outcome = d->s.outcome,
        .code = d->s.code,
        .attempts = d->s.attempts,
        .quarantined_until = quarantine_of(s, d, out->now),
        .east = east,
        .fact = device_fact,
        .facts = &out->facts,
    };
    out->n = 0;
}

void device_look(struct server *s, struct device *d, struct decision *out)
{
    device_look_light(s, d, out);
    out->n =
        catalog_candidates(catalog_product_number(&s->catalog, d->product),
                           d->pin, d->number, clock_us(s), out->candidate);
}

void device_decide(struct server *s, struct device *d, struct decision *out)
{
    device_look(s, d, out);
    out->v = rollout_decide(&out->device, out->candidate, out->n, out->now);
    out->order =
        out->v.candidate < 0 ? 0 : out->candidate[out->v.candidate].order;
}

struct release *decision_release(struct server *s, const struct device *d,
                                 const struct decision *decision,
                                 bl_span *permit)
{
    const struct rollout_verdict *v = &decision->v;

    *permit = bl_span_of(NULL, 0);
    if (!v->wanted) {
        return NULL;
    }
    if (v->stone >= 0 && v->why == ROLLOUT_OFFER) {
        return catalog_release(
            &s->catalog,
            decision->candidate[v->candidate].stone[v->stone].manifest);
    }
    return catalog_offer(&s->catalog, d->pin, decision->order, permit);
}

struct rollout *decision_rollout(struct server *s,
                                 const struct decision *decision, int i)
{
    uint64_t order = i < 0 ? 1 : decision->candidate[i].order;

    return order % 2 == 1 ? NULL : catalog_rollout(&s->catalog, order / 2);
}
