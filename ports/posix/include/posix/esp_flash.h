/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash of an emulated ESP32: 4 MB, as `idf.py flash` would lay it out
 * for a project with two OTA slots and Bowline's own partition.
 *
 *   0x1000 or 0   bootloader (not executed here; its rules are followed)
 *   0x8000        partition table
 *   0x9000        nvs
 *   0xD000        otadata
 *   0xF000        phy_init
 *   0x10000       ota_0
 *   0x1D0000      ota_1
 *   0x390000      bowline: root documents, state, journal, manifests
 */
#ifndef POSIX_ESP_FLASH_H
#define POSIX_ESP_FLASH_H

enum {
    DEVICE_ESP_FLASH = 4 << 20,
    DEVICE_ESP_NVS = 0x9000,
    DEVICE_ESP_NVS_SIZE = 0x4000,
    DEVICE_ESP_OTADATA = 0xD000,
    DEVICE_ESP_PHY = 0xF000,
    DEVICE_ESP_PHY_SIZE = 0x1000,
    DEVICE_ESP_SLOT_A = 0x10000,
    DEVICE_ESP_SLOT_B = 0x1D0000,
    DEVICE_ESP_SLOT_SIZE = 0x1C0000,
    DEVICE_ESP_STORE = 0x390000,
    DEVICE_ESP_STORE_SIZE = 0x20000,
    DEVICE_ESP_STORE_TYPE = 0x40 /* a project's own */
};

#endif
