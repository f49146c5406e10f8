/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that take pushes, found and announced on the local network by mDNS:
 * the service _arduino._tcp, as Arduino's own tools look for it. The avahi
 * daemon does it; where none runs, or this was built without its library, the
 * error says so (code MDNS_NONE).
 */
#ifndef HOST_MDNS_H
#define HOST_MDNS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/error.h"

enum { MDNS_NONE = 1, MDNS_TEXT = 64, MDNS_HOST = 256 };

struct mdns_device {
    char name[MDNS_HOST];
    char host[MDNS_HOST];
    char address[MDNS_TEXT];
    char board[MDNS_TEXT]; /* empty: not said */
    uint16_t port;
    bool password; /* auth_upload=yes */
};

/* Listens so long; each device once for an address. What it says of itself
 * is anybody's word, but free of control characters. */
int mdns_browse(uint32_t ms,
                void (*each)(void *ctx, const struct mdns_device *device),
                void *ctx, struct error *err);

struct mdns_announcement;

/*
 * Announces this device. Where the daemon comes later, so does the
 * announcement; a name that is taken gets a number. NULL with the error set.
 * Nothing happens but in mdns_step, which does not wait.
 */
struct mdns_announcement *mdns_announce(const char *name, const char *board,
                                        uint16_t port, bool password,
                                        struct error *err);
void mdns_step(struct mdns_announcement *announcement);
/* It stands on the network. */
bool mdns_is_announced(const struct mdns_announcement *announcement);
void mdns_withdraw(struct mdns_announcement *announcement);

#endif
