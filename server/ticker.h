/* SPDX-License-Identifier: Apache-2.0 */
/* Each second: rollouts begin, advance, pause, finish and return by
 * themselves. */
#ifndef SERVER_TICKER_H
#define SERVER_TICKER_H

#include "server.h"

void ticker_tick(struct server *s);

#endif
