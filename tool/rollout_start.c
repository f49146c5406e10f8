/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout start, preview, set: a plan from the command line. */
#include <string.h>
#include <time.h>

#include "amount.h"
#include "permit.h"
#include "plan_options.h"
#include "rollout.h"

enum { PERMITS = 16 };

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

/* --- Permits for a return ------------------------------------------------ */

/* One for each release that devices run now and may have to go back to. */
static int add_permit(struct call *c, struct api *api, const char *product,
                      const char *version, struct permit_wish *wish,
                      json_t *list)
{
    struct buffer permit = BUFFER(0);
    json_t *release = NULL;
    json_t *one;
    const char *hex;
    int code = release_find(c, api, product, version, &release);

    if (code == EXIT_INPUT) {
        note(c,
             "Devices on %s cannot go back by themselves: the server has "
             "no such release.",
             version);
        return 0;
    }
    if (code != 0) {
        return code;
    }
    hex =
        keep(c, "%s", json_string_value(json_object_get(release, "manifest")));
    json_decref(release);
    if (hex_decode(hex, strlen(hex), wish->manifest, 32) != 0) {
        return refuse(c, EXIT_SERVER, "the server's release has no id");
    }
    code = permit_make(c, wish, &permit);
    if (code == 0) {
        one = json_object();
        put_text(one, "manifest", hex);
        put_text(one, "permit", permit_base64(c, &permit));
        (void)json_array_append_new(list, one);
    }
    buffer_free(&permit);
    return code;
}

static int add_permits(struct call *c, struct api *api, const json_t *plan,
                       const json_t *versions, json_t *list)
{
    const char *product = json_string_value(json_object_get(plan, "product"));
    const char *new = json_string_value(json_object_get(plan, "version"));
    struct permit_wish wish = {0};
    uint64_t days = 30;
    int code = cli_number(c, "permit-days", 1, 3650, &days);

    wish.expires = (uint64_t)time(NULL) + days * 86400;
    code = code == 0 ? permit_class(c, api, product, wish.class_id) : code;
    for (size_t i = 0; code == 0 && i < json_array_size(versions); i++) {
        const json_t *row = json_array_get(versions, i);
        const char *is = json_string_value(json_object_get(row, "version"));

        if (is == NULL || is[0] == '\0' || strcmp(is, new) == 0) {
            continue;
        }
        if (json_array_size(list) == PERMITS) {
            note(c,
                 "Devices on %s and others cannot go back by themselves: "
                 "a plan holds %d permits.",
                 is, PERMITS);
            break;
        }
        code = add_permit(c, api, product, is, &wish, list);
    }
    return code;
}

/* A return that happens by itself finds no keys: what it needs is signed
 * now. */
static int sign_the_way_back(struct call *c, struct api *api, json_t *plan)
{
    const char *what = cli_value(c, "on-failure");
    json_t *preview = NULL;
    json_t *list = json_array();
    int code = 0;

    if (what != NULL && strcmp(what, "return") == 0) {
        code = api_call(api, "POST", "/rollouts/preview", plan, &preview);
        code = code == 0
                   ? add_permits(c, api, plan,
                                 json_object_get(preview, "versions"), list)
                   : code;
    }
    if (code == 0 && json_array_size(list) > 0) {
        put(plan, "permits", json_incref(list));
    }
    json_decref(list);
    json_decref(preview);
    return code;
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
    int code = sign_the_way_back(c, api, plan);

    code =
        code == 0 ? api_call(api, "POST", "/rollouts", plan, &answer) : code;
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        rollout_print(c, answer);
        warn_of_the_rest(c, answer);
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

static int set(struct call *c, struct api *api, const char *id)
{
    json_t *plan = json_object();
    json_t *answer = NULL;
    int code = plan_from_options(c, api, plan);

    if (code == 0 && json_object_size(plan) == 0) {
        code = refuse(c, EXIT_USAGE,
                      "say what to change; see bowline rollout set --help");
    }
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
