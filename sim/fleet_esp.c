/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that boots as an ESP32 does: ESP-IDF's bootloader chooses by
 * otadata; what the component for ESP-IDF does follows before the client
 * starts, and whenever a trial begins or ends.
 *
 * Images here are not an ESP32's. Where the bootloader would look for the
 * hash at an image's end, the manifest's digest of the slot is looked at.
 */
#include "crypto_cache.h"
#include "fleet.h"
#include "fleet_device.h"
#include "posix/esp_follow.h"

enum { RESTARTS = 4 /* of one start: forward, and back once more */ };

bool fleet_esp(const struct fleet_device *d)
{
    return d->shard->fleet->options.esp32;
}

static bool whole(void *ctx, const struct bl_area *slot)
{
    struct fleet_device *d = ctx;
    const struct fleet_factory *f = &d->shard->fleet->factory;
    const struct bl_suit_platform identity = {
        .vendor_id = f->vendor_id,
        .class_id = f->class_id,
        .n_class_ids = 1,
        .device_id = d->id,
    };
    struct bl_slot_facts facts;
    struct bl_root root;
    bl_span document;

    return bl_root_load(&d->layout, d->root, sizeof d->root, &document,
                        &root) == BL_OK &&
           bl_slot_check(
               &d->layout, slot == &f->slots.ota[0] ? BL_SLOT_A : BL_SLOT_B,
               &root, &identity, &sim_crypto, d->envelope, sizeof d->envelope,
               d->io, sizeof d->io, &facts) == BL_OK &&
           facts.whole == BL_GOOD;
}

struct esp {
    struct bl_esp_ota ota;
    struct esp_follow follow;
};

static void set_up(struct esp *esp, struct fleet_device *d)
{
    memset(esp, 0, sizeof *esp);
    esp->ota.flash = &d->flash.flash;
    esp->ota.slots = &d->shard->fleet->factory.slots;
    esp->ota.options.rollback = true;
    esp->ota.ctx = d;
    esp->ota.whole = whole;
    esp->follow.ota = &esp->ota;
    esp->follow.layout = &d->layout;
    esp->follow.tries = BL_BOOT_TRIES;
}

bl_status fleet_esp_boot(struct fleet_device *d, uint8_t *slot)
{
    struct esp esp;

    set_up(&esp, d);
    d->valid = false;
    for (int i = 0; i < RESTARTS && !d->flash.dead; i++) {
        int index;
        bl_status status;

        d->boots++;
        fleet_add(d->shard, COUNT_BOOTS, 1);
        status = bl_esp_boot_run(&esp.ota, &index);
        if (status != BL_OK) {
            return status;
        }
        *slot = index == 0 ? BL_SLOT_A : BL_SLOT_B;
        if (!esp_follow_start(&esp.follow, *slot, d->reset)) {
            return BL_OK;
        }
        d->reset = BL_RESET_SOFTWARE;
    }
    return BL_NO_IMAGE;
}

void fleet_esp_look(struct fleet_device *d)
{
    const struct bl_client *c = &d->client;
    struct esp esp;

    if (d->valid || c->state.trial != BL_SLOT_NONE ||
        c->state.active != c->slot) {
        return;
    }
    set_up(&esp, d);
    esp_follow_confirmed(&esp.follow, c->slot);
    d->valid = !d->flash.dead;
}

void fleet_esp_reset(struct fleet_device *d)
{
    struct esp esp;

    set_up(&esp, d);
    esp_follow_reset(&esp.follow, d->client.slot);
}
