/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over all devices. The catalog is read-locked for a few hundred of
 * them at a time, a device only while it is looked at: polls go on. */
#include "census.h"

#include "decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CHUNK = 256,
    PACED_FROM = CENSUS_SOME, /* devices; fewer are done at once */
    PAUSE_TIMES = 49,         /* two percent */
    INTERVAL_S = 1800,        /* of devices, when the server sets none */
    SILENT_POLLS = 3,         /* intervals that may be missed */
    SILENT_LEAST_S = 60,
    TRIAL_S = 600 /* how long a trial may take: core's confirm deadline */
};

struct walk {
    struct server *s;
    struct census *out;
    uint32_t silent_before;
    uint32_t lost_before;
    struct decision decision; /* of the device at hand */
};

static int64_t interval_of(const struct server *s)
{
    return s->config.poll_interval_s > 0 ? s->config.poll_interval_s
                                         : INTERVAL_S;
}

static uint32_t before(const struct server *s, int64_t seconds)
{
    int64_t speed = s->config.clock_speed < 1 ? 1 : s->config.clock_speed;
    int64_t now = (int64_t)time(NULL);

    seconds /= speed;
    return seconds >= now ? 0 : (uint32_t)(now - seconds);
}

uint32_t silent_before(const struct server *s)
{
    int64_t after = SILENT_POLLS * interval_of(s);

    return before(s, after < SILENT_LEAST_S ? SILENT_LEAST_S : after);
}

uint32_t lost_before(const struct server *s)
{
    int64_t after = s->config.silent_after_s > 0
                        ? s->config.silent_after_s
                        : 2 * (int64_t)TRIAL_S + 2 * interval_of(s);

    return before(s, after);
}

/* --- Storage --------------------------------------------------------------
 */

static int make_room(struct server *s, struct census *c)
{
    uint32_t n = 0;

    c->n_products = s->catalog.products.n;
    c->product = calloc(c->n_products + 1, sizeof *c->product);
    for (uint32_t i = 0; i < s->catalog.rollouts.n; i++) {
        const struct rollout *r = s->catalog.rollouts.at[i];

        n += r != NULL && rollout_open(r->state);
    }
    c->rollout = calloc(n + 1, sizeof *c->rollout);
    if (c->product == NULL || c->rollout == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < s->catalog.rollouts.n; i++) {
        const struct rollout *r = s->catalog.rollouts.at[i];

        if (r != NULL && rollout_open(r->state)) {
            c->rollout[c->n_rollouts++].id = r->id;
        }
    }
    return 0;
}

struct census *census_new(struct server *s)
{
    struct census *c = calloc(1, sizeof *c);
    int result = -1;

    if (c != NULL) {
        atomic_store(&c->holders, 1);
        pthread_rwlock_rdlock(&s->catalog.lock);
        result = make_room(s, c);
        pthread_rwlock_unlock(&s->catalog.lock);
    }
    if (result != 0) {
        census_free(c);
        return NULL;
    }
    return c;
}

void census_free(struct census *c)
{
    if (c != NULL) {
        free(c->product);
        free(c->rollout);
    }
    free(c);
}

/* --- One device -----------------------------------------------------------
 */

static void note(struct census_device *out, const struct device *d,
                 enum rollout_why why)
{
    memcpy(out->id, d->id, 16);
    snprintf(out->name, sizeof out->name, "%s", d->name);
    out->product = d->product;
    out->last_seen = d->s.last_seen;
    out->since = d->s.offered_at;
    out->why = why;
    out->code = d->s.code;
    out->outcome = d->s.outcome;
}

static void add_name(struct census_list *list, const struct device *d)
{
    if (list->n++ < CENSUS_NAMES) {
        note(&list->first[list->n - 1], d, ROLLOUT_NOTHING);
    }
}

static void add_version(struct census_product *p, const char *version)
{
    uint32_t i = 0;

    while (i < p->n_versions && strcmp(p->version[i].version, version) != 0) {
        i++;
    }
    if (i == CENSUS_VERSIONS) {
        i = CENSUS_VERSIONS - 1;
        snprintf(p->version[i].version, DEVICE_TEXT, "other");
    } else if (i == p->n_versions) {
        p->n_versions++;
        snprintf(p->version[i].version, DEVICE_TEXT, "%s", version);
    }
    p->version[i].devices++;
}

