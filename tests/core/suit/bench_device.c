/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bowline/sha256.h"
#include "diagnostic.h"

static void trace(struct bench *b, const char *format, ...)
{
    size_t n = strlen(b->trace);
    va_list args;

    va_start(args, format);
    if (n > 0 && n + 1 < sizeof b->trace) {
        b->trace[n++] = ' ';
    }
    (void)vsnprintf(b->trace + n, sizeof b->trace - n, format, args);
    va_end(args);
}

/* Number of the component [h'61'] to [h'64'], or 4. */
static unsigned index_of(bl_span id)
{
    return id.n == 3 && id.p[0] == 0x81 && id.p[1] == 0x41 && id.p[2] >= 'a' &&
                   id.p[2] <= 'd'
               ? id.p[2] - (unsigned)'a'
               : 4;
}

static bl_status component(void *ctx, bl_span id,
                           struct bl_suit_component *out)
{
    (void)ctx;
    if (index_of(id) == 4) {
        return BL_COMPONENT;
    }
    out->slot = 1;
    out->writable = index_of(id) != 3;
    out->fleeting = index_of(id) == 3;
    out->capacity = 4;
    return BL_OK;
}

static bl_status image_match(void *ctx, bl_span id, const uint8_t digest[32],
                             uint32_t size, bl_verdict *verdict)
{
    struct bench *b = ctx;
    unsigned i = index_of(id);
    uint8_t own[32];

    *verdict = BL_BAD;
    if (i < 4 && b->present[i] && size == 4) {
        bl_sha256(b->content[i], 4, own);
        *verdict = bl_equal(own, digest, 32);
    }
    return BL_OK;
}

static bl_status write_content(void *ctx, bl_span id, bl_span content)
{
    struct bench *b = ctx;
    unsigned i = index_of(id);

    trace(b, "%c=%.*s", 'a' + (int)i, (int)content.n, (const char *)content.p);
    memset(b->content[i], 0, 4);
    memcpy(b->content[i], content.p, content.n < 4 ? content.n : 4);
    b->present[i] = true;
    return BL_OK;
}

static bl_status copy(void *ctx, bl_span to, bl_span from, uint32_t size)
{
    struct bench *b = ctx;
    unsigned i = index_of(to);
    unsigned k = index_of(from);

    trace(b, "%c<%c", 'a' + (int)i, 'a' + (int)k);
    memcpy(b->content[i], b->content[k], size < 4 ? size : 4);
    b->present[i] = b->present[k];
    return b->copy_status;
}

/* The image is four bytes of what the patch begins with. */
static bl_status apply(void *ctx, const struct bl_suit_apply *a)
{
    struct bench *b = ctx;
    unsigned i = index_of(a->component);
    unsigned k = index_of(a->patch);
    unsigned base = index_of(a->base);
    uint8_t own[32];

    bl_sha256(b->content[base], 4, own);
    trace(b, "%c<%c+%c%s", 'a' + (int)i, 'a' + (int)k, 'a' + (int)base,
          a->size == 4 && a->patch_size == 4 && a->base_size == 4 &&
                  memcmp(own, a->base_digest, 32) == 0
              ? ""
              : "?");
    memset(b->content[i], b->content[k][0], 4);
    b->present[i] = true;
    return b->copy_status;
}

static bl_status content_match(void *ctx, bl_span id, bl_span content,
                               bl_verdict *verdict)
{
    struct bench *b = ctx;
    unsigned i = index_of(id);

    *verdict = content.n == 4 && memcmp(b->content[i], content.p, 4) == 0
                   ? BL_GOOD
                   : BL_BAD;
    return BL_OK;
}

static bool authorized(void *ctx, int64_t priority)
{
    trace(ctx, "%lld", (long long)priority);
    return priority >= 0;
}

void bench_init(struct bench *b)
{
    static const int32_t version[] = {1, 4, 2};

    memset(b, 0, sizeof *b);
    memset(b->content[3], 'd', 4);
    b->present[3] = true;
    b->platform.ctx = b;
    b->platform.vendor_id = test_vendor;
    b->platform.class_id = test_class;
    b->platform.n_class_ids = 1;
    b->platform.version = version;
    b->platform.n_version = 3;
    b->platform.now = 1000;
    b->platform.component = component;
    b->platform.image_match = image_match;
    b->platform.write = write_content;
    b->platform.copy = copy;
    b->platform.apply = apply;
    b->platform.content_match = content_match;
    b->platform.authorized = authorized;
}

static void do_event(struct bench *b, bl_suit_event event,
                     const struct bl_suit_fetch *fetch)
{
    unsigned i = index_of(fetch->component);

    b->events++;
    if (event == BL_SUIT_JUMP) {
        trace(b, "!%c", 'a' + (int)i);
        return;
    }
    trace(b, "%c?%.*s", 'a' + (int)i, (int)fetch->uri.n,
          (const char *)fetch->uri.p);
    memset(b->content[i], fetch->uri.p[fetch->uri.n - 1], 4);
    b->present[i] = true;
}

bl_status bench_run(struct bench *b, bl_span bytes,
                    bl_suit_procedure procedure)
{
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_run run;
    bl_suit_event event = BL_SUIT_DONE;
    bl_status status;

    memset(&envelope, 0, sizeof envelope);
    envelope.manifest = bytes;
    status = bl_suit_scan(&envelope, &b->platform, &manifest);
    if (status == BL_OK) {
        status =
            bl_suit_start(&run, &envelope, &manifest, &b->platform, procedure);
    }
    while (status == BL_OK) {
        status = bl_suit_step(&run, &event);
        if (status == BL_OK && event == BL_SUIT_DONE) {
            break;
        }
        if (status == BL_OK) {
            do_event(b, event, &run.fetch);
        }
    }
    return status;
}

bl_span bench_manifest(unsigned n, const char *shared, const char *sections)
{
    static const char *const ids[] = {"", "[h'61']", "[h'61'] [h'62']",
                                      "[h'61'] [h'62'] [h'63']",
                                      "[h'61'] [h'62'] [h'63'] [h'64']"};
    char text[3500];

    (void)snprintf(text, sizeof text,
                   "{1: 1, 2: 7, 3: <{2: [%s], 4: <[%s 20 {1: $V, 2: $C} "
                   "1 15 2 15 %s]>}> %s}",
                   ids[n], n > 1 ? "12 true" : "", shared, sections);
    return diagnostic(text);
}

void free_bytes(bl_span bytes)
{
    free((void *)(uintptr_t)bytes.p);
}
