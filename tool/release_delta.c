/* SPDX-License-Identifier: Apache-2.0 */
#include "release_delta.h"

#include <string.h>
#include <unistd.h>

#include "bowline/sha256.h"
#include "delta.h"
#include "inspect.h"
#include "release.h"

enum { KB = 1024 };

/* A release stands for its image, whose payload lies where release puts it. */
static int read_image_of(struct call *c, const char *path, struct buffer *file)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    const uint8_t *digest;
    const char *payload;
    uint32_t size;
    bl_status status = bl_suit_read(buffer_span(file), &e);

    if (status == BL_OK) {
        status = bl_suit_scan(&e, NULL, &m);
    }
    if (status == BL_OK) {
        status = bl_suit_image(&e, &m, 0, &digest, &size);
    }
    if (status != BL_OK) {
        (void)error_status(&c->err, status, "%s", path);
        return EXIT_INPUT;
    }
    payload =
        keep(c, "%s/payloads/%s", releases_folder(c), keep_hex(c, digest, 32));
    buffer_clear(file);
    if (access(payload, F_OK) != 0) {
        return refuse(c, EXIT_INPUT,
                      "%s: its image is not here: no %s; name the image "
                      "itself",
                      path, payload);
    }
    return read_input(c, payload, DELTA_IMAGE, file);
}

static int read_base(struct call *c, const char *path, struct buffer *out)
{
    int code = read_input(c, path, DELTA_IMAGE, out);

    if (code == 0 && inspect_type(buffer_span(out)) == TYPE_ENVELOPE) {
        code = read_image_of(c, path, out);
    }
    return code;
}

static int compare(struct call *c, bl_span base, bl_span image, uint32_t ram,
                   struct buffer *patch)
{
    struct diff_options o;
    struct delta_bar bar;
    int result;

    diff_defaults(&o);
    o.ram = ram;
    o.isas = bl_delta_isas();
    delta_bar_begin(c, &bar, "comparing", image.n);
    o.progress = delta_bar_update;
    o.ctx = &bar;
    patch->limit = DELTA_PATCH;
    result =
        diff_make(base.p, base.n, image.p, image.n, &o, patch, NULL, &c->err);
    delta_bar_end(&bar);
    return result == 0 ? 0 : EXIT_INPUT;
}

static int add(struct call *c, const char *path, bl_span base, bl_span image,
               uint32_t ram, struct release_patches *p)
{
    struct author_patch *entry = &p->entry[p->n];
    struct buffer *patch = &p->bytes[p->n];
    int code = compare(c, base, image, ram, patch);

    if (code != 0) {
        return code;
    }
    if (patch->n >= image.n) {
        note(c,
             "%s: a patch would be no smaller than the image; devices that "
             "run it fetch the image.",
             path);
        buffer_free(patch);
        return 0;
    }
    bl_sha256(base.p, base.n, entry->base_sha256);
    entry->base_size = (uint32_t)base.n;
    bl_sha256(patch->p, patch->n, entry->sha256);
    entry->size = (uint32_t)patch->n;
    p->from[p->n] = path;
    p->file[p->n] = keep(c, "%s/payloads/%s", releases_folder(c),
                         keep_hex(c, entry->sha256, 32));
    p->n++;
    return 0;
}

static int add_base(struct call *c, const char *path, bl_span image,
                    uint32_t ram, struct release_patches *p)
{
    struct buffer base = {0};
    int code = read_base(c, path, &base);

    if (code == 0 && bl_span_equal(buffer_span(&base), image)) {
        code =
            refuse(c, EXIT_INPUT, "--delta-from %s is the image itself", path);
    }
    if (code == 0) {
        code = add(c, path, buffer_span(&base), image, ram, p);
    }
    buffer_free(&base);
    return code;
}

int release_patches_make(struct call *c, bl_span image,
                         struct release_patches *out)
{
    const char *path[MANY];
    int n = cli_values(c, "delta-from", path);
    uint32_t ram = DIFF_RAM;
    int code =
        delta_size(c, "delta-ram", DELTA_PROFILE_LEAST, 1024 * KB, &ram);
    int i;

    if (code == 0 && n == 0 && cli_flag(c, "delta-ram")) {
        code = refuse(c, EXIT_USAGE, "--delta-ram is only for --delta-from");
    }
    if (code == 0 && n > AUTHOR_PATCHES) {
        code =
            refuse(c, EXIT_USAGE, "--delta-from: at most %d", AUTHOR_PATCHES);
    }
    for (i = 0; code == 0 && i < n; i++) {
        code = add_base(c, path[i], image, ram, out);
    }
    return code;
}

int release_patches_write(struct call *c, const struct release_patches *p)
{
    uint32_t i;

    for (i = 0; i < p->n; i++) {
        if (access(p->file[i], F_OK) != 0 &&
            file_write(p->file[i], buffer_span(&p->bytes[i]), 0644, &c->err) !=
                0) {
            return EXIT_LOCAL;
        }
    }
    return 0;
}

void release_patches_put(struct call *c, const struct release_patches *p,
                         uint32_t image_size)
{
    json_t *list = json_array();
    uint32_t i;

    for (i = 0; i < p->n; i++) {
        json_t *row = json_object();

        put_text(row, "from", p->from[i]);
        put_text(row, "base", keep_hex(c, p->entry[i].base_sha256, 32));
        put_text(row, "sha256", keep_hex(c, p->entry[i].sha256, 32));
        put_number(row, "size", p->entry[i].size);
        put(row, "percent",
            json_real(delta_percent(p->entry[i].size, image_size)));
        put_text(row, "payload", p->file[i]);
        (void)json_array_append_new(list, row);
    }
    put(c->result, "patches", list);
}

void release_patches_free(struct release_patches *p)
{
    uint32_t i;

    for (i = 0; i < AUTHOR_PATCHES; i++) {
        buffer_free(&p->bytes[i]);
    }
}
