/* SPDX-License-Identifier: Apache-2.0 */
/* bowline diff: makes a patch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "image.h"

enum { KB = 1024, KB_BELOW = 1024, BLOCK = 4096, EFFORT = 9 };

/* --- Options -------------------------------------------------------------
 */

int delta_size(struct call *c, const char *name, uint32_t low, uint32_t high,
               uint32_t *out)
{
    const char *text = cli_value(c, name);
    unsigned long long value;
    char *end;
    bool unit;

    if (text == NULL) {
        return 0;
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    unit = *end == 'K' || *end == 'k';
    end += unit;
    end += unit && (*end == 'B' || *end == 'b');
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        value > high) {
        return refuse(c, EXIT_USAGE, "--%s %s: say a size as 12K or 12288",
                      name, text);
    }
    value *= unit || value < KB_BELOW ? KB : 1;
    if (value < low || value > high) {
        return refuse(c, EXIT_USAGE, "--%s %s: from %uK to %uK are possible",
                      name, text, low / KB, high / KB);
    }
    *out = (uint32_t)value;
    return 0;
}

static int base_option(struct call *c, struct diff_options *o)
{
    const char *text = cli_value(c, "base");
    unsigned long long value;
    char *end;

    if (text == NULL) {
        return 0;
    }
    errno = 0;
    value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        value > UINT32_MAX) {
        return refuse(c, EXIT_USAGE,
                      "--base %s: say an address of 32 bits, as 0x08000000",
                      text);
    }
    o->has_base = true;
    o->base = (uint32_t)value;
    return 0;
}

static int in_place_options(struct call *c, struct diff_options *o)
{
    uint64_t spare = 0;
    int code;

    o->in_place = cli_flag(c, "in-place");
    if (!o->in_place && (cli_flag(c, "block") || cli_flag(c, "spare"))) {
        return refuse(c, EXIT_USAGE, "--%s is only for --in-place",
                      cli_flag(c, "block") ? "block" : "spare");
    }
    o->block = o->in_place ? BLOCK : 0;
    code = delta_size(c, "block", 1 * KB, 1024 * KB, &o->block);
    if (code == 0 && (o->block & (o->block - 1)) != 0) {
        code = refuse(c, EXIT_USAGE, "--block %s: say a power of two, as 4K",
                      cli_value(c, "block"));
    }
    if (code == 0) {
        code = cli_number(c, "spare", 0, 65535, &spare);
    }
    o->spare = (uint32_t)spare;
    return code;
}

static int isa_option(struct call *c, struct diff_options *o)
{
    const char *name = cli_value(c, "isa");

    o->isa = name == NULL ? DIFF_DETECT : delta_isa(name);
    if (o->isa != DIFF_DETECT && (bl_delta_isas() >> o->isa & 1) == 0) {
        return refuse(c, EXIT_USAGE,
                      "--isa %s: this program cannot do that yet", name);
    }
    if (o->isa == BL_DELTA_PLAIN && o->has_base) {
        return refuse(c, EXIT_USAGE,
                      "--base says nothing with --isa plain: plain data "
                      "has no addresses");
    }
    o->isas = bl_delta_isas();
    return 0;
}

static int read_options(struct call *c, struct diff_options *o)
{
    uint64_t effort = o->effort;
    int code;

    code = delta_size(c, "ram", DELTA_PROFILE_LEAST, 1024 * KB, &o->ram);
    if (code == 0) {
        code = cli_number(c, "effort", 0, EFFORT, &effort);
    }
    if (code == 0) {
        code = base_option(c, o);
    }
    if (code == 0) {
        code = isa_option(c, o);
    }
    if (code == 0) {
        code = in_place_options(c, o);
    }
    o->effort = (uint8_t)effort;
    o->no_deflate = cli_flag(c, "no-deflate");
    return code;
}

/* --- Work ----------------------------------------------------------------
 */

struct pair {
    const char *path[2];
    struct buffer image[2];
    const char *out;
};