static void count_product(const struct walk *w, const struct device *d)
{
    struct census_product *p =
        d->product < w->out->n_products ? &w->out->product[d->product] : NULL;

    if (p == NULL) {
        return;
    }
    p->devices++;
    if (d->s.first_seen == 0) {
        return;
    }
    p->seen++;
    p->silent += d->s.last_seen <= w->silent_before;
    p->under_way += rollout_under_way(d->s.outcome);
    add_version(p, d->s.version[0] == '\0' ? "unknown" : d->s.version);
}

static void count_end(struct steer_counts *c, const struct device *d)
{
    switch (d->s.outcome) {
    case BL_STATE_CONFIRMED:
        c->confirmed++;
        break;
    case BL_STATE_RETURNED:
        c->returned++;
        break;
    case BL_STATE_REFUSED:
        c->refused++;
        c->bad_signature += d->s.code == BL_SIGNATURE;
        break;
    default:
        c->failed++;
        break;
    }
}

/* It failed, and will try again soon, or does. Who is in quarantine or has
 * not been heard of for long is not waited for. */
static bool tries_again(const struct walk *w, const struct device *d,
                        bool failed)
{
    enum rollout_why why = w->decision.v.why;

    if (d->s.last_seen <= w->lost_before) {
        return false;
    }
    if (!rollout_bad(d->s.outcome)) {
        return (failed || d->s.faulted != 0) && !rollout_final(d->s.outcome);
    }
    return w->decision.order == d->s.offer &&
           !rollout_way_failed(d->s.outcome, d->s.code) &&
           (why == ROLLOUT_OFFER || why == ROLLOUT_WINDOW ||
            why == ROLLOUT_RATE || why == ROLLOUT_DOWNLOADS ||
            why == ROLLOUT_TRIAL);
}

bool census_quarantined(const struct device *d, uint64_t now)
{
    return d->s.quarantined_until > now && rollout_bad(d->s.outcome);
}

/* Its last offer was another rollout's, but an operator let it try this one
 * anew, and its turn comes. */
static bool comes_back(const struct walk *w, const struct device *d,
                       uint64_t order)
{
    enum rollout_why why = w->decision.v.why;

    return d->s.last_seen > w->lost_before && w->decision.order == order &&
           (why == ROLLOUT_OFFER || why == ROLLOUT_WINDOW ||
            why == ROLLOUT_RATE || why == ROLLOUT_DOWNLOADS ||
            why == ROLLOUT_TRIAL);
}

/* Expected back, and not: it may be dead of what it confirmed, too. Not while
 * the server was down, or has just begun. */
static bool is_silent(const struct server *s, const struct device *d,
                      uint32_t lost_before)
{
    return d->s.last_seen <= lost_before && s->started <= lost_before &&
           (d->s.outcome == BL_STATE_CONFIRMED ||
            rollout_under_way(d->s.outcome));
}

struct rollout *census_silent(struct server *s, const struct device *d)
{
    struct rollout *r = d->s.offer % 2 == 1
                            ? NULL
                            : catalog_rollout(&s->catalog, d->s.offer / 2);

    return r != NULL && rollout_open(r->state) &&
                   is_silent(s, d, lost_before(s))
               ? r
               : NULL;
}

/* It was offered this rollout's release, and that offer is its last. */
static void count_engaged(const struct walk *w, const struct device *d,
                          bool failed, struct census_rollout *out,
                          struct steer_counts *c)
{
    bool away = d->s.last_seen <= w->lost_before;
    bool silent = is_silent(w->s, d, w->lost_before);

    if (silent && d->s.outcome == BL_STATE_CONFIRMED) {
        c->silent++;
    } else if (rollout_final(d->s.outcome)) {
        count_end(c, d);
    } else if (failed || d->s.faulted != 0) {
        c->failed++; /* that it tries again makes the release no better */
    } else if (silent) {
        c->silent++;
    } else {
        c->offered++;
    }
    c->retrying += tries_again(w, d, failed);
    out->absent += (away || d->s.state == BL_STATE_WAITING) &&
                   (d->s.outcome == BL_STATE_OFFERED ||
                    d->s.outcome == BL_STATE_DOWNLOADING);
    out->quarantined += census_quarantined(d, w->out->time);
}

