/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_return.h"

#include "api.h"
#include "rollout_make.h"

#include "host/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { GROUPS = 16, EXAMPLES = 5, PERMIT_MAX = 8192 };

/* --- Permits --------------------------------------------------------------
 */

int return_read_permits(const json_t *body, struct return_wish *wish,
                        struct error *err)
{
    const json_t *list = json_object_get(body, "permits");
    json_t *plan;
    struct plan read;
    int result;

    if (list == NULL || json_is_null(list)) {
        return 0;
    }
    /* The same form as in a plan: the same reader. */
    plan = json_pack("{s:O}", "permits", list);
    result = plan_read(plan, &read, err);
    json_decref(plan);
    if (result == 0) {
        wish->n_permits = read.n_permits;
        memcpy(wish->permit, read.permit, sizeof wish->permit);
        read.n_permits = 0;
        plan_free(&read);
    }
    return result;
}

void return_free(struct return_wish *wish)
{
    struct plan *p = calloc(1, sizeof *p);

    if (p != NULL) {
        p->n_permits = wish->n_permits;
        memcpy(p->permit, wish->permit, sizeof p->permit);
        plan_free(p);
        free(p);
    }
    wish->n_permits = 0;
}

static bl_span find_permit(const struct plan_permit *permit, uint32_t n,
                           const uint8_t manifest[32])
{
    for (uint32_t i = 0; i < n; i++) {
        if (memcmp(permit[i].manifest, manifest, 32) == 0) {
            return permit[i].permit;
        }
    }
    return bl_span_of(NULL, 0);
}

/* --- Whom it would touch --------------------------------------------------
 */

struct group {
    struct release *release;
    uint32_t devices;
    uint32_t free; /* of them: on trial, or their floor lets them */
    bl_span permit;
    bool below; /* the security floor: no permit lifts that */
};

struct examples {
    uint32_t n;
    uint8_t id[EXAMPLES][16];
    char name[EXAMPLES][129];
};

struct look {
    struct server *s;
    const struct rollout *r;
    uint32_t devices;
    uint32_t n;
    struct group group[GROUPS];
    struct examples unknown; /* what they ran before */
};

static struct group *group_of(struct look *l, struct release *release)
{
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->group[i].release == release) {
            return &l->group[i];
        }
    }
    if (l->n == GROUPS) {
        return NULL;
    }
    l->group[l->n].release = release;
    l->group[l->n].below = release->sequence < l->s->catalog.root.floor;
    return &l->group[l->n++];
}

static void look_at(struct look *l, const struct device *d)
{
    struct release *before;
    struct group *g = NULL;
    struct examples *u = &l->unknown;

    if (d->s.offer != l->r->id * 2 ||
        memcmp(d->s.manifest, l->r->release->manifest, 32) != 0) {
        return;
    }
    l->devices++;
    before = catalog_release(&l->s->catalog, d->s.prev_manifest);
    if (before != NULL && before->product == l->r->product) {
        g = group_of(l, before);
    }
    if (g == NULL) {
        if (u->n < EXAMPLES) {
            memcpy(u->id[u->n], d->id, 16);
            snprintf(u->name[u->n], sizeof u->name[0], "%s", d->name);
        }
        u->n++;
        return;
    }
    g->devices++;
    g->free += d->s.confirmed == 0 || d->s.floor <= before->sequence;
}

