/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_MDNS_PRIVATE_H
#define HOST_MDNS_PRIVATE_H

#include "host/mdns.h"

#include <avahi-client/client.h>
#include <avahi-common/simple-watch.h>

#define MDNS_SERVICE "_arduino._tcp"

/* avahi_client_new gave no client, and why. Returns -1. */
int mdns_no_daemon(struct error *err, int why);

#endif
