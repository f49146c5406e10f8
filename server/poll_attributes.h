/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key 18 of a poll: what a device tells of itself, by names of its own. Pure;
 * it comes from a device and may be hostile.
 */
#ifndef SERVER_POLL_ATTRIBUTES_H
#define SERVER_POLL_ATTRIBUTES_H

#include "bowline/cbor.h"

enum {
    POLL_ATTRIBUTES = 16,
    POLL_NAME = 24,
    POLL_VALUE = 64,
    /* The longest JSON text of them, with its zero: each character of a
     * value may need a backslash. */
    POLL_JSON = 2 + POLL_ATTRIBUTES * (POLL_NAME + 2 * POLL_VALUE + 6) + 1
};

struct poll_attribute {
    bl_span name;
    bl_span value;
};

struct poll_attributes {
    uint32_t n;
    struct poll_attribute at[POLL_ATTRIBUTES];
};

/* On error *n is which of them is at fault (the first is 1; 0: the map), and
 * *why says in a few words what it must be. */
bl_status poll_attributes_read(struct bl_cbor *r, struct poll_attributes *out,
                               uint32_t *n, const char **why) BL_MUST_CHECK;
/* A JSON object of strings, in the order of the poll; "" when there are
 * none. */
void poll_attributes_json(const struct poll_attributes *a,
                          char out[POLL_JSON]);

#endif
