/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as JSON. */
#include "rollout_view.h"

#include "host/advice.h"
#include "rollout_steer.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEVICES_SHOWN = 100, REASONS_SHOWN = 20 };

void rollout_blocked_reason(uint32_t blocked, uint32_t devices,
                            const struct release *release, char *out,
                            size_t size)
{
    if (blocked == 0) {
        out[0] = '\0';
        return;
    }
    snprintf(
        out, size,
        "%" PRIu32 " of %" PRIu32 " devices have a floor above the "
        "release's sequence number %" PRIu64 ", or run something newer; "
        "release it again under a new version, with a new sequence number",
        blocked, devices, release->sequence);
}

/* --- Counts ---------------------------------------------------------------
 */

static json_int_t counted(const struct rollout *r, int outcome)
{
    return (json_int_t)atomic_load(&r->count[outcome]);
}

/* What goes on is counted in memory; what has ended, in the table. */
static json_t *counts_json(struct server *s, const struct rollout *r,
                           const struct census *c)
{
    const struct census_rollout *found = census_of(c, r->id);
    uint32_t ended[BL_STATE_REFUSED + 1];
    struct steer_counts sum;

    census_sum(found, r->stage, &sum);
    outcome_counts(&s->store, r->id, ended, NULL);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
        " s:I, s:I, s:I}",
        "eligible", (json_int_t)rollout_devices(r, r->stage, c), "untouched",
        (json_int_t)sum.untouched, "offered", counted(r, BL_STATE_OFFERED),
        "waiting", counted(r, BL_STATE_WAITING), "downloading",
        counted(r, BL_STATE_DOWNLOADING), "verifying",
        counted(r, BL_STATE_VERIFYING), "installing",
        counted(r, BL_STATE_INSTALLING), "rebooting",
        counted(r, BL_STATE_REBOOTING), "testing",
        counted(r, BL_STATE_TESTING), "confirmed",
        (json_int_t)ended[BL_STATE_CONFIRMED], "returned",
        (json_int_t)ended[BL_STATE_RETURNED], "failed",
        (json_int_t)ended[BL_STATE_FAILED], "refused",
        (json_int_t)ended[BL_STATE_REFUSED], "silent", (json_int_t)sum.silent,
        "quarantined", (json_int_t)(found == NULL ? 0 : found->quarantined),
        "held", (json_int_t)(found == NULL ? 0 : found->held));
}

static json_t *failure_json(const struct server *s, const struct rollout *r,
                            const struct census *c)
{
    struct steer_facts f;
    struct steer_verdict v;

    rollout_steer_facts(s, r, r->stage, c, &f);
    steer_decide(&f, &v);
    return json_pack("{s:I, s:I, s:f, s:f}", "failures",
                     (json_int_t)v.failures, "sample", (json_int_t)v.sample,
                     "low", v.failed_low, "high", v.failed_high);
}

static json_t *blocked_json(const struct rollout *r, const struct census *c)
{
    const struct census_rollout *found = census_of(c, r->id);
    uint32_t blocked = r->blocked;
    uint32_t devices = r->targets;
    char reason[256];

    if (!r->ended) {
        blocked = found == NULL ? 0 : found->blocked;
        devices = found == NULL ? 0 : found->targets;
    } else if (devices == 0) {
        /* Its end was written by a server that kept no such number: the last
         * stage held those that were not blocked. */
        devices = blocked + r->stage_devices[r->plan.n_stages - 1];
    }
    rollout_blocked_reason(blocked, devices, r->release, reason,
                           sizeof reason);
    return json_pack("{s:I, s:s}", "count", (json_int_t)blocked, "reason",
                     reason);
}

static void put_awaited(json_t *list, const struct census_list *from,
                        const char *why)
{
    for (uint32_t i = 0; i < from->n && i < CENSUS_NAMES &&
                         json_array_size(list) < CENSUS_NAMES;
         i++) {
        const struct census_device *d = &from->first[i];

        json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:o}", "id",
                                              api_hex(d->id, 16), "name",
                                              d->name, "why", why, "last_seen",
                                              time_or_null(d->last_seen)));
    }
}

static json_t *waiting_json(const struct rollout *r, const struct census *c)
{
    static const struct census_rollout none;
    const struct census_rollout *found = census_of(c, r->id);
    bool goes_on = r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_PAUSED;
    json_t *list = json_array();

    if (found == NULL || !goes_on) {
        found = &none;
    }
    put_awaited(list, &found->unseen, "never seen");
    put_awaited(list, &found->silent, "silent");
    return json_pack("{s:I, s:o}", "count",
                     (json_int_t)found->unseen.n + found->silent.n, "devices",
                     list);
}

