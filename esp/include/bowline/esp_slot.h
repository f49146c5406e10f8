/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image in a slot of a flash: what esp_otadata.h asks of it, answered by
 * esp_image.h.
 */
#ifndef BOWLINE_ESP_SLOT_H
#define BOWLINE_ESP_SLOT_H

#include "bowline/esp_image.h"
#include "bowline/flash.h"

#define BL_ESP_ANY_CHIP 0xFFFFu

/*
 * Would a bootloader of this chip start it? Header, segments, checksum, hash,
 * and the chip that it is for (BL_ESP_ANY_CHIP: not looked at). *image, which
 * may be NULL, is filled in either case.
 */
bool bl_esp_slot_whole(const struct bl_flash *flash,
                       const struct bl_area *slot, uint32_t chip_id,
                       struct bl_esp_image *image);
/* The application descriptor at the front of a slot; false: none. */
bool bl_esp_slot_app(const struct bl_flash *flash, const struct bl_area *slot,
                     struct bl_esp_app *app);

#endif
