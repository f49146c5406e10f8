/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blocking HTTP client over libcurl: TLS 1.3 only for https, no redirects
 * unless asked, no proxy from the environment, a stall (under 100 bytes/s for
 * 60 s) ends a transfer. One struct http per thread; it keeps connections
 * open between requests. Tokens go into headers, never into URLs or logs.
 */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include "host/buffer.h"

struct http_config {
    const char *ca_file;   /* NULL: the system's */
    const char *cert_file; /* client certificate, PEM; NULL: none */
    const char *key_file;
    const char *token_file; /* its first line is the bearer token; NULL */
    long connect_timeout_s; /* 0: 10 */
    const char *user_agent; /* NULL: "bowline" */
};

struct http_request {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char *url;
    const char *content_type; /* NULL: none */
    const char *accept;       /* NULL: none */
    bl_span body;
    /* A body from a file instead; its size is known beforehand. */
    const char *body_file;
    uint64_t offset;      /* > 0: Range: bytes=offset- */
    const char *if_range; /* NULL: none; with quotes */
    /* Called once, before the first byte of a body; return -1 to stop.
     * `offset` is where a 206 starts, 0 for a 200. NULL: not called. */
    int (*on_start)(void *ctx, int status, uint64_t offset, uint64_t length);
    /* Body bytes; return -1 to stop. NULL: collected in `response->body`. */
    int (*on_data)(void *ctx, const void *data, size_t n);
    /* Upload or download progress; may be NULL. */
    void (*on_progress)(void *ctx, uint64_t done, uint64_t total);
    /* About once a second, also while nothing moves; may be NULL. */
    void (*on_idle)(void *ctx);
    void *ctx;
};

struct http_response {
    int status;
    uint32_t retry_after_s;
    struct buffer body; /* limit: set by the caller, 1 MiB when 0 */
    char content_type[64];
};

struct http;

struct http *http_open(const struct http_config *config, struct error *err);
void http_close(struct http *http);
/* 0 when an HTTP answer was received, of whatever status. -1 on transport
 * errors, or when a callback stopped it. The caller frees response->body. */
int http_do(struct http *http, const struct http_request *request,
            struct http_response *response, struct error *err);

#endif
