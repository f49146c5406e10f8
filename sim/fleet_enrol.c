/* SPDX-License-Identifier: Apache-2.0 */
/* What the devices are made of, and their registration with the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "fleet_api.h"
#include "host/file.h"

enum { BULK = 2000, CLERKS = 8, DOCUMENT = 1 << 20, PAYLOAD = 1 << 30 };

/* --- The factory release ------------------------------------------------- */

struct oldest {
    const char *from; /* the version wanted; NULL: the oldest */
    json_int_t sequence;
    char manifest[65];
};

static int look_at_release(void *ctx, const json_t *item, struct error *err)
{
    struct oldest *o = ctx;
    const char *version = json_string_value(json_object_get(item, "version"));
    const char *manifest =
        json_string_value(json_object_get(item, "manifest"));
    json_int_t sequence =
        json_integer_value(json_object_get(item, "sequence"));

    (void)err;
    if (version == NULL || manifest == NULL || strlen(manifest) != 64 ||
        (o->from != NULL && strcmp(o->from, version) != 0)) {
        return 0;
    }
    if (o->manifest[0] == '\0' || sequence < o->sequence) {
        o->sequence = sequence;
        memcpy(o->manifest, manifest, sizeof o->manifest);
    }
    return 0;
}

static int fetch_release(struct fleet *fleet, struct fleet_api *api,
                         struct error *err)
{
    struct oldest oldest = {.from = fleet->options.from};
    char path[256];

    (void)snprintf(path, sizeof path, "/releases?product=%.64s",
                   fleet->options.product);
    if (fleet_api_list(api, path, look_at_release, &oldest, err) != 0) {
        return -1;
    }
    if (oldest.manifest[0] == '\0') {
        return error_set(err,
                         "the server has no release %s of %s for the devices "
                         "to leave the factory with; publish one first",
                         fleet->options.from != NULL ? fleet->options.from
                                                     : "",
                         fleet->options.product);
    }
    (void)snprintf(path, sizeof path, "/releases/%s/envelope",
                   oldest.manifest);
    return fleet_api_fetch(api, path, &fleet->factory.envelope, err);
}

static int read_document(const char *path, struct buffer *out,
                         struct error *err)
{
    out->limit = DOCUMENT;
    return file_read(path, out, err);
}

struct source {
    struct fleet *fleet;
    struct fleet_api *api;
};

/* --payload, or payloads/SHA256 beside the envelope, or the server's. */
static int bring_payload(void *ctx, const uint8_t digest[32],
                         struct buffer *out, struct error *err)
{
    const struct source *source = ctx;
    const struct fleet_options *o = &source->fleet->options;
    const char *slash;
    char hex[65];
    char path[1024];

    hex_encode(digest, 32, hex);
    if (o->release_file == NULL) {
        (void)snprintf(path, sizeof path, "/payloads/%s", hex);
        return fleet_api_fetch(source->api, path, out, err);
    }
    out->limit = PAYLOAD;
    if (o->payload_file != NULL) {
        return file_read(o->payload_file, out, err);
    }
    slash = strrchr(o->release_file, '/');
    (void)snprintf(path, sizeof path, "%.*spayloads/%s",
                   slash == NULL ? 0 : (int)(slash - o->release_file) + 1,
                   o->release_file, hex);
    return file_read(path, out, err);
}

static int make_factory(struct fleet *fleet, struct fleet_api *api,
                        struct error *err)
{
    const struct fleet_options *o = &fleet->options;
    struct fleet_factory *f = &fleet->factory;
    struct source source = {fleet, api};
    int result;

    result = o->root_file != NULL
                 ? read_document(o->root_file, &f->root, err)
                 : fleet_api_fetch(api, "/roots/1", &f->root, err);
    if (result == 0) {
        result = o->release_file != NULL
                     ? read_document(o->release_file, &f->envelope, err)
                     : fetch_release(fleet, api, err);
    }
    if (result == 0) {
        result = fleet_factory_make(f, o->slot_size, o->esp32, bring_payload,
                                    &source, err);
    }
    if (result == 0) {
        struct fleet_release *release =
            fleet_release_of(fleet, buffer_span(&f->envelope));

        if (release == NULL) {
            return error_set(err, "the factory release cannot be read");
        }
        release->factory = true;
        release->bad = false;
    }
    return result;
}

int fleet_api_begin(struct fleet *fleet, struct error *err)
{
    struct fleet_api api;
    int result;

    if (fleet_api_open(&api, &fleet->options, err) != 0) {
        return -1;
    }
    result = make_factory(fleet, &api, err);
    fleet_api_close(&api);
    return result;
}

/* --- Registration -------------------------------------------------------- */

static json_t *tags_of(const struct fleet_options *o)
{
    json_t *out = json_array();
    const char *at = o->tags;

    while (at != NULL && *at != '\0') {
        size_t n = strcspn(at, ",");

        json_array_append_new(out, json_stringn(at, n));
        at += n + (at[n] == ',');
    }
    return out;
}

