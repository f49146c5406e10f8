/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the power is cut in. A case does a piece of work that goes on where it
 * was left: `run` is the work, and, after a cut, its repetition.
 */
#ifndef STORAGE_POWERCUT_H
#define STORAGE_POWERCUT_H

#include "rig.h"

struct powercut_case {
    const char *name;
    int parameter;
    void (*prepare)(struct rig *rig, int parameter);
    /* BL_OK when all is done. Raises rig->completed with every step that the
     * device may rely on from then on. */
    bl_status (*run)(struct rig *rig, int parameter);
    /* After a cut, power on again: what must hold at once, before anything
     * is repaired. NULL: it holds; else what does not. */
    const char *(*holds)(struct rig *rig, int parameter);
    /* After a run that returned BL_OK. */
    const char *(*done)(struct rig *rig, int parameter);
};

extern const struct powercut_case powercut_cases[];
extern const int powercut_n_cases;

/* Reads the root documents of tests/vectors. 0 when they are there. */
int powercut_cases_open(void);
void powercut_cases_close(void);

#endif
