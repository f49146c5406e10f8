/* SPDX-License-Identifier: Apache-2.0 */
/* What a query may ask of a device: query.h's names, without allocation. */
#ifndef SERVER_DEVICE_FACTS_H
#define SERVER_DEVICE_FACTS_H

#include "device.h"

enum { FACT_TEXT = 192 };

struct device_facts {
    const struct device *device; /* locked */
    const char *product;
    char text[FACT_TEXT]; /* of the last answer */
};

/* A query_fact; `ctx` is a struct device_facts. */
const char *device_fact(void *ctx, const char *name, unsigned i);

/* Value number `i` of a JSON array of strings, or the value of `key` in a
 * JSON object of strings, of our own compact writing. NULL: none. */
const char *json_text_item(const char *json, unsigned i, char *out,
                           size_t size);
const char *json_text_member(const char *json, const char *key, char *out,
                             size_t size);

#endif
