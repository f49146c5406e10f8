/* SPDX-License-Identifier: Apache-2.0 */
/* What operators do to a rollout, and whom that would touch before they do. */
#include "api_rollouts.h"

#include "access.h"
#include "clock.h"
#include "report.h"
#include "rollout_return.h"
#include "rollout_steer.h"
#include "rollout_view.h"
#include "router.h"
#include "worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct action {
    struct server *s;
    struct http_request *rq;
    struct rollout *r;
    const json_t *body; /* an object, maybe empty */
    const struct census *c;
    char said[180];
    char detail[300]; /* of the audit log's line */
};

/* --- Whom it touches ------------------------------------------------------
 */

static void touches(struct action *a, uint32_t n, const char *sentence)
{
    api_json(a->rq, 200,
             json_pack("{s:I, s:s}", "touches", (json_int_t)n, "sentence",
                       sentence));
}

static bool is_question(const struct http_request *rq)
{
    const char *preview = http_query(rq, "preview");

    return preview != NULL && strcmp(preview, "0") != 0;
}

static bool only_asked(const struct action *a)
{
    return is_question(a->rq);
}

static uint32_t under_way(const struct rollout *r)
{
    uint32_t n = 0;

    for (int i = BL_STATE_DOWNLOADING; i <= BL_STATE_TESTING; i++) {
        n += atomic_load(&r->count[i]);
    }
    return n;
}

/* Of the stages up to that one. */
static uint32_t not_begun(const struct action *a, uint32_t stage)
{
    struct steer_counts sum;

    census_sum(census_of(a->c, a->r->id), stage, &sum);
    return sum.untouched + atomic_load(&a->r->count[BL_STATE_OFFERED]) +
           atomic_load(&a->r->count[BL_STATE_WAITING]);
}

static const char *s_of(uint32_t n)
{
    return n == 1 ? "" : "s";
}

/* --- Doing it -------------------------------------------------------------
 */

static void refuse(struct action *a, const char *what)
{
    api_error(a->rq, 409, "state", "rollout %" PRIu64 " is %s: %s", a->r->id,
              rollout_state_name(a->r->state), what);
}

static void apply(struct action *a, const struct rollout_next *next,
                  const char *action, const char *what)
{
    const struct rollout_act act = {a->rq->actor, action, what,
                                    a->said[0] == '\0' ? NULL : a->detail};
    struct error err = {BL_OK, 0, ""};

    snprintf(a->detail, sizeof a->detail, "%s: %s", a->r->product->name,
             a->said);
    if (rollout_apply(a->s, a->r, next, &act, &err) != 0) {
        api_store_error(a->rq, &err);
        return;
    }
    rollout_reply(a->s, a->rq, 200, a->r);
}

/* A reason or a note: one line, cut to what there is room for. */
static const char *said(struct action *a, const char *member)
{
    const char *text = json_string_value(json_object_get(a->body, member));

    snprintf(a->said, sizeof a->said, "%s", text == NULL ? "" : text);
    rollout_clip(a->said);
    for (char *p = a->said; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            *p = ' ';
        }
    }
    return a->said;
}

static void pause_it(struct action *a)
{
    struct rollout_next next;
    const char *why = said(a, "reason");
    uint32_t wait = not_begun(a, a->r->plan.n_stages - 1);
    char text[300];

    if (a->r->state != ROLLOUT_RUNNING) {
        refuse(a, "only a running one can be paused");
        return;
    }
    if (only_asked(a)) {
        snprintf(text, sizeof text,
                 "no new device is offered %s: %" PRIu32 " that %s not begun "
                 "wait%s; %" PRIu32 " that %s begun go%s on",
                 a->r->release->version, wait, wait == 1 ? "has" : "have",
                 wait == 1 ? "s" : "", under_way(a->r),
                 under_way(a->r) == 1 ? "has" : "have",
                 under_way(a->r) == 1 ? "es" : "");
        touches(a, wait, text);
        return;
    }
    rollout_now(a->r, &next);
    next.state = ROLLOUT_PAUSED;
    next.steering.gates_since = 0; /* nobody steers meanwhile */
    rollout_next_reason(&next, a->rq->actor, "paused by %s%s%s", a->rq->actor,
                        why[0] == '\0' ? "" : ": ", why);
    apply(a, &next, "rollout-pause", "paused");
}

