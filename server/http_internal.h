/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of http.h share: a connection, that is the request on it.
 * http.c runs the daemon, http_connection.c knows who is connected and cuts
 * who is too slow, http_request.c takes a request in, http_reply.c sends,
 * http_stream.c sends what has no end, http_arrived.c counts what came of a
 * file.
 */
#ifndef SERVER_HTTP_INTERNAL_H
#define SERVER_HTTP_INTERNAL_H

#include "http.h"
#include "tls.h"

#include <microhttpd.h>
#include <pthread.h>

enum {
    BODY_KEPT = 8192, /* memory that stays with a connection */
    OUT_KEPT = 4096
};

enum phase {
    HEADER, /* waiting for a header, or between requests */
    BODY,
    HELD, /* the answer waits for the application */
    ANSWER,
    STREAM /* a live one */
};

/* One request at a time: HTTP/1.1 pipelining is answered in order. */
struct connection {
    struct http_request rq; /* first: the request is the connection */
    struct connection *next;
    struct connection *previous;
    struct MHD_Connection *mhd;
    int fd;
    /* Of http_reap, one caller: */
    int closed_seen;
    uint32_t watched; /* the answer that is watched */
    uint64_t watch_us;
    uint64_t watch_acked;
    _Atomic uint32_t answers; /* that were begun */
    _Atomic int phase;
    _Atomic uint64_t since_us; /* when the phase began */
    _Atomic uint64_t received;
    bool open;    /* begin was called, end not yet */
    bool refused; /* the reply is set; what comes of the body is dropped */
    bool held;
    bool resumed;
    bool name_known;
    char name[65];
    uint8_t *body;
    size_t capacity;
    /* The reply. */
    int status;
    const char *type;
    uint8_t *out;
    size_t out_n;
    size_t out_capacity;
    const uint8_t *fixed; /* instead of `out`, or NULL */
    const struct http_field *fields;
    int file;
    uint64_t file_offset;
    uint64_t file_n;
    uint64_t acked; /* bytes that the peer has acknowledged: before the file;
                       at its end: of the file */
    bool file_whole;
    bool close;
    http_pull *pull; /* NULL: no stream */
    void *pull_ctx;
    bool live;
    _Atomic int wake; /* of http_stream.c */
    _Atomic bool peer_gone;
    bool gathered; /* the TLS session waits for the reply's last byte */
    void *session; /* of TLS, or NULL */
    struct MHD_Response *kept; /* of `out`, for replies of one size and type */
    const uint8_t *kept_out;
    const char *kept_type;
    size_t kept_n;
    bool kept_bare;
    int n_headers;
    struct {
        const char *name;
        char value[160];
    } header[HTTP_HEADERS];
};

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    struct tls_tickets *tickets;
    int listener;
    int quiesced; /* the same, once it takes no more connections */
    uint16_t port;
    _Atomic bool draining;
    pthread_mutex_t lock; /* of the list */
    struct connection *first;
};

/* http_arrived.c: around each file that is sent. */
void http_file_begins(struct connection *c);
void http_file_ended(struct connection *c, bool whole);

static inline struct connection *of(const struct http_request *rq)
{
    union {
        const struct http_request *in;
        struct connection *out;
    } p = {rq};

    return p.out;
}

/* Who sees the phase sees since when. */
static inline void enter(struct connection *c, enum phase phase,
                         uint64_t now_us)
{
    atomic_store_explicit(&c->since_us, now_us, memory_order_relaxed);
    atomic_store_explicit(&c->phase, phase, memory_order_release);
}

/* Its time is taken by http_reap, which alone needs it. */
static inline void enter_answer(struct connection *c)
{
    bool live = c->pull != NULL && c->live;

    atomic_fetch_add_explicit(&c->answers, 1, memory_order_relaxed);
    atomic_store_explicit(&c->phase, live ? STREAM : ANSWER,
                          memory_order_release);
}

/* Room for n bytes in *p. */
int http_keep(uint8_t **p, size_t *capacity, size_t n);
void http_drop_file(struct connection *c);
void http_drop_kept(struct connection *c);
/* A reply of one line. */
void http_refuse(struct connection *c, int status, const char *text);
enum MHD_Result http_send_reply(struct connection *c);
/* The reply is sent, or will not be: what was gathered goes out. */
void http_let_go(struct connection *c, bool whole);

/* What the library calls. */
void http_on_connection(void *ctx, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code);
enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *mhd,
                                const char *url, const char *method,
                                const char *version, const char *data,
                                size_t *n, void **state);
void http_on_completed(void *ctx, struct MHD_Connection *mhd, void **state,
                       enum MHD_RequestTerminationCode code);
/* Is any request open? Live streams count only when asked for. */
bool http_busy(struct http *h, bool streams);

/* http_stream.c */
struct MHD_Response *http_stream_response(struct connection *c);
void http_stream_wake_connection(struct connection *c);
void http_stream_check(struct connection *c);
void http_stream_end_all(struct http *h);

#endif
