/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

/* Larger tables are only worth it when the map has room beside them: what
 * references need comes first. Found by measuring. */
static const struct profile {
    uint8_t table;
    uint16_t map, ram_map; /* entries at least */
} profiles[] = {{14, 6000, 256}, {12, 3000, 128}, {10, 1500, 96},
                {8, 400, 64},    {6, 250, 32},    {4, 100, 16},
                {2, 48, 8},      {0, 16, 4},      {0, 0, 0}};

static uint32_t need(const struct bl_plan *plan, const struct profile *p,
                     uint32_t map)
{
    struct bl_plan one = *plan;
    one.settings.table = p->table;
    one.map_n = map;
    one.ram_map_n = p->ram_map;
    return bl_encode_ram(&one);
}

/* The most entries that fit. */
static uint32_t most_entries(const struct bl_plan *plan,
                             const struct profile *p, uint32_t ram)
{
    uint32_t low = p->map, high = 65535;
    while (low < high) {
        uint32_t mid = low + (high - low + 1) / 2;
        if (need(plan, p, mid) <= ram) {
            low = mid;
        } else {
            high = mid - 1;
        }
    }
    return low;
}

int fit_ram(const struct bl_plan *plan, uint32_t ram, struct fit *out,
            struct error *error)
{
    for (size_t k = 0; k < sizeof profiles / sizeof *profiles; k++) {
        const struct profile *p = &profiles[k];
        if (need(plan, p, p->map) > ram) {
            continue;
        }
        out->settings = plan->settings;
        out->settings.table = p->table;
        out->map = most_entries(plan, p, ram);
        out->ram_map = p->ram_map;
        return 0;
    }
    return error_set(
        error,
        "delta: %u bytes of decoder memory are too few: at "
        "least %u are needed",
        (unsigned)ram,
        (unsigned)need(plan, &profiles[sizeof profiles / sizeof *profiles - 1],
                       0));
}

void fit_table(struct bl_plan *plan, uint32_t ram)
{
    struct bl_plan next = *plan;
    while (next.settings.table < 15) {
        next.settings.table++;
        if (bl_encode_ram(&next) > ram) {
            return;
        }
        plan->settings.table = next.settings.table;
    }
}
