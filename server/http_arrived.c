/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a file has come to the peer. The library hands the file to the
 * kernel, the kernel keeps megabytes that the peer may never take: only what
 * TCP had acknowledged is counted of a connection that broke. */
#include "http_internal.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { HEAD = 512 /* what the answer's head takes, about */ };

static uint64_t acknowledged(int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0
               ? info.tcpi_bytes_acked
               : 0;
}

void http_file_begins(struct connection *c)
{
    c->acked = acknowledged(c->fd);
    c->file_whole = false;
}

void http_file_ended(struct connection *c, bool whole)
{
    uint64_t acked = whole ? 0 : acknowledged(c->fd);

    c->file_whole = whole;
    c->acked = acked > c->acked + HEAD ? acked - c->acked - HEAD : 0;
}

uint64_t http_missing(const struct http_request *rq)
{
    const struct connection *c = of(rq);
    uint64_t arrived =
        c->file_whole || c->acked > c->file_n ? c->file_n : c->acked;

    return c->file_n - arrived;
}
