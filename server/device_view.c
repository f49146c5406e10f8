/* SPDX-License-Identifier: Apache-2.0 */
/* A device as JSON. */
#include "device_view.h"

#include "decide.h"
#include "host/file.h"

#include <stdio.h>

static const char *wait_name(uint8_t wait)
{
    static const char *const name[] = {"", "window", "consent", "battery",
                                       "network"};

    return wait < 5 ? name[wait] : "unknown";
}

json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static const char *noted_version(struct server *s, const struct device *d)
{
    const struct product *p = catalog_product_number(&s->catalog, d->product);
    const struct release *r =
        catalog_release_sequence(&s->catalog, p, d->s.noted_sequence);

    return r == NULL ? "a release" : r->version;
}

/* "returned from 1.2.0: boot-tries (watchdog)" */
static json_t *history(struct server *s, const struct device *d)
{
    char text[256];
    uint8_t state = d->s.noted_state;
    const char *code = bl_status_name((bl_status)d->s.noted_code);
    const char *version;

    if (d->s.first_seen == 0) {
        return json_string("never seen");
    }
    if (state < BL_STATE_CONFIRMED && d->s.noted_code == BL_OK) {
        return json_string("");
    }
    version = noted_version(s, d);
    if (state == BL_STATE_CONFIRMED) {
        snprintf(text, sizeof text, "confirmed %s", version);
    } else if (state == BL_STATE_RETURNED && d->s.noted_reset != 0) {
        snprintf(text, sizeof text, "returned from %s: %s (%s)", version, code,
                 bl_reset_cause_name((bl_reset_cause)d->s.noted_reset));
    } else if (state == BL_STATE_RETURNED) {
        snprintf(text, sizeof text, "returned from %s: %s", version, code);
    } else {
        snprintf(text, sizeof text, "%s %s: %s",
                 bl_device_state_name((bl_device_state)state), version, code);
    }
    return json_string(text);
}

static const char *target_kind(uint64_t order, const struct rollout *r)
{
    if (order % 2 == 1) {
        return "device";
    }
    return r != NULL && r->kind == ROLLOUT_ROLLBACK ? "product" : "rollout";
}

static json_t *target(struct server *s, struct device *d, bool *updated)
{
    uint64_t order;
    struct rollout_verdict v = device_decide(s, d, &order);
    const struct release *release;
    const struct rollout *rollout;
    bl_span permit;

    *updated = false;
    if (!v.wanted) {
        return json_null();
    }
    release = catalog_offer(&s->catalog, d->pin, order, &permit);
    rollout = order % 2 == 0 ? catalog_rollout(&s->catalog, order / 2) : NULL;
    *updated = d->s.offer == order && d->s.outcome == BL_STATE_CONFIRMED &&
               v.why == ROLLOUT_RUNS;
    return json_pack("{s:s, s:o, s:o, s:s}", "version", release->version,
                     "manifest", api_hex(release->manifest, 32), "rollout",
                     rollout == NULL ? json_null()
                                     : json_integer((json_int_t)rollout->id),
                     "kind", target_kind(order, rollout));
}

static const char *why_text(const struct device *d, enum rollout_why why)
{
    if (d->s.first_seen == 0) {
        return "it has not been seen yet";
    }
    switch (why) {
    case ROLLOUT_STAGE:
        return "its turn comes in a later stage";
    case ROLLOUT_PAUSE:
        return "the rollout is paused";
    case ROLLOUT_TRIED:
        return "it tried this release and did not keep it";
    case ROLLOUT_NEWER:
        return "it has, or has tried, something newer";
    case ROLLOUT_FLOOR:
        return "its anti-rollback floor is above the release's sequence "
               "number; release it again, under a new version";
    case ROLLOUT_TRIAL:
        return "the image it runs is still on trial";
    case ROLLOUT_RUNS:
        return d->s.confirmed != 0 ? "it runs what it should"
                                   : "it runs what it should, still on trial";
    case ROLLOUT_OFFER:
        return "an update is offered";
    case ROLLOUT_NOTHING:
    default:
        return "no rollout wants anything of it";
    }
}

static json_t *when(uint32_t seconds)
{
    return seconds == 0 ? json_null() : json_integer(seconds);
}

static json_t *progress(const struct device_state *s)
{
    if (s->state != BL_STATE_DOWNLOADING || s->total == 0) {
        return json_null();
    }
    return json_pack("{s:I, s:I}", "done", (json_int_t)s->done, "total",
                     (json_int_t)s->total);
}

static void add_reported(json_t *out, struct server *s, const struct device *d)
{
    const struct device_state *st = &d->s;
    bool seen = st->first_seen != 0;
    json_t *code =
        st->noted_code == 0
            ? json_null()
            : json_string(bl_status_name((bl_status)st->noted_code));
    json_t *part = json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:o, s:b, s:s, s:o, s:s, s:o, s:o, s:o,"
        " s:o, s:I, s:I, s:o}",
        "hardware", st->hardware, "version", st->version, "sequence",
        (json_int_t)st->sequence, "manifest",
        seen ? api_hex(st->manifest, 32) : json_null(), "image",
        seen ? api_hex(st->image, 32) : json_null(), "slot",
        seen ? json_string(st->slot == 0 ? "A" : "B") : json_null(),
        "confirmed", st->confirmed != 0, "state",
        bl_device_state_name((bl_device_state)st->state), "code", code,
        "reset", bl_reset_cause_name((bl_reset_cause)st->noted_reset),
        "progress", progress(st), "wait",
        text_or_null(st->state == BL_STATE_WAITING ? wait_name(st->wait)
                                                   : NULL),
        "last_seen", when(st->last_seen), "first_seen", when(st->first_seen),
        "root_version", (json_int_t)st->root_version, "floor",
        (json_int_t)st->floor, "history", history(s, d));

    json_object_update(out, part);
    json_decref(part);
}

json_t *device_json(struct server *s, struct device *d)
{
    const struct product *p = catalog_product_number(&s->catalog, d->product);
    json_t *tags = json_loads(d->tags, 0, NULL);
    json_t *out =
        json_pack("{s:o, s:s, s:s, s:o}", "id", api_hex(d->id, BL_ID_SIZE),
                  "name", d->name, "product", p->name, "tags",
                  tags == NULL ? json_array() : tags);
    uint64_t order;
    struct rollout_verdict v = device_decide(s, d, &order);
    bool updated;

    add_reported(out, s, d);
    json_object_set_new(out, "target", target(s, d, &updated));
    json_object_set_new(out, "updated", json_boolean(updated));
    json_object_set_new(out, "why", json_string(why_text(d, v.why)));
    return out;
}

struct device *device_named(struct server *s, struct http_request *rq)
{
    uint8_t id[16];
    struct device *d = NULL;

    if (hex_decode(rq->param[0], strlen(rq->param[0]), id, 16) == 0) {
        d = devices_lock(s->devices, id);
    }
    if (d == NULL) {
        api_error(rq, 404, "not-found", "there is no device %s", rq->param[0]);
    }
    return d;
}
