/* SPDX-License-Identifier: Apache-2.0 */
/* What tests see of the double, beside what a sketch sees. */
#ifndef DOUBLE_DOUBLE_H
#define DOUBLE_DOUBLE_H

#include "bowline/esp_otadata.h"

enum {
    DOUBLE_EXIT_RESTART = 75, /* the program ends so: start it again */
    DOUBLE_EXIT_BRICK = 76,   /* nothing can be started */
    DOUBLE_SLOT = 0x40000,
    DOUBLE_FLASH = 0x100000
};

#ifdef __cplusplus
extern "C" {
#endif
/* The chip's flash is the file that DOUBLE_FLASH names. */
void double_flash_open(void);
/* What the bootloader does with it: -1, or the slot that is started. */
int double_boot(void);
const struct bl_esp_ota *double_ota(void);
int double_running(void);
#ifdef __cplusplus
}
#endif

#endif
