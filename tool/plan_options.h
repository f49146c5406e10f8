/* SPDX-License-Identifier: Apache-2.0 */
/* From the options of `rollout start`, `preview` and `set` to a plan. */
#ifndef PLAN_OPTIONS_H
#define PLAN_OPTIONS_H

#include "api.h"

/* Puts what was said, and nothing else, into `plan`. 0 or the exit code. */
int plan_from_options(struct call *c, struct api *api, json_t *plan);

/* Makes ids of the names among target.include and target.exclude. */
int plan_resolve_devices(struct call *c, struct api *api, json_t *plan);
/* Makes seconds of start_at and deadline when they are texts. */
int plan_resolve_times(struct call *c, json_t *plan);

#endif
