/* SPDX-License-Identifier: Apache-2.0 */
/* bowline inspect, root show: tells what a file is by its first bytes. */
#include "inspect.h"

#include <string.h>

#include "esp_keys.h"
#include "print.h"

enum { INPUT_LIMIT = 256 << 20 };

enum file_type inspect_type(bl_span bytes)
{
    struct bl_cose_sign sign;
    const uint8_t *p = bytes.p;

    if (bytes.n >= 2 && p[0] == 0xD8 && p[1] == 0x6B) {
        return TYPE_ENVELOPE; /* tag 107 */
    }
    if (bytes.n >= 2 && p[0] == 0xD8 && p[1] == 0x62) { /* tag 98 */
        /* A root document's payload begins with {1: 1, a permit's with {4. */
        if (bl_cose_sign_read(bytes, &sign) == BL_OK && sign.payload.n > 1 &&
            sign.payload.p[1] == 4) {
            return TYPE_PERMIT;
        }
        return TYPE_ROOT;
    }
    if (bytes.n >= 1 && p[0] == 0xD2) {
        return TYPE_TICKET; /* tag 18 */
    }
    if (bytes.n > 11 && memcmp(p, "-----BEGIN ", 11) == 0) {
        return TYPE_KEY;
    }
    if (describe_is_patch(bytes)) {
        return TYPE_PATCH;
    }
    if (describe_is_flash(bytes)) {
        return TYPE_FLASH;
    }
    if (describe_is_table(bytes)) {
        return TYPE_TABLE;
    }
    return describe_is_otadata(bytes) ? TYPE_OTADATA : TYPE_IMAGE;
}

static int describe_key(const struct subject *s, json_t *out)
{
    json_t *key;

    if (memmem(s->bytes.p, s->bytes.n, " KEY-----", 9) == NULL) {
        put_text(out, "type", "PEM file");
        verdict_unknown(out, "not a key");
        return 0;
    }
    key = key_describe(s->call, s->path, false);
    if (key == NULL) {
        return EXIT_INPUT;
    }
    put_text(out, "type", "key");
    (void)json_object_update(out, key);
    json_decref(key);
    put(out, "verifies", json_null());
    put_text(out, "problem", NULL);
    return 0;
}

static int describe(const struct subject *s, enum file_type type, json_t *out)
{
    struct image image;

    switch (type) {
    case TYPE_ENVELOPE:
        describe_envelope(s, out);
        break;
    case TYPE_ROOT:
        describe_root(s, out);
        break;
    case TYPE_PERMIT:
        describe_permit(s, out);
        break;
    case TYPE_TICKET:
        describe_ticket(s, out);
        break;
    case TYPE_KEY:
        return describe_key(s, out);
    case TYPE_PATCH:
        return describe_patch(s, out);
    case TYPE_TABLE:
        describe_table(s, out);
        break;
    case TYPE_OTADATA:
        describe_otadata(s, out);
        break;
    case TYPE_FLASH:
        describe_flash(s, out);
        break;
    case TYPE_IMAGE:
        image_read(s->bytes, &image);
        describe_image(s->call, &image, out);
        esp_describe_sector(s->call, s->bytes, &image, out);
        break;
    }
    return 0;
}

/* What a verdict is called: of a signature, an image, a patch. */
static const char *verdict_word(const json_t *out, bool good)
{
    const char *type = json_string_value(json_object_get(out, "type"));

    if (type != NULL && strcmp(type, "patch") == 0) {
        return good ? "applies" : "DOES NOT APPLY";
    }
    if (json_object_get(out, "format") != NULL) {
        return good ? "whole" : "DAMAGED";
    }
    return good ? "verifies" : "DOES NOT VERIFY";
}

