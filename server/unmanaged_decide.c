/* SPDX-License-Identifier: Apache-2.0 */
#include "unmanaged_decide.h"

#include "clock.h"
#include "decide.h"
#include "pace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ATTRIBUTES = 128,
    READ_ONCE = 4,  /* images that one request may have read */
    LOOK_BACK = 256 /* releases that are compared */
};

/* No row of a device: sets of rows hold it never. */
#define NO_ROW UINT32_MAX

/* --- What runs ------------------------------------------------------------
 */

static bool is_image(struct server *s, const struct release *r,
                     const struct ask *ask, struct image_facts *facts)
{
    struct error err;

    if (image_facts(&s->images, &s->blobs, r->digests.image[0], facts, &err) !=
        0) {
        return false;
    }
    return (ask->has_md5 && (memcmp(facts->md5, ask->md5, 16) == 0 ||
                             memcmp(facts->image_md5, ask->md5, 16) == 0)) ||
           (ask->has_sha256 && facts->has_digest &&
            memcmp(facts->digest, ask->sha256, 32) == 0);
}

/* Newest first. Of a server that was just started few are known yet: each
 * request adds some. */
static uint32_t by_digest(struct server *s, const struct product *product,
                          const struct ask *ask)
{
    uint32_t read = 0;
    uint32_t looked = 0;

    for (uint32_t i = s->catalog.releases.n;
         i-- > 0 && read < READ_ONCE && looked < LOOK_BACK;) {
        const struct release *r = s->catalog.releases.at[i];
        struct image_facts facts;

        if (r == NULL || r->product != product) {
            continue;
        }
        looked++;
        read += !image_known(&s->images, r->digests.image[0]);
        if (is_image(s, r, ask, &facts)) {
            return r->number;
        }
    }
    return 0;
}

static uint32_t by_version(const struct catalog *c,
                           const struct product *product, const char *version)
{
    for (uint32_t i = c->releases.n; i-- > 0;) {
        const struct release *r = c->releases.at[i];

        if (r != NULL && r->product == product &&
            bl_esp_version_equal(version, r->version)) {
            return r->number;
        }
    }
    return 0;
}

uint32_t unmanaged_runs(struct server *s, const struct product *product,
                        const struct ask *ask)
{
    uint32_t found =
        ask->has_md5 || ask->has_sha256 ? by_digest(s, product, ask) : 0;

    if (found == 0 && ask->version[0] != '\0') {
        found = by_version(&s->catalog, product, ask->version);
    }
    return found;
}

/* --- A device of the table, made of what is known --------------------------
 */

static char no_tags[] = "[\"unmanaged\"]";

struct stand_in {
    struct device device;
    char name[ASK_KEY];
    char channel[UNMANAGED_CHANNEL];
    char attributes[ATTRIBUTES];
};

static void stand_in(struct server *s, const struct unmanaged *u,
                     struct stand_in *out)
{
    const struct release *runs = catalog_release_number(&s->catalog, u->runs);
    const struct release *before =
        catalog_release_number(&s->catalog, u->before);
    struct device *d = &out->device;

    memset(out, 0, sizeof *out);
    device_state_init(&d->s);
    memcpy(d->id, u->id, 16);
    memcpy(out->name, u->key, sizeof out->name);
    memcpy(out->channel, u->channel, sizeof out->channel);
    snprintf(out->attributes, sizeof out->attributes,
             "{\"client\":\"%s\",\"chip\":\"%s\"}",
             ask_client_name((enum ask_client)u->client), u->chip);
    d->number = NO_ROW;
    d->product = u->product;
    d->name = out->name;
    d->tags = no_tags;
    d->channel = out->channel;
    d->attributes = out->attributes;
    d->s.first_seen = 1;
    d->s.confirmed = 1;
    d->s.offer = u->offer;
    d->s.outcome = u->offer == 0 ? BL_STATE_IDLE : BL_STATE_OFFERED;
    snprintf(d->s.version, sizeof d->s.version, "%.31s",
             runs == NULL ? u->version : runs->version);
    if (runs != NULL) {
        memcpy(d->s.manifest, runs->manifest, 32);
        d->s.sequence = runs->sequence;
    }
    if (before != NULL) {
        memcpy(d->s.prev_manifest, before->manifest, 32);
    }
}

/* --- Which of the candidates ----------------------------------------------
 */

/* The plan's own percent, of the last stage that has one. */
static uint64_t cut_of(const struct rollout *r)
{
    for (uint32_t i = r->stage + 1; i-- > 0;) {
        const struct plan_stage *stage = &r->plan.stage[i];

        if (stage->percent > 0) {
            return (uint64_t)stage->percent * (ROLLOUT_BUCKETS / 100) << 32;
        }
    }
    return 0;
}

static bool too_many(const struct rollout *r)
{
    return r->plan.max_downloads > 0 &&
           atomic_load(&r->unmanaged_open) >= r->plan.max_downloads;
}

/* What holds of managed devices only is taken out. */
static void adapt(struct server *s, struct decision *x, bool named)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->n; i++) {
        struct rollout_candidate c = x->candidate[i];
        struct rollout *r = catalog_rollout(&s->catalog, c.order / 2);
        uint64_t cut = r == NULL ? 0 : cut_of(r);

        if (r == NULL || (!named && cut < ROLLOUT_ALL)) {
            continue;
        }
        c.cut = cut;
        c.stage_full = false;
        c.lost = false;
        c.full = c.full || too_many(r);
        c.rate_wait_s = pace_wait(&r->unmanaged_pace_us, r->plan.rate_per_hour,
                                  clock_us(s));
        x->candidate[n++] = c;
    }
    x->n = n;
}

/* --- What speaks against it -------------------------------------------------
 */

