/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PUSH_PRIVATE_H
#define PUSH_PRIVATE_H

#include <sys/socket.h>

#include "bowline/arduino_ota.h"
#include "host/file.h"
#include "host/mdns.h"
#include "posix/push.h"

enum { PUSH_WHY = 101 };

struct push {
    struct bl_client *client;
    const struct device_config *config;
    void (*pet)(void *ctx);
    void *ctx;
    struct bl_arduino_device machine;
    struct mdns_announcement *announcement;
    bool announced;
    int udp;
    int tcp; /* -1: none */
    bool connecting;
    struct sockaddr_storage peer; /* of the last invitation or answer */
    socklen_t peer_n;
    uint64_t begun_ms;
    uint16_t port;
    struct buffer file; /* what has come of it */
    char why[PUSH_WHY]; /* the last refusal, for the sender */
};

/* push_install.c: NULL, or why not. */
const char *push_begins(struct push *push, uint16_t command, uint32_t size);
const char *push_takes(struct push *push, const uint8_t *data, size_t n);
const char *push_installs(struct push *push);

/* push_developer.c: an envelope that nobody has signed, for a bare image. */
bl_status push_envelope(const struct push *push, bl_span image,
                        struct buffer *out);

#endif
