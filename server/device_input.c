/* SPDX-License-Identifier: Apache-2.0 */
#include "device_input.h"

#include <stdlib.h>

enum { TAGS = 32, TAG = 64 };

char *device_read_tags(struct http_request *rq, const json_t *body)
{
    json_t *tags = json_object_get(body, "tags");
    size_t i;
    json_t *tag;

    if (tags == NULL || json_is_null(tags)) {
        return strdup("[]");
    }
    if (!json_is_array(tags) || json_array_size(tags) > TAGS) {
        api_error(rq, 400, "field", "\"tags\" must be a list of at most %d",
                  TAGS);
        return NULL;
    }
    json_array_foreach(tags, i, tag)
    {
        if (!json_is_string(tag) || json_string_length(tag) > TAG) {
            api_error(rq, 400, "field",
                      "a tag must be text of at most %d bytes", TAG);
            return NULL;
        }
    }
    return json_dumps(tags, JSON_COMPACT);
}

char *device_read_channel(struct http_request *rq, const json_t *body)
{
    const char *name = api_text_or_none(rq, body, "channel", PLAN_CHANNEL - 1);

    if (name == NULL) {
        return NULL;
    }
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
        strlen(name)) {
        api_error(rq, 400, "field", "\"channel\" must be of a-z, 0-9 and -");
        return NULL;
    }
    return strdup(strcmp(name, "stable") == 0 ? "" : name);
}

int device_check_name(struct server *s, struct http_request *rq,
                      const char *name, uint32_t product, uint32_t self)
{
    struct error err = {BL_OK, 0, ""};
    uint32_t other = 0;
    int result;

    store_lock(&s->store);
    result = store_device_named(&s->store, product, name, &other, &err);
    store_unlock(&s->store);
    if (result != 0) {
        api_store_error(rq, &err);
        return -1;
    }
    if (other != 0 && other != self) {
        api_error(rq, 409, "name-taken",
                  "another device of %s is named %s; give this one a name of "
                  "its own",
                  catalog_product_number(&s->catalog, product)->name, name);
        return -1;
    }
    return 0;
}
