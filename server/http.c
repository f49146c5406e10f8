/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "fields.h"
#include "host/log.h"
#include "listen.h"
#include "tls.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BODY_KEPT = 8192, /* memory that stays with a connection */
    OUT_KEPT = 4096,
    DRAIN_MAX = 1 << 20, /* of a refused body: else the line is cut */
    BODY_SLOWEST = 1024, /* bytes a second, for streamed bodies */
    /* Cleared for each request. */
    CONNECTION_MEMORY = HTTP_HEADER_MAX + HTTP_HEADER_MAX / 2
};

enum phase {
    HEADER, /* waiting for a header, or between requests */
    BODY,
    ANSWER
};

/* One request at a time: HTTP/1.1 pipelining is answered in order. */
struct connection {
    struct http_request rq; /* first: the request is the connection */
    struct connection *next;
    struct connection *previous;
    struct MHD_Connection *mhd;
    int fd;
    int closed_seen; /* by http_reap, one caller */
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
    int file;
    uint64_t file_offset;
    uint64_t file_n;
    bool close;
    bool gathered; /* the TLS session waits for the reply's last byte */
    void *session; /* of TLS, or NULL */
    struct MHD_Response *kept; /* of `out`, for replies of one size and type */
    const uint8_t *kept_out;
    const char *kept_type;
    size_t kept_n;
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
    pthread_mutex_t lock; /* of the list */
    struct connection *first;
};

static struct connection *of(const struct http_request *rq)
{
    union {
        const struct http_request *in;
        struct connection *out;
    } p = {rq};

    return p.out;
}

/* --- Connections ----------------------------------------------------------
 */

/* Who sees the phase sees since when. */
static void enter(struct connection *c, enum phase phase, uint64_t now_us)
{
    atomic_store_explicit(&c->since_us, now_us, memory_order_relaxed);
    atomic_store_explicit(&c->phase, phase, memory_order_release);
}

/* An answer is watched by the library's timeout: its time does not count. */
static void enter_answer(struct connection *c)
{
    atomic_store_explicit(&c->phase, ANSWER, memory_order_release);
}

static void link_connection(struct http *h, struct connection *c)
{
    pthread_mutex_lock(&h->lock);
    c->next = h->first;
    if (h->first != NULL) {
        h->first->previous = c;
    }
    h->first = c;
    pthread_mutex_unlock(&h->lock);
}

static void unlink_connection(struct http *h, struct connection *c)
{
    pthread_mutex_lock(&h->lock);
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    if (c->previous != NULL) {
        c->previous->next = c->next;
    } else {
        h->first = c->next;
    }
    pthread_mutex_unlock(&h->lock);
}

static void open_connection(struct http *h, struct MHD_Connection *mhd,
                            void **context)
{
    const union MHD_ConnectionInfo *info;
    struct connection *c = calloc(1, sizeof *c);

    *context = c;
    if (c == NULL) {
        return;
    }
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info == NULL ? -1 : info->connect_fd;
    c->mhd = mhd;
    c->file = -1;
    c->rq.http = h;
    enter(c, HEADER, monotonic_us());
    link_connection(h, c);
    atomic_fetch_add(&h->config.metrics->connections, 1);
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info != NULL && h->tickets != NULL) {
        c->session = info->tls_session;
        tls_tickets_offer(h->tickets, c->session);
    }
}

static void drop_kept(struct connection *c)
{
    if (c->kept != NULL) {
        MHD_destroy_response(c->kept);
        c->kept = NULL;
    }
}

static void on_connection(void *ctx, struct MHD_Connection *mhd,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *h = ctx;
    struct connection *c;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        open_connection(h, mhd, context);
        return;
    }
    c = *context;
    if (c == NULL) {
        return;
    }
    atomic_fetch_sub(&h->config.metrics->connections, 1);
    unlink_connection(h, c);
    drop_kept(c);
    free(c->body);
    free(c->out);
    free(c);
    *context = NULL;
}

