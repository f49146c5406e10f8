/* SPDX-License-Identifier: Apache-2.0 */
#include "in_place_drawn.h"

#include <stdlib.h>
#include <string.h>

#include "bowline/sha256.h"
#include "encode.h"

enum {
    BITS = 8,
    BLOCK = DRAWN_BLOCK,
    BLOCKS = DRAWN_ROOM / BLOCK,
    OPERATIONS = 200,
    SPARE_MOST = 3,
    SHARE = 4 /* of 16 draws: this often a block has a stash, ... */
};

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
static void draw_images(struct drawn_pair *r, struct dice *d,
                        const uint8_t *noise, struct drawn *w)
{
    uint32_t n = 0;
    r->old_n = BLOCK * (2 + dice_roll(d, BLOCKS - 2)) - dice_roll(d, BLOCK);
    r->now_n = BLOCK * (2 + dice_roll(d, BLOCKS - 2)) - dice_roll(d, BLOCK);
    if (noise != NULL) {
        memcpy(r->old, noise, r->old_n);
    } else {
        fill_noise(d, r->old, r->old_n);
    }
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
static void draw_pages(struct drawn_pair *r, struct dice *d, struct drawn *w)
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

static bool encode(struct drawn_pair *r, struct drawn *w)
{
    uint8_t digest[BL_SHA256_SIZE];
    struct bl_costs costs = {.bytes = 0};
    bl_status status = BL_NO_SPACE;
    void *memory = malloc(bl_encode_memory(&w->plan));
    bl_sha256(r->old, r->old_n, digest);
    memcpy(w->plan.old_check, digest, BL_DELTA_CHECK);
    bl_sha256(r->now, r->now_n, digest);
    memcpy(w->plan.new_check, digest, BL_DELTA_CHECK);
    if (memory != NULL) {
        status =
            bl_encode(&w->plan, memory, r->patch, sizeof r->patch, &costs);
    }
    r->patch_n = costs.bytes;
    free(memory);
    return status == BL_OK;
}

bool drawn_make(struct dice *d, const uint8_t *noise, struct drawn_pair *r)
{
    static const struct bl_region none[1];
    struct drawn *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return false;
    }
    memset(w->held, 0xFF, sizeof w->held);
    draw_images(r, d, noise, w);
    w->plan.old.data = r->old;
    w->plan.old.size = r->old_n;
    w->plan.old.regions = w->plan.now.regions = none;
    w->plan.now.data = r->now;
    w->plan.now.size = r->now_n;
    w->plan.settings.in_place = true;
    w->plan.settings.block = BITS;
    r->spare = dice_roll(d, SPARE_MOST + 1);
    w->plan.settings.slots = (uint8_t)(r->spare + 1);
    w->plan.settings.stash = (uint8_t)dice_roll(d, BL_STASH_MAX + 1);
    draw_pages(r, d, w);
    bool made = encode(r, w);
    free(w);
    return made;
}
