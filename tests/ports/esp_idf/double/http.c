/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client over a server in the process (sim/server.h). */
#include "chip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"

enum { URL = 256, PORTION = 1000, LATENCY_US = 50000 };

static const char base[] = "https://updates.example.com:8443";

struct double_http {
    esp_http_client_config_t config;
    char url[URL];
    char range[32];
    bool if_range;
    uint8_t sent[4096];
    size_t n_sent;
    uint8_t answer[SIM_ANSWER_MAX];
    bl_span body;
    size_t at;
    size_t end; /* < body.n: the transfer breaks there */
    size_t start;
    int status;
};

static struct double_http one; /* a client has one at a time */

esp_http_client_handle_t
esp_http_client_init(const esp_http_client_config_t *config)
{
    memset(&one, 0, sizeof one);
    one.config = *config;
    (void)snprintf(one.url, sizeof one.url, "%s", config->url);
    (void)snprintf(chip.cert, sizeof chip.cert, "%s",
                   config->cert_pem == NULL ? "" : config->cert_pem);
    return &one;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client,
                                     const char *key, const char *value)
{
    if (strcmp(key, "Authorization") == 0) {
        (void)snprintf(chip.authorization, sizeof chip.authorization, "%s",
                       value);
    } else if (strcmp(key, "Range") == 0) {
        (void)snprintf(client->range, sizeof client->range, "%s", value);
    } else if (strcmp(key, "If-Range") == 0) {
        client->if_range = true;
    }
    return ESP_OK;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int length)
{
    (void)client;
    (void)length;
    double_wait(LATENCY_US);
    return chip.offline ? ESP_FAIL : ESP_OK;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *data,
                          int n)
{
    if ((size_t)n > sizeof client->sent - client->n_sent) {
        return -1;
    }
    memcpy(client->sent + client->n_sent, data, (size_t)n);
    client->n_sent += (size_t)n;
    return n;
}

static void header(struct double_http *http, const char *key,
                   const char *value)
{
    char k[32];
    char v[64];
    esp_http_client_event_t event = {
        .event_id = HTTP_EVENT_ON_HEADER,
        .client = http,
        .user_data = http->config.user_data,
        .header_key = k,
        .header_value = v,
    };

    (void)snprintf(k, sizeof k, "%s", key);
    (void)snprintf(v, sizeof v, "%s", value);
    (void)http->config.event_handler(&event);
}

static void answer_poll(struct double_http *http)
{
    char seconds[16];

    if (chip.refuses != 0) {
        chip.refused++;
        http->status = chip.refuses;
        (void)snprintf(seconds, sizeof seconds, "%u",
                       (unsigned)chip.retry_after);
        header(http, "Retry-After", seconds);
        return;
    }
    http->status =
        sim_server_poll(&chip.server, bl_span_of(http->sent, http->n_sent),
                        http->answer, &http->body) == 0
            ? 200
            : 400;
}

static void answer_get(struct double_http *http, const char *path)
{
    char range[80];

    http->body = sim_server_get(&chip.server, bl_span_of(path, strlen(path)));
    http->status = http->body.p == NULL ? 404 : 200;
    if (http->body.p != NULL && http->range[0] != '\0' &&
        !chip.server.no_range && http->if_range) {
        http->start = strtoul(http->range + strlen("bytes="), NULL, 10);
        if (http->start >= http->body.n) {
            http->status = 416;
            http->body = bl_span_of(NULL, 0);
            http->start = 0;
            return;
        }
        http->status = 206;
        chip.ranges++;
        (void)snprintf(range, sizeof range, "bytes %zu-%zu/%zu", http->start,
                       http->body.n - 1, http->body.n);
        header(http, "content-range", range);
    }
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    const char *path = client->url + strlen(base);

    if (strncmp(client->url, base, strlen(base)) != 0) {
        return -1;
    }
    if (client->config.method == HTTP_METHOD_POST &&
        strcmp(path, "/d/v1/poll") == 0) {
        answer_poll(client);
    } else if (client->config.method == HTTP_METHOD_GET &&
               strncmp(path, "/d/v1/", 6) == 0) {
        answer_get(client, path + 6);
    } else {
        client->status = 404;
    }
    client->at = client->start;
    client->end = client->body.n;
    if (chip.breaks > 0 && strstr(path, "payloads/") != NULL) {
        chip.breaks--;
        client->end = client->start + (client->body.n - client->start) / 2;
    }
    return (int64_t)(client->body.n - client->start);
}

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client->status;
}

int esp_http_client_read(esp_http_client_handle_t client, char *out, int n)
{
    size_t left = client->end - client->at;
    size_t some = (size_t)n < PORTION ? (size_t)n : PORTION;

    if (some > left) {
        some = left;
    }
    if (some == 0 && client->end < client->body.n) {
        return -1;
    }
    if (some > 0) {
        memcpy(out, client->body.p + client->at, some);
        if (strstr(client->url, "/payloads/") != NULL) {
            chip.sent_whole += (uint32_t)some;
        } else if (strstr(client->url, "/deltas/") != NULL) {
            chip.sent_patch += (uint32_t)some;
        }
        client->at += some;
    }
    return (int)some;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    return client->at == client->body.n;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    (void)client;
    return ESP_OK;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    (void)client;
    return ESP_OK;
}
