/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board that is an emulated ESP32. Power on: ESP-IDF's bootloader, by its
 * rules (esp_otadata.h, built with rollback), chooses by otadata and writes
 * what it writes. Then the image "runs": the resident agent stands for it,
 * with what the component for ESP-IDF does before its application starts and
 * whenever a trial begins or ends (posix/esp_follow.h).
 */
#ifndef BOARD_ESP_H
#define BOARD_ESP_H

#include "bowline/esp_otadata.h"
#include "host/error.h"
#include "posix/config.h"
#include "posix/esp_follow.h"

struct esp_board {
    const struct device_config *config;
    uint32_t chip_id;
    struct bl_esp_slots slots;
    struct bl_esp_ota ota; /* its ctx is this struct: do not copy */
};

/* The factory: bootloader (may be empty), partition table, blank otadata.
 * -1 also when the image in slot A is not one that this chip starts. */
int esp_factory(const struct device_config *config, bl_span bootloader,
                struct error *err);
/* Reads the partition table of an opened chip. */
int esp_board_open(struct esp_board *board, const struct device_config *config,
                   struct error *err);
/* The bootloader: the slot that starts, or BL_SLOT_NONE. */
uint8_t esp_bootloader(struct esp_board *board);
/* For what the component for ESP-IDF does; good as long as `board` is. */
void esp_board_follow(struct esp_board *board, struct esp_follow *follow);

#endif
