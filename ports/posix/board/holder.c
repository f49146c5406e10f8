/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway that holds the firmware of another chip, which it can't execute:
 * the agent is resident, only the image comes out of the slot. It is well
 * when the slot that is to be handed on verifies, bit for bit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "esp.h"
#include "posix/crypto.h"
#include "posix/describe.h"
#include "posix/device.h"

enum { ENVELOPE = 16384, IO = 8192 };

struct holder {
    struct device *device;
    bool is_esp;
    bool told; /* otadata has that the image is confirmed */
    struct esp_board esp;
    struct esp_follow follow;
    char version[VERSION_TEXT];
    uint8_t *root;
    uint32_t root_size;
    uint8_t envelope[ENVELOPE];
    uint8_t io[IO];
};

/* The slot that is held: what the bootloader has started, or what the state
 * record says. */
static bl_status held(const struct holder *h, const struct bl_layout *layout,
                      uint8_t *slot)
{
    const char *started = getenv(DEVICE_ENV_SLOT);
    struct bl_state state;
    bl_status status = bl_state_load(layout, &state);

    if (h->is_esp && started != NULL) {
        *slot = strcmp(started, "1") == 0 ? BL_SLOT_A : BL_SLOT_B;
        return BL_OK;
    }
    if (status == BL_OK) {
        *slot = state.trial != BL_SLOT_NONE ? state.trial : state.active;
    }
    return status;
}

/* The version of what is held: the slot's manifest says it. */
static void read_version(struct holder *h, const struct bl_layout *layout)
{
    bl_span envelope;
    uint8_t slot;

    (void)snprintf(h->version, sizeof h->version, "unknown");
    if (held(h, layout, &slot) != BL_OK) {
        return;
    }
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

/* The client's record says that the image is confirmed: now otadata. */
static void follow_trial(void *ctx)
{
    struct holder *h = ctx;
    const struct bl_client *client = device_client(h->device);

    if (!h->told && client->state.trial == BL_SLOT_NONE &&
        client->state.active == client->slot) {
        esp_follow_confirmed(&h->follow, client->slot);
        h->told = true;
    }
}

static int run(struct holder *h, struct error *err)
{
    int result;

    (void)device_check(h->device, "image", image_verifies, h);
    (void)device_check(h->device, "server", device_check_server, h->device);
    if (h->is_esp) {
        if (esp_board_open(&h->esp, device_configuration(h->device), err) !=
            0) {
            return 1;
        }
        esp_board_follow(&h->esp, &h->follow);
        device_work(h->device, follow_trial, h);
    }
    result = device_run(h->device, err);
    if (h->is_esp && result == DEVICE_EXIT_RESET) {
        follow_trial(h);
        esp_follow_reset(&h->follow, device_client(h->device)->slot);
    }
    return result;
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
    h.is_esp = config->chip[0] != '\0';
    read_version(&h, &config->layout);
    result = run(&h, &err);
    if (result == 1) {
        (void)board_fail("run", &err);
    }
    free(h.root);
    device_close(h.device);
    return result;
}
