/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout start, pause, resume, abort, advance, list. */
#include "rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

/* --- start --------------------------------------------------------------- */

/* "1,10,100": rising, the last is what the rollout may reach. */
static json_t *read_stages(struct call *c)
{
    const char *text = cli_value(c, "stages");
    const char *p = text == NULL ? "1,10,100" : text;
    json_t *list = json_array();
    long last = 0;

    while (*p != '\0') {
        char *end;
        long percent = strtol(p, &end, 10);

        if (end == p || percent <= last || percent > 100 ||
            (*end != ',' && *end != '\0')) {
            json_decref(list);
            (void)refuse(c, EXIT_USAGE,
                         "--stages %s: say rising percents, as "
                         "1,10,100",
                         text);
            return NULL;
        }
        (void)json_array_append_new(list, json_integer(percent));
        last = percent;
        p = *end == ',' ? end + 1 : end;
    }
    return list;
}

static const char *id_text(struct call *c, const json_t *rollout)
{
    const json_t *id = json_object_get(rollout, "id");

    return json_is_integer(id)
               ? keep(c, "%lld", (long long)json_integer_value(id))
               : keep(c, "%s",
                      json_is_string(id) ? json_string_value(id) : "?");
}

static long long percent_of(const json_t *stage)
{
    return (long long)json_integer_value(json_object_get(stage, "percent"));
}

static void warn_of_the_rest(struct call *c, const json_t *rollout)
{
    const json_t *stages = json_object_get(rollout, "stages");
    size_t n = json_array_size(stages);
    long long last = n == 0 ? 100 : percent_of(json_array_get(stages, n - 1));

    if (last < 100) {
        note(c,
             "Warning: the last stage is %lld%%: the other devices never get "
             "the release by this rollout.",
             last);
    }
}

static void show_next(struct call *c, const json_t *rollout)
{
    const char *id = id_text(c, rollout);
    bool more = json_array_size(json_object_get(rollout, "stages")) > 1;

    note(c, "Next: bowline rollout status %s --watch%s%s", id,
         more ? ", bowline rollout advance " : "", more ? id : "");
}

static int start(struct call *c, struct api *api)
{
    const char *product = setting_needed(c, "product");
    json_t *stages = product == NULL ? NULL : read_stages(c);
    json_t *body;
    json_t *answer = NULL;
    int code;

    if (product == NULL) {
        return EXIT_INPUT;
    }
    if (stages == NULL) {
        return EXIT_USAGE;
    }
    body = json_object();
    put_text(body, "product", product);
    put_text(body, "version", c->argument[0]);
    put(body, "stages", stages);
    if (cli_value(c, "name") != NULL) {
        put_text(body, "name", cli_value(c, "name"));
    }
    code = api_call(api, "POST", "/rollouts", body, &answer);
    json_decref(body);
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        rollout_print(c, answer);
        warn_of_the_rest(c, answer);
        show_next(c, answer);
    }
    json_decref(answer);
    return code;
}

int verb_rollout_start(struct call *c)
{
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL) {
        code = start(c, api);
    }
    api_close(api);
    return code;
}

/* --- Which one? ---------------------------------------------------------- */

static bool is_active(const json_t *rollout)
{
    const char *state = json_string_value(json_object_get(rollout, "state"));

    return state != NULL &&
           (strcmp(state, "running") == 0 || strcmp(state, "paused") == 0);
}

/* The one with the highest number, whatever order the list has. */
static const json_t *pick(const json_t *items, bool active)
{
    const json_t *best = NULL;
    long long best_id = -1;
    size_t i;

    for (i = 0; i < json_array_size(items); i++) {
        const json_t *r = json_array_get(items, i);
        const json_t *id = json_object_get(r, "id");
        long long n = json_is_integer(id) ? (long long)json_integer_value(id)
                      : json_is_string(id)
                          ? strtoll(json_string_value(id), NULL, 10)
                          : 0;

        if ((!active || is_active(r)) && n > best_id) {
            best = r;
            best_id = n;
        }
    }
    return best;
}

const char *rollout_id(struct call *c, struct api *api, bool active, int *code)
{
    const char *product;
    const json_t *found;
    const char *id = NULL;
    json_t *items = NULL;

    *code = 0;
    if (c->n_arguments > 0) {
        return url_part(c, c->argument[0]);
    }
    product = setting_needed(c, "product");
    if (product == NULL) {
        *code = EXIT_INPUT;
        return NULL;
    }
    *code = api_list(
        api, keep(c, "/rollouts?product=%s", url_part(c, product)), 0, &items);
    if (*code != 0) {
        return NULL;
    }
    found = pick(items, active);
    if (found == NULL) {
        *code = refuse(c, EXIT_INPUT, "%s has no %srollout", product,
                       active ? "active " : "");
    } else {
        id = id_text(c, found);
    }
    json_decref(items);
    return id;
}