/* What has failed so far has been seen: it does not pause it once more. */
static void note_failures(struct action *a, struct rollout_next *next)
{
    struct steer_facts f;
    struct steer_verdict v;

    rollout_steer_facts(a->s, a->r, a->r->stage, a->c, &f);
    steer_decide(&f, &v);
    next->steering.seen_failures = v.failures;
    next->steering.seen_bad_signature = f.now.bad_signature;
}

/* What has failed so far, and what resuming means for it. */
static void say_failed(struct action *a, char *out, size_t size)
{
    struct steer_facts f;
    struct steer_verdict v;

    rollout_steer_facts(a->s, a->r, a->r->stage, a->c, &f);
    steer_decide(&f, &v);
    out[0] = '\0';
    if (v.failures > 0) {
        snprintf(out, size,
                 "; %" PRIu32 " of %" PRIu32 " failed so far: it pauses "
                 "itself again only when more fail; to let these try again, "
                 "retry",
                 v.failures, v.sample);
    }
}

static void resume_it(struct action *a)
{
    uint32_t next_ones = not_begun(a, a->r->stage);
    struct rollout_next next;
    char failed[200];
    char text[400];

    if (a->r->state != ROLLOUT_PAUSED) {
        refuse(a, "only a paused one can be resumed");
        return;
    }
    if (only_asked(a)) {
        say_failed(a, failed, sizeof failed);
        snprintf(text, sizeof text,
                 "%" PRIu32 " device%s of the stage may be offered %s again%s",
                 next_ones, s_of(next_ones), a->r->release->version, failed);
        touches(a, next_ones, text);
        return;
    }
    rollout_now(a->r, &next);
    next.state = ROLLOUT_RUNNING;
    next.steering.gates_since = 0;
    next.steering.reason[0] = '\0';
    next.steering.by[0] = '\0';
    note_failures(a, &next);
    apply(a, &next, "rollout-resume", "resumed");
}

static void abort_it(struct action *a)
{
    const json_t *recall = json_object_get(a->body, "recall");
    bool back = !json_is_false(recall);
    const char *why = said(a, "reason");
    uint32_t begun = under_way(a->r) +
                     atomic_load(&a->r->count[BL_STATE_OFFERED]) +
                     atomic_load(&a->r->count[BL_STATE_WAITING]);
    struct rollout_next next;
    char text[300];

    if (!rollout_open(a->r->state)) {
        refuse(a, "it has ended already");
        return;
    }
    if (only_asked(a)) {
        snprintf(text, sizeof text,
                 "%" PRIu32 " device%s under way: who has not installed %s "
                 "yet %s; who runs it keeps it",
                 begun, s_of(begun), a->r->release->version,
                 back ? "goes back to what it runs" : "goes on");
        touches(a, begun, text);
        return;
    }
    rollout_now(a->r, &next);
    next.state = ROLLOUT_ABORTED;
    next.steering.recall = back;
    rollout_next_reason(&next, a->rq->actor, "aborted by %s%s%s%s",
                        a->rq->actor, why[0] == '\0' ? "" : ": ", why,
                        back ? "" : "; who had begun may end it");
    apply(a, &next, "rollout-abort", "aborted");
}

/* Gates that merely wait may be passed by hand; what has failed, only by one
 * who says that it was seen. */
