/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "host/http.h"

#include "host/file.h"
#include "http_header.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BODY_LIMIT = 1024 * 1024, TOKEN_MAX = 4096 };

struct http {
    CURL *curl;
    char *ca_file;
    char *cert_file;
    char *key_file;
    char *user_agent;
    struct buffer authorization; /* the whole header line; secret */
    long connect_timeout_s;
    char error[CURL_ERROR_SIZE];
};

/* One request on its way. */
struct transfer {
    struct http *http;
    const struct http_request *request;
    struct http_response *response;
    struct error *err;
    FILE *file;
    uint64_t file_size;
    uint64_t first; /* of Content-Range */
    uint64_t last;
    bool ranged;
    bool started;
    bool stopped; /* err is set already */
};

/* --- Opening ------------------------------------------------------------- */

static int read_token(struct http *http, const char *path, struct error *err)
{
    struct buffer text = BUFFER(TOKEN_MAX);
    size_t n = 0;
    int result = -1;

    if (file_read(path, &text, err) != 0) {
        goto out;
    }
    while (n < text.n && text.p[n] > ' ' && text.p[n] < 0x7f) {
        n++;
    }
    if (n == 0 || (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')) {
        (void)error_set(err, "%s: its first line is not a token", path);
        goto out;
    }
    text.p[n] = 0;
    result = buffer_printf(&http->authorization, err,
                           "Authorization: Bearer %s", (char *)text.p);
out:
    buffer_wipe(&text);
    return result;
}

static int copy_text(char **to, const char *from, struct error *err)
{
    if (from == NULL) {
        return 0;
    }
    *to = strdup(from);
    return *to == NULL ? error_set(err, "out of memory") : 0;
}

static int fill(struct http *http, const struct http_config *config,
                struct error *err)
{
    const char *agent =
        config->user_agent != NULL ? config->user_agent : "bowline";

    http->connect_timeout_s =
        config->connect_timeout_s > 0 ? config->connect_timeout_s : 10;
    if (copy_text(&http->ca_file, config->ca_file, err) != 0 ||
        copy_text(&http->cert_file, config->cert_file, err) != 0 ||
        copy_text(&http->key_file, config->key_file, err) != 0 ||
        copy_text(&http->user_agent, agent, err) != 0) {
        return -1;
    }
    return config->token_file == NULL
               ? 0
               : read_token(http, config->token_file, err);
}

struct http *http_open(const struct http_config *config, struct error *err)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    http->authorization.limit = TOKEN_MAX + 64;
    /* Counted by libcurl, and safe in threads since 7.84. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(http);
        (void)error_set(err, "libcurl could not be started");
        return NULL;
    }
    http->curl = curl_easy_init();
    if (http->curl == NULL) {
        (void)error_set(err, "libcurl could not be started");
        http_close(http);
        return NULL;
    }
    if (fill(http, config, err) != 0) {
        http_close(http);
        return NULL;
    }
    return http;
}

void http_close(struct http *http)
{
    if (http == NULL) {
        return;
    }
    curl_easy_cleanup(http->curl);
    free(http->ca_file);
    free(http->cert_file);
    free(http->key_file);
    free(http->user_agent);
    buffer_wipe(&http->authorization);
    free(http);
    curl_global_cleanup();
}

/* --- What comes in ------------------------------------------------------- */

static int stop(struct transfer *t, const char *why)
{
    if (!t->stopped) {
        t->stopped = true;
        (void)error_set(t->err, "%s", why);
    }
    return -1;
}

/* A part must be the part that was asked for: anything else would put bytes
 * in the wrong place of an image. */
static int check_part(struct transfer *t, long status)
{
    if (status != 206) {
        t->first = 0;
        return 0;
    }
    if (!t->ranged) {
        return stop(t, "a partial answer (206) without a Content-Range");
    }
    if (t->first != t->request->offset) {
        return stop(t, "a partial answer (206) that starts elsewhere");
    }
    return 0;
}

static int headers_end(struct transfer *t)
{
    curl_off_t length = 0;
    long status = 0;

    (void)curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || t->started) {
        return 0; /* an interim answer, or trailers */
    }
    t->started = true;
    t->response->status = (int)status;
    if (check_part(t, status) != 0) {
        return -1;
    }
    (void)curl_easy_getinfo(t->http->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                            &length);
    if (t->request->on_start != NULL &&
        t->request->on_start(t->request->ctx, (int)status, t->first,
                             length > 0 ? (uint64_t)length : 0) != 0) {
        return stop(t, "stopped by the receiver");
    }
    return 0;
}

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    char value[128];

    n *= one;
    if (n <= 2 && headers_end(t) != 0) {
        return n + 1; /* any other number ends the transfer */
    }
    if (t->started) {
        return n;
    }
    (void)http_header_value(line, n, "content-type", t->response->content_type,
                            sizeof t->response->content_type);
    if (http_header_value(line, n, "retry-after", value, sizeof value)) {
        t->response->retry_after_s = http_retry_after(value, time(NULL));
    }
    if (http_header_value(line, n, "content-range", value, sizeof value)) {
        t->ranged = http_content_range(value, &t->first, &t->last);
    }
    return n;
}

