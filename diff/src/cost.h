/* SPDX-License-Identifier: Apache-2.0 */
/* Costs are counted in 1/256 bit, in integers: the same on each machine. */
#ifndef DIFF_COST_H
#define DIFF_COST_H

#include <stdint.h>

#define BITS(n) ((uint64_t)((n)*256))

/* log2(v), v > 0, to about a tenth of a bit. */
static inline uint64_t cost_log2(uint64_t v)
{
    uint32_t top = 0;
    for (uint64_t k = v; k > 1; k >>= 1) {
        top++;
    }
    uint64_t part = top >= 8 ? v >> (top - 8) : v << (8 - top);
    return (uint64_t)top * 256 + (part & 255);
}

#endif
