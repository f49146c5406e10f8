/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board that is an emulated ESP32. Power on: ESP-IDF's bootloader, by its
 * rules (esp_otadata.h, built with rollback), chooses by otadata and writes
 * what it writes. Then the image "runs": the resident agent stands for it,
 * with what the component for ESP-IDF does before its application starts and
 * whenever a trial begins or ends (ports/esp-idf/src/trial.h).
 */
#ifndef BOARD_ESP_H
#define BOARD_ESP_H

#include "bowline/esp_otadata.h"
#include "host/error.h"
#include "posix/config.h"

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
/*
 * What the component does before its client runs, `running` having been
 * started: counts the try, arms the bootloader for another, finishes a step
 * that a power cut left half done. True: restart at once.
 */
bool esp_settle(struct esp_board *board, uint8_t running,
                bl_reset_cause cause);
/* The client has confirmed its image: otadata has to know. */
void esp_confirmed(struct esp_board *board, uint8_t running);
/* The client asks for a reset: into the slot on trial, or back. */
void esp_before_reset(struct esp_board *board, uint8_t running);

#endif
