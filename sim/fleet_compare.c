/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device by device: what it truly runs, and what the server believes.
 *
 * A device that has come to rest must be known exactly. Of one that is silent,
 * dead or wrecked the server cannot know more than it was told last. And each
 * event that the server acknowledged must be there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_api.h"
#include "fleet_report.h"
#include "host/file.h"

enum { SHOWN = 50, EVENTS = 256 };

struct comparison {
    struct fleet *fleet;
    struct fleet_device **by_id; /* sorted */
    bool *seen;                  /* by number */
    uint32_t differences;
    uint32_t restless;
};

static int by_id(const void *a, const void *b)
{
    const struct fleet_device *const *x = a;
    const struct fleet_device *const *y = b;

    return memcmp((*x)->id, (*y)->id, BL_ID_SIZE);
}

static struct fleet_device *find(const struct comparison *c, const char *hex)
{
    struct fleet_device key;
    struct fleet_device *wanted = &key;
    struct fleet_device **found;

    if (hex == NULL || hex_decode(hex, strlen(hex), key.id, BL_ID_SIZE) != 0) {
        return NULL;
    }
    found = bsearch(&wanted, c->by_id, c->fleet->options.devices,
                    sizeof(struct fleet_device *), by_id);
    return found == NULL ? NULL : *found;
}

static void differs(struct comparison *c, const struct fleet_device *d,
                    const char *what, const char *truth, const char *belief)
{
    c->differences++;
    if (c->differences <= SHOWN) {
        (void)fprintf(stderr,
                      "%s (%s, %s): %s is \"%s\", the server believes "
                      "\"%s\"\n",
                      d->name, fleet_power_name(d->power),
                      fleet_profile_name(d->profile), what, truth, belief);
    }
}

/* --- What runs ----------------------------------------------------------- */

struct belief {
    const char *version;
    const char *manifest;
    const char *slot;
    const char *confirmed;
};

static const char *text_of(const json_t *item, const char *name)
{
    const char *text = json_string_value(json_object_get(item, name));

    return text == NULL ? "" : text;
}

static bool agrees(const struct belief *truth, const struct belief *other)
{
    return strcmp(truth->version, other->version) == 0 &&
           strcmp(truth->manifest, other->manifest) == 0 &&
           strcmp(truth->slot, other->slot) == 0 &&
           strcmp(truth->confirmed, other->confirmed) == 0;
}

static struct belief told(const struct fleet_told *t, char hex[65])
{
    hex_encode(t->manifest, 32, hex);
    return (struct belief){t->version, hex, t->slot == BL_SLOT_A ? "A" : "B",
                           t->confirmed ? "true" : "false"};
}

static void compare_each(struct comparison *c, const struct fleet_device *d,
                         const struct belief *truth,
                         const struct belief *server)
{
    const struct {
        const char *name;
        const char *truth;
        const char *belief;
    } field[] = {
        {"version", truth->version, server->version},
        {"manifest", truth->manifest, server->manifest},
        {"slot", truth->slot, server->slot},
        {"confirmed", truth->confirmed, server->confirmed},
    };

    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        if (strcmp(field[i].truth, field[i].belief) != 0) {
            differs(c, d, field[i].name, field[i].truth, field[i].belief);
        }
    }
}

/* One that cannot be asked: what it told, or may have told, last. */
static void compare_last_word(struct comparison *c,
                              const struct fleet_device *d,
                              const struct belief *server)
{
    char hex[65];
    struct belief last = told(&d->told, hex);
    char maybe_hex[65];
    struct belief maybe = told(&d->maybe, maybe_hex);

    if (!d->told.any && !d->maybe.any) {
        return;
    }
    if (d->maybe.any && agrees(&maybe, server)) {
        return;
    }
    compare_each(c, d, &last, server);
}

static int compare_device(void *ctx, const json_t *item, struct error *err)
{
    struct comparison *c = ctx;
    struct fleet_device *d = find(c, text_of(item, "id"));
    const struct belief server = {
        text_of(item, "version"), text_of(item, "manifest"),
        text_of(item, "slot"),
        json_is_true(json_object_get(item, "confirmed")) ? "true" : "false"};
    struct fleet_truth t;
    char hex[65];

    (void)err;
    if (d == NULL) {
        return 0; /* not one of ours */
    }
    c->seen[d->number] = true;
    if (d->power >= FLEET_MUTE) {
        compare_last_word(c, d, &server);
        return 0;
    }
    if (!d->settled) {
        c->restless++;
        return 0;
    }
    fleet_truth_read(d, &t);
    if (!t.whole) {
        differs(c, d, "the running image", "broken", "whole");
    }
    hex_encode(t.manifest, 32, hex);
    compare_each(c, d,
                 &(const struct belief){t.version, hex,
                                        t.slot == BL_SLOT_A ? "A" : "B",
                                        t.confirmed ? "true" : "false"},
                 &server);
    return 0;
}

