/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_factory.h"

#include "crypto_cache.h"
#include "fleet_device.h"

#include <string.h>

static uint8_t io[8192]; /* one factory a process */

/* --- Where things lie ---------------------------------------------------- */

static struct bl_area take(uint32_t *at, uint32_t size)
{
    struct bl_area area = {*at, (size + FLEET_ERASE - 1) / FLEET_ERASE *
                                    FLEET_ERASE};

    *at += area.size;
    return area;
}

static uint32_t lay_out(struct fleet_factory *f, uint32_t slot_size,
                        bool esp32)
{
    uint32_t at = 0;

    for (int i = 0; i < 2; i++) {
        f->layout.root[i] = take(&at, BL_ROOT_AREA);
        f->layout.state[i] = take(&at, FLEET_ERASE);
        f->layout.journal[i] = take(&at, FLEET_ERASE);
        f->layout.manifest[i] = take(&at, FLEET_ENVELOPE);
        for (uint32_t c = 0; c < f->manifest.n_components; c++) {
            f->component[c].id = f->manifest.component[c];
            f->component[c].kind = BL_COMPONENT_SLOTS;
            f->component[c].area[i] = take(&at, slot_size);
        }
    }
    if (esp32) {
        f->slots.otadata = take(&at, BL_ESP_OTADATA_SIZE);
        f->slots.ota[0] = f->component[0].area[0];
        f->slots.ota[1] = f->component[0].area[1];
        f->slots.n_ota = 2;
    }
    f->layout.component = f->component;
    f->layout.n_components = f->manifest.n_components;
    return at;
}

/* --- Is it a release of this root? --------------------------------------- */

static int read_documents(struct fleet_factory *f, struct error *err)
{
    const uint8_t *vendor_id;
    const uint8_t *class_id;
    bl_status s = bl_root_read(buffer_span(&f->root), &f->trusted);

    if (s != BL_OK) {
        return error_status(err, s, "the root document");
    }
    s = bl_suit_read(buffer_span(&f->envelope), &f->suit);
    if (s == BL_OK) {
        s = bl_suit_authenticate(&f->suit, &f->trusted, &sim_crypto, NULL);
    }
    if (s == BL_OK) {
        s = bl_suit_scan(&f->suit, NULL, &f->manifest);
    }
    if (s == BL_OK) {
        s = bl_suit_identity(&f->manifest, &vendor_id, &class_id);
    }
    if (s != BL_OK) {
        return error_status(err, s, "the factory release");
    }
    memcpy(f->vendor_id, vendor_id, BL_ID_SIZE);
    memcpy(f->class_id, class_id, BL_ID_SIZE);
    return 0;
}

/* --- Writing: the very steps of an update -------------------------------- */

static bl_status write_payload(struct bl_install *install,
                               const struct bl_suit_fetch *fetch,
                               bl_span content)
{
    uint32_t offset = 0;
    bl_status s = bl_install_begin(install, fetch->component, fetch->size,
                                   fetch->digest, &offset);

    if (s == BL_OK && content.n >= offset) {
        s = bl_install_data(install, content.p + offset, content.n - offset);
    }
    return s == BL_OK ? bl_install_end(install) : s;
}

static int write_payloads(struct fleet_factory *f, struct bl_install *install,
                          fleet_payload payload, void *ctx, struct error *err)
{
    struct bl_suit_fetch fetch;
    uint32_t i = 0;

    while (bl_suit_payload(&f->suit, &f->manifest, BL_SLOT_A, i, &fetch) ==
           BL_OK) {
        struct buffer content = BUFFER((size_t)1 << 30);
        bl_status s;

        if (fetch.integrated.p == NULL &&
            payload(ctx, fetch.digest, &content, err) != 0) {
            buffer_free(&content);
            return -1;
        }
        s = write_payload(install, &fetch,
                          fetch.integrated.p != NULL ? fetch.integrated
                                                     : buffer_span(&content));
        buffer_free(&content);
        if (s != BL_OK) {
            return error_status(err, s,
                                "writing the factory release; is --slot-size "
                                "large enough for its %u bytes?",
                                (unsigned)fetch.size);
        }
        i++;
    }
    return i > 0 ? 0 : error_set(err, "the factory release has no image");
}

static int write_release(struct fleet_factory *f, struct bl_state *state,
                         fleet_payload payload, void *ctx, struct error *err)
{
    struct bl_install install;
    bool resumed;
    bl_status s =
        bl_install_open(&install, &f->layout, state, BL_SLOT_A, f->suit.digest,
                        f->manifest.sequence, (uint32_t)f->trusted.version,
                        false, io, sizeof io, &resumed);

    if (s != BL_OK) {
        return error_status(err, s, "writing the factory release");
    }
    if (write_payloads(f, &install, payload, ctx, err) != 0) {
        return -1;
    }
    s = bl_install_close(&install, buffer_span(&f->envelope));
    return s == BL_OK ? 0
                      : error_status(err, s, "writing the factory release");
}

static int write_all(struct fleet_factory *f, fleet_payload payload, void *ctx,
                     struct error *err)
{
    struct bl_state state;
    bl_status s;

    memset(&state, 0, sizeof state);
    state.active = BL_SLOT_B; /* until A is written */
    state.trial = BL_SLOT_NONE;
    s = bl_root_save(&f->layout, buffer_span(&f->root), io, sizeof io);
    if (s == BL_OK) {
        s = bl_state_save(&f->layout, &state);
    }
    if (s != BL_OK) {
        return error_status(err, s, "writing the factory's flash");
    }
    if (write_release(f, &state, payload, ctx, err) != 0) {
        return -1;
    }
    state.active = BL_SLOT_A;
    state.slot[BL_SLOT_A].status = BL_SLOT_CONFIRMED;
    state.floor = f->manifest.sequence;
    s = bl_state_save(&f->layout, &state);
    return s == BL_OK ? 0 : error_status(err, s, "writing the state record");
}

int fleet_factory_make(struct fleet_factory *f, uint32_t slot_size, bool esp32,
                       fleet_payload payload, void *ctx, struct error *err)
{
    bl_status s;

    if (read_documents(f, err) != 0) {
        return -1;
    }
    if (fleet_flash_open(&f->flash, lay_out(f, slot_size, esp32)) != 0) {
        return error_set(err, "out of memory");
    }
    f->layout.flash = &f->flash.flash;
    s = bl_layout_check(&f->layout);
    if (s != BL_OK) {
        return error_status(err, s, "the layout of the flash");
    }
    if (write_all(f, payload, ctx, err) != 0) {
        return -1;
    }
    return f->flash.breach == NULL
               ? 0
               : error_set(err, "the factory's flash: %s", f->flash.breach);
}

void fleet_factory_close(struct fleet_factory *f)
{
    fleet_flash_close(&f->flash);
    buffer_free(&f->envelope);
    buffer_free(&f->root);
}
