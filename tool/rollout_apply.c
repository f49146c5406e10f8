/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout plan, apply: a file against the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan_options.h"
#include "rollout.h"
#include "rollout_file.h"

struct difference {
    struct call *c;
    struct api *api;
    json_t *wanted;    /* as the file says it */
    json_t *preview;   /* what the server makes of it */
    const char *id;    /* of the rollout that is there, or NULL */
    json_t *changes;   /* members of a PATCH */
    json_t *described; /* list of {member, is, should} */
};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* --- What is there ------------------------------------------------------- */

static bool is_meant(const json_t *rollout, const json_t *wanted)
{
    const char *key =
        text_of(wanted, "manifest") != NULL ? "manifest" : "version";
    const char *is = text_of(rollout, key);
    const char *kind = text_of(rollout, "kind");
    const char *state = text_of(rollout, "state");

    return is != NULL && strcmp(is, text_of(wanted, key)) == 0 &&
           (kind == NULL || strcmp(kind, "update") == 0) && state != NULL &&
           strcmp(state, "aborted") != 0;
}

/* The newest rollout of that release which was not aborted. */
static int find_rollout(struct difference *d, json_t **found)
{
    struct call *c = d->c;
    json_t *items = NULL;
    json_t *best = NULL;
    json_int_t newest = 0;
    int code = api_list(d->api,
                        keep(c, "/rollouts?product=%s",
                             url_part(c, text_of(d->wanted, "product"))),
                        0, &items);

    for (size_t i = 0; code == 0 && i < json_array_size(items); i++) {
        json_t *r = json_array_get(items, i);
        json_int_t id = json_integer_value(json_object_get(r, "id"));

        if (is_meant(r, d->wanted) && id > newest) {
            best = r;
            newest = id;
        }
    }
    *found = json_incref(best);
    json_decref(items);
    if (best != NULL) {
        d->id = rollout_id_text(c, best);
    }
    return code;
}

/* --- The difference ------------------------------------------------------ */

static void differs(struct difference *d, const char *member, json_t *is,
                    json_t *should)
{
    json_t *row = json_object();

    put_text(row, "member", member);
    put(row, "is", is == NULL ? json_null() : json_incref(is));
    put(row, "should", json_incref(should));
    (void)json_array_append_new(d->described, row);
    put(d->changes, member, json_incref(should));
}

static void compare(struct difference *d, const json_t *there,
                    const json_t *rollout)
{
    const json_t *should = json_object_get(d->preview, "plan");
    json_t *name = json_object_get(d->wanted, "name");
    const char *member;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)should, member, value)
    {
        json_t *is = json_object_get(there, member);
        /* Permits are put there by others: only what the file says. */
        bool ours = strcmp(member, "permits") != 0 ||
                    json_object_get(d->wanted, "permits") != NULL;

        if (ours && (is == NULL || !json_equal(is, value))) {
            differs(d, member, is, value);
        }
    }
    if (name != NULL && !json_equal(json_object_get(rollout, "name"), name)) {
        differs(d, "name", json_object_get(rollout, "name"), name);
    }
}

static int look(struct difference *d)
{
    struct call *c = d->c;
    json_t *rollout = NULL;
    json_t *there = NULL;
    int code =
        api_call(d->api, "POST", "/rollouts/preview", d->wanted, &d->preview);

    if (code == 0 && !json_is_object(json_object_get(d->preview, "plan"))) {
        code = refuse(c, EXIT_SERVER,
                      "the server's preview has no plan; it is older than "
                      "this program");
    }
    code = code == 0 ? find_rollout(d, &rollout) : code;
    if (code == 0 && rollout != NULL) {
        code = api_call(d->api, "GET", keep(c, "/rollouts/%s/plan", d->id),
                        NULL, &there);
    }
    if (code == 0 && rollout != NULL) {
        compare(d, there, rollout);
    }
    json_decref(rollout);
    json_decref(there);
    return code;
}

static const char *short_json(struct call *c, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *kept;

    if (text == NULL) {
        return "?";
    }
    kept =
        strlen(text) > 200 ? keep(c, "%.200s...", text) : keep(c, "%s", text);
    free(text);
    return kept;
}

static const char *action_of(const struct difference *d)
{
    return d->id == NULL                       ? "create"
           : json_array_size(d->described) > 0 ? "change"
                                               : "none";
}