static bool too_slow(const struct http *h, struct connection *c, uint64_t now)
{
    int phase = atomic_load_explicit(&c->phase, memory_order_acquire);
    uint64_t since = atomic_load(&c->since_us); /* of this phase or later */
    uint64_t limit = (uint64_t)h->config.timeout_s * 1000000;

    if (phase == ANSWER || since >= now || now - since < limit) {
        return false;
    }
    if (phase == HEADER) {
        return true;
    }
    return atomic_load(&c->received) <
           (now - since) / 1000000 * (uint64_t)BODY_SLOWEST;
}

/* The peer has closed, all it sent was read, and still its request is not
 * whole. The library's edge-triggered epoll may miss a close that came along
 * with the last bytes. Seen twice in a row, so that nobody is cut between two
 * reads. */
static bool gone(struct connection *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    int left = 0;
    bool closed = atomic_load(&c->phase) != ANSWER && poll(&p, 1, 0) == 1 &&
                  (p.revents & POLLRDHUP) != 0 &&
                  ioctl(c->fd, FIONREAD, &left) == 0 && left == 0;

    c->closed_seen = closed ? c->closed_seen + 1 : 0;
    return c->closed_seen > 1;
}

void http_reap(struct http *h)
{
    uint64_t now = monotonic_us();

    pthread_mutex_lock(&h->lock);
    for (struct connection *c = h->first; c != NULL; c = c->next) {
        if (too_slow(h, c, now)) {
            if (atomic_load(&c->phase) == BODY) {
                atomic_fetch_add(&h->config.metrics->cut_slow, 1);
            }
            shutdown(c->fd, SHUT_RDWR);
        } else if (gone(c)) {
            shutdown(c->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* --- The reply ------------------------------------------------------------
 */

static int keep(uint8_t **p, size_t *capacity, size_t n)
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

static void drop_file(struct connection *c)
{
    if (c->file >= 0) {
        close(c->file);
        c->file = -1;
    }
}

void http_reply(struct http_request *rq, int status, const char *type,
                bl_span body)
{
    struct connection *c = of(rq);
    size_t room = body.n < OUT_KEPT ? OUT_KEPT : body.n;

    drop_file(c);
    c->n_headers = 0;
    c->status = status;
    c->type = type;
    c->out_n = body.n;
    if (keep(&c->out, &c->out_capacity, room) != 0) {
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

static void refuse(struct connection *c, int status, const char *text)
{
    char line[256];
    int n = snprintf(line, sizeof line, "%s\n", text);

    http_reply(&c->rq, status, "text/plain", bl_span_of(line, (size_t)n));
}

static struct MHD_Response *make_response(struct connection *c)
{
    struct MHD_Response *r;

    if (c->file >= 0) {
        r = MHD_create_response_from_fd_at_offset64(c->file_n, c->file,
                                                    c->file_offset);
        if (r != NULL) {
            c->file = -1; /* the library closes it */
        }
    } else {
        /* Lives in the connection, which outlives the response's sending. */
        r = MHD_create_response_from_buffer(c->out_n, c->out,
                                            MHD_RESPMEM_PERSISTENT);
    }
    if (r != NULL && c->type != NULL) {
        MHD_add_response_header(r, "Content-Type", c->type);
    }
    return r;
}

/* A device's polls are answered by the same few bytes over and over: the
 * library's response is made once, and `out` filled anew. */
static struct MHD_Response *same_response(struct connection *c)
{
    if (c->kept != NULL && c->kept_n == c->out_n && c->kept_out == c->out &&
        c->kept_type == c->type) {
        return c->kept;
    }
    drop_kept(c);
    c->kept = make_response(c);
    c->kept_n = c->out_n;
    c->kept_out = c->out;
    c->kept_type = c->type;
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

static void let_go(struct connection *c, bool whole)
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

static enum MHD_Result send_reply(struct connection *c)
{
    bool small = c->file < 0 && c->out_n <= OUT_KEPT;
    bool same = small && c->n_headers == 0 && !c->close;
    struct MHD_Response *r = same ? same_response(c) : make_response(c);
    enum MHD_Result result;

    if (r == NULL) {
        return MHD_NO;
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
    enter_answer(c);
    MHD_suspend_connection(c->mhd);
}

void http_release(struct http_request *rq)
{
    struct connection *c = of(rq);

    c->resumed = true;
    MHD_resume_connection(c->mhd);
}

/* --- What is refused before the application sees it -----------------------
 */

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
        refuse(c, status, problem);
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
        refuse(c, 413, text);
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
    atomic_store_explicit(&c->received, 0, memory_order_relaxed);
}

static enum MHD_Result first_call(struct http *h, struct connection *c,
                                  const char *method, const char *path)
{
    reset_request(c, method, path);
    c->open = true;
    enter(c, BODY, c->rq.began_us);
    check_headers(c);
    if (c->status != 0) {
        return send_reply(c);
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
    return send_reply(c);
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
        keep(&c->body, &c->capacity,
             wanted < BODY_KEPT ? BODY_KEPT : (size_t)c->rq.content_length) !=
            0) {
        refuse(c, 413, "the body is too large");
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
        refuse(c, 500, "no reply was made");
    }
    return send_reply(c);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd,
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

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **state,
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
    let_go(c, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    now = monotonic_us();
    count_request(h, c, now);
    h->config.app.end(h->config.app.ctx, &c->rq);
    drop_file(c);
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

void http_peer(const struct http_request *rq, char out[64])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        of(rq)->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    peer_text(info == NULL ? NULL : info->client_addr, out);
}

/* --- Start and stop -------------------------------------------------------
 */

static void on_log(void *ctx, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_log(void *ctx, const char *format, va_list args)
{
    char text[256];

    (void)ctx;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", LOG_TEXT("text", text));
}

static int start_daemon(struct http *h, struct error *err)
{
    const struct http_config *c = &h->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, string_option(c->certificate)},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, string_option(c->key)},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, string_option(TLS_PRIORITIES)},
        {c->client_ca == NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_TRUST, 0,
         string_option(c->client_ca)},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (c->tls) {
        flags |= MHD_USE_TLS;
    }
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, h,      /**/
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, /**/
        MHD_OPTION_LISTEN_SOCKET, h->listener,    /**/
        MHD_OPTION_THREAD_POOL_SIZE, c->threads,  /**/
        MHD_OPTION_CONNECTION_LIMIT, c->max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, c->timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, /**/
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, /**/
        MHD_OPTION_ARRAY, c->tls ? tls : none, MHD_OPTION_END);
    if (h->daemon == NULL) {
        return error_set(err, "the HTTP server could not be started%s",
                         c->tls ? "; do certificate and key match?" : "");
    }
    return 0;
}

struct http *http_start(const struct http_config *config, struct error *err)
{
    struct http *h = calloc(1, sizeof *h);

    if (h == NULL) {
        error_set(err, "no memory");
        return NULL;
    }
    h->config = *config;
    pthread_mutex_init(&h->lock, NULL);
    h->quiesced = MHD_INVALID_SOCKET;
    h->listener = listen_on(config->listen, &h->port, err);
    if (h->listener < 0) {
        free(h);
        return NULL;
    }
    h->tickets = config->tls ? tls_tickets_new() : NULL;
    if (start_daemon(h, err) != 0) {
        close(h->listener);
        tls_tickets_free(h->tickets);
        free(h);
        return NULL;
    }
    return h;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

static bool busy(struct http *h)
{
    bool found = false;

    pthread_mutex_lock(&h->lock);
    for (struct connection *c = h->first; c != NULL && !found; c = c->next) {
        found =
            atomic_load_explicit(&c->phase, memory_order_acquire) != HEADER;
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}

void http_drain(struct http *h, uint32_t seconds)
{
    h->quiesced = MHD_quiesce_daemon(h->daemon);
    if (h->quiesced != MHD_INVALID_SOCKET) {
        shutdown(h->quiesced, SHUT_RDWR);
    }
    for (uint32_t i = 0; i < seconds * 50; i++) {
        struct timespec pause = {0, 20 * 1000000};

        if (!busy(h)) {
            return;
        }
        if (i % 25 == 24) {
            http_reap(h);
        }
        nanosleep(&pause, NULL);
    }
}

void http_stop(struct http *h)
{
    if (h == NULL) {
        return;
    }
    MHD_stop_daemon(h->daemon);
    /* Not before: the library's threads take it out of their epoll sets when
     * they come to it, and end the program when it is gone by then. */
    if (h->quiesced != MHD_INVALID_SOCKET) {
        close(h->quiesced);
    }
    tls_tickets_free(h->tickets);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
