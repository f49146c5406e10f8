/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches over the old image, and a power cut at every flash operation of
 * each, on several geometries (in_place_cuts.h). Usually half of the pairs
 * with each geometry; BOWLINE_EXHAUSTIVE=1: all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff/pairs.h"
#include "in_place_cuts.h"

/* --- pairs --- */

typedef void make_pair(struct rig *r, uint32_t block);

static void fill_old(struct rig *r, uint32_t seed, uint32_t n)
{
    struct dice d = {seed};
    r->old_n = r->now_n = n;
    fill_noise(&d, r->old, n);
    memcpy(r->now, r->old, n);
}

static void one_byte(struct rig *r, uint32_t block)
{
    fill_old(r, 1, 5 * block + 9);
    r->now[2 * block + 3] ^= 1;
}

static void front_inserted(struct rig *r, uint32_t block)
{
    fill_old(r, 2, 3 * block);
    r->now_n = r->old_n + 70;
    memcpy(r->now + 70, r->old, r->old_n);
}

static void front_removed(struct rig *r, uint32_t block)
{
    fill_old(r, 3, 3 * block + 100);
    r->now_n = r->old_n - 90;
    memcpy(r->now, r->old + 90, r->now_n);
}

static void appended(struct rig *r, uint32_t block)
{
    struct dice d = {99};
    fill_old(r, 4, 2 * block + 17);
    r->now_n = r->old_n + 2 * block;
    fill_noise(&d, r->now + r->old_n, 2 * block);
}

static void halves_swapped(struct rig *r, uint32_t block)
{
    uint32_t half = 2 * block;
    fill_old(r, 5, 2 * half);
    memcpy(r->now, r->old + half, half);
    memcpy(r->now + half, r->old, half);
}

static void shuffled(struct rig *r, uint32_t block)
{
    struct dice d = {6};
    uint32_t piece = block / 3, n = 11;
    fill_old(r, 6, n * piece);
    for (uint32_t k = 0; k < n; k++) {
        memcpy(r->now + (k * 7 + 3) % n * piece, r->old + k * piece, piece);
    }
    fill_noise(&d, r->now + block, 20);
}

static void shrunk_to_a_byte(struct rig *r, uint32_t block)
{
    fill_old(r, 7, 3 * block);
    r->now_n = 1;
    r->now[0] = r->old[2 * block];
}

static void firmware(struct rig *r, uint32_t block)
{
    (void)block;
    r->old_n =
        (uint32_t)make_firmware(8, 0x08004000, 60, 20, 0, r->old, RIG_IMAGE);
    r->now_n =
        (uint32_t)make_firmware(8, 0x08004000, 60, 20, 52, r->now, RIG_IMAGE);
}

static const struct {
    make_pair *make;
    const char *name;
} pairs[] = {{one_byte, "one byte"},
             {front_inserted, "front inserted"},
             {front_removed, "front removed"},
             {appended, "appended"},
             {halves_swapped, "halves swapped"},
             {shuffled, "shuffled"},
             {shrunk_to_a_byte, "shrunk to a byte"},
             {firmware, "firmware"}};

enum { PAIRS = sizeof pairs / sizeof *pairs };

static const struct shape {
    uint32_t block, unit, spare;
} shapes[] = {{256, 1, 0},  {256, 16, 2}, {512, 4, 1},  {1024, 8, 0},
              {1024, 2, 4}, {4096, 4, 0}, {4096, 16, 1}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct rig *rig_of(uint32_t pair, const struct shape *s)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    struct buffer patch = BUFFER(SIZE_MAX);
    r->patch = patch;
    pairs[pair].make(r, s->block);
    rig_open(r, s->block, s->unit, s->spare);
    return r;
}

/* --- without cuts --- */

static void every_pair_becomes_the_new_image(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < PAIRS * SHAPES; k++) {
        struct rig *r = rig_of(k % PAIRS, &shapes[k / PAIRS]);
        assert_int_equal(rig_look(r), BL_IN_PLACE_NOTHING);
        assert_int_equal(rig_run(r), BL_OK);
        assert_true(rig_holds(r, r->now, r->now_n));
        assert_int_equal(rig_look(r), BL_IN_PLACE_DONE);
        uint64_t ops = r->flash.ops;
        assert_int_equal(rig_run(r), BL_OK);
        assert_int_equal(r->flash.ops, ops);
        rig_check(r);
        rig_end(r);
    }
}

static void blocks_that_do_not_change_are_not_touched(void **state)
{
    (void)state;
    struct rig *r = rig_of(0, &shapes[3]);
    uint64_t erases = r->flash.erases;
    assert_int_equal(rig_run(r), BL_OK);
    assert_int_equal(r->ticks, 1);
    /* a checkpoint, the saved block, the block, the end */
    assert_in_range(r->flash.erases - erases, 2, 5);
    rig_end(r);
}

