/* SPDX-License-Identifier: Apache-2.0 */
/* Command sequences as text, for `inspect --commands`. */
#include <string.h>

#include "describe.h"

enum { DEPTH = 6 };

static const struct {
    int64_t code;
    const char *name;
} commands[] = {{1, "condition vendor"},
                {2, "condition class"},
                {3, "condition image-match"},
                {4, "condition use-before"},
                {5, "condition component-slot"},
                {6, "condition check-content"},
                {12, "set-component-index"},
                {14, "abort"},
                {15, "try-each"},
                {18, "write"},
                {20, "override-parameters"},
                {21, "fetch"},
                {22, "copy"},
                {23, "invoke"},
                {24, "condition device-id"},
                {26, "condition battery"},
                {27, "condition update-authorized"},
                {28, "condition version"},
                {32, "run-sequence"},
                {-257, "x-apply"}};

static const struct {
    int64_t label;
    const char *name;
} parameters[] = {
    {1, "vendor-id"},     {2, "class-id"},          {3, "image-digest"},
    {4, "use-before"},    {5, "component-slot"},    {12, "strict-order"},
    {13, "soft-failure"}, {14, "image-size"},       {18, "content"},
    {21, "uri"},          {22, "source-component"}, {23, "invoke-args"},
    {24, "device-id"},    {26, "minimum-battery"},  {27, "update-priority"},
    {28, "version"},      {-258, "delta"}};

static const char *command_name(struct call *c, int64_t code)
{
    size_t i;

    for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].code == code) {
            return commands[i].name;
        }
    }
    return keep(c, "command %lld", (long long)code);
}

static const char *parameter_name(struct call *c, int64_t label)
{
    size_t i;

    for (i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        if (parameters[i].label == label) {
            return parameters[i].name;
        }
    }
    return keep(c, "parameter %lld", (long long)label);
}

/* One scalar, or the encoding in hex. */
static const char *value(struct call *c, struct bl_cbor *r)
{
    int64_t number;
    bl_span bytes;
    bool yes;

    switch (bl_cbor_peek(r)) {
    case BL_CBOR_UINT:
    case BL_CBOR_NINT:
        if (bl_cbor_int(r, &number) == BL_OK) {
            return keep(c, "%lld", (long long)number);
        }
        break;
    case BL_CBOR_TSTR:
        if (bl_cbor_tstr(r, &bytes) == BL_OK) {
            return keep(c, "\"%s\"", keep_text(c, bytes));
        }
        break;
    case BL_CBOR_BSTR:
        if (bl_cbor_bstr(r, &bytes) == BL_OK) {
            return keep(c, "h'%s'", keep_hex(c, bytes.p, bytes.n));
        }
        break;
    case BL_CBOR_SIMPLE:
        if (bl_cbor_bool(r, &yes) == BL_OK) {
            return yes ? "true" : "false";
        }
        break;
    default:
        break;
    }
    if (bl_cbor_item(r, &bytes) == BL_OK) {
        return keep_hex(c, bytes.p, bytes.n);
    }
    return NULL;
}

static void line(struct call *c, json_t *list, int depth, const char *text)
{
    (void)json_array_append_new(
        list, json_string(keep(c, "%*s%s", 2 * depth, "", text)));
}

static bool override(struct call *c, struct bl_cbor *r, int depth,
                     json_t *list)
{
    uint32_t pairs;
    int64_t label;

    if (bl_cbor_map(r, &pairs) != BL_OK) {
        return false;
    }
    while (pairs-- > 0) {
        const char *text;

        if (bl_cbor_int(r, &label) != BL_OK) {
            return false;
        }
        text = value(c, r);
        if (text == NULL) {
            return false;
        }
        line(c, list, depth,
             keep(c, "set %s = %s", parameter_name(c, label), text));
    }
    return true;
}

static void sequence(struct call *c, bl_span bytes, int depth, json_t *list);

/* Nesting is bounded by DEPTH; the scan before has bounded it already. */
static bool try_each(struct call *c, struct bl_cbor *r, int depth,
                     json_t *list)
{
    uint32_t n;
    uint32_t i;
    bl_span body;

    if (bl_cbor_array(r, &n) != BL_OK) {
        return false;
    }
    for (i = 0; i < n; i++) {
        if (bl_cbor_bstr(r, &body) == BL_OK) {
            line(c, list, depth, i == 0 ? "try" : "else try");
            sequence(c, body, depth + 1, list);
        } else if (bl_cbor_nil(r) == BL_OK) {
            line(c, list, depth, "else go on");
        } else {
            return false;
        }
    }
    return true;
}

static bool command(struct call *c, struct bl_cbor *r, int depth, json_t *list)
{
    const char *text;
    int64_t code;
    bl_span body;

    if (bl_cbor_int(r, &code) != BL_OK) {
        return false;
    }
    if (code == 20) {
        return override(c, r, depth, list);
    }
    if (code == 15) {
        return try_each(c, r, depth, list);
    }
    if (code == 32) {
        line(c, list, depth, "run");
        if (bl_cbor_bstr(r, &body) != BL_OK) {
            return false;
        }
        sequence(c, body, depth + 1, list);
        return true;
    }
    text = value(c, r);
    if (text == NULL) {
        return false;
    }
    line(c, list, depth,
         code == 12 ? keep(c, "%s %s", command_name(c, code), text)
                    : command_name(c, code));
    return true;
}

static void sequence(struct call *c, bl_span bytes, int depth, json_t *list)
{
    struct bl_cbor r;
    uint32_t items;

    bl_cbor_init(&r, bytes);
    if (depth > DEPTH || bl_cbor_array(&r, &items) != BL_OK) {
        return;
    }
    for (items /= 2; items > 0; items--) {
        if (!command(c, &r, depth, list)) {
            line(c, list, depth, "(not readable)");
            return;
        }
    }
}

void describe_commands(struct call *c, const char *name, bl_span bytes,
                       json_t *list)
{
    if (bytes.n > 0) {
        line(c, list, 0, keep(c, "%s:", name));
        sequence(c, bytes, 1, list);
    }
}
