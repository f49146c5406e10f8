/* SPDX-License-Identifier: Apache-2.0 */
/* A request comes in: what is ambiguous is refused before the application
 * sees it, then its functions are called in their order. */
#include "http_internal.h"

#include "fields.h"
#include "listen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_MAX = 1 << 20 /* of a refused body: else the line is cut */ };

static enum MHD_Result add_field(void *ctx, enum MHD_ValueKind kind,
                                 const char *name, size_t name_n,
                                 const char *value, size_t value_n)
{
    (void)kind;
    fields_add(ctx, name, name_n, value, value_n);
    return MHD_YES;
}

static void check_headers(struct connection *c)
{
    struct fields fields = {0, 0, 0, 0, false, NULL};
    const char *problem;
    int status;

    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, add_field, &fields);
    problem = fields_problem(&fields, &status, &c->rq.content_length);
    if (problem != NULL) {
        http_refuse(c, status, problem);
        c->close = true;
    }
}

static void check_length(struct connection *c)
{
    if (!c->rq.stream && c->rq.content_length > c->rq.body_max) {
        char text[128];

        snprintf(text, sizeof text,
                 "the body has %" PRIu64 " bytes, at most "
                 "%zu are taken here",
                 c->rq.content_length, c->rq.body_max);
        http_refuse(c, 413, text);
    }
}

/* --- One request ----------------------------------------------------------
 */

static void reset_request(struct connection *c, const char *method,
                          const char *path)
{
    struct http *h = c->rq.http;

    memset(&c->rq, 0, sizeof c->rq);
    c->rq.http = h;
    c->rq.method = method;
    c->rq.path = path;
    c->rq.began_us = monotonic_us();
    c->refused = false;
    c->held = false;
    c->resumed = false;
    c->status = 0;
    c->close = false;
    c->n_headers = 0;
    c->pull = NULL;
    atomic_store(&c->peer_gone, false);
    atomic_store_explicit(&c->received, 0, memory_order_relaxed);
}

static enum MHD_Result first_call(struct http *h, struct connection *c,
                                  const char *method, const char *path)
{
    reset_request(c, method, path);
    c->open = true;
    enter(c, BODY, c->rq.began_us);
    check_headers(c);
    if (c->status == 0 && fields_path_bad(path)) {
        http_refuse(c, 400, "the path has characters that no path may have");
        c->close = true;
    }
    if (c->status != 0) {
        return http_send_reply(c);
    }
    h->config.app.begin(h->config.app.ctx, &c->rq);
    if (c->status == 0) {
        check_length(c);
    }
    if (c->status == 0) {
        return MHD_YES;
    }
    /* A small body is read and dropped, so that the client gets to read the
     * reply; for a large one the connection is given up. */
    if (c->rq.content_length > 0 && c->rq.content_length <= DRAIN_MAX) {
        c->refused = true;
        return MHD_YES;
    }
    c->close = c->rq.content_length > 0;
    return http_send_reply(c);
}

static void take_body(struct http *h, struct connection *c, bl_span piece)
{
    size_t wanted = c->rq.body.n + piece.n;

    atomic_fetch_add_explicit(&c->received, piece.n, memory_order_relaxed);
    if (c->refused) {
        return;
    }
    if (c->rq.stream) {
        h->config.app.data(h->config.app.ctx, &c->rq, piece);
        c->refused = c->status != 0;
        return;
    }
    if (wanted > c->rq.body_max ||
        http_keep(&c->body, &c->capacity,
                  wanted < BODY_KEPT ? BODY_KEPT
                                     : (size_t)c->rq.content_length) != 0) {
        http_refuse(c, 413, "the body is too large");
        c->refused = true;
        return;
    }
    memcpy(c->body + c->rq.body.n, piece.p, piece.n);
    c->rq.body = bl_span_of(c->body, wanted);
}

