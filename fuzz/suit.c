/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An envelope, read, scanned and run on a device that has every component and
 * agrees to everything: what a thief of a release key could send. The input's
 * first byte picks the device's answers.
 */
#include <stdlib.h>

#include "accept_all.h"
#include "bowline/suit.h"

static uint8_t choice;
static uint8_t ids[32];

static bl_status component(void *ctx, bl_span id,
                           struct bl_suit_component *out)
{
    (void)ctx;
    (void)id;
    out->slot = choice & 1;
    out->writable = (choice & 2) == 0;
    out->fleeting = (choice & 4) != 0;
    out->capacity = 1u << 20;
    return BL_OK;
}

static bl_status image_match(void *ctx, bl_span id, const uint8_t digest[32],
                             uint32_t size, bl_verdict *verdict)
{
    (void)ctx;
    (void)size;
    *verdict = ((digest[0] ^ id.p[0] ^ choice) & 4) != 0 ? BL_BAD : BL_GOOD;
    return BL_OK;
}

static bl_status write_content(void *ctx, bl_span id, bl_span content)
{
    (void)ctx;
    return id.n + content.n > 1u << 20 ? BL_NO_SPACE : BL_OK;
}

static bl_status copy(void *ctx, bl_span to, bl_span from, uint32_t size)
{
    (void)ctx;
    (void)to;
    (void)from;
    (void)size;
    return BL_OK;
}

/* What the device is told is there to be read. */
static bl_status apply(void *ctx, const struct bl_suit_apply *a)
{
    const bl_span id[] = {a->component, a->patch, a->base};
    uint32_t sum = a->digest[31] + a->base_digest[31];

    (void)ctx;
    for (size_t i = 0; i < sizeof id / sizeof id[0]; i++) {
        sum += id[i].p[id[i].n - 1];
    }
    if (a->patch.p == a->component.p || a->base.p == a->component.p) {
        abort(); /* an image is never built from itself */
    }
    return (sum & 7) == 7 ? BL_DELTA_FORMAT : BL_OK;
}

static bl_status content_match(void *ctx, bl_span id, bl_span content,
                               bl_verdict *verdict)
{
    (void)ctx;
    (void)id;
    *verdict = content.n != 0 && (content.p[0] & 1) != 0 ? BL_BAD : BL_GOOD;
    return BL_OK;
}

/* The signed identifiers as the device's own, so that checks pass. */
static void adopt_identity(const struct bl_suit_manifest *manifest)
{
    const uint8_t *vendor;
    const uint8_t *class;

    if (bl_suit_identity(manifest, &vendor, &class) == BL_OK) {
        memcpy(ids, vendor, 16);
        memcpy(ids + 16, class, 16);
    }
}

static void run(const struct bl_suit_envelope *envelope,
                const struct bl_suit_manifest *manifest,
                const struct bl_suit_platform *platform,
                bl_suit_procedure procedure)
{
    static struct bl_suit_run machine;
    bl_suit_event event = BL_SUIT_FETCH;
    uint32_t steps = 0;

    if (bl_suit_start(&machine, envelope, manifest, platform, procedure) !=
        BL_OK) {
        return;
    }
    while (bl_suit_step(&machine, &event) == BL_OK && event != BL_SUIT_DONE) {
        /* every step consumes commands: a manifest ends */
        if (++steps > 65536) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t version[] = {1, 4, 2};
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_fetch fetch;
    struct bl_suit_platform platform = {
        .vendor_id = ids,
        .class_id = ids + 16,
        .n_class_ids = 1,
        .device_id = ids,
        .version = version,
        .n_version = 3,
        .now = 1790000000,
        .component = component,
        .image_match = image_match,
        .write = write_content,
        .copy = copy,
        .apply = apply,
        .content_match = content_match,
    };

    if (size == 0) {
        return 0;
    }
    choice = data[0];
    if (bl_suit_read(bl_span_of(data + 1, size - 1), &envelope) != BL_OK ||
        bl_suit_scan(&envelope, &platform, &manifest) != BL_OK) {
        return 0;
    }
    adopt_identity(&manifest);
    for (uint32_t i = 0; i < 8; i++) {
        if (bl_suit_payload(&envelope, &manifest, choice & 1, i, &fetch) !=
            BL_OK) {
            break;
        }
    }
    for (uint32_t i = 0; i < 8; i++) {
        if (bl_suit_every_payload(&envelope, &manifest, choice & 1, i,
                                  &fetch) != BL_OK) {
            break;
        }
    }
    run(&envelope, &manifest, &platform, BL_SUIT_UPDATE);
    run(&envelope, &manifest, &platform, BL_SUIT_INVOKE);
    return 0;
}
