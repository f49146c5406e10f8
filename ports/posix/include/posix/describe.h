/* SPDX-License-Identifier: Apache-2.0 */
/* What happened on a device, in the plain words of the product. */
#ifndef POSIX_DESCRIBE_H
#define POSIX_DESCRIBE_H

#include "bowline/journal.h"
#include "bowline/slot.h"

enum { DESCRIPTION = 256, VERSION_TEXT = 32 };

/* "returned from release 3: the new firmware did not start: all boot tries
 * were used up (boot-tries, watchdog)" */
void describe_event(const struct bl_event *event, char out[DESCRIPTION]);

/* 'A', 'B', '-' */
char describe_slot(uint8_t slot);
/* "empty", "writing", "ready", "confirmed", "bad" */
const char *describe_slot_status(uint8_t status);

/* The version text of an envelope: from its text section, else from its
 * set-version numbers, else "". Nothing is authenticated here. */
void describe_version(bl_span envelope, char out[VERSION_TEXT]);

#endif
