/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_preview.h"

#include "api.h"
#include "census.h"
#include "clock.h"
#include "decide.h"
#include "device_delta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    KINDS = 32,
    EXAMPLES = 5,
    LOOKED_AT = CENSUS_SOME /* devices; of more, each so-many-th */
};

struct tally {
    char text[DEVICE_TEXT];
    uint32_t n;
};

struct group {
    uint32_t n;
    uint8_t id[EXAMPLES][16];
    char name[EXAMPLES][129];
};

struct preview {
    struct server *s;
    const struct rollout_wish *wish;
    struct rollout_candidate candidate;
    struct decision decision;
    uint64_t id;
    uint32_t step; /* of so many devices one is looked at */
    struct rollout_placed placed;
    uint32_t stage[ROLLOUT_STAGES];
    uint32_t taken;
    uint32_t by_delta;    /* of them: a patch is ready for */
    uint64_t delta_saved; /* bytes that they do not fetch */
    uint32_t on_it;       /* run it already */
    uint32_t n_versions;
    struct tally version[KINDS];
    uint32_t n_hardware;
    struct tally hardware[KINDS];
    struct group why[ROLLOUT_WHYS];
};

/* --- Looking --------------------------------------------------------------
 */

static void add_tally(struct tally *list, uint32_t *n, const char *text)
{
    uint32_t i = 0;

    while (i < *n && strcmp(list[i].text, text) != 0) {
        i++;
    }
    if (i == KINDS) {
        i = KINDS - 1;
        snprintf(list[i].text, DEVICE_TEXT, "other");
    } else if (i == *n) {
        (*n)++;
        snprintf(list[i].text, DEVICE_TEXT, "%s", text);
    }
    list[i].n++;
}

static void add_group(struct group *g, const struct device *d)
{
    if (g->n < EXAMPLES) {
        memcpy(g->id[g->n], d->id, 16);
        snprintf(g->name[g->n], sizeof g->name[0], "%s", d->name);
    }
    g->n++;
}

static void add_stage(struct preview *p, const struct device *d)
{
    uint64_t rank = rollout_rank(p->id, d->id);

    for (uint32_t i = 0; i < p->wish->plan.n_stages; i++) {
        p->stage[i] += rank < p->placed.cut[i];
    }
}

/* A patch is ready for it: as a poll would find it. */
static void add_delta(struct preview *p, const struct device *d)
{
    const struct release *wanted = p->wish->release;
    struct delta_offer found;
    struct delta_ask ask;

    if (device_delta_ask(p->s, d, wanted, &ask) &&
        deltas_find(&p->s->deltas, &ask, &found)) {
        p->by_delta++;
        p->delta_saved += found.full - found.size;
    }
}

/* Of a device that it wants: will it refuse, wait, or take it? */
static void judge(struct preview *p, struct device *d)
{
    struct rollout_verdict v = {.held = -1};
    enum rollout_why why;

    if (d->s.first_seen == 0) {
        why = rollout_target(&p->decision.device, &p->candidate);
    } else {
        /* Its turn comes, whatever the first stage holds. */
        why = rollout_judge(&p->decision.device, &p->candidate,
                            p->decision.now, &v);
    }
    if (why == ROLLOUT_RUNS) {
        p->on_it++;
        return;
    }
    if (why == ROLLOUT_TARGET || why == ROLLOUT_CHANNEL) {
        add_group(&p->why[why], d);
        return;
    }
    if (why != ROLLOUT_OFFER) {
        add_group(&p->why[why], d);
    }
    if (why == ROLLOUT_NEWER || why == ROLLOUT_FLOOR ||
        why == ROLLOUT_MINIMUM) {
        return;
    }
    p->taken++;
    add_delta(p, d);
    add_stage(p, d);
    add_tally(p->version, &p->n_versions,
              d->s.version[0] == '\0' ? "unknown" : d->s.version);
    add_tally(p->hardware, &p->n_hardware,
              d->s.hardware[0] == '\0' ? "unknown" : d->s.hardware);
}

