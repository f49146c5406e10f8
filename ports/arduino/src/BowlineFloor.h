/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How old a pushed release may be: not older than the newest that was
 * confirmed on this device. Kept in NVS, as there is no other place that an
 * Arduino partition table always has. Private to the library; a managed device
 * has core's state record for it.
 */
#ifndef BOWLINE_FLOOR_H
#define BOWLINE_FLOOR_H

#include <stdint.h>

/* Lowest sequence number that may be installed. */
uint64_t bowline_floor();
/* A release with this number goes on trial; 0: an unsigned image does. */
bool bowline_floor_try(uint64_t sequence);
/* The image on trial was confirmed: the floor rises, it never falls. */
void bowline_floor_confirm();

#endif
