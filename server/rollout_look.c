/* SPDX-License-Identifier: Apache-2.0 */
/* Who cannot take a release, and whom a rollout waits for in vain. */
#include "rollout_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    INTERVAL_S = 1800, /* of devices, when the server sets none */
    SILENT_POLLS = 3,  /* intervals that may be missed */
    SILENT_LEAST_S = 60
};

struct walk {
    const struct product *product;
    const struct release *release;
    const struct rollout *rollout;
    uint32_t silent_before; /* last seen: this, or earlier */
};

static bool is_blocked(const struct walk *w, const struct device *d)
{
    const struct rollout_device facts = {
        .manifest = d->s.manifest,
        .sequence = d->s.sequence,
        .floor = d->s.floor,
    };

    if (d->s.first_seen == 0 ||
        (w->rollout != NULL && w->rollout->kind != ROLLOUT_UPDATE)) {
        return false;
    }
    return rollout_blocked(&facts, w->release->sequence, w->release->manifest);
}

static bool is_awaited(const struct walk *w, const struct device *d)
{
    const struct rollout *r = w->rollout;
    uint64_t order;

    if (r == NULL || r->state >= ROLLOUT_ABORTED) {
        return false;
    }
    order = r->id * 2;
    if ((d->pin != NULL && d->pin->order > order) || d->s.offer > order ||
        (d->s.offer == order && rollout_final(d->s.outcome))) {
        return false;
    }
    return r->limit[r->stage] >= ROLLOUT_BUCKETS ||
           rollout_bucket(r->id, d->id) < r->limit[r->stage];
}

static void add(struct look_list *list, const struct device *d)
{
    struct look_device *out;

    if (list->n++ >= LOOK_NAMES) {
        return;
    }
    out = &list->first[list->n - 1];
    memcpy(out->id, d->id, 16);
    snprintf(out->name, sizeof out->name, "%s", d->name);
    out->last_seen = d->s.last_seen;
}

static void look_at(const struct walk *w, const struct device *d,
                    struct rollout_look *out)
{
    if (d->product != w->product->number) {
        return;
    }
    out->devices++;
    out->seen += d->s.first_seen != 0;
    if (d->s.sequence > out->newest) {
        out->newest = d->s.sequence;
    }
    if (d->s.floor > out->newest) {
        out->newest = d->s.floor;
    }
    if (is_blocked(w, d)) {
        out->blocked++;
    } else if (d->s.first_seen == 0 && is_awaited(w, d)) {
        add(&out->unseen, d);
    } else if (d->s.first_seen != 0 && d->s.last_seen <= w->silent_before &&
               is_awaited(w, d)) {
        add(&out->silent, d);
    }
}

static uint32_t silent_before(const struct server *s)
{
    int interval = s->config.poll_interval_s;
    int64_t after =
        (int64_t)SILENT_POLLS * (interval > 0 ? interval : INTERVAL_S);

    return (uint32_t)(time(NULL) -
                      (after < SILENT_LEAST_S ? SILENT_LEAST_S : after));
}

void rollout_look(struct server *s, const struct product *product,
                  const struct release *release, const struct rollout *r,
                  struct rollout_look *out)
{
    const struct walk w = {product, release, r, silent_before(s)};

    out->devices = 0;
    out->seen = 0;
    out->blocked = 0;
    out->newest = 0;
    out->unseen.n = 0;
    out->silent.n = 0;
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d != NULL) {
            look_at(&w, d, out);
            devices_unlock(s->devices, d);
        }
    }
}

void rollout_blocked_reason(const struct rollout_look *look,
                            const struct release *release, char *out,
                            size_t size)
{
    if (look->blocked == 0) {
        out[0] = '\0';
        return;
    }
    snprintf(
        out, size,
        "%" PRIu32 " of %" PRIu32 " devices have a floor above the "
        "release's sequence number %" PRIu64 ", or run something newer; "
        "release it again under a new version, with a new sequence number",
        look->blocked, look->devices, release->sequence);
}
