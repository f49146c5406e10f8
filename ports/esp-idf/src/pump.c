/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_http_client.h"
#include "esp_timer.h"

enum { TIMEOUT_MS = 20000, TOKEN = 192, OFFSET = 32 };

uint64_t bowline_now_ms(void)
{
    return (uint64_t)esp_timer_get_time() / 1000U;
}

/* --- Headers ------------------------------------------------------------- */

static bool read_number(const char *text, const char **end, uint64_t *out)
{
    char *stop = NULL;

    if (*text < '0' || *text > '9') {
        return false;
    }
    *out = strtoull(text, &stop, 10);
    *end = stop;
    return true;
}

/* "bytes 4096-13000/13001" */
static void take_range(struct bowline_pump *pump, const char *value)
{
    const char *end;

    pump->ranged = strncmp(value, "bytes ", 6) == 0 &&
                   read_number(value + 6, &end, &pump->offset) && *end == '-';
}

static esp_err_t on_event(esp_http_client_event_t *event)
{
    struct bowline_pump *pump = event->user_data;
    uint64_t seconds;
    const char *end;

    if (event->event_id != HTTP_EVENT_ON_HEADER) {
        return ESP_OK;
    }
    if (strcasecmp(event->header_key, "Content-Range") == 0) {
        take_range(pump, event->header_value);
    } else if (strcasecmp(event->header_key, "Retry-After") == 0 &&
               read_number(event->header_value, &end, &seconds)) {
        pump->retry_after_s =
            seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
    }
    return ESP_OK;
}

/* --- A request ----------------------------------------------------------- */

static esp_err_t authorize(struct bowline_pump *pump,
                           esp_http_client_handle_t http)
{
    char value[TOKEN];
    esp_err_t err;
    int n;

    if (pump->config->token == NULL || pump->config->token[0] == '\0') {
        return ESP_OK;
    }
    n = snprintf(value, sizeof value, "Bearer %s", pump->config->token);
    if (n < 0 || (size_t)n >= sizeof value) {
        return ESP_ERR_INVALID_SIZE;
    }
    err = esp_http_client_set_header(http, "Authorization", value);
    memset(value, 0, sizeof value);
    return err;
}

static esp_http_client_handle_t prepare(struct bowline_pump *pump,
                                        esp_http_client_method_t method)
{
    esp_http_client_config_t config = {
        .url = pump->url,
        .cert_pem = pump->config->cert_pem,
        .crt_bundle_attach = pump->config->cert_pem == NULL
                                 ? pump->config->crt_bundle_attach
                                 : NULL,
        .method = method,
        .timeout_ms = TIMEOUT_MS,
        .disable_auto_redirect = true,
        .event_handler = on_event,
        .user_data = pump,
        .user_agent = "bowline-esp-idf",
    };
    esp_http_client_handle_t http = esp_http_client_init(&config);

    pump->offset = 0;
    pump->ranged = false;
    pump->retry_after_s = 0;
    pump->status = 0;
    pump->err = http == NULL ? ESP_ERR_NO_MEM : authorize(pump, http);
    return http;
}

/* Sends head and body, reads the answer's head. */
static bool begin(struct bowline_pump *pump, esp_http_client_handle_t http,
                  bl_span body)
{
    size_t sent = 0;

    if (pump->err == ESP_OK) {
        pump->err = esp_http_client_open(http, (int)body.n);
    }
    while (pump->err == ESP_OK && sent < body.n) {
        int n = esp_http_client_write(http, (const char *)body.p + sent,
                                      (int)(body.n - sent));

        if (n <= 0) {
            pump->err = ESP_FAIL;
        } else {
            sent += (size_t)n;
        }
    }
    if (pump->err != ESP_OK) {
        return false;
    }
    if (esp_http_client_fetch_headers(http) < 0) {
        pump->err = ESP_FAIL;
        return false;
    }
    pump->status = esp_http_client_get_status_code(http);
    return true;
}

static void end(esp_http_client_handle_t http)
{
    if (http != NULL) {
        (void)esp_http_client_close(http);
        (void)esp_http_client_cleanup(http);
    }
}

/* --- Polls --------------------------------------------------------------- */

