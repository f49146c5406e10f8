/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two records say what an ESP32 boots, and this file says how they live
 * together.
 *
 *   otadata         ESP-IDF's. Its bootloader reads it, and only it: it is
 *                   the truth about *what is started next*.
 *   state record    Bowline's (bowline/state.h), in the partition "bowline".
 *                   It is the truth about *what is confirmed, what is on
 *                   trial, and how many tries are left*.
 *
 * Each step writes one of them, then the other. The state record always goes
 * first, it says what is meant; otadata follows, and is made to follow at the
 * next boot when a power cut came between. What really runs is neither's
 * word: it is asked of the chip.
 *
 *   step                state record           otadata           a cut between
 *   put on trial        trial B, tries 3       B: NEW            A runs: sets
 *                                                                NEW again
 *   bootloader          -                      B: PENDING
 *   early hook          tries - 1              B: NEW, but for   A runs: see
 *                                              the last try      ABORTED
 *   confirmed           active B, no trial     B: VALID          B runs: sets
 *                                                                VALID
 *   given up in B       B bad, no trial        B: INVALID        B runs: goes
 *                                                                back at once
 *
 * ESP-IDF's bootloader gives a NEW image one start: it turns it to PENDING,
 * and a PENDING one to ABORTED at the start after. The early hook counts the
 * start and turns PENDING to NEW again, so that the next start is another try
 * and neither a power cut nor a crash at the first is the end. In the last
 * try it leaves PENDING. An image that dies before the hook is ABORTED at the
 * very next start.
 *
 * A that runs and finds its trial B ABORTED gives B up. Unless the power was
 * cut: then B may have been innocent, and is sent on trial again; for one try
 * less when the hook has counted nothing since, so that this too comes to an
 * end. A that finds B neither started nor
 * refused finishes the step that was cut.
 *
 * A record of otadata that refuses B (ABORTED, INVALID) is erased once the
 * state record has it: when a later trial of the same slot is cut short, it
 * must not be taken for that one's end.
 *
 * Rewriting a state in otadata erases a sector first, as ESP-IDF does. A cut
 * there loses B's record, so that A starts, finds B on trial, and sends the
 * device to B again.
 *
 * Pure: facts in, verdict out; tests/ports/esp_idf/trial_test.c is the table.
 */
#ifndef BOWLINE_ESP_TRIAL_H
#define BOWLINE_ESP_TRIAL_H

#include "bowline/esp_otadata.h"
#include "bowline/state.h"

struct bowline_facts {
    bool has_state;
    struct bl_state state;
    uint8_t running;    /* BL_SLOT_A for ota_0, BL_SLOT_B for ota_1 */
    uint8_t next;       /* that otadata has the bootloader start, or NONE */
    bool recorded[2];   /* otadata has a record of this slot */
    uint32_t record[2]; /* ... and its state */
    bl_reset_cause reset;
    uint8_t tries; /* that a new image gets */
    bool spent;    /* the early hook found no try left, and has refused the
                      running image in otadata */
};

/* What the early hook does, in this order. */
struct bowline_early {
    bool save; /* `state` is to be written */
    struct bl_state state;
    bool set; /* `record` becomes the running slot's state in otadata */
    uint32_t record;
    bool spent;
    bool no_rollback; /* the bootloader was built without it */
};

enum bowline_way {
    BOWLINE_STAY,
    BOWLINE_FORWARD, /* to the slot on trial */
    BOWLINE_BACK     /* the running slot is given up for the other */
};

/* What is done before the client runs, in this order. */
struct bowline_settled {
    bool save;
    struct bl_state state;
    bool valid;  /* otadata has the running slot VALID */
    bool forget; /* the other slot's record in otadata is erased */
    enum bowline_way way;
};

void bowline_decide_early(const struct bowline_facts *facts,
                          struct bowline_early *verdict);
void bowline_decide_settled(const struct bowline_facts *facts,
                            struct bowline_settled *verdict);

#endif
