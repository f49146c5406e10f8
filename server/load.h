/* SPDX-License-Identifier: Apache-2.0 */
/* From the data folder to a server that can answer, and back. */
#ifndef SERVER_LOAD_H
#define SERVER_LOAD_H

#include "server.h"

/* Opens everything but the HTTP listener; errors say what to do. On error
 * nothing is left open. */
int server_open(struct server *s, struct error *err);
/* After http_stop. Writes what the journal still holds. */
void server_close(struct server *s);
/* What is due: each second. */
void server_upkeep(struct server *s);

#endif
