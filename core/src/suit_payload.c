/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manifest would make a device do, for those who only read it. The
 * interpreter itself walks, with a platform that has every component.
 */
#include "suit_private.h"

static bl_status any_component(void *ctx, bl_span id,
                               struct bl_suit_component *out)
{
    (void)id;
    out->slot = *(const uint8_t *)ctx;
    out->writable = true;
    out->capacity = UINT32_MAX;
    return BL_OK;
}

/* `platform` and `slot` outlive the run. */
static bl_status begin(struct bl_suit_run *run,
                       const struct bl_suit_envelope *envelope,
                       const struct bl_suit_manifest *manifest,
                       struct bl_suit_platform *platform, uint8_t *slot)
{
    bl_status status;

    memset(platform, 0, sizeof *platform);
    platform->ctx = slot;
    platform->component = any_component;
    status = bl_suit_start(run, envelope, manifest, platform, BL_SUIT_UPDATE);
    run->assume = true;
    return status;
}

static bl_status payload(const struct bl_suit_envelope *envelope,
                         const struct bl_suit_manifest *manifest, uint8_t slot,
                         bool every, uint32_t i, struct bl_suit_fetch *out)
{
    struct bl_suit_platform platform;
    struct bl_suit_run run;
    bl_suit_event event = BL_SUIT_FETCH;
    bl_status status = begin(&run, envelope, manifest, &platform, &slot);

    run.every = every;
    do {
        if (status == BL_OK) {
            status = bl_suit_step(&run, &event);
        }
        if (status != BL_OK) {
            return status;
        }
    } while (event == BL_SUIT_FETCH && i-- > 0);
    if (event != BL_SUIT_FETCH) {
        return BL_ARGUMENT;
    }
    *out = run.fetch;
    return BL_OK;
}

bl_status bl_suit_payload(const struct bl_suit_envelope *envelope,
                          const struct bl_suit_manifest *manifest,
                          uint8_t slot, uint32_t i, struct bl_suit_fetch *out)
{
    return payload(envelope, manifest, slot, false, i, out);
}

bl_status bl_suit_every_payload(const struct bl_suit_envelope *envelope,
                                const struct bl_suit_manifest *manifest,
                                uint8_t slot, uint32_t i,
                                struct bl_suit_fetch *out)
{
    return payload(envelope, manifest, slot, true, i, out);
}

bl_status bl_suit_image(const struct bl_suit_envelope *envelope,
                        const struct bl_suit_manifest *manifest, uint8_t slot,
                        const uint8_t **digest, uint32_t *size)
{
    const uint32_t needs = SUIT_BIT(PARAM_DIGEST) | SUIT_BIT(PARAM_SIZE);
    struct bl_suit_platform platform;
    struct bl_suit_run run;
    bl_suit_event event = BL_SUIT_FETCH;
    bl_status status = begin(&run, envelope, manifest, &platform, &slot);

    while (status == BL_OK && event == BL_SUIT_FETCH) {
        status = bl_suit_step(&run, &event);
    }
    if (status != BL_OK) {
        return status;
    }
    *digest = run.parameter[0].digest;
    *size = run.parameter[0].size;
    return (run.parameter[0].set & needs) == needs ? BL_OK : BL_MANIFEST;
}

bl_status bl_suit_identity(const struct bl_suit_manifest *manifest,
                           const uint8_t **vendor_id, const uint8_t **class_id)
{
    static const uint8_t nothing[] = {0x80};
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest shared = *manifest;
    struct bl_suit_platform platform;
    struct bl_suit_run run;
    bl_suit_event event;
    uint8_t slot = 0;
    bl_status status;

    /* The shared sequence, and an empty section after it. */
    shared.fetch = shared.install = bl_span_of(NULL, 0);
    shared.validate = bl_span_of(nothing, sizeof nothing);
    memset(&envelope, 0, sizeof envelope);
    status = begin(&run, &envelope, &shared, &platform, &slot);
    if (status == BL_OK) {
        status = bl_suit_step(&run, &event);
    }
    /* Both may stand there even if the rest is for other devices only. */
    if (run.parameter[0].vendor_id == NULL ||
        run.parameter[0].class_id == NULL) {
        return status != BL_OK ? status : BL_NO_COMPATIBILITY_CHECK;
    }
    *vendor_id = run.parameter[0].vendor_id;
    *class_id = run.parameter[0].class_id;
    return BL_OK;
}
