/* SPDX-License-Identifier: Apache-2.0 */
/* What a patch of bowline diff is made of. */
#include "delta.h"
#include "describe.h"

bool describe_is_patch(bl_span bytes)
{
    /* No image of a microcontroller begins so: its first word is a stack
     * pointer of 8 bytes' alignment, or the magic number of its form. A file
     * that ends within a head is a patch that was cut. */
    struct bl_delta_info info;
    bl_status status = bl_delta_head(bytes.p, bytes.n, &info);

    return status == BL_OK || (status == BL_BUFFER && bytes.n > 0);
}

static void put_part(json_t *list, const char *name, uint32_t bits,
                     uint32_t bytes)
{
    json_t *part = json_object();

    put_text(part, "part", name);
    put(part, "bytes", json_real((bits * 10 / 8) / 10.0));
    put(part, "percent", json_real(delta_percent(bits, (uint64_t)bytes * 8)));
    (void)json_array_append_new(list, part);
}

/* In the order in which they come. */
static json_t *parts(const struct diff_report *r)
{
    json_t *list = json_array();

    put_part(list, "head and regions", r->bits_head, r->bytes);
    put_part(list, "map", r->bits_map, r->bytes);
    put_part(list, "operations", r->bits_operations, r->bytes);
    put_part(list, "as predicted or not", r->bits_flags, r->bytes);
    put_part(list, "targets", r->bits_targets, r->bytes);
    put_part(list, "differences seen before", r->bits_differences, r->bytes);
    put_part(list, "changed code and data", r->bits_missed, r->bytes);
    put_part(list, "new code and data", r->bits_literal, r->bytes);
    put_part(list, "compressed members", r->bits_members, r->bytes);
    return list;
}

static void put_report(const struct diff_report *r, json_t *out)
{
    put_number(out, "copies", r->copies);
    put_number(out, "copied", r->copied);
    put_number(out, "literal", r->literal);
    put_number(out, "map", r->map);
    put_number(out, "ram_map", r->ram_map);
    put_number(out, "members", r->members);
    put(out, "parts", parts(r));
}

static void put_verdict(json_t *out, bool applies, const char *problem)
{
    put_bool(out, "verifies", applies);
    put_text(out, "problem", problem);
}

/* Applied by the device's own decoder, which also finds what is behind a
 * patch's end, and its parts weighed; those of a patch for one slot are not.
 */
static const char *weigh(const struct subject *s, bl_span base, bool in_place,
                         json_t *out)
{
    bl_span patch = s->bytes;
    struct buffer to = BUFFER(SIZE_MAX);
    struct diff_report report;
    struct error err;
    int result = diff_apply(base.p, base.n, patch.p, patch.n, &to, &err);

    buffer_free(&to);
    if (result == 0 && !in_place) {
        result = diff_explain(base.p, base.n, patch.p, patch.n, &report, &err);
    }
    if (result != 0) {
        return keep(s->call, "%s", err.text);
    }
    if (!in_place) {
        put_report(&report, out);
    }
    return NULL;
}

/* With the old image. */
static int explain(const struct subject *s, const char *path,
                   const struct bl_delta_info *info, json_t *out)
{
    struct call *c = s->call;
    struct buffer base = {0};
    const char *problem;
    int code = delta_read(c, path, DELTA_IMAGE, &base);

    if (code != 0) {
        return code;
    }
    problem = delta_base_problem(c, info, buffer_span(&base));
    if (problem == NULL) {
        problem = weigh(s, buffer_span(&base), info->in_place, out);
    }
    put_verdict(out, problem == NULL, problem);
    buffer_free(&base);
    return 0;
}

int describe_patch(const struct subject *s, json_t *out)
{
    struct call *c = s->call;
    const char *base = cli_value(c, "base");
    struct bl_delta_info info;
    bl_status status = bl_delta_head(s->bytes.p, s->bytes.n, &info);

    put_text(out, "type", "patch");
    if (status != BL_OK) {
        put_verdict(out, false, delta_head_problem(c, status));
        return 0;
    }
    delta_put_head(c, &info, out);
    put(out, "percent", json_real(delta_percent(s->bytes.n, info.new_size)));
    if (base == NULL) {
        verdict_unknown(out, "say --base OLD, the image that it is for");
        return 0;
    }
    return explain(s, base, &info, out);
}

void describe_patch_parts(struct call *c, const json_t *parts)
{
    size_t i;

    for (i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);

        show(c, "    %-25s %12.1f bytes %6.2f %%",
             json_string_value(json_object_get(part, "part")),
             json_real_value(json_object_get(part, "bytes")),
             json_real_value(json_object_get(part, "percent")));
    }
}
