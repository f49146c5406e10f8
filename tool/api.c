/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/http.h"
#include "host/progress.h"

enum {
    ANSWER_LIMIT = 16 << 20,
    TRIES = 4,       /* of a server that asks to wait */
    WAIT_MAX_S = 10, /* at once */
    PAGE = 500,
    ERROR_CODE = 32
};

struct api {
    struct call *c;
    struct http *http;
    const char *base; /* "https://host:port" */
    const char *token_file;
    int status;             /* of the last answer */
    char error[ERROR_CODE]; /* its code, when it was an error */
};

/* "localhost", "localhost:80", "127.0.0.1/": this machine, and no other. */
static bool is_loopback(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);

        if (strncmp(host, names[i], n) == 0 &&
            (host[n] == '\0' || host[n] == ':' || host[n] == '/')) {
            return true;
        }
    }
    return false;
}

static int check_url(struct call *c, const char *url)
{
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        return refuse(c, EXIT_INPUT,
                      "server \"%s\": an address begins with "
                      "https://",
                      url);
    }
    if (strchr(url, '@') != NULL || strchr(url, '?') != NULL ||
        strchr(url, '#') != NULL) {
        return refuse(c, EXIT_INPUT,
                      "server: an address without user, query "
                      "and fragment, please; the token is in a file");
    }
    if (strncmp(url, "http://", 7) == 0 && !is_loopback(url + 7)) {
        return refuse(c, EXIT_INPUT,
                      "server \"%s\": without TLS your token "
                      "would be there for all to read; say https://",
                      url);
    }
    return 0;
}

struct api *api_open(struct call *c, int *code)
{
    const char *url = setting_needed(c, "server");
    struct http_config config = {0};
    struct api *api;
    size_t n;

    *code = EXIT_INPUT;
    if (url == NULL || check_url(c, url) != 0) {
        return NULL;
    }
    api = calloc(1, sizeof *api);
    if (api == NULL) {
        *code = refuse(c, EXIT_LOCAL, "out of memory");
        return NULL;
    }
    n = strlen(url);
    while (n > 0 && url[n - 1] == '/') {
        n--;
    }
    api->c = c;
    api->base = keep(c, "%.*s", (int)n, url);
    config.ca_file = setting(c, "ca_file");
    config.token_file = setting(c, "token_file");
    config.user_agent = "bowline/" BOWLINE_VERSION;
    api->token_file = config.token_file;
    api->http = http_open(&config, &c->err);
    if (api->http == NULL) {
        free(api);
        return NULL;
    }
    *code = 0;
    return api;
}

void api_close(struct api *api)
{
    if (api != NULL) {
        http_close(api->http);
        free(api);
    }
}

/* {"error": {"code", "message"}}, or whatever text came instead. */
static int refused(struct api *api, const struct http_response *response)
{
    struct call *c = api->c;
    json_t *answer =
        json_loadb((const char *)response->body.p, response->body.n, 0, NULL);
    const json_t *error = json_object_get(answer, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *hint = response->status == 401 ? api->token_file == NULL
                                                     ? "; say --token-file"
                                                     : "; see the "
                                                       "token file"
                                               : "";

    if (message == NULL) {
        message = response->body.n == 0
                      ? "no explanation"
                      : keep_text(c, bl_span_of(response->body.p,
                                                response->body.n > 200
                                                    ? 200
                                                    : response->body.n));
    }
    (void)refuse(c, EXIT_SERVER, "the server refused: %s (%s%s%d)%s", message,
                 code == NULL ? "" : code, code == NULL ? "" : ", ",
                 response->status, hint);
    c->err.code = response->status;
    (void)snprintf(api->error, sizeof api->error, "%s",
                   code == NULL ? "" : code);
    json_decref(answer);
    return EXIT_SERVER;
}

static void wait_s(uint32_t seconds)
{
    struct timespec t = {(time_t)(seconds > WAIT_MAX_S ? WAIT_MAX_S : seconds),
                         0};

    if (seconds == 0) {
        t.tv_sec = 1;
    }
    (void)nanosleep(&t, NULL);
}

/* Sends; waits and repeats when the server says so. */
static int exchange(struct api *api, const struct http_request *request,
                    struct http_response *response)
{
    struct call *c = api->c;
    int i;

    for (i = 1;; i++) {
        memset(response, 0, sizeof *response);
        response->body.limit = ANSWER_LIMIT;
        if (http_do(api->http, request, response, &c->err) != 0) {
            buffer_free(&response->body);
            return EXIT_UNREACHABLE;
        }
        if ((response->status != 429 && response->status != 503) ||
            i == TRIES) {
            return 0;
        }
        note(c, "The server is busy; once more in %u s.",
             response->retry_after_s == 0 ? 1 : response->retry_after_s);
        wait_s(response->retry_after_s);
        buffer_free(&response->body);
    }
}

static int take_answer(struct api *api, struct http_response *response,
                       json_t **answer)
{
    int code = 0;

    api->status = response->status;
    api->error[0] = '\0';
    if (response->status < 200 || response->status > 299) {
        code = refused(api, response);
    } else if (answer != NULL) {
        json_error_t error;

        *answer = json_loadb((const char *)response->body.p, response->body.n,
                             0, &error);
        if (*answer == NULL) {
            code = refuse(api->c, EXIT_SERVER,
                          "%s answers with what is no "
                          "JSON; is it a Bowline server?",
                          api->base);
        }
    }
    buffer_free(&response->body);
    return code;
}

static const char *address(struct api *api, const char *path)
{
    return keep(api->c, "%s/api/v1%s", api->base, path);
}

int api_call(struct api *api, const char *method, const char *path,
             const json_t *body, json_t **answer)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct http_request request = {0};
    struct http_response response;
    int code;

    request.method = method;
    request.url = address(api, path);
    request.accept = "application/json";
    if (text != NULL) {
        request.content_type = "application/json";
        request.body = bl_span_of(text, strlen(text));
    }
    code = exchange(api, &request, &response);
    free(text);
    return code != 0 ? code : take_answer(api, &response, answer);
}

