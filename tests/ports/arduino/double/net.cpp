/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "WiFi.h"

static struct sockaddr_in address(IPAddress ip, uint16_t port)
{
    struct sockaddr_in out = {};
    uint8_t bytes[4] = {ip[0], ip[1], ip[2], ip[3]};

    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    (void)memcpy(&out.sin_addr, bytes, 4);
    return out;
}

/* --- UDP ---------------------------------------------------------------- */

uint8_t NetworkUDP::begin(uint16_t port)
{
    struct sockaddr_in here = address(IPAddress(127, 0, 0, 1), port);

    stop();
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) != 0) {
        stop();
        return 0;
    }
    return 1;
}

void NetworkUDP::stop()
{
    if (fd >= 0) {
        (void)close(fd);
    }
    fd = -1;
    in.clear();
    at = 0;
}

int NetworkUDP::parsePacket()
{
    struct sockaddr_in from = {};
    socklen_t n_from = sizeof from;
    uint8_t bytes[1460];
    uint8_t ip[4];
    ssize_t n;

    if (fd < 0 || at < in.size()) {
        return 0;
    }
    n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from,
                 &n_from);
    if (n < 0) {
        return 0;
    }
    in.assign(bytes, bytes + n);
    at = 0;
    (void)memcpy(ip, &from.sin_addr, 4);
    remote_ip = IPAddress(ip[0], ip[1], ip[2], ip[3]);
    remote_port = ntohs(from.sin_port);
    return (int)n;
}

int NetworkUDP::available()
{
    return (int)(in.size() - at);
}

int NetworkUDP::read()
{
    return at < in.size() ? in[at++] : -1;
}

int NetworkUDP::peek()
{
    return at < in.size() ? in[at] : -1;
}

int NetworkUDP::read(unsigned char *data, size_t n)
{
    size_t left = in.size() - at;

    n = n < left ? n : left;
    if (n > 0) {
        (void)memcpy(data, in.data() + at, n);
    }
    at += n;
    return (int)n;
}

int NetworkUDP::beginPacket(IPAddress ip, uint16_t port)
{
    to_ip = ip;
    to_port = port;
    out.clear();
    return 1;
}

size_t NetworkUDP::write(uint8_t byte)
{
    return write(&byte, 1);
}

size_t NetworkUDP::write(const uint8_t *data, size_t n)
{
    out.insert(out.end(), data, data + n);
    return n;
}

int NetworkUDP::endPacket()
{
    struct sockaddr_in there = address(to_ip, to_port);
    ssize_t n = sendto(fd, out.data(), out.size(), 0,
                       (struct sockaddr *)&there, sizeof there);

    out.clear();
    return n >= 0;
}

/* --- TCP ---------------------------------------------------------------- */

int NetworkClient::connect(IPAddress ip, uint16_t port, int32_t timeout_ms)
{
    struct sockaddr_in there = address(ip, port);
    struct pollfd wait = {};
    int failed = 0;
    socklen_t n = sizeof failed;

    stop();
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return 0;
    }
    if (::connect(fd, (struct sockaddr *)&there, sizeof there) != 0) {
        wait.fd = fd;
        wait.events = POLLOUT;
        if (errno != EINPROGRESS || poll(&wait, 1, timeout_ms) != 1 ||
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 ||
            failed != 0) {
            stop();
            return 0;
        }
    }
    return 1;
}

/* As the core's: while bytes are there to be read it counts as connected. */
uint8_t NetworkClient::connected()
{
    char byte;
    ssize_t n;

    if (fd < 0) {
        return 0;
    }
    n = recv(fd, &byte, 1, MSG_PEEK);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) {
        return 1;
    }
    stop();
    return 0;
}

void NetworkClient::stop()
{
    if (fd >= 0) {
        (void)close(fd);
    }
    fd = -1;
}

int NetworkClient::setNoDelay(bool on)
{
    int flag = on ? 1 : 0;

    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &flag, sizeof flag);
}

int NetworkClient::available()
{
    int n = 0;

    return fd >= 0 && ioctl(fd, FIONREAD, &n) == 0 ? n : 0;
}

int NetworkClient::read()
{
    uint8_t byte;

    return read(&byte, 1) == 1 ? byte : -1;
}

int NetworkClient::read(uint8_t *data, size_t n)
{
    return fd >= 0 ? (int)recv(fd, data, n, 0) : -1;
}

size_t NetworkClient::write(uint8_t byte)
{
    return write(&byte, 1);
}

size_t NetworkClient::write(const uint8_t *data, size_t n)
{
    ssize_t sent = fd >= 0 ? send(fd, data, n, MSG_NOSIGNAL) : -1;

    if (sent < 0) {
        stop();
        return 0;
    }
    return (size_t)sent;
}
