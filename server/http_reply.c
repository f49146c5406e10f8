/* SPDX-License-Identifier: Apache-2.0 */
/* The reply: set by the application, sent by the library. */
#include "http_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int http_keep(uint8_t **p, size_t *capacity, size_t n)
{
    uint8_t *bigger;

    if (n <= *capacity) {
        return 0;
    }
    bigger = realloc(*p, n);
    if (bigger == NULL) {
        return -1;
    }
    *p = bigger;
    *capacity = n;
    return 0;
}

void http_drop_file(struct connection *c)
{
    if (c->file >= 0) {
        close(c->file);
        c->file = -1;
    }
}

void http_drop_kept(struct connection *c)
{
    if (c->kept != NULL) {
        MHD_destroy_response(c->kept);
        c->kept = NULL;
    }
}

void http_reply(struct http_request *rq, int status, const char *type,
                bl_span body)
{
    struct connection *c = of(rq);
    size_t room = body.n < OUT_KEPT ? OUT_KEPT : body.n;

    http_drop_file(c);
    c->n_headers = 0;
    c->pull = NULL;
    c->fixed = NULL;
    c->fields = NULL;
    c->status = status;
    c->type = type;
    c->out_n = body.n;
    if (http_keep(&c->out, &c->out_capacity, room) != 0) {
        c->status = 503;
        c->type = "text/plain";
        c->out_n = 0;
    } else if (body.n > 0) {
        memcpy(c->out, body.p, body.n);
    }
}

void http_reply_file(struct http_request *rq, int status, const char *type,
                     int fd, uint64_t offset, uint64_t n)
{
    struct connection *c = of(rq);

    http_reply(rq, status, type, bl_span_of(NULL, 0));
    c->file = fd;
    c->file_offset = offset;
    c->file_n = n;
}

void http_reply_fixed(struct http_request *rq, int status, const char *type,
                      bl_span body, const struct http_field *fields)
{
    struct connection *c = of(rq);

    http_reply(rq, status, type, bl_span_of(NULL, 0));
    c->out_n = body.n;
    c->fixed = body.p;
    c->fields = fields;
}

void http_reply_header(struct http_request *rq, const char *name,
                       const char *value)
{
    struct connection *c = of(rq);

    if (c->n_headers < HTTP_HEADERS) {
        c->header[c->n_headers].name = name;
        snprintf(c->header[c->n_headers].value, sizeof c->header[0].value,
                 "%s", value);
        c->n_headers++;
    }
}

bool http_replied(const struct http_request *rq)
{
    return of(rq)->status != 0;
}

int http_reply_status(const struct http_request *rq)
{
    return of(rq)->status;
}

void http_refuse(struct connection *c, int status, const char *text)
{
    char line[256];
    int n = snprintf(line, sizeof line, "%s\n", text);

    http_reply(&c->rq, status, "text/plain", bl_span_of(line, (size_t)n));
}

/* The library takes what it only reads as not const. */
static void *body_of(const struct connection *c)
{
    union {
        const uint8_t *in;
        void *out;
    } body = {c->fixed != NULL ? c->fixed : c->out};

    return body.out;
}

/* What each answer says to a browser: it is what it says it is, runs
 * nothing, is in no frame, is not kept, and tells nobody where it was.
 * Of the same name from the application comes first. */
static const struct guard {
    const char *name;
    const char *value;
} guards[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Content-Security-Policy",
     "default-src 'none'; base-uri 'none'; form-action 'none'; "
     "frame-ancestors 'none'; sandbox"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
};

