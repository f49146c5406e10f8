/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is there a network? A route to the server: the kernel is asked by a
 * connected datagram socket, nothing is sent.
 */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/device.h"

/* "https://[::1]:8443/x" gives "::1"; false when there is no host. */
static bool host_of(const char *url, char *host, size_t size)
{
    const char *p = strstr(url, "://");
    size_t n;

    if (p == NULL) {
        return false;
    }
    p += 3;
    n = strcspn(p, ":/");
    if (*p == '[') {
        p++;
        n = strcspn(p, "]");
    }
    if (n == 0 || n >= size) {
        return false;
    }
    memcpy(host, p, n);
    host[n] = '\0';
    return true;
}

static bool has_route(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool there;

    if (fd < 0) {
        return false;
    }
    there = connect(fd, to->ai_addr, to->ai_addrlen) == 0;
    (void)close(fd);
    return there;
}

bl_health device_check_network(void *ctx)
{
    const struct device_config *config = device_configuration(ctx);
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    char host[DEVICE_TEXT];
    bool there = false;

    if (!host_of(config->server, host, sizeof host) ||
        getaddrinfo(host, "443", &hints, &found) != 0) {
        return BL_HEALTH_PENDING; /* names may resolve a little later */
    }
    for (const struct addrinfo *a = found; a != NULL && !there;
         a = a->ai_next) {
        there = has_route(a);
    }
    freeaddrinfo(found);
    return there ? BL_HEALTH_PASS : BL_HEALTH_PENDING;
}
