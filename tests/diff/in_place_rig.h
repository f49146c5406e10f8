/* SPDX-License-Identifier: Apache-2.0 */
/* A device with one slot: flash that loses power, the applier over it. */
#ifndef TESTS_DIFF_IN_PLACE_RIG_H
#define TESTS_DIFF_IN_PLACE_RIG_H

#include "bowline/delta_in_place.h"
#include "diff/diff.h"
#include "flash.h"

enum { RIG_IMAGE = 1 << 16, RIG_MEMORY = 24 * 1024, RIG_RAM = 6656 };

struct rig {
    struct sim_flash flash;
    struct bl_in_place place;
    struct buffer patch;
    uint8_t old[RIG_IMAGE], now[RIG_IMAGE];
    uint32_t old_n, now_n;
    uint32_t block, unit, spare;
    uint64_t memory[RIG_MEMORY / 8];
    uint32_t ticks;
};

/* Makes the patch of old -> now, and flash that holds the old image. */
void rig_open(struct rig *r, uint32_t block, uint32_t unit, uint32_t spare);
/* The same with a patch that is there, and r->block. */
void rig_open_patch(struct rig *r, uint32_t unit);
void rig_end(struct rig *r); /* frees it, too */

/* As after a reset: nothing is left in memory. */
bl_status rig_run(struct rig *r);
enum bl_in_place_state rig_look(struct rig *r);
bool rig_holds(struct rig *r, const uint8_t *image, uint32_t n);
/* Nothing outside image and work area was touched, no rule of flash broken. */
void rig_check(struct rig *r);

#endif