/* --- What was acknowledged ------------------------------------------------
 */

struct events {
    uint32_t n;
    uint32_t newest;
    struct bl_event event[EVENTS];
};

static int take_event(void *ctx, const json_t *item, struct error *err)
{
    struct events *e = ctx;
    uint32_t number =
        (uint32_t)json_integer_value(json_object_get(item, "number"));

    (void)err;
    e->newest = number > e->newest ? number : e->newest;
    if (e->n < EVENTS) {
        struct bl_event *event = &e->event[e->n++];

        memset(event, 0, sizeof *event);
        event->number = number;
        event->boot =
            (uint32_t)json_integer_value(json_object_get(item, "boot"));
        event->sequence =
            (uint64_t)json_integer_value(json_object_get(item, "sequence"));
    }
    return 0;
}

static bool has_event(const struct events *e, const struct bl_event *wanted)
{
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->event[i].number == wanted->number) {
            return e->event[i].boot == wanted->boot &&
                   e->event[i].sequence == wanted->sequence;
        }
    }
    return e->n == EVENTS; /* more than are held here */
}

/* Events that are still in the device's journal, and were acknowledged. */
static void compare_journal(struct comparison *c, struct fleet_device *d,
                            const struct events *e)
{
    struct bl_journal journal;
    struct bl_event event[BL_CLIENT_EVENTS];
    uint32_t after = 0;
    uint32_t n = 1;

    if (bl_journal_open(&journal, &d->layout) != BL_OK) {
        return;
    }
    while (n > 0 && bl_journal_read(&journal, after, event, BL_CLIENT_EVENTS,
                                    &n) == BL_OK) {
        for (uint32_t i = 0; i < n; i++) {
            char text[32];

            after = event[i].number;
            if (after <= d->acked && !has_event(e, &event[i])) {
                (void)snprintf(text, sizeof text, "%u", (unsigned)after);
                differs(c, d, "acknowledged event", text, "none such");
            }
        }
    }
}

static int compare_events(struct comparison *c, struct fleet_api *api,
                          struct fleet_device *d, struct error *err)
{
    struct events e = {0};
    char path[128];
    char id[2 * BL_ID_SIZE + 1];

    if (d->acked == 0) {
        return 0;
    }
    hex_encode(d->id, BL_ID_SIZE, id);
    (void)snprintf(path, sizeof path, "/devices/%s/events?x=", id);
    if (fleet_api_list(api, path, take_event, &e, err) != 0) {
        return -1;
    }
    if (e.newest < d->acked) {
        char truth[32];
        char belief[32];

        (void)snprintf(truth, sizeof truth, "%u", (unsigned)d->acked);
        (void)snprintf(belief, sizeof belief, "%u", (unsigned)e.newest);
        differs(c, d, "the last acknowledged event", truth, belief);
    }
    compare_journal(c, d, &e);
    return 0;
}

/* --- All of them ----------------------------------------------------------
 */

static int compare_all(struct comparison *c, struct fleet_api *api,
                       struct error *err)
{
    struct fleet *fleet = c->fleet;
    char path[256];

    (void)snprintf(path, sizeof path, "/devices?product=%.64s",
                   fleet->options.product);
    if (fleet_api_list(api, path, compare_device, c, err) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < fleet->options.devices; i++) {
        if (!c->seen[i]) {
            differs(c, &fleet->device[i], "registered", "yes", "no");
        } else if (compare_events(c, api, &fleet->device[i], err) != 0) {
            return -1;
        }
    }
    if (c->differences > SHOWN) {
        (void)fprintf(stderr, "... and %u differences more\n",
                      (unsigned)(c->differences - SHOWN));
    }
    if (c->restless > 0) {
        (void)fprintf(stderr,
                      "%u devices have not come to rest; give them a longer "
                      "--settle\n",
                      (unsigned)c->restless);
    }
    return c->differences > 0 || c->restless > 0;
}

int fleet_compare(struct fleet *fleet, struct error *err)
{
    uint32_t n = fleet->options.devices;
    struct comparison c = {.fleet = fleet};
    struct fleet_api api;
    int result = -1;

    c.by_id = calloc(n, sizeof(struct fleet_device *));
    c.seen = calloc(n, sizeof(bool));
    if (c.by_id == NULL || c.seen == NULL) {
        (void)error_set(err, "out of memory");
    } else if (fleet_api_open(&api, &fleet->options, err) == 0) {
        for (uint32_t i = 0; i < n; i++) {
            c.by_id[i] = &fleet->device[i];
        }
        qsort(c.by_id, n, sizeof(struct fleet_device *), by_id);
        result = compare_all(&c, &api, err);
        fleet_api_close(&api);
    }
    free(c.by_id);
    free(c.seen);
    return result;
}
