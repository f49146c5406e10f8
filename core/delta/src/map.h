/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map of places in the old image (or of RAM addresses): from each entry's
 * place on, up to the next entry's, all moved by the entry's shift. Entries
 * are packed into 6 bytes (3 + 3) or 8.
 */
#ifndef BL_DELTA_MAP_H
#define BL_DELTA_MAP_H

#include "names.h"

#include <stdbool.h>
#include <stdint.h>

struct bl_map {
    uint8_t *entries;
    uint32_t n;      /* that are set */
    uint32_t narrow; /* 1: entries of 6 bytes */
};

void bl_map_set(struct bl_map *m, uint32_t i, uint32_t at, uint32_t shift);
uint32_t bl_map_start_at(const struct bl_map *m, uint32_t i);
uint32_t bl_map_shift(const struct bl_map *m, uint32_t i);

/* Entries at or before `at`. */
uint32_t bl_map_find(const struct bl_map *m, uint32_t at);

/* The first entry, in order, whose place in the new image is the least that
 * is not below `from`. Returns that place; UINT32_MAX: none. */
uint32_t bl_map_place(const struct bl_map *m, uint32_t from, uint32_t *at);

#endif
