/* SPDX-License-Identifier: Apache-2.0 */
/* bowline device why, rollout bucket, fleet status: short questions. */
#include <string.h>

#include "device.h"
#include "print.h"
#include "rollout.h"

static const char *text_of(struct call *c, const json_t *object,
                           const char *key)
{
    return print_scalar(c, key, json_object_get(object, key));
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* --- device why ---------------------------------------------------------- */

static void show_facts(struct call *c, const json_t *facts)
{
    for (size_t i = 0; i < json_array_size(facts); i++) {
        json_t *fact = json_array_get(facts, i);

        if (json_is_string(fact)) {
            show(c, "  %s", print_scalar(c, "", fact));
        } else {
            print_object(c, fact);
        }
    }
}

static int ask_why(struct call *c, struct api *api)
{
    json_t *device = NULL;
    json_t *answer = NULL;
    int code = device_find(c, api, c->argument[0], &device);

    if (code == 0) {
        code = api_call(api, "GET",
                        keep(c, "/devices/%s/why", text_of(c, device, "id")),
                        NULL, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        show(c, "%s", text_of(c, answer, "sentence"));
        if (cli_flag(c, "facts")) {
            show_facts(c, json_object_get(answer, "facts"));
        }
    }
    json_decref(device);
    json_decref(answer);
    return code;
}

static int with_server(struct call *c,
                       int (*ask)(struct call *c, struct api *api))
{
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL) {
        code = ask(c, api);
    }
    api_close(api);
    return code;
}

int verb_device_why(struct call *c)
{
    return with_server(c, ask_why);
}

/* --- rollout bucket ------------------------------------------------------ */

/* The newest rollout of the device's product. */
static int newest(struct call *c, struct api *api, const char *product,
                  const char **id)
{
    json_t *items = NULL;
    json_int_t best = 0;
    int code = api_list(
        api, keep(c, "/rollouts?product=%s", url_part(c, product)), 0, &items);

    for (size_t i = 0; code == 0 && i < json_array_size(items); i++) {
        json_int_t n = number(json_array_get(items, i), "id");

        best = n > best ? n : best;
    }
    json_decref(items);
    if (code == 0 && best == 0) {
        code = refuse(c, EXIT_INPUT, "%s has no rollout", product);
    }
    *id = keep(c, "%lld", (long long)best);
    return code;
}

static int ask_bucket(struct call *c, struct api *api)
{
    const char *id = cli_value(c, "rollout");
    json_t *device = NULL;
    json_t *answer = NULL;
    int code = device_find(c, api, c->argument[0], &device);

    if (code == 0 && id == NULL) {
        code = newest(c, api, text_of(c, device, "product"), &id);
    }
    if (code == 0) {
        code = api_call(api, "GET",
                        keep(c, "/devices/%s/bucket?rollout=%s",
                             text_of(c, device, "id"), url_part(c, id)),
                        NULL, &answer);
    }
    if (code == 0) {
        const json_t *stage = json_object_get(answer, "stage");

        (void)json_object_update(c->result, answer);
        put_text(c->result, "rollout", id);
        show(c, "%s is in bucket %lld of 10000 of rollout %s: %s",
             c->argument[0], number(answer, "bucket"), id,
             json_is_integer(stage)
                 ? keep(c, "stage %lld", number(answer, "stage") + 1)
                 : "no stage");
    }
    json_decref(device);
    json_decref(answer);
    return code;
}

int verb_rollout_bucket(struct call *c)
{
    return with_server(c, ask_bucket);
}

/* --- fleet status -------------------------------------------------------- */

static enum color level_color(const json_t *fleet)
{
    const char *level = json_string_value(json_object_get(fleet, "level"));

    return level == NULL                 ? PLAIN
           : strcmp(level, "good") == 0  ? GOOD
           : strcmp(level, "bad") == 0   ? BAD
           : strcmp(level, "watch") == 0 ? WARN
                                         : PLAIN;
}

static void show_rollouts(struct call *c, const json_t *fleet)
{
    const json_t *list = json_object_get(fleet, "rollouts");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *r = json_array_get(list, i);

        field(c, i == 0 ? "rollouts" : "", "%s: %s %s, %s; %s",
              text_of(c, r, "id"), text_of(c, r, "product"),
              text_of(c, r, "version"), text_of(c, r, "state"),
              text_of(c, r, "status"));
    }
}

static void show_attention(struct call *c, const json_t *fleet)
{
    const json_t *list = json_object_get(fleet, "attention");
    long long rest =
        number(fleet, "attention_count") - (long long)json_array_size(list);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *d = json_array_get(list, i);
        const char *name = text_of(c, d, "name");

        name = strcmp(name, "-") != 0 ? name
                                      : keep(c, "%.8s", text_of(c, d, "id"));
        field(c, i == 0 ? "need a person" : "", "%s: %s", name,
              text_of(c, d, "why"));
    }
    if (rest > 0) {
        field(c, "", "and %lld more", rest);
    }
}

static int ask_fleet(struct call *c, struct api *api)
{
    json_t *fleet = NULL;
    const json_t *versions;
    int code = api_call(api, "GET", "/fleet", NULL, &fleet);

    if (code != 0) {
        return code;
    }
    (void)json_object_update(c->result, fleet);
    show(c, "%s%s%s", color(c, level_color(fleet)),
         text_of(c, fleet, "sentence"), color(c, PLAIN));
    field(c, "devices", "%lld, %lld silent", number(fleet, "devices"),
          number(fleet, "silent"));
    versions = json_object_get(fleet, "versions");
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *v = json_array_get(versions, i);

        field(c, i == 0 ? "versions" : "", "%s %s: %lld",
              text_of(c, v, "product"), text_of(c, v, "version"),
              number(v, "devices"));
    }
    show_rollouts(c, fleet);
    show_attention(c, fleet);
    json_decref(fleet);
    return 0;
}

int verb_fleet_status(struct call *c)
{
    return with_server(c, ask_fleet);
}