static bool has_header(const struct connection *c, const char *name)
{
    for (const struct http_field *f = c->fields; f != NULL && f->name != NULL;
         f++) {
        if (strcasecmp(f->name, name) == 0) {
            return true;
        }
    }
    for (int i = 0; i < c->n_headers; i++) {
        if (strcasecmp(c->header[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A year, once TLS was spoken: no later visit without it. */
static void add_guards(const struct connection *c, struct MHD_Response *r)
{
    for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++) {
        if (!has_header(c, guards[i].name)) {
            MHD_add_response_header(r, guards[i].name, guards[i].value);
        }
    }
    if (c->rq.http->config.tls &&
        !has_header(c, "Strict-Transport-Security")) {
        MHD_add_response_header(r, "Strict-Transport-Security",
                                "max-age=31536000");
    }
}

/* An error may be shown by any browser that goes there. */
static bool is_bare(const struct connection *c)
{
    return c->rq.bare && (c->status < 300 || c->status == 304);
}

static struct MHD_Response *make_response(struct connection *c)
{
    struct MHD_Response *r;

    if (c->pull != NULL) {
        r = http_stream_response(c);
    } else if (c->file >= 0) {
        r = MHD_create_response_from_fd_at_offset64(c->file_n, c->file,
                                                    c->file_offset);
        if (r != NULL) {
            http_file_begins(c);
            c->file = -1; /* the library closes it */
        }
    } else {
        /* Lives in the connection, which outlives the response's sending. */
        r = MHD_create_response_from_buffer(c->out_n, body_of(c),
                                            MHD_RESPMEM_PERSISTENT);
    }
    if (r != NULL && c->type != NULL) {
        MHD_add_response_header(r, "Content-Type", c->type);
    }
    if (r != NULL && !is_bare(c)) {
        add_guards(c, r);
    }
    return r;
}

/* A device's polls are answered by the same few bytes over and over: the
 * library's response is made once, and `out` filled anew. */
static struct MHD_Response *same_response(struct connection *c)
{
    if (c->kept != NULL && c->kept_n == c->out_n && c->kept_out == c->out &&
        c->kept_type == c->type && c->kept_bare == is_bare(c)) {
        return c->kept;
    }
    http_drop_kept(c);
    c->kept = make_response(c);
    c->kept_n = c->out_n;
    c->kept_out = c->out;
    c->kept_type = c->type;
    c->kept_bare = is_bare(c);
    return c->kept;
}

/* Header and body would be two records, and two packets. */
static void gather(struct connection *c)
{
    if (c->session != NULL) {
        tls_gather(c->session);
        c->gathered = true;
    }
}

void http_let_go(struct connection *c, bool whole)
{
    int off = 0;

    if (!c->gathered) {
        return;
    }
    c->gathered = false;
    /* The library has corked the socket, and has flushed it too early. */
    setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
    /* It fails when the peer has left earlier answers unread until no room is
     * left for a small one, or is gone. */
    if (!whole || tls_let_go(c->session) != 0) {
        shutdown(c->fd, SHUT_RDWR);
    }
}

enum MHD_Result http_send_reply(struct connection *c)
{
    bool small = c->file < 0 && c->pull == NULL && c->out_n <= OUT_KEPT;
    bool same = small && c->n_headers == 0 && c->fields == NULL && !c->close;
    struct MHD_Response *r = same ? same_response(c) : make_response(c);
    enum MHD_Result result;

    if (r == NULL) {
        return MHD_NO;
    }
    for (const struct http_field *f = c->fields; f != NULL && f->name != NULL;
         f++) {
        MHD_add_response_header(r, f->name, f->value);
    }
    for (int i = 0; i < c->n_headers; i++) {
        MHD_add_response_header(r, c->header[i].name, c->header[i].value);
    }
    if (c->close) {
        MHD_add_response_header(r, "Connection", "close");
    }
    enter_answer(c);
    if (small) {
        gather(c);
    }
    result = MHD_queue_response(c->mhd, (unsigned)c->status, r);
    if (!same) {
        MHD_destroy_response(r);
    }
    return result;
}

void http_hold(struct http_request *rq)
{
    struct connection *c = of(rq);

    c->held = true;
    atomic_store_explicit(&c->phase, HELD, memory_order_release);
    MHD_suspend_connection(c->mhd);
}

void http_release(struct http_request *rq)
{
    struct connection *c = of(rq);

    c->resumed = true;
    MHD_resume_connection(c->mhd);
}
