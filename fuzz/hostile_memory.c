/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bl_head_memory for the fuzzers' build of the decoder: the product's (head.c,
 * under another name) says where the parts lie, here they are moved apart.
 */
#include "hostile_memory.h"

#include "head.h"

void bl_hostile_head_memory(const struct bl_head *h, struct bl_parts *parts);

enum { PARTS = sizeof(struct bl_parts) / sizeof(uint32_t) };

void bl_head_memory(const struct bl_head *h, struct bl_parts *parts)
{
    uint32_t *part = (uint32_t *)(void *)parts; /* all of it are offsets */

    bl_hostile_head_memory(h, parts);
    for (uint32_t i = 0; i < PARTS; i++) {
        part[i] += (i + 1) * HOSTILE_GAP;
    }
}

uint32_t hostile_gaps(const uint8_t *patch, size_t n, uint32_t *at,
                      uint32_t room)
{
    struct bl_head h;
    struct bl_parts parts;
    const uint32_t *part = (const uint32_t *)(const void *)&parts;
    uint32_t used;
    uint32_t gaps = 0;

    if (bl_head_read(patch, n, &h, &used) != BL_OK) {
        return 0;
    }
    bl_head_memory(&h, &parts);
    for (; gaps < PARTS && gaps < room; gaps++) {
        at[gaps] = part[gaps] - HOSTILE_GAP;
    }
    return gaps;
}