static size_t on_body(char *data, size_t one, size_t n, void *ctx)
{
    struct transfer *t = ctx;

    n *= one;
    if (t->request->on_data != NULL) {
        if (t->request->on_data(t->request->ctx, data, n) != 0) {
            (void)stop(t, "stopped by the receiver");
            return n + 1;
        }
        return n;
    }
    if (buffer_append(&t->response->body, data, n, t->err) != 0) {
        t->stopped = true;
        (void)error_prefix(t->err, "the answer is too large");
        return n + 1;
    }
    return n;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    struct transfer *t = ctx;
    uint64_t first = t->started ? t->first : 0;

    if (t->request->on_idle != NULL) {
        t->request->on_idle(t->request->ctx);
    }
    if (t->request->on_progress == NULL) {
        return 0;
    }
    if (t->file != NULL && up_total > 0 && !t->started) {
        t->request->on_progress(t->request->ctx, (uint64_t)up,
                                (uint64_t)up_total);
    } else if (t->file == NULL && down_total > 0) {
        t->request->on_progress(t->request->ctx, first + (uint64_t)down,
                                first + (uint64_t)down_total);
    }
    return 0;
}

/* --- What goes out ------------------------------------------------------- */

static size_t on_read(char *to, size_t one, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t got = fread(to, 1, one * n, t->file);

    if (got == 0 && ferror(t->file)) {
        (void)error_errno(t->err, "%s: cannot read", t->request->body_file);
        t->stopped = true;
        return CURL_READFUNC_ABORT;
    }
    return got;
}

/* A connection that died while idle makes libcurl send the body anew. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct transfer *t = ctx;

    return fseeko(t->file, (off_t)offset, origin) == 0 ? CURL_SEEKFUNC_OK
                                                       : CURL_SEEKFUNC_FAIL;
}

static int open_body(struct transfer *t)
{
    const char *path = t->request->body_file;
    struct stat st;

    if (path == NULL) {
        return 0;
    }
    t->file = fopen(path, "rbe");
    if (t->file == NULL || fstat(fileno(t->file), &st) != 0) {
        return error_errno(t->err, "%s: cannot open", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return error_set(t->err, "%s: not a file", path);
    }
    t->file_size = (uint64_t)st.st_size;
    return 0;
}

static int add_header(struct curl_slist **list, const char *name,
                      const char *value, struct error *err)
{
    struct buffer line = BUFFER(TOKEN_MAX + 64);
    struct curl_slist *longer = NULL;

    if (value == NULL) {
        return 0;
    }
    if (strpbrk(value, "\r\n") != NULL) {
        return error_set(err, "%s: a line break in a header", name);
    }
    if (buffer_printf(&line, err, "%s: %s", name, value) == 0) {
        longer = curl_slist_append(*list, (char *)line.p);
        if (longer == NULL) {
            (void)error_set(err, "out of memory");
        } else {
            *list = longer;
        }
    }
    buffer_free(&line);
    return longer == NULL ? -1 : 0;
}

static int make_headers(const struct transfer *t, struct curl_slist **list)
{
    const struct http_request *request = t->request;
    const struct buffer *token = &t->http->authorization;
    struct curl_slist *longer;

    /* An empty value takes a header of libcurl's own away. */
    longer = curl_slist_append(NULL, "Expect:");
    if (longer == NULL) {
        return error_set(t->err, "out of memory");
    }
    *list = longer;
    if (token->n > 0) {
        longer = curl_slist_append(*list, (char *)token->p);
        if (longer == NULL) {
            return error_set(t->err, "out of memory");
        }
        *list = longer;
    }
    if (request->content_type == NULL) {
        longer = curl_slist_append(*list, "Content-Type:");
        if (longer == NULL) {
            return error_set(t->err, "out of memory");
        }
        *list = longer;
    }
    if (add_header(list, "Content-Type", request->content_type, t->err) ||
        add_header(list, "Accept", request->accept, t->err) ||
        add_header(list, "If-Range", request->if_range, t->err)) {
        return -1;
    }
    return 0;
}

