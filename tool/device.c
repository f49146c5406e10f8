/* SPDX-License-Identifier: Apache-2.0 */
/* bowline device add, list, show, events, remove. */
#include "device.h"

#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "print.h"

enum { ID_DIGITS = 32 };

static bool is_id(const char *text)
{
    uint8_t bytes[ID_DIGITS / 2];

    return strlen(text) == ID_DIGITS &&
           hex_decode(text, ID_DIGITS, bytes, sizeof bytes) == 0;
}

static bool is_meant(const json_t *device, const char *text)
{
    const char *id = json_string_value(json_object_get(device, "id"));
    const char *name = json_string_value(json_object_get(device, "name"));

    return (name != NULL && strcmp(name, text) == 0) ||
           (id != NULL && strlen(text) >= 4 &&
            strncmp(id, text, strlen(text)) == 0);
}

int device_find(struct call *c, struct api *api, const char *text,
                json_t **device)
{
    json_t *items = NULL;
    json_t *found = NULL;
    size_t i;
    int code;

    if (is_id(text)) {
        return api_call(api, "GET", keep(c, "/devices/%s", text), NULL,
                        device);
    }
    code =
        api_list(api, keep(c, "/devices?q=%s", url_part(c, text)), 0, &items);
    for (i = 0; code == 0 && i < json_array_size(items); i++) {
        json_t *d = json_array_get(items, i);

        if (!is_meant(d, text)) {
            continue;
        }
        if (found != NULL) {
            code = refuse(c, EXIT_INPUT,
                          "\"%s\" is more than one device; say "
                          "more digits of its id",
                          text);
        }
        found = d;
    }
    if (code == 0 && found == NULL) {
        code = refuse(c, EXIT_INPUT,
                      "no device has the name \"%s\", or an id "
                      "that begins so",
                      text);
    }
    if (code == 0) {
        *device = json_incref(found);
    }
    json_decref(items);
    return code;
}

/* --- add
 * --------------------------------------------------------------------- */

static const char *choose_id(struct call *c)
{
    uint8_t bytes[ID_DIGITS / 2];

    if (c->n_arguments > 0) {
        return is_id(c->argument[0]) ? c->argument[0] : NULL;
    }
    return RAND_bytes(bytes, sizeof bytes) == 1
               ? keep_hex(c, bytes, sizeof bytes)
               : NULL;
}

static json_t *tags(const struct call *c)
{
    const char *tag[MANY];
    json_t *list = json_array();
    int n = cli_values(c, "tag", tag);
    int i;

    for (i = 0; i < n; i++) {
        (void)json_array_append_new(list, json_string(tag[i]));
    }
    return list;
}

/* The only place where a device's token is written down. */
static int keep_token(struct call *c, const char *path, const json_t *answer)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    struct buffer text = BUFFER(4096);
    int code;

    if (token == NULL) {
        return refuse(c, EXIT_SERVER, "the server gave no token");
    }
    (void)buffer_printf(&text, NULL, "%s\n", token);
    code = write_output(c, path, buffer_span(&text), 0600);
    buffer_wipe(&text);
    return code;
}

static int add(struct call *c, struct api *api, const char *id,
               const char *product)
{
    const char *name = cli_value(c, "name");
    const char *path = cli_value(c, "output");
    json_t *body = json_object();
    json_t *answer = NULL;
    int code;

    path = path == NULL ? keep(c, "%s.token", id) : path;
    if (!cli_flag(c, "force") && access(path, F_OK) == 0) {
        json_decref(body);
        return refuse(c, EXIT_INPUT,
                      "%s is there already; name another file "
                      "for the token: --output",
                      path);
    }
    put_text(body, "id", id);
    put_text(body, "product", product);
    if (name != NULL) {
        put_text(body, "name", name);
    }
    put(body, "tags", tags(c));
    if (cli_value(c, "channel") != NULL) {
        put_text(body, "channel", cli_value(c, "channel"));
    }
    code = api_call(api, "POST", "/devices", body, &answer);
    json_decref(body);
    code = code == 0 ? keep_token(c, path, answer) : code;
    if (code == 0) {
        put_text(c->result, "id", id);
        put_text(c->result, "product", product);
        put_text(c->result, "name", name);
        put_text(c->result, "token_file", path);
        print_object(c, c->result);
    }
    json_decref(answer);
    return code;
}

int verb_device_add(struct call *c)
{
    const char *id = choose_id(c);
    const char *product = setting_needed(c, "product");
    struct api *api;
    int code;

    if (product == NULL) {
        return EXIT_INPUT;
    }
    if (id == NULL) {
        return refuse(c, EXIT_USAGE,
                      "a device's id is %d hex digits, in "
                      "lower case",
                      ID_DIGITS);
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = add(c, api, id, product);
    }
    api_close(api);
    return code;
}

/* --- list, show, events, remove
 * ------------------------------------------------- */

