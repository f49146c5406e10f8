/* SPDX-License-Identifier: Apache-2.0 */
#include "factory.h"

#include <stdio.h>

#include "host/file.h"
#include "posix/crypto.h"

enum { IO = 8192 };

static int check_payload(struct factory *f, struct error *err)
{
    struct bl_suit_fetch *payload = &f->payload;
    uint8_t digest[32];
    bl_status status =
        bl_suit_payload(&f->envelope, &f->manifest, BL_SLOT_A, 0, payload);

    if (status != BL_OK) {
        return error_status(err, status, "the factory release has no image");
    }
    bl_sha256(f->image.p, f->image.n, digest);
    if (f->image.n != payload->size ||
        memcmp(digest, payload->digest, 32) != 0) {
        return error_set(err, "the payload is not the image of the factory "
                              "release: size or digest differ");
    }
    return 0;
}

int factory_open(struct factory *f, bl_span root, bl_span envelope,
                 bl_span image, struct error *err)
{
    bl_status status;

    memset(f, 0, sizeof *f);
    f->root_document = root;
    f->envelope_bytes = envelope;
    f->image = image;
    status = bl_root_read(root, &f->root);
    if (status != BL_OK) {
        return error_status(err, status, "the root document");
    }
    status = bl_suit_read(envelope, &f->envelope);
    if (status == BL_OK) {
        status =
            bl_suit_authenticate(&f->envelope, &f->root, &posix_crypto, NULL);
    }
    if (status == BL_OK) {
        status = bl_suit_scan(&f->envelope, NULL, &f->manifest);
    }
    if (status == BL_OK) {
        status = bl_suit_identity(&f->manifest, &f->vendor_id, &f->class_id);
    }
    if (status != BL_OK) {
        return error_status(err, status, "the factory release");
    }
    describe_version(envelope, f->version);
    return check_payload(f, err);
}

int factory_payload_path(const char *envelope_path, bl_span envelope,
                         char *out, size_t size, struct error *err)
{
    const char *slash = strrchr(envelope_path, '/');
    int dir = slash == NULL ? 0 : (int)(slash - envelope_path) + 1;
    struct bl_suit_envelope suit;
    struct bl_suit_manifest manifest;
    struct bl_suit_fetch payload;
    char digest[65];
    bl_status status = bl_suit_read(envelope, &suit);
    int n;

    if (status == BL_OK) {
        status = bl_suit_scan(&suit, NULL, &manifest);
    }
    if (status == BL_OK) {
        status = bl_suit_payload(&suit, &manifest, BL_SLOT_A, 0, &payload);
    }
    if (status != BL_OK) {
        return error_status(err, status, "%s", envelope_path);
    }
    hex_encode(payload.digest, 32, digest);
    n = snprintf(out, size, "%.*spayloads/%s", dir, envelope_path, digest);
    return n < 0 || (size_t)n >= size
               ? error_set(err, "the path %s is too long", envelope_path)
               : 0;
}

/* Through the very steps of an update into slot A, while B is what counts as
 * active; then A is made the confirmed one. */
static bl_status install(const struct factory *f,
                         const struct bl_layout *layout,
                         struct bl_state *state, uint8_t *io)
{
    struct bl_install install;
    uint32_t offset = 0;
    bool resumed = false;
    bl_status status =
        bl_install_open(&install, layout, state, BL_SLOT_A, f->envelope.digest,
                        f->manifest.sequence, (uint32_t)f->root.version, false,
                        io, IO, &resumed);

    if (status == BL_OK) {
        status = bl_install_begin(&install, f->payload.component,
                                  f->payload.size, f->payload.digest, &offset);
    }
    if (status == BL_OK) {
        status = bl_install_data(&install, f->image.p + offset,
                                 f->image.n - offset);
    }
    if (status == BL_OK) {
        status = bl_install_end(&install);
    }
    return status == BL_OK ? bl_install_close(&install, f->envelope_bytes)
                           : status;
}

static bl_status write_all(const struct factory *f,
                           const struct bl_layout *layout)
{
    static uint8_t io[IO];
    struct bl_state state;
    bl_status status;

    memset(&state, 0, sizeof state);
    state.active = BL_SLOT_B;
    state.trial = BL_SLOT_NONE;
    status = bl_root_save(layout, f->root_document, io, sizeof io);
    if (status == BL_OK) {
        status = bl_state_save(layout, &state);
    }
    if (status == BL_OK) {
        status = install(f, layout, &state, io);
    }
    if (status != BL_OK) {
        return status;
    }
    state.active = BL_SLOT_A;
    state.slot[BL_SLOT_A].status = BL_SLOT_CONFIRMED;
    state.floor = f->manifest.sequence;
    status = bl_state_save(layout, &state);
    return status == BL_OK ? layout->flash->sync(layout->flash->ctx) : status;
}

int factory_write(const struct factory *factory, struct device_config *config,
                  struct error *err)
{
    struct flash_file flash;
    bl_status status;

    if (device_config_flash(config, &flash, err) != 0) {
        return -1;
    }
    status = write_all(factory, &config->layout);
    flash_file_close(&flash);
    return status == BL_OK ? 0
                           : error_status(err, status, "%s: writing the chip",
                                          config->dir);
}