static void set_security(const struct http *http)
{
    CURL *curl = http->curl;

    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (http->ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (http->cert_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, http->cert_file);
        curl_easy_setopt(curl, CURLOPT_SSLKEY,
                         http->key_file != NULL ? http->key_file
                                                : http->cert_file);
    }
}

static void set_patience(struct http *http)
{
    CURL *curl = http->curl;

    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, http->connect_timeout_s);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, http->user_agent);
    http->error[0] = 0;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
}

static void set_callbacks(struct transfer *t)
{
    CURL *curl = t->http->curl;

    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(
        curl, CURLOPT_NOPROGRESS,
        t->request->on_progress == NULL && t->request->on_idle == NULL ? 1L
                                                                       : 0L);
}

static void set_request(struct transfer *t)
{
    const struct http_request *request = t->request;
    CURL *curl = t->http->curl;
    bool get = strcmp(request->method, "GET") == 0;
    char range[32];

    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    if (t->file != NULL) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, t);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, t);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)t->file_size);
    } else if (request->body.n > 0 || strcmp(request->method, "POST") == 0 ||
               strcmp(request->method, "PUT") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.n > 0 ? (const char *)request->body.p
                                             : "");
    }
    if (strcmp(request->method, "HEAD") == 0) {
        /* No body follows, whatever Content-Length says. */
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (!get) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
    if (request->offset > 0) {
        (void)snprintf(range, sizeof range, "%llu-",
                       (unsigned long long)request->offset);
        curl_easy_setopt(curl, CURLOPT_RANGE, range);
    }
}

/* --- One request --------------------------------------------------------- */

/* What a person may see of a URL: neither user and password nor the query,
 * which carries the signature of a signed URL. */
static void shown_url(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "://");
    size_t scheme = host == NULL ? 0 : (size_t)(host - url) + 3;
    size_t path = scheme + strcspn(url + scheme, "/?#");
    size_t i;
    size_t from = scheme;

    for (i = scheme; i < path; i++) {
        from = url[i] == '@' ? i + 1 : from;
    }
    (void)snprintf(out, size, "%.*s%.*s", (int)scheme, url,
                   (int)strcspn(url + from, "?#"), url + from);
}

static int explain(struct transfer *t, CURLcode code)
{
    struct error *err = t->err;
    const char *text =
        t->http->error[0] != 0 ? t->http->error : curl_easy_strerror(code);
    char url[256];

    if (!t->stopped) {
        (void)error_set(err, "%s%s", text,
                        code == CURLE_PEER_FAILED_VERIFICATION
                            ? "; is the right CA file set?"
                            : "");
        if (err != NULL) {
            err->status = BL_TRANSPORT;
        }
    }
    shown_url(t->request->url, url, sizeof url);
    return error_prefix(err, "%s %s", t->request->method, url);
}

static int perform(struct transfer *t)
{
    struct curl_slist *headers = NULL;
    CURL *curl = t->http->curl;
    CURLcode code;
    long status = 0;

    if (make_headers(t, &headers) != 0) {
        curl_slist_free_all(headers);
        return -1;
    }
    curl_easy_reset(curl); /* keeps the connections */
    set_security(t->http);
    set_patience(t->http);
    set_callbacks(t);
    set_request(t);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return explain(t, code);
    }
    t->response->status = (int)status;
    return 0;
}

int http_do(struct http *http, const struct http_request *request,
            struct http_response *response, struct error *err)
{
    struct transfer t;
    int result;

    memset(&t, 0, sizeof t);
    t.http = http;
    t.request = request;
    t.response = response;
    t.err = err;
    response->status = 0;
    response->retry_after_s = 0;
    response->content_type[0] = 0;
    if (response->body.limit == 0) {
        response->body.limit = BODY_LIMIT;
    }
    buffer_clear(&response->body);
    result = open_body(&t);
    if (result == 0) {
        result = perform(&t);
    }
    if (t.file != NULL) {
        (void)fclose(t.file);
    }
    return result;
}