/* In the present stage, and not heard of. */
static void count_awaited(const struct walk *w, const struct rollout *r,
                          const struct device *d, uint32_t stage,
                          struct census_rollout *out)
{
    uint64_t order = r->id * 2;

    if (stage > r->stage || (d->pin != NULL && d->pin->order > order) ||
        d->s.offer > order ||
        (d->s.offer == order && rollout_final(d->s.outcome))) {
        return;
    }
    if (d->s.first_seen == 0) {
        add_name(&out->unseen, d);
    } else if (d->s.last_seen <= w->silent_before) {
        add_name(&out->silent, d);
    }
}

/* It runs the release for good, whoever brought it. */
static bool keeps(const struct rollout *r, const struct device *d)
{
    return d->s.confirmed != 0 &&
           memcmp(d->s.manifest, r->release->manifest, 32) == 0;
}

static void count_stage(const struct walk *w, struct rollout *r,
                        const struct device *d, struct census_rollout *out)
{
    bool engaged = rollout_engaged(&w->decision.device, r->id * 2);
    bool failed = number_set_has(&r->failed, d->number);
    uint32_t stage = census_stage(r, d->id);
    struct steer_counts *c;

    if (stage == r->plan.n_stages) {
        return;
    }
    c = &out->stage[stage];
    c->devices++;
    if (engaged) {
        count_engaged(w, d, failed, out, c);
    } else if (keeps(r, d)) {
        c->confirmed++;
    } else if (failed) {
        c->failed++;
        c->retrying += comes_back(w, d, r->id * 2);
    } else {
        c->untouched++;
    }
    count_awaited(w, r, d, stage, out);
}

/* No ticket brings it there: an update only goes forward, and a way back
 * needs a permit once the floor has risen. */
static bool is_blocked(const struct decision *x, const struct rollout *r,
                       const struct device *d)
{
    if (r->kind == ROLLOUT_RETURN) {
        return r->permit.n == 0 && d->s.floor > r->release->sequence;
    }
    return d->s.first_seen != 0 && r->kind == ROLLOUT_UPDATE &&
           rollout_blocked(&x->device, r->release->sequence,
                           r->release->manifest);
}

/* --- For patches ----------------------------------------------------------
 */

static struct census_pair *pair_of(struct census_rollout *out,
                                   const struct census_pair *what)
{
    uint32_t i = 0;

    while (i < out->n_pairs &&
           (out->pair[i].from != what->from || out->pair[i].to != what->to ||
            out->pair[i].slot != what->slot ||
            out->pair[i].ram != what->ram)) {
        i++;
    }
    if (i == CENSUS_PAIRS) {
        return NULL;
    }
    if (i == out->n_pairs) {
        out->pair[out->n_pairs++] = *what;
    }
    return &out->pair[i];
}

/* A stepping stone comes first, when the device's turn has come. */
static const struct release *
leads_to(const struct walk *w, const struct rollout *r, const struct device *d)
{
    const struct decision *x = &w->decision;
    const struct release *first = NULL;
    bl_span permit;

    if (x->order == r->id * 2 && x->v.why == ROLLOUT_OFFER) {
        first = decision_release(w->s, d, x, &permit);
    }
    return first == NULL ? r->release : first;
}

/* Only what the server knows by its manifest: it must have both images. The
 * instruction sets are those of the most devices: a few that say otherwise
 * do not spoil it for the others. */
static void count_pair(const struct walk *w, const struct rollout *r,
                       const struct device *d, struct census_rollout *out)
{
    const struct release *from =
        catalog_release_number(&w->s->catalog, d->runs);
    const struct release *to;
    struct census_pair what = {.slot = d->s.slot, .ram = d->s.delta_ram};
    struct census_pair *pair;

    if (d->s.delta_ram == 0 || from == NULL || from == r->release ||
        d->s.slot > 1 ||
        memcmp(from->digests.image[d->s.slot], d->s.image, 32) != 0) {
        return;
    }
    to = leads_to(w, r, d);
    if (to == from || to->number == d->s.delta_failed) {
        return;
    }
    what.from = from->number;
    what.to = to->number;
    pair = pair_of(out, &what);
    if (pair == NULL) {
        return;
    }
    pair->devices++;
    if (pair->leaning == 0) {
        pair->isas = d->s.delta_isas;
    }
    if (pair->isas == d->s.delta_isas) {
        pair->leaning++;
    } else {
        pair->leaning--;
    }
}

