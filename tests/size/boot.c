/* SPDX-License-Identifier: Apache-2.0 */
/* The least boot loader; see client.c. */
#include "bowline/boot.h"
#include "port.h"

static struct bl_boot_config config;

void entry(void)
{
    struct bl_boot_result result;

    config.layout = &port_layout;
    config.crypto = &port_crypto;
    if (bl_boot_run(&config, &result) == BL_OK) {
        port_start(result.area.offset);
    }
}
