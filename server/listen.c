/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static int split(const char *text, char host[256], char port[8],
                 struct error *err)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon == NULL ? 0 : (size_t)(colon - text);
    char *end;
    long number = colon == NULL ? -1 : strtol(colon + 1, &end, 10);

    if (colon == NULL || end == colon + 1 || *end != '\0' || number < 0 ||
        number > 65535 || n > 255) {
        return error_set(err, "listen: \"%s\" is not address:port", text);
    }
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    snprintf(port, 8, "%ld", number);
    return 0;
}

static int open_socket(const struct addrinfo *a, const char *text,
                       struct error *err)
{
    int on = 1;
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return error_errno(err, "listen: %s", text);
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Inherited by each connection: no waiting for a fuller packet. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        if (errno == EADDRINUSE) {
            error_errno(err,
                        "listen: %s: another program listens there "
                        "already; stop it or choose another port",
                        text);
        } else {
            error_errno(err, "listen: %s", text);
        }
        close(fd);
        return -1;
    }
    return fd;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    uint16_t port = 0;

    memset(&a, 0, sizeof a);
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        return 0;
    }
    if (a.ss_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, &a, sizeof v4);
        port = v4.sin_port;
    } else if (a.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, &a, sizeof v6);
        port = v6.sin6_port;
    }
    return ntohs(port);
}

int listen_on(const char *address, uint16_t *port, struct error *err)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char host[256] = "";
    char service[8] = "";
    int result;
    int fd;

    if (split(address, host, service, err) != 0) {
        return -1;
    }
    result =
        getaddrinfo(host[0] == '\0' ? NULL : host, service, &hints, &found);
    if (result != 0) {
        return error_set(err, "listen: %s: %s", address, gai_strerror(result));
    }
    fd = open_socket(found, address, err);
    freeaddrinfo(found);
    if (fd >= 0) {
        *port = bound_port(fd);
    }
    return fd;
}

uint64_t socket_acked(int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0) {
        return 0;
    }
    return info.tcpi_bytes_acked;
}
