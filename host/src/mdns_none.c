/* SPDX-License-Identifier: Apache-2.0 */
/* Built without libavahi-client: it says so, and nothing is found. */
#include "host/mdns.h"

#include <stddef.h>

static int none(struct error *err)
{
    (void)error_set(err, "this was built without mDNS; install "
                         "libavahi-client-dev and build it anew");
    if (err != NULL) {
        err->code = MDNS_NONE;
    }
    return -1;
}

int mdns_browse(uint32_t ms,
                void (*each)(void *ctx, const struct mdns_device *device),
                void *ctx, struct error *err)
{
    (void)ms;
    (void)each;
    (void)ctx;
    return none(err);
}

struct mdns_announcement *mdns_announce(const char *name, const char *board,
                                        uint16_t port, bool password,
                                        struct error *err)
{
    (void)name;
    (void)board;
    (void)port;
    (void)password;
    (void)none(err);
    return NULL;
}

void mdns_step(struct mdns_announcement *announcement)
{
    (void)announcement;
}

bool mdns_is_announced(const struct mdns_announcement *announcement)
{
    (void)announcement;
    return false;
}

void mdns_withdraw(struct mdns_announcement *announcement)
{
    (void)announcement;
}
