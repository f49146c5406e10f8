/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of people: yescrypt by libxcrypt, which is slow on purpose (some
 * 20 ms and 16 MiB): only on a worker's thread. The text of a hash names its
 * method and cost, so that both can change later.
 */
#ifndef SERVER_PASSWORD_H
#define SERVER_PASSWORD_H

#include "host/error.h"

#include <stdbool.h>

enum {
    PASSWORD_LEAST = 12, /* characters */
    PASSWORD_MOST = 256, /* bytes */
    PASSWORD_HASH = 128  /* with its zero */
};

/* Why it is not taken, as one sentence; NULL: it is. */
const char *password_fault(const char *password, const char *name);
int password_hash(const char *password, char out[PASSWORD_HASH],
                  struct error *err);
/* An empty hash matches nothing, and takes as long. */
bool password_matches(const char *password, const char *hash);

#endif
