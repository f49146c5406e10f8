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

#include "bowline/sha256.h"
#include "diff/pairs.h"
#include "encode.h"
#include "in_place_cuts.h"

enum {
    BITS = 8,
    BLOCK = 1 << BITS,
    BLOCKS = 12,
    OPERATIONS = 200,
    SPARE_MOST = 3,
    PLANS = 60, /* of which each FEW-th is cut; exhaustive: all */
    FEW = 4,
    SHARE = 4 /* of 16 draws: this often a block has a stash, ... */
};

/* --- a plan --- */

struct drawn {
    struct bl_plan plan;
    struct bl_operation operations[OPERATIONS];
    struct bl_page pages[BLOCKS + 2];
    struct bl_piece pieces[BLOCKS + 2][BL_PLACE_PIECES];
    struct bl_piece stash[BL_PLACE_PIECES]; /* as it is so far */
    uint32_t stash_n, used;
    uint32_t held[SPARE_MOST + 1];
};

/* The new image: copies of the old one from everywhere, and new bytes. */
static void draw_images(struct rig *r, struct dice *d, struct drawn *w)
{
    uint32_t n = 0;
    r->old_n = BLOCK * (2 + dice_roll(d, BLOCKS - 2)) - dice_roll(d, BLOCK);
    r->now_n = BLOCK * (2 + dice_roll(d, BLOCKS - 2)) - dice_roll(d, BLOCK);
    fill_noise(d, r->old, r->old_n);
    fill_noise(d, r->now, r->now_n);
    for (uint32_t at = 0; at < r->now_n; at += w->operations[n++].length) {
        uint32_t length = 1 + dice_roll(d, n + 2 < OPERATIONS ? 150 : 9999);
        uint32_t most = r->now_n - at < r->old_n ? r->now_n - at : r->old_n;
        struct bl_operation *o = &w->operations[n];
        o->length = length < most && n + 1 < OPERATIONS ? length : most;
        o->old = BL_LITERAL;
        if (dice_roll(d, 8) != 0 || o->length == r->old_n) {
            o->old = dice_roll(d, r->old_n - o->length + 1);
            memcpy(r->now + at, r->old + o->old, o->length);
        }
    }
    w->plan.operations = w->operations;
    w->plan.operations_n = n;
}

/* One of the slots, or none. Returns the block that was in it. */
static uint32_t draw_slot(struct dice *d, struct drawn *w, struct bl_page *p)
{
    uint32_t was = UINT32_MAX;
    p->slot = BL_PLACE_NONE;
    if (p->page < bl_place_pages(w->plan.old.size, BITS) &&
        dice_roll(d, 2) == 0) {
        p->slot = (uint8_t)dice_roll(d, w->plan.settings.slots);
        was = w->held[p->slot];
        w->held[p->slot] = p->page;
    }
    return was;
}

static void draw_drops(struct dice *d, struct drawn *w, struct bl_page *p)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < w->stash_n; k++) {
        if (dice_roll(d, 3) == 0) {
            p->drop |= 1u << k;
            w->used -= w->stash[k].n;
        } else {
            w->stash[n++] = w->stash[k];
        }
    }
    w->stash_n = n;
}

/* Pieces of this block, or of the one that `was` in its slot. */
static void draw_stash(struct dice *d, struct drawn *w, struct bl_page *p,
                       uint32_t was, struct bl_piece *pieces)
{
    uint32_t room = w->plan.settings.stash * (BL_GRAINS / 16u);
    if (room == 0 || dice_roll(d, 16) >= 3 * SHARE) {
        return;
    }
    p->stash = true;
    p->pieces = pieces;
    draw_drops(d, w, p);
    while (w->stash_n < BL_PLACE_PIECES && dice_roll(d, 16) < 3 * SHARE) {
        uint32_t page =
            was != UINT32_MAX && dice_roll(d, 2) == 0 ? was : p->page;
        uint32_t start = dice_roll(d, BL_GRAINS);
        uint32_t n = 1 + dice_roll(d, BL_GRAINS - start);
        if (n > room - w->used) {
            break;
        }
        struct bl_piece one = {page * BL_GRAINS + start, (uint8_t)n, 0};
        pieces[p->pieces_n++] = one;
        w->stash[w->stash_n++] = one;
        w->used += n;
    }
}

