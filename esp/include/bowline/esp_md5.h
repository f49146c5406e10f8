/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MD5, RFC 1321, streaming. Only for what Espressif's formats and tools ask
 * for it: the partition table's own check and ArduinoOTA's. It finds
 * accidents; against an attacker it proves nothing.
 */
#ifndef BOWLINE_ESP_MD5_H
#define BOWLINE_ESP_MD5_H

#include <stddef.h>
#include <stdint.h>

enum { BL_ESP_MD5_SIZE = 16 };

struct bl_esp_md5 {
    uint32_t h[4];
    uint64_t bytes; /* total fed */
    uint8_t block[64];
};

void bl_esp_md5_init(struct bl_esp_md5 *c);
void bl_esp_md5_update(struct bl_esp_md5 *c, const void *data, size_t n);
/* Leaves the digest; the context must be initialised anew before reuse. */
void bl_esp_md5_final(struct bl_esp_md5 *c, uint8_t digest[BL_ESP_MD5_SIZE]);
/* init, update, final. */
void bl_esp_md5(const void *data, size_t n, uint8_t digest[BL_ESP_MD5_SIZE]);

#endif
