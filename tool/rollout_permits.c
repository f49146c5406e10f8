/* SPDX-License-Identifier: Apache-2.0 */
/* Permits that lie in a plan: a return that happens by itself finds no keys,
 * so what it needs is signed beforehand. */
#include <string.h>
#include <time.h>

#include "permit.h"
#include "rollout.h"

enum { PERMITS = 16 };

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
    struct permit_wish wish = {0};
    uint64_t days = 30;
    const char *version;
    json_t *unused;
    int code = cli_number(c, "permit-days", 1, 3650, &days);

    wish.expires = (uint64_t)time(NULL) + days * 86400;
    code = code == 0 ? permit_class(c, api, product, wish.class_id) : code;
    json_object_foreach((json_t *)(uintptr_t)versions, version, unused)
    {
        (void)unused;
        if (code == 0 && json_array_size(list) == PERMITS) {
            note(c,
                 "Devices on %s and others cannot go back by themselves: "
                 "a plan holds %d permits.",
                 version, PERMITS);
            break;
        }
        code = code == 0 ? add_permit(c, api, product, version, &wish, list)
                         : code;
    }
    return code;
}

static void collect(json_t *versions, const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *version = json_string_value(
            json_object_get(json_array_get(rows, i), "version"));

        if (version != NULL && version[0] != '\0') {
            put(versions, version, json_true());
        }
    }
}

/* What devices run that would get the release, and what those ran that have
 * it. */
static int find_versions(struct call *c, struct api *api, const json_t *plan,
                         const char *id, json_t *versions)
{
    const char *own = json_string_value(json_object_get(plan, "version"));
    json_t *preview = NULL;
    json_t *back = NULL;
    int code = api_call(api, "POST", "/rollouts/preview", plan, &preview);

    if (code == 0 && id != NULL) {
        code = api_call(api, "GET", keep(c, "/rollouts/%s/return", id), NULL,
                        &back);
    }
    collect(versions, json_object_get(preview, "versions"));
    collect(versions, json_object_get(back, "to"));
    if (own != NULL) {
        (void)json_object_del(versions, own);
    }
    json_decref(preview);
    json_decref(back);
    return code;
}

int rollout_sign_way_back(struct call *c, struct api *api, const json_t *plan,
                          const char *id, json_t *into)
{
    const char *what = json_string_value(json_object_get(plan, "on_failure"));
    json_t *versions;
    json_t *list;
    int code;

    if (what == NULL || strcmp(what, "return") != 0 ||
        json_object_get(plan, "permits") != NULL) {
        return 0;
    }
    versions = json_object();
    list = json_array();
    code = find_versions(c, api, plan, id, versions);
    code = code == 0 && json_object_size(versions) > 0
               ? add_permits(c, api, plan, versions, list)
               : code;
    if (code == 0 && json_array_size(list) > 0) {
        put(into, "permits", json_incref(list));
    }
    json_decref(list);
    json_decref(versions);
    return code;
}
