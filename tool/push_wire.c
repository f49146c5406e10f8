/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a push: one UDP socket that hears the device alone, and a
 * TCP port that takes a connection from the device alone. */
#include "push.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/progress.h"

enum { WAIT_MOST_MS = 500 };

struct wire {
    struct call *c;
    const struct push_job *job;
    struct push_result *result;
    struct sockaddr_storage device;
    socklen_t device_n;
    int udp;
    int listener;
    int tcp;
    struct progress progress;
};

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bl_status system_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    return getrandom(out, n, 0) == (ssize_t)n ? BL_OK : BL_BUSY;
}

/* --- Opening --------------------------------------------------------------
 */

static int find(struct wire *w)
{
    const struct push_job *job = w->job;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    char port[8];
    int failed;

    (void)snprintf(port, sizeof port, "%u", (unsigned)job->port);
    failed = getaddrinfo(job->host, port, &hints, &found);
    if (failed != 0) {
        return refuse(w->c, EXIT_UNREACHABLE,
                      "Host %s Not Found (%s): bowline push --list shows the "
                      "devices that announce themselves, with their addresses",
                      job->host, gai_strerror(failed));
    }
    memcpy(&w->device, found->ai_addr, found->ai_addrlen);
    w->device_n = found->ai_addrlen;
    freeaddrinfo(found);
    (void)getnameinfo((struct sockaddr *)&w->device, w->device_n,
                      w->result->address, sizeof w->result->address, NULL, 0,
                      NI_NUMERICHOST);
    return 0;
}

static int local_failure(struct wire *w, const char *what)
{
    (void)error_errno(&w->c->err, "%s", what);
    return EXIT_LOCAL;
}

static int open_udp(struct wire *w)
{
    w->udp = socket(w->device.ss_family,
                    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->udp < 0 || connect(w->udp, (const struct sockaddr *)&w->device,
                              w->device_n) != 0) {
        (void)error_errno(&w->c->err, "there is no way to %s",
                          w->result->address);
        return EXIT_UNREACHABLE;
    }
    return 0;
}

static void any_address(const struct wire *w, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    out->ss_family = w->device.ss_family;
    if (out->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)out)->sin6_port = htons(w->job->listen_port);
    } else {
        ((struct sockaddr_in *)out)->sin_port = htons(w->job->listen_port);
    }
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)address)->sin6_port
                     : ((const struct sockaddr_in *)address)->sin_port);
}

static int open_listener(struct wire *w)
{
    struct sockaddr_storage here;
    socklen_t n = w->device_n;
    int on = 1;

    any_address(w, &here);
    w->listener =
        socket(here.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->listener < 0) {
        return local_failure(w, "no TCP socket");
    }
    (void)setsockopt(w->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(w->listener, (const struct sockaddr *)&here, n) != 0 ||
        listen(w->listener, 4) != 0 ||
        getsockname(w->listener, (struct sockaddr *)&here, &n) != 0) {
        return local_failure(
            w, "no TCP port to take the device's connection; another one: "
               "--listen-port");
    }
    w->result->listened = port_of(&here);
    return 0;
}

/* --- Moving bytes ---------------------------------------------------------
 */

/* The device's own host, from whatever port. */
static bool is_device(const struct wire *w,
                      const struct sockaddr_storage *other)
{
    if (other->ss_family != w->device.ss_family) {
        return false;
    }
    if (other->ss_family == AF_INET6) {
        return memcmp(&((const struct sockaddr_in6 *)other)->sin6_addr,
                      &((const struct sockaddr_in6 *)&w->device)->sin6_addr,
                      sizeof(struct in6_addr)) == 0;
    }
    return ((const struct sockaddr_in *)other)->sin_addr.s_addr ==
           ((const struct sockaddr_in *)&w->device)->sin_addr.s_addr;
}