static bool may_advance(struct action *a, const struct steer_verdict *v)
{
    const struct rollout *r = a->r;

    if (json_is_true(json_object_get(a->body, "force"))) {
        return true;
    }
    if (census_of(a->c, r->id) == NULL || !a->c->whole) {
        api_error(a->rq, 409, "failed",
                  "the devices of rollout %" PRIu64 " are being counted: try "
                  "again in a moment; force: true advances without",
                  r->id);
        return false;
    }
    if (v->failures == 0 && v->gate[GATE_FAILED].state == GATE_PASSED) {
        return true;
    }
    api_error(a->rq, 409, "failed",
              "stage %" PRIu32 " of rollout %" PRIu64
              ": %s; force: true advances all the same",
              r->stage + 1, r->id, v->gate[GATE_FAILED].text);
    return false;
}

/* In the last stage there is only the end to agree to. */
static bool can_advance(struct action *a)
{
    const struct rollout *r = a->r;
    bool last = r->stage + 1 >= r->plan.n_stages;

    if (r->state != ROLLOUT_RUNNING) {
        refuse(a, "only a running one can advance");
        return false;
    }
    if (last &&
        (!r->plan.stage[r->stage].gates.manual || r->steering.advance_asked)) {
        refuse(a, "it is in its last stage");
        return false;
    }
    return true;
}

/* It finishes by itself when the other gates are passed, too. */
static void agree_to_end(struct action *a)
{
    struct rollout_next next;

    rollout_now(a->r, &next);
    next.steering.advance_asked = true;
    apply(a, &next, "rollout-advance", "advanced");
}

static void advance_it(struct action *a)
{
    struct rollout *r = a->r;
    bool last = r->stage + 1 >= r->plan.n_stages;
    uint32_t before = rollout_devices(r, r->stage, a->c);
    struct rollout_next next;
    struct steer_facts f;
    struct steer_verdict v;
    char text[300];
    uint32_t more;

    if (!can_advance(a)) {
        return;
    }
    if (last && only_asked(a)) {
        touches(a, 0, "it finishes once its other gates are passed");
        return;
    }
    rollout_steer_facts(a->s, r, r->stage, a->c, &f);
    steer_decide(&f, &v);
    if (!only_asked(a) && !may_advance(a, &v)) {
        return;
    }
    if (last) {
        agree_to_end(a);
        return;
    }
    more = rollout_devices(r, r->stage + 1, a->c) - before;
    if (only_asked(a)) {
        snprintf(text, sizeof text,
                 "%" PRIu32 " more device%s may be offered %s: stage %" PRIu32
                 " of %" PRIu32,
                 more, s_of(more), r->release->version, r->stage + 2,
                 r->plan.n_stages);
        touches(a, more, text);
        return;
    }
    rollout_now(r, &next);
    rollout_next_stage(&next, (uint64_t)time(NULL));
    next.steering.confirmed_at_start = f.now.confirmed;
    apply(a, &next, "rollout-advance", "advanced");
}

/* --- Four eyes ------------------------------------------------------------
 */

static bool has_approved(struct server *s, const struct steering *st,
                         const char *who)
{
    for (uint32_t i = 0; i < st->n_approvals; i++) {
        const struct steering_approval *a = &st->approval[i];

        if (access_is_person(s, a->person, a->by, who)) {
            return true;
        }
    }
    return false;
}

static bool may_judge(struct action *a)
{
    const struct steering *st = &a->r->steering;

    if (a->r->state != ROLLOUT_APPROVAL) {
        refuse(a, "it waits for no approval");
        return false;
    }
    if (access_is_person(a->s, st->person, st->created_by, a->rq->actor)) {
        api_error(a->rq, 403, "own",
                  "%s made this rollout: somebody else must approve it",
                  a->rq->actor);
        return false;
    }
    if (has_approved(a->s, st, a->rq->actor)) {
        api_error(a->rq, 409, "state", "%s has approved it already",
                  a->rq->actor);
        return false;
    }
    return true;
}

