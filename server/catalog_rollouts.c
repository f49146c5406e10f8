/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts and pins in memory, and the order in which they are asked. */
#include "catalog_internal.h"

#include "pace.h"

#include <stdio.h>
#include <stdlib.h>

/* --- Text at rest ---------------------------------------------------------
 */

int rollout_stages_parse(struct rollout *r, const char *json)
{
    json_t *list = json_loads(json, 0, NULL);
    size_t n = json_array_size(list);
    int result = n >= 1 && n <= ROLLOUT_STAGES ? 0 : -1;

    for (size_t i = 0; i < n && result == 0; i++) {
        json_t *one = json_array_get(list, i);
        json_int_t limit = json_integer_value(json_array_get(one, 1));

        r->plan.stage[i].percent =
            (uint8_t)json_integer_value(json_array_get(one, 0));
        /* Before there were stages of a count, a stage ended with a bucket.
         */
        r->cut[i] = json_array_size(one) > 2
                        ? (uint64_t)json_integer_value(json_array_get(one, 2))
                        : (uint64_t)limit << 32;
    }
    r->plan.n_stages = (uint32_t)n;
    json_decref(list);
    return result;
}

uint32_t rollout_limit(const struct rollout *r, uint32_t stage)
{
    return (uint32_t)((r->cut[stage] + UINT32_MAX) >> 32);
}

char *rollout_stages_text(const struct rollout *r)
{
    json_t *list = json_array();
    char *text;

    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        json_array_append_new(list, json_pack("[i, I, I]",
                                              (int)r->plan.stage[i].percent,
                                              (json_int_t)rollout_limit(r, i),
                                              (json_int_t)r->cut[i]));
    }
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static void read_counts(const json_t *ended, const char *name, uint32_t n,
                        uint32_t *out)
{
    const json_t *list = json_object_get(ended, name);

    for (uint32_t i = 0; i < n; i++) {
        out[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    }
}

int rollout_ended_parse(struct rollout *r, const char *json)
{
    uint32_t n = r->plan.n_stages;
    json_t *ended;

    if (json == NULL || json[0] == '\0') {
        return 0;
    }
    ended = json_loads(json, 0, NULL);
    r->ended = json_array_size(json_object_get(ended, "devices")) == n;
    if (r->ended) {
        read_counts(ended, "devices", n, r->stage_devices);
        read_counts(ended, "confirmed", n, r->stage_confirmed);
        read_counts(ended, "failed", n, r->stage_failed);
    }
    r->blocked =
        (uint32_t)json_integer_value(json_object_get(ended, "blocked"));
    r->targets =
        (uint32_t)json_integer_value(json_object_get(ended, "targets"));
    json_decref(ended);
    return r->ended ? 0 : -1;
}

static json_t *counts_list(const uint32_t *counts, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(list, json_integer(counts[i]));
    }
    return list;
}

char *rollout_ended_text(const struct rollout *r)
{
    uint32_t n = r->plan.n_stages;
    json_t *ended =
        json_pack("{s:o, s:o, s:o, s:I, s:I}", "devices",
                  counts_list(r->stage_devices, n), "confirmed",
                  counts_list(r->stage_confirmed, n), "failed",
                  counts_list(r->stage_failed, n), "blocked",
                  (json_int_t)r->blocked, "targets", (json_int_t)r->targets);
    char *text = json_dumps(ended, JSON_COMPACT);

    json_decref(ended);
    return text;
}

/* --- Rollouts -------------------------------------------------------------
 */

/* Of before there were plans: the operator advances, nothing is judged. */
static int read_old_plan(struct rollout *r, const char *stages)
{
    struct plan_stage first;

    plan_default(&r->plan);
    first = r->plan.stage[0];
    if (rollout_stages_parse(r, stages) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        r->plan.stage[i].gates = first.gates;
        r->plan.stage[i].gates.manual = i + 1 < r->plan.n_stages;
    }
    return 0;
}

static int read_plan(struct rollout *r, const struct store_rollout *from)
{
    struct error err;
    uint8_t percent[PLAN_STAGES];
    json_t *json;
    int result;

    if (from->plan == NULL || from->plan[0] == '\0') {
        return read_old_plan(r, from->stages);
    }
    json = json_loads(from->plan, 0, NULL);
    result = json == NULL ? -1 : plan_read(json, &r->plan, &err);
    json_decref(json);
    for (uint32_t i = 0; result == 0 && i < r->plan.n_stages; i++) {
        percent[i] = r->plan.stage[i].percent;
    }
    if (result == 0) {
        uint32_t n = r->plan.n_stages;

        result = rollout_stages_parse(r, from->stages);
        result = r->plan.n_stages == n ? result : -1;
        for (uint32_t i = 0; result == 0 && i < n; i++) {
            r->plan.stage[i].percent = percent[i];
        }
    }
    return result;
}