static void after_forgetting_it_may_be_done_again(void **state)
{
    (void)state;
    struct rig *r = rig_of(1, &shapes[2]);
    const struct bl_flash *f = &r->flash.flash;
    assert_int_equal(rig_run(r), BL_OK);
    assert_int_equal(bl_in_place_forget(&r->place), BL_OK);
    assert_int_equal(rig_look(r), BL_IN_PLACE_NOTHING);
    assert_int_equal(rig_run(r), BL_DELTA_BASE);
    /* Back to the old image by other means: also when nothing was forgotten */
    for (uint32_t k = 0; k < 2; k++) {
        assert_int_equal(
            f->erase(f->ctx, r->place.image.offset, r->place.image.size),
            BL_OK);
        assert_int_equal(
            f->write(f->ctx, r->place.image.offset, r->old, r->old_n), BL_OK);
        assert_int_equal(rig_run(r), BL_OK);
        assert_true(rig_holds(r, r->now, r->now_n));
    }
    rig_check(r);
    rig_end(r);
}

static void what_does_not_fit_is_refused_before_a_write(void **state)
{
    (void)state;
    struct rig *r = rig_of(1, &shapes[2]);
    uint64_t ops = r->flash.ops;
    struct bl_in_place was = r->place;
    r->place.memory_size--;
    assert_int_equal(rig_run(r), BL_DELTA_RAM);
    r->place = was;
    r->place.work.size -= r->block;
    assert_int_equal(rig_run(r), BL_NO_SPACE);
    r->place = was;
    r->place.image.size -= r->block;
    assert_int_equal(rig_run(r), BL_NO_SPACE);
    r->place = was;
    r->flash.bytes[r->place.image.offset + 7] ^= 1;
    assert_int_equal(rig_run(r), BL_DELTA_BASE);
    assert_int_equal(rig_look(r), BL_IN_PLACE_NOTHING);
    assert_int_equal(r->flash.ops, ops);
    rig_end(r);
}

static void another_patch_is_not_begun_over_one_that_is(void **state)
{
    (void)state;
    struct rig *r = rig_of(1, &shapes[2]);
    struct bl_delta_info info;
    assert_int_equal(bl_delta_head(r->patch.p, r->patch.n, &info), BL_OK);
    sim_flash_cut_in(&r->flash, 12, SIM_CUT_PARTIAL);
    assert_int_equal(rig_run(r), BL_FLASH);
    sim_flash_power_on(&r->flash);
    assert_int_equal(rig_look(r), BL_IN_PLACE_BEGUN);
    assert_int_equal(bl_in_place_forget(&r->place), BL_BUSY);
    r->patch.p[info.n - 1] ^= 1; /* the new image's check in the head */
    assert_int_equal(rig_run(r), BL_DELTA_BASE);
    r->patch.p[info.n - 1] ^= 1;
    assert_int_equal(rig_run(r), BL_OK);
    assert_true(rig_holds(r, r->now, r->now_n));
    rig_end(r);
}

/* --- hostile patches --- */

static void broken_patches_stay_within_the_areas(void **state)
{
    struct dice d = {77};
    (void)state;
    struct rig *r = rig_of(5, &shapes[1]);
    struct sim_flash start;
    struct sim_geometry g = {r->flash.flash.size, r->block, r->unit, 0xFF};
    assert_int_equal(sim_flash_open(&start, &g), 0);
    sim_flash_copy(&start, &r->flash);
    for (uint32_t k = 0; k < 1500; k++) {
        uint32_t at = dice_roll(&d, (uint32_t)r->patch.n);
        uint8_t was = r->patch.p[at];
        r->patch.p[at] = (uint8_t)(was ^ (1 + dice_roll(&d, 255)));
        sim_flash_copy(&r->flash, &start);
        bl_status status = rig_run(r);
        if (status == BL_OK) {
            assert_true(rig_holds(r, r->now, r->now_n));
        }
        rig_check(r);
        r->patch.p[at] = was;
    }
    sim_flash_close(&start);
    rig_end(r);
}

/* --- cuts --- */

static void every_cut_ends_in_the_new_image(void **state)
{
    uint32_t runs = 0;
    (void)state;
    for (uint32_t k = 0; k < PAIRS * SHAPES; k++) {
        uint32_t pair = k % PAIRS;
        uint32_t shape = k / PAIRS;
        if (!cuts_exhaustive() && (pair + shape) % 2 != 0) {
            continue;
        }
        runs +=
            cut_everywhere(rig_of(pair, &shapes[shape]), pairs[pair].name, k);
    }
    print_message("%u cuts\n", (unsigned)runs);
    assert_in_range(runs, 1000, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_becomes_the_new_image),
        cmocka_unit_test(blocks_that_do_not_change_are_not_touched),
        cmocka_unit_test(after_forgetting_it_may_be_done_again),
        cmocka_unit_test(what_does_not_fit_is_refused_before_a_write),
        cmocka_unit_test(another_patch_is_not_begun_over_one_that_is),
        cmocka_unit_test(broken_patches_stay_within_the_areas),
        cmocka_unit_test(every_cut_ends_in_the_new_image),
    };
    return cmocka_run_group_tests_name("in_place", tests, NULL, NULL);
}
