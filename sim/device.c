/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <string.h>

/* As serial NOR, STM32G4, STM32H7 (with smaller blocks) and STM32L1 have it:
 * the last one's erased bytes are zero. */
const struct sim_shape sim_shapes[SIM_SHAPES] = {
    {"nor4k", 4096, 1, 0xFF},
    {"mcu2k", 2048, 8, 0xFF},
    {"word32", 1024, 32, 0xFF},
    {"zero256", 256, 4, 0x00},
};

static const uint8_t app_id[] = {0x81, 0x43, 'a', 'p', 'p'};
static const uint8_t active_id[] = {0x82, 0x43, 'a', 'p', 'p', 0x46,
                                    'a',  'c',  't', 'i', 'v', 'e'};
static const uint8_t stage_id[] = {0x81, 0x45, 's', 't', 'a', 'g', 'e'};
static const uint8_t net_id[] = {0x82, 0x43, 'c', 'f', 'g',
                                 0x43, 'n',  'e', 't'};

static struct bl_area area_take(uint32_t *at, uint32_t size, uint32_t block)
{
    struct bl_area a;

    a.offset = *at;
    a.size = (size + block - 1) / block * block;
    *at += a.size;
    return a;
}

static uint32_t layout_make(struct sim_device *d, uint32_t block,
                            uint32_t room)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < 2; i++) {
        d->layout.root[i] = area_take(&at, BL_ROOT_AREA, block);
        d->layout.state[i] = area_take(&at, 512, block);
        d->layout.journal[i] = area_take(&at, 512, block);
        d->layout.manifest[i] = area_take(&at, SIM_ENVELOPE_MAX, block);
        d->component[0].area[i] = area_take(&at, SIM_APP_SIZE + room, block);
        d->component[1].area[i] = area_take(&at, SIM_NET_SIZE, block);
    }
    d->component[2].kind = BL_COMPONENT_ACTIVE;
    d->component[2].of = 0;
    d->component[3].kind = BL_COMPONENT_STAGE;
    d->component[3].area[0] = area_take(&at, SIM_STAGE_SIZE, block);
    d->component[0].id = bl_span_of(app_id, sizeof(app_id));
    d->component[1].id = bl_span_of(net_id, sizeof(net_id));
    d->component[2].id = bl_span_of(active_id, sizeof(active_id));
    d->component[3].id = bl_span_of(stage_id, sizeof(stage_id));
    d->layout.component = d->component;
    d->layout.n_components = SIM_COMPONENTS;
    return at;
}

int sim_device_open(struct sim_device *d, const struct sim_shape *shape,
                    uint32_t room, const struct sim_fixture *f)
{
    struct sim_geometry g;

    memset(d, 0, sizeof(*d));
    g.size = layout_make(d, shape->erase_size, room);
    g.erase_size = shape->erase_size;
    g.write_size = shape->write_size;
    g.erased = shape->erased;
    d->identity.vendor_id = f->vendor_id;
    d->identity.class_id = f->class_id;
    d->identity.n_class_ids = 1;
    d->identity.device_id = f->device_id;
    if (sim_flash_open(&d->flash, &g) != 0) {
        return -1;
    }
    d->layout.flash = &d->flash.flash;
    return bl_layout_check(&d->layout) == BL_OK ? 0 : -1;
}

void sim_device_close(struct sim_device *d)
{
    sim_flash_close(&d->flash);
}

/* --- The factory
 * ------------------------------------------------------------- */

static bl_status factory_install(struct sim_device *d, struct bl_state *state,
                                 const struct sim_release *r)
{
    struct bl_install install;
    uint32_t offset = 0;
    bool resumed = false;
    bl_status s;

    s = bl_install_open(&install, &d->layout, state, BL_SLOT_A, r->manifest,
                        r->sequence, 1, false, d->io, sizeof(d->io), &resumed);
    if (s == BL_OK) {
        s = bl_install_begin(&install, d->component[0].id, SIM_APP_SIZE,
                             r->app_sha256, &offset);
    }
    if (s == BL_OK) {
        s = bl_install_data(&install, r->app, SIM_APP_SIZE);
    }
    if (s == BL_OK) {
        s = bl_install_end(&install);
    }
    return s == BL_OK ? bl_install_close(&install, buffer_span(&r->envelope))
                      : s;
}

bl_status sim_device_provision(struct sim_device *d,
                               const struct sim_fixture *f)
{
    const struct sim_release *r = &f->release[SIM_R1];
    struct bl_state state;
    bl_status s;

    memset(&state, 0, sizeof(state));
    state.active = BL_SLOT_B; /* until A is written */
    state.trial = BL_SLOT_NONE;
    s = bl_root_save(&d->layout, buffer_span(&f->root[0]), d->io,
                     sizeof(d->io));
    if (s == BL_OK) {
        s = factory_install(d, &state, r);
    }
    if (s != BL_OK) {
        return s;
    }
    state.active = BL_SLOT_A;
    state.slot[BL_SLOT_A].status = BL_SLOT_CONFIRMED;
    state.floor = r->sequence;
    return bl_state_save(&d->layout, &state);
}

/* --- What runs
 * ---------------------------------------------------------------- */

static bool holds(const struct sim_device *d, const struct bl_area *area,
                  const uint8_t *image, uint32_t size)
{
    return size <= area->size &&
           memcmp(d->flash.bytes + area->offset, image, size) == 0;
}

enum sim_release_name sim_device_image(struct sim_device *d,
                                       const struct sim_fixture *f,
                                       const struct bl_boot_result *boot)
{
    for (unsigned i = 0; i < SIM_RELEASES; i++) {
        const struct sim_release *r = &f->release[i];

        if (boot->image_size != SIM_APP_SIZE ||
            !holds(d, &boot->area, r->app, SIM_APP_SIZE)) {
            continue;
        }
        if (r->has_net && !holds(d, &d->component[1].area[boot->slot], r->net,
                                 SIM_NET_SIZE)) {
            return SIM_R_NONE;
        }
        return (enum sim_release_name)i;
    }
    return SIM_R_NONE;
}

void sim_device_client(struct sim_device *d, const struct sim_fixture *f,
                       struct bl_client_config *config)
{
    memset(config, 0, sizeof(*config));
    config->layout = &d->layout;
    config->timing = bl_timing_default;
    memcpy(config->device_id, f->device_id, 16);
    memcpy(config->vendor_id, f->vendor_id, 16);
    memcpy(config->class_id, f->class_id, 16);
    config->hardware = "sim";
    config->envelope = d->envelope;
    config->envelope_size = sizeof(d->envelope);
    config->root = d->root;
    config->root_size = sizeof(d->root);
    config->io = d->io;
    config->io_size = sizeof(d->io);
    config->message = d->message;
    config->message_size = sizeof(d->message);
    config->delta_memory = (uint8_t *)d->delta;
    config->delta_memory_size = sizeof(d->delta);
}

void sim_device_boot(struct sim_device *d, const struct bl_crypto *crypto,
                     bl_reset_cause reset, struct bl_boot_config *config)
{
    memset(config, 0, sizeof(*config));
    config->layout = &d->layout;
    config->crypto = crypto;
    config->identity = &d->identity;
    config->reset = reset;
    config->tries = BL_BOOT_TRIES;
    config->envelope = d->envelope;
    config->envelope_size = sizeof(d->envelope);
    config->root = d->root;
    config->root_size = sizeof(d->root);
    config->io = d->io;
    config->io_size = sizeof(d->io);
}