static bool has_number(const char *version)
{
    version += version[0] == 'v';
    return version[0] >= '0' && version[0] <= '9';
}

static bool asks_device(const struct plan *p)
{
    return p != NULL && (p->consent || p->min_battery_percent > 0 ||
                         !p->metered || !p->roaming);
}

/* How often the very release was sent whole, by the very rollout. */
static uint32_t sent_whole(const struct unmanaged *u, const struct release *r,
                           uint64_t order, uint64_t size)
{
    if (u->number == 0 || u->got != r->number || u->offer != order) {
        return 0;
    }
    return u->tries + (u->got_bytes >= size);
}

/* As a managed device that does not keep a release is left alone, by the
 * plan; and one that says nothing is believed to have kept it. */
static const char *again(struct server *s, const struct unmanaged *u,
                         const struct rollout *r, uint32_t n)
{
    uint64_t since = (uint64_t)time(NULL) - u->got_at;

    if (u->goes_on || n == 0) {
        return NULL;
    }
    if (!u->told && since < UNMANAGED_AGAIN_S) {
        return "it was sent whole in the last day, and this client does not "
               "say what it runs: send ?version=";
    }
    if (u->told && r->plan.attempts > 0 && n >= r->plan.attempts &&
        since < clock_real_s(s, r->plan.quarantine_s)) {
        return "it was sent whole as often as the plan tries, and the client "
               "still runs another; left alone for a time";
    }
    return NULL;
}

static bool behind_others(const struct rollout_candidate *c)
{
    bool behind = c->min_version[0] != '\0';

    for (uint32_t i = 0; i < c->n_stones; i++) {
        behind |= c->stone[i].sequence < c->sequence;
    }
    return behind;
}

/* NULL: nothing. */
static const char *against(const struct unmanaged *u, const struct decision *x,
                           const struct release *r)
{
    const struct rollout_candidate *c = &x->candidate[x->v.candidate];
    bool update = c->kind == ROLLOUT_UPDATE;

    if (!x->v.forced && asks_device(c->plan)) {
        return "its plan asks of a device what this client cannot answer "
               "(consent, battery, link)";
    }
    if (u->runs != 0) {
        return NULL;
    }
    if (update && behind_others(c)) {
        return "other versions stand before it, and this client does not say "
               "which it runs: send ?version=";
    }
    if (update && has_number(u->version) && has_number(r->version) &&
        query_compare(u->version, r->version) >= 0) {
        return "this client says that it runs something newer";
    }
    return NULL;
}

static const char *meaning(enum rollout_why why)
{
    static const char *const text[ROLLOUT_WHYS] = {
#define WORD(NAME, word, meaning, advice) meaning,
        WHY_LIST(WORD)
#undef WORD
    };

    return why < ROLLOUT_WHYS ? text[why] : "";
}

static void say(struct give *out, const struct rollout *r, const char *text)
{
    if (r == NULL) {
        snprintf(out->why, sizeof out->why, "%s", text);
    } else {
        snprintf(out->why, sizeof out->why, "%.40s, rollout %" PRIu64 ": %s",
                 r->release->version, r->id, text);
    }
}

static void say_verdict(struct server *s, const struct decision *x, bool named,
                        struct give *out)
{
    int i = x->v.held >= 0 && x->v.why != ROLLOUT_RUNS ? x->v.held
                                                       : x->v.candidate;
    const struct rollout *r = i < 0 ? NULL : decision_rollout(s, x, i);

    if (!named && x->v.why == ROLLOUT_NOTHING) {
        say(out, NULL,
            "nothing has come to 100 percent, and this client does not say "
            "who it is: send ?device=");
    } else if (r != NULL && x->v.why != ROLLOUT_RUNS && cut_of(r) == 0) {
        say(out, r, "its stage is a count of devices: of managed ones");
    } else {
        say(out, r,
            meaning(x->v.held >= 0 && i == x->v.held ? x->v.held_why
                                                     : x->v.why));
    }
}

static void take(struct server *s, const struct unmanaged *u,
                 const struct decision *x, struct give *out)
{
    struct rollout *r = decision_rollout(s, x, x->v.candidate);
    bl_span permit;
    struct release *wanted = decision_release(s, x->facts.device, x, &permit);
    struct image_facts facts;
    struct error err;
    const char *problem;

    if (r == NULL || wanted == NULL) {
        say(out, NULL, "nothing");
        return;
    }
    problem = against(u, x, wanted);
    if (problem != NULL) {
        say(out, r, problem);
        return;
    }
    if (image_facts(&s->images, &s->blobs, wanted->digests.image[0], &facts,
                    &err) == 0) {
        problem = again(s, u, r, sent_whole(u, wanted, x->order, facts.size));
    }
    if (problem != NULL) {
        say(out, r, problem);
        return;
    }
    out->release = wanted;
    out->rollout = r;
    say(out, r, "sent");
}

void unmanaged_decide(struct server *s, const struct product *product,
                      const struct unmanaged *u, bool named, struct give *out)
{
    struct stand_in in;
    struct decision x;

    memset(out, 0, sizeof *out);
    stand_in(s, u, &in);
    device_look(s, &in.device, &x);
    out->never = product->newest == NULL;
    adapt(s, &x, named);
    x.v = rollout_decide(&x.device, x.candidate, x.n, x.now);
    x.order = x.v.candidate < 0 ? 0 : x.candidate[x.v.candidate].order;
    out->wait_s = x.v.wait_s == 0 ? 0 : clock_real_s(s, x.v.wait_s);
    if (x.v.why == ROLLOUT_OFFER) {
        take(s, u, &x, out);
    } else {
        say_verdict(s, &x, named, out);
    }
}
