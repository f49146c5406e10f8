/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manifest's procedures may do to this device: they see and write the
 * components of the slot that does not run, and nothing else.
 */
#include "client_private.h"

#include "bowline/firmware.h"

static bl_status on_component(void *ctx, bl_span id,
                              struct bl_suit_component *out)
{
    struct bl_client *c = (struct bl_client *)ctx;

    return bl_slot_component(c->config.layout, bl_client_target(c), id, out);
}

static bool just_verified(const struct bl_install *install, bl_span id,
                          const uint8_t digest[32], uint32_t size)
{
    return install->verified_id.p != NULL &&
           bl_span_equal(install->verified_id, id) &&
           install->verified_size == size &&
           bl_equal(install->verified_digest, digest, 32) == BL_GOOD;
}

static bl_status on_image_match(void *ctx, bl_span id,
                                const uint8_t digest[32], uint32_t size,
                                bl_verdict *verdict)
{
    struct bl_client *c = (struct bl_client *)ctx;
    uint8_t stored[32];
    bl_status s;

    if (just_verified(&c->install, id, digest, size)) {
        *verdict = BL_GOOD;
        return BL_OK;
    }
    s = bl_slot_digest(c->config.layout, bl_client_target(c), id, size,
                       c->config.io, c->config.io_size, stored);
    if (s == BL_NO_SPACE) {
        *verdict = BL_BAD; /* it cannot be there */
        return BL_OK;
    }
    if (s == BL_OK) {
        *verdict = bl_equal(stored, digest, 32);
    }
    return s;
}

bl_status bl_client_write_whole(struct bl_client *c, bl_span id,
                                bl_span content, uint32_t size,
                                const uint8_t digest[32])
{
    uint32_t offset = 0;
    bl_status s;

    s = bl_install_begin(&c->install, id, size, digest, &offset);
    if (s == BL_OK && offset <= content.n) {
        s = bl_install_data(&c->install, content.p + offset,
                            content.n - offset);
    }
    if (s == BL_OK) {
        s = bl_install_end(&c->install);
    }
    if (s == BL_PAYLOAD_DIGEST && offset > 0) {
        s = bl_install_restart(&c->install);
        if (s == BL_OK) {
            s = bl_install_data(&c->install, content.p, content.n);
        }
        if (s == BL_OK) {
            s = bl_install_end(&c->install);
        }
    }
    return s;
}

static bl_status on_write(void *ctx, bl_span id, bl_span content)
{
    struct bl_client *c = (struct bl_client *)ctx;
    uint8_t digest[32];

    if (!c->claimed) {
        c->claims = true;
        return BL_BUSY; /* whatever the manifest makes of it: see `proceed` */
    }
    bl_sha256(content.p, content.n, digest);
    return bl_client_write_whole(c, id, content, (uint32_t)content.n, digest);
}

static bl_status on_apply(void *ctx, const struct bl_suit_apply *apply)
{
    struct bl_client *c = (struct bl_client *)ctx;

    if (!c->claimed) {
        c->claims = true;
        return BL_BUSY; /* as for on_write */
    }
    return c->config.delta->apply(c, apply);
}

static bl_status on_content_match(void *ctx, bl_span id, bl_span content,
                                  bl_verdict *verdict)
{
    uint8_t digest[32];

    bl_sha256(content.p, content.n, digest);
    return on_image_match(ctx, id, digest, (uint32_t)content.n, verdict);
}

void bl_client_platform(struct bl_client *c)
{
    struct bl_suit_platform *p = &c->platform;

    p->ctx = c;
    p->vendor_id = c->config.vendor_id;
    p->class_id = c->config.class_id;
    p->n_class_ids = 1;
    p->device_id = c->config.device_id;
    p->version = c->version;
    p->n_version =
        bl_version_parse(c->config.version, c->version, BL_CLIENT_VERSION);
    p->component = on_component;
    p->image_match = on_image_match;
    p->write = on_write;
    p->content_match = on_content_match;
    p->apply = c->config.delta != NULL ? on_apply : NULL;
}

bl_status bl_client_look(struct bl_client *c, uint8_t slot,
                         struct bl_slot_facts *facts)
{
    const struct bl_client_config *config = &c->config;

    return bl_slot_check(config->layout, slot, &c->root, &c->platform,
                         config->crypto, config->envelope,
                         config->envelope_size, config->io, config->io_size,
                         facts);
}
