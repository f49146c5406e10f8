/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "deltas.h"
#include "outcomes.h"

#include <stdlib.h>

enum { SETS_KNOWN = (1 << BL_DELTA_ISAS) - 1 };

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

/* It did not keep what it was offered before, or was trying again: that
 * rollout goes on, and must neither forget it nor offer it again. */
static void leave_offer(struct catalog *c, const struct device *d)
{
    struct rollout *r =
        d->s.offer % 2 == 1 ? NULL : catalog_rollout(c, d->s.offer / 2);

    bool again = d->s.faulted != 0 && d->s.attempts > 0;
    bool bad = rollout_bad(d->s.outcome) &&
               !rollout_way_failed(d->s.outcome, d->s.code);

    if (r != NULL && rollout_open(r->state) && (bad || again)) {
        number_set_add(&r->lost, d->number);
    }
}

static void turn_offer(struct catalog *c, struct device *d,
                       const struct report_offer *o)
{
    if (d->s.offer != o->order) {
        leave_offer(c, d);
        d->s.faulted = 0;
    }
    count_outcome(c, d->s.offer, d->s.outcome, -1);
    d->s.offer = o->order;
    d->s.outcome = BL_STATE_IDLE;
    count_outcome(c, o->order, BL_STATE_IDLE, 1);
    d->s.offer_release = o->release;
    d->s.attempts = 0;
    d->s.quarantined_until = 0;
}

/* What has been in quarantine begins anew. */
static void offer_again(struct device *d, const struct report_offer *o)
{
    d->s.offer_release = o->release;
    if (d->s.quarantined_until != 0) {
        d->s.quarantined_until = 0;
        d->s.attempts = 0;
    }
}

bool report_offer(struct catalog *c, struct device *d,
                  const struct report_offer *o)
{
    bool same = d->s.offer_release == o->release || d->s.offer_release == 0;

    if (d->s.offer == o->order && same) {
        if (o->outcome != BL_STATE_OFFERED || !rollout_final(d->s.outcome)) {
            return false;
        }
        offer_again(d, o);
    } else {
        turn_offer(c, d, o);
    }
    d->s.offered_at = o->now;
    /* An update goes to the slot that does not run. */
    d->s.expect =
        o->outcome == BL_STATE_OFFERED ? (d->s.slot == 0 ? 2 : 1) : 0;
    report_outcome(c, d, o->outcome, 0);
    return true;
}

struct release *report_offered(struct catalog *c, const struct device *d)
{
    bl_span permit;

    if (d->s.offer != 0 && d->s.offer_release != 0) {
        return catalog_release_number(c, d->s.offer_release);
    }
    return catalog_offer(c, d->pin, d->s.offer, &permit);
}

/* A transfer, the server's answer, a ticket. */
static bool way_was_broken(uint16_t code)
{
    return code >= BL_TRANSPORT && code <= BL_TICKET_MISSING;
}

bool report_no_try(uint8_t outcome, uint16_t code)
{
    return rollout_bad(outcome) && way_was_broken(code);
}