int api_send(struct api *api, const char *method, const char *path,
             bl_span body, json_t **answer)
{
    struct http_request request = {0};
    struct http_response response;
    int code;

    request.method = method;
    request.url = address(api, path);
    request.accept = "application/json";
    request.content_type = "application/octet-stream";
    request.body = body;
    code = exchange(api, &request, &response);
    return code != 0 ? code : take_answer(api, &response, answer);
}

int api_status(const struct api *api)
{
    return api->status;
}

bool api_error_is(const struct api *api, const char *code)
{
    return strcmp(api->error, code) == 0;
}

static void moved(void *ctx, uint64_t done, uint64_t total)
{
    progress_update(ctx, done, total);
}

int api_upload(struct api *api, const char *path, const char *file,
               const char *what, json_t **answer)
{
    struct call *c = api->c;
    struct http_request request = {0};
    struct http_response response;
    struct progress bar;
    int code;

    request.method = "PUT";
    request.url = address(api, path);
    request.content_type = "application/octet-stream";
    request.body_file = file;
    request.on_progress = moved;
    request.ctx = &bar;
    progress_begin(&bar, what, true, c->quiet || c->json);
    code = exchange(api, &request, &response);
    progress_end(&bar, NULL);
    return code != 0 ? code : take_answer(api, &response, answer);
}

struct download {
    FILE *out;
    int status;
    struct buffer error; /* what comes instead, when it is refused */
};

static int download_start(void *ctx, int status, uint64_t offset,
                          uint64_t length)
{
    (void)offset;
    (void)length;
    ((struct download *)ctx)->status = status;
    return 0;
}

static int download_data(void *ctx, const void *data, size_t n)
{
    struct download *d = ctx;

    if (d->status < 200 || d->status > 299) {
        return buffer_append(&d->error, data, n, NULL);
    }
    return fwrite(data, 1, n, d->out) == n ? 0 : -1;
}

int api_download(struct api *api, const char *path, FILE *out)
{
    struct call *c = api->c;
    struct download d = {.out = out, .error = BUFFER(1 << 16)};
    struct http_request request = {.method = "GET",
                                   .url = address(api, path),
                                   .on_start = download_start,
                                   .on_data = download_data,
                                   .ctx = &d};
    struct http_response response;
    int code = exchange(api, &request, &response);

    if (code == 0 && (response.status < 200 || response.status > 299)) {
        buffer_free(&response.body);
        response.body = d.error;
        return take_answer(api, &response, NULL);
    }
    if (code != 0 && ferror(out) != 0) {
        code = refuse(c, EXIT_LOCAL, "the file could not be written");
    }
    if (code == 0) {
        buffer_free(&response.body);
    }
    buffer_free(&d.error);
    return code;
}

const char *api_base(const struct api *api)
{
    return api->base;
}

int api_has(struct api *api, const char *path, int *code)
{
    struct http_request request = {0};
    struct http_response response;
    int status;

    request.method = "HEAD";
    request.url = address(api, path);
    *code = exchange(api, &request, &response);
    if (*code != 0) {
        return -1;
    }
    status = response.status;
    if (status == 404 || (status >= 200 && status <= 299)) {
        buffer_free(&response.body);
        return status != 404;
    }
    *code = take_answer(api, &response, NULL);
    return -1;
}

static const char *next_of(struct call *c, const json_t *page)
{
    const json_t *next = json_object_get(page, "next");

    if (json_is_string(next)) {
        return keep(c, "%s", json_string_value(next));
    }
    return json_is_integer(next)
               ? keep(c, "%lld", (long long)json_integer_value(next))
               : NULL;
}

int api_list(struct api *api, const char *path, uint64_t limit, json_t **items)
{
    struct call *c = api->c;
    const char *after = NULL;
    char divider = strchr(path, '?') == NULL ? '?' : '&';

    *items = json_array();
    do {
        uint64_t left = limit == 0 ? PAGE : limit - json_array_size(*items);
        const char *url = keep(c, "%s%climit=%llu%s%s", path, divider,
                               (unsigned long long)(left > PAGE ? PAGE : left),
                               after == NULL ? "" : "&after=",
                               after == NULL ? "" : url_part(c, after));
        json_t *page = NULL;
        int code = api_call(api, "GET", url, NULL, &page);

        if (code == 0 && !json_is_array(json_object_get(page, "items"))) {
            code = refuse(c, EXIT_SERVER, "%s: the server's list has no items",
                          path);
        }
        if (code != 0) {
            json_decref(page);
            json_decref(*items);
            *items = NULL;
            return code;
        }
        (void)json_array_extend(*items, json_object_get(page, "items"));
        after = json_array_size(json_object_get(page, "items")) == 0
                    ? NULL
                    : next_of(c, page);
        json_decref(page);
    } while (after != NULL && (limit == 0 || json_array_size(*items) < limit));
    return 0;
}

const char *url_part(struct call *c, const char *text)
{
    char *out = keep(c, "%*s", (int)(3 * strlen(text)), "");
    size_t n = 0;

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (isalnum(byte) || strchr("-._~", byte) != NULL) {
            out[n++] = (char)byte;
        } else {
            static const char digit[] = "0123456789ABCDEF";

            out[n++] = '%';
            out[n++] = digit[byte >> 4];
            out[n++] = digit[byte & 15];
        }
    }
    out[n] = '\0';
    return out;
}