static enum MHD_Result last_call(struct http *h, struct connection *c)
{
    if (c->held && !c->resumed) {
        return MHD_YES; /* woken without news */
    }
    if (!c->held && !c->refused) {
        h->config.app.finish(h->config.app.ctx, &c->rq);
        if (c->held) {
            return MHD_YES;
        }
    }
    if (c->status == 0) {
        http_refuse(c, 500, "no reply was made");
    }
    return http_send_reply(c);
}

enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *mhd,
                                const char *url, const char *method,
                                const char *version, const char *data,
                                size_t *n, void **state)
{
    struct http *h = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = info == NULL ? NULL : info->socket_context;

    (void)version;
    if (c == NULL) {
        return MHD_NO;
    }
    if (*state == NULL) {
        *state = c;
        return first_call(h, c, method, url);
    }
    if (*n > 0) {
        take_body(h, c, bl_span_of(data, *n));
        *n = 0;
        return MHD_YES;
    }
    return last_call(h, c);
}

void http_wipe_body(struct http_request *rq)
{
    struct connection *c = of(rq);

    if (c->body != NULL) {
        explicit_bzero(c->body, c->capacity);
    }
    rq->body = bl_span_of(NULL, 0);
}

static void count_request(struct http *h, const struct connection *c,
                          uint64_t now_us)
{
    int hundred = c->status / 100;

    if (hundred >= 1 && hundred <= 5) {
        atomic_fetch_add_explicit(&h->config.metrics->requests[hundred], 1,
                                  memory_order_relaxed);
    }
    histogram_add(&h->config.metrics->request_time, now_us - c->rq.began_us);
}

static void shrink(struct connection *c)
{
    if (c->capacity > BODY_KEPT) {
        free(c->body);
        c->body = NULL;
        c->capacity = 0;
    }
    if (c->out_capacity > OUT_KEPT) {
        free(c->out);
        c->out = NULL;
        c->out_capacity = 0;
    }
}

void http_on_completed(void *ctx, struct MHD_Connection *mhd, void **state,
                       enum MHD_RequestTerminationCode code)
{
    struct http *h = ctx;
    struct connection *c = *state;
    uint64_t now;

    (void)mhd;
    if (c == NULL || !c->open) {
        return;
    }
    c->open = false;
    http_file_ended(c, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    http_let_go(c, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    now = monotonic_us();
    count_request(h, c, now);
    h->config.app.end(h->config.app.ctx, &c->rq);
    http_drop_file(c);
    shrink(c);
    enter(c, HEADER, now);
    *state = NULL;
}

/* --- What a request says --------------------------------------------------
 */

const char *http_header(const struct http_request *rq, const char *name)
{
    return MHD_lookup_connection_value(of(rq)->mhd, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *rq, const char *name)
{
    return MHD_lookup_connection_value(of(rq)->mhd, MHD_GET_ARGUMENT_KIND,
                                       name);
}

const char *http_client_name(struct http_request *rq)
{
    struct connection *c = of(rq);
    const union MHD_ConnectionInfo *info;

    if (rq->http->config.client_ca == NULL) {
        return NULL;
    }
    if (!c->name_known) {
        info = MHD_get_connection_info(c->mhd,
                                       MHD_CONNECTION_INFO_GNUTLS_SESSION);
        c->name[0] = '\0';
        if (info != NULL) {
            tls_client_name(info->tls_session, c->name, sizeof c->name);
        }
        c->name_known = true;
    }
    return c->name[0] == '\0' ? NULL : c->name;
}

bool http_tls_old(const struct http_request *rq)
{
    const union MHD_ConnectionInfo *info;

    if (!rq->http->config.tls12) {
        return false;
    }
    info = MHD_get_connection_info(of(rq)->mhd,
                                   MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info == NULL || tls_is_old(info->tls_session);
}

void http_peer(const struct http_request *rq, char out[64])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        of(rq)->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    peer_text(info == NULL ? NULL : info->client_addr, out);
}
