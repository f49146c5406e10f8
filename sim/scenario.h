/* SPDX-License-Identifier: Apache-2.0 */
/* What is played while the power is cut: docs/TESTING.md, "Power". */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

struct sim_scenario {
    const char *name;
    /* Releases that the device has confirmed before, in order, after the
     * factory's; SIM_R_NONE ends the list. */
    enum sim_release_name before[3];
    enum sim_release_name wanted;
    enum sim_release_name expected; /* runs, confirmed, in the end */
    unsigned root;                  /* newest root document, 1 when 0 */
    bool permit;
    bool recalls;    /* the operator wants `expected` back during the trial */
    uint32_t breaks; /* of the payload's transfer, each after ... */
    uint32_t break_at;
    bool no_range;
    bool patched;               /* comes by its manifest's own patch */
    bool refused;               /* the fallback must be as it was */
    enum sim_release_name then; /* wanted after a cut instead; SIM_R1: none */
    enum sim_patch_name patch;  /* is offered; SIM_NO_PATCH: none */
    bool no_patch;              /* ... but cannot be had */
    uint32_t room;              /* free behind the image, for checkpoints */
    /* Of all second cuts each so many-th; 0: every one. When not all are
     * wanted, one for each fourth first cut, instead of for each. */
    unsigned second;
};

extern const struct sim_scenario sim_scenarios[];
extern const unsigned sim_n_scenarios;

/* Brings a new world to the moment before the scenario begins; -1 with
 * world->fault set. */
int sim_scenario_prepare(const struct sim_scenario *scenario,
                         struct sim_world *world);
/* Tells the server what the scenario wants of it. */
void sim_scenario_begin(const struct sim_scenario *scenario,
                        struct sim_world *world);
/* Did the payload come the way it should when nothing went wrong? */
int sim_scenario_check_way(const struct sim_scenario *scenario,
                           struct sim_world *world);
/* The power was cut: the operator may have another wish by now. */
void sim_scenario_cut(const struct sim_scenario *scenario,
                      struct sim_world *world);
/* Is a settled world as the scenario must end? -1 with world->fault set. */
int sim_scenario_check(const struct sim_scenario *scenario,
                       struct sim_world *world);

#endif
