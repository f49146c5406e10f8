/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan would do, as text for a person. */
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "rollout.h"

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *text(struct call *c, const json_t *object, const char *key)
{
    return print_scalar(c, key, json_object_get(object, key));
}

static const char *devices(struct call *c, long long n)
{
    return keep(c, "%lld device%s", n, n == 1 ? "" : "s");
}

static void stages(struct call *c, const json_t *preview)
{
    const json_t *list = json_object_get(preview, "stages");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *stage = json_array_get(list, i);
        bool counted = json_is_integer(json_object_get(stage, "count"));

        field(c, i == 0 ? "stages" : "", "%lld%s: %s",
              number(stage, counted ? "count" : "percent"), counted ? "" : "%",
              devices(c, number(stage, "devices")));
    }
}

static void shares(struct call *c, const json_t *preview, const char *list,
                   const char *key)
{
    const json_t *rows = json_object_get(preview, list);

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        field(c, i == 0 ? list : "", "%s: %s", text(c, row, key),
              devices(c, number(row, "devices")));
    }
}

static const char *examples(struct call *c, const json_t *row)
{
    const json_t *list = json_object_get(row, "examples");
    const char *all = "";

    for (size_t i = 0; i < json_array_size(list) && i < 3; i++) {
        const json_t *device = json_array_get(list, i);
        const char *name = text(c, device, "name");

        name = strcmp(name, "-") != 0 ? name
                                      : keep(c, "%.8s", text(c, device, "id"));
        all = keep(c, "%s%s%s", all, i == 0 ? "" : ", ", name);
    }
    return all[0] == '\0' ? ""
                          : keep(c, " (%s%s)", all,
                                 json_array_size(list) > 3 ? ", ..." : "");
}

static void reasons(struct call *c, const json_t *preview, const char *list)
{
    const json_t *rows = json_object_get(preview, list);

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        field(c, i == 0 ? list : "", "%s: %s%s",
              devices(c, number(row, "count")), text(c, row, "sentence"),
              examples(c, row));
    }
}

static const char *duration(struct call *c, long long s)
{
    return s < 120      ? keep(c, "%lld s", s)
           : s < 7200   ? keep(c, "%lld min", s / 60)
           : s < 172800 ? keep(c, "%lld h", s / 3600)
                        : keep(c, "%lld days", s / 86400);
}

void preview_print(struct call *c, const json_t *preview)
{
    const json_t *warnings = json_object_get(preview, "warnings");
    const json_t *overlaps = json_object_get(preview, "overlaps");

    show(c, "%s%s%s", color(c, STRONG), text(c, preview, "sentence"),
         color(c, PLAIN));
    stages(c, preview);
    field(c, "bytes", "%s", keep_size(c, (uint64_t)number(preview, "bytes")));
    if (number(preview, "delta_devices") > 0) {
        field(c, "", "%lld devices by a patch: %s less",
              (long long)number(preview, "delta_devices"),
              keep_size(c, (uint64_t)number(preview, "delta_saved")));
    }
    if (json_is_integer(json_object_get(preview, "seconds"))) {
        field(c, "time", "about %s", duration(c, number(preview, "seconds")));
    }
    shares(c, preview, "versions", "version");
    shares(c, preview, "hardware", "hardware");
    reasons(c, preview, "refused");
    reasons(c, preview, "waiting");
    for (size_t i = 0; i < json_array_size(overlaps); i++) {
        field(c, i == 0 ? "overlaps" : "", "%s",
              text(c, json_array_get(overlaps, i), "sentence"));
    }
    if (json_is_true(json_object_get(preview, "approval"))) {
        field(c, "approval", "somebody else must approve it");
    }
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        show(c, "%sWarning: %s%s", color(c, WARN),
             print_scalar(c, "", json_array_get(warnings, i)),
             color(c, PLAIN));
    }
}