void report_end(struct device_state *s, uint32_t now,
                const struct report_retry *retry)
{
    if (s->outcome == BL_STATE_CONFIRMED) {
        s->attempts = 0;
        s->faulted = 0;
        s->quarantined_until = 0;
        return;
    }
    if (!rollout_final(s->outcome) || s->code == BL_OPERATOR) {
        return;
    }
    s->faulted = 1;
    if (way_was_broken(s->code)) {
        return;
    }
    if (s->attempts < UINT8_MAX) {
        s->attempts++;
    }
    if (s->attempts >= retry->attempts) {
        s->quarantined_until = now + retry->quarantine_s;
    }
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

/* The class of its decoder's memory. */
static uint8_t takes_deltas(const struct poll *p)
{
    return p->delta_format == BL_DELTA_FORMAT_1 ? delta_class(p->delta_ram)
                                                : 0;
}

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
    TAKE(utc_offset, p->utc_offset);
    TAKE(battery, p->battery);
    TAKE(link, p->link);
    TAKE(tries, p->tries);
    if (p->nonce.n > 0) { /* only then it says what deltas it takes */
        TAKE(delta_ram, takes_deltas(p));
        TAKE(delta_isas, (uint8_t)(p->delta_isas & SETS_KNOWN));
    }
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

/* Without memory the old ones stay; the device sends them again. */
static bool take_attributes(struct device *d, const struct poll *p)
{
    const char *before = d->attributes == NULL ? "" : d->attributes;
    char *text = NULL;
    char json[POLL_JSON];

    if (!poll_has(p, 18)) {
        return false;
    }
    poll_attributes_json(&p->attributes, json);
    if (strcmp(json, before) == 0) {
        return false;
    }
    if (json[0] != '\0') {
        text = strdup(json);
        if (text == NULL) {
            return false;
        }
    }
    free(d->attributes);
    d->attributes = text;
    return true;
}

/* `s` is as it was before: what ran then, and was confirmed, is what the
 * device could go back to. It went back: nothing is known of what it ran
 * before that. */
static void keep_previous(struct device_state *s, const uint8_t *manifest)
{
    if (s->confirmed) {
        memcpy(s->prev_manifest, s->manifest, 32);
        s->prev_sequence = s->sequence;
    } else if (memcmp(s->prev_manifest, manifest, 32) == 0) {
        memset(s->prev_manifest, 0, 32);
        s->prev_sequence = 0;
    }
}

static bool take_manifest(struct catalog *c, struct device *d,
                          const struct poll *p)
{
    struct release *r;

    if (memcmp(d->s.manifest, p->manifest, 32) == 0) {
        return false;
    }
    keep_previous(&d->s, p->manifest);
    memcpy(d->s.manifest, p->manifest, 32);
    count_running(c, d, -1);
    r = catalog_release(c, p->manifest);
    d->runs = r == NULL ? 0 : r->number;
    count_running(c, d, 1);
    return true;
}

/* What goes with one poll. */
struct taking {
    struct catalog *c;
    const struct poll *p;
    const struct report_retry *retry;
    const struct release *offer;
    uint32_t now;
    struct report *out;
};

/* Nothing but its own confirmation makes a failure good. */
static void keep_failed(struct catalog *c, const struct device *d)
{
    struct rollout *r =
        d->s.offer % 2 == 1 ? NULL : catalog_rollout(c, d->s.offer / 2);

    if (r == NULL || !rollout_open(r->state)) {
        return;
    }
    if (d->s.outcome == BL_STATE_CONFIRMED) {
        number_set_remove(&r->failed, d->number);
        number_set_remove(&r->lost, d->number);
    } else if (outcome_is_failure(d->s.outcome, d->s.code)) {
        number_set_add(&r->failed, d->number);
    }
}

static bool set_outcome(const struct taking *t, struct device *d,
                        uint8_t outcome, uint16_t code)
{
    bool ended = rollout_final(outcome) && !rollout_final(d->s.outcome);
    bool good = outcome == BL_STATE_CONFIRMED;
    bool changed = report_outcome(t->c, d, outcome, code);

    if (changed && (ended || good)) {
        report_end(&d->s, t->now, t->retry);
    }
    if (changed) {
        keep_failed(t->c, d);
    }
    return changed;
}

/* Its patch failed: it fetches the whole payload now, and gets no other patch
 * for this release. */
static void take_delta_event(const struct taking *t, struct device *d,
                             const struct bl_event *e)
{
    const struct release *r;

    if (e->state != BL_STATE_DOWNLOADING || e->code != BL_DELTA_FAILED) {
        return;
    }
    r = catalog_release_sequence(
        t->c, catalog_product_number(t->c, d->product), e->sequence);
    if (r != NULL && d->s.delta_failed != r->number) {
        d->s.delta_failed = r->number;
        d->s.delta_sent = 0;
        t->out->delta_failed = d->s.delta_row != 0;
    }
}

static void take_event(const struct taking *t, struct device *d,
                       const struct bl_event *e)
{
    uint64_t sequence = t->offer != NULL ? t->offer->sequence : 0;
    uint8_t outcome =
        rollout_after_event(d->s.outcome, sequence, e->state, e->sequence);

    d->s.event = e->number;
    take_delta_event(t, d, e);
    if (e->state >= BL_STATE_CONFIRMED || e->code != BL_OK) {
        d->s.noted_state = e->state;
        d->s.noted_code = e->code;
        d->s.noted_reset = e->reset;
        d->s.noted_sequence = e->sequence;
    }
    set_outcome(t, d, outcome, rollout_final(outcome) ? e->code : d->s.code);
}

/* The rollout's own release is yet to come. */
static bool is_stone(const struct taking *t, const struct device *d)
{
    bl_span permit;
    const struct release *own =
        catalog_offer(t->c, d->pin, d->s.offer, &permit);

    return own != NULL && own != t->offer;
}

/* Success is what is reported whole, in one report. */
static bool take_outcome(const struct taking *t, struct device *d)
{
    const struct release *offer = t->offer;
    const struct poll *p = t->p;
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

    if (good && is_stone(t, d)) {
        outcome = BL_STATE_OFFERED;
    }
    return set_outcome(t, d, outcome, good ? 0 : d->s.code);
}

void report_take(struct catalog *c, struct device *d, const struct poll *p,
                 uint32_t now, const struct report_retry *retry,
                 struct report *out)
{
    struct taking t = {c, p, retry, report_offered(c, d), now, out};
    bool bad = rollout_bad(d->s.outcome);

    out->n_events = 0;
    out->delta_failed = false;
    out->changed = d->s.first_seen == 0;
    if (d->s.first_seen == 0) {
        d->s.first_seen = now;
    }
    d->s.last_seen = now;
    for (uint32_t i = 0; i < p->n_events; i++) {
        if (p->event[i].number > d->s.event) {
            take_event(&t, d, &p->event[i]);
            out->event[out->n_events++] = p->event[i];
        }
    }
    out->changed |= out->n_events > 0;
    out->changed |= take_manifest(c, d, p);
    out->changed |= take_facts(d, p);
    out->attributes = take_attributes(d, p);
    out->changed |= out->attributes;
    if (t.offer != NULL) {
        out->changed |= take_outcome(&t, d);
    }
    out->gave_up = !bad && rollout_bad(d->s.outcome) &&
                   !rollout_way_failed(d->s.outcome, d->s.code);
}
