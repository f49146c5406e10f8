/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/pump.h"

#include <stdio.h>

#include "host/file.h"
#include "posix/platform.h"

enum { NAP_MS = 250, ANSWER_LIMIT = 64 * 1024, URL = 512 };

int pump_open(struct pump *pump, struct error *err)
{
    const struct device_config *c = pump->config;
    struct http_config http = {
        .ca_file = c->ca_file[0] == '\0' ? NULL : c->ca_file,
        .cert_file = c->cert_file[0] == '\0' ? NULL : c->cert_file,
        .key_file = c->key_file[0] == '\0' ? NULL : c->key_file,
        .token_file = c->token_file[0] == '\0' ? NULL : c->token_file,
        .user_agent = "bowline-posix",
    };

    pump->server = c->server;
    pump->http = http_open(&http, err);
    return pump->http == NULL ? -1 : 0;
}

void pump_close(struct pump *pump)
{
    if (pump->http != NULL) {
        http_close(pump->http);
    }
    pump->http = NULL;
}

static void idle(void *ctx)
{
    struct pump *pump = ctx;

    pump->idle(pump->ctx);
}

static void nap(struct pump *pump, uint64_t until_ms)
{
    uint64_t now = platform_ms();

    pump->idle(pump->ctx);
    if (until_ms > now) {
        uint64_t left = until_ms - now;

        platform_sleep_ms(left < NAP_MS ? (uint32_t)left : NAP_MS);
    }
}

/* One try at one server; 0 when any HTTP answer came. */
static int post(struct pump *pump, const char *server, bl_span body,
                struct http_response *response)
{
    char url[URL];
    struct http_request request = {
        .method = "POST",
        .url = url,
        .content_type = "application/cbor",
        .accept = "application/cbor",
        .body = body,
        .on_idle = idle,
        .ctx = pump,
    };

    (void)snprintf(url, sizeof url, "%s/d/v1/poll", server);
    response->body.limit = ANSWER_LIMIT;
    return http_do(pump->http, &request, response, &pump->error);
}

/* An answer that is none: in words, for the device's log. */
static void tell_status(struct pump *pump, int status)
{
    if (status == 200) {
        return;
    }
    if (status == 401 || status == 403) {
        (void)error_set(&pump->error,
                        "%s does not accept this device (status %d): was it "
                        "removed there, or given another token?",
                        pump->server, status);
    } else {
        (void)error_set(&pump->error, "%s answers with status %d",
                        pump->server, status);
    }
    pump->error.code = status;
}

/* The second server is asked when the first can't be reached; a device goes
 * back to the first by itself, because each poll begins there. */
static void poll_server(struct pump *pump, bl_span body)
{
    const struct device_config *c = pump->config;
    struct http_response response = {0};
    int failed;

    pump->server = c->server;
    failed = post(pump, pump->server, body, &response);
    if (failed != 0 && c->backup[0] != '\0') {
        buffer_free(&response.body);
        memset(&response, 0, sizeof response);
        pump->server = c->backup;
        failed = post(pump, pump->server, body, &response);
    }
    if (failed != 0) {
        bl_client_unreachable(pump->client, platform_ms());
    } else {
        tell_status(pump, response.status);
        bl_client_answer(pump->client, platform_ms(), response.status,
                         buffer_span(&response.body), response.retry_after_s);
    }
    buffer_free(&response.body);
}

static int body_begins(void *ctx, int status, uint64_t offset, uint64_t length)
{
    struct pump *pump = ctx;

    (void)length;
    pump->started = true;
    if (offset > UINT32_MAX) {
        return -1;
    }
    pump->offset = (uint32_t)offset;
    return bl_client_body(pump->client, status, (uint32_t)offset) == BL_OK
               ? 0
               : -1;
}

static int body_goes_on(void *ctx, const void *data, size_t n)
{
    struct pump *pump = ctx;

    pump->idle(pump->ctx);
    pump->fetched += n;
    return bl_client_data(pump->client, data, n) == BL_OK ? 0 : -1;
}

static void get(struct pump *pump, const struct bl_action *action)
{
    char url[URL];
    char etag[2 * 32 + 3] = "\"";
    struct http_response response = {0};
    struct http_request request = {
        .method = "GET",
        .url = url,
        .offset = action->offset,
        .if_range = action->offset > 0 ? etag : NULL,
        .on_start = body_begins,
        .on_data = body_goes_on,
        .on_idle = idle,
        .ctx = pump,
    };
    bool ok = false;

    hex_encode(action->etag, 32, etag + 1);
    etag[65] = '"';
    etag[66] = '\0';
    pump->started = false;
    pump->fetched = 0;
    (void)snprintf(pump->uri, sizeof pump->uri, "%.*s", (int)action->uri.n,
                   (const char *)action->uri.p);
    if (!bl_client_uri_below(action->uri)) {
        (void)error_set(&pump->error, "a payload address that is not below "
                                      "the server's own was refused");
        bl_client_done(pump->client, platform_ms(), false, 0);
        return;
    }
    (void)snprintf(url, sizeof url, "%s/d/v1/%.*s", pump->server,
                   (int)action->uri.n, (const char *)action->uri.p);
    if (http_do(pump->http, &request, &response, &pump->error) == 0) {
        ok = pump->started ||
             bl_client_body(pump->client, response.status, 0) == BL_OK;
    }
    if (!ok && !pump->started && response.status == 0) {
        bl_client_unreachable(pump->client, platform_ms());
    } else {
        bl_client_done(pump->client, platform_ms(), ok,
                       response.retry_after_s);
    }
    buffer_free(&response.body);
}

bl_todo pump_step(struct pump *pump)
{
    struct bl_action action;

    memset(&pump->error, 0, sizeof pump->error);
    bl_client_next(pump->client, platform_ms(), &action);
    switch (action.todo) {
    case BL_TODO_SLEEP:
        nap(pump, action.until_ms);
        break;
    case BL_TODO_POLL:
        poll_server(pump, action.body);
        break;
    case BL_TODO_GET:
        get(pump, &action);
        break;
    case BL_TODO_RESET:
        break;
    }
    return action.todo;
}