/* --- pause, resume, abort, advance --------------------------------------- */

static int post(struct call *c, struct api *api, const char *id,
                const char *what)
{
    json_t *answer = NULL;
    int code = api_call(api, "POST", keep(c, "/rollouts/%s/%s", id, what),
                        NULL, &answer);

    if (code == 0) {
        (void)json_object_update(c->result, answer);
        rollout_print(c, answer);
    }
    json_decref(answer);
    return code;
}

/* `allowed`, when not NULL, may refuse it before the server is asked to. */
static int change(struct call *c, const char *what,
                  int (*allowed)(struct call *c, struct api *api,
                                 const char *id))
{
    int code;
    struct api *api = api_open(c, &code);
    const char *id = api == NULL ? NULL : rollout_id(c, api, true, &code);

    if (id != NULL && allowed != NULL) {
        code = allowed(c, api, id);
    }
    if (id != NULL && code == 0) {
        code = post(c, api, id, what);
    }
    api_close(api);
    return code;
}

int verb_rollout_pause(struct call *c)
{
    return change(c, "pause", NULL);
}

int verb_rollout_resume(struct call *c)
{
    return change(c, "resume", NULL);
}

int verb_rollout_abort(struct call *c)
{
    return change(c, "abort", NULL);
}

/* Is there a stage to open, and did this one go well? */
static int judge_advance(struct call *c, const json_t *r, const char *id)
{
    const json_t *stages = json_object_get(r, "stages");
    size_t n = json_array_size(stages);
    size_t open = (size_t)json_integer_value(json_object_get(r, "stage"));
    const char *state = json_string_value(json_object_get(r, "state"));

    if (state == NULL || strcmp(state, "running") != 0) {
        return refuse(c, EXIT_INPUT,
                      "rollout %s is %s: only a running one opens a stage%s%s",
                      id, state == NULL ? "nothing" : state,
                      is_active(r) ? "; first bowline rollout resume " : "",
                      is_active(r) ? id : "");
    }
    if (open + 1 >= n) {
        return refuse(c, EXIT_INPUT,
                      "rollout %s has no further stage to open: the last one, "
                      "%lld%%, is open",
                      id, percent_of(json_array_get(stages, n - 1)));
    }
    if (rollout_lost(r) > 0 && !cli_flag(c, "force")) {
        return refuse(c, EXIT_INPUT,
                      "rollout %s: %lld returned, %lld failed, %lld refused; "
                      "bowline rollout status %s says why; --force opens the "
                      "next stage all the same",
                      id, rollout_count(r, "returned"),
                      rollout_count(r, "failed"), rollout_count(r, "refused"),
                      id);
    }
    return 0;
}

static int may_advance(struct call *c, struct api *api, const char *id)
{
    json_t *rollout = NULL;
    int code =
        api_call(api, "GET", keep(c, "/rollouts/%s", id), NULL, &rollout);

    code = code == 0 ? judge_advance(c, rollout, id) : code;
    json_decref(rollout);
    return code;
}

int verb_rollout_advance(struct call *c)
{
    return change(c, "advance", may_advance);
}

/* --- list ---------------------------------------------------------------- */

/* As a person reads it: "1 of 3". */
static json_t *lines(struct call *c, const json_t *items)
{
    json_t *rows = json_array();
    size_t i;

    for (i = 0; i < json_array_size(items); i++) {
        json_t *row = json_copy(json_array_get(items, i));

        put_text(
            row, "stage",
            keep(c, "%lld of %zu",
                 (long long)json_integer_value(json_object_get(row, "stage")) +
                     1,
                 json_array_size(json_object_get(row, "stages"))));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

int verb_rollout_list(struct call *c)
{
    static const char *const columns[] = {
        "id", "product", "version", "kind", "state", "stage", "created"};
    const char *product = setting(c, "product");
    const char *state = cli_value(c, "state");
    const char *query =
        keep(c, "/rollouts?%s%s%s%s", product == NULL ? "" : "&product=",
             product == NULL ? "" : url_part(c, product),
             state == NULL ? "" : "&state=", state == NULL ? "" : state);
    int code;
    struct api *api = api_open(c, &code);
    json_t *items = NULL;

    if (api != NULL) {
        code = api_list(api, query, 0, &items);
    }
    if (code == 0) {
        json_t *rows = lines(c, items);

        put(c->result, "items", items);
        print_table(c, rows, columns, 7);
        json_decref(rows);
    }
    api_close(api);
    return code;
}
