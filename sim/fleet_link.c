/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's link to the server, and how it breaks: a request that never
 * leaves, an answer that never comes, an answer that breaks off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet.h"

#include "bowline/cbor.h"
#include "host/file.h"

enum {
    PATIENCE_MS = 10 * 1000,
    ROAMING_SPEED = 16 * 1024, /* bytes a second of the device's time */
    ROAMING_LOSS = 5           /* times the usual */
};

/* --- What was said, and what was wanted ---------------------------------- */

static void note_saying(struct fleet_device *d)
{
    const struct bl_client *c = &d->client;
    struct fleet_told *t = &d->saying;

    t->any = true;
    t->slot = c->slot;
    t->confirmed = c->state.trial != c->slot &&
                   c->state.slot[c->slot].status == BL_SLOT_CONFIRMED;
    memcpy(t->manifest, c->running, 32);
    (void)snprintf(t->version, sizeof t->version, "%s", c->config.version);
}

static void note_offer(struct fleet_device *d, const uint8_t manifest[32])
{
    struct fleet_offer *longer;

    if (memcmp(manifest, d->client.running, 32) == 0) {
        return;
    }
    for (uint32_t i = 0; i < d->n_offers; i++) {
        if (memcmp(d->offer[i].manifest, manifest, 32) == 0) {
            return;
        }
    }
    longer = realloc(d->offer, (d->n_offers + 1) * sizeof *longer);
    if (longer == NULL) {
        return;
    }
    d->offer = longer;
    longer[d->n_offers].time = (uint64_t)time(NULL);
    memcpy(longer[d->n_offers].manifest, manifest, 32);
    d->n_offers++;
}

/* The server's hint, key 7 of an answer; p NULL when there is none. */
static bl_span hint_of(bl_span answer)
{
    struct bl_cbor r;
    uint32_t pairs = 0;
    uint64_t key = 0;
    bl_span value = {NULL, 0};

    bl_cbor_init(&r, answer);
    if (bl_cbor_map(&r, &pairs) != BL_OK) {
        return value;
    }
    while (pairs-- > 0 && bl_cbor_uint(&r, &key) == BL_OK) {
        if (key == 7) {
            return bl_cbor_bstr(&r, &value) == BL_OK && value.n == 32
                       ? value
                       : (bl_span){NULL, 0};
        }
        if (bl_cbor_item(&r, NULL) != BL_OK) {
            break;
        }
    }
    return value;
}

/* --- How it breaks --------------------------------------------------------
 */

static double loss_of(const struct fleet_device *d, uint64_t now)
{
    double loss = d->shard->fleet->options.loss;

    if (d->shard->phase != FLEET_RUN) {
        return 0;
    }
    return fleet_link_now(d, now) == FLEET_LINK_ROAMING ? loss * ROAMING_LOSS
                                                        : loss;
}

static void submit(struct fleet_device *d)
{
    struct fleet_exchange *x = &d->exchange;
    const struct fleet *fleet = d->shard->fleet;
    uint64_t now = fleet_device_ms(fleet, fleet_wall_ms());
    enum fleet_connection link = fleet_link_now(d, now);
    bool broken = fleet_draw(d, loss_of(d, now));
    uint32_t how = (uint32_t)(fleet_random(d) % 3);

    d->busy = true;
    x->owner = d;
    x->token = d->token;
    x->slow = link == FLEET_LINK_ROAMING
                  ? (uint32_t)(ROAMING_SPEED * fleet->options.speed)
                  : 0;
    x->break_at = FLEET_WHOLE;
    if (broken) {
        fleet_add(d->shard, COUNT_BROKEN, 1);
    }
    if (link == FLEET_LINK_NONE || (broken && how == 0)) {
        d->dropped = true;
        fleet_wake_at(d, fleet_when(fleet, now + PATIENCE_MS));
        return;
    }
    if (broken) {
        uint64_t size = x->body.p != NULL ? 200 : d->client.run.fetch.size;

        x->break_at = how == 1 ? 0 : 1 + fleet_random(d) % (size + 1);
    }
    fleet_net_submit(d->shard->net, x);
}

void fleet_link_lost(struct fleet_device *d)
{
    d->dropped = false;
    d->busy = false;
    fleet_add(d->shard, COUNT_UNREACHABLE, 1);
    bl_client_unreachable(&d->client,
                          fleet_device_ms(d->shard->fleet, fleet_wall_ms()));
    fleet_device_look(d);
}