static void look(struct preview *p)
{
    struct server *s = p->s;
    uint32_t n = 0;

    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 1; i <= devices_last(s->devices); i += p->step) {
        struct device *d;

        catalog_breathe(&s->catalog, ++n);
        d = devices_lock_number(s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (d->product == p->wish->product->number) {
            device_look(s, d, &p->decision);
            judge(p, d);
        }
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static bool same_stages(const struct plan *a, const struct plan *b)
{
    bool same = a->n_stages == b->n_stages;

    for (uint32_t i = 0; same && i < a->n_stages; i++) {
        same = a->stage[i].percent == b->stage[i].percent &&
               a->stage[i].count == b->stage[i].count;
    }
    return same;
}

/* The plan of one that waits to begin: its own buckets, and its own stages
 * when they are still those. */
static const struct rollout *waiting_one(const struct rollout_wish *w)
{
    const struct rollout *r = rollout_same(w);

    return r != NULL && (r->state == ROLLOUT_APPROVAL ||
                         r->state == ROLLOUT_SCHEDULED)
               ? r
               : NULL;
}

static int place(struct preview *p)
{
    const struct rollout_wish *w = p->wish;
    const struct rollout *r = waiting_one(w);

    if (rollout_place(p->s, w, p->id, &p->placed) != 0) {
        return -1;
    }
    if (r != NULL && same_stages(&w->plan, &r->plan)) {
        memcpy(p->placed.cut, r->cut, sizeof p->placed.cut);
    }
    return 0;
}

static int prepare(struct preview *p)
{
    const struct rollout_wish *w = p->wish;

    /* The next number decides the buckets: what is shown is what happens, as
     * long as nobody starts another one before. */
    p->id =
        waiting_one(w) != NULL ? waiting_one(w)->id : rollout_next_id(p->s);
    p->step = devices_last(p->s->devices) / LOOKED_AT + 1;
    p->candidate = (struct rollout_candidate){
        .order = p->id * 2,
        .kind = w->kind,
        .state = ROLLOUT_RUNNING,
        .cut = ROLLOUT_ALL,
        .sequence = w->release->sequence,
        .manifest = w->release->manifest,
        .channels = w->release->channels,
        .min_version = w->release->min_version,
        .plan = &w->plan,
        .stone = w->product->stone,
        .n_stones = w->product->n_stones,
    };
    return place(p);
}

/* --- As JSON --------------------------------------------------------------
 */

static json_int_t scaled(const struct preview *p, uint32_t n)
{
    return (json_int_t)n * p->step;
}

static json_t *tallies(const struct preview *p, const struct tally *list,
                       uint32_t n, const char *name)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(out, json_pack("{s:s, s:I}", name, list[i].text,
                                             "devices", scaled(p, list[i].n)));
    }
    return out;
}

static json_t *examples(const struct group *g)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < g->n && i < EXAMPLES; i++) {
        json_array_append_new(list, json_pack("{s:o, s:s}", "id",
                                              api_hex(g->id[i], 16), "name",
                                              g->name[i]));
    }
    return list;
}

static const char *sentence_of(enum rollout_why why)
{
    switch (why) {
    case ROLLOUT_NEWER:
        return "they run this or something newer";
    case ROLLOUT_FLOOR:
        return "their anti-rollback floor is above the release's sequence "
               "number: release it again, under a new version";
    case ROLLOUT_MINIMUM:
        return "they run less than the release's minimum version: roll a "
               "release out first that it can follow";
    case ROLLOUT_TARGET:
        return "the query or the lists leave them out";
    case ROLLOUT_CHANNEL:
        return "they are in another channel";
    case ROLLOUT_WINDOW:
        return "their window is closed now";
    case ROLLOUT_TRIAL:
        return "what they run is still on trial";
    default:
        return "they wait";
    }
}

static json_t *groups(const struct preview *p, const enum rollout_why *why,
                      size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct group *g = &p->why[why[i]];

        if (g->n > 0) {
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:I, s:o}", "why",
                                rollout_why_name(why[i]), "sentence",
                                sentence_of(why[i]), "count", scaled(p, g->n),
                                "examples", examples(g)));
        }
    }
    return list;
}

static json_t *stages(const struct preview *p)
{
    const struct plan *plan = &p->wish->plan;
    json_t *list = json_array();

    for (uint32_t i = 0; i < plan->n_stages; i++) {
        const struct plan_stage *s = &plan->stage[i];

        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:I}", "percent",
                      s->percent == 0 ? json_null() : json_integer(s->percent),
                      "count",
                      s->count == 0 ? json_null() : json_integer(s->count),
                      "devices", scaled(p, p->stage[i])));
    }
    return list;
}

static json_t *overlaps(const struct preview *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->wish->product->n_order; i++) {
        const struct rollout *r = p->wish->product->order[i];
        char text[300];

        if (!rollout_open(r->state)) {
            continue;
        }
        snprintf(text, sizeof text,
                 "rollout %" PRIu64 " of %s is %s, too: of those that both "
                 "want, who goes first is settled by security, priority, "
                 "then age (the newer)",
                 r->id, r->release->version, rollout_state_name(r->state));
        json_array_append_new(list, json_pack("{s:I, s:s, s:s}", "id",
                                              (json_int_t)r->id, "name",
                                              r->name, "sentence", text));
    }
    return list;
}

struct past {
    const struct catalog *c;
    json_t *list;
};

static int add_past(void *ctx, sqlite3_stmt *row)
{
    const struct past *past = ctx;
    const struct rollout *r =
        catalog_rollout(past->c, (uint64_t)sqlite3_column_int64(row, 0));
    int64_t n = sqlite3_column_int64(row, 1);

    if (r != NULL) {
        json_array_append_new(
            past->list,
            json_sprintf("%lld device%s failed this release before (rollout "
                         "%" PRIu64 ", %s%s%s)",
                         (long long)n, n == 1 ? "" : "s", r->id,
                         rollout_state_name(r->state),
                         r->steering.reason[0] == '\0' ? "" : ": ",
                         r->steering.reason));
    }
    return 0;
}

/* Who rolls a bad release out anew reaches devices that failed it: of its
 * last few rollouts. */
