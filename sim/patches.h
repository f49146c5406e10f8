/* SPDX-License-Identifier: Apache-2.0 */
/* Patches between the releases of the fixture, good ones and others. */
#ifndef SIM_PATCHES_H
#define SIM_PATCHES_H

#include "server.h"

/* By sim_patch_name; made by diff/ for SIM_DELTA_MEMORY. */
int sim_patches_open(const struct sim_fixture *fixture,
                     struct sim_patch out[SIM_PATCHES], struct error *err);
/* Gives SIM_R_PATCHED the patch that its manifest names. */
int sim_patch_release(struct sim_fixture *fixture, struct error *err);
void sim_patches_close(struct sim_patch patches[SIM_PATCHES]);

/* Offers these bytes, which live on, as a patch from one release to another.
 */
void sim_patch_offer(const struct sim_fixture *fixture,
                     enum sim_release_name from, enum sim_release_name to,
                     bl_span bytes, struct sim_patch *out);

#endif