static void approve_it(struct action *a)
{
    struct rollout_next next;
    struct steering_approval *one;
    uint64_t now = (uint64_t)time(NULL);
    const char *note = said(a, "note");

    if (!may_judge(a)) {
        return;
    }
    rollout_now(a->r, &next);
    if (next.steering.n_approvals < STEERING_APPROVALS) {
        one = &next.steering.approval[next.steering.n_approvals++];
        snprintf(one->by, sizeof one->by, "%s", a->rq->actor);
        people_owner(&a->s->people, a->rq->actor, one->person);
        snprintf(one->note, sizeof one->note, "%s", note);
        one->when = now;
    }
    if (next.steering.n_approvals >= settings_approvals(a->s)) {
        if (a->r->plan.start_at > clock_now(a->s)) {
            next.state = ROLLOUT_SCHEDULED;
        } else {
            rollout_next_begin(&next, now);
        }
    }
    apply(a, &next, "rollout-approve", "approved");
}

static void deny_it(struct action *a)
{
    const char *note = said(a, "note");
    struct rollout_next next;

    if (a->r->state != ROLLOUT_APPROVAL) {
        refuse(a, "it waits for no approval");
        return;
    }
    rollout_now(a->r, &next);
    next.state = ROLLOUT_ABORTED;
    rollout_next_reason(&next, a->rq->actor, "denied by %s%s%s", a->rq->actor,
                        note[0] == '\0' ? "" : ": ", note);
    apply(a, &next, "rollout-deny", "aborted");
}

/* --- Another try ----------------------------------------------------------
 */

/* What failed stays counted as failed until it is made good: d->s.faulted. */
static bool retry_device(struct server *s, const struct rollout *r,
                         struct device *d)
{
    struct outcome_mark mark = outcome_mark(d);
    struct outcome outcome;
    struct journal_news news = {NULL, 0, &outcome, 0, false};

    if (d->s.offer != r->id * 2 || !rollout_bad(d->s.outcome)) {
        return false;
    }
    report_outcome(&s->catalog, d, BL_STATE_OFFERED, 0);
    d->s.attempts = 0;
    d->s.quarantined_until = 0;
    d->s.faulted = 1;
    news.n_outcomes = outcome_changed(&mark, d, &outcome);
    journal_state(s->journal, d, &news);
    return true;
}

static uint32_t retry_devices(struct server *s, struct rollout *r, bool doing)
{
    uint32_t n = atomic_load(&r->lost.n);

    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (doing) {
            n += retry_device(s, r, d);
        } else {
            n += d->s.offer == r->id * 2 && rollout_bad(d->s.outcome);
        }
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (doing) {
        number_set_clear(&r->lost);
    }
    return n;
}

/* Of those that were offered another rollout since: in the table, too. They
 * stay failed until they make it good. */
static int forget_lost(struct action *a, struct error *err)
{
    struct store *store = &a->s->store;

    if (atomic_load(&a->r->failed.n) == 0) {
        return 0;
    }
    if (store_begin(store, err) != 0) {
        return -1;
    }
    if (db_run(&store->db, err,
               "UPDATE outcomes SET failed = 2"
               " WHERE rollout = ? AND failed = 1",
               "i", (int64_t)a->r->id) != 0 ||
        db_run(&store->db, err,
               "UPDATE outcomes SET outcome = ?, code = 0, reset = 0"
               " WHERE rollout = ? AND outcome > 8",
               "ii", (int64_t)BL_STATE_OFFERED, (int64_t)a->r->id) != 0) {
        return store_abort(store);
    }
    return store_commit(store, err);
}

static void retry_it(struct action *a)
{
    struct error err = {BL_OK, 0, ""};
    struct rollout_next next;
    char text[200];
    uint32_t n;

    if (!rollout_open(a->r->state)) {
        refuse(a, "it has ended");
        return;
    }
    if (only_asked(a)) {
        n = retry_devices(a->s, a->r, false);
        snprintf(text, sizeof text,
                 "%" PRIu32 " device%s that did not keep %s may try it again",
                 n, s_of(n), a->r->release->version);
        touches(a, n, text);
        return;
    }
    if (forget_lost(a, &err) != 0) {
        api_store_error(a->rq, &err);
        return;
    }
    retry_devices(a->s, a->r, true);
    rollout_now(a->r, &next);
    apply(a, &next, "rollout-retry", "counts");
}