/* An answer that is too large is as good as none. */
static bool read_answer(struct bowline_pump *pump,
                        esp_http_client_handle_t http, bl_span *answer)
{
    uint32_t used = 0;

    for (;;) {
        int n = esp_http_client_read(http, (char *)pump->buffer + used,
                                     (int)(pump->buffer_size - used));

        if (n < 0 || (n > 0 && used + (uint32_t)n >= pump->buffer_size)) {
            pump->err = n < 0 ? ESP_FAIL : ESP_ERR_INVALID_SIZE;
            return false;
        }
        if (n == 0) {
            break;
        }
        used += (uint32_t)n;
    }
    if (!esp_http_client_is_complete_data_received(http)) {
        pump->err = ESP_FAIL;
        return false;
    }
    *answer = bl_span_of(pump->buffer, used);
    return true;
}

void bowline_pump_poll(struct bowline_pump *pump,
                       const struct bl_action *action)
{
    static const char type[] = "application/cbor";
    esp_http_client_handle_t http;
    bl_span answer = {NULL, 0};
    bool ok;

    (void)snprintf(pump->url, sizeof pump->url, "%s/d/v1/poll",
                   pump->config->server);
    http = prepare(pump, HTTP_METHOD_POST);
    if (pump->err == ESP_OK) {
        pump->err = esp_http_client_set_header(http, "Content-Type", type);
    }
    ok = begin(pump, http, action->body) && read_answer(pump, http, &answer);
    end(http);
    if (ok) {
        bl_client_answer(pump->client, bowline_now_ms(), pump->status, answer,
                         pump->retry_after_s);
    } else {
        pump->status = 0;
        bl_client_unreachable(pump->client, bowline_now_ms());
    }
}

/* --- Payloads ------------------------------------------------------------ */

static esp_err_t ask_range(esp_http_client_handle_t http,
                           const struct bl_action *action)
{
    static const char digits[] = "0123456789abcdef";
    char value[2 * 32 + 3];
    char range[OFFSET];
    size_t n = 0;
    esp_err_t err;

    if (action->offset == 0) {
        return ESP_OK;
    }
    value[n++] = '"';
    for (size_t i = 0; i < 32; i++) {
        value[n++] = digits[action->etag[i] >> 4];
        value[n++] = digits[action->etag[i] & 15U];
    }
    value[n++] = '"';
    value[n] = '\0';
    (void)snprintf(range, sizeof range, "bytes=%lu-",
                   (unsigned long)action->offset);
    err = esp_http_client_set_header(http, "Range", range);
    return err == ESP_OK ? esp_http_client_set_header(http, "If-Range", value)
                         : err;
}

static uint32_t start_of(const struct bowline_pump *pump)
{
    if (pump->status != 206) {
        return 0;
    }
    /* No offset at all is one that nobody has asked for. */
    return pump->ranged && pump->offset <= UINT32_MAX ? (uint32_t)pump->offset
                                                      : UINT32_MAX;
}

/* True when the body came to its end. */
static bool read_body(struct bowline_pump *pump, esp_http_client_handle_t http)
{
    int n;

    if (bl_client_body(pump->client, pump->status, start_of(pump)) != BL_OK) {
        return false;
    }
    do {
        n = esp_http_client_read(http, (char *)pump->buffer,
                                 (int)pump->buffer_size);
        if (n > 0 &&
            bl_client_data(pump->client, pump->buffer, (size_t)n) != BL_OK) {
            return false;
        }
    } while (n > 0);
    return n == 0 && esp_http_client_is_complete_data_received(http);
}

void bowline_pump_get(struct bowline_pump *pump,
                      const struct bl_action *action)
{
    esp_http_client_handle_t http;
    bool begun;
    bool ok = false;
    int n = snprintf(pump->url, sizeof pump->url, "%s/d/v1/%.*s",
                     pump->config->server, (int)action->uri.n,
                     (const char *)action->uri.p);

    if (!bl_client_uri_below(action->uri) || n < 0 ||
        (size_t)n >= sizeof pump->url) {
        pump->err = ESP_ERR_INVALID_ARG;
        bl_client_done(pump->client, bowline_now_ms(), false, 0);
        return;
    }
    http = prepare(pump, HTTP_METHOD_GET);
    if (pump->err == ESP_OK) {
        pump->err = ask_range(http, action);
    }
    begun = begin(pump, http, bl_span_of(NULL, 0));
    if (begun) {
        ok = read_body(pump, http);
    }
    end(http);
    if (begun) {
        bl_client_done(pump->client, bowline_now_ms(), ok,
                       pump->retry_after_s);
    } else {
        bl_client_unreachable(pump->client, bowline_now_ms());
    }
}
