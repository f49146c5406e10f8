/* SPDX-License-Identifier: Apache-2.0 */
/* bowline release show, release delta: a release on the server, and the
 * patches that lead to it. */
#include <string.h>

#include "print.h"
#include "rollout.h"

enum { KB = 1024 };

static long long number(const json_t *from, const char *key)
{
    return (long long)json_integer_value(json_object_get(from, key));
}

static const char *size_text(struct call *c, const json_t *d, const char *key)
{
    long long n = number(d, key);

    return n <= 0 ? "-" : keep_size(c, (uint64_t)n);
}

/* As a person reads it; --json has the API's own. */
static json_t *row_of(struct call *c, const json_t *d)
{
    const json_t *share = json_object_get(d, "share");
    const json_t *from = json_object_get(d, "from");
    json_t *row = json_object();

    put_number(row, "number", (uint64_t)number(d, "number"));
    put_text(
        row, "from",
        json_is_string(from)
            ? json_string_value(from)
            : keep(c, "%.12s", json_string_value(json_object_get(d, "base"))));
    put_text(row, "ram", keep(c, "%lld KB", number(d, "ram") / KB));
    put_text(row, "state", json_string_value(json_object_get(d, "state")));
    put_text(row, "bytes", size_text(c, d, "size"));
    put_text(row, "share",
             json_is_number(share)
                 ? keep(c, "%.2f%%", json_number_value(share) * 100)
                 : "-");
    put_number(row, "devices", (uint64_t)number(d, "devices"));
    put_number(row, "installed", (uint64_t)number(d, "installed"));
    put_number(row, "failed", (uint64_t)number(d, "failed"));
    put_text(row, "saved", size_text(c, d, "saved"));
    put_text(row, "reason", json_string_value(json_object_get(d, "reason")));
    return row;
}

static void print_deltas(struct call *c, const json_t *list)
{
    static const char *const columns[] = {
        "number",  "from",      "ram",    "state", "bytes", "share",
        "devices", "installed", "failed", "saved", "reason"};
    const json_t *items = json_object_get(list, "items");
    json_t *rows = json_array();

    for (size_t i = 0; i < json_array_size(items); i++) {
        (void)json_array_append_new(rows, row_of(c, json_array_get(items, i)));
    }
    if (json_array_size(rows) == 0) {
        show(c, "No patches lead to it.");
    } else {
        print_table(c, rows, columns, sizeof columns / sizeof columns[0]);
        show(c, "Patches have saved %s.",
             keep_size(c, (uint64_t)number(list, "saved")));
    }
    if (json_is_false(json_object_get(list, "enabled"))) {
        show(c, "Patches are switched off: bowline settings --deltas on");
    }
    json_decref(rows);
}

static const char *path_of(struct call *c, const json_t *release)
{
    return keep(c, "/releases/%s/deltas",
                json_string_value(json_object_get(release, "manifest")));
}

/* --- show ----------------------------------------------------------------
 */

static int show_release(struct call *c, struct api *api, const char *product)
{
    json_t *release = NULL;
    json_t *list = NULL;
    int code = release_find(c, api, product, c->argument[0], &release);

    if (code == 0) {
        code = api_call(api, "GET", path_of(c, release), NULL, &list);
    }
    if (code == 0) {
        (void)json_object_update(c->result, release);
        print_object(c, c->result);
        show(c, "%s", "");
        print_deltas(c, list);
        put(c->result, "deltas", json_incref(json_object_get(list, "items")));
        put_number(c->result, "delta_saved", (uint64_t)number(list, "saved"));
    }
    json_decref(list);
    json_decref(release);
    return code;
}

static int with_server(struct call *c,
                       int (*work)(struct call *c, struct api *api,
                                   const char *product))
{
    const char *product = setting_needed(c, "product");
    int code = EXIT_INPUT;
    struct api *api = product == NULL ? NULL : api_open(c, &code);

    if (api != NULL) {
        code = work(c, api, product);
    }
    api_close(api);
    return code;
}

int verb_release_show(struct call *c)
{
    return with_server(c, show_release);
}

/* --- delta ---------------------------------------------------------------
 */

static int make(struct call *c, struct api *api, const json_t *release,
                json_t **answer)
{
    json_t *body = json_object();
    uint64_t ram = 0;
    int code = cli_number(c, "ram", 6, 32, &ram);

    put_text(body, "from", cli_value(c, "make"));
    if (ram > 0) {
        put_number(body, "ram", ram * KB);
    }
    if (code == 0) {
        code = api_call(api, "POST", path_of(c, release), body, answer);
    }
    json_decref(body);
    return code;
}

static int act(struct call *c, struct api *api, const char *action,
               json_t **answer)
{
    return api_call(
        api, "POST",
        keep(c, "/deltas/%s/%s", url_part(c, cli_value(c, action)), action),
        NULL, answer);
}

static int list(struct call *c, struct api *api, const json_t *release)
{
    json_t *all = NULL;
    int code = api_call(api, "GET", path_of(c, release), NULL, &all);

    if (code == 0) {
        print_deltas(c, all);
        (void)json_object_update(c->result, all);
    }
    json_decref(all);
    return code;
}

static int delta(struct call *c, struct api *api, const char *product)
{
    int wishes = (cli_value(c, "make") != NULL) +
                 (cli_value(c, "remake") != NULL) +
                 (cli_value(c, "withdraw") != NULL);
    json_t *release = NULL;
    json_t *answer = NULL;
    int code =
        wishes > 1
            ? refuse(c, EXIT_USAGE, "one of --make, --remake and --withdraw")
            : release_find(c, api, product, c->argument[0], &release);

    if (code == 0 && cli_value(c, "make") != NULL) {
        code = make(c, api, release, &answer);
    } else if (code == 0 && cli_value(c, "remake") != NULL) {
        code = act(c, api, "remake", &answer);
    } else if (code == 0 && cli_value(c, "withdraw") != NULL) {
        code = act(c, api, "withdraw", &answer);
    }
    if (code == 0 && answer != NULL) {
        (void)json_object_update(c->result, answer);
        show(c, "patch %lld is %s", number(answer, "number"),
             json_string_value(json_object_get(answer, "state")));
    } else if (code == 0) {
        code = list(c, api, release);
    }
    json_decref(answer);
    json_decref(release);
    return code;
}

int verb_release_delta(struct call *c)
{
    return with_server(c, delta);
}
