/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte pump over esp_http_client: does the transfers that core's client
 * asks for. The server is pinned (cert_pem, or the bundle); the token goes to
 * it alone: addresses of payloads are taken below it, others are refused, and
 * redirects are not followed.
 */
#ifndef BOWLINE_ESP_PUMP_H
#define BOWLINE_ESP_PUMP_H

#include "bowline_esp.h"

#include "bowline/client.h"

enum { BOWLINE_URL = 256 };

struct bowline_pump {
    const bowline_config_t *config;
    struct bl_client *client;
    uint8_t *buffer; /* answers, and bodies as they come */
    uint32_t buffer_size;
    /* The answer's headers */
    uint64_t offset;
    uint32_t retry_after_s;
    bool ranged;
    /* Of the last transfer */
    int status;    /* HTTP status, 0: the server was not reached */
    esp_err_t err; /* ... because of this */
    char url[BOWLINE_URL];
};

uint64_t bowline_now_ms(void);
void bowline_pump_poll(struct bowline_pump *pump,
                       const struct bl_action *action);
void bowline_pump_get(struct bowline_pump *pump,
                      const struct bl_action *action);

#endif
