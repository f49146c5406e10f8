/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "host/error.h"

/* "address:port", "[v6]:port", ":port" (all addresses). Returns a listening
 * socket; errors say what to do. */
int listen_on(const char *address, uint16_t *port, struct error *err);

/* Bytes of a connection's stream that its peer has acknowledged. */
uint64_t socket_acked(int fd);

#endif
