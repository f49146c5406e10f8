/* SPDX-License-Identifier: Apache-2.0 */
/* A device as JSON. */
#include "device_view.h"

#include "census.h"
#include "decide.h"
#include "device_why.h"
#include "host/file.h"

#include <stdio.h>

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

static json_t *target(struct server *s, struct device *d,
                      const struct decision *x, bool *updated)
{
    bl_span permit;
    const struct release *release = decision_release(s, d, x, &permit);
    const struct rollout *rollout = decision_rollout(s, x, x->v.candidate);

    *updated = false;
    if (release == NULL) {
        return json_null();
    }
    *updated = d->s.offer == x->order && d->s.outcome == BL_STATE_CONFIRMED &&
               x->v.why == ROLLOUT_RUNS;
    return json_pack("{s:s, s:o, s:o, s:s}", "version", release->version,
                     "manifest", api_hex(release->manifest, 32), "rollout",
                     rollout == NULL ? json_null()
                                     : json_integer((json_int_t)rollout->id),
                     "kind", target_kind(x->order, rollout));
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
        text_or_null(st->state == BL_STATE_WAITING ? device_wait_name(st->wait)
                                                   : NULL),
        "last_seen", when(st->last_seen), "first_seen", when(st->first_seen),
        "root_version", (json_int_t)st->root_version, "floor",
        (json_int_t)st->floor, "history", history(s, d));

    json_object_update(out, part);
    json_decref(part);
}

/* --- What it says of itself -------------------------------------------------
 */

static json_t *network(const struct device_state *s)
{
    if ((s->link & DEVICE_LINK_KNOWN) == 0) {
        return json_null();
    }
    return json_string((s->link & DEVICE_ROAMING) != 0   ? "roaming"
                       : (s->link & DEVICE_METERED) != 0 ? "metered"
                                                         : "unmetered");
}

static json_t *number_unless(int value, int none)
{
    return value == none ? json_null() : json_integer(value);
}

static json_t *slot_json(const char *name, const struct release *r,
                         const uint8_t *manifest, const char *state)
{
    return json_pack("{s:s, s:s, s:o, s:s}", "slot", name, "version",
                     r == NULL ? "" : r->version, "manifest",
                     manifest == NULL ? json_null() : api_hex(manifest, 32),
                     "state", state);
}

/* What the other slot holds is what it was told before, as far as known: an
 * installation under way overwrites it. */
static json_t *slots(struct server *s, const struct device *d)
{
    static const uint8_t none[32] = {0};
    const struct device_state *st = &d->s;
    json_t *list = json_array();

    for (uint8_t i = 0; i < 2 && st->first_seen != 0; i++) {
        const char *name = i == 0 ? "A" : "B";
        const uint8_t *m = i == st->slot ? st->manifest : st->prev_manifest;
        bool known = memcmp(m, none, 32) != 0;
        bool busy =
            rollout_under_way(st->outcome) && st->outcome != BL_STATE_TESTING;

        if (i != st->slot && (!known || busy)) {
            json_array_append_new(list,
                                  slot_json(name, NULL, NULL, "unknown"));
            continue;
        }
        json_array_append_new(
            list, slot_json(name, catalog_release(&s->catalog, m), m,
                            i != st->slot        ? "previous"
                            : st->confirmed != 0 ? "running"
                                                 : "trial"));
    }
    return list;
}

static json_t *offer(struct server *s, const struct device *d)
{
    const struct rollout *r =
        d->s.offer % 2 == 1 ? NULL
                            : catalog_rollout(&s->catalog, d->s.offer / 2);

    if (r == NULL || d->s.outcome == BL_STATE_IDLE ||
        rollout_final(d->s.outcome)) {
        return json_null();
    }
    return json_pack("{s:I, s:s, s:s, s:o}", "rollout", (json_int_t)r->id,
                     "name", r->name, "version", r->release->version, "since",
                     when(d->s.offered_at));
}

static void add_more(json_t *out, struct server *s, const struct device *d)
{
    const struct device_state *st = &d->s;
    const struct release *before =
        catalog_release(&s->catalog, st->prev_manifest);
    json_t *attributes =
        d->attributes == NULL ? NULL : json_loads(d->attributes, 0, NULL);
    json_t *part = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:o, s:s}",
        "channel", d->channel == NULL ? "" : d->channel, "attributes",
        attributes == NULL ? json_object() : attributes, "battery",
        number_unless(st->battery, DEVICE_NO_BATTERY), "power",
        (st->link & DEVICE_POWER_KNOWN) == 0
            ? json_null()
            : json_boolean((st->link & DEVICE_POWERED) != 0),
        "network", network(st), "utc_offset",
        number_unless(st->utc_offset, DEVICE_NO_OFFSET), "tries",
        number_unless(st->tries, DEVICE_NO_TRIES), "attempts",
        (json_int_t)st->attempts, "quarantined_until",
        when(st->quarantined_until), "silent",
        st->first_seen != 0 && st->last_seen <= silent_before(s), "slots",
        slots(s, d), "offer", offer(s, d), "previous_version",
        before == NULL ? "" : before->version);

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
    char sentence[DEVICE_WHY];
    struct decision x;
    bool updated;

    device_decide(s, d, &x);
    device_sentence(s, d, &x, sentence);
    add_reported(out, s, d);
    add_more(out, s, d);
    json_object_set_new(out, "target", target(s, d, &x, &updated));
    json_object_set_new(out, "updated", json_boolean(updated));
    json_object_set_new(out, "why", json_string(sentence));
    json_object_set_new(out, "why_code",
                        json_string(d->s.first_seen == 0
                                        ? WHY_UNSEEN
                                        : rollout_why_name(x.v.why)));
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

int device_find(struct server *s, struct http_request *rq, uint32_t *number,
                uint32_t *product)
{
    struct device *d = device_named(s, rq);

    if (d == NULL) {
        return -1;
    }
    *number = d->number;
    *product = d->product;
    devices_unlock(s->devices, d);
    return 0;
}
