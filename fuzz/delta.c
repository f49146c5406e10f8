/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches for old images of each instruction set. The first byte says which
 * image, the second how the patch is brought (portions; is the memory moved
 * and taken up), and by its upper bit what the rest is: a patch, or draws of
 * symbols that make one (symbols.h), with some of its bytes damaged. Mutations
 * know the structure: each so often a good patch is made by the encoder, and
 * then damaged. The same by the hundred million, untraced: storm_main.c.
 */
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "delta_kinds.h"
#include "symbols.h"

enum { LEAD = 2, NEW_ROOM = 2500, ONE_FRESH_IN = 3000, BY_SYMBOLS = 128 };

static const struct made *image(uint32_t kind)
{
    static struct made *all[KINDS];

    kind %= KINDS;
    if (all[kind] == NULL) {
        all[kind] = calloc(1, sizeof *all[kind]);
        kind_images(kind, 0, all[kind]);
    }
    return all[kind];
}

static void give(const struct made *m, uint8_t how, const uint8_t *patch,
                 size_t n)
{
    static uint8_t now[NEW_ROOM];
    struct carry c = {0};
    struct bl_delta_info info;
    bl_status status = bl_delta_head(patch, n, &info);

    if (status != BL_OK || info.old_size > m->old_n) {
        return;
    }
    c.old = m->old;
    c.old_n = info.old_size;
    c.now = now;
    c.room = NEW_ROOM;
    c.moves = (how & 7) == 0;
    c.dice.state = how;
    status = carry_patch(&c, patch, n);
    if (c.broken != NULL || (status == BL_OK && c.now_n != info.new_size)) {
        abort();
    }
}

/* The patch of drawn symbols, mostly with some bits damaged. */
static void give_symbols(const struct made *m, uint32_t kind, uint8_t how,
                         const uint8_t *data, size_t size)
{
    static struct symbols_walk walk;
    static uint8_t patch[4096];
    struct symbols_old old = {.p = m->old,
                              .n = (uint32_t)m->old_n,
                              .isa = kind % BL_DELTA_ISAS,
                              .base = 0x42000000};
    struct draw d = {data, size, 1};
    bool exact;
    size_t n = symbols_patch(&d, &old, patch, sizeof patch, &walk, &exact);

    for (uint32_t k = draw(&d, 4); k > 0 && n > 0; k--) {
        patch[draw(&d, (uint32_t)n)] ^= (uint8_t)(1U << draw(&d, 8));
    }
    give(m, how, patch, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < LEAD) {
        return 0;
    }
    if ((data[1] & BY_SYMBOLS) != 0) {
        give_symbols(image(data[0]), data[0], data[1], data + LEAD,
                     size - LEAD);
    } else {
        give(image(data[0]), data[1], data + LEAD, size - LEAD);
    }
    return 0;
}

/* A good patch for the image of data[0]. */
static size_t fresh(uint8_t *data, size_t size, size_t max_size,
                    struct dice *d)
{
    static const uint8_t rams[] = {6, 8, 12, 16, 32};
    static struct made m;
    struct buffer patch = BUFFER(SIZE_MAX);
    struct diff_options o;

    if (max_size < LEAD) {
        return size;
    }
    data[0] = (uint8_t)dice_roll(d, KINDS);
    data[1] = (uint8_t)dice_roll(d, BY_SYMBOLS);
    kind_images(data[0], dice_roll(d, 1U << 30), &m);
    diff_defaults(&o);
    o.effort = 0;
    o.ram = rams[dice_roll(d, 5)] * 1024U;
    o.isa = dice_roll(d, 2) == 0 ? data[0] % BL_DELTA_ISAS : DIFF_DETECT;
    o.in_place = dice_roll(d, 4) == 0;
    o.block = 256;
    o.spare = dice_roll(d, 3);
    if (diff_make(m.old, m.old_n, m.now, m.now_n, &o, &patch, NULL, NULL) ==
            0 &&
        patch.n <= max_size - LEAD) {
        memcpy(data + LEAD, patch.p, patch.n);
        size = LEAD + patch.n;
    }
    buffer_free(&patch);
    return size;
}

/* Seldom in the head. */
static void damage_most(uint8_t *data, size_t size, struct dice *d)
{
    size_t head = size > LEAD + 24 && dice_roll(d, 4) != 0 ? LEAD + 22 : LEAD;

    if (size > head) {
        damage(d, data + head, size - head);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned int seed)
{
    struct dice d = {seed};
    uint32_t what = dice_roll(&d, ONE_FRESH_IN);

    if (size <= LEAD ? what % 2 == 0 : (data[1] & BY_SYMBOLS) != 0) {
        if (size == 0 && max_size > 0) {
            data[size++] = (uint8_t)what;
        }
        if (size == 1 && max_size > 1) {
            data[size++] = BY_SYMBOLS;
        }
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (what == 0 || size <= LEAD) {
        size = fresh(data, size, max_size, &d);
    }
    if (size > LEAD && what % 4 == 1 && max_size > LEAD) {
        return LEAD +
               LLVMFuzzerMutate(data + LEAD, size - LEAD, max_size - LEAD);
    }
    if (size > LEAD && what == 2) {
        return LEAD + 1 + dice_roll(&d, (uint32_t)(size - LEAD));
    }
    if (what != 0 || dice_roll(&d, 4) != 0) {
        damage_most(data, size, &d);
    }
    return size;
}
