/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet in a folder: `fleet.json` (what was asked for, devices, tokens) and
 * `flash.bin` (for each device its pages: number, bytes, unit states; a number
 * of 0xFFFFFFFF ends a device). Little-endian hosts only, as the rest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleet.h"
#include "fleet_api.h"
#include "host/file.h"

enum { PATH = 1024, FORMAT = 1 };

#define END UINT32_MAX

static int path_of(const struct fleet *fleet, const char *name, char *out,
                   struct error *err)
{
    int n = snprintf(out, PATH, "%s/%s", fleet->options.state, name);

    return n < 0 || n >= PATH ? error_set(err, "--state: the path is too long")
                              : 0;
}

bool fleet_is_kept(const struct fleet *fleet)
{
    char path[PATH];
    struct error err;

    return fleet->options.state != NULL &&
           path_of(fleet, "fleet.json", path, &err) == 0 &&
           access(path, F_OK) == 0;
}

/* --- Flash --------------------------------------------------------------- */

static int put(FILE *file, const void *data, size_t n)
{
    return fwrite(data, 1, n, file) == n ? 0 : -1;
}

static int save_flash(const struct fleet_device *d, FILE *file)
{
    const uint32_t end = END;

    for (uint32_t i = 0; i < fleet_flash_n_pages(&d->flash); i++) {
        const uint8_t *page = fleet_flash_page(&d->flash, i);

        if (page != NULL && (put(file, &i, sizeof i) != 0 ||
                             put(file, page, FLEET_PAGE_KEPT) != 0)) {
            return -1;
        }
    }
    return put(file, &end, sizeof end);
}

static int load_flash(struct fleet_device *d, FILE *file)
{
    uint8_t kept[FLEET_PAGE_KEPT];
    uint32_t i;

    while (fread(&i, 1, sizeof i, file) == sizeof i) {
        if (i == END) {
            return 0;
        }
        if (i >= fleet_flash_n_pages(&d->flash) ||
            fread(kept, 1, sizeof kept, file) != sizeof kept ||
            fleet_flash_set_page(&d->flash, i, kept) != 0) {
            return -1;
        }
    }
    return -1;
}

static int save_flashes(struct fleet *fleet, struct error *err)
{
    char path[PATH];
    FILE *file;
    int result = 0;

    if (path_of(fleet, "flash.bin", path, err) != 0) {
        return -1;
    }
    file = fopen(path, "wbe");
    for (uint32_t i = 0;
         file != NULL && result == 0 && i < fleet->options.devices; i++) {
        result = save_flash(&fleet->device[i], file);
    }
    if (file == NULL || fclose(file) != 0 || result != 0) {
        return error_errno(err, "cannot write %s", path);
    }
    return 0;
}

static int load_flashes(struct fleet *fleet, struct error *err)
{
    char path[PATH];
    FILE *file;
    int result = 0;

    if (path_of(fleet, "flash.bin", path, err) != 0) {
        return -1;
    }
    file = fopen(path, "rbe");
    if (file == NULL) {
        return error_errno(err, "cannot read %s", path);
    }
    for (uint32_t i = 0; result == 0 && i < fleet->options.devices; i++) {
        struct fleet_device *d = &fleet->device[i];

        result = fleet_flash_open(&d->flash, fleet->factory.flash.flash.size);
        result = result == 0 ? load_flash(d, file) : result;
    }
    (void)fclose(file);
    return result == 0
               ? 0
               : error_set(err, "%s is not a whole fleet of %u devices", path,
                           (unsigned)fleet->options.devices);
}

/* --- The rest ------------------------------------------------------------ */

static json_t *device_json(const struct fleet_device *d)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "token", d->token,
                     "acked", (json_int_t)d->acked, "event",
                     (json_int_t)d->event, "boots", (json_int_t)d->boots,
                     "returned", (json_int_t)d->returned, "confirmations",
                     (json_int_t)d->confirmations);
}

static uint32_t number_of(const json_t *from, const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(from, name));
}