static json_t *bytes_json(const struct rollout *r)
{
    uint64_t sent = r->steering.sent + atomic_load(&r->sent);
    uint64_t saved = r->steering.saved + atomic_load(&r->saved);

    uint64_t delta = r->steering.delta_saved + atomic_load(&r->delta_saved);
    uint64_t devices =
        r->steering.delta_devices + atomic_load(&r->delta_devices);

    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "payload",
                     (json_int_t)r->release->payload_bytes, "sent",
                     (json_int_t)sent, "saved", (json_int_t)saved,
                     "delta_saved", (json_int_t)delta, "delta_devices",
                     (json_int_t)devices);
}

/* Clients that are not ours: apart from all other counts. */
static json_t *unmanaged_json(const struct server *s, const struct rollout *r)
{
    struct unmanaged_tally t =
        unmanaged_tally(s->unmanaged, r->id * 2, r->release->number);

    const char *channel =
        r->plan.channel[0] == '\0' ? "stable" : r->plan.channel;

    return json_pack(
        "{s:I, s:I, s:o}", "got", (json_int_t)t.got, "runs",
        (json_int_t)t.runs, "path",
        atomic_load(&r->product->unmanaged)
            ? json_sprintf("/p/%s/%s/firmware.bin", r->product->name, channel)
            : json_null());
}

/* --- Who did not keep it --------------------------------------------------
 */

struct outcomes {
    json_t *list;
    uint32_t limit;
    uint64_t last; /* device of the last one taken in */
    bool more;
};

static void id_text(const struct outcome_row *row, char out[33])
{
    out[0] = '\0';
    if (row->id.n == 16) {
        hex_encode(row->id.p, 16, out);
    }
}

json_t *rollout_outcome_json(const struct outcome_row *row)
{
    bl_status code = (bl_status)row->code;
    char id[33];

    id_text(row, id);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", id,
                     "name", row->name, "outcome",
                     bl_device_state_name((bl_device_state)row->outcome),
                     "code", bl_status_name(code), "meaning",
                     bl_status_meaning(code), "reset",
                     bl_reset_cause_name((bl_reset_cause)row->reset),
                     "version", row->version, "when", (json_int_t)row->time);
}

static void add_outcome(void *ctx, const struct outcome_row *row)
{
    struct outcomes *o = ctx;

    if (json_array_size(o->list) == o->limit) {
        o->more = true;
        return;
    }
    o->last = row->device;
    json_array_append_new(o->list, rollout_outcome_json(row));
}

static json_t *lost_json(struct server *s, const struct rollout *r)
{
    struct outcomes o = {json_array(), DEVICES_SHOWN, 0, false};

    outcome_lost(&s->store, r->id, DEVICES_SHOWN, add_outcome, &o, NULL);
    return o.list;
}

struct reasons {
    json_t *list;
    json_t *first; /* of all of them */
    uint64_t first_time;
};

static void add_reason(void *ctx, const struct outcome_reason *reason)
{
    struct reasons *out = ctx;
    const struct outcome_row *row = &reason->first;
    bl_status code = (bl_status)row->code;
    char id[33];

    id_text(row, id);
    json_array_append_new(
        out->list,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:{s:s, s:s, s:I}}", "code",
                  bl_status_name(code), "meaning", bl_status_meaning(code),
                  "advice", status_advice(code), "outcome",
                  bl_device_state_name((bl_device_state)row->outcome),
                  "hardware", reason->hardware, "count",
                  (json_int_t)reason->count, "first", "id", id, "name",
                  row->name, "when", (json_int_t)row->time));
    if (out->first == NULL || row->time < out->first_time) {
        json_decref(out->first);
        out->first_time = row->time;
        out->first = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "id", id,
                               "name", row->name, "code", bl_status_name(code),
                               "meaning", bl_status_meaning(code), "reset",
                               bl_reset_cause_name((bl_reset_cause)row->reset),
                               "when", (json_int_t)row->time);
    }
}

static void put_reasons(struct server *s, const struct rollout *r, json_t *out)
{
    struct reasons reasons = {json_array(), NULL, 0};

    outcome_reasons(&s->store, r->id, REASONS_SHOWN, add_reason, &reasons,
                    NULL);
    json_object_set_new(out, "reasons", reasons.list);
    json_object_set_new(out, "first_failed",
                        reasons.first == NULL ? json_null() : reasons.first);
}

/* --- The whole ------------------------------------------------------------
 */

static json_t *policy_json(const struct plan *p)
{
    return json_pack("{s:I, s:b, s:b, s:b, s:o}", "min_battery_percent",
                     (json_int_t)p->min_battery_percent, "metered", p->metered,
                     "roaming", p->roaming, "consent", p->consent, "deadline",
                     time_or_null(p->deadline));
}