/* --- Polls --------------------------------------------------------------- */

/* The request has arrived when any answer began: the server answers after it
 * has stored. */
static void note_told(struct fleet_device *d, const struct fleet_end *end)
{
    if (end->status == 200) {
        d->told = d->saying;
        d->maybe.any = false;
    } else if (end->status == 0) {
        d->maybe = d->saying;
    }
}

static void note_answer(struct fleet_device *d, bl_span answer)
{
    const struct bl_client *c = &d->client;
    bl_span hint = hint_of(answer);

    if (hint.p != NULL) {
        note_offer(d, hint.p);
    }
    if (c->device_state == BL_STATE_OFFERED) {
        note_offer(d, c->wanted);
    }
    if (c->acked > d->acked) {
        d->acked = c->acked;
    }
    d->polls++;
    d->told_ms = fleet_wall_ms();
    fleet_add(d->shard, COUNT_POLLS, 1);
}

static void poll_ends(void *owner, const struct fleet_end *end)
{
    struct fleet_device *d = owner;
    uint64_t now = fleet_device_ms(d->shard->fleet, fleet_wall_ms());

    d->busy = false;
    note_told(d, end);
    if (end->whole) {
        d->bytes += end->body.n;
        bl_client_answer(&d->client, now, end->status, end->body,
                         end->retry_after_s);
        if (end->status == 200) {
            note_answer(d, end->body);
        } else {
            fleet_add(d->shard, COUNT_UNREACHABLE, 1);
        }
    } else {
        fleet_add(d->shard, COUNT_UNREACHABLE, 1);
        bl_client_unreachable(&d->client, now);
    }
    fleet_device_look(d);
}

void fleet_link_poll(struct fleet_device *d, const struct bl_action *action)
{
    struct fleet_exchange *x = &d->exchange;

    memset(x, 0, sizeof *x);
    (void)snprintf(x->path, sizeof x->path, "/d/v1/poll");
    x->body = action->body;
    x->end = poll_ends;
    note_saying(d);
    submit(d);
}

/* --- Transfers ----------------------------------------------------------- */

static int get_begins(void *owner, int status, uint64_t offset)
{
    struct fleet_device *d = owner;

    if (offset > UINT32_MAX) {
        return -1;
    }
    return bl_client_body(&d->client, status, (uint32_t)offset) == BL_OK ? 0
                                                                         : -1;
}

static int get_goes_on(void *owner, const void *data, size_t n)
{
    struct fleet_device *d = owner;

    d->bytes += n;
    return fleet_patch_data(d, data, n) == BL_OK && !d->flash.dead ? 0 : -1;
}

static void get_ends(void *owner, const struct fleet_end *end)
{
    struct fleet_device *d = owner;
    uint64_t now = fleet_device_ms(d->shard->fleet, fleet_wall_ms());

    d->busy = false;
    fleet_add(d->shard, COUNT_TRANSFERS, 1);
    if (d->flash.dead) {
        fleet_device_look(d);
        return;
    }
    if (!end->begun && end->status == 0) {
        fleet_add(d->shard, COUNT_UNREACHABLE, 1);
        bl_client_unreachable(&d->client, now);
    } else {
        bl_client_done(&d->client, now, end->whole, end->retry_after_s);
    }
    fleet_device_look(d);
}

void fleet_link_get(struct fleet_device *d, const struct bl_action *action)
{
    struct fleet_exchange *x = &d->exchange;

    memset(x, 0, sizeof *x);
    if (!bl_client_uri_below(action->uri) ||
        action->uri.n > sizeof x->path - 16) {
        bl_client_done(&d->client,
                       fleet_device_ms(d->shard->fleet, fleet_wall_ms()),
                       false, 0);
        fleet_device_look(d);
        return;
    }
    (void)snprintf(x->path, sizeof x->path, "/d/v1/%.*s", (int)action->uri.n,
                   (const char *)action->uri.p);
    fleet_patch_get(d, action);
    x->offset = action->offset;
    x->etag[0] = '"';
    hex_encode(action->etag, 32, x->etag + 1);
    (void)snprintf(x->etag + 65, sizeof x->etag - 65, "\"");
    x->begin = get_begins;
    x->data = get_goes_on;
    x->end = get_ends;
    submit(d);
}
