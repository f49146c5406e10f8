/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 512, ANSWER = 64 * 1024 * 1024, PAGE = 1000 };

int fleet_api_open(struct fleet_api *api, const struct fleet_options *o,
                   struct error *err)
{
    const struct http_config config = {
        .ca_file = o->ca_file,
        .token_file = o->token_file,
        .user_agent = "bowline-sim",
    };

    api->options = o;
    api->http = http_open(&config, err);
    return api->http == NULL ? -1 : 0;
}

void fleet_api_close(struct fleet_api *api)
{
    http_close(api->http);
    api->http = NULL;
}

/* {"error": {"code", "message"}} */
static int complain(const struct http_response *response, const char *path,
                    struct error *err)
{
    json_t *body =
        json_loadb((const char *)response->body.p, response->body.n, 0, NULL);
    const char *message = json_string_value(
        json_object_get(json_object_get(body, "error"), "message"));

    (void)error_set(err, "%s: the server says %d%s%s", path, response->status,
                    message != NULL ? ": " : "",
                    message != NULL ? message : "");
    if (err != NULL) {
        err->code = response->status;
    }
    json_decref(body);
    return -1;
}

static int call(struct fleet_api *api, const char *method, const char *path,
                bl_span body, struct buffer *out, struct error *err)
{
    char url[PATH];
    struct http_response response = {.body = BUFFER(ANSWER)};
    const struct http_request request = {
        .method = method,
        .url = url,
        .content_type = body.n > 0 ? "application/json" : NULL,
        .body = body,
    };
    int n =
        snprintf(url, sizeof url, "%s/api/v1%s", api->options->server, path);
    int result = -1;

    if (n < 0 || (size_t)n >= sizeof url) {
        return error_set(err, "%s: the address is too long", path);
    }
    if (http_do(api->http, &request, &response, err) == 0) {
        result = response.status < 300 ? 0 : complain(&response, path, err);
    }
    if (result == 0) {
        *out = response.body;
    } else {
        buffer_free(&response.body);
    }
    return result;
}

static json_t *call_json(struct fleet_api *api, const char *method,
                         const char *path, bl_span body, struct error *err)
{
    struct buffer text = BUFFER(0);
    json_t *out = NULL;

    if (call(api, method, path, body, &text, err) == 0) {
        out = json_loadb((const char *)text.p, text.n, 0, NULL);
        if (out == NULL) {
            (void)error_set(err, "%s: the answer is no JSON", path);
        }
    }
    buffer_wipe(&text);
    return out;
}

json_t *fleet_api_get(struct fleet_api *api, const char *path,
                      struct error *err)
{
    return call_json(api, "GET", path, (bl_span){NULL, 0}, err);
}

json_t *fleet_api_post(struct fleet_api *api, const char *path,
                       const json_t *body, struct error *err)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_t *out;

    if (text == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    out = call_json(api, "POST", path, bl_span_of(text, strlen(text)), err);
    free(text);
    return out;
}

int fleet_api_fetch(struct fleet_api *api, const char *path,
                    struct buffer *out, struct error *err)
{
    return call(api, "GET", path, (bl_span){NULL, 0}, out, err);
}

/* The cursor as text, whatever its type; "" at the end. */
static void read_cursor(const json_t *page, char *out, size_t size)
{
    const json_t *next = json_object_get(page, "next");

    out[0] = '\0';
    if (json_is_integer(next)) {
        (void)snprintf(out, size, "%lld", (long long)json_integer_value(next));
    } else if (json_is_string(next)) {
        (void)snprintf(out, size, "%s", json_string_value(next));
    }
}

int fleet_api_list(struct fleet_api *api, const char *path,
                   int (*each)(void *ctx, const json_t *item,
                               struct error *err),
                   void *ctx, struct error *err)
{
    char cursor[128] = "";
    int result = 0;

    do {
        char full[PATH];
        json_t *page;
        const json_t *item;
        size_t i;

        (void)snprintf(full, sizeof full, "%.256s&limit=%d%s%s", path, PAGE,
                       cursor[0] != '\0' ? "&after=" : "", cursor);
        page = fleet_api_get(api, full, err);
        if (page == NULL) {
            return -1;
        }
        json_array_foreach(json_object_get(page, "items"), i, item)
        {
            result = result != 0 ? result : each(ctx, item, err);
        }
        read_cursor(page, cursor, sizeof cursor);
        json_decref(page);
    } while (result == 0 && cursor[0] != '\0');
    return result;
}
