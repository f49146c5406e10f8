/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

/* Sizes are set by rig_open: that of the layout. */
const struct sim_geometry rig_geometry[RIG_GEOMETRIES] = {
    {0, 4096, 1, 0xFF}, {0, 2048, 8, 0xFF},  {0, 8192, 256, 0xFF},
    {0, 256, 4, 0x00},  {0, 1024, 32, 0x00},
};

static const uint8_t app[] = {0x81, 0x43, 'a', 'p', 'p'};
static const uint8_t net[] = {0x81, 0x43, 'n', 'e', 't'};
static const uint8_t stage[] = {0x81, 0x43, 't', 'm', 'p'};
static const uint8_t active[] = {0x81, 0x43, 'r', 'u', 'n'};
const bl_span rig_app = {app, sizeof app};
const bl_span rig_net = {net, sizeof net};
const bl_span rig_stage = {stage, sizeof stage};
const bl_span rig_active = {active, sizeof active};

static struct bl_area lay(const struct sim_geometry *g, uint32_t size,
                          uint32_t *at)
{
    struct bl_area area;

    area.offset = *at;
    area.size = (size + g->erase_size - 1) / g->erase_size * g->erase_size;
    *at += area.size;
    return area;
}

static uint32_t make_layout(struct rig *rig, const struct sim_geometry *g)
{
    struct bl_layout *l = &rig->layout;
    uint32_t app_size = 5 * g->erase_size < 6000 ? 6000 : 5 * g->erase_size;
    uint32_t at = g->erase_size; /* something else lies in front */

    for (int i = 0; i < 2; i++) {
        l->root[i] = lay(g, BL_ROOT_AREA, &at);
        l->state[i] = lay(g, 1024, &at);
        l->journal[i] = lay(g, 1024, &at);
        l->manifest[i] = lay(g, 1024, &at);
        rig->component[0].area[i] = lay(g, app_size, &at);
        rig->component[1].area[i] = lay(g, 1500, &at);
    }
    rig->component[2].area[0] = lay(g, 1500, &at);
    rig->component[0].id = rig_app;
    rig->component[1].id = rig_net;
    rig->component[2].id = rig_stage;
    rig->component[2].kind = BL_COMPONENT_STAGE;
    rig->component[3].id = rig_active;
    rig->component[3].kind = BL_COMPONENT_ACTIVE;
    l->component = rig->component;
    l->n_components = 4;
    return at;
}

void rig_open(struct rig *rig, int g)
{
    struct sim_geometry geometry = rig_geometry[g];

    memset(rig, 0, sizeof *rig);
    geometry.size = make_layout(rig, &geometry);
    if (sim_flash_open(&rig->sim, &geometry) != 0) {
        fputs("no memory for the flash\n", stderr);
        exit(1);
    }
    rig->layout.flash = &rig->sim.flash;
    if (bl_layout_check(&rig->layout) != BL_OK) {
        fputs("the rig's layout is wrong\n", stderr);
        exit(1);
    }
}

void rig_close(struct rig *rig)
{
    sim_flash_close(&rig->sim);
}

void rig_copy(struct rig *to, const struct rig *from)
{
    sim_flash_copy(&to->sim, &from->sim);
    to->completed = from->completed;
}

struct bl_state rig_state(void)
{
    struct bl_state state;

    memset(&state, 0, sizeof state);
    state.active = BL_SLOT_A;
    state.trial = BL_SLOT_NONE;
    state.floor = 5;
    state.slot[0].status = BL_SLOT_CONFIRMED;
    state.slot[0].sequence = 5;
    return state;
}

void rig_payload(const struct rig *rig, uint32_t seed, uint8_t *out,
                 uint32_t n)
{
    uint32_t x = seed * 2654435761u + 1;
    uint32_t gap = n / 3;

    for (uint32_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(x >> 24);
    }
    if (seed % 2 == 1) {
        memset(out + gap, rig->sim.flash.erased, gap);
        memset(out + n - n / 10, rig->sim.flash.erased, n / 10);
    }
}
