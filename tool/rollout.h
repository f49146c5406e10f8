/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLLOUT_H
#define ROLLOUT_H

#include "api.h"

/* The id of the rollout a verb is about: its argument, else the product's
 * active one (`active`) or newest. NULL: *code. */
const char *rollout_id(struct call *c, struct api *api, bool active,
                       int *code);
void rollout_print(struct call *c, json_t *rollout, const json_t *devices);

#endif
