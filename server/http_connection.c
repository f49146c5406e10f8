/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: who is there, and who is cut. */
#include "http_internal.h"

#include "listen.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    BODY_SLOWEST = 1024, /* bytes a second, for streamed bodies */
    ANSWER_SLOWEST = 128 /* bytes a second that a peer must take */
};

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

void http_on_connection(void *ctx, struct MHD_Connection *mhd, void **context,
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
    http_drop_kept(c);
    free(c->body);
    free(c->out);
    free(c);
    *context = NULL;
}

/* The library ends an answer of which nothing is taken; here ends one that is
 * taken byte by byte, and so would hold a file and a place for days. */
static bool taken_too_slowly(const struct http *h, struct connection *c,
                             uint64_t now)
{
    uint32_t answers = atomic_load_explicit(&c->answers, memory_order_relaxed);
    uint64_t acked = socket_acked(c->fd);
    uint64_t least = (uint64_t)h->config.timeout_s * ANSWER_SLOWEST;

    if (c->watch_us == 0 || answers != c->watched ||
        acked - c->watch_acked >= least) {
        c->watched = answers;
        c->watch_us = now;
        c->watch_acked = acked;
        return false;
    }
    return now - c->watch_us >= (uint64_t)h->config.timeout_s * 1000000;
}

static bool too_slow(const struct http *h, struct connection *c, uint64_t now)
{
    int phase = atomic_load_explicit(&c->phase, memory_order_acquire);
    uint64_t since = atomic_load(&c->since_us); /* of this phase or later */
    uint64_t limit = (uint64_t)h->config.timeout_s * 1000000;

    if (phase == ANSWER) {
        return taken_too_slowly(h, c, now);
    }
    if (phase == HELD || phase == STREAM || since >= now ||
        now - since < limit) {
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
    bool closed = atomic_load(&c->phase) < HELD && poll(&p, 1, 0) == 1 &&
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
            if (atomic_load(&c->phase) != HEADER) {
                atomic_fetch_add(&h->config.metrics->cut_slow, 1);
            }
            shutdown(c->fd, SHUT_RDWR);
        } else if (gone(c)) {
            shutdown(c->fd, SHUT_RDWR);
        } else if (atomic_load(&c->phase) == STREAM) {
            http_stream_check(c);
        }
    }
    pthread_mutex_unlock(&h->lock);
}

bool http_busy(struct http *h, bool streams)
{
    bool found = false;

    pthread_mutex_lock(&h->lock);
    for (struct connection *c = h->first; c != NULL && !found; c = c->next) {
        int phase = atomic_load_explicit(&c->phase, memory_order_acquire);

        found = phase != HEADER && (phase != STREAM || streams);
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}
