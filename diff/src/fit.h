/* SPDX-License-Identifier: Apache-2.0 */
/* How the decoder's memory is shared out between its tables. */
#ifndef DIFF_FIT_H
#define DIFF_FIT_H

#include "diff/diff.h"
#include "encode.h"

struct fit {
    struct bl_settings settings;
    uint32_t map, ram_map; /* entries at most */
};

/* For `ram` bytes; `plan` says the instruction set and the parts of settings
 * that are not for fit_ram to choose. -1: too little for any patch. */
int fit_ram(const struct bl_plan *plan, uint32_t ram, struct fit *out,
            struct error *error);

/* What the plan's maps have left over goes to the byte model. */
void fit_table(struct bl_plan *plan, uint32_t ram);

#endif
