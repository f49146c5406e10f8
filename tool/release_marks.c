/* SPDX-License-Identifier: Apache-2.0 */
/* bowline release list, set, promote: what is said of a release after it was
 * published. */
#include <string.h>

#include "print.h"
#include "rollout.h"

static struct api *open_for(struct call *c, const char **product, int *code)
{
    *product = setting_needed(c, "product");
    *code = EXIT_INPUT;
    return *product == NULL ? NULL : api_open(c, code);
}

/* --- list ---------------------------------------------------------------- */

int verb_release_list(struct call *c)
{
    static const char *const columns[] = {"version",  "sequence", "created",
                                          "channels", "stepping", "security",
                                          "devices",  "manifest"};
    json_t *items = NULL;
    const char *product;
    int code;
    struct api *api = open_for(c, &product, &code);

    if (api != NULL) {
        code = api_list(api,
                        keep(c, "/releases?product=%s", url_part(c, product)),
                        0, &items);
    }
    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, sizeof columns / sizeof columns[0]);
    }
    api_close(api);
    return code;
}

/* --- set, promote -------------------------------------------------------- */

/* Sends `body` about the release of the call's version. */
static int say(struct call *c, struct api *api, const char *product,
               const char *method, const char *what, const json_t *body)
{
    json_t *release = NULL;
    json_t *answer = NULL;
    int code = release_find(c, api, product, c->argument[0], &release);

    if (code == 0) {
        code = api_call(
            api, method,
            keep(c, "/releases/%s%s",
                 json_string_value(json_object_get(release, "manifest")),
                 what),
            body, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
    }
    json_decref(release);
    json_decref(answer);
    return code;
}

static int say_to_server(struct call *c, const char *method, const char *what,
                         const json_t *body)
{
    const char *product;
    int code;
    struct api *api = open_for(c, &product, &code);

    if (api != NULL) {
        code = say(c, api, product, method, what, body);
    }
    api_close(api);
    return code;
}

/* `--channel any` takes all channels away. */
static json_t *marks(const struct call *c)
{
    static const char *const flags[] = {"stepping", "security"};
    json_t *body = json_object();
    const char *channel[MANY];
    int n = cli_values(c, "channel", channel);
    json_t *list = n == 0 ? NULL : json_array();

    for (int i = 0; i < n; i++) {
        if (n > 1 || strcmp(channel[i], "any") != 0) {
            (void)json_array_append_new(list, json_string(channel[i]));
        }
    }
    if (list != NULL) {
        put(body, "channels", list);
    }
    for (int i = 0; i < 2; i++) {
        const char *value = cli_value(c, flags[i]);

        if (value != NULL) {
            put_bool(body, flags[i], strcmp(value, "yes") == 0);
        }
    }
    if (cli_value(c, "notes") != NULL) {
        put_text(body, "notes", cli_value(c, "notes"));
    }
    return body;
}

int verb_release_set(struct call *c)
{
    json_t *body = marks(c);
    int code;

    if (json_object_size(body) == 0) {
        code = refuse(c, EXIT_USAGE,
                      "say --channel, --stepping, --security or --notes");
    } else {
        code = say_to_server(c, "PATCH", "", body);
    }
    if (code == 0) {
        print_object(c, c->result);
    }
    json_decref(body);
    return code;
}

int verb_release_promote(struct call *c)
{
    const char *channel = cli_value(c, "to");
    json_t *body = json_object();
    int code;

    if (channel == NULL) {
        code = refuse(c, EXIT_USAGE, "say the channel: --to CHANNEL");
    } else {
        put_text(body, "to", channel);
        code = say_to_server(c, "POST", "/promote", body);
    }
    if (code == 0) {
        show(c, "%s is in channel %s now", c->argument[0], channel);
    }
    json_decref(body);
    return code;
}
