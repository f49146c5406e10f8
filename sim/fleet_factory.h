/* SPDX-License-Identifier: Apache-2.0 */
/* What every device of the fleet leaves the factory with. */
#ifndef SIM_FLEET_FACTORY_H
#define SIM_FLEET_FACTORY_H

#include "fleet_flash.h"

#include "bowline/client.h"
#include "bowline/esp_otadata.h"
#include "host/buffer.h"
#include "host/error.h"

struct fleet_factory {
    struct buffer root;     /* document */
    struct buffer envelope; /* of the release */
    struct bl_root trusted;
    struct bl_suit_envelope suit;
    struct bl_suit_manifest manifest;
    uint8_t vendor_id[BL_ID_SIZE];
    uint8_t class_id[BL_ID_SIZE];
    struct bl_component component[BL_SUIT_COMPONENTS];
    struct bl_layout layout;   /* its flash is the one below */
    struct bl_esp_slots slots; /* of an ESP32; otadata of size 0: none */
    struct fleet_flash flash;
};

/* Brings the payload with this digest into `out`. */
typedef int (*fleet_payload)(void *ctx, const uint8_t digest[32],
                             struct buffer *out, struct error *err);

/* Reads `root` and `envelope`, checks the one by the other, and writes the
 * flash that all devices start with. */
int fleet_factory_make(struct fleet_factory *factory, uint32_t slot_size,
                       bool esp32, fleet_payload payload, void *ctx,
                       struct error *err);
void fleet_factory_close(struct fleet_factory *factory);

#endif
