/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device: the double's chip, ESP-IDF's boot selection, a firmware that uses
 * the component as an application would. Releases behave as sim/fixture.h
 * says; a test may also have one die before the early hook.
 */
#ifndef ESP_IDF_RIG_H
#define ESP_IDF_RIG_H

#include "chip.h"

#include "bowline/client.h"
#include "bowline_esp.h"

enum { RIG_HOURS = 3, RIG_BOOTS = 30 };

struct rig {
    struct sim_fixture *fixture;
    uint32_t dies_early;  /* bit per release: before the hook */
    uint32_t cut_early;   /* so many boots of these lose power there */
    uint32_t cut_late;    /* ... or behind the hook */
    uint32_t marks_valid; /* bit per release: app_main confirms by itself */
    enum sim_release_name cut_which;
    unsigned boots[SIM_RELEASES + 1]; /* of each, as they ran */
    unsigned n_boots;
    bool bad_root; /* in the firmware */
    bool dead;     /* nothing boots */
};

extern struct rig rig;

int rig_open(struct sim_fixture *fixture);
void rig_close(void);
/* A new chip with release 1 in ota_0, as `idf.py flash` leaves it. */
void rig_factory(void);
/* Power on, until it is quiet for hours, or cut (CHIP_CUT). */
enum chip_end rig_run(void);
/* The release that is confirmed, in state record and otadata; SIM_R_NONE when
 * they disagree, or another one runs. */
enum sim_release_name rig_confirmed(void);
bl_status rig_state(struct bl_state *state);

#endif
