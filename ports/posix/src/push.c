/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of the agent's side of a push. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "posix/platform.h"
#include "push_private.h"

enum {
    PUSH_MOST_MS = 15 * 60 * 1000, /* no push may keep the agent for longer */
    PASSWORD_MOST = 1024,
    STEPS = 64
};

/* --- The machine's callbacks ----------------------------------------------
 */

static bl_status on_random(void *ctx, void *out, size_t n)
{
    return platform_random(ctx, out, n);
}

static const char *on_begin(void *ctx, uint16_t command, uint32_t size)
{
    return push_begins(ctx, command, size);
}

static const char *on_data(void *ctx, const uint8_t *data, size_t n)
{
    return push_takes(ctx, data, n);
}

static const char *on_end(void *ctx)
{
    return push_installs(ctx);
}

static void on_error(void *ctx, bl_arduino_error error, const char *why)
{
    struct push *push = ctx;

    platform_say(push->config->name, "a push: %s: %s",
                 bl_arduino_error_text(error), why);
    buffer_free(&push->file);
}

/* --- Opening --------------------------------------------------------------
 */

static int read_password(const struct device_push *c,
                         struct bl_arduino_secret *secret, struct error *err)
{
    struct buffer text = BUFFER(PASSWORD_MOST);
    size_t n = 0;
    int failed = -1;

    if (c->scheme == BL_ARDUINO_OPEN) {
        return 0;
    }
    if (file_check_private(c->password_file, err) == 0 &&
        file_read(c->password_file, &text, err) == 0) {
        while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n') {
            n++;
        }
        failed = n > 0 ? 0
                       : error_set(err, "%s: its first line is empty",
                                   c->password_file);
        if (failed == 0) {
            bl_arduino_secret_password(secret, (const char *)text.p, n);
        }
    }
    buffer_wipe(&text);
    return failed;
}

static int configure(struct push *push, struct error *err)
{
    struct bl_arduino_device_config config = {
        .scheme = (bl_arduino_scheme)push->config->push.scheme,
        .random = on_random,
        .begin = on_begin,
        .data = on_data,
        .end = on_end,
        .error = on_error,
        .ctx = push,
    };
    int failed = read_password(&push->config->push, &config.secret, err);

    if (failed == 0 &&
        bl_arduino_device_init(&push->machine, &config) != BL_OK) {
        failed = error_set(err, "push: its configuration is not possible");
    }
    explicit_bzero(&config, sizeof config);
    return failed;
}

/* Both kinds of addresses in one socket; without IPv6 the old kind alone. */
static int bind_udp(struct push *push, int family)
{
    struct sockaddr_storage here = {.ss_family = (sa_family_t)family};
    socklen_t n = family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                     : sizeof(struct sockaddr_in);
    uint16_t port = htons(push->config->push.port);
    int off = 0;

    push->udp = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (push->udp < 0) {
        return -1;
    }
    if (family == AF_INET6) {
        (void)setsockopt(push->udp, IPPROTO_IPV6, IPV6_V6ONLY, &off,
                         sizeof off);
        ((struct sockaddr_in6 *)&here)->sin6_port = port;
    } else {
        ((struct sockaddr_in *)&here)->sin_port = port;
    }
    if (bind(push->udp, (const struct sockaddr *)&here, n) != 0 ||
        getsockname(push->udp, (struct sockaddr *)&here, &n) != 0) {
        (void)close(push->udp);
        push->udp = -1;
        return -1;
    }
    push->port =
        ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&here)->sin6_port
                                 : ((struct sockaddr_in *)&here)->sin_port);
    return 0;
}

/* A device that is not announced can still be pushed to. */
static void announce(struct push *push)
{
    const struct device_config *c = push->config;
    struct error err = {0};

    if (!c->push.announce) {
        return;
    }
    push->announcement =
        mdns_announce(c->name, c->product[0] != '\0' ? c->product : "bowline",
                      push->port, c->push.scheme != BL_ARDUINO_OPEN, &err);
    if (push->announcement == NULL) {
        platform_say(c->name, "not announced: %s", err.text);
    }
}

static void say_mode(const struct push *push)
{
    const struct device_config *c = push->config;

    platform_say(
        c->name, "takes pushed %s at UDP port %u%s",
        c->push.developer ? "firmware" : "releases", (unsigned)push->port,
        c->push.scheme == BL_ARDUINO_OPEN ? ", without a password" : "");
    if (c->push.developer) {
        platform_say(c->name,
                     "*** DEVELOPER MODE: whatever is pushed is installed, "
                     "signed or not. Whoever can push owns this device. Never "
                     "leave a device so: take `developer` out of the group "
                     "`push` in device.conf ***");
    }
}

struct push *push_open(struct bl_client *client,
                       const struct device_config *config,
                       void (*pet)(void *ctx), void *ctx, struct error *err)
{
    struct push *push = calloc(1, sizeof *push);

    if (push == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    push->client = client;
    push->config = config;
    push->pet = pet;
    push->ctx = ctx;
    push->udp = -1;
    push->tcp = -1;
    if (configure(push, err) != 0) {
        push_close(push);
        return NULL;
    }
    if (bind_udp(push, AF_INET6) != 0 && bind_udp(push, AF_INET) != 0) {
        (void)error_errno(err, "push: UDP port %u",
                          (unsigned)config->push.port);
        push_close(push);
        return NULL;
    }
    say_mode(push);
    announce(push);
    return push;
}

uint16_t push_port(const struct push *push)
{
    return push->port;
}

static void close_tcp(struct push *push)
{
    if (push->tcp >= 0) {
        (void)close(push->tcp);
    }
    push->tcp = -1;
    push->connecting = false;
}

void push_close(struct push *push)
{
    if (push == NULL) {
        return;
    }
    close_tcp(push);
    if (push->udp >= 0) {
        (void)close(push->udp);
    }
    mdns_withdraw(push->announcement);
    buffer_free(&push->file);
    explicit_bzero(&push->machine, sizeof push->machine);
    free(push);
}

/* --- Datagrams ------------------------------------------------------------
 */

static bl_span address_of(const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET6) {
        return bl_span_of(&((const struct sockaddr_in6 *)peer)->sin6_addr,
                          sizeof(struct in6_addr));
    }
    return bl_span_of(&((const struct sockaddr_in *)peer)->sin_addr,
                      sizeof(struct in_addr));
}

