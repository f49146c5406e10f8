/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Arduino core does with a new image before setup(): the shape of
 * initArduino() in cores/esp32/esp32-hal-misc.c, with the two weak functions
 * by which a sketch may have a say. In C and in an archive, as the core is:
 * whether the library takes over is a matter of the linker.
 */
#include "esp_ota_ops.h"

#include "double.h"

#include <stdbool.h>
#include <stdio.h>

bool verifyOta(void) __attribute__((weak));
bool verifyRollbackLater(void) __attribute__((weak));
void initArduino(void);

bool verifyOta(void)
{
    return true;
}

bool verifyRollbackLater(void)
{
    return false;
}

void initArduino(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;

    if (verifyRollbackLater() ||
        esp_ota_get_state_partition(running, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY) {
        return;
    }
    printf("[double] the core judges the new image by itself\n");
    if (verifyOta()) {
        (void)esp_ota_mark_app_valid_cancel_rollback();
    } else {
        (void)esp_ota_mark_app_invalid_rollback_and_reboot();
    }
}
