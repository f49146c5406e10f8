/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout start, preview, set: a plan from the command line. */
#include <string.h>

#include "amount.h"
#include "plan_options.h"
#include "rollout.h"

/* --- What is said beside it ---------------------------------------------- */

static void warn_of_the_rest(struct call *c, const json_t *rollout)
{
    const json_t *stages = json_object_get(rollout, "stages");
    size_t n = json_array_size(stages);
    const json_t *last = n == 0 ? NULL : json_array_get(stages, n - 1);

    if (n > 0 && json_integer_value(json_object_get(last, "percent")) < 100) {
        note(c,
             "Warning: the last stage is %s: the other devices never get the "
             "release by this rollout.",
             rollout_stage_size(c, last));
    }
}

static bool has_devices(const json_t *stages)
{
    size_t i;
    json_t *stage;

    json_array_foreach(stages, i, stage)
    {
        if (json_integer_value(json_object_get(stage, "devices")) > 0) {
            return true;
        }
    }
    return false;
}

/* Nobody who reports: no stage ever opens the next. */
static void tell_of_clients(struct call *c, const json_t *rollout)
{
    const json_t *stages = json_object_get(rollout, "stages");
    const json_t *clients = json_object_get(rollout, "unmanaged");

    if (json_is_string(json_object_get(clients, "path")) &&
        json_array_size(stages) > 1 && !has_devices(stages)) {
        note(c,
             "Clients of the product's address report nothing, and there is "
             "no other device: open each stage by bowline rollout advance %s "
             "--force.",
             rollout_id_text(c, rollout));
    }
}

static void show_next(struct call *c, const json_t *rollout)
{
    const char *id = rollout_id_text(c, rollout);
    const char *state = json_string_value(json_object_get(rollout, "state"));

    if (state != NULL && strcmp(state, "approval") == 0) {
        note(c, "Next: somebody else says bowline rollout approve %s", id);
        return;
    }
    note(c, "Next: bowline rollout status %s --watch", id);
}

/* --- start, preview ------------------------------------------------------ */

static int preview(struct call *c, struct api *api, json_t *plan)
{
    json_t *answer = NULL;
    int code = api_call(api, "POST", "/rollouts/preview", plan, &answer);

    if (code == 0) {
        (void)json_object_update(c->result, answer);
        preview_print(c, answer);
    }
    json_decref(answer);
    return code;
}

static int start(struct call *c, struct api *api, json_t *plan)
{
    json_t *answer = NULL;
    int code = rollout_sign_way_back(c, api, plan, NULL, plan);

    code =
        code == 0 ? api_call(api, "POST", "/rollouts", plan, &answer) : code;
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        rollout_print(c, answer);
        warn_of_the_rest(c, answer);
        tell_of_clients(c, answer);
        show_next(c, answer);
    }
    json_decref(answer);
    return code;
}

static int begin(struct call *c,
                 int (*then)(struct call *c, struct api *api, json_t *plan))
{
    const char *product = setting_needed(c, "product");
    json_t *plan = json_object();
    struct api *api = NULL;
    int code = EXIT_INPUT;

    if (product != NULL) {
        api = api_open(c, &code);
    }
    if (api != NULL) {
        put_text(plan, "product", product);
        put_text(plan, "version", c->argument[0]);
        code = plan_from_options(c, api, plan);
        if (!cli_flag(c, "stages") && !cli_flag(c, "strategy")) {
            put(plan, "stages", amount_stages("1,10,100"));
        }
        code = code == 0 ? then(c, api, plan) : code;
    }
    json_decref(plan);
    api_close(api);
    return code;
}

int verb_rollout_start(struct call *c)
{
    return begin(c, cli_flag(c, "dry-run") ? preview : start);
}

int verb_rollout_preview(struct call *c)
{
    return begin(c, preview);
}

/* --- set ----------------------------------------------------------------- */

/* What a return needs, when it may happen by itself from now on. */
static int sign_for(struct call *c, struct api *api, const char *id,
                    json_t *plan)
{
    const char *what = json_string_value(json_object_get(plan, "on_failure"));
    json_t *rollout = NULL;
    json_t *whole;
    int code;

    if (what == NULL || strcmp(what, "return") != 0) {
        return 0;
    }
    code = api_call(api, "GET", keep(c, "/rollouts/%s", id), NULL, &rollout);
    if (code == 0) {
        whole = json_object();
        put(whole, "product",
            json_incref(json_object_get(rollout, "product")));
        put(whole, "version",
            json_incref(json_object_get(rollout, "version")));
        put_text(whole, "on_failure", what);
        code = rollout_sign_way_back(c, api, whole, id, plan);
        json_decref(whole);
    }
    json_decref(rollout);
    return code;
}

static int set(struct call *c, struct api *api, const char *id)
{
    json_t *plan = json_object();
    json_t *answer = NULL;
    int code = plan_from_options(c, api, plan);

    if (code == 0 && json_object_size(plan) == 0) {
        code = refuse(c, EXIT_USAGE,
                      "say what to change; see bowline rollout set --help");
    }
    code = code == 0 ? sign_for(c, api, id, plan) : code;
    code = code == 0 ? api_call(api, "PATCH", keep(c, "/rollouts/%s", id),
                                plan, &answer)
                     : code;
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        rollout_print(c, answer);
    }
    json_decref(plan);
    json_decref(answer);
    return code;
}

int verb_rollout_set(struct call *c)
{
    int code;
    struct api *api = api_open(c, &code);
    const char *id = api == NULL ? NULL : rollout_id(c, api, true, &code);

    if (id != NULL) {
        code = set(c, api, id);
    }
    api_close(api);
    return code;
}
