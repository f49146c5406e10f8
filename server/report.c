/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

static void count_outcome(struct catalog *c, uint64_t order, uint8_t outcome,
                          int by)
{
    struct rollout *r = order % 2 == 0 ? catalog_rollout(c, order / 2) : NULL;

    if (r != NULL && outcome <= BL_STATE_REFUSED) {
        atomic_fetch_add(&r->count[outcome], (uint32_t)by);
    }
}

static void count_running(struct catalog *c, struct device *d, int by)
{
    struct release *r = catalog_release_number(c, d->runs);

    if (r != NULL) {
        atomic_fetch_add(&r->running, (uint32_t)by);
    }
}

void report_count(struct catalog *c, struct device *d, int by)
{
    struct product *product = catalog_product_number(c, d->product);
    struct release *runs;

    if (by > 0) {
        runs = catalog_release(c, d->s.manifest);
        d->runs = runs == NULL ? 0 : runs->number;
    }
    count_running(c, d, by);
    count_outcome(c, d->s.offer, d->s.outcome, by);
    if (product != NULL) {
        atomic_fetch_add(&product->devices, (uint32_t)by);
        atomic_fetch_add(&product->generation, 1);
    }
}

bool report_outcome(struct catalog *c, struct device *d, uint8_t outcome,
                    uint16_t code)
{
    if (d->s.outcome == outcome && d->s.code == code) {
        return false;
    }
    count_outcome(c, d->s.offer, d->s.outcome, -1);
    d->s.outcome = outcome;
    d->s.code = code;
    count_outcome(c, d->s.offer, outcome, 1);
    return true;
}

bool report_offer(struct catalog *c, struct device *d, uint64_t order,
                  uint8_t outcome)
{
    if (d->s.offer == order) {
        if (outcome != BL_STATE_OFFERED || !rollout_final(d->s.outcome)) {
            return false;
        }
    } else {
        count_outcome(c, d->s.offer, d->s.outcome, -1);
        d->s.offer = order;
        d->s.outcome = BL_STATE_IDLE;
        count_outcome(c, order, BL_STATE_IDLE, 1);
    }
    /* An update goes to the slot that does not run. */
    d->s.expect = outcome == BL_STATE_OFFERED ? (d->s.slot == 0 ? 2 : 1) : 0;
    report_outcome(c, d, outcome, 0);
    return true;
}

static bool take_text(char out[DEVICE_TEXT], bl_span text)
{
    if (strlen(out) == text.n && memcmp(out, text.p, text.n) == 0) {
        return false;
    }
    memset(out, 0, DEVICE_TEXT);
    memcpy(out, text.p, text.n);
    return true;
}

static bool take_digest(uint8_t out[32], const uint8_t *digest)
{
    if (memcmp(out, digest, 32) == 0) {
        return false;
    }
    memcpy(out, digest, 32);
    return true;
}

#define TAKE(field, value)                                                    \
    do {                                                                      \
        if (d->s.field != (value)) {                                          \
            d->s.field = (value);                                             \
            changed = true;                                                   \
        }                                                                     \
    } while (0)

static bool take_facts(struct device *d, const struct poll *p)
{
    bool changed = false;

    TAKE(root_version, p->root_version);
    TAKE(slot, p->slot);
    TAKE(state, p->state);
    TAKE(confirmed, p->confirmed);
    TAKE(sequence, p->sequence);
    TAKE(floor, p->floor);
    TAKE(wait, p->wait);
    TAKE(done, p->done);
    TAKE(total, p->total);
    if (p->image != NULL) {
        changed |= take_digest(d->s.image, p->image);
    }
    if (p->hardware.n > 0) {
        changed |= take_text(d->s.hardware, p->hardware);
    }
    if (p->version.n > 0) {
        changed |= take_text(d->s.version, p->version);
    }
    return changed;
}

static bool take_manifest(struct catalog *c, struct device *d,
                          const struct poll *p)
{
    struct release *r;

    if (!take_digest(d->s.manifest, p->manifest)) {
        return false;
    }
    count_running(c, d, -1);
    r = catalog_release(c, p->manifest);
    d->runs = r == NULL ? 0 : r->number;
    count_running(c, d, 1);
    return true;
}

static void take_event(struct catalog *c, struct device *d,
                       const struct bl_event *e, uint64_t offer_sequence)
{
    uint8_t outcome = rollout_after_event(d->s.outcome, offer_sequence,
                                          e->state, e->sequence);

    d->s.event = e->number;
    if (e->state >= BL_STATE_CONFIRMED || e->code != BL_OK) {
        d->s.noted_state = e->state;
        d->s.noted_code = e->code;
        d->s.noted_reset = e->reset;
        d->s.noted_sequence = e->sequence;
    }
    report_outcome(c, d, outcome,
                   rollout_final(outcome) ? e->code : d->s.code);
}

/* Success is what is reported whole, in one report. */
static bool take_outcome(struct catalog *c, struct device *d,
                         const struct poll *p, const struct release *offer)
{
    bool version = p->version.n == strlen(offer->version) &&
                   memcmp(p->version.p, offer->version, p->version.n) == 0;
    bool image = p->image != NULL &&
                 memcmp(p->image, offer->digests.image[p->slot], 32) == 0;
    bool slot = d->s.expect == 0 || d->s.expect == p->slot + 1;
    struct rollout_report report = {
        .runs = memcmp(p->manifest, offer->manifest, 32) == 0,
        .confirmed = p->confirmed,
        .matches = version && image && slot,
        .state = p->state,
    };
    uint8_t outcome = rollout_after_report(d->s.outcome, &report);
    bool good = outcome == BL_STATE_CONFIRMED;

    return report_outcome(c, d, outcome, good ? 0 : d->s.code);
}

void report_take(struct catalog *c, struct device *d, const struct poll *p,
                 uint32_t now, struct report *out)
{
    bl_span permit;
    struct release *offer = catalog_offer(c, d->pin, d->s.offer, &permit);

    out->n_events = 0;
    out->changed = d->s.first_seen == 0;
    if (d->s.first_seen == 0) {
        d->s.first_seen = now;
    }
    d->s.last_seen = now;
    for (uint32_t i = 0; i < p->n_events; i++) {
        if (p->event[i].number > d->s.event) {
            take_event(c, d, &p->event[i], offer ? offer->sequence : 0);
            out->event[out->n_events++] = p->event[i];
        }
    }
    out->changed |= out->n_events > 0;
    out->changed |= take_manifest(c, d, p);
    out->changed |= take_facts(d, p);
    if (offer != NULL) {
        out->changed |= take_outcome(c, d, p, offer);
    }
}
