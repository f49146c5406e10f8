/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the blocks of the new image are written over the old one, and
 * what of the old ones is kept where. A block is looked at in 64 grains, as
 * the stash takes them: a set of grains is a number of 64 bits.
 */
#ifndef DIFF_IN_PLACE_ORDER_H
#define DIFF_IN_PLACE_ORDER_H

#include "in_place.h"
#include "place.h"

/* Block `to` needs bytes of old block `of`. */
struct need {
    uint32_t to, of;
    uint64_t grains; /* that its bytes lie in */
    uint64_t near;   /* and those that a decoder looks at */
    uint64_t lost;   /* of `grains`, as ordered last */
};

struct order {
    uint8_t bits;
    uint8_t slots;
    uint8_t stash;     /* 16ths of a block */
    uint32_t pages;    /* of the new image */
    uint32_t all;      /* of the larger one */
    bool *changes;     /* each block of the new image: is it to be written? */
    struct need *need; /* by `to`; each pair once */
    uint32_t needs, room;
    uint32_t *first; /* need of each block; one more than pages */
};

/* Finds the best order it can: out->pages, pages_n, lost; lost grains of each
 * need. */
int order_find(struct order *o, struct in_place *out, struct error *error);

#endif
