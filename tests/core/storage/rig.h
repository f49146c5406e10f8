/* SPDX-License-Identifier: Apache-2.0 */
/* A device's storage on simulated flash, in several geometries. */
#ifndef STORAGE_RIG_H
#define STORAGE_RIG_H

#include "bowline/journal.h"
#include "bowline/slot.h"
#include "flash.h"

enum { RIG_GEOMETRIES = 5, RIG_IO = 1024, RIG_ENVELOPE = 700 };

extern const struct sim_geometry rig_geometry[RIG_GEOMETRIES];

/* Component ids: ["app"], ["net"], ["tmp"], ["run"]. */
extern const bl_span rig_app;
extern const bl_span rig_net;
extern const bl_span rig_stage;
extern const bl_span rig_active;

struct rig {
    struct sim_flash sim;
    struct bl_component component[4];
    struct bl_layout layout;
    uint8_t io[RIG_IO];
    /* What a scenario has done so far, as its caller knows it. */
    uint32_t completed;
};

/* Opens geometry number `g`; ends the program when it cannot. */
void rig_open(struct rig *rig, int g);
void rig_close(struct rig *rig);
/* Makes `to`, opened with the same geometry, the same as `from`. */
void rig_copy(struct rig *to, const struct rig *from);

/* A state in which slot A is confirmed and B is empty. */
struct bl_state rig_state(void);
/* Bytes that depend on `seed`; with gaps of erased ones for odd seeds, one of
 * them at the end. */
void rig_payload(const struct rig *rig, uint32_t seed, uint8_t *out,
                 uint32_t n);

#endif
