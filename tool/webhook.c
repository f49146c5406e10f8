/* SPDX-License-Identifier: Apache-2.0 */
/* bowline webhook add, list, set, remove, test, deliveries. The secret comes
 * from a file or goes to one; it is printed for -o - alone. */
#include "api.h"
#include "print.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { POLL_US = 200000 };

/* The path of the webhook that the first argument names; NULL: c->err. */
static const char *path_of(struct call *c, const char *behind)
{
    const char *id = c->argument[0];
    size_t n = strspn(id, "0123456789");

    if (n == 0 || n > 18 || id[n] != '\0') {
        (void)refuse(c, EXIT_USAGE,
                     "%s is no webhook's number: bowline webhook list", id);
        return NULL;
    }
    return keep(c, "/webhooks/%s%s", id, behind);
}

/* One request about that webhook. */
static int request(struct call *c, const char *method, const char *behind,
                   const json_t *body, json_t **answer)
{
    const char *path = path_of(c, behind);
    struct api *api;
    int code = EXIT_USAGE;

    if (path == NULL) {
        return code;
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = api_call(api, method, path, body, answer);
    }
    api_close(api);
    return code;
}

static void show_one(struct call *c, json_t *answer)
{
    if (answer != NULL) {
        (void)json_object_update(c->result, answer);
        print_object(c, c->result);
    }
}

/* --- add -------------------------------------------------------------------
 */

/* "rollout.*,release.add"; the server says what is no type. */
static void put_events(struct call *c, json_t *body)
{
    const char *at = cli_value(c, "events");
    json_t *list = json_array();

    while (at != NULL && *at != '\0') {
        size_t n = strcspn(at, ",");

        (void)json_array_append_new(list, json_stringn(at, n));
        at += n + (at[n] == ',' ? 1 : 0);
    }
    put(body, "events", list);
}

/* Where the secret that the server makes goes; NULL when a file has one. */
static int where(struct call *c, const char **out)
{
    const char *path = cli_value(c, "output");

    *out = path;
    if (cli_value(c, "secret-file") != NULL) {
        return path == NULL
                   ? 0
                   : refuse(c, EXIT_USAGE,
                            "--secret-file has the secret, --output is for "
                            "one that the server makes: one of them");
    }
    if (path == NULL) {
        return refuse(c, EXIT_USAGE,
                      "say where the secret goes, --output FILE, or which it "
                      "is, --secret-file FILE");
    }
    if (strcmp(path, "-") != 0 && !cli_flag(c, "force") &&
        access(path, F_OK) == 0) {
        return refuse(c, EXIT_INPUT,
                      "%s is there already; name another file: --output",
                      path);
    }
    return 0;
}

/* A secret that cannot be kept is of no use: the webhook is taken back. */
static int keep_made(struct call *c, struct api *api, const char *path,
                     json_t *answer)
{
    long long id =
        (long long)json_integer_value(json_object_get(answer, "id"));
    int code = 0;

    if (path != NULL) {
        code =
            secret_out(c, path, "secret",
                       json_string_value(json_object_get(answer, "secret")));
    }
    if (code != 0) {
        (void)api_call(api, "DELETE", keep(c, "/webhooks/%lld", id), NULL,
                       NULL);
        return code;
    }
    (void)json_object_del(answer, "secret");
    (void)json_object_update(c->result, answer);
    put_text(c->result, "file", path);
    if (path == NULL || strcmp(path, "-") != 0) {
        print_object(c, c->result);
    }
    return 0;
}

static int add(struct call *c, json_t *body, const char *path)
{
    json_t *answer = NULL;
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL) {
        code = api_call(api, "POST", "/webhooks", body, &answer);
    }
    if (api != NULL && code == 0) {
        code = keep_made(c, api, path, answer);
    }
    json_decref(answer);
    api_close(api);
    return code;
}

int verb_webhook_add(struct call *c)
{
    json_t *body = json_object();
    const char *path = NULL;
    int code = where(c, &path);

    put_text(body, "url", c->argument[0]);
    put_events(c, body);
    if (code == 0) {
        code = secret_in(c, cli_value(c, "secret-file"), body, "secret");
    }
    if (code == 0) {
        code = add(c, body, path);
    }
    json_decref(body);
    return code;
}

/* --- list, set, remove -----------------------------------------------------
 */

int verb_webhook_list(struct call *c)
{
    static const char *const columns[] = {"id",     "enabled", "url",
                                          "events", "created", "created_by"};
    json_t *items = NULL;
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL) {
        code = api_list(api, "/webhooks", 0, &items);
    }
    api_close(api);
    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, 6);
    }
    return code;
}

