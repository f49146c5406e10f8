/* SPDX-License-Identifier: Apache-2.0 */
#include "device_why.h"

#include "census.h"
#include "rollout_why.h"

#include "bowline/policy.h"

#include <inttypes.h>
#include <stdio.h>

const char *device_wait_name(uint8_t wait)
{
    switch (wait) {
    case BL_WAIT_NONE:
        return "";
#define WORD(number, word, meaning, advice)                                   \
    case number:                                                              \
        return word;
        WHY_WAIT_LIST(WORD)
#undef WORD
    default:
        return "unknown";
    }
}

/* Of candidate `i`; a pin has no rollout. */
static void fill_about(struct server *s, const struct device *d,
                       const struct decision *x, int i,
                       struct why_rollout *out)
{
    const struct rollout *r = decision_rollout(s, x, i);

    *out = (struct why_rollout){.version = ""};
    if (r == NULL) {
        out->version = d->pin == NULL ? "" : d->pin->release->version;
        return;
    }
    out->id = r->id;
    out->version = r->release->version;
    out->stage = r->stage;
    out->n_stages = r->plan.n_stages;
    out->own_stage = census_stage(r, d->id);
    out->stages = r->plan.stage;
    out->channel = r->plan.channel;
}

/* Its last offer, when it did not keep that. */
static const struct why_rollout *
own_of(struct server *s, const struct device *d, struct why_rollout *out)
{
    bool pin = d->s.offer % 2 == 1;
    const struct rollout *r =
        pin ? NULL : catalog_rollout(&s->catalog, d->s.offer / 2);
    const struct release *release =
        catalog_release_number(&s->catalog, d->s.offer_release);

    if (!rollout_bad(d->s.outcome) || (r == NULL && !pin)) {
        return NULL;
    }
    if (release == NULL && r != NULL) {
        release = r->release;
    }
    if (release == NULL) {
        return NULL;
    }
    *out = (struct why_rollout){.id = r == NULL ? 0 : r->id,
                                .version = release->version};
    return out;
}

static void fill_facts(struct server *s, const struct device *d,
                       const struct decision *x, struct why_facts *f,
                       struct why_rollout about[3])
{
    const struct rollout_verdict *v = &x->v;
    int which =
        v->why == ROLLOUT_RUNS && v->held >= 0 ? v->held : v->candidate;

    *f = (struct why_facts){.seen = d->s.first_seen != 0,
                            .device = &x->device,
                            .v = v,
                            .own = own_of(s, d, &about[2]),
                            .wait = d->s.state == BL_STATE_WAITING
                                        ? device_wait_name(d->s.wait)
                                        : "",
                            .floor = d->s.floor,
                            .now = x->now};
    if (v->candidate < 0) {
        return;
    }
    fill_about(s, d, x, v->candidate, &about[0]);
    f->about = &about[0];
    f->sequence = x->candidate[v->candidate].sequence;
    f->min_version = x->candidate[v->candidate].min_version;
    if (x->candidate[which].plan != NULL) {
        f->start_at = x->candidate[which].plan->start_at;
    }
    if (v->stone >= 0) {
        f->stone = x->candidate[v->candidate].stone[v->stone].version;
        f->min_version =
            x->candidate[v->candidate].stone[v->stone].min_version;
    }
    if (v->held >= 0) {
        fill_about(s, d, x, v->held, &about[1]);
        f->held = &about[1];
    }
}

void device_sentence(struct server *s, const struct device *d,
                     const struct decision *x, char out[DEVICE_WHY])
{
    struct why_rollout about[3];
    struct why_facts f;

    fill_facts(s, d, x, &f, about);
    f.own_first = true;
    rollout_sentence(&f, out, DEVICE_WHY);
}

/* As if there were only this candidate. */
static json_t *one_fact(struct server *s, struct device *d,
                        const struct decision *x, uint32_t i)
{
    struct why_rollout about[3];
    struct decision one = *x;
    char sentence[DEVICE_WHY];
    struct why_facts f;
    const struct rollout *r;

    one.candidate[0] = x->candidate[i];
    one.n = 1;
    one.v = rollout_decide(&x->device, one.candidate, 1, x->now);
    one.v.candidate = 0;
    one.order = one.candidate[0].order;
    r = decision_rollout(s, &one, 0);
    fill_facts(s, d, &one, &f, about);
    rollout_sentence(&f, sentence, sizeof sentence);
    if (r == NULL) {
        return json_sprintf("its own: %s", sentence);
    }
    return json_sprintf("rollout %llu of %s, %s: %s: %s",
                        (unsigned long long)r->id, r->release->version,
                        rollout_state_name(r->state),
                        rollout_why_name(one.v.why), sentence);
}

json_t *device_why_json(struct server *s, struct device *d)
{
    struct decision x;
    char sentence[DEVICE_WHY];
    json_t *facts = json_array();

    device_decide(s, d, &x);
    device_sentence(s, d, &x, sentence);
    for (uint32_t i = 0; i < x.n; i++) {
        json_array_append_new(facts, one_fact(s, d, &x, i));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "why", sentence, "why_code",
                     d->s.first_seen == 0 ? WHY_UNSEEN
                                          : rollout_why_name(x.v.why),
                     "sentence", sentence, "facts", facts);
}
