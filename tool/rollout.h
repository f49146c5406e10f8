/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLLOUT_H
#define ROLLOUT_H

#include "api.h"

/* The id of the rollout a verb is about: its argument, else the product's
 * active one (`active`) or newest. NULL: *code. */
const char *rollout_id(struct call *c, struct api *api, bool active,
                       int *code);

const char *rollout_id_text(struct call *c, const json_t *rollout);
/* "10%" or "10 devices" */
const char *rollout_stage_size(struct call *c, const json_t *stage);
/* The release of a product by its version; the newest of them. */
int release_find(struct call *c, struct api *api, const char *product,
                 const char *version, json_t **release);

/* Puts the permits into `into` that the plan's return by itself needs; none
 * when it does not return, or has permits already. `id`: of the rollout when
 * it is under way, or NULL. */
int rollout_sign_way_back(struct call *c, struct api *api, const json_t *plan,
                          const char *id, json_t *into);

/* --- rollout_preview.c ---------------------------------------------------
 */

void preview_print(struct call *c, const json_t *preview);

/* --- rollout_print.c ------------------------------------------------------
 */

long long rollout_count(const json_t *rollout, const char *name);
/* Devices that returned, failed or refused. */
long long rollout_lost(const json_t *rollout);
/* For a person; nothing with --json. */
void rollout_print(struct call *c, const json_t *rollout);
void rollout_text(struct call *c, const json_t *rollout, struct buffer *out);

/* --- rollout_watch.c ------------------------------------------------------
 */

struct watch {
    size_t rows; /* of the terminal, that the last drawing took */
};

/* Draws over what it drew last; one after the other when it is no terminal. */
void watch_draw(struct watch *w, bl_span text);

#endif
