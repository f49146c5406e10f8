/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What admins set while the server runs: table `settings`, else the
 * configuration's value. Read from any thread, at any time.
 */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "host/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SETTINGS_APPROVALS_MAX = 4 };

struct server;

struct settings {
    atomic_bool four_eyes;
    _Atomic uint32_t approvals;
    atomic_bool deltas;
};

/* From the configuration, then from the store. */
int settings_load(struct server *s, struct error *err);

/* Does a rollout wait for somebody else's approval? */
bool settings_four_eyes(struct server *s);
/* How many people must approve one: 0 when four_eyes is off. */
uint32_t settings_approvals(struct server *s);

/* Are patches made and offered? */
bool settings_deltas(struct server *s);

#endif