static json_t *application(const struct fleet *fleet,
                           const struct fleet_device *d)
{
    char id[2 * BL_ID_SIZE + 1];

    hex_encode(d->id, BL_ID_SIZE, id);
    return json_pack("{s:s, s:s, s:o}", "id", id, "name", d->name, "tags",
                     tags_of(&fleet->options));
}

static int take_token(struct fleet_device *d, const json_t *answer,
                      struct error *err)
{
    const char *token = json_string_value(json_object_get(answer, "token"));

    if (token == NULL || strlen(token) >= sizeof d->token ||
        strpbrk(token, "\r\n") != NULL) {
        return error_set(err, "the server gave %s no token", d->name);
    }
    (void)snprintf(d->token, sizeof d->token, "%s", token);
    return 0;
}

static int explain(const char *name, struct error *err)
{
    if (err->code == 409) {
        (void)error_prefix(err,
                           "%s: a fleet of this --seed or --name is there "
                           "already; say another, or the --state that it was "
                           "kept in",
                           name);
    }
    return -1;
}

/* The answer's items are in the order of the question's. */
static int take_tokens(struct fleet *fleet, uint32_t from, uint32_t to,
                       const json_t *items, struct error *err)
{
    for (uint32_t i = from; i < to; i++) {
        if (take_token(&fleet->device[i], json_array_get(items, i - from),
                       err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int enrol_bulk(struct fleet *fleet, struct fleet_api *api,
                      uint32_t from, uint32_t to, struct error *err)
{
    json_t *list = json_array();
    json_t *body;
    json_t *answer;
    int result;

    for (uint32_t i = from; i < to; i++) {
        json_array_append_new(list, application(fleet, &fleet->device[i]));
    }
    body = json_pack("{s:s, s:o}", "product", fleet->options.product,
                     "devices", list);
    answer = fleet_api_post(api, "/devices/bulk", body, err);
    result = answer == NULL
                 ? explain(fleet->device[from].name, err)
                 : take_tokens(fleet, from, to,
                               json_object_get(answer, "items"), err);
    json_decref(answer);
    json_decref(body);
    return result;
}

/* 1: this server knows no registration in bulk. */
static int enrol_all(struct fleet *fleet, struct error *err)
{
    uint32_t n = fleet->options.devices;
    struct fleet_api api;
    int result = 0;

    if (fleet_api_open(&api, &fleet->options, err) != 0) {
        return -1;
    }
    for (uint32_t from = 0; result == 0 && from < n; from += BULK) {
        result = enrol_bulk(fleet, &api, from,
                            n - from < BULK ? n : from + BULK, err);
        if (from == 0 && (err->code == 404 || err->code == 405)) {
            result = 1;
        }
    }
    fleet_api_close(&api);
    return result;
}

/* --- One by one ---------------------------------------------------------- */

/* One of a few threads that register what is left. */
struct clerk {
    struct fleet *fleet;
    _Atomic uint32_t *next;
    _Atomic bool *stop;
    struct fleet_api api;
    struct error error;
    pthread_t thread;
};

static int enrol_one(struct clerk *clerk, struct fleet_device *d)
{
    json_t *body = application(clerk->fleet, d);
    json_t *answer;
    int result;

    json_object_set_new(body, "product",
                        json_string(clerk->fleet->options.product));
    answer = fleet_api_post(&clerk->api, "/devices", body, &clerk->error);
    result = answer == NULL ? explain(d->name, &clerk->error)
                            : take_token(d, answer, &clerk->error);
    json_decref(answer);
    json_decref(body);
    return result;
}

static void *clerk_run(void *ctx)
{
    struct clerk *clerk = ctx;
    uint32_t i;

    while (!atomic_load(clerk->stop) &&
           (i = atomic_fetch_add(clerk->next, 1)) <
               clerk->fleet->options.devices) {
        if (enrol_one(clerk, &clerk->fleet->device[i]) != 0) {
            atomic_store(clerk->stop, true);
        }
    }
    return NULL;
}

static int enrol_singly(struct fleet *fleet, struct error *err)
{
    struct clerk clerk[CLERKS];
    _Atomic uint32_t next = 0;
    _Atomic bool stop = false;
    int n = 0;

    memset(clerk, 0, sizeof clerk);
    for (; n < CLERKS; n++) {
        clerk[n].fleet = fleet;
        clerk[n].next = &next;
        clerk[n].stop = &stop;
        if (fleet_api_open(&clerk[n].api, &fleet->options, err) != 0 ||
            pthread_create(&clerk[n].thread, NULL, clerk_run, &clerk[n]) !=
                0) {
            fleet_api_close(&clerk[n].api);
            break;
        }
    }
    for (int i = 0; i < n; i++) {
        (void)pthread_join(clerk[i].thread, NULL);
        fleet_api_close(&clerk[i].api);
        if (clerk[i].error.text[0] != '\0' && err != NULL) {
            *err = clerk[i].error;
        }
    }
    return n == 0 || atomic_load(&stop) ? -1 : 0;
}

int fleet_api_register(struct fleet *fleet, struct error *err)
{
    int result = enrol_all(fleet, err);

    return result == 1 ? enrol_singly(fleet, err) : result;
}