static json_t *approvals_json(struct server *s, const struct rollout *r)
{
    const struct steering *st = &r->steering;
    json_t *given = json_array();

    for (uint32_t i = 0; i < st->n_approvals; i++) {
        const struct steering_approval *a = &st->approval[i];

        json_array_append_new(given,
                              json_pack("{s:s, s:I, s:s}", "by", a->by, "when",
                                        (json_int_t)a->when, "note", a->note));
    }
    return json_pack(
        "{s:I, s:o}", "needed",
        (json_int_t)(r->state == ROLLOUT_APPROVAL ? settings_approvals(s) : 0),
        "given", given);
}

static json_t *returns_json(const struct steering *st)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < st->n_returns; i++) {
        json_array_append_new(list, json_integer((json_int_t)st->returns[i]));
    }
    return list;
}

static const char *strategy_of(const struct plan *p)
{
    if (p->n_stages == 1) {
        return "immediate";
    }
    return p->stage[0].percent == 0 ? "canary" : "staged";
}

static json_t *facts_json(const struct rollout *r)
{
    const struct steering *st = &r->steering;
    char salt[24];

    snprintf(salt, sizeof salt, "%" PRIu64, r->id);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:o, s:s, s:b, s:I, s:s, s:s, s:s, s:s, s:s,"
        " s:I, s:s, s:I, s:s, s:o, s:I, s:o, s:o}",
        "id", (json_int_t)r->id, "name", r->name, "product", r->product->name,
        "version", r->release->version, "manifest",
        api_hex(r->release->manifest, 32), "kind", rollout_kind_name(r->kind),
        "security", r->plan.security || r->release->security, "priority",
        (json_int_t)r->plan.priority, "channel", r->plan.channel, "strategy",
        strategy_of(&r->plan), "state", rollout_state_name(r->state),
        "state_reason", st->reason, "state_by", st->by, "stage",
        (json_int_t)r->stage, "salt", salt, "created", (json_int_t)r->created,
        "created_by", st->created_by, "started", time_or_null(st->started),
        "changed", (json_int_t)r->changed, "returns", returns_json(st),
        "returns_from", time_or_null(st->returns_from));
}

bool rollout_needs_person(const struct server *s, const struct rollout *r,
                          const struct census *c)
{
    struct steer_facts f;
    struct steer_verdict v;

    if (r->state != ROLLOUT_RUNNING) {
        return r->state == ROLLOUT_APPROVAL || r->state == ROLLOUT_PAUSED;
    }
    if (!c->whole || census_of(c, r->id) == NULL) {
        return false;
    }
    rollout_steer_facts(s, r, r->stage, c, &f);
    steer_decide(&f, &v);
    return v.person;
}

static void put_state(struct server *s, struct rollout *r,
                      const struct census *c, json_t *out)
{
    char status[600];
    bool person = rollout_needs_person(s, r, c);

    rollout_status(s, r, c, status, sizeof status);
    json_object_set_new(out, "needs_person", json_boolean(person));
    json_object_set_new(out, "status", json_string(status));
    json_object_set_new(out, "stages", rollout_stages_json(s, r, c));
    json_object_set_new(out, "counts", counts_json(s, r, c));
    json_object_set_new(out, "failure", failure_json(s, r, c));
    json_object_set_new(
        out, "expected_finish",
        time_or_null(person ? 0 : rollout_expected_finish(s, r, c)));
    json_object_set_new(out, "blocked", blocked_json(r, c));
    json_object_set_new(out, "waiting_for", waiting_json(r, c));
    json_object_set_new(out, "bytes", bytes_json(r));
    json_object_set_new(out, "unmanaged", unmanaged_json(s, r));
    json_object_set_new(out, "approvals", approvals_json(s, r));
}

json_t *rollout_json(struct server *s, struct rollout *r,
                     const struct census *c, bool whole)
{
    json_t *out = facts_json(r);

    put_state(s, r, c, out);
    json_object_set_new(out, "policy", policy_json(&r->plan));
    if (whole) {
        json_object_set_new(out, "plan", plan_json(&r->plan));
        json_object_set_new(out, "devices", lost_json(s, r));
        put_reasons(s, r, out);
    }
    return out;
}

void rollout_reply(struct server *s, struct http_request *rq, int status,
                   struct rollout *r)
{
    const struct census *c = census_fresh(s);

    api_json(rq, status, rollout_json(s, r, c, true));
    census_release(c);
}

void rollout_reply_outcomes(struct server *s, struct http_request *rq,
                            const struct outcome_query *query)
{
    struct outcome_query one_more = *query;
    struct outcomes o = {json_array(), query->limit, 0, false};
    struct error err = {BL_OK, 0, ""};

    one_more.limit++;
    if (outcome_list(&s->store, &one_more, add_outcome, &o, &err) != 0) {
        json_decref(o.list);
        api_store_error(rq, &err);
        return;
    }
    api_list(rq, o.list, o.more ? o.last : 0);
}
