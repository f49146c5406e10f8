/* SPDX-License-Identifier: Apache-2.0 */
/* bowline user add, list, set, remove; login-code; token new, list, revoke;
 * settings. */
#include "api.h"
#include "print.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 86400 };

typedef int work_with(struct call *c, struct api *api);

static int with_api(struct call *c, work_with *work)
{
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL) {
        code = work(c, api);
    }
    api_close(api);
    return code;
}

/* One request whose answer is the result. */
static int ask(struct call *c, struct api *api, const char *method,
               const char *path, json_t *body, json_t **answer)
{
    int code = api_call(api, method, path, body, answer);

    json_decref(body);
    if (code == 0 && answer != NULL) {
        (void)json_object_update(c->result, *answer);
    }
    return code;
}

/* --- Login codes -----------------------------------------------------------
 */

/* Behind the #: a browser does not send it, so that no log has it. The one
 * place where it is printed is where it was asked for. */
static int show_code(struct call *c, struct api *api, const char *name)
{
    json_t *answer = NULL;
    const char *url;
    int code = api_call(api, "POST",
                        keep(c, "/users/%s/login-code", url_part(c, name)),
                        NULL, &answer);

    if (code != 0) {
        return code;
    }
    url = keep(c, "%s/#/login?code=%s", api_base(api),
               json_string_value(json_object_get(answer, "code")));
    put_text(c->result, "name", name);
    put_text(c->result, "url", url);
    put(c->result, "expires", json_incref(json_object_get(answer, "expires")));
    show(c, "%s", url);
    note(c, "Open it in a browser within ten minutes. It logs in once, as %s.",
         name);
    json_decref(answer);
    return 0;
}

/* The only user, when no name is given. */
static const char *only_user(struct call *c, struct api *api, int *code)
{
    json_t *items = NULL;
    const char *name = NULL;

    *code = api_list(api, "/users", 0, &items);
    if (*code == 0 && json_array_size(items) == 1) {
        name = keep(c, "%s",
                    json_string_value(
                        json_object_get(json_array_get(items, 0), "name")));
    } else if (*code == 0) {
        *code = json_array_size(items) == 0
                    ? refuse(c, EXIT_INPUT,
                             "there is no user yet; make one: bowline user "
                             "add NAME --role admin")
                    : refuse(c, EXIT_USAGE,
                             "there are several users; say which one");
    }
    json_decref(items);
    return name;
}

static int login_code(struct call *c, struct api *api)
{
    int code = 0;
    const char *name =
        c->n_arguments > 0 ? c->argument[0] : only_user(c, api, &code);

    return name == NULL ? code : show_code(c, api, name);
}

int verb_login_code(struct call *c)
{
    return with_api(c, login_code);
}

/* --- Users -----------------------------------------------------------------
 */

static int put_password(struct call *c, json_t *body)
{
    return secret_in(c, cli_value(c, "password-file"), body, "password");
}

static int user_add(struct call *c, struct api *api)
{
    const char *role = cli_value(c, "role");
    json_t *body = json_object();
    json_t *answer = NULL;
    int code;

    put_text(body, "name", c->argument[0]);
    put_text(body, "role", role == NULL ? "viewer" : role);
    code = put_password(c, body);
    if (code != 0) {
        json_decref(body);
        return code;
    }
    code = ask(c, api, "POST", "/users", body, &answer);
    json_decref(answer);
    if (code != 0) {
        return code;
    }
    if (cli_value(c, "password-file") != NULL) {
        print_object(c, c->result);
        return 0;
    }
    return show_code(c, api, c->argument[0]);
}

int verb_user_add(struct call *c)
{
    return with_api(c, user_add);
}

static int list_of(struct call *c, struct api *api, const char *path,
                   const char *const *columns, size_t n)
{
    json_t *items = NULL;
    int code = api_list(api, path, 0, &items);

    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, n);
    }
    return code;
}

static int user_list(struct call *c, struct api *api)
{
    static const char *const columns[] = {
        "name", "role", "disabled", "password", "sessions", "last_login"};

    return list_of(c, api, "/users", columns, 6);
}

int verb_user_list(struct call *c)
{
    return with_api(c, user_list);
}

static int user_set(struct call *c, struct api *api)
{
    const char *role = cli_value(c, "role");
    bool disable = cli_flag(c, "disable");
    bool enable = cli_flag(c, "enable");
    json_t *body = json_object();
    json_t *answer = NULL;
    int code = put_password(c, body);

    if (code == 0 && disable && enable) {
        code = refuse(c, EXIT_USAGE, "--disable or --enable, not both");
    }
    if (role != NULL) {
        put_text(body, "role", role);
    }
    if (disable || enable) {
        put_bool(body, "disabled", disable);
    }
    if (code == 0 && json_object_size(body) == 0) {
        code = refuse(c, EXIT_USAGE,
                      "say what changes: --role, --password-file, --disable "
                      "or --enable");
    }
    if (code != 0) {
        json_decref(body);
        return code;
    }
    code =
        ask(c, api, "PATCH", keep(c, "/users/%s", url_part(c, c->argument[0])),
            body, &answer);
    json_decref(answer);
    print_object(c, c->result);
    return code;
}

int verb_user_set(struct call *c)
{
    return with_api(c, user_set);
}

