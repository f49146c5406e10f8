/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flash in memory that loses power. It keeps the contract of bowline/flash.h
 * to the letter, and notes any breach of it by its user: a unit written twice
 * without an erase between, an unaligned or outlying access.
 *
 * Writes and erases are counted from 1; when number `cut_at` comes, that one
 * is left absent, partial, faint or complete, and the flash is dead (every
 * call fails) until sim_flash_power_on. What a cut leaves is a function of
 * seed and operation number: the same run gives the same bytes.
 *
 * A unit that a cut left undefined may still read as erased ("faint"): no
 * program can see that. Writing to such a unit is no breach, but the unit
 * then holds something else, so that only reading back finds out. Counted in
 * `faint_writes`.
 */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include "bowline/flash.h"

enum sim_cut {
    SIM_CUT_ABSENT,  /* nothing happened */
    SIM_CUT_PARTIAL, /* some units, then an undefined one; a mix */
    SIM_CUT_FAINT,   /* the same, but undefined units read as erased */
    SIM_CUT_COMPLETE,
    SIM_CUTS
};

#define SIM_NO_CUT UINT64_MAX

struct sim_geometry {
    uint32_t size;
    uint32_t erase_size;
    uint32_t write_size;
    uint8_t erased;
};

struct sim_flash {
    struct bl_flash flash; /* what core gets; its ctx is this struct */
    uint8_t *bytes;
    uint8_t *unit; /* private: state of each write unit */
    uint64_t ops;  /* writes and erases so far */
    uint64_t cut_at;
    enum sim_cut cut;
    uint32_t seed;
    bool dead;
    const char *breach; /* first breach of the contract, NULL: none */
    uint32_t breach_at;
    uint64_t writes;
    uint64_t erases;
    uint64_t faint_writes;
};

/* Erased flash, no cut. 0, or -1 when there is no memory. */
int sim_flash_open(struct sim_flash *sim, const struct sim_geometry *geometry);
void sim_flash_close(struct sim_flash *sim);
/* Makes `to`, opened with the same geometry, the same as `from`: bytes, unit
 * states and counters. */
void sim_flash_copy(struct sim_flash *to, const struct sim_flash *from);
/* Cuts at the n-th write or erase from now on, n >= 1. */
void sim_flash_cut_in(struct sim_flash *sim, uint64_t n, enum sim_cut cut);
/* Alive again, and no cut ahead. */
void sim_flash_power_on(struct sim_flash *sim);
/* "absent", "partial", "faint", "complete". */
const char *sim_cut_name(enum sim_cut cut);

#endif