static struct look *look(struct server *s, const struct rollout *r,
                         const struct return_wish *wish)
{
    struct look *l = calloc(1, sizeof *l);

    if (l == NULL) {
        return NULL;
    }
    l->s = s;
    l->r = r;
    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d;

        catalog_breathe(&s->catalog, i);
        d = devices_lock_number(s->devices, i);
        if (d != NULL) {
            look_at(l, d);
            devices_unlock(s->devices, d);
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    for (uint32_t i = 0; i < l->n; i++) {
        struct group *g = &l->group[i];

        g->permit =
            find_permit(wish->permit, wish->n_permits, g->release->manifest);
        if (g->permit.n == 0) {
            g->permit = find_permit(r->plan.permit, r->plan.n_permits,
                                    g->release->manifest);
        }
    }
    return l;
}

static const char *permit_name(const struct group *g)
{
    return g->below                ? "below-security-floor"
           : g->free == g->devices ? "not-needed"
           : g->permit.n > 0       ? "given"
                                   : "needed";
}

/* Of the group, so many go back now. */
static uint32_t goes(const struct group *g)
{
    return g->below ? 0 : g->permit.n > 0 ? g->devices : g->free;
}

static uint32_t count_going(const struct look *l)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->n; i++) {
        n += goes(&l->group[i]);
    }
    return n;
}

static uint32_t count_missing(const struct look *l)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->n; i++) {
        const struct group *g = &l->group[i];

        n += g->below ? 0 : g->devices - goes(g);
    }
    return n;
}

static json_t *unknown_json(const struct look *l)
{
    json_t *list = json_array();
    json_t *examples = json_array();

    for (uint32_t i = 0; i < l->unknown.n && i < EXAMPLES; i++) {
        json_array_append_new(examples,
                              json_pack("{s:o, s:s}", "id",
                                        api_hex(l->unknown.id[i], 16), "name",
                                        l->unknown.name[i]));
    }
    if (l->unknown.n > 0) {
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:O}", "why",
                            "it is not known what they ran before, or that "
                            "release is not on this server",
                            "count", (json_int_t)l->unknown.n, "examples",
                            examples));
    }
    json_decref(examples);
    return list;
}

static void say(const struct look *l, char *out, size_t size)
{
    uint32_t going = count_going(l);
    uint32_t missing = count_missing(l);
    int n = snprintf(out, size,
                     "%" PRIu32 " of %" PRIu32 " device%s that run %s go back "
                     "to what they ran before",
                     going, l->devices, l->devices == 1 ? "" : "s",
                     l->r->release->version);

    if (missing > 0 && n > 0 && (size_t)n < size) {
        snprintf(out + n, size - (size_t)n,
                 "; for %" PRIu32 " a permit must be signed with the release "
                 "keys",
                 missing);
    }
}

json_t *return_json(struct server *s, struct rollout *r,
                    const struct return_wish *wish)
{
    struct look *l = look(s, r, wish);
    json_t *to = json_array();
    char sentence[300];
    json_t *out;

    if (l == NULL) {
        json_decref(to);
        return NULL;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        const struct group *g = &l->group[i];

        json_array_append_new(to, json_pack("{s:s, s:o, s:I, s:s}", "version",
                                            g->release->version, "manifest",
                                            api_hex(g->release->manifest, 32),
                                            "devices", (json_int_t)g->devices,
                                            "permit", permit_name(g)));
    }
    say(l, sentence, sizeof sentence);
    out = json_pack("{s:I, s:o, s:o, s:s}", "devices", (json_int_t)l->devices,
                    "to", to, "impossible", unknown_json(l), "sentence",
                    sentence);
    free(l);
    return out;
}

/* --- Doing it -------------------------------------------------------------
 */

/* For the product: no device's id fits a permit that names one. */
static int check_permits(struct server *s, const struct look *l,
                         struct error *err)
{
    static const uint8_t nobody[BL_ID_SIZE] = {0};

    for (uint32_t i = 0; i < l->n; i++) {
        const struct group *g = &l->group[i];
        bl_status status;

        if (g->permit.n == 0) {
            continue;
        }
        status = bl_permit_check(g->permit, &s->catalog.root, nobody,
                                 l->r->product->class_id, g->release->manifest,
                                 (uint64_t)time(NULL), s->crypto);
        if (status != BL_OK) {
            return error_status(err, status, "the permit for %s",
                                g->release->version);
        }
    }
    return 0;
}

