/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bowline's flash over esp_partition: one address space for core, in which
 * the partition "bowline" comes first, then ota_0, then ota_1.
 *
 *   bowline   2 sectors root document, 2 state record, 2 journal, and the
 *             rest, halved, for the manifests of the two slots
 *
 * With flash encryption an erased sector reads as noise. Where a partition is
 * encrypted, blocks that are erased on the chip are handed out as erased.
 */
#ifndef BOWLINE_ESP_STORE_H
#define BOWLINE_ESP_STORE_H

#include "esp_err.h"
#include "esp_partition.h"

#include "bowline/flash.h"

enum {
    BOWLINE_SECTOR = 4096,
    BOWLINE_PARTS = 3,
    /* An encrypted block of the ESP32, the largest of the family. */
    BOWLINE_CRYPT_BLOCK = 32
};

struct bowline_store {
    const esp_partition_t *part[BOWLINE_PARTS];
    struct bl_flash flash; /* its ctx is this struct: do not copy */
    struct bl_component component;
    struct bl_layout layout;
};

/* ESP_ERR_NOT_FOUND: a partition is missing, or too small; *missing names it.
 * Nothing is logged: the early hook has no console yet. */
esp_err_t bowline_store_open(struct bowline_store *store,
                             const char **missing);
/*
 * core leaves cells of a payload unwritten that are as good as erased. Where
 * the slot is encrypted they would be read as noise by whoever starts the
 * image, so they are written now, before it is started. A cut during it may
 * spoil one block: ESP-IDF then refuses the image, and it is fetched again.
 */
esp_err_t bowline_store_fill(const struct bowline_store *store, uint8_t slot);
/* The slot of this partition, or BL_SLOT_NONE. */
uint8_t bowline_store_slot(const struct bowline_store *store,
                           const esp_partition_t *part);

#endif
