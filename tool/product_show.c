/* SPDX-License-Identifier: Apache-2.0 */
/* bowline product show, product set, device unmanaged: what is said of
 * clients that are not ours (esp_https_ota, httpUpdate). */
#include "api.h"
#include "print.h"

#include <string.h>

static const char *name_of(struct call *c)
{
    return c->n_arguments > 0 ? c->argument[0] : setting_needed(c, "product");
}

/* --- Addresses --------------------------------------------------------------
 */

static void add_channel(json_t *list, const char *channel)
{
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), channel) == 0) {
            return;
        }
    }
    (void)json_array_append_new(list, json_string(channel));
}

/* stable, and those that releases are for. */
static int find_channels(struct call *c, struct api *api, const char *name,
                         json_t *list)
{
    json_t *releases = NULL;
    size_t i;
    size_t k;
    int code = api_list(
        api, keep(c, "/releases?product=%s", url_part(c, name)), 0, &releases);

    add_channel(list, "stable");
    for (i = 0; i < json_array_size(releases); i++) {
        const json_t *of =
            json_object_get(json_array_get(releases, i), "channels");

        for (k = 0; k < json_array_size(of); k++) {
            const char *channel = json_string_value(json_array_get(of, k));

            if (channel != NULL) {
                add_channel(list, channel);
            }
        }
    }
    json_decref(releases);
    return code;
}

static int put_addresses(struct call *c, struct api *api, const char *name)
{
    json_t *channels = json_array();
    json_t *addresses = json_array();
    int code = find_channels(c, api, name, channels);
    size_t i;

    for (i = 0; i < json_array_size(channels); i++) {
        const char *channel = json_string_value(json_array_get(channels, i));

        (void)json_array_append_new(
            addresses,
            json_string(keep(c, "%s/p/%s/%s/firmware.bin", api_base(api),
                             url_part(c, name), url_part(c, channel))));
    }
    json_decref(channels);
    put(c->result, "addresses", addresses);
    return code;
}

static void print_product(struct call *c)
{
    const json_t *addresses = json_object_get(c->result, "addresses");
    json_t *shown = json_copy(c->result);
    size_t i;

    (void)json_object_del(shown, "addresses");
    print_object(c, shown);
    json_decref(shown);
    for (i = 0; i < json_array_size(addresses); i++) {
        show(c, "  address           %s",
             json_string_value(json_array_get(addresses, i)));
    }
    if (json_is_true(json_object_get(c->result, "unmanaged"))) {
        note(c, "for .url of esp_https_ota, or httpUpdate.update(); .cert_pem "
                "is the server's CA certificate");
    }
}

static int show_product(struct call *c, struct api *api, const char *name,
                        json_t *body)
{
    json_t *answer = NULL;
    int code =
        api_call(api, body == NULL ? "GET" : "PATCH",
                 keep(c, "/products/%s", url_part(c, name)), body, &answer);

    if (code == 0) {
        (void)json_object_update(c->result, answer);
    }
    if (code == 0 && json_is_true(json_object_get(answer, "unmanaged"))) {
        code = put_addresses(c, api, name);
    }
    if (code == 0) {
        print_product(c);
    }
    json_decref(answer);
    return code;
}

int verb_product_show(struct call *c)
{
    const char *name = name_of(c);
    struct api *api;
    int code;

    if (name == NULL) {
        return EXIT_INPUT;
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = show_product(c, api, name, NULL);
    }
    api_close(api);
    return code;
}

int verb_product_set(struct call *c)
{
    const char *unmanaged = cli_value(c, "unmanaged");
    const char *name = name_of(c);
    struct api *api;
    json_t *body;
    int code;

    if (name == NULL) {
        return EXIT_INPUT;
    }
    if (unmanaged == NULL) {
        return refuse(c, EXIT_USAGE, "say --unmanaged on or --unmanaged off");
    }
    api = api_open(c, &code);
    body = json_object();
    put_bool(body, "unmanaged", strcmp(unmanaged, "on") == 0);
    if (api != NULL) {
        code = show_product(c, api, name, body);
    }
    json_decref(body);
    api_close(api);
    return code;
}

/* --- Who asked
 * ---------------------------------------------------------------
 */

/* "1.1.0" of what it got, beside the rest. */
static void flatten(json_t *items)
{
    size_t i;

    for (i = 0; i < json_array_size(items); i++) {
        json_t *row = json_array_get(items, i);
        json_t *got = json_object_get(row, "got");
        json_t *version = json_incref(json_object_get(got, "version"));

        (void)json_object_set_new(row, "sent",
                                  version == NULL ? json_null() : version);
    }
}

static int list(struct call *c, struct api *api)
{
    static const char *const columns[] = {"number", "name",      "channel",
                                          "client", "version",   "sent",
                                          "status", "last_seen", "why"};
    const char *product = cli_value(c, "product");
    const char *path = product == NULL ? "/unmanaged"
                                       : keep(c, "/unmanaged?product=%s",
                                              url_part(c, product));
    json_t *items = NULL;
    int code = api_list(api, path, 0, &items);

    if (code == 0) {
        flatten(items);
        put(c->result, "items", items);
        print_table(c, items, columns, 9);
    }
    return code;
}

int verb_device_unmanaged(struct call *c)
{
    const char *gone = cli_value(c, "forget");
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL && gone == NULL) {
        code = list(c, api);
    } else if (api != NULL) {
        code =
            api_call(api, "DELETE",
                     keep(c, "/unmanaged/%s", url_part(c, gone)), NULL, NULL);
        put_text(c->result, "forgotten", gone);
    }
    api_close(api);
    return code;
}
