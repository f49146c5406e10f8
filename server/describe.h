/* SPDX-License-Identifier: Apache-2.0 */
/* Signed documents as people read them: JSON of what core reads in them. */
#ifndef SERVER_DESCRIBE_H
#define SERVER_DESCRIBE_H

#include "bowline/root.h"

#include <jansson.h>

/* "roles", "keys", "floor", "ceiling", "issued"; NULL when it is none. */
json_t *describe_root(bl_span document);
/* The manifest of an envelope; NULL when it is none. */
json_t *describe_release(bl_span envelope);
/* [{"kid","kind","role"}] of a list of kids in hex; the root may know them no
 * more: kind and role "" then. */
json_t *describe_signers(const json_t *kids, const struct bl_root *root);

#endif
