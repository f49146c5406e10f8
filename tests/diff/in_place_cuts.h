/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A power cut at every flash operation of a patch over the old image, and once
 * more while it goes on: it always ends in the new image. Usually one of the
 * ways that a cut can go, by turns, and one second cut by a fixed draw;
 * exhaustive: all ways, and behind every seventh first cut every second one.
 */
#ifndef TESTS_DIFF_IN_PLACE_CUTS_H
#define TESTS_DIFF_IN_PLACE_CUTS_H

#include "in_place_rig.h"

/* BOWLINE_EXHAUSTIVE=1 */
bool cuts_exhaustive(void);
/* Ends the rig. Returns how many cuts there were. */
uint32_t cut_everywhere(struct rig *r, const char *name, uint32_t turn);

#endif
