/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware pushed over the local network by ArduinoOTA's protocol: the agent's
 * side, with sockets. Off unless device.conf has the group `push`.
 *
 * What is pushed is a signed release (bowline/push_package.h). It is kept in
 * memory until all of it is here and its MD5 is right; then it is judged and
 * installed as one that a server offers: into the slot that does not run, on
 * trial after the reset. In developer mode it may be anything.
 */
#ifndef POSIX_PUSH_H
#define POSIX_PUSH_H

#include "bowline/client.h"
#include "host/error.h"
#include "posix/config.h"

struct push;

/* `pet` is called at least once a second while a file is installed. */
struct push *push_open(struct bl_client *client,
                       const struct device_config *config,
                       void (*pet)(void *ctx), void *ctx, struct error *err);
/* Does what is due; waits at most so long, and only while a push is under
 * way. True: one is. */
bool push_step(struct push *push, uint32_t wait_ms);
/* The UDP port: the configured one, or the one that port 0 became. */
uint16_t push_port(const struct push *push);
void push_close(struct push *push);

#endif