/* What is wrong with an image, each with what to do; then what is odd. */
static void print_faults(struct call *c, json_t *faults)
{
    size_t i;
    json_t *row;

    json_array_foreach(faults, i, row)
    {
        bool odd = json_is_true(json_object_get(row, "odd"));

        if (json_object_get(row, "advice") == NULL) {
            continue; /* of a table: shown with its rows */
        }
        show(c, "  %s%s%s at offset %lld: %s; %s", color(c, odd ? WARN : BAD),
             odd ? "odd" : "wrong", color(c, PLAIN),
             (long long)json_integer_value(json_object_get(row, "offset")),
             json_string_value(json_object_get(row, "what")),
             json_string_value(json_object_get(row, "advice")));
    }
}

static void print_file(struct call *c, const char *path, json_t *out)
{
    const json_t *verifies = json_object_get(out, "verifies");
    const char *problem = json_string_value(json_object_get(out, "problem"));
    json_t *rest;

    if (c->json) {
        return;
    }
    rest = json_copy(out);
    (void)json_object_del(rest, "file");
    (void)json_object_del(rest, "verifies");
    (void)json_object_del(rest, "problem");
    (void)json_object_del(rest, "parts");
    if (json_object_get(out, "chip") != NULL) { /* shown below, with advice */
        (void)json_object_del(rest, "faults");
    }
    show(c, "%s%s%s", color(c, STRONG), path, color(c, PLAIN));
    print_object(c, rest);
    describe_patch_parts(c, json_object_get(out, "parts"));
    if (json_is_true(verifies)) {
        show(c, "  %s%s%s", color(c, GOOD), verdict_word(out, true),
             color(c, PLAIN));
    } else if (json_is_false(verifies)) {
        show(c, "  %s%s: %s%s", color(c, BAD), verdict_word(out, false),
             problem, color(c, PLAIN));
    } else if (problem != NULL) {
        show(c, "  %snot checked: %s%s", color(c, WARN), problem,
             color(c, PLAIN));
    }
    print_faults(c, json_object_get(out, "faults"));
    json_decref(rest);
}

static int inspect_file(struct call *c, const char *path,
                        const struct trust *trust, bool only_roots,
                        json_t *list)
{
    struct subject s = {c, path, {NULL, 0}, trust};
    struct buffer file = {0};
    json_t *out = json_object();
    enum file_type type;
    uint8_t digest[32];
    int code;

    (void)json_array_append_new(list, out);
    code = read_input(c, path, INPUT_LIMIT, &file);
    if (code != 0) {
        return code;
    }
    s.bytes = buffer_span(&file);
    type = inspect_type(s.bytes);
    if (only_roots && type != TYPE_ROOT) {
        buffer_wipe(&file);
        return refuse(c, EXIT_INPUT,
                      "%s is not a root document; bowline "
                      "inspect says what it is",
                      path);
    }
    if (cli_flag(c, "base") && type != TYPE_PATCH) {
        buffer_wipe(&file);
        return refuse(c, EXIT_USAGE, "--base is for patches; %s is none",
                      path);
    }
    put_text(out, "file", path);
    put(out, "type", json_null()); /* holds its place in front */
    put_number(out, "size", file.n);
    if (type != TYPE_KEY) {
        bl_sha256(file.p, file.n, digest);
        put_text(out, "sha256", keep_hex(c, digest, sizeof digest));
    }
    code = describe(&s, type, out);
    if (code == 0) {
        print_file(c, path, out);
    }
    buffer_wipe(&file);
    return code;
}

static int inspect_all(struct call *c, bool only_roots)
{
    json_t *list = json_array();
    struct trust trust;
    int code = trust_load(c, &trust);
    int i;

    put(c->result, "files", list);
    for (i = 0; code == 0 && i < c->n_arguments; i++) {
        code = inspect_file(c, c->argument[i], &trust, only_roots, list);
    }
    for (i = 0; code == 0 && (size_t)i < json_array_size(list); i++) {
        if (json_is_false(json_object_get(json_array_get(list, (size_t)i),
                                          "verifies"))) {
            code = EXIT_NO;
        }
    }
    trust_free(&trust);
    return code;
}

int verb_inspect(struct call *c)
{
    return inspect_all(c, false);
}

int verb_root_show(struct call *c)
{
    return inspect_all(c, true);
}