/* Newer tools answer from another port: a reply goes where the datagram came
 * from, the connection to the address alone. */
static void hear(struct push *push)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    uint8_t bytes[BL_ARDUINO_TEXT + 1];
    char reply[BL_ARDUINO_TEXT];
    size_t answer;
    ssize_t got = recvfrom(push->udp, bytes, sizeof bytes, 0,
                           (struct sockaddr *)&from, &n);

    if (got <= 0) {
        return;
    }
    answer = bl_arduino_device_datagram(&push->machine, platform_ms(),
                                        address_of(&from),
                                        bl_span_of(bytes, (size_t)got), reply);
    if (answer == 0) {
        return;
    }
    push->peer = from;
    push->peer_n = n;
    (void)!sendto(push->udp, reply, answer, 0, (struct sockaddr *)&from, n);
}

/* --- The connection -------------------------------------------------------
 */

static void connected(struct push *push, bool ok)
{
    push->connecting = false;
    if (!ok) {
        close_tcp(push);
    }
    bl_arduino_device_connected(&push->machine, platform_ms(), ok);
}

static void connect_to(struct push *push, uint16_t port)
{
    struct sockaddr_storage to = push->peer;
    int on = 1;

    if (to.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&to)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)&to)->sin_port = htons(port);
    }
    close_tcp(push);
    push->tcp =
        socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (push->tcp < 0) {
        connected(push, false);
        return;
    }
    (void)setsockopt(push->tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    push->connecting = true;
    if (connect(push->tcp, (const struct sockaddr *)&to, push->peer_n) == 0) {
        connected(push, true);
    } else if (errno != EINPROGRESS) {
        connected(push, false);
    }
}

static void end_connecting(struct push *push)
{
    int failed = 0;
    socklen_t n = sizeof failed;

    if (getsockopt(push->tcp, SOL_SOCKET, SO_ERROR, &failed, &n) != 0) {
        failed = errno;
    }
    connected(push, failed == 0);
}

static void receive(struct push *push)
{
    uint8_t bytes[BL_ARDUINO_READ_MOST];
    ssize_t n = recv(push->tcp, bytes, sizeof bytes, 0);

    if (n > 0) {
        bl_arduino_device_data(&push->machine, platform_ms(), bytes,
                               (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        bl_arduino_device_closed(&push->machine, platform_ms());
    }
}

/* --- Stepping -------------------------------------------------------------
 */

/* True: something came. */
static bool wait_for_news(struct push *push, bool reads, uint64_t until_ms,
                          uint32_t most_ms)
{
    short wanted = push->connecting ? POLLOUT : reads ? POLLIN : 0;
    struct pollfd fds[2] = {{push->udp, POLLIN, 0},
                            {wanted != 0 ? push->tcp : -1, wanted, 0}};
    uint64_t now = platform_ms();
    uint64_t left = until_ms > now ? until_ms - now : 0;

    left = left < most_ms ? left : most_ms;
    if (poll(fds, 2, (int)left) <= 0) {
        return false;
    }
    if (fds[0].revents != 0) {
        hear(push);
    }
    if (fds[1].revents != 0 && push->connecting) {
        end_connecting(push);
    } else if (fds[1].revents != 0) {
        receive(push);
    }
    return true;
}

static void say_announced(struct push *push)
{
    if (push->announcement == NULL) {
        return;
    }
    mdns_step(push->announcement);
    if (mdns_is_announced(push->announcement) != push->announced) {
        push->announced = !push->announced;
        platform_say(push->config->name, "%s by mDNS as _arduino._tcp",
                     push->announced ? "announced" : "no longer announced");
    }
}

/* False: there is nothing more to do at this moment. */
static bool do_next(struct push *push, uint32_t wait_ms)
{
    struct bl_arduino_action action;

    bl_arduino_device_next(&push->machine, platform_ms(), &action);
    switch (action.todo) {
    case BL_ARDUINO_CONNECT:
        connect_to(push, action.port);
        return true;
    case BL_ARDUINO_SEND:
        (void)!send(push->tcp, action.text.p, action.text.n, MSG_NOSIGNAL);
        return true;
    case BL_ARDUINO_CLOSE:
        close_tcp(push);
        return true;
    case BL_ARDUINO_RESTART:
        return true; /* the client says so as well */
    default:
        return wait_for_news(push, action.todo == BL_ARDUINO_READ,
                             action.until_ms,
                             push->machine.busy ? wait_ms : 0);
    }
}

bool push_step(struct push *push, uint32_t wait_ms)
{
    if (push->machine.busy && platform_ms() - push->begun_ms > PUSH_MOST_MS) {
        bl_arduino_device_abort(&push->machine, platform_ms());
    }
    if (!push->machine.busy) {
        say_announced(push);
    }
    for (int i = 0; i < STEPS && do_next(push, wait_ms); i++) {
    }
    return push->machine.busy;
}
