/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_HTTP_CLIENT_H
#define ESP_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

typedef struct double_http *esp_http_client_handle_t;

typedef enum { HTTP_METHOD_GET, HTTP_METHOD_POST } esp_http_client_method_t;

typedef enum {
    HTTP_EVENT_ERROR,
    HTTP_EVENT_ON_CONNECTED,
    HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_ON_HEADER
} esp_http_client_event_id_t;

typedef struct {
    esp_http_client_event_id_t event_id;
    esp_http_client_handle_t client;
    void *data;
    int data_len;
    void *user_data;
    char *header_key;
    char *header_value;
} esp_http_client_event_t;

typedef struct {
    const char *url;
    const char *cert_pem;
    esp_err_t (*crt_bundle_attach)(void *conf);
    esp_http_client_method_t method;
    int timeout_ms;
    bool disable_auto_redirect;
    esp_err_t (*event_handler)(esp_http_client_event_t *event);
    void *user_data;
    const char *user_agent;
} esp_http_client_config_t;

esp_http_client_handle_t
esp_http_client_init(const esp_http_client_config_t *config);
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client,
                                     const char *key, const char *value);
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int length);
int esp_http_client_write(esp_http_client_handle_t client, const char *data,
                          int n);
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
int esp_http_client_get_status_code(esp_http_client_handle_t client);
int esp_http_client_read(esp_http_client_handle_t client, char *out, int n);
bool esp_http_client_is_complete_data_received(
    esp_http_client_handle_t client);
esp_err_t esp_http_client_close(esp_http_client_handle_t client);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

#endif
