/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

#include "site.h"

static uint32_t half_of(const struct bl_map *m)
{
#if BL_DELTA_LARGE
    return m->narrow != 0 ? 3 : 4;
#else
    (void)m;
    return 3;
#endif
}

void bl_map_set(struct bl_map *m, uint32_t i, uint32_t at, uint32_t shift)
{
    uint32_t half = half_of(m);
    uint8_t *p = m->entries + (size_t)i * 2 * half;

    bl_set(p, at, half);
    bl_set(p + half, shift, half);
}

/* A field of an entry. */
static inline uint32_t get(const uint8_t *p, uint32_t half)
{
    uint32_t value = bl_get2(p) | (uint32_t)p[2] << 16;

    return half == 3 ? value : value | (uint32_t)p[3] << 24;
}

static inline uint32_t shift_of(const uint8_t *p, uint32_t half)
{
    return half == 3 ? (uint32_t)bl_sign(get(p, half), 24) : get(p, half);
}

uint32_t bl_map_start_at(const struct bl_map *m, uint32_t i)
{
    uint32_t half = half_of(m);

    return get(m->entries + (size_t)i * 2 * half, half);
}

uint32_t bl_map_shift(const struct bl_map *m, uint32_t i)
{
    uint32_t half = half_of(m);

    return shift_of(m->entries + ((size_t)i * 2 + 1) * half, half);
}

uint32_t bl_map_find(const struct bl_map *m, uint32_t at)
{
    uint32_t half = half_of(m);
    uint32_t low = 0;
    uint32_t high = m->n;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (get(m->entries + (size_t)middle * 2 * half, half) <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t bl_map_place(const struct bl_map *m, uint32_t from, uint32_t *at)
{
    uint32_t half = half_of(m);
    const uint8_t *p = m->entries;
    uint32_t best = UINT32_MAX;
    uint32_t i;

    for (i = 0; i < m->n; i++) {
        uint32_t start = get(p, half);
        uint32_t place = start + shift_of(p + half, half);

        if (place >= from && place < best) {
            best = place;
            *at = start;
        }
        p += 2 * half;
    }
    return best;
}