void catalog_free_rollout(struct rollout *r)
{
    if (r != NULL) {
        span_free(r->permit);
        plan_free(&r->plan);
        number_set_free(&r->failed);
        number_set_free(&r->lost);
        number_set_free(&r->taken);
        free(r->gone);
    }
    free(r);
}

int catalog_add_gone(struct rollout *r, const uint8_t id[16])
{
    struct rollout_gone *gone;

    for (uint32_t i = 0; i < r->n_gone; i++) {
        if (memcmp(r->gone[i].id, id, 16) == 0) {
            return 0;
        }
    }
    gone = realloc(r->gone, (r->n_gone + 1) * sizeof *gone);
    if (gone == NULL) {
        return -1;
    }
    memcpy(gone[r->n_gone++].id, id, 16);
    r->gone = gone;
    return 0;
}

uint32_t catalog_stage_most(const struct rollout *r)
{
    uint32_t count = r->plan.stage[r->stage].count;

    return count == 0 ? UINT32_MAX : count;
}

bool catalog_counts_taken(const struct rollout *r)
{
    for (uint32_t i = r->stage; i < r->plan.n_stages; i++) {
        if (r->plan.stage[i].count > 0) {
            return true;
        }
    }
    return false;
}

/* Of rollouts that were stored before these times were. */
static void fill_times(struct rollout *r)
{
    struct steering *s = &r->steering;

    if (s->started == 0 && r->state != ROLLOUT_APPROVAL &&
        r->state != ROLLOUT_SCHEDULED) {
        s->started = r->created;
    }
    if (s->started != 0 && s->since[r->stage] == 0) {
        s->since[r->stage] = r->changed;
    }
}

struct rollout *catalog_add_rollout(struct catalog *c,
                                    const struct store_rollout *from,
                                    uint64_t created, uint64_t changed)
{
    struct rollout *r = calloc(1, sizeof *r);

    if (r == NULL) {
        return NULL;
    }
    r->id = from->id;
    r->product = catalog_product_number(c, from->product);
    r->release = catalog_release_number(c, from->release);
    snprintf(r->name, sizeof r->name, "%s", from->name);
    r->kind = from->kind;
    r->state = from->state;
    r->stage = from->stage;
    r->permit = span_copy(from->permit);
    r->created = created;
    r->changed = changed;
    number_set_init(&r->failed);
    number_set_init(&r->lost);
    number_set_init(&r->taken);
    if (r->product == NULL || r->release == NULL || r->permit.p == NULL ||
        read_plan(r, from) != 0 || r->stage >= r->plan.n_stages ||
        rollout_ended_parse(r, from->ended) != 0 ||
        steering_read(from->steer, &r->steering) != 0 ||
        list_put(&c->rollouts, (uint32_t)r->id, r) != 0) {
        catalog_free_rollout(r);
        return NULL;
    }
    fill_times(r);
    if (r->kind == ROLLOUT_RETURN) {
        r->undoes = catalog_rollout(c, r->steering.returns_from);
    }
    r->older = r->product->newest;
    r->product->newest = r;
    catalog_arrange(r->product);
    return r;
}

struct rollout *catalog_rollout(const struct catalog *c, uint64_t id)
{
    return list_get(&c->rollouts, id);
}

struct rollout *catalog_active(const struct product *product)
{
    struct rollout *r = product->newest;

    for (; r != NULL; r = r->older) {
        if (rollout_open(r->state)) {
            return r;
        }
    }
    return NULL;
}

/* --- The order ------------------------------------------------------------
 */

/* Aborted ones whose devices may end what they have begun: of older ones no
 * device is on its way any more. */
enum { ABORTED_MOST = 4 };

/* 0 active, 1 waits to begin, 2 over; 3 has no say any more. */
static int rank_of_state(const struct rollout *r)
{
    switch (r->state) {
    case ROLLOUT_RUNNING:
    case ROLLOUT_PAUSED:
        return 0;
    case ROLLOUT_APPROVAL:
    case ROLLOUT_SCHEDULED:
        return 1;
    case ROLLOUT_ABORTED:
        return r->steering.recall ? 3 : 2;
    default:
        return 2;
    }
}

static int rank_of_kind(const struct rollout *r)
{
    if (r->kind != ROLLOUT_UPDATE) {
        return 0;
    }
    return r->plan.security || r->release->security ? 1 : 2;
}

static bool goes_before(const struct rollout *a, const struct rollout *b)
{
    int state = rank_of_state(a) - rank_of_state(b);
    int kind = rank_of_kind(a) - rank_of_kind(b);

    if (state != 0 || rank_of_state(a) > 1) {
        return state < 0 || (state == 0 && a->id > b->id);
    }
    if (kind != 0) {
        return kind < 0;
    }
    if (a->plan.priority != b->plan.priority) {
        return a->plan.priority > b->plan.priority;
    }
    return a->id > b->id;
}

