/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses the server may be made to call by what an operator wrote:
 * not those that only its own network reaches (docs/THREATS.md). */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* An address of the open Internet: neither private, shared, loopback,
 * link-local, multicast, documentation nor otherwise special; neither inside
 * an IPv6 address that stands for such a one. */
bool address_public(const struct sockaddr *address);

#endif
