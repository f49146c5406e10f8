/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: the device's last events, bounded, in two erase blocks, kept
 * over reboots and sent to the server until it says that it has them.
 *
 * At rest: records of 32 bytes with a CRC, appended; when both blocks are
 * full the older one is erased. A torn record is skipped. Event numbers only
 * rise, so the server can tell a repetition from news.
 */
#ifndef BOWLINE_JOURNAL_H
#define BOWLINE_JOURNAL_H

#include "bowline/flash.h"

/* The one list of device states (docs/PROTOCOL.md). Travels: only add. */
#define BL_DEVICE_STATE_LIST(X)                                               \
    X(IDLE, 0, "idle")                                                        \
    X(OFFERED, 1, "offered")                                                  \
    X(WAITING, 2, "waiting")                                                  \
    X(DOWNLOADING, 3, "downloading")                                          \
    X(VERIFYING, 4, "verifying")                                              \
    X(INSTALLING, 5, "installing")                                            \
    X(REBOOTING, 6, "rebooting")                                              \
    X(TESTING, 7, "testing")                                                  \
    X(CONFIRMED, 8, "confirmed")                                              \
    X(RETURNED, 9, "returned")                                                \
    X(FAILED, 10, "failed")                                                   \
    X(REFUSED, 11, "refused")

typedef enum bl_device_state {
#define BL_DEVICE_STATE_ENUM(name, number, text) BL_STATE_##name = number,
    BL_DEVICE_STATE_LIST(BL_DEVICE_STATE_ENUM)
#undef BL_DEVICE_STATE_ENUM
} bl_device_state;

/* "idle", "offered", ...; "unknown" for another number. In status_text.c. */
const char *bl_device_state_name(bl_device_state state);

struct bl_event {
    uint32_t number;   /* of the event on this device, from 1 */
    uint32_t uptime_s; /* since the boot in which it happened */
    uint32_t boot;     /* which boot that was (bl_state.boots) */
    uint64_t sequence; /* release it is about: manifest sequence, or 0 */
    uint16_t code;     /* bl_status: why */
    uint8_t state;     /* bl_device_state entered */
    uint8_t slot;
    uint8_t attempt;
    uint8_t reset; /* bl_reset_cause, for events about boots */
};

struct bl_journal {
    const struct bl_layout *layout;
    uint32_t next;   /* number of the next event */
    uint32_t offset; /* where it goes */
    uint8_t block;
};

/* Finds the end. Never fails on bad content: what cannot be read is gone. */
bl_status bl_journal_open(struct bl_journal *journal,
                          const struct bl_layout *layout) BL_MUST_CHECK;
/* Appends; sets event->number. Durable when it returns. */
bl_status bl_journal_append(struct bl_journal *journal,
                            struct bl_event *event) BL_MUST_CHECK;
/* Up to `max` events with number > `after`, oldest first; when more are
 * there, the oldest `max`. */
bl_status bl_journal_read(const struct bl_journal *journal, uint32_t after,
                          struct bl_event *out, uint32_t max,
                          uint32_t *n) BL_MUST_CHECK;

#endif
