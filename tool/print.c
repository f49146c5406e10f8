/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way to show a result to a person: the JSON object itself, key by key.
 * So the two outputs never tell different stories.
 */
#include <stdio.h>
#include <string.h>

#include "print.h"

enum { INDENT = 2, NAME_WIDTH = 15, COLUMNS = 16, HEAD = 64 };

static bool is_one_of(const char *key, const char *const *list, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(key, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_time(const char *key)
{
    static const char *const keys[] = {"changed",   "issued",     "expires",
                                       "created",   "started",    "finished",
                                       "last_seen", "first_seen", "received",
                                       "time",      "use_before"};

    return is_one_of(key, keys, sizeof keys / sizeof keys[0]);
}

static bool is_size(const char *key)
{
    static const char *const keys[] = {
        "size",     "length", "envelope_size", "document_size", "old_size",
        "new_size", "ram"};

    return is_one_of(key, keys, sizeof keys / sizeof keys[0]);
}

const char *print_scalar(struct call *c, const char *key, const json_t *value)
{
    if (json_is_string(value)) {
        const char *s = json_string_value(value);

        return s[0] == '\0' ? "-" : keep_text(c, bl_span_of(s, strlen(s)));
    }
    if (json_is_integer(value)) {
        long long n = (long long)json_integer_value(value);

        if (is_time(key) && n >= 0) {
            return n == 0 ? "-" : keep_time(c, (uint64_t)n);
        }
        if (strcmp(key, "flash_size") == 0 && n >= 1 << 20) {
            return keep(c, "%lld MB", n >> 20); /* as chips are sold */
        }
        if (is_size(key) && n >= 1000) {
            return keep(c, "%lld (%s)", n, keep_size(c, (uint64_t)n));
        }
        return keep(c, "%lld", n);
    }
    if (json_is_real(value)) {
        return keep(c, "%.10g", json_real_value(value));
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "yes" : "no";
    }
    return "-";
}

/* "version 1.0.0, size 12" */
static const char *flat(struct call *c, const json_t *object)
{
    const char *out = "";
    const char *key;
    json_t *value;
    json_t *all = json_incref((json_t *)(uintptr_t)object);

    json_object_foreach(all, key, value)
    {
        const char *text = json_is_array(value) ? print_list(c, key, value)
                                                : print_scalar(c, key, value);

        if (!json_is_null(value) && !json_is_object(value)) {
            out = keep(c, "%s%s%s %s", out, out[0] == '\0' ? "" : ", ", key,
                       text);
        }
    }
    json_decref(all);
    return out;
}

const char *print_list(struct call *c, const char *key, const json_t *list)
{
    const char *out = "";
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *text =
            json_is_object(item) ? flat(c, item) : print_scalar(c, key, item);

        out = keep(c, "%s%s%s", out, i == 0 ? "" : ", ", text);
    }
    return out[0] == '\0' ? "-" : out;
}

/* A key as a person reads it: "last seen". */
static void prose(const char *key, char name[HEAD])
{
    size_t i;

    for (i = 0; key[i] != '\0' && i + 1 < HEAD; i++) {
        name[i] = key[i] == '_' ? ' ' : key[i];
    }
    name[i] = '\0';
}

static void label(const struct call *c, int indent, const char *key)
{
    char name[HEAD];

    prose(key, name);
    (void)printf("%*s%s%-*s%s", indent, "", color(c, DIM),
                 NAME_WIDTH + INDENT - (indent < INDENT ? 0 : indent - INDENT),
                 name, color(c, PLAIN));
}

static void print_pair(struct call *c, int indent, const char *key,
                       json_t *value);

static void print_objects(struct call *c, int indent, const char *key,
                          const json_t *list)
{
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        label(c, indent, i == 0 ? key : "");
        (void)printf(" %s\n", flat(c, json_array_get(list, i)));
    }
}

static void print_level(struct call *c, int indent, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        print_pair(c, indent, key, value);
    }
}

/* Objects nest at most as deep as our own results and the API do. */
static void print_pair(struct call *c, int indent, const char *key,
                       json_t *value)
{
    if (json_is_null(value) ||
        (json_is_array(value) && json_array_size(value) == 0)) {
        return;
    }
    if (json_is_object(value)) {
        label(c, indent, key);
        (void)putchar('\n');
        print_level(c, indent + INDENT, value);
    } else if (json_is_array(value) &&
               json_is_object(json_array_get(value, 0))) {
        print_objects(c, indent, key, value);
    } else if (json_is_array(value) && strcmp(key, "commands") == 0) {
        size_t i;

        for (i = 0; i < json_array_size(value); i++) {
            label(c, indent, i == 0 ? key : "");
            (void)printf(" %s\n", json_string_value(json_array_get(value, i)));
        }
    } else {
        label(c, indent, key);
        (void)printf(" %s\n", json_is_array(value)
                                  ? print_list(c, key, value)
                                  : print_scalar(c, key, value));
    }
}

void print_object(struct call *c, json_t *object)
{
    if (!c->json) {
        print_level(c, INDENT, object);
    }
}

/* --- Tables
 * ------------------------------------------------------------------ */

static const char *cell(struct call *c, const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);

    if (value == NULL || json_is_object(value)) {
        return "-";
    }
    return json_is_array(value) ? print_list(c, key, value)
                                : print_scalar(c, key, value);
}

void print_table(struct call *c, const json_t *rows,
                 const char *const *columns, size_t n)
{
    size_t width[COLUMNS];
    size_t i;
    size_t k;

    if (c->json || n > COLUMNS) {
        return;
    }
    if (json_array_size(rows) == 0) {
        note(c, "none");
        return;
    }
    for (k = 0; k < n; k++) {
        char head[HEAD];

        prose(columns[k], head);
        width[k] = strlen(head);
        for (i = 0; i < json_array_size(rows); i++) {
            size_t w = strlen(cell(c, json_array_get(rows, i), columns[k]));

            width[k] = w > width[k] ? w : width[k];
        }
        (void)printf("%s%s%-*s%s", k == 0 ? "" : "  ", color(c, DIM),
                     k + 1 == n ? 0 : (int)width[k], head, color(c, PLAIN));
    }
    (void)putchar('\n');
    for (i = 0; i < json_array_size(rows); i++) {
        for (k = 0; k < n; k++) {
            (void)printf("%s%-*s", k == 0 ? "" : "  ",
                         k + 1 == n ? 0 : (int)width[k],
                         cell(c, json_array_get(rows, i), columns[k]));
        }
        (void)putchar('\n');
    }
}
