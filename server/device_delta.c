/* SPDX-License-Identifier: Apache-2.0 */
#include "device_delta.h"

#include "clock.h"
#include "delta_keeper.h"

#include <time.h>

enum { WAIT_AT_ONCE = 60 /* then it asks again */ };

/* The image of the slot that does not run comes from the one that does. */
bool device_delta_ask(struct server *s, const struct device *d,
                      const struct release *wanted, struct delta_ask *ask)
{
    if (!settings_deltas(s) || d->s.delta_ram == 0 ||
        d->s.delta_ram > DELTA_CLASSES ||
        d->s.delta_failed == wanted->number) {
        return false;
    }
    ask->base = d->s.image;
    ask->target = wanted->digests.image[d->s.slot == 0 ? 1 : 0];
    ask->ram = delta_class_ram[d->s.delta_ram - 1];
    ask->isas = d->s.delta_isas;
    return true;
}

/* Only what this very poll says is believed of the base. */
static bool ask_of(struct server *s, const struct device *d,
                   const struct poll *p, const struct release *wanted,
                   struct delta_ask *ask)
{
    return p->image != NULL && device_delta_ask(s, d, wanted, ask);
}

/* The first offer after a start reads the file; a damaged one is none. */
static bool find_sound(struct server *s, const struct delta_ask *ask,
                       struct delta_offer *out)
{
    for (int i = 0; i < DELTA_CLASSES; i++) {
        if (!deltas_find(&s->deltas, ask, out)) {
            return false;
        }
        if (out->checked || delta_sound(s, out->patch, -1)) {
            return true;
        }
    }
    return false;
}

bool device_delta_offer(struct server *s, struct device *d,
                        const struct poll *p, const struct release *wanted,
                        struct device_delta *out)
{
    struct delta_offer found;
    struct delta_ask ask;

    out->offer.size = 0;
    if (!ask_of(s, d, p, wanted, &ask) || !find_sound(s, &ask, &found)) {
        return false;
    }
    memcpy(out->patch, found.patch, 32);
    out->offer.payload = ask.target;
    out->offer.base = ask.base;
    out->offer.patch = out->patch;
    out->offer.size = found.size;
    if (d->s.delta_row == found.number) {
        return false;
    }
    d->s.delta_row = found.number;
    d->s.delta_sent = 0;
    return true;
}

uint32_t device_delta_wait(struct server *s, const struct device *d,
                           const struct poll *p, const struct release *wanted)
{
    uint32_t most = (uint32_t)s->config.delta_wait_s;
    struct delta_offer found;
    struct delta_ask ask;
    uint32_t left;

    if (most == 0 || wanted->security || !ask_of(s, d, p, wanted, &ask) ||
        deltas_find(&s->deltas, &ask, &found)) {
        return 0;
    }
    left = deltas_coming(&s->deltas, &ask, (int64_t)time(NULL), most);
    return left < WAIT_AT_ONCE ? left : WAIT_AT_ONCE;
}

/* Whole, confirmed, and not by the whole payload. */
static bool runs_it(struct server *s, const struct device *d,
                    const struct poll *p, uint32_t *full)
{
    return d->s.delta_sent > 0 && p->confirmed && p->image != NULL &&
           deltas_leads_to(&s->deltas, d->s.delta_row, p->image, full);
}

static void count_installed(struct server *s, const struct device *d,
                            uint32_t full)
{
    struct rollout *r = d->s.offer % 2 == 1
                            ? NULL
                            : catalog_rollout(&s->catalog, d->s.offer / 2);
    uint32_t saved = full > d->s.delta_sent ? full - d->s.delta_sent : 0;

    deltas_installed(&s->deltas, d->s.delta_row, saved);
    if (r != NULL) {
        atomic_fetch_add(&r->delta_saved, saved);
        atomic_fetch_add(&r->delta_devices, 1);
    }
}

bool device_delta_seen(struct server *s, struct device *d,
                       const struct poll *p, const struct report *r)
{
    uint32_t full = 0;

    if (r->delta_failed) {
        deltas_failed(&s->deltas, d->s.delta_row);
        return true;
    }
    if (!runs_it(s, d, p, &full)) {
        return false;
    }
    count_installed(s, d, full);
    d->s.delta_row = 0;
    d->s.delta_sent = 0;
    return true;
}

void device_delta_sent(struct server *s, struct device *d,
                       const uint8_t patch[32], uint64_t bytes)
{
    uint64_t sum = d->s.delta_sent + bytes;

    if (deltas_fetched(&s->deltas, d->s.delta_row, patch,
                       (int64_t)time(NULL))) {
        d->s.delta_sent = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
        d->dirty = true;
    }
}

void device_delta_missing(struct server *s, struct device *d,
                          const uint8_t patch[32], uint64_t bytes)
{
    if (deltas_fetched(&s->deltas, d->s.delta_row, patch,
                       (int64_t)time(NULL))) {
        d->s.delta_sent -=
            bytes < d->s.delta_sent ? (uint32_t)bytes : d->s.delta_sent;
        d->dirty = true;
    }
}

void device_payload_sent(struct server *s, struct device *d,
                         const uint8_t payload[32])
{
    uint32_t full;

    if (d->s.delta_sent > 0 &&
        deltas_leads_to(&s->deltas, d->s.delta_row, payload, &full)) {
        d->s.delta_sent = 0; /* it takes the whole one after all */
        d->dirty = true;
    }
}
