/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the component for ESP-IDF does around core's client, for emulated
 * ESP32s: otadata follows the state record, and the state record what really
 * booted. The decisions are the component's own (ports/esp-idf/src/trial.h);
 * here they are carried out on a flash.
 */
#ifndef POSIX_ESP_FOLLOW_H
#define POSIX_ESP_FOLLOW_H

#include "bowline/esp_otadata.h"
#include "bowline/state.h"

struct esp_follow {
    const struct bl_esp_ota *ota; /* built with rollback */
    const struct bl_layout *layout;
    uint8_t tries; /* that a new image gets */
    /* Something could not be written; may be NULL. */
    void (*trouble)(void *ctx, const char *what, bl_status status);
    void *ctx;
};

/*
 * Before the client runs, `running` having been started by the bootloader:
 * counts the try, arms the bootloader for another, finishes a step that a
 * power cut left half done. True: restart at once.
 */
bool esp_follow_start(const struct esp_follow *follow, uint8_t running,
                      bl_reset_cause cause);
/* The client has confirmed its image: otadata has to know. */
void esp_follow_confirmed(const struct esp_follow *follow, uint8_t running);
/* The client asks for a reset: into the slot on trial, or back. */
void esp_follow_reset(const struct esp_follow *follow, uint8_t running);

#endif
