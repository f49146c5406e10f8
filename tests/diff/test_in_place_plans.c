/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever order of blocks a patch says, whatever it has saved, put into the
 * stash and dropped: it gives the new image, through every power cut. The
 * plans are drawn: no encoder that wants small patches comes upon most of
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "in_place_cuts.h"
#include "in_place_drawn.h"

enum { PLANS = 60, FEW = 4 }; /* each FEW-th is cut; exhaustive: all */

/* The same plan for the same number, and a device with its old image. */
static struct rig *rig_drawn(uint32_t number)
{
    struct dice d = {number + 1};
    struct rig *r = calloc(1, sizeof *r);
    struct drawn_pair *p = calloc(1, sizeof *p);
    struct buffer room = BUFFER(SIZE_MAX);
    assert_non_null(r);
    assert_non_null(p);
    assert_true(drawn_make(&d, NULL, p));
    memcpy(r->old, p->old, p->old_n);
    memcpy(r->now, p->now, p->now_n);
    r->old_n = p->old_n;
    r->now_n = p->now_n;
    r->spare = p->spare;
    r->block = DRAWN_BLOCK;
    r->patch = room;
    assert_int_equal(buffer_append(&r->patch, p->patch, p->patch_n, NULL), 0);
    rig_open_patch(r, 1u << dice_roll(&d, 9));
    free(p);
    return r;
}

/* --- tests --- */

static void must_give_the_new_image(uint32_t number)
{
    struct rig *r = rig_drawn(number);
    bl_status status = rig_run(r);
    if (status != BL_OK || !rig_holds(r, r->now, r->now_n)) {
        fail_msg("plan %u: status %d", (unsigned)number, (int)status);
    }
    rig_check(r);
    rig_end(r);
}

static void any_plan_gives_the_new_image(void **state)
{
    uint32_t plans = cuts_exhaustive() ? 20000 : 400;
    (void)state;
    for (uint32_t k = 0; k < plans; k++) {
        must_give_the_new_image(k);
    }
}

/* By the distance of the last copy this block would come from the byte before
 * the old image, whose number stands for new bytes. */
static void new_bytes_are_no_copy_from_nowhere(void **state)
{
    (void)state;
    must_give_the_new_image(2755);
}

static void any_plan_goes_through_every_cut(void **state)
{
    uint32_t runs = 0;
    (void)state;
    for (uint32_t k = 0; k < PLANS; k++) {
        char name[24];
        if (!cuts_exhaustive() && k % FEW != 0) {
            continue;
        }
        (void)snprintf(name, sizeof name, "plan %u", (unsigned)k);
        runs += cut_everywhere(rig_drawn(k), name, k);
    }
    print_message("%u cuts\n", (unsigned)runs);
    assert_in_range(runs, 1000, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_plan_gives_the_new_image),
        cmocka_unit_test(new_bytes_are_no_copy_from_nowhere),
        cmocka_unit_test(any_plan_goes_through_every_cut),
    };
    return cmocka_run_group_tests_name("in_place_plans", tests, NULL, NULL);
}
