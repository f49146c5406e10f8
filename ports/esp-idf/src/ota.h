/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot control over esp_ota_ops: gathers the facts for trial.h, and carries
 * verdicts out. What esp_ota_ops has no call for, setting a record's state
 * back and erasing one, is done over esp_partition with the record's format
 * of bowline/esp_otadata.h.
 */
#ifndef BOWLINE_ESP_OTA_H
#define BOWLINE_ESP_OTA_H

#include "store.h"
#include "trial.h"

/* ESP_ERR_NOT_FOUND: no otadata, or neither ota_0 nor ota_1 runs. */
esp_err_t bowline_ota_facts(const struct bowline_store *store,
                            struct bowline_facts *facts);
/* esp_reset_reason in core's words. */
bl_reset_cause bowline_reset_cause(void);

/* The state of the running slot's record in otadata. */
esp_err_t bowline_ota_set(const struct bowline_facts *facts, uint32_t record);
/* Erases the other slot's record; the running one is what boots then. */
esp_err_t bowline_ota_forget(const struct bowline_store *store,
                             const struct bowline_facts *facts);
/* The slot on trial boots next: ESP-IDF verifies its image first. */
esp_err_t bowline_ota_forward(const struct bowline_store *store, uint8_t slot);
/* Gives the running image up for the other. Restarts, or returns why it can
 * not: then there is nothing to go back to. */
esp_err_t bowline_ota_back(const struct bowline_store *store);

#endif
