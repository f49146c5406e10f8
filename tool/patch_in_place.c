/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bowline patch --in-place: over the image itself, as a device with one slot
 * does it, and by the same code. Until the journal is there nothing has
 * happened; from then on the same call goes on to the end, whatever ended the
 * one before.
 */
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "patch_flash.h"

struct work {
    struct call *call;
    const char *path; /* of the patch */
    struct buffer patch;
    struct bl_delta_info info;
    struct patch_flash files;
    struct patch_mark mark;
    struct delta_bar bar;
    bool resumed, already;
    uint32_t room; /* of the journal */
};

/* --- Before anything is changed ---------------------------------------------
 */

static int read_patch(struct call *c, struct work *w)
{
    int code = delta_read(c, w->path, DELTA_PATCH, &w->patch);
    bl_status status;

    if (code != 0) {
        return code;
    }
    status = bl_delta_head(w->patch.p, w->patch.n, &w->info);
    if (status != BL_OK) {
        (void)refuse(c, EXIT_INPUT, "%s: %s", w->path,
                     delta_head_problem(c, status));
        c->err.status = status == BL_BUFFER ? BL_DELTA_FORMAT : status;
        return EXIT_INPUT;
    }
    if (!w->info.in_place) {
        return refuse(c, EXIT_INPUT,
                      "%s is not made for one slot (bowline diff --in-place "
                      "makes those): say bowline patch OLD PATCH NEW",
                      w->path);
    }
    bl_sha256(w->patch.p, w->patch.n, w->mark.patch);
    return 0;
}

static bool is_new(const struct work *w, bl_span image)
{
    uint8_t digest[BL_SHA256_SIZE];

    bl_sha256(image.p, image.n, digest);
    return image.n == w->info.new_size &&
           memcmp(digest, w->info.new_check, BL_DELTA_CHECK) == 0;
}

/* The whole patch is applied in memory first: one that is damaged would leave
 * neither the old nor the new image. */
static int prove(struct call *c, struct work *w, const struct buffer *old)
{
    struct buffer made = BUFFER(w->info.new_size);
    int result;

    delta_bar_begin(c, &w->bar, "checking", w->info.new_size);
    result = diff_apply_watched(old->p, old->n, w->patch.p, w->patch.n,
                                delta_bar_update, &w->bar, &made, &c->err);
    delta_bar_end(&w->bar);
    if (result == 0) {
        bl_sha256(made.p, made.n, w->mark.now);
    } else {
        (void)error_prefix(&c->err, "%s", w->path);
    }
    buffer_free(&made);
    return result == 0 ? 0 : EXIT_INPUT;
}

static int begin(struct call *c, struct work *w)
{
    struct buffer old = {0};
    const char *problem;
    int code = read_input(c, w->files.path[0], DELTA_IMAGE, &old);

    if (code == 0) {
        problem = delta_base_problem(c, &w->info, buffer_span(&old));
        w->already = problem != NULL && is_new(w, buffer_span(&old));
        if (problem != NULL && !w->already) {
            code = refuse(c, EXIT_INPUT, "%s is not for %s: %s", w->path,
                          w->files.path[0], problem);
            c->err.status = BL_DELTA_BASE;
        }
    }
    if (code == 0 && w->already) {
        bl_sha256(old.p, old.n, w->mark.now);
    } else if (code == 0) {
        code = prove(c, w, &old);
    }
    buffer_free(&old);
    if (code == 0 && !w->already && !delta_stop_wanted()) {
        code = patch_flash_create(c, &w->files, &w->mark, w->room);
    }
    return code;
}

/* The journal of another patch: what it says is all there is of some blocks.
 */
static int take_up(struct call *c, struct work *w,
                   const struct patch_mark *mark)
{
    if (memcmp(mark->patch, w->mark.patch, BL_SHA256_SIZE) != 0) {
        (void)refuse(c, EXIT_INPUT,
                     "%s is half way under another patch, whose SHA-256 "
                     "begins with %s: apply that one to its end first (%s "
                     "has what it needs)",
                     w->files.path[0], keep_hex(c, mark->patch, 4),
                     w->files.path[1]);
        c->err.status = BL_DELTA_BASE;
        return EXIT_INPUT;
    }
    w->mark = *mark;
    w->resumed = true;
    note(c, "%s: going on where it was left", w->files.path[0]);
    return 0;
}

/* --- Over the image
 * ------------------------------------------------------------ */