static void accept_it(struct wire *w)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    int on = 1;
    int fd = accept4(w->listener, (struct sockaddr *)&from, &n, SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    if (w->tcp >= 0 || !is_device(w, &from)) {
        (void)close(fd); /* somebody else's */
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    w->tcp = fd;
    bl_arduino_sender_connected(&w->result->sender, now_ms());
}

static void hear(struct wire *w)
{
    uint8_t bytes[512];
    ssize_t n = recv(w->udp, bytes, sizeof bytes, 0);

    if (n >= 0) {
        bl_arduino_sender_datagram(&w->result->sender, now_ms(),
                                   bl_span_of(bytes, (size_t)n));
    } else if (errno == ECONNREFUSED) {
        w->result->unreachable = true;
    }
}

static void receive(struct wire *w)
{
    uint8_t bytes[256];
    ssize_t n = recv(w->tcp, bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    bl_arduino_sender_data(&w->result->sender, now_ms(), bytes,
                           n > 0 ? (size_t)n : 0);
    if (n <= 0) {
        (void)close(w->tcp);
        w->tcp = -1;
    }
}

/* A whole piece, or the connection is lost: the kernel takes a kilobyte at
 * once, and what it cannot take for so long goes nowhere. */
static void send_piece(struct wire *w, const struct bl_arduino_action *action)
{
    const uint8_t *p = w->job->file.p + action->offset;
    size_t left = action->size;

    while (left > 0 && w->tcp >= 0) {
        ssize_t n = send(w->tcp, p, left, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            receive(w); /* it may have said why before it closed */
            break;
        }
        p += n;
        left -= (size_t)n;
    }
    progress_update(&w->progress, w->result->sender.done, w->job->file.n);
}

static void wait_for_news(struct wire *w, uint64_t until_ms)
{
    struct pollfd fds[3] = {
        {w->udp, POLLIN, 0}, {w->listener, POLLIN, 0}, {w->tcp, POLLIN, 0}};
    uint64_t now = now_ms();
    uint64_t left = until_ms > now ? until_ms - now : 0;

    left = left < WAIT_MOST_MS ? left : WAIT_MOST_MS;
    if (poll(fds, 3, (int)left) <= 0) {
        return;
    }
    if (fds[1].revents != 0) {
        accept_it(w);
    }
    if (fds[0].revents != 0) {
        hear(w);
    }
    if (fds[2].revents != 0) {
        receive(w);
    }
}

static void run(struct wire *w)
{
    struct bl_arduino_action action;

    for (;;) {
        bl_arduino_sender_next(&w->result->sender, now_ms(), &action);
        switch (action.todo) {
        case BL_ARDUINO_DATAGRAM:
            if (send(w->udp, action.text.p, action.text.n, 0) < 0 &&
                errno == ECONNREFUSED) {
                w->result->unreachable = true;
            }
            break;
        case BL_ARDUINO_SEND_FILE:
            send_piece(w, &action);
            break;
        case BL_ARDUINO_WAIT:
        case BL_ARDUINO_READ:
            wait_for_news(w, action.until_ms);
            break;
        default:
            return;
        }
    }
}

/* --- All of it ------------------------------------------------------------
 */

static void configure(const struct wire *w,
                      struct bl_arduino_sender_config *out)
{
    *out = (struct bl_arduino_sender_config){
        .command = w->job->command,
        .port = w->result->listened,
        .size = (uint32_t)w->job->file.n,
        .has_secret = w->job->has_secret,
        .secret = w->job->secret,
        .random = system_random,
        .answer_s = w->job->answer_s,
    };
    bl_esp_md5(w->job->file.p, w->job->file.n, out->md5);
}

static void close_all(struct wire *w)
{
    int fds[] = {w->udp, w->listener, w->tcp};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

int push_wire(struct call *c, const struct push_job *job,
              struct push_result *result)
{
    struct wire w = {
        .c = c,
        .job = job,
        .result = result,
        .udp = -1,
        .listener = -1,
        .tcp = -1,
    };
    struct bl_arduino_sender_config config;
    int code = find(&w);

    if (code == 0) {
        code = open_udp(&w);
    }
    if (code == 0) {
        code = open_listener(&w);
    }
    if (code == 0) {
        configure(&w, &config);
        bl_arduino_sender_init(&result->sender, &config, now_ms());
        explicit_bzero(&config, sizeof config);
        progress_begin(&w.progress, keep(c, "push to %s", job->host), true,
                       c->quiet || c->json);
        run(&w);
        progress_end(&w.progress, NULL);
        explicit_bzero(&result->sender.config.secret,
                       sizeof result->sender.config.secret);
    }
    close_all(&w);
    return code;
}
