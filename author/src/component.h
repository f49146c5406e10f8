/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHOR_COMPONENT_H
#define AUTHOR_COMPONENT_H

#include "bowline/cbor.h"
#include "host/error.h"

enum { COMPONENT_NAME_MAX = 64 };

/* "cfg/net" as the component id ['cfg', 'net']. The name is checked with
 * component_check before. */
void put_component(struct bl_cbor_writer *w, const char *name);
/* One to five parts, none empty, 64 characters in all. */
int component_check(const char *name, struct error *err);

#endif
