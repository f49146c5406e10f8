/* SPDX-License-Identifier: Apache-2.0 */
#include "exports.h"

#include <stdlib.h>
#include <string.h>

int export_json_row(struct buffer *out, const json_t *row, struct error *err)
{
    char *text = json_dumps(row, JSON_COMPACT);
    int result = text == NULL ? error_set(err, "no memory")
                              : buffer_append(out, text, strlen(text), err);

    free(text);
    return result != 0 ? -1 : buffer_append(out, "\n", 1, err);
}

/* Also behind blanks: some programs skip them. */
static bool formula(const char *text)
{
    if (text[0] != '\0' && (unsigned char)text[0] < 0x20) {
        return true;
    }
    text += strspn(text, " ");
    return text[0] != '\0' && strchr("=+-@", text[0]) != NULL;
}

static int put_text(struct buffer *out, const char *text, bool guard,
                    struct error *err)
{
    int result = buffer_append(out, "\"", 1, err);

    if (result == 0 && guard && formula(text)) {
        result = buffer_append(out, "'", 1, err);
    }
    while (result == 0 && *text != '\0') {
        size_t n = strcspn(text, "\"");

        result = buffer_append(out, text, n, err);
        text += n;
        if (result == 0 && *text == '"') {
            result = buffer_append(out, "\"\"", 2, err);
            text++;
        }
    }
    return result != 0 ? -1 : buffer_append(out, "\"", 1, err);
}

/* A number is no text: -5 stays one. */
static int put_value(struct buffer *out, const json_t *value,
                     struct error *err)
{
    char *text;
    int result;

    if (value == NULL || json_is_null(value)) {
        return put_text(out, "", false, err);
    }
    if (json_is_string(value)) {
        return put_text(out, json_string_value(value), true, err);
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    result = text == NULL ? error_set(err, "no memory")
                          : put_text(out, text, false, err);
    free(text);
    return result;
}

int export_csv_row(struct buffer *out, const json_t *row,
                   const char *const *columns, struct error *err)
{
    for (int i = 0; columns[i] != NULL; i++) {
        if ((i > 0 && buffer_append(out, ",", 1, err) != 0) ||
            put_value(out, json_object_get(row, columns[i]), err) != 0) {
            return -1;
        }
    }
    return buffer_append(out, "\r\n", 2, err);
}

int export_csv_head(struct buffer *out, const char *const *columns,
                    struct error *err)
{
    for (int i = 0; columns[i] != NULL; i++) {
        if ((i > 0 && buffer_append(out, ",", 1, err) != 0) ||
            put_text(out, columns[i], false, err) != 0) {
            return -1;
        }
    }
    return buffer_append(out, "\r\n", 2, err);
}
