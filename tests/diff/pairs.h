/* SPDX-License-Identifier: Apache-2.0 */
/* Images for tests: made from a seed, the same on every machine. */
#ifndef TESTS_DIFF_PAIRS_H
#define TESTS_DIFF_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

uint32_t dice_roll(struct dice *d, uint32_t below);

void fill_noise(struct dice *d, uint8_t *p, size_t n);

/* Something like code for Cortex-M at `base`: functions that push, pop, call
 * each other and load literals, then texts, with pointers to both. Whatever
 * does not fit is left out. `moved` bytes are put in before function
 * `where`. Returns its bytes. */
size_t make_firmware(uint32_t seed, uint32_t base, uint32_t functions,
                     uint32_t where, uint32_t moved, uint8_t *p, size_t room);

/* A little of `p` is changed, moved, left out, doubled: *n bytes become at
 * most `room`. */
void mutate(struct dice *d, uint8_t *p, size_t *n, size_t room);

/* One to three bits or bytes of n > 0 are made others. */
void damage(struct dice *d, uint8_t *p, size_t n);

#endif
