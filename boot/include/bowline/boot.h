/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slot to start. bl_boot_decide is pure: facts in, verdict out, its
 * truth table is a test. bl_boot_run reads the facts from flash, decides, and
 * writes the state record once, before anything is started.
 *
 * A slot is bootable when it is whole, trusted, above the security floor, and
 * READY or CONFIRMED in the state record. An EMPTY or half-written one, or one
 * that is not trusted, is not started even when nothing else is left.
 *
 *   state   trial          active    what is started
 *   there   none           good      active, whatever ended the last boot
 *   there   none           bad       the other, which becomes active
 *   there   good, tries    any       trial, one try less
 *   there   good, no tries good      active; trial returned: BL_RESET
 *   there   good, no tries low, BAD  active; trial returned: BL_RESET
 *   there   good, no tries bad       trial once more: better than nothing
 *   there   bad            good      active; trial returned: BL_SLOT_CORRUPT
 *   there   none or bad    low       the other if bootable, else active: it
 * ran when the floor was raised there   none or bad    bad       the other if
 * bootable; else one that was given up (BAD) but is whole and trusted. It
 * becomes active, to take a fix lost    -              -         the only good
 * one, as active; of two the higher sequence, on trial any     bad bad
 * nothing: BL_NO_IMAGE
 *
 * "low": bootable but for the security floor. Of two that were given up: one
 * above the floor, then the active one.
 */
#ifndef BOWLINE_BOOT_H
#define BOWLINE_BOOT_H

#include "bowline/slot.h"

struct bl_boot_slot {
    bool present; /* an envelope that can be read is there */
    bool whole;   /* every digest matches */
    bool trusted; /* signed under the root document in force; or vouched for
                     by the state record and authenticated under an older
                     root document (keys have been rotated since) */
    bool above_floor; /* not below the root document's security floor */
    uint64_t sequence;
    uint8_t manifest[32];
};

struct bl_boot_facts {
    bool has_state; /* a valid state record was found */
    struct bl_state state;
    struct bl_boot_slot slot[2];
    bl_reset_cause reset;
    uint8_t tries;         /* for a trial that has to be made up */
    uint32_t root_version; /* of the root document in force */
};

struct bl_boot_verdict {
    uint8_t slot; /* to start, or BL_SLOT_NONE */
    bool save;    /* `state` is to be written before the start */
    struct bl_state state;
    bl_status why; /* BL_OK: as usual; else why not the slot one expected */
};

void bl_boot_decide(const struct bl_boot_facts *facts,
                    struct bl_boot_verdict *verdict);

struct bl_boot_config {
    const struct bl_layout *layout;
    const struct bl_crypto *crypto;
    const struct bl_suit_platform *identity; /* vendor and class ids */
    bl_reset_cause reset;
    uint8_t tries; /* 3 */
    uint8_t *envelope;
    uint32_t envelope_size;
    uint8_t *root;
    uint32_t root_size;
    uint8_t *io;
    uint32_t io_size;
};

struct bl_boot_result {
    uint8_t slot;
    bool trial;
    bl_status why;
    struct bl_area area; /* of component 0 in that slot */
    uint32_t image_size;
    uint8_t image_digest[32];
};

/*
 * Reads, decides, writes the state, adds an event to the journal when the
 * decision was not the usual one. BL_NO_IMAGE: no slot may be started; the
 * port stays in its recovery. The image was verified; start exactly these
 * bytes. Power cut: run it again, the try that was counted stays counted.
 */
bl_status bl_boot_run(const struct bl_boot_config *config,
                      struct bl_boot_result *result) BL_MUST_CHECK;

#endif