static int make_one(struct server *s, struct rollout *r, const struct group *g,
                    const struct return_wish *wish, struct error *err)
{
    struct rollout_wish w = {.product = r->product,
                             .release = g->release,
                             .kind = ROLLOUT_RETURN,
                             .permit = g->permit,
                             .actor = wish->actor,
                             .approval = wish->approval,
                             .returns_from = r->id};
    const struct rollout_act act = {wish->actor, "rollout-returns", "returned",
                                    NULL};
    char name[CATALOG_NAME];
    struct rollout_next next;
    struct rollout *made;

    snprintf(name, sizeof name, "return from %.40s", r->release->version);
    rollout_clip(name);
    w.name = name;
    plan_default(&w.plan);
    made = rollout_make(s, &w, err);
    plan_free(&w.plan);
    if (made == NULL) {
        return -1;
    }
    rollout_now(r, &next);
    if (next.steering.n_returns < STEERING_RETURNS) {
        next.steering.returns[next.steering.n_returns++] = made->id;
    }
    return rollout_apply(s, r, &next, &act, err);
}

/* First the rollout ends: nobody may be offered both at once. */
static int end_it(struct server *s, struct rollout *r, const struct look *l,
                  const struct return_wish *wish, struct error *err)
{
    const struct rollout_act act = {wish->actor, "rollout-return", "returned",
                                    NULL};
    struct rollout_next next;
    char before[200];

    rollout_now(r, &next);
    snprintf(before, sizeof before, "%.190s", r->steering.reason);
    rollout_clip(before);
    next.steering.returned = true;
    next.steering.recall = true;
    if (rollout_open(r->state)) {
        next.state = ROLLOUT_ABORTED;
    }
    rollout_next_reason(
        &next, wish->actor,
        "%s%sreturned by %s: %" PRIu32 " of %" PRIu32 " devices go back",
        before, before[0] == '\0' ? "" : "; ",
        strcmp(wish->actor, ROLLOUT_SELF) == 0 ? "itself" : wish->actor,
        count_going(l), l->devices);
    if (count_missing(l) > 0) {
        size_t n = strlen(next.steering.reason);

        snprintf(next.steering.reason + n, sizeof next.steering.reason - n,
                 "; for %" PRIu32 " a permit is missing", count_missing(l));
    }
    return rollout_apply(s, r, &next, &act, err);
}

/* What is made already is not made again: but for a permit that came since. */
static bool is_made(const struct rollout *r, const struct group *g)
{
    for (const struct rollout *o = r->product->newest; o != NULL;
         o = o->older) {
        if (o->kind == ROLLOUT_RETURN && o->steering.returns_from == r->id &&
            o->release == g->release && o->state != ROLLOUT_ABORTED &&
            (o->permit.n > 0 || g->permit.n == 0)) {
            return true;
        }
    }
    return false;
}

static int begin(struct server *s, struct rollout *r, const struct look *l,
                 const struct return_wish *wish, struct error *err)
{
    if (check_permits(s, l, err) != 0) {
        return -1;
    }
    if (count_going(l) == 0) {
        say(l, err->text, sizeof err->text);
        if (count_missing(l) > 0) {
            size_t n = strlen(err->text);

            snprintf(err->text + n, sizeof err->text - n,
                     ": bowline rollout return %" PRIu64 " does it", r->id);
        }
        err->code = RETURN_NOTHING;
        return -1;
    }
    if (end_it(s, r, l, wish, err) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        if (goes(&l->group[i]) > 0 && !is_made(r, &l->group[i]) &&
            make_one(s, r, &l->group[i], wish, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int return_begin(struct server *s, struct rollout *r,
                 const struct return_wish *wish, struct error *err)
{
    struct look *l = look(s, r, wish);
    int result =
        l == NULL ? error_set(err, "no memory") : begin(s, r, l, wish, err);

    free(l);
    return result;
}
