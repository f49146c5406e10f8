/* SPDX-License-Identifier: Apache-2.0 */
/* A release on the server by its version, and bowline release promote. */
#include <string.h>

#include "rollout.h"

int release_find(struct call *c, struct api *api, const char *product,
                 const char *version, json_t **release)
{
    json_t *items = NULL;
    json_t *best = NULL;
    json_int_t highest = -1;
    int code = api_list(
        api, keep(c, "/releases?product=%s", url_part(c, product)), 0, &items);

    for (size_t i = 0; code == 0 && i < json_array_size(items); i++) {
        json_t *r = json_array_get(items, i);
        const char *is = json_string_value(json_object_get(r, "version"));
        json_int_t sequence =
            json_integer_value(json_object_get(r, "sequence"));

        if (is != NULL && strcmp(is, version) == 0 && sequence > highest &&
            json_is_string(json_object_get(r, "manifest"))) {
            best = r;
            highest = sequence;
        }
    }
    if (code == 0 && best == NULL) {
        code = refuse(c, EXIT_INPUT, "%s has no release %s on the server",
                      product, version);
    }
    *release = code == 0 ? json_incref(best) : NULL;
    json_decref(items);
    return code;
}

static int promote(struct call *c, struct api *api, const char *product,
                   const char *channel)
{
    json_t *release = NULL;
    json_t *body = json_object();
    json_t *answer = NULL;
    int code = release_find(c, api, product, c->argument[0], &release);

    put_text(body, "to", channel);
    if (code == 0) {
        const char *manifest =
            json_string_value(json_object_get(release, "manifest"));

        code = api_call(api, "POST", keep(c, "/releases/%s/promote", manifest),
                        body, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        show(c, "%s %s is in channel %s now", product, c->argument[0],
             channel);
    }
    json_decref(body);
    json_decref(release);
    json_decref(answer);
    return code;
}

int verb_release_promote(struct call *c)
{
    const char *product = setting_needed(c, "product");
    const char *channel = cli_value(c, "to");
    struct api *api;
    int code;

    if (product == NULL) {
        return EXIT_INPUT;
    }
    if (channel == NULL) {
        return refuse(c, EXIT_USAGE, "say the channel: --to CHANNEL");
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = promote(c, api, product, channel);
    }
    api_close(api);
    return code;
}