static void add_failures(const struct preview *p, json_t *list)
{
    struct past past = {&p->s->catalog, list};
    struct store *store = &p->s->store;
    struct error err;

    store_lock(store);
    if (db_each(&store->db, &err, add_past, &past,
                "SELECT o.rollout, COUNT(*) FROM rollouts r"
                " JOIN outcomes o ON o.rollout = r.number"
                " WHERE r.release = ? AND o.failed > 0"
                " GROUP BY o.rollout ORDER BY o.rollout DESC LIMIT 3",
                "i", (int64_t)p->wish->release->number) != 0) {
        json_array_append_new(
            list, json_string("whether devices failed this release before "
                              "cannot be read now"));
    }
    store_unlock(store);
}

static json_t *warnings(const struct preview *p)
{
    const struct rollout_wish *w = p->wish;
    json_t *list = json_array();

    if (p->step > 1) {
        json_array_append_new(
            list,
            json_sprintf("estimated from one device in %" PRIu32, p->step));
    }
    if (p->taken == 0) {
        json_array_append_new(
            list, json_string("no device would get it as things stand"));
    }
    if (w->plan.n_stages == 1 && p->taken > 1) {
        json_array_append_new(list,
                              json_string("one stage holds every device: a "
                                          "bad release reaches all at once"));
    }
    if (w->plan.deadline != 0 && w->plan.deadline <= clock_now(p->s)) {
        json_array_append_new(list, json_string("its deadline has passed"));
    }
    add_failures(p, list);
    return list;
}

/* Rate, soak times, and a poll interval for each stage. */
static json_t *seconds(const struct preview *p)
{
    const struct plan *plan = &p->wish->plan;
    int interval =
        p->s->config.poll_interval_s > 0 ? p->s->config.poll_interval_s : 1800;
    uint64_t sum = 0;

    /* Nobody knows how many windows it takes. */
    if (p->taken == 0 || p->why[ROLLOUT_WINDOW].n > 0) {
        return json_null();
    }
    for (uint32_t i = 0; i < plan->n_stages; i++) {
        if (plan->stage[i].gates.manual) {
            return json_null();
        }
        sum += plan->stage[i].gates.soak_s + (uint64_t)interval * 3 / 2;
    }
    if (plan->rate_per_hour > 0) {
        sum += (uint64_t)scaled(p, p->taken) * 3600 / plan->rate_per_hour;
    }
    return json_integer((json_int_t)sum);
}

static json_t *as_json(const struct preview *p)
{
    static const enum rollout_why refused[] = {ROLLOUT_NEWER, ROLLOUT_FLOOR,
                                               ROLLOUT_MINIMUM, ROLLOUT_TARGET,
                                               ROLLOUT_CHANNEL};
    static const enum rollout_why waiting[] = {ROLLOUT_WINDOW, ROLLOUT_TRIAL};
    const struct release *release = p->wish->release;
    json_int_t all = (json_int_t)atomic_load(&p->wish->product->devices);
    json_int_t taken = scaled(p, p->taken);
    json_int_t saved = (json_int_t)p->delta_saved * p->step;
    json_int_t bytes;
    json_int_t closed = scaled(p, p->why[ROLLOUT_WINDOW].n);
    char sentence[300];
    size_t used;

    taken = taken > all ? all : taken;
    bytes = taken * (json_int_t)release->payload_bytes;
    saved = saved > bytes ? bytes : saved;
    snprintf(sentence, sizeof sentence,
             "%lld of %lld devices would get %s, the first stage holds %lld",
             (long long)taken, (long long)all, release->version,
             (long long)scaled(p, p->stage[0]));
    used = strlen(sentence);
    if (closed > 0) {
        snprintf(sentence + used, sizeof sentence - used,
                 "; %lld wait%s for a window to open", (long long)closed,
                 closed == 1 ? "s" : "");
    }
    return json_pack(
        "{s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, "
        "s:s, s:I, s:I}",
        "devices", taken, "stages", stages(p), "bytes", bytes - saved,
        "payload_bytes", (json_int_t)release->payload_bytes, "seconds",
        seconds(p), "versions",
        tallies(p, p->version, p->n_versions, "version"), "hardware",
        tallies(p, p->hardware, p->n_hardware, "hardware"), "refused",
        groups(p, refused, sizeof refused / sizeof refused[0]), "waiting",
        groups(p, waiting, sizeof waiting / sizeof waiting[0]), "overlaps",
        overlaps(p), "approval", settings_four_eyes(p->s), "plan",
        plan_json(&p->wish->plan), "warnings", warnings(p), "sentence",
        sentence, "delta_devices", scaled(p, p->by_delta), "delta_saved",
        saved);
}

json_t *rollout_preview_json(struct server *s, const struct rollout_wish *wish)
{
    struct preview *p = calloc(1, sizeof *p);
    json_t *out = NULL;

    if (p == NULL) {
        return NULL;
    }
    p->s = s;
    p->wish = wish;
    if (prepare(p) == 0) {
        look(p);
        pthread_rwlock_rdlock(&s->catalog.lock);
        out = as_json(p);
        pthread_rwlock_unlock(&s->catalog.lock);
    }
    free(p);
    return out;
}