/* --- Return ---------------------------------------------------------------
 */

static void return_it(struct action *a)
{
    struct return_wish wish = {.actor = a->rq->actor,
                               .approval = settings_four_eyes(a->s)};
    struct error err = {BL_OK, 0, ""};

    if (a->r->kind != ROLLOUT_UPDATE || a->r->state == ROLLOUT_APPROVAL ||
        a->r->state == ROLLOUT_SCHEDULED) {
        refuse(a, "nothing was updated by it that could return");
        return;
    }
    if (return_read_permits(a->body, &wish, &err) != 0) {
        api_error(a->rq, 400, "permits", "%s", err.text);
    } else if (only_asked(a)) {
        api_json(a->rq, 200, return_json(a->s, a->r, &wish));
    } else if (return_begin(a->s, a->r, &wish, &err) != 0) {
        if (err.status != BL_OK) {
            api_error(a->rq, 422, bl_status_name(err.status), "%s", err.text);
        } else if (err.code == RETURN_NOTHING) {
            api_error(a->rq, 409, "nothing", "%s", err.text);
        } else {
            api_store_error(a->rq, &err);
        }
    } else {
        rollout_reply(a->s, a->rq, 200, a->r);
    }
    return_free(&wish);
}

static void preview_return(struct server *s, struct http_request *rq)
{
    struct return_wish wish = {.actor = rq->actor};
    struct rollout *r;

    pthread_mutex_lock(&s->admin);
    r = rollout_named(s, rq);
    if (r != NULL) {
        api_json(rq, 200, return_json(s, r, &wish));
    }
    pthread_mutex_unlock(&s->admin);
}

/* --- Routes ---------------------------------------------------------------
 */

static void act(struct server *s, struct http_request *rq,
                void (*how)(struct action *))
{
    json_t *body = rq->body.n == 0 ? json_object() : api_body(rq);
    struct action a = {.s = s, .rq = rq, .body = body};

    if (body == NULL) {
        return;
    }
    pthread_mutex_lock(&s->admin);
    a.r = rollout_named(s, rq);
    if (a.r != NULL) {
        a.c = census_fresh(s);
        how(&a);
        census_release(a.c);
    }
    pthread_mutex_unlock(&s->admin);
    json_decref(body);
}

void rollout_pause(struct server *s, struct http_request *rq)
{
    act(s, rq, pause_it);
}

void rollout_resume(struct server *s, struct http_request *rq)
{
    act(s, rq, resume_it);
}

void rollout_abort(struct server *s, struct http_request *rq)
{
    act(s, rq, abort_it);
}

void rollout_advance(struct server *s, struct http_request *rq)
{
    act(s, rq, advance_it);
}

void rollout_approve(struct server *s, struct http_request *rq)
{
    act(s, rq, approve_it);
}

void rollout_deny(struct server *s, struct http_request *rq)
{
    act(s, rq, deny_it);
}

static void retry(struct server *s, struct http_request *rq)
{
    act(s, rq, retry_it);
}

static void send_back(struct server *s, struct http_request *rq)
{
    act(s, rq, return_it);
}

/* What is done never waits behind what is only asked. */
static void ask_or_do(struct server *s, struct http_request *rq,
                      worker_job *job)
{
    if (is_question(rq)) {
        worker_walk(s->walks, rq, job);
    } else {
        worker_change(s->changes, rq, job);
    }
}

void rollout_retry(struct server *s, struct http_request *rq)
{
    ask_or_do(s, rq, retry);
}

void rollout_return(struct server *s, struct http_request *rq)
{
    ask_or_do(s, rq, send_back);
}

void rollout_return_preview(struct server *s, struct http_request *rq)
{
    worker_walk(s->walks, rq, preview_return);
}
