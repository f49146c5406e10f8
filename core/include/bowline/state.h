/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state record: the one place that says which slot is confirmed, which is
 * on trial, how many tries it has left, and how old a release may be.
 *
 * At rest (docs/SPEC.md, "State record"): fixed 256 bytes, little endian, with
 * magic, a 32-bit record number and a CRC-32. Records are appended in turn to
 * the two blocks of layout.state; a block is erased only when the other holds
 * the newest valid record, so that at every instant at least one whole record
 * is there. The newest valid record counts. A torn record is skipped.
 *
 * bl_state_save is the atomic step of all of Bowline: after a power cut during
 * it, either the old or the new record is read, never a mix.
 */
#ifndef BOWLINE_STATE_H
#define BOWLINE_STATE_H

#include "bowline/flash.h"

enum { BL_STATE_RECORD = 256, BL_BOOT_TRIES = 3, BL_CONFIRM_DEADLINE_S = 600 };

/* What a slot holds. Stored: never renumber. */
typedef enum bl_slot_status {
    BL_SLOT_EMPTY = 0,
    BL_SLOT_WRITING = 1,   /* an installation is under way, not bootable */
    BL_SLOT_READY = 2,     /* whole and verified, never confirmed */
    BL_SLOT_CONFIRMED = 3, /* has run and been confirmed on this device */
    BL_SLOT_BAD = 4        /* was tried and returned */
} bl_slot_status;

struct bl_slot_record {
    uint8_t status;        /* bl_slot_status */
    uint8_t permitted;     /* 1: installed below the floor, by a permit */
    uint32_t root_version; /* whose release role authenticated the manifest */
    uint64_t sequence;
    uint8_t manifest[32]; /* digest of its manifest */
};

struct bl_state {
    uint32_t number;     /* of the record; set by bl_state_save */
    uint8_t active;      /* the confirmed slot */
    uint8_t trial;       /* the slot being tried, or BL_SLOT_NONE */
    uint8_t tries;       /* boots of the trial that are left */
    uint8_t last_reset;  /* bl_reset_cause that the boot code last saw */
    uint8_t trial_reset; /* the cause that ended the last failed trial boot */
    uint16_t outcome;    /* bl_status of the last trial: 0 confirmed */
    uint64_t outcome_sequence; /* which release that was, 0: none yet */
    uint64_t floor;  /* lowest sequence number that may be installed */
    uint32_t boots;  /* counted by the boot code, wraps */
    uint64_t issued; /* highest time of a ticket that was accepted under the
                        present ticket keys, 0: none yet */
    struct bl_slot_record slot[2];
};

/* The newest valid record, or BL_STATE_NONE, or BL_FLASH. */
bl_status bl_state_load(const struct bl_layout *layout,
                        struct bl_state *out) BL_MUST_CHECK;
/* Writes `state` as the newest record, durable when it returns; sets
 * state->number. Nothing is lost on error: the old record still counts. */
bl_status bl_state_save(const struct bl_layout *layout,
                        struct bl_state *state) BL_MUST_CHECK;

/*
 * Transitions, pure: they change the struct, the caller saves it.
 * bl_state_confirm  the trial becomes the active slot, the floor rises to its
 *                   sequence number (never falls)
 * bl_state_return   the trial is given up: its slot is BAD, `why` is kept;
 *                   the active slot is booted next
 * bl_state_try      puts a READY or CONFIRMED slot on trial
 */
void bl_state_confirm(struct bl_state *state);
void bl_state_return(struct bl_state *state, bl_status why);
bl_status bl_state_try(struct bl_state *state, uint8_t slot,
                       uint8_t tries) BL_MUST_CHECK;

#endif
