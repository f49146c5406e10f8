/* SPDX-License-Identifier: Apache-2.0 */
#include "in_place_cuts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff/pairs.h"

enum { SEVENTH = 7 };

struct cuts {
    struct rig *r;
    const char *name;
    bool exhaustive;
    uint32_t turn; /* which kind of cut comes first */
    uint32_t runs; /* so far */
    struct sim_flash start, first;
};

bool cuts_exhaustive(void)
{
    const char *all = getenv("BOWLINE_EXHAUSTIVE");
    return all != NULL && all[0] == '1';
}

static void must_end(struct cuts *c, uint64_t k, uint64_t k2, uint32_t kind)
{
    struct rig *r = c->r;
    bl_status status;
    sim_flash_power_on(&r->flash);
    if (rig_look(r) == BL_IN_PLACE_NOTHING &&
        !rig_holds(r, r->old, r->old_n)) {
        fail_msg("%s: touched, and not begun: block %u cut %llu", c->name,
                 c->r->block, (unsigned long long)k);
    }
    status = rig_run(r);
    if (status != BL_OK || !rig_holds(r, r->now, r->now_n) ||
        rig_look(r) != BL_IN_PLACE_DONE) {
        fail_msg("%s: status %d: block %u unit %u spare %u cut %llu/%llu %s",
                 c->name, (int)status, c->r->block, c->r->unit, c->r->spare,
                 (unsigned long long)k, (unsigned long long)k2,
                 sim_cut_name((enum sim_cut)kind));
    }
    rig_check(r);
    c->runs++;
}

/* The second cut comes at operation k2 of going on. False: it ended before. */
static bool second(struct cuts *c, uint64_t k, uint64_t k2, uint32_t kind)
{
    struct rig *r = c->r;
    bl_status status;
    sim_flash_copy(&r->flash, &c->first);
    sim_flash_power_on(&r->flash);
    r->flash.seed = (uint32_t)(k * 31 + k2);
    sim_flash_cut_in(&r->flash, k2, (enum sim_cut)kind);
    status = rig_run(r);
    if (!r->flash.dead) {
        assert_int_equal(status, BL_OK);
        return false;
    }
    must_end(c, k, k2, kind);
    return true;
}

static void seconds(struct cuts *c, uint64_t k, uint32_t kind)
{
    struct dice d = {k * 4 + kind};
    sim_flash_copy(&c->first, &c->r->flash);
    if (!c->exhaustive || (k + c->turn) % SEVENTH != 0) {
        (void)second(c, k, 1 + dice_roll(&d, 12), dice_roll(&d, SIM_CUTS));
        return;
    }
    uint64_t k2 = 1;
    while (second(c, k, k2, dice_roll(&d, SIM_CUTS))) {
        k2++;
    }
}

/* False: it ended before the cut. */
static bool first(struct cuts *c, uint64_t k, uint32_t kind)
{
    struct rig *r = c->r;
    bl_status status;
    sim_flash_copy(&r->flash, &c->start);
    r->flash.seed = (uint32_t)k;
    sim_flash_cut_in(&r->flash, k, (enum sim_cut)kind);
    status = rig_run(r);
    if (!r->flash.dead) {
        assert_int_equal(status, BL_OK);
        return false;
    }
    sim_flash_copy(&c->first, &r->flash);
    must_end(c, k, 0, kind);
    sim_flash_copy(&r->flash, &c->first);
    seconds(c, k, kind);
    return true;
}

uint32_t cut_everywhere(struct rig *r, const char *name, uint32_t turn)
{
    struct cuts c = {
        .r = r, .name = name, .exhaustive = cuts_exhaustive(), .turn = turn};
    struct sim_geometry g = {r->flash.flash.size, r->block, r->unit, 0xFF};
    assert_int_equal(sim_flash_open(&c.start, &g), 0);
    assert_int_equal(sim_flash_open(&c.first, &g), 0);
    sim_flash_copy(&c.start, &r->flash);
    bool more = true;
    for (uint64_t k = 1; more; k++) {
        uint32_t n = c.exhaustive ? SIM_CUTS : 1;
        for (uint32_t kind = 0; kind < n && more; kind++) {
            more = first(&c, k, c.exhaustive ? kind : (k + turn) % SIM_CUTS);
        }
    }
    sim_flash_close(&c.start);
    sim_flash_close(&c.first);
    rig_end(r);
    return c.runs;
}
