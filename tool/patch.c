/* SPDX-License-Identifier: Apache-2.0 */
/* bowline patch: applies one, with the device's own decoder. */
#include <string.h>

#include "bowline/sha256.h"
#include "delta.h"

struct work {
    const char *path[2]; /* of old image and patch */
    struct buffer old, patch, made;
    const char *out;
    struct bl_delta_info info;
};

static int check_head(struct call *c, struct work *w)
{
    bl_status status = bl_delta_head(w->patch.p, w->patch.n, &w->info);
    const char *problem;

    if (status != BL_OK) {
        (void)refuse(c, EXIT_INPUT, "%s: %s", w->path[1],
                     delta_head_problem(c, status));
        c->err.status = status == BL_BUFFER ? BL_DELTA_FORMAT : status;
        return EXIT_INPUT;
    }
    problem = delta_base_problem(c, &w->info, buffer_span(&w->old));
    if (problem != NULL) {
        (void)refuse(c, EXIT_INPUT, "%s is not for %s: %s", w->path[1],
                     w->path[0], problem);
        c->err.status = BL_DELTA_BASE;
        return EXIT_INPUT;
    }
    return 0;
}

static int apply(struct call *c, struct work *w)
{
    struct delta_bar bar;
    int result;

    w->made.limit = w->info.new_size;
    delta_bar_begin(c, &bar, "applying", w->info.new_size);
    result = diff_apply_watched(w->old.p, w->old.n, w->patch.p, w->patch.n,
                                delta_bar_update, &bar, &w->made, &c->err);
    delta_bar_end(&bar);
    if (result != 0) {
        (void)error_prefix(&c->err, "%s", w->path[1]);
        return EXIT_INPUT;
    }
    return 0;
}

static void tell(struct call *c, const struct work *w, double started)
{
    uint8_t digest[BL_SHA256_SIZE];
    json_t *out = c->result;

    bl_sha256(w->made.p, w->made.n, digest);
    put_text(out, "file", w->out);
    put_number(out, "size", w->made.n);
    put_text(out, "sha256", keep_hex(c, digest, sizeof digest));
    put_number(out, "patch_size", w->patch.n);
    put_number(out, "ram", delta_ram(&w->info));
    put(out, "seconds", json_real(delta_seconds() - started));
    if (delta_is_stdio(w->out)) {
        return;
    }
    field(c, "new", "%zu bytes", w->made.n);
    field(c, "sha256", "%s", keep_hex(c, digest, sizeof digest));
    field(c, "device's RAM", "%lu bytes", (unsigned long)delta_ram(&w->info));
}

static int patch_file(struct call *c, struct work *w)
{
    double started = delta_seconds();
    int code = delta_read(c, w->path[0], DELTA_IMAGE, &w->old);

    if (code == 0) {
        code = delta_read(c, w->path[1], DELTA_PATCH, &w->patch);
    }
    if (code == 0) {
        code = check_head(c, w);
    }
    if (code == 0) {
        code = apply(c, w);
    }
    if (code == 0 && !delta_stop_wanted()) {
        code = delta_write(c, w->out, buffer_span(&w->made), 0644);
    }
    if (code == 0 && !delta_stop_wanted()) {
        tell(c, w, started);
    }
    return code;
}

int verb_patch(struct call *c)
{
    struct work w;
    int code;

    if (cli_flag(c, "in-place")) {
        return c->n_arguments == 2 && !cli_flag(c, "force")
                   ? patch_in_place(c)
                   : refuse(c, EXIT_USAGE,
                            "with --in-place: IMAGE PATCH, and no --force");
    }
    if (c->n_arguments < 3) {
        return refuse(c, EXIT_USAGE,
                      "OLD PATCH NEW is missing NEW; or say --in-place");
    }
    memset(&w, 0, sizeof w);
    w.path[0] = c->argument[0];
    w.path[1] = c->argument[1];
    w.out = c->argument[2];
    code = delta_one_stdin(c, w.path[0], w.path[1]);
    if (code == 0) {
        code = delta_check_output(c, w.out, w.path, 2);
    }
    if (code == 0) {
        delta_stop_begin();
        code = patch_file(c, &w);
        delta_stop_end();
    }
    buffer_free(&w.old);
    buffer_free(&w.patch);
    buffer_free(&w.made);
    return code;
}