static int user_remove(struct call *c, struct api *api)
{
    put_text(c->result, "name", c->argument[0]);
    put_bool(c->result, "removed", true);
    return api_call(api, "DELETE",
                    keep(c, "/users/%s", url_part(c, c->argument[0])), NULL,
                    NULL);
}

int verb_user_remove(struct call *c)
{
    int code = with_api(c, user_remove);

    if (code == 0) {
        show(c, "%s is removed; every session of that user has ended.",
             c->argument[0]);
    }
    return code;
}

/* --- Tokens ----------------------------------------------------------------
 */

static int token_body(struct call *c, json_t *body)
{
    const char *scope[MANY];
    const char *role = cli_value(c, "role");
    json_t *scopes = json_array();
    uint64_t days = 90;
    int n = cli_values(c, "scope", scope);
    int code = cli_number(c, "days", 0, 36500, &days);
    int i;

    put_text(body, "name", c->argument[0]);
    put_text(body, "role", role == NULL ? "viewer" : role);
    for (i = 0; i < n; i++) {
        (void)json_array_append_new(scopes, json_string(scope[i]));
    }
    put(body, "scopes", scopes);
    put_number(body, "expires",
               days == 0 ? 0 : (uint64_t)time(NULL) + days * DAY_S);
    return code;
}

/* A token that cannot be kept is of no use, and taken back. */
static int token_new(struct call *c, struct api *api)
{
    const char *path = cli_value(c, "output");
    json_t *body = json_object();
    json_t *answer = NULL;
    int code = token_body(c, body);

    path = path == NULL ? keep(c, "%s.token", c->argument[0]) : path;
    if (code == 0 && strcmp(path, "-") != 0 && !cli_flag(c, "force") &&
        access(path, F_OK) == 0) {
        code =
            refuse(c, EXIT_INPUT,
                   "%s is there already; name another file: --output", path);
    }
    if (code == 0) {
        code = api_call(api, "POST", "/tokens", body, &answer);
    }
    json_decref(body);
    if (code != 0) {
        return code;
    }
    code = secret_out(c, path, "token",
                      json_string_value(json_object_get(answer, "token")));
    if (code != 0) {
        (void)api_call(
            api, "DELETE",
            keep(c, "/tokens/%lld",
                 (long long)json_integer_value(json_object_get(answer, "id"))),
            NULL, NULL);
    } else {
        (void)json_object_del(answer, "token");
        (void)json_object_update(c->result, answer);
        put_text(c->result, "file", path);
        if (strcmp(path, "-") != 0) {
            print_object(c, c->result);
        }
    }
    json_decref(answer);
    return code;
}

int verb_token_new(struct call *c)
{
    return with_api(c, token_new);
}

static int token_list(struct call *c, struct api *api)
{
    static const char *const columns[] = {
        "id", "name", "role", "scopes", "expires", "last_use", "created_by"};

    return list_of(c, api, "/tokens", columns, 7);
}

int verb_token_list(struct call *c)
{
    return with_api(c, token_list);
}

/* By its name. */
static int token_revoke(struct call *c, struct api *api)
{
    json_t *items = NULL;
    int code = api_list(api, "/tokens", 0, &items);
    size_t i;

    for (i = 0; code == 0 && i < json_array_size(items); i++) {
        const json_t *t = json_array_get(items, i);
        const char *name = json_string_value(json_object_get(t, "name"));

        if (name != NULL && strcmp(name, c->argument[0]) == 0) {
            long long id =
                (long long)json_integer_value(json_object_get(t, "id"));

            json_decref(items);
            put_text(c->result, "name", c->argument[0]);
            put_bool(c->result, "revoked", true);
            return api_call(api, "DELETE", keep(c, "/tokens/%lld", id), NULL,
                            NULL);
        }
    }
    json_decref(items);
    return code != 0
               ? code
               : refuse(c, EXIT_INPUT, "there is no token %s", c->argument[0]);
}

int verb_token_revoke(struct call *c)
{
    int code = with_api(c, token_revoke);

    if (code == 0) {
        show(c, "%s is revoked.", c->argument[0]);
    }
    return code;
}

/* --- Settings --------------------------------------------------------------
 */

static int settings(struct call *c, struct api *api)
{
    const char *four = cli_value(c, "four-eyes");
    json_t *body = json_object();
    json_t *answer = NULL;
    uint64_t approvals = 0;
    int code = cli_number(c, "approvals", 1, 4, &approvals);

    if (four != NULL) {
        put_bool(body, "four_eyes", strcmp(four, "on") == 0);
    }
    if (cli_value(c, "deltas") != NULL) {
        put_bool(body, "deltas", strcmp(cli_value(c, "deltas"), "on") == 0);
    }
    if (approvals > 0) {
        put_number(body, "approvals", approvals);
    }
    if (code != 0) {
        json_decref(body);
        return code;
    }
    if (json_object_size(body) == 0) {
        json_decref(body);
        code = ask(c, api, "GET", "/settings", NULL, &answer);
    } else {
        code = ask(c, api, "PATCH", "/settings", body, &answer);
    }
    json_decref(answer);
    print_object(c, c->result);
    return code;
}

int verb_settings(struct call *c)
{
    return with_api(c, settings);
}
