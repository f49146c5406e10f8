/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan would do, before it does: by the very decision that polls ask.
 * Changes nothing. The admin lock is held, no other. */
#ifndef SERVER_ROLLOUT_PREVIEW_H
#define SERVER_ROLLOUT_PREVIEW_H

#include "rollout_make.h"

json_t *rollout_preview_json(struct server *s,
                             const struct rollout_wish *wish);

#endif
