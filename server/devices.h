/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live device table: every device in memory, found by id in constant time.
 * Made for 10^6 devices and more; one lock a shard, so that polls on different
 * threads seldom meet. Devices never move and are never freed while the server
 * runs; a deleted one is unlinked and its number 0.
 */
#ifndef SERVER_DEVICES_H
#define SERVER_DEVICES_H

#include "device.h"
#include "host/error.h"

struct devices;

struct devices *devices_new(void);
void devices_free(struct devices *t);

/* Adds a device with this row number. -1 when the id is there already, or
 * when there is no memory. */
int devices_add(struct devices *t, const struct device *device,
                struct error *err);
/* Found and locked, or NULL. */
struct device *devices_lock(struct devices *t, const uint8_t id[BL_ID_SIZE]);
/* By row number; found and locked, or NULL. */
struct device *devices_lock_number(struct devices *t, uint32_t number);
void devices_unlock(struct devices *t, struct device *device);
/* Unlinks a locked device, and unlocks. */
void devices_remove_locked(struct devices *t, struct device *device);

uint32_t devices_count(struct devices *t);
/* Row numbers run from 1 to this. */
uint32_t devices_last(struct devices *t);

#endif
