/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as a file: both syntaxes end in the same JSON. */
#include "rollout_file.h"

#include <libconfig.h>
#include <string.h>

enum { FILE_LIMIT = 8 * 1024 * 1024, DEPTH = 8 };

static int convert(struct call *c, const char *path,
                   const config_setting_t *from, int depth, json_t **to);

static int convert_many(struct call *c, const char *path,
                        const config_setting_t *from, int depth, json_t **to)
{
    bool group = config_setting_is_group(from) != 0;
    int n = config_setting_length(from);

    *to = group ? json_object() : json_array();
    for (int i = 0; i < n; i++) {
        const config_setting_t *one =
            config_setting_get_elem(from, (unsigned)i);
        json_t *value = NULL;
        int code = convert(c, path, one, depth - 1, &value);

        if (code != 0) {
            json_decref(*to);
            *to = NULL;
            return code;
        }
        if (group) {
            put(*to, config_setting_name(one), value);
        } else {
            (void)json_array_append_new(*to, value);
        }
    }
    return 0;
}

static int convert(struct call *c, const char *path,
                   const config_setting_t *from, int depth, json_t **to)
{
    unsigned line = config_setting_source_line(from);

    if (depth == 0) {
        return refuse(c, EXIT_INPUT, "%s:%u: too deep", path, line);
    }
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
        *to = json_integer(config_setting_get_int(from));
        return 0;
    case CONFIG_TYPE_INT64:
        *to = json_integer(config_setting_get_int64(from));
        return 0;
    case CONFIG_TYPE_BOOL:
        *to = json_boolean(config_setting_get_bool(from));
        return 0;
    case CONFIG_TYPE_STRING:
        *to = json_string(config_setting_get_string(from));
        return *to != NULL
                   ? 0
                   : refuse(c, EXIT_INPUT, "%s:%u: no UTF-8 text", path, line);
    case CONFIG_TYPE_FLOAT:
        return refuse(c, EXIT_INPUT, "%s:%u: say a whole number", path, line);
    default:
        return convert_many(c, path, from, depth, to);
    }
}

static int read_config(struct call *c, const char *path, const char *text,
                       json_t **plan)
{
    config_t config;
    int code;

    config_init(&config);
    if (config_read_string(&config, text) != CONFIG_TRUE) {
        code = refuse(c, EXIT_INPUT, "%s:%d: %s", path,
                      config_error_line(&config), config_error_text(&config));
    } else {
        code = convert(c, path, config_root_setting(&config), DEPTH, plan);
    }
    config_destroy(&config);
    return code;
}

static int read_json(struct call *c, const char *path,
                     const struct buffer *text, json_t **plan)
{
    json_error_t why;

    *plan = json_loadb((const char *)text->p, text->n, JSON_REJECT_DUPLICATES,
                       &why);
    if (*plan == NULL) {
        return refuse(c, EXIT_INPUT, "%s:%d:%d: %s", path, why.line,
                      why.column, why.text);
    }
    if (!json_is_object(*plan)) {
        json_decref(*plan);
        *plan = NULL;
        return refuse(c, EXIT_INPUT, "%s: a rollout is a JSON object", path);
    }
    return 0;
}

int rollout_file_read(struct call *c, const char *path, json_t **plan)
{
    struct buffer text = BUFFER(FILE_LIMIT);
    size_t n = strlen(path);
    int code = read_input(c, path, FILE_LIMIT, &text);

    *plan = NULL;
    if (code == 0 && memchr(text.p, 0, text.n) != NULL) {
        code = refuse(c, EXIT_INPUT, "%s is no text", path);
    }
    if (code == 0) {
        code = n > 5 && strcmp(path + n - 5, ".json") == 0
                   ? read_json(c, path, &text, plan)
                   : read_config(c, path, (const char *)text.p, plan);
    }
    buffer_free(&text);
    return code;
}