static int check_paths(struct call *c, struct pair *p)
{
    int code;

    p->path[0] = c->argument[0];
    p->path[1] = c->argument[1];
    p->out = cli_value(c, "output");
    if (p->out == NULL) {
        return refuse(c, EXIT_USAGE,
                      "-o PATCH is missing; - is standard output");
    }
    code = delta_one_stdin(c, p->path[0], p->path[1]);
    return code != 0 ? code : delta_check_output(c, p->out, p->path, 2);
}

/* --base is for images that say nothing of addresses themselves. */
static int check_base(struct call *c, const struct pair *p,
                      const struct diff_options *o)
{
    struct image image;

    image_read(buffer_span(&p->image[0]), &image);
    if (o->has_base && image.kind != IMAGE_BINARY) {
        return refuse(c, EXIT_USAGE,
                      "--base is for raw images; %s is an %s, which has its "
                      "own addresses",
                      p->path[0], image.what);
    }
    return 0;
}

static int read_pair(struct call *c, struct pair *p)
{
    int code = delta_read(c, p->path[0], DELTA_IMAGE, &p->image[0]);

    return code != 0 ? code
                     : delta_read(c, p->path[1], DELTA_IMAGE, &p->image[1]);
}

static int make(struct call *c, const struct pair *p, struct diff_options *o,
                struct buffer *patch, struct diff_report *report)
{
    struct delta_bar bar;
    int result;

    delta_bar_begin(c, &bar, "comparing", p->image[1].n);
    o->progress = delta_bar_update;
    o->ctx = &bar;
    result = diff_make(p->image[0].p, p->image[0].n, p->image[1].p,
                       p->image[1].n, o, patch, report, &c->err);
    delta_bar_end(&bar);
    return result == 0 ? 0 : EXIT_INPUT;
}

static void tell(struct call *c, const struct pair *p,
                 const struct diff_report *r, double started)
{
    json_t *out = c->result;

    put_text(out, "file", p->out);
    put_number(out, "size", r->bytes);
    put(out, "percent", json_real(delta_percent(r->bytes, r->info.new_size)));
    delta_put_head(c, &r->info, out);
    put_text(out, "found", r->found);
    put(out, "seconds", json_real(delta_seconds() - started));
    put_number(out, "peak_memory", delta_peak_memory());
    if (delta_is_stdio(p->out)) {
        return; /* which is taken */
    }
    field(c, "old", "%lu bytes", (unsigned long)r->info.old_size);
    field(c, "new", "%lu bytes", (unsigned long)r->info.new_size);
    field(c, "patch", "%lu bytes, %.2f %% of the new image",
          (unsigned long)r->bytes, delta_percent(r->bytes, r->info.new_size));
    field(c, "device's RAM", "%lu bytes", (unsigned long)delta_ram(&r->info));
    if (r->info.in_place) {
        field(c, "work area", "%lu bytes beside the image",
              (unsigned long)delta_work(&r->info));
    }
    field(c, "code", "%s (%s)", delta_isa_name(r->info.isa), r->found);
    if (r->bytes >= r->info.new_size) {
        note(c, "The patch is no smaller than the image: send the image.");
    }
}

static int diff_pair(struct call *c, struct pair *p, struct diff_options *o)
{
    struct buffer patch = BUFFER(DELTA_PATCH);
    struct diff_report report;
    double started = delta_seconds();
    int code = read_pair(c, p);

    if (code == 0) {
        code = check_base(c, p, o);
    }
    if (code == 0) {
        code = make(c, p, o, &patch, &report);
    }
    if (code == 0 && !delta_stop_wanted()) {
        code = delta_write(c, p->out, buffer_span(&patch), 0644);
    }
    if (code == 0 && !delta_stop_wanted()) {
        tell(c, p, &report, started);
    }
    buffer_free(&patch);
    return code;
}

int verb_diff(struct call *c)
{
    struct pair p;
    struct diff_options o;
    int code;

    memset(&p, 0, sizeof p);
    diff_defaults(&o);
    code = read_options(c, &o);
    if (code == 0) {
        code = check_paths(c, &p);
    }
    if (code == 0) {
        delta_stop_begin();
        code = diff_pair(c, &p, &o);
        delta_stop_end();
    }
    buffer_free(&p.image[0]);
    buffer_free(&p.image[1]);
    return code;
}
