/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as JSON. */
#include "rollout_view.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEVICES_SHOWN = 100 };

static json_int_t counted(const struct rollout *r, int outcome)
{
    return (json_int_t)atomic_load(&r->count[outcome]);
}

/* What goes on is counted in memory; what has ended, in the table. */
static json_t *counts_json(struct server *s, const struct rollout *r)
{
    uint32_t ended[BL_STATE_REFUSED + 1];
    json_int_t installing = counted(r, BL_STATE_VERIFYING) +
                            counted(r, BL_STATE_INSTALLING) +
                            counted(r, BL_STATE_REBOOTING);

    outcome_counts(&s->store, r->id, ended, NULL);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                     "eligible", (json_int_t)rollout_devices(s, r, r->stage),
                     "offered", counted(r, BL_STATE_OFFERED), "waiting",
                     counted(r, BL_STATE_WAITING), "downloading",
                     counted(r, BL_STATE_DOWNLOADING), "installing",
                     installing, "testing", counted(r, BL_STATE_TESTING),
                     "confirmed", (json_int_t)ended[BL_STATE_CONFIRMED],
                     "returned", (json_int_t)ended[BL_STATE_RETURNED],
                     "failed", (json_int_t)ended[BL_STATE_FAILED], "refused",
                     (json_int_t)ended[BL_STATE_REFUSED]);
}

static json_t *stages_json(struct server *s, const struct rollout *r)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < r->n_stages; i++) {
        json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:I}", "percent", (json_int_t)r->percent[i],
                      "limit_bucket", (json_int_t)r->limit[i], "devices",
                      (json_int_t)rollout_devices(s, r, i)));
    }
    return list;
}

static json_t *blocked_json(const struct rollout *r,
                            const struct rollout_look *look)
{
    char reason[256];

    rollout_blocked_reason(look, r->release, reason, sizeof reason);
    return json_pack("{s:I, s:s}", "count", (json_int_t)look->blocked,
                     "reason", reason);
}

static void put_awaited(json_t *list, const struct look_list *from,
                        const char *why)
{
    for (uint32_t i = 0;
         i < from->n && i < LOOK_NAMES && json_array_size(list) < LOOK_NAMES;
         i++) {
        const struct look_device *d = &from->first[i];

        json_array_append_new(
            list, json_pack("{s:o, s:s, s:s, s:o}", "id", api_hex(d->id, 16),
                            "name", d->name, "why", why, "last_seen",
                            d->last_seen == 0 ? json_null()
                                              : json_integer(d->last_seen)));
    }
}

static json_t *waiting_json(const struct rollout_look *look)
{
    json_t *list = json_array();

    put_awaited(list, &look->unseen, "never seen");
    put_awaited(list, &look->silent, "silent");
    return json_pack("{s:I, s:o}", "count",
                     (json_int_t)look->unseen.n + look->silent.n, "devices",
                     list);
}

struct outcomes {
    json_t *list;
    uint32_t limit;
    uint64_t last; /* device of the last one taken in */
    bool more;
};

static void add_outcome(void *ctx, const struct outcome_row *row)
{
    struct outcomes *o = ctx;
    bl_status code = (bl_status)row->code;
    char id[33] = "";

    if (json_array_size(o->list) == o->limit) {
        o->more = true;
        return;
    }
    if (row->id.n == 16) {
        hex_encode(row->id.p, 16, id);
    }
    o->last = row->device;
    json_array_append_new(
        o->list,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", id, "name",
                  row->name, "outcome",
                  bl_device_state_name((bl_device_state)row->outcome), "code",
                  bl_status_name(code), "meaning", bl_status_meaning(code),
                  "reset", bl_reset_cause_name((bl_reset_cause)row->reset),
                  "version", row->version, "when", (json_int_t)row->time));
}

static json_t *lost_json(struct server *s, const struct rollout *r)
{
    struct outcomes o = {json_array(), DEVICES_SHOWN, 0, false};

    outcome_lost(&s->store, r->id, DEVICES_SHOWN, add_outcome, &o, NULL);
    return o.list;
}

static json_t *facts_json(struct server *s, const struct rollout *r)
{
    char salt[24];

    snprintf(salt, sizeof salt, "%" PRIu64, r->id);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:I, s:s, s:I, s:I, s:I,"
        " s:o}",
        "id", (json_int_t)r->id, "name", r->name, "product", r->product->name,
        "version", r->release->version, "manifest",
        api_hex(r->release->manifest, 32), "kind", rollout_kind_name(r->kind),
        "state", rollout_state_name(r->state), "stages", stages_json(s, r),
        "stage", (json_int_t)r->stage, "salt", salt, "created",
        (json_int_t)r->created, "started", (json_int_t)r->created, "changed",
        (json_int_t)r->changed, "counts", counts_json(s, r));
}

json_t *rollout_json(struct server *s, struct rollout *r, bool whole)
{
    json_t *out = facts_json(s, r);
    struct rollout_look look = {0};

    if (r->ended) {
        look.devices = rollout_devices(s, r, r->n_stages - 1);
        look.blocked = r->blocked;
    } else if (r->state < ROLLOUT_ABORTED) {
        rollout_look(s, r->product, r->release, r, &look);
    }
    json_object_set_new(out, "blocked", blocked_json(r, &look));
    json_object_set_new(out, "waiting_for", waiting_json(&look));
    if (whole) {
        json_object_set_new(out, "devices", lost_json(s, r));
    }
    return out;
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
