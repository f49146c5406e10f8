/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's patches: which transfer is one, how it is damaged on its way, and
 * what was saved by it. The decoder is the device's own, in core.
 */
#include <string.h>

#include "fleet.h"

static bool is_in(bl_span uri, const char *folder)
{
    size_t n = strlen(folder);

    return uri.n > n && memcmp(uri.p, folder, n) == 0;
}

void fleet_patch_get(struct fleet_device *d, const struct bl_action *action)
{
    struct fleet_patch *p = &d->patch;
    const struct bl_client *c = &d->client;
    const struct fleet *fleet = d->shard->fleet;

    p->on = is_in(action->uri, "deltas/");
    p->whole = !p->on && !is_in(action->uri, "manifests/");
    p->spoil = p->on && d->shard->phase == FLEET_RUN &&
               fleet_draw(d, fleet->options.bad_patches);
    if (p->on && memcmp(p->digest, c->delta.patch, 32) != 0) {
        memcpy(p->digest, c->delta.patch, 32);
        memcpy(p->payload, c->delta.payload, 32);
        p->bytes = 0;
    }
}

static bl_status spoilt(struct fleet_device *d, const uint8_t *data, size_t n)
{
    size_t at = n / 2;
    uint8_t byte = data[at] ^ 0x20;
    bl_status s = bl_client_data(&d->client, data, at);

    d->patch.spoil = false;
    if (s == BL_OK) {
        s = bl_client_data(&d->client, &byte, 1);
    }
    if (s == BL_OK && at + 1 < n) {
        s = bl_client_data(&d->client, data + at + 1, n - at - 1);
    }
    return s;
}

bl_status fleet_patch_data(struct fleet_device *d, const void *data, size_t n)
{
    struct fleet_patch *p = &d->patch;

    if (p->on) {
        p->bytes += (uint32_t)n;
    } else if (p->whole) {
        p->bytes = 0; /* that ends what a patch began */
    }
    return p->spoil && n > 0 ? spoilt(d, data, n)
                             : bl_client_data(&d->client, data, n);
}

/* It confirmed what it runs: did that come from the patch? */
static void confirmed(struct fleet_device *d)
{
    struct fleet_patch *p = &d->patch;
    const struct bl_client *c = &d->client;

    if (p->bytes == 0 || memcmp(p->payload, c->image_digest, 32) != 0) {
        return;
    }
    p->installed++;
    p->saved += c->image_size > p->bytes ? c->image_size - p->bytes : 0;
    p->bytes = 0;
    fleet_add(d->shard, COUNT_PATCHED, 1);
}

void fleet_patch_event(struct fleet_device *d, const struct bl_event *event)
{
    if (event->state == BL_STATE_CONFIRMED) {
        confirmed(d);
    } else if (event->state == BL_STATE_DOWNLOADING &&
               event->code == BL_DELTA_FAILED) {
        d->patch.failed++;
        fleet_add(d->shard, COUNT_PATCH_FAILED, 1);
    }
}