static void show_difference(struct difference *d)
{
    struct call *c = d->c;
    const char *product = text_of(d->wanted, "product");
    const char *release = text_of(d->wanted, "version") != NULL
                              ? text_of(d->wanted, "version")
                              : text_of(d->wanted, "manifest");

    put_text(c->result, "action", action_of(d));
    put_text(c->result, "rollout", d->id);
    put(c->result, "changes", json_incref(d->described));
    put(c->result, "preview", json_incref(d->preview));
    if (d->id == NULL) {
        show(c, "%s+ a rollout of %s %s%s", color(c, GOOD), product, release,
             color(c, PLAIN));
        preview_print(c, d->preview);
        return;
    }
    if (json_array_size(d->described) == 0) {
        show(c, "rollout %s of %s %s is as the file says", d->id, product,
             release);
        return;
    }
    show(c, "rollout %s of %s %s", d->id, product, release);
    for (size_t i = 0; i < json_array_size(d->described); i++) {
        const json_t *row = json_array_get(d->described, i);

        show(c, "  %s~ %s%s: %s -> %s", color(c, WARN), text_of(row, "member"),
             color(c, PLAIN), short_json(c, json_object_get(row, "is")),
             short_json(c, json_object_get(row, "should")));
    }
}

/* --- The verbs ----------------------------------------------------------- */

static int check_file(struct difference *d)
{
    struct call *c = d->c;
    const char *path = c->argument[0];

    if (text_of(d->wanted, "product") == NULL) {
        const char *product = setting_needed(c, "product");

        if (product == NULL) {
            return EXIT_INPUT;
        }
        put_text(d->wanted, "product", product);
    }
    if (text_of(d->wanted, "version") == NULL &&
        text_of(d->wanted, "manifest") == NULL) {
        return refuse(c, EXIT_INPUT, "%s: version must say which release",
                      path);
    }
    if (plan_resolve_times(c, d->wanted) != 0) {
        (void)error_prefix(&c->err, "%s", path);
        return EXIT_INPUT;
    }
    return 0;
}

static int open_difference(struct call *c, struct difference *d)
{
    int code;

    memset(d, 0, sizeof *d);
    d->c = c;
    d->changes = json_object();
    d->described = json_array();
    code = rollout_file_read(c, c->argument[0], &d->wanted);
    code = code == 0 ? check_file(d) : code;
    if (code == 0) {
        d->api = api_open(c, &code);
    }
    code = code == 0 ? plan_resolve_devices(c, d->api, d->wanted) : code;
    code = code == 0 ? look(d) : code;
    if (code == 0) {
        show_difference(d);
    }
    return code;
}

static void close_difference(struct difference *d)
{
    json_decref(d->wanted);
    json_decref(d->preview);
    json_decref(d->changes);
    json_decref(d->described);
    api_close(d->api);
}

static bool is_done(const struct difference *d)
{
    return d->id != NULL && json_array_size(d->described) == 0;
}

int verb_rollout_plan(struct call *c)
{
    struct difference d;
    int code = open_difference(c, &d);

    if (code == 0 && !is_done(&d)) {
        code = EXIT_NO;
    }
    close_difference(&d);
    return code;
}

static int ask(struct call *c)
{
    char line[16] = "";

    if (cli_flag(c, "yes")) {
        return 0;
    }
    if (c->json || isatty(STDIN_FILENO) == 0) {
        return refuse(c, EXIT_USAGE, "nobody is there to ask: say --yes");
    }
    (void)fputs("Carry it out? [y/N] ", stderr);
    if (fgets(line, sizeof line, stdin) == NULL ||
        (line[0] != 'y' && line[0] != 'Y')) {
        return refuse(c, EXIT_NO, "nothing was changed");
    }
    return 0;
}

static int send(struct difference *d, json_t **answer)
{
    struct call *c = d->c;
    bool create = d->id == NULL;
    /* What is there already has its permits. */
    bool returns = create || json_object_get(d->changes, "on_failure") != NULL;
    int code = returns ? rollout_sign_way_back(c, d->api, d->wanted, d->id,
                                               create ? d->wanted : d->changes)
                       : 0;

    if (code != 0) {
        return code;
    }
    return create ? api_call(d->api, "POST", "/rollouts", d->wanted, answer)
                  : api_call(d->api, "PATCH", keep(c, "/rollouts/%s", d->id),
                             d->changes, answer);
}

static int carry_out(struct difference *d)
{
    struct call *c = d->c;
    json_t *answer = NULL;
    int code = ask(c);

    code = code == 0 ? send(d, &answer) : code;
    if (code == 0) {
        put_text(c->result, "rollout", rollout_id_text(c, answer));
        rollout_print(c, answer);
    }
    json_decref(answer);
    return code;
}

int verb_rollout_apply(struct call *c)
{
    struct difference d;
    int code = open_difference(c, &d);

    if (code == 0 && !is_done(&d)) {
        code = carry_out(&d);
    }
    close_difference(&d);
    return code;
}