/* What is older has no say: this one has had every device. */
static bool holds_all(const struct rollout *r)
{
    return r->state == ROLLOUT_FINISHED && r->cut[r->stage] >= ROLLOUT_ALL &&
           r->plan.query == NULL && r->plan.include.n == 0 &&
           r->plan.exclude.n == 0 && r->plan.channel[0] == '\0' &&
           r->release->channels[0] == '\0';
}

static void insert(struct product *p, struct rollout *r)
{
    uint32_t i = p->n_order < CATALOG_CANDIDATES ? p->n_order++
                                                 : CATALOG_CANDIDATES - 1;

    while (i > 0 && goes_before(r, p->order[i - 1])) {
        p->order[i] = p->order[i - 1];
        i--;
    }
    p->order[i] = r;
}

void catalog_arrange(struct product *product)
{
    uint32_t aborted = 0;
    bool all = false;

    product->n_order = 0;
    for (struct rollout *r = product->newest; r != NULL; r = r->older) {
        int rank = rank_of_state(r);

        aborted += rank == 2 && r->state == ROLLOUT_ABORTED;
        if (rank == 3 || (rank == 2 && all) ||
            (r->state == ROLLOUT_ABORTED && aborted > ABORTED_MOST)) {
            continue;
        }
        if (product->n_order < CATALOG_CANDIDATES ||
            goes_before(r, product->order[product->n_order - 1])) {
            insert(product, r);
        }
        all = all || holds_all(r);
    }
}

/* --- Pins -----------------------------------------------------------------
 */

struct pin *pin_new(uint64_t order, struct release *release, bl_span permit)
{
    struct pin *pin = malloc(sizeof *pin);

    if (pin == NULL) {
        return NULL;
    }
    pin->order = order;
    pin->release = release;
    pin->permit = span_copy(permit);
    if (pin->permit.p == NULL) {
        free(pin);
        return NULL;
    }
    return pin;
}

void pin_free(struct pin *pin)
{
    if (pin != NULL) {
        span_free(pin->permit);
        free(pin);
    }
}

/* --- Candidates -----------------------------------------------------------
 */

/* Offered or downloading now; who has fallen silent, or waits for its window,
 * its power or its user, keeps no place. */
static bool is_full(const struct rollout *r)
{
    uint32_t busy = atomic_load(&r->count[BL_STATE_OFFERED]) +
                    atomic_load(&r->count[BL_STATE_DOWNLOADING]);
    uint32_t absent = atomic_load(&r->absent);

    return r->plan.max_downloads > 0 &&
           busy >= r->plan.max_downloads + (absent < busy ? absent : busy);
}

void catalog_candidate(struct rollout *r, uint32_t device, uint64_t now_us,
                       struct rollout_candidate *out)
{
    *out = (struct rollout_candidate){
        .order = r->id * 2,
        .kind = r->kind,
        .state = r->state,
        .permit = r->permit.n > 0,
        .recall = r->steering.recall,
        .lost = number_set_has(&r->lost, device),
        .stage_full = atomic_load(&r->taken.n) >= catalog_stage_most(r) &&
                      !number_set_has(&r->taken, device),
        .full = is_full(r),
        .rate_wait_s = pace_wait(&r->pace_us, r->plan.rate_per_hour, now_us),
        .cut = r->cut[r->stage],
        .sequence = r->release->sequence,
        .manifest = r->release->manifest,
        .channels = r->release->channels,
        .min_version = r->release->min_version,
        .plan = &r->plan,
        .stone = r->product->stone,
        .n_stones = r->product->n_stones,
    };
    if (r->undoes != NULL) {
        out->undoes = r->undoes->release->manifest;
        out->undoes_order = r->undoes->id * 2;
    }
}

static void put_pin(struct rollout_candidate *out, const struct pin *pin)
{
    *out = (struct rollout_candidate){
        .order = pin->order,
        .kind = ROLLOUT_PIN,
        .state = ROLLOUT_RUNNING,
        .permit = true,
        .cut = ROLLOUT_ALL,
        .sequence = pin->release->sequence,
        .manifest = pin->release->manifest,
    };
}

uint32_t
catalog_candidates(const struct product *product, const struct pin *pin,
                   uint32_t device, uint64_t now_us,
                   struct rollout_candidate out[CATALOG_CANDIDATES + 1])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < product->n_order; i++) {
        struct rollout *r = product->order[i];

        if (pin == NULL || pin->order < r->id * 2) {
            catalog_candidate(r, device, now_us, &out[n++]);
        }
    }
    if (pin != NULL) {
        put_pin(&out[n++], pin);
    }
    return n;
}

struct release *catalog_offer(const struct catalog *c, const struct pin *pin,
                              uint64_t order, bl_span *permit)
{
    const struct rollout *r;

    *permit = bl_span_of(NULL, 0);
    if (order % 2 == 1) {
        if (pin == NULL || pin->order != order) {
            return NULL;
        }
        *permit = pin->permit;
        return pin->release;
    }
    r = catalog_rollout(c, order / 2);
    if (r == NULL) {
        return NULL;
    }
    *permit = r->permit;
    return r->release;
}
