/* SPDX-License-Identifier: Apache-2.0 */
/* The table `unmanaged`: read at start, what has changed written now and
 * then, in one transaction. */
#ifndef SERVER_UNMANAGED_STORE_H
#define SERVER_UNMANAGED_STORE_H

#include "store.h"
#include "unmanaged.h"

int unmanaged_read(struct unmanaged_set *set, struct store *store,
                   struct error *err);
/* Writes what has changed, if anything; -1: nothing was, it comes again. */
int unmanaged_write(struct unmanaged_set *set, struct store *store,
                    struct error *err);

#endif