static void count_rollout(const struct walk *w, struct rollout *r,
                          const struct rollout_candidate *candidate,
                          const struct device *d, struct census_rollout *out)
{
    const struct rollout_device *facts = &w->decision.device;
    bool engaged = rollout_engaged(facts, r->id * 2);
    /* Whatever it runs or is by now: what it did with the release stays. */
    bool counted = rollout_begun(facts, candidate) ||
                   (engaged && d->s.faulted != 0) ||
                   number_set_has(&r->failed, d->number);

    out->products++;
    out->seen += d->s.first_seen != 0;
    out->newest = d->s.sequence > out->newest ? d->s.sequence : out->newest;
    out->newest = d->s.floor > out->newest ? d->s.floor : out->newest;
    if (!counted && rollout_target(facts, candidate) != ROLLOUT_OFFER) {
        out->absent += engaged; /* it left with no more than an offer */
        return;
    }
    out->targets++;
    if (is_blocked(&w->decision, r, d)) {
        out->blocked++;
        if (!counted) {
            return;
        }
    }
    count_pair(w, r, d, out);
    count_stage(w, r, d, out);
}

bool census_untouched(struct server *s, struct rollout *r, struct device *d,
                      struct decision *scratch)
{
    struct rollout_candidate c;

    if (r->product->number != d->product ||
        census_stage(r, d->id) == r->plan.n_stages ||
        number_set_has(&r->failed, d->number) || keeps(r, d)) {
        return false;
    }
    device_look(s, d, scratch);
    catalog_candidate(r, d->number, 0, &c);
    return !rollout_engaged(&scratch->device, r->id * 2) &&
           rollout_target(&scratch->device, &c) == ROLLOUT_OFFER &&
           !is_blocked(scratch, r, d);
}

static struct census_rollout *place_of(struct census *c, uint64_t id)
{
    for (uint32_t i = 0; i < c->n_rollouts; i++) {
        if (c->rollout[i].id == id) {
            return &c->rollout[i];
        }
    }
    return NULL;
}

static void count_rollouts(struct walk *w, struct device *d)
{
    const struct product *p =
        catalog_product_number(&w->s->catalog, d->product);

    for (uint32_t i = 0; i < p->n_order; i++) {
        struct rollout *r = p->order[i];
        struct census_rollout *out = place_of(w->out, r->id);
        struct rollout_candidate c;

        if (out != NULL && rollout_open(r->state)) {
            catalog_candidate(r, d->number, 0, &c);
            count_rollout(w, r, &c, d, out);
        }
    }
}

/* --- Who needs a person? --------------------------------------------------
 */

static bool is_lost(const struct device *d, uint32_t lost_before)
{
    return rollout_under_way(d->s.outcome) && d->s.last_seen <= lost_before;
}

static bool is_last_resort(const struct device *d)
{
    return d->s.confirmed == 0 && d->s.state != BL_STATE_TESTING &&
           d->s.sequence != 0;
}

/* It did not keep what it should run; that it tries again, or that its
 * rollout is paused, makes it no less worth a look. */
static bool has_given_up(const struct decision *x, const struct device *d)
{
    return x->order == d->s.offer && rollout_bad(d->s.outcome) &&
           !rollout_way_failed(d->s.outcome, d->s.code) &&
           x->v.why != ROLLOUT_NOTHING && x->v.why != ROLLOUT_RUNS;
}

bool census_needs_person(const struct decision *x, const struct device *d,
                         uint32_t lost_before)
{
    enum rollout_why why = x->v.why;

    if (d->s.first_seen == 0) {
        return false;
    }
    return is_last_resort(d) || is_lost(d, lost_before) ||
           has_given_up(x, d) || why == ROLLOUT_TRIED ||
           why == ROLLOUT_QUARANTINE || why == ROLLOUT_PERMIT ||
           why == ROLLOUT_FLOOR || why == ROLLOUT_MINIMUM;
}

