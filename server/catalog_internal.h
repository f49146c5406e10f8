/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of catalog.h share: catalog.c has products and releases,
 * catalog_rollouts.c rollouts and pins, catalog_load.c reads all of them. */
#ifndef SERVER_CATALOG_INTERNAL_H
#define SERVER_CATALOG_INTERNAL_H

#include "catalog.h"

/* A copy of one's own; p NULL without memory. */
bl_span span_copy(bl_span from);
void span_free(bl_span s);
/* Puts `entry` at place `i`; grows by doubling. */
int list_put(struct list *l, uint32_t i, void *entry);
void *list_get(const struct list *l, uint64_t i);

#endif
