/* SPDX-License-Identifier: Apache-2.0 */
/* A release on the server by its version. */
#include <string.h>

#include "rollout.h"

int release_find(struct call *c, struct api *api, const char *product,
                 const char *version, json_t **release)
{
    json_t *items = NULL;
    json_t *best = NULL;
    json_int_t highest = -1;
    int code = api_list(
        api, keep(c, "/releases?product=%s", url_part(c, product)), 0, &items);

    for (size_t i = 0; code == 0 && i < json_array_size(items); i++) {
        json_t *r = json_array_get(items, i);
        const char *is = json_string_value(json_object_get(r, "version"));
        json_int_t sequence =
            json_integer_value(json_object_get(r, "sequence"));

        if (is != NULL && strcmp(is, version) == 0 && sequence > highest &&
            json_is_string(json_object_get(r, "manifest"))) {
            best = r;
            highest = sequence;
        }
    }
    if (code == 0 && best == NULL) {
        code = refuse(c, EXIT_INPUT, "%s has no release %s on the server",
                      product, version);
    }
    *release = code == 0 ? json_incref(best) : NULL;
    json_decref(items);
    return code;
}