static const char *filter(struct call *c, const char *query, const char *name,
                          const char *value)
{
    if (value == NULL) {
        return query;
    }
    return keep(c, "%s%c%s=%s", query, strchr(query, '?') == NULL ? '?' : '&',
                name, url_part(c, value));
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* Short enough for a line of a terminal. */
static json_t *short_rows(struct call *c, const json_t *items)
{
    json_t *rows = json_array();
    size_t i;

    for (i = 0; i < json_array_size(items); i++) {
        json_t *row = json_copy(json_array_get(items, i));
        const char *id = print_scalar(c, "id", json_object_get(row, "id"));
        long long seen = number(row, "last_seen");

        put_text(row, "id", keep(c, "%.8s", id));
        put_text(row, "last_seen",
                 seen <= 0 ? "never" : keep_ago(c, (uint64_t)seen));
        put(row, "what_happened",
            json_incref(json_object_get(row, "history")));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static void print_list_of(struct call *c, json_t *items)
{
    static const char *const whole[] = {"id",      "name",      "product",
                                        "version", "slot",      "state",
                                        "code",    "last_seen", "history"};
    static const char *const brief[] = {"id",    "name",      "version",
                                        "state", "last_seen", "what_happened"};
    json_t *rows;

    if (cli_flag(c, "long")) {
        print_table(c, items, whole, sizeof whole / sizeof whole[0]);
        return;
    }
    rows = short_rows(c, items);
    print_table(c, rows, brief, sizeof brief / sizeof brief[0]);
    json_decref(rows);
}

int verb_device_list(struct call *c)
{
    const char *query = "/devices";
    uint64_t limit = 0;
    json_t *items = NULL;
    struct api *api;
    int code = cli_number(c, "limit", 1, 1000000, &limit);

    if (code != 0) {
        return code;
    }
    query = filter(c, query, "product", setting(c, "product"));
    query = filter(c, query, "state", cli_value(c, "state"));
    query = filter(c, query, "version", cli_value(c, "version"));
    query = filter(c, query, "q", cli_value(c, "search"));
    query = filter(c, query, "query", cli_value(c, "query"));
    api = api_open(c, &code);
    if (api != NULL) {
        code = api_list(api, query, limit, &items);
    }
    if (code == 0) {
        put(c->result, "items", items);
        print_list_of(c, items);
    }
    api_close(api);
    return code;
}

/* The kind of a target in the words of rollout list. */
static const char *kind_of(const json_t *target)
{
    static const char *const words[][2] = {
        {"rollout", "update"},
        {"product", "rollback"},
        {"device", "rollback of this device"}};
    const char *kind = json_string_value(json_object_get(target, "kind"));
    size_t i;

    for (i = 0; kind != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(kind, words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return kind;
}

static void print_device(struct call *c, const json_t *device)
{
    json_t *shown = json_deep_copy(device);
    json_t *target = json_object_get(shown, "target");

    if (json_is_object(target)) {
        put_text(target, "kind", kind_of(target));
    }
    print_object(c, shown);
    json_decref(shown);
}

int verb_device_show(struct call *c)
{
    int code;
    struct api *api = api_open(c, &code);
    json_t *device = NULL;

    if (api != NULL) {
        code = device_find(c, api, c->argument[0], &device);
    }
    if (code == 0) {
        (void)json_object_update(c->result, device);
        print_device(c, device);
    }
    json_decref(device);
    api_close(api);
    return code;
}

static int events(struct call *c, struct api *api, uint64_t limit)
{
    static const char *const columns[] = {"number", "received", "state",
                                          "code",   "meaning",  "version",
                                          "slot",   "attempt",  "reset"};
    json_t *device = NULL;
    json_t *items = NULL;
    int code = device_find(c, api, c->argument[0], &device);

    if (code == 0) {
        const char *id = print_scalar(c, "id", json_object_get(device, "id"));

        code = api_list(api, keep(c, "/devices/%s/events", id), limit, &items);
    }
    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, 9);
    }
    json_decref(device);
    return code;
}

int verb_device_events(struct call *c)
{
    uint64_t limit = 100;
    int code = cli_number(c, "limit", 1, 100000, &limit);
    struct api *api = code != 0 ? NULL : api_open(c, &code);

    if (api != NULL) {
        code = events(c, api, limit);
    }
    api_close(api);
    return code;
}

/* --- set
 * --------------------------------------------------------------------- */

/* What was said; `--tag ""` takes all tags away. */
static json_t *changes(const struct call *c)
{
    static const char *const texts[] = {"name", "channel"};
    json_t *body = json_object();
    const char *tag = cli_value(c, "tag");

    for (int i = 0; i < 2; i++) {
        if (cli_value(c, texts[i]) != NULL) {
            put_text(body, texts[i], cli_value(c, texts[i]));
        }
    }
    if (tag != NULL) {
        put(body, "tags", tag[0] == '\0' ? json_array() : tags(c));
    }
    return body;
}

static int set(struct call *c, struct api *api, const json_t *body)
{
    json_t *device = NULL;
    json_t *answer = NULL;
    int code = device_find(c, api, c->argument[0], &device);

    if (code == 0) {
        const char *id = print_scalar(c, "id", json_object_get(device, "id"));

        code =
            api_call(api, "PATCH", keep(c, "/devices/%s", id), body, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        print_device(c, answer);
    }
    json_decref(device);
    json_decref(answer);
    return code;
}

int verb_device_set(struct call *c)
{
    json_t *body = changes(c);
    struct api *api = NULL;
    int code;

    if (json_object_size(body) == 0) {
        code = refuse(c, EXIT_USAGE, "say --name, --channel or --tag");
    } else {
        api = api_open(c, &code);
    }
    if (api != NULL) {
        code = set(c, api, body);
    }
    json_decref(body);
    api_close(api);
    return code;
}

int verb_device_remove(struct call *c)
{
    const char *id = c->argument[0];
    struct api *api;
    int code;

    if (!is_id(id)) {
        return refuse(c, EXIT_USAGE,
                      "say the device's whole id: %d hex digits", ID_DIGITS);
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = api_call(api, "DELETE", keep(c, "/devices/%s", id), NULL, NULL);
    }
    if (code == 0) {
        put_text(c->result, "id", id);
        show(c, "removed %s", id);
    }
    api_close(api);
    return code;
}
