/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout pause, resume, abort, advance, approve, deny, retry,
 * list. */
#include "rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

const char *rollout_id_text(struct call *c, const json_t *rollout)
{
    const json_t *id = json_object_get(rollout, "id");

    return json_is_integer(id)
               ? keep(c, "%lld", (long long)json_integer_value(id))
               : keep(c, "%s",
                      json_is_string(id) ? json_string_value(id) : "?");
}

/* --- Which one? ---------------------------------------------------------- */

static bool is_active(const json_t *rollout)
{
    const char *state = json_string_value(json_object_get(rollout, "state"));

    return state != NULL && strcmp(state, "aborted") != 0 &&
           strcmp(state, "finished") != 0;
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
        id = rollout_id_text(c, found);
    }
    json_decref(items);
    return id;
}

/* --- pause, resume, abort, advance, approve, deny, retry ----------------- */

/* `body` is taken. */
static int post(struct call *c, struct api *api, const char *id,
                const char *what, json_t *body)
{
    json_t *answer = NULL;
    int code = api_call(api, "POST", keep(c, "/rollouts/%s/%s", id, what),
                        body, &answer);

    if (code == 0) {
        (void)json_object_update(c->result, answer);
        rollout_print(c, answer);
    }
    json_decref(body);
    json_decref(answer);
    return code;
}

/* The options of the verb that the server wants to know. */
static json_t *body_of(const struct call *c, const char *what)
{
    static const char *const texts[] = {"reason", "note"};
    json_t *body = json_object();

    for (int i = 0; i < 2; i++) {
        const char *text = cli_value(c, texts[i]);

        if (text != NULL) {
            put_text(body, texts[i], text);
        }
    }
    if (cli_flag(c, "force")) {
        put_bool(body, "force", true);
    }
    if (strcmp(what, "abort") == 0) {
        put_bool(body, "recall", !cli_flag(c, "keep"));
    }
    return body;
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
        code = post(c, api, id, what, body_of(c, what));
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
    if (cli_flag(c, "keep") && cli_flag(c, "recall")) {
        return refuse(c, EXIT_USAGE, "--keep or --recall, not both");
    }
    return change(c, "abort", NULL);
}

int verb_rollout_approve(struct call *c)
{
    return change(c, "approve", NULL);
}

int verb_rollout_deny(struct call *c)
{
    return change(c, "deny", NULL);
}

int verb_rollout_retry(struct call *c)
{
    return change(c, "retry", NULL);
}

const char *rollout_stage_size(struct call *c, const json_t *stage)
{
    const json_t *count = json_object_get(stage, "count");
    long long percent =
        (long long)json_integer_value(json_object_get(stage, "percent"));

    return json_is_integer(count)
               ? keep(c, "%lld devices", (long long)json_integer_value(count))
               : keep(c, "%lld%%", percent);
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
                      "%s, is open",
                      id,
                      rollout_stage_size(c, json_array_get(stages, n - 1)));
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