static int take_device(struct fleet_device *d, const json_t *from)
{
    const char *token = json_string_value(json_object_get(from, "token"));

    if (token == NULL || strlen(token) >= sizeof d->token) {
        return -1;
    }
    (void)snprintf(d->token, sizeof d->token, "%s", token);
    d->acked = number_of(from, "acked");
    d->event = number_of(from, "event");
    d->boots = number_of(from, "boots");
    d->returned = number_of(from, "returned");
    d->confirmations = number_of(from, "confirmations");
    return 0;
}

/* Tokens are in it: its owner's alone. */
static int save_devices(struct fleet *fleet, struct error *err)
{
    const struct fleet_options *o = &fleet->options;
    json_t *list = json_array();
    json_t *all;
    char path[PATH];
    char *text;
    int result = -1;

    for (uint32_t i = 0; i < o->devices; i++) {
        json_array_append_new(list, device_json(&fleet->device[i]));
    }
    all = json_pack("{s:i, s:I, s:s, s:s, s:I, s:I, s:o}", "format", FORMAT,
                    "seed", (json_int_t)o->rules.seed, "product", o->product,
                    "name", o->prefix, "slot_size", (json_int_t)o->slot_size,
                    "count", (json_int_t)o->devices, "devices", list);
    text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    if (text == NULL) {
        return error_set(err, "out of memory");
    }
    if (path_of(fleet, "fleet.json", path, err) == 0) {
        result = file_write(path, bl_span_of(text, strlen(text)), 0600, err);
    }
    free(text);
    return result;
}

int fleet_keep_save(struct fleet *fleet, struct error *err)
{
    if (file_make_dirs(fleet->options.state, 0700, err) != 0) {
        return -1;
    }
    return save_flashes(fleet, err) != 0 ? -1 : save_devices(fleet, err);
}

static json_t *read_all(const struct fleet *fleet, struct error *err)
{
    char path[PATH];
    json_error_t why;
    json_t *all;

    if (path_of(fleet, "fleet.json", path, err) != 0) {
        return NULL;
    }
    all = json_load_file(path, 0, &why);
    if (all == NULL ||
        json_integer_value(json_object_get(all, "format")) != FORMAT) {
        (void)error_set(err, "%s: not a fleet that was kept", path);
        json_decref(all);
        return NULL;
    }
    return all;
}

int fleet_keep_begin(struct fleet *fleet, struct error *err)
{
    struct fleet_options *o = &fleet->options;
    json_t *all = read_all(fleet, err);
    const char *product;
    const char *name;
    int result = 0;

    if (all == NULL) {
        return -1;
    }
    product = json_string_value(json_object_get(all, "product"));
    name = json_string_value(json_object_get(all, "name"));
    if (product == NULL || name == NULL || strcmp(product, o->product) != 0) {
        result = error_set(err, "--state: a fleet of another product");
    } else {
        o->rules.seed =
            (uint64_t)json_integer_value(json_object_get(all, "seed"));
        o->devices = number_of(all, "count");
        o->slot_size = number_of(all, "slot_size");
        (void)snprintf(o->own_prefix, sizeof o->own_prefix, "%s", name);
        o->prefix = o->own_prefix;
    }
    json_decref(all);
    return result;
}

int fleet_keep_load(struct fleet *fleet, struct error *err)
{
    json_t *all = read_all(fleet, err);
    const json_t *list = json_object_get(all, "devices");
    int result = all == NULL ? -1 : 0;

    if (result == 0 && json_array_size(list) != fleet->options.devices) {
        result = error_set(err, "--state: not a whole fleet");
    }
    for (uint32_t i = 0; result == 0 && i < fleet->options.devices; i++) {
        if (take_device(&fleet->device[i], json_array_get(list, i)) != 0) {
            result = error_set(err, "--state: a device without a token");
        }
    }
    json_decref(all);
    return result == 0 ? load_flashes(fleet, err) : -1;
}
