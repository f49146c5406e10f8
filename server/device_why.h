/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence of rollout_why.h for a device of the table. */
#ifndef SERVER_DEVICE_WHY_H
#define SERVER_DEVICE_WHY_H

#include "decide.h"

#include <jansson.h>

enum { DEVICE_WHY = 640 };

/* Catalog and device locked. */
void device_sentence(struct server *s, const struct device *d,
                     const struct decision *x, char out[DEVICE_WHY]);
/* {"why", "why_code", "sentence", "facts": [...]}: each candidate's answer,
 * in the order in which they were asked. */
json_t *device_why_json(struct server *s, struct device *d);
/* What it says that it waits for; "" when it does not. */
const char *device_wait_name(uint8_t wait);

#endif