/* All blocks, or those that change, in any order; often one after another. */
static void draw_pages(struct rig *r, struct dice *d, struct drawn *w)
{
    uint32_t all = bl_place_pages(r->now_n, BITS), n = 0;
    for (uint32_t k = 0; k < all; k++) {
        uint32_t at = k * BLOCK;
        uint32_t size = r->now_n - at < BLOCK ? r->now_n - at : BLOCK;
        bool same = at + size <= r->old_n &&
                    memcmp(r->now + at, r->old + at, size) == 0;
        if (!same || dice_roll(d, 2) == 0) {
            w->pages[n++].page = k;
        }
    }
    for (uint32_t k = 0; k + 1 < n; k++) {
        uint32_t to = dice_roll(d, 3) == 0 ? k : k + dice_roll(d, n - k);
        uint32_t page = w->pages[k].page;
        w->pages[k].page = w->pages[to].page;
        w->pages[to].page = page;
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t was = draw_slot(d, w, &w->pages[k]);
        draw_stash(d, w, &w->pages[k], was, w->pieces[k]);
    }
    w->plan.pages = w->pages;
    w->plan.pages_n = n;
}

static void encode(struct rig *r, struct drawn *w)
{
    uint8_t digest[BL_SHA256_SIZE];
    struct bl_costs costs;
    struct buffer room = BUFFER(SIZE_MAX);
    void *memory = malloc(bl_encode_memory(&w->plan));
    assert_non_null(memory);
    bl_sha256(r->old, r->old_n, digest);
    memcpy(w->plan.old_check, digest, BL_DELTA_CHECK);
    bl_sha256(r->now, r->now_n, digest);
    memcpy(w->plan.new_check, digest, BL_DELTA_CHECK);
    r->patch = room;
    assert_int_equal(buffer_reserve(&r->patch, 3 * RIG_IMAGE, NULL), 0);
    assert_int_equal(
        bl_encode(&w->plan, memory, r->patch.p, 3 * RIG_IMAGE, &costs), BL_OK);
    r->patch.n = costs.bytes;
    free(memory);
}

/* The same plan for the same number, and a device with its old image. */
static struct rig *rig_drawn(uint32_t number)
{
    struct dice d = {number + 1};
    struct rig *r = calloc(1, sizeof *r);
    struct drawn *w = calloc(1, sizeof *w);
    assert_non_null(r);
    assert_non_null(w);
    memset(w->held, 0xFF, sizeof w->held);
    draw_images(r, &d, w);
    w->plan.old.data = r->old;
    w->plan.old.size = r->old_n;
    w->plan.now.data = r->now;
    w->plan.now.size = r->now_n;
    w->plan.settings.in_place = true;
    w->plan.settings.block = BITS;
    r->spare = dice_roll(&d, SPARE_MOST + 1);
    w->plan.settings.slots = (uint8_t)(r->spare + 1);
    w->plan.settings.stash = (uint8_t)dice_roll(&d, BL_STASH_MAX + 1);
    draw_pages(r, &d, w);
    encode(r, w);
    r->block = BLOCK;
    rig_open_patch(r, 1u << dice_roll(&d, 9));
    free(w);
    return r;
}

static void rig_end(struct rig *r)
{
    rig_close(r);
    free(r);
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
        (void)snprintf(name, sizeof name, "plan %u", (unsigned)k);
        struct cuts c = {.name = name, .exhaustive = cuts_exhaustive()};
        if (!c.exhaustive && k % FEW != 0) {
            continue;
        }
        c.turn = k;
        c.r = rig_drawn(k);
        cut_everywhere(&c);
        runs += c.runs;
        rig_end(c.r);
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
