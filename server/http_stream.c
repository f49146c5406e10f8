/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that go on. While a stream has nothing to say its connection is
 * suspended: it costs no time, only its memory. Who has news wakes it; between
 * "nothing to say" and the suspension news may come, so the state is changed
 * by one atomic operation on each side, and who comes second resumes it.
 */
#include "http_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { AWAKE, ASLEEP, NEWS };

enum {
    /* The library's own block; used for HTTP/1.0 only. */
    STREAM_BLOCK = 512,
    /* The kernel's, of a live one: a peer that reads nothing costs no more. */
    STREAM_SEND = 16384
};

static void sleep_on(struct connection *c)
{
    int awake = AWAKE;

    MHD_suspend_connection(c->mhd);
    if (!atomic_compare_exchange_strong(&c->wake, &awake, ASLEEP)) {
        MHD_resume_connection(c->mhd);
    }
}

void http_stream_wake_connection(struct connection *c)
{
    if (atomic_exchange(&c->wake, NEWS) == ASLEEP) {
        MHD_resume_connection(c->mhd);
    }
}

void http_stream_wake(struct http_request *rq)
{
    http_stream_wake_connection(of(rq));
}

static ssize_t pull(void *ctx, uint64_t position, char *out, size_t room)
{
    struct connection *c = ctx;
    int n;

    (void)position;
    atomic_store(&c->wake, AWAKE);
    if (c->live && atomic_load(&c->rq.http->draining)) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (atomic_load(&c->peer_gone)) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    n = c->pull(c->pull_ctx, &c->rq, (uint8_t *)out, room);
    if (n == HTTP_STREAM_WAIT) {
        sleep_on(c);
        return 0;
    }
    if (n < 0) {
        return n == HTTP_STREAM_END ? MHD_CONTENT_READER_END_OF_STREAM
                                    : MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return n;
}

void http_reply_stream(struct http_request *rq, int status, const char *type,
                       http_pull *from, void *ctx, bool live)
{
    struct connection *c = of(rq);

    http_drop_file(c);
    http_drop_kept(c);
    /* Ten thousand of them wait: none keeps what it will not use. */
    free(c->out);
    c->out = NULL;
    c->out_capacity = 0;
    c->out_n = 0;
    c->n_headers = 0;
    c->status = status;
    c->type = type;
    c->pull = from;
    c->pull_ctx = ctx;
    c->live = live;
    c->close = live;
}

/* A peer that has vanished acknowledges nothing; the kernel tells. */
static void expect_peer(const struct connection *c)
{
    unsigned ms = c->rq.http->config.timeout_s * 1000;
    int room = STREAM_SEND;

    setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

struct MHD_Response *http_stream_response(struct connection *c)
{
    if (c->live) {
        expect_peer(c);
    }
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
                                             pull, c, NULL);
}

/* While it is suspended the library does not see that the peer has closed. */
void http_stream_check(struct connection *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

    if (poll(&p, 1, 0) == 1 &&
        (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
        atomic_store(&c->peer_gone, true);
        http_stream_wake_connection(c);
    }
}

void http_stream_end_all(struct http *h)
{
    atomic_store(&h->draining, true);
    pthread_mutex_lock(&h->lock);
    for (struct connection *c = h->first; c != NULL; c = c->next) {
        http_stream_wake_connection(c);
    }
    pthread_mutex_unlock(&h->lock);
}
