/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash of one of thousands of devices: the contract and the power cuts of
 * flash.h, in pages that exist only where something was written. Devices that
 * come from the same factory share its pages until they write to them.
 *
 * Pages are shared between threads; a chip belongs to one.
 */
#ifndef SIM_FLEET_FLASH_H
#define SIM_FLEET_FLASH_H

#include "flash.h"

enum { FLEET_ERASE = 2048, FLEET_WRITE = 8, FLEET_PAGE = 1024 };

struct fleet_page;

struct fleet_flash {
    struct bl_flash flash; /* what core gets; its ctx is this struct */
    struct fleet_page **page;
    uint64_t ops; /* writes and erases so far */
    uint64_t cut_at;
    enum sim_cut cut;
    uint32_t seed;
    bool dead;
    const char *breach; /* first breach of the contract, NULL: none */
};

/* Erased; `size` is a multiple of FLEET_ERASE. -1: no memory. */
int fleet_flash_open(struct fleet_flash *flash, uint32_t size);
/* The same content as `from` has, whose pages are shared. */
int fleet_flash_clone(struct fleet_flash *flash,
                      const struct fleet_flash *from);
void fleet_flash_close(struct fleet_flash *flash);
/* Cuts at the n-th write or erase from now on, n >= 1. */
void fleet_flash_cut_in(struct fleet_flash *flash, uint64_t n,
                        enum sim_cut cut);
/* Alive again. A cut that has not come yet is forgotten. */
void fleet_flash_power_on(struct fleet_flash *flash);
/* Pages of all chips of this process. */
uint64_t fleet_flash_pages(void);

/* For keeping a chip: page number `i`, its bytes and unit states in one piece
 * of FLEET_PAGE_KEPT bytes. NULL: erased. */
enum { FLEET_PAGE_KEPT = FLEET_PAGE + FLEET_PAGE / FLEET_WRITE / 4 };
uint32_t fleet_flash_n_pages(const struct fleet_flash *flash);
const uint8_t *fleet_flash_page(const struct fleet_flash *flash, uint32_t i);
int fleet_flash_set_page(struct fleet_flash *flash, uint32_t i,
                         const uint8_t kept[FLEET_PAGE_KEPT]);

#endif
