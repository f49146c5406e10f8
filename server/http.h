/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: everything of libmicrohttpd is behind this file, so that it can be
 * exchanged. It parses, limits, times out and refuses what is ambiguous
 * before the application sees it:
 *
 *   - Transfer-Encoding, in any form (411, or 400 beside Content-Length)
 *   - several Content-Length or Host fields, a Content-Length that is no
 * number
 *   - header names with other characters than RFC 9110 allows, folded lines
 *   - a header larger than HTTP_HEADER_MAX, a body larger than allowed (413)
 *   - connections that take longer for a request than request_timeout, or
 *     that send or take nothing for so long
 *
 * For one request the application's functions are called in this order, on
 * one of the HTTP threads: begin, data..., finish, end. After begin or finish
 * has set a reply it is sent. finish may hold instead: then http_release sends
 * the reply, from any thread.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "auth.h"
#include "host/buffer.h"
#include "metrics.h"

enum { HTTP_HEADER_MAX = 8192, HTTP_PARAMS = 2, HTTP_HEADERS = 6 };

struct http;
struct route;

struct http_request {
    /* Set before begin. */
    const char *method;
    const char *path;        /* percent-decoded */
    uint64_t content_length; /* 0 when there is no body */
    uint64_t began_us;
    struct http *http;
    /* The application's: zero before begin. */
    const struct route *route;
    char param[HTTP_PARAMS][128];
    char actor[64];        /* name of the operator */
    struct caller caller;  /* who that is */
    uint8_t device_id[16]; /* of the device that asks */
    void *upload;
    uint64_t batch;
    bool counted;     /* holds a download slot */
    uint64_t rollout; /* that the bytes of a file are counted for; 0: none */
    uint64_t sends;   /* bytes of a file, as they were asked for */
    uint64_t from;    /* first byte of it that was asked for */
    uint32_t product; /* that an unmanaged client downloads of; 0: none does */
    void *stream_ctx; /* of a reply that goes on */
    bool bare;        /* no page sees a good answer: without the headers that
                         guard a browser */
    /* Set by begin: the largest body that is kept in memory, or stream. */
    size_t body_max;
    bool stream;
    /* Whole at finish, when not streamed. */
    bl_span body;
};

struct http_app {
    void *ctx;
    /* The header is there. A reply that is set ends it. */
    void (*begin)(void *ctx, struct http_request *rq);
    /* A piece of a streamed body. */
    void (*data)(void *ctx, struct http_request *rq, bl_span piece);
    void (*finish)(void *ctx, struct http_request *rq);
    /* Always called once after begin, also when the connection broke. */
    void (*end)(void *ctx, struct http_request *rq);
};

struct http_config {
    const char *listen; /* "127.0.0.1:8443", "[::1]:0" */
    bool tls;
    bool tls12;              /* 1.2, too: http_tls_old tells */
    const char *certificate; /* PEM texts */
    const char *key;
    const char *client_ca; /* NULL: no client certificates */
    uint32_t threads;
    uint32_t max_connections;
    uint32_t per_address; /* 0: no limit */
    uint32_t timeout_s;
    struct metrics *metrics;
    struct http_app app;
};

struct http *http_start(const struct http_config *config, struct error *err);
/* The port that it listens on. */
uint16_t http_port(const struct http *http);
/* Takes no new connections, lets open requests end for at most `seconds`. */
void http_drain(struct http *http, uint32_t seconds);
void http_stop(struct http *http);
/* Cuts connections that are too slow. Call it each second. */
void http_reap(struct http *http);

/* NULL when absent. `name` in any case. */
const char *http_header(const struct http_request *rq, const char *name);
const char *http_query(const struct http_request *rq, const char *name);
/* The common name of the verified client certificate, or NULL. */
const char *http_client_name(struct http_request *rq);
/* Was it asked over TLS 1.2? */
bool http_tls_old(const struct http_request *rq);
/* The peer's address as text, for logs. */
void http_peer(const struct http_request *rq, char out[64]);

/* Overwrites the body, which held a secret. */
void http_wipe_body(struct http_request *rq);

/* A reply; the last one set counts. Bodies are copied, except a file: its
 * descriptor is taken over. */
void http_reply(struct http_request *rq, int status, const char *type,
                bl_span body);
void http_reply_file(struct http_request *rq, int status, const char *type,
                     int fd, uint64_t offset, uint64_t n);
/* In end, after a reply of a file: how many of its bytes have not come to the
 * peer, to about a KB; 0 when all were handed to the kernel. */
uint64_t http_missing(const struct http_request *rq);
/* Adds a field to the reply; `value` is copied. After http_reply. */
void http_reply_header(struct http_request *rq, const char *name,
                       const char *value);
/*
 * A reply in pieces: `pull` is called on an HTTP thread whenever the peer has
 * taken the last one, and writes up to `room` bytes, at least one; or returns
 * one of these. After HTTP_STREAM_WAIT it is called again when somebody has
 * called http_stream_wake, from any thread, between pull's first call and the
 * application's `end`; a wake in between is never lost.
 * A live stream lasts until its peer goes: no time limit holds, no bytes need
 * to flow, a peer that is gone is noticed, and http_drain ends it at once.
 * Another is an answer like any: cut when it is taken too slowly.
 */
enum {
    HTTP_STREAM_WAIT = 0,
    HTTP_STREAM_END = -1,
    HTTP_STREAM_BREAK = -2 /* the peer sees that it is not whole */
};

typedef int http_pull(void *ctx, struct http_request *rq, uint8_t *out,
                      size_t room);
void http_reply_stream(struct http_request *rq, int status, const char *type,
                       http_pull *pull, void *ctx, bool live);
void http_stream_wake(struct http_request *rq);

/* A reply of bytes and fields that live as long as the program: nothing is
 * copied. The last field has no name. */
struct http_field {
    const char *name;
    const char *value;
};

void http_reply_fixed(struct http_request *rq, int status, const char *type,
                      bl_span body, const struct http_field *fields);
bool http_replied(const struct http_request *rq);
int http_reply_status(const struct http_request *rq);

/* In finish only: the reply that is set, or will be, is sent by http_release.
 */
void http_hold(struct http_request *rq);
void http_release(struct http_request *rq);

#endif