static int put_changes(struct call *c, json_t *body)
{
    bool disable = cli_flag(c, "disable");
    bool enable = cli_flag(c, "enable");

    if (disable && enable) {
        return refuse(c, EXIT_USAGE, "--disable or --enable, not both");
    }
    if (disable || enable) {
        put_bool(body, "enabled", enable);
    }
    if (cli_value(c, "events") != NULL) {
        put_events(c, body);
    }
    if (cli_value(c, "url") != NULL) {
        put_text(body, "url", cli_value(c, "url"));
    }
    if (json_object_size(body) == 0 && cli_value(c, "secret-file") == NULL) {
        return refuse(c, EXIT_USAGE,
                      "say what changes: --enable, --disable, --url, --events "
                      "or --secret-file");
    }
    return secret_in(c, cli_value(c, "secret-file"), body, "secret");
}

int verb_webhook_set(struct call *c)
{
    json_t *body = json_object();
    json_t *answer = NULL;
    int code = put_changes(c, body);

    if (code == 0) {
        code = request(c, "PATCH", "", body, &answer);
    }
    if (code == 0) {
        show_one(c, answer);
    }
    json_decref(answer);
    json_decref(body);
    return code;
}

int verb_webhook_remove(struct call *c)
{
    int code = request(c, "DELETE", "", NULL, NULL);

    if (code == 0) {
        put_text(c->result, "id", c->argument[0]);
        put_bool(c->result, "removed", true);
        show(c, "Webhook %s is removed; nothing more is sent there.",
             c->argument[0]);
    }
    return code;
}

/* --- test, deliveries ------------------------------------------------------
 */

static bool is_waiting(const json_t *delivery)
{
    const char *state = json_string_value(json_object_get(delivery, "state"));
    json_int_t tries = json_integer_value(json_object_get(delivery, "tries"));

    return state != NULL && strcmp(state, "waiting") == 0 && tries == 0;
}

/* The delivery of this number, as it is now. */
static int look_again(struct call *c, struct api *api, json_int_t id,
                      json_t **delivery)
{
    json_t *items = NULL;
    const char *path = keep(c, "/webhooks/%s/deliveries?after=%lld",
                            c->argument[0], (long long)id + 1);
    int code = api_list(api, path, 1, &items);
    json_t *found = json_array_get(items, 0);

    if (code == 0 && json_integer_value(json_object_get(found, "id")) == id) {
        json_decref(*delivery);
        *delivery = json_incref(found);
    }
    json_decref(items);
    return code;
}

/* Waits until the first try is over; the server gives one 10 seconds. */
static int await(struct call *c, struct api *api, json_t **delivery)
{
    json_int_t id = json_integer_value(json_object_get(*delivery, "id"));
    int code = 0;
    int i;

    for (i = 0; code == 0 && is_waiting(*delivery) && i < 100; i++) {
        (void)usleep(POLL_US);
        code = look_again(c, api, id, delivery);
    }
    return code;
}

static int test(struct call *c, struct api *api, json_t **delivery)
{
    const char *state;
    int code = api_call(api, "POST", path_of(c, "/test"), NULL, delivery);

    if (code == 0) {
        code = await(c, api, delivery);
    }
    if (code != 0) {
        return code;
    }
    show_one(c, *delivery);
    state = json_string_value(json_object_get(*delivery, "state"));
    return state != NULL && strcmp(state, "delivered") == 0 ? EXIT_YES
                                                            : EXIT_NO;
}

int verb_webhook_test(struct call *c)
{
    json_t *delivery = NULL;
    struct api *api;
    int code = EXIT_USAGE;

    if (path_of(c, "") == NULL) {
        return code;
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = test(c, api, &delivery);
    }
    json_decref(delivery);
    api_close(api);
    return code;
}

int verb_webhook_deliveries(struct call *c)
{
    static const char *const columns[] = {"id",      "type",  "state",
                                          "created", "tries", "status",
                                          "ms",      "next",  "error"};
    const char *path = path_of(c, "/deliveries");
    json_t *items = NULL;
    uint64_t limit = 20;
    struct api *api;
    int code = cli_number(c, "limit", 1, 100000, &limit);

    if (path == NULL || code != 0) {
        return EXIT_USAGE;
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = api_list(api, path, limit, &items);
    }
    api_close(api);
    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, 9);
    }
    return code;
}
