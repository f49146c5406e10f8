/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small flash with otadata, a factory application, a test application and
 * some OTA slots of one sector each, that loses power when it is told to. An
 * image is a sector that begins and ends with RIG_IMAGE and has its secure
 * version behind the first byte.
 */
#ifndef TESTS_OTADATA_RIG_H
#define TESTS_OTADATA_RIG_H

#include "bowline/esp_otadata.h"
#include "flash.h"

enum { RIG_IMAGE = 0x47 };

struct rig {
    struct sim_flash sim;
    struct bl_esp_slots slots;
    struct bl_esp_ota ota;
    uint32_t efuse;
};

/* Erased; no image is anywhere. */
void rig_open(struct rig *rig, uint32_t n_ota, bool factory);
void rig_close(struct rig *rig);
/* Makes `to` the same as `from`; both were opened with the same slots. */
void rig_copy(struct rig *to, const struct rig *from);
/* Writes an image, or erases the slot. */
void rig_image(struct rig *rig, int index, uint32_t secure_version);
void rig_no_image(struct rig *rig, int index);
/* Writes record i as it is given. */
void rig_record(struct rig *rig, int i, const struct bl_esp_ota_record *r);
/* A record with the right CRC. */
struct bl_esp_ota_record rig_made(uint32_t number, uint32_t state);
struct bl_esp_ota_record rig_blank(void);

#endif
