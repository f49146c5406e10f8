/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core's cryptography by PSA Crypto, as ESP-IDF has it: ECDSA P-256, with the
 * chip's accelerator where mbedTLS uses one. PSA there has no Ed25519; keys
 * of that kind are refused with BL_ALGORITHM. HSS/LMS is core's own.
 */
#ifndef BOWLINE_ESP_CRYPTO_H
#define BOWLINE_ESP_CRYPTO_H

#include "esp_err.h"

#include "bowline/crypto.h"

extern const struct bl_crypto bowline_crypto;

/* Once, before anything else here. */
esp_err_t bowline_crypto_open(void);
/* Class and vendor ids as `bowline init` makes them: UUIDs of version 5. */
esp_err_t bowline_vendor_id(const char *domain, uint8_t out[16]);
esp_err_t bowline_class_id(const uint8_t vendor_id[16], const char *product,
                           uint8_t out[16]);
bl_status bowline_random(void *ctx, void *out, size_t n);

#endif
