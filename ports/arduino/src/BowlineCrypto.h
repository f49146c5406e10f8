/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core's cryptography by mbedTLS, as each Arduino core for ESP32 has it: ECDSA
 * P-256. Ed25519 it has not; HSS/LMS is core's own. The same functions as
 * ports/esp-idf/src/crypto.h has over PSA, which not every core's build has.
 */
#ifndef BOWLINE_ARDUINO_CRYPTO_H
#define BOWLINE_ARDUINO_CRYPTO_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "bowline/crypto.h"

extern const struct bl_crypto bowline_crypto;

/* Once, before anything else here. */
esp_err_t bowline_crypto_open(void);
/* Class and vendor ids as `bowline init` makes them: UUIDs of version 5. */
esp_err_t bowline_vendor_id(const char *domain, uint8_t out[16]);
esp_err_t bowline_class_id(const uint8_t vendor_id[16], const char *product,
                           uint8_t out[16]);
bl_status bowline_random(void *ctx, void *out, size_t n);

#ifdef __cplusplus
}
#endif

#endif
