/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder's memory with gaps between its parts that nothing may touch. */
#ifndef FUZZ_HOSTILE_MEMORY_H
#define FUZZ_HOSTILE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum { HOSTILE_GAP = 32 };

/* Where the gaps behind the fixed part are, for the patch with this head: how
 * many of at most `room`. */
uint32_t hostile_gaps(const uint8_t *patch, size_t n, uint32_t *at,
                      uint32_t room);

#endif
