/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway that holds the firmware of another chip, which it can't execute:
 * the agent is resident, only the image comes out of the slot. It is well
 * when the slot that is to be handed on verifies, bit for bit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "posix/crypto.h"
#include "posix/describe.h"
#include "posix/device.h"

enum { ENVELOPE = 16384, IO = 8192 };

struct holder {
    struct device *device;
    char version[VERSION_TEXT];
    uint8_t *root;
    uint32_t root_size;
    uint8_t envelope[ENVELOPE];
    uint8_t io[IO];
};

/* The version of what is held: the slot's manifest says it. */
static void read_version(struct holder *h, const struct bl_layout *layout)
{
    struct bl_state state;
    bl_span envelope;
    uint8_t slot;

    (void)snprintf(h->version, sizeof h->version, "unknown");
    if (bl_state_load(layout, &state) != BL_OK) {
        return;
    }
    slot = state.trial != BL_SLOT_NONE ? state.trial : state.active;
    if (bl_slot_envelope(layout, slot, h->envelope, sizeof h->envelope,
                         &envelope) == BL_OK) {
        describe_version(envelope, h->version);
    }
}

static bl_health image_verifies(void *ctx)
{
    struct holder *h = ctx;
    const struct device_config *c = device_configuration(h->device);
    struct bl_suit_platform identity = {
        .vendor_id = c->vendor_id,
        .class_id = c->class_id,
        .n_class_ids = 1,
        .device_id = c->id,
    };
    struct bl_slot_facts facts;
    struct bl_root root;
    bl_span document;

    if (bl_root_load(&c->layout, h->root, h->root_size, &document, &root) !=
            BL_OK ||
        bl_slot_check(&c->layout, device_client(h->device)->slot, &root,
                      &identity, &posix_crypto, h->envelope,
                      sizeof h->envelope, h->io, sizeof h->io,
                      &facts) != BL_OK) {
        return BL_HEALTH_FAIL;
    }
    return facts.whole == BL_GOOD && facts.signed_ok == BL_GOOD
               ? BL_HEALTH_PASS
               : BL_HEALTH_FAIL;
}

int board_holder(void)
{
    static struct holder h;
    struct error err = {0};
    const struct device_config *config;
    int result;

    h.device = device_open(h.version, &err);
    if (h.device == NULL) {
        return board_fail("run", &err);
    }
    config = device_configuration(h.device);
    h.root_size = config->layout.root[0].size;
    h.root = malloc(h.root_size);
    if (h.root == NULL) {
        return 1;
    }
    read_version(&h, &config->layout);
    (void)device_check(h.device, "image", image_verifies, &h);
    (void)device_check(h.device, "server", device_check_server, h.device);
    result = device_run(h.device, &err);
    if (result == 1) {
        (void)board_fail("run", &err);
    }
    free(h.root);
    device_close(h.device);
    return result;
}
