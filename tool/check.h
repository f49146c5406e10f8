/* SPDX-License-Identifier: Apache-2.0 */
/* bowline check sdkconfig: one finding each for what a build promises. */
#ifndef CHECK_H
#define CHECK_H

#include "sdkconfig.h"

enum verdict {
    HOLDS,
    BROKEN, /* a promise does not hold; devices live on */
    BRICKS, /* a device could be bricked, or never be updated */
    TOLD    /* neither good nor bad: for the reader to know */
};

struct check {
    struct call *c;
    const struct sdkconfig *config;
    json_t *findings;
    bool bricks;
};

/*
 * Adds a finding. `setting` is the one that decides (without CONFIG_; its
 * line is told), `change` the lines to write, divided by "; "; either may be
 * NULL.
 */
void check_add(struct check *k, const char *name, enum verdict verdict,
               const char *said, const char *setting, const char *change);

/* The lines for a table with two slots and no factory application: the
 * ready one came late to ESP-IDF. NULL: the project's own table is to be
 * changed. */
const char *check_two_slots(const struct check *k);
/* check_partitions.c: two OTA slots, and what is wrong with the table; 0 or
 * EXIT_INPUT. *factory: does the table have a factory application? */
int check_partitions(struct check *k, bool *factory);
/* check_rules.c: all the rest. */
void check_rules(struct check *k, bool factory);

#endif