/* Ctrl-C is looked at here: what is written then is whole. */
static bl_status patch_read(void *ctx, uint32_t offset, void *out, uint32_t n,
                            uint32_t *got)
{
    struct work *w = ctx;
    uint32_t size = (uint32_t)w->patch.n;

    *got = 0;
    if (offset < size) {
        *got = n < size - offset ? n : size - offset;
        memcpy(out, w->patch.p + offset, *got);
    }
    return delta_bar_update(&w->bar,
                            (uint32_t)((uint64_t)offset * 1000 / size))
               ? BL_OK
               : BL_FLASH;
}

static int explain(struct call *c, const struct work *w, bl_status status)
{
    if (delta_stop_wanted()) {
        return refuse(c, EXIT_LOCAL,
                      "stopped; the same command goes on with %s",
                      w->files.path[0]);
    }
    if (status == BL_FLASH || status == BL_READ_BACK) {
        return refuse(c, EXIT_LOCAL,
                      "%s or %s cannot be read or written as it should; the "
                      "same command goes on when that is mended",
                      w->files.path[0], w->files.path[1]);
    }
    (void)refuse(c, EXIT_INPUT,
                 "%s was changed by something else while it was half way: "
                 "take the old or the new image from elsewhere, and remove %s",
                 w->files.path[0], w->files.path[1]);
    c->err.status = status;
    return EXIT_INPUT;
}

static int apply(struct call *c, struct work *w)
{
    size_t size = bl_in_place_memory(&w->info);
    struct bl_in_place p = {.flash = &w->files.flash,
                            .image = {0, w->files.image},
                            .work = {w->files.image, w->room},
                            .patch = patch_read,
                            .ctx = w,
                            .new_digest = w->mark.now,
                            .memory_size = size};
    bl_status status;

    p.memory = malloc(size);
    if (p.memory == NULL) {
        return refuse(c, EXIT_LOCAL, "out of memory");
    }
    delta_bar_begin(c, &w->bar, "applying", w->info.new_size);
    status = bl_in_place_run(&p);
    delta_bar_end(&w->bar);
    free(p.memory);
    return status == BL_OK ? 0 : explain(c, w, status);
}

/* --- All of it ------------------------------------------------------------
 */

static int over_image(struct call *c, struct work *w)
{
    struct patch_mark mark;
    bool found = false;
    uint32_t n = w->info.old_size > w->info.new_size ? w->info.old_size
                                                     : w->info.new_size;
    struct bl_flash flash = {.erase_size = w->info.block, .write_size = 1};
    int code = patch_flash_open(c, c->argument[0], &w->files);

    w->room = bl_in_place_work(&w->info, &flash);
    if (code == 0) {
        code = patch_flash_find(c, &w->files, &found, &mark);
    }
    if (code == 0) {
        code = found ? take_up(c, w, &mark) : begin(c, w);
    }
    if (code != 0 || w->already || delta_stop_wanted()) {
        return code;
    }
    code = patch_flash_begin(c, &w->files, w->info.block, n, w->room);
    if (code == 0) {
        code = apply(c, w);
    }
    return code == 0 ? patch_flash_end(c, &w->files, w->info.new_size) : code;
}

static void tell(struct call *c, const struct work *w, double started)
{
    const char *sha256 = keep_hex(c, w->mark.now, BL_SHA256_SIZE);
    json_t *out = c->result;

    put_text(out, "file", w->files.path[0]);
    put_number(out, "size", w->info.new_size);
    put_text(out, "sha256", sha256);
    put_number(out, "patch_size", w->patch.n);
    put_number(out, "ram", delta_ram(&w->info));
    put_number(out, "work", w->room);
    put_bool(out, "resumed", w->resumed);
    put_bool(out, "already", w->already);
    put(out, "seconds", json_real(delta_seconds() - started));
    if (w->already) {
        note(c, "%s is the new image already", w->files.path[0]);
    }
    field(c, "new", "%lu bytes", (unsigned long)w->info.new_size);
    field(c, "sha256", "%s", sha256);
    field(c, "device's RAM", "%lu bytes", (unsigned long)delta_ram(&w->info));
    field(c, "work area", "%lu bytes", (unsigned long)w->room);
}

int patch_in_place(struct call *c)
{
    double started = delta_seconds();
    struct work w;
    int code;

    memset(&w, 0, sizeof w);
    w.call = c;
    w.files.fd[0] = w.files.fd[1] = -1;
    w.path = c->argument[1];
    if (delta_is_stdio(c->argument[0]) || delta_is_stdio(w.path)) {
        return refuse(
            c, EXIT_USAGE,
            "--in-place needs files: it may have to read them again");
    }
    delta_stop_begin();
    code = read_patch(c, &w);
    if (code == 0) {
        code = over_image(c, &w);
    }
    if (code == 0 && !delta_stop_wanted()) {
        tell(c, &w, started);
    }
    patch_flash_close(&w.files);
    buffer_free(&w.patch);
    delta_stop_end();
    return code;
}