void census_why(const struct census_device *d, char out[CENSUS_WHY])
{
    const char *meaning = bl_status_meaning((bl_status)d->code);
    const char *did = bl_device_state_name((bl_device_state)d->outcome);

    if (d->lost) {
        snprintf(out, CENSUS_WHY, "fell silent in the middle of an update");
    } else if (d->why == ROLLOUT_TRIED && rollout_bad(d->outcome)) {
        snprintf(out, CENSUS_WHY, "%s the release: %s", did, meaning);
    } else if (d->why == ROLLOUT_TRIED) {
        snprintf(out, CENSUS_WHY, "did not keep the release");
    } else if (d->why == ROLLOUT_QUARANTINE) {
        snprintf(out, CENSUS_WHY, "failed too often and is left alone: %s",
                 meaning);
    } else if (d->why == ROLLOUT_PERMIT) {
        snprintf(out, CENSUS_WHY, "its way back needs a permit");
    } else if (d->why == ROLLOUT_FLOOR) {
        snprintf(out, CENSUS_WHY,
                 "its anti-rollback floor is above the "
                 "release");
    } else if (d->why == ROLLOUT_MINIMUM) {
        snprintf(out, CENSUS_WHY, "runs too old a version for the release");
    } else if (rollout_bad(d->outcome) && !d->last_resort) {
        snprintf(out, CENSUS_WHY, "%s the release, and may try again: %s", did,
                 meaning);
    } else {
        snprintf(out, CENSUS_WHY, "runs an image that was never confirmed");
    }
}

static bool is_held(enum rollout_why why)
{
    return why == ROLLOUT_WINDOW || why == ROLLOUT_RATE ||
           why == ROLLOUT_DOWNLOADS;
}

static void count_verdict(struct walk *w, struct device *d)
{
    const struct decision *x = &w->decision;
    struct census *c = w->out;
    const struct rollout *r = decision_rollout(w->s, x, x->v.candidate);
    struct census_rollout *out = r == NULL ? NULL : place_of(c, r->id);

    c->wanted += x->v.candidate >= 0 && x->v.why != ROLLOUT_TARGET &&
                 x->v.why != ROLLOUT_CHANNEL;
    c->updated += x->v.why == ROLLOUT_RUNS && d->s.confirmed != 0;
    if (out != NULL) {
        out->why[x->v.why]++;
        out->held +=
            is_held(x->v.why) && !rollout_engaged(&x->device, r->id * 2);
    }
    if (census_needs_person(x, d, w->lost_before)) {
        if (c->n_attention < CENSUS_ATTENTION) {
            struct census_device *needs = &c->needs[c->n_attention++];

            note(needs, d, x->v.why);
            needs->lost = is_lost(d, w->lost_before);
            needs->last_resort = is_last_resort(d);
        }
        c->attention++;
    }
}

static void look_at(struct walk *w, struct device *d)
{
    struct census *c = w->out;
    uint8_t state = d->s.state;

    device_decide(w->s, d, &w->decision);
    c->devices++;
    if (d->s.first_seen != 0) {
        c->seen++;
        c->silent += d->s.last_seen <= w->silent_before;
        c->states[state <= BL_STATE_REFUSED ? state : 0]++;
    }
    count_product(w, d);
    count_rollouts(w, d);
    count_verdict(w, d);
}

/* --- All of them ----------------------------------------------------------
 */

static void walk_chunk(struct walk *w, uint32_t from)
{
    struct server *s = w->s;

    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = from; i < from + CHUNK; i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d != NULL) {
            look_at(w, d);
            devices_unlock(s->devices, d);
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static void rest(uint64_t us)
{
    const struct timespec t = {(time_t)(us / 1000000),
                               (long)(us % 1000000) * 1000};

    nanosleep(&t, NULL);
}

bool census_walk(struct server *s, struct census *out, bool paced,
                 const _Atomic bool *stop)
{
    struct walk *w = calloc(1, sizeof *w);

    if (w == NULL) {
        return false;
    }
    w->s = s;
    w->out = out;
    w->silent_before = silent_before(s);
    w->lost_before = lost_before(s);
    out->began_us = monotonic_us();
    out->time = (uint64_t)time(NULL);
    for (uint32_t i = 1; i <= devices_last(s->devices); i += CHUNK) {
        uint64_t from = monotonic_us();

        if (stop != NULL && atomic_load(stop)) {
            free(w);
            return false;
        }
        walk_chunk(w, i);
        if (paced && devices_last(s->devices) > PACED_FROM) {
            rest((monotonic_us() - from) * PAUSE_TIMES);
        }
    }
    census_end(s, out);
    free(w);
    out->time = (uint64_t)time(NULL);
    out->took_us = monotonic_us() - out->began_us;
    out->whole = true;
    return true;
}
