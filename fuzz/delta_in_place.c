/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile patches for one slot, applied over an image in flash. Nothing
 * outside the two areas is written, flash is used as its contract says, the
 * work has an end; what comes out is what the decoder makes of an old image
 * that is kept; and cuts of the power in between make no difference to it,
 * however bad the patch is.
 *
 * Bytes: which image, the flash's unit, where the cuts are (two), then the
 * patch. Mutations know the structure: each so often a good
 * patch is made by the encoder, and then damaged.
 */
#include <stdlib.h>
#include <string.h>

#include "bowline/delta_in_place.h"
#include "bowline/sha256.h"
#include "delta_kinds.h"
#include "flash.h"
#include "in_place_drawn.h"

enum {
    LEAD = 4,
    ONE_FRESH_IN = 300,
    BLOCK_MOST = 4096,
    WORK_MOST = 1 << 18,
    MEMORY_MOST = 1 << 16,
    GUARD = 0x5A,
    CUTS = 4,
    NOISES = 8,
    IMAGES = KINDS + NOISES
};

struct device {
    struct sim_flash flash;
    struct bl_in_place place;
    const uint8_t *patch;
    uint32_t patch_n;
    uint64_t asked, limit; /* portions of the patch: so far, at most */
    uint32_t block;
};

static uint64_t memory[MEMORY_MOST / sizeof(uint64_t)];

static bl_status patch_read(void *ctx, uint32_t offset, void *out, uint32_t n,
                            uint32_t *got)
{
    struct device *d = ctx;

    if (d->asked++ > d->limit) {
        abort(); /* it has no end */
    }
    *got = 0;
    if (offset < d->patch_n) {
        *got = n < d->patch_n - offset ? n : d->patch_n - offset;
        memcpy(out, d->patch + offset, *got);
    }
    return BL_OK;
}

/* A block before, between and behind the areas. */
static bool device_open(struct device *d, const struct made *m,
                        const struct bl_delta_info *info, uint32_t unit)
{
    uint32_t n =
        info->old_size > info->new_size ? info->old_size : info->new_size;
    struct bl_flash geometry = {.erase_size = info->block, .write_size = unit};
    struct sim_geometry g;

    d->block = info->block;
    d->place.image.offset = info->block;
    d->place.image.size = (n + info->block - 1) / info->block * info->block;
    d->place.work.offset = d->place.image.size + 2 * info->block;
    d->place.work.size = bl_in_place_work(info, &geometry);
    if (d->place.work.size == 0 || d->place.work.size > WORK_MOST) {
        return false;
    }
    g.size = d->place.work.offset + d->place.work.size + info->block;
    g.erase_size = info->block;
    g.write_size = unit;
    g.erased = 0xFF;
    if (sim_flash_open(&d->flash, &g) != 0) {
        return false;
    }
    memset(d->flash.bytes, GUARD, d->flash.flash.size);
    memset(d->flash.bytes + d->place.image.offset, 0xFF, d->place.image.size);
    memcpy(d->flash.bytes + d->place.image.offset, m->old, info->old_size);
    memset(d->flash.bytes + d->place.work.offset, 0xFF, d->place.work.size);
    d->place.flash = &d->flash.flash;
    d->place.patch = patch_read;
    d->place.ctx = d;
    d->place.memory = memory;
    d->place.memory_size = bl_in_place_memory(info);
    /* a step that puts nothing out takes patch or a page */
    d->limit = 64 + 16 * ((uint64_t)n + d->patch_n);
    return true;
}

static bool guarded(const struct device *d, uint32_t at)
{
    for (uint32_t k = 0; k < d->block; k++) {
        if (d->flash.bytes[at + k] != GUARD) {
            return false;
        }
    }
    return true;
}

static void check(const struct device *d)
{
    if (d->flash.breach != NULL || !guarded(d, 0) ||
        !guarded(d, d->place.image.offset + d->place.image.size) ||
        !guarded(d, d->place.work.offset + d->place.work.size)) {
        abort();
    }
}

static bl_status run(struct device *d)
{
    bl_status status;

    memset(memory, 0xA5, d->place.memory_size);
    d->asked = 0;
    status = bl_in_place_run(&d->place);
    check(d);
    return status;
}

/* The same, cut at two of its operations, and taken up. */
static void run_cut(struct device *d, const struct sim_flash *start,
                    const struct device *whole, uint64_t ops, bl_status must,
                    struct dice *dice)
{
    bl_status status;

    sim_flash_copy(&d->flash, start);
    d->flash.seed = dice->state & UINT32_MAX;
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t most = k == 0 ? (uint32_t)ops : 1 + (uint32_t)ops / 4;

        sim_flash_cut_in(&d->flash, 1 + dice_roll(dice, most),
                         (enum sim_cut)dice_roll(dice, SIM_CUTS));
        (void)run(d);
        sim_flash_power_on(&d->flash);
    }
    status = run(d);
    if (must != BL_OK && must != BL_DELTA_FAILED) {
        return; /* it had no end to compare */
    }
    if (status != must ||
        memcmp(d->flash.bytes + d->place.image.offset,
               whole->flash.bytes + whole->place.image.offset,
               d->place.image.size) != 0) {
        abort();
    }
}

/* A patch that gives its image when the old one is kept does so over it. */
static void compare(const struct device *d, const struct made *m,
                    const struct bl_delta_info *info, bl_status status)
{
    struct buffer made = BUFFER(SIZE_MAX);

    if (diff_apply(m->old, info->old_size, d->patch, d->patch_n, &made,
                   NULL) == 0 &&
        (status != BL_OK || memcmp(d->flash.bytes + d->place.image.offset,
                                   made.p, made.n) != 0)) {
        abort();
    }
    buffer_free(&made);
}

static void both(struct device *d, struct device *other, const struct made *m,
                 const struct bl_delta_info *info, uint32_t seed)
{
    struct sim_flash start;
    struct sim_geometry g = {d->flash.flash.size, d->flash.flash.erase_size,
                             d->flash.flash.write_size, 0xFF};
    struct dice dice = {seed};

    if (sim_flash_open(&start, &g) == 0) {
        sim_flash_copy(&start, &d->flash);
        bl_status status = run(d);
        uint64_t ops = d->flash.ops - start.ops;

        compare(d, m, info, status);
        for (uint32_t k = 0; k < CUTS && ops > 0; k++) {
            run_cut(other, &start, d, ops, status, &dice);
        }
        sim_flash_close(&start);
    }
}

/* Those of the other fuzzers, and noise for patches that are drawn. */
static const struct made *image(uint32_t kind)
{
    static struct made *all[IMAGES];
    struct dice d = {0};

    kind %= IMAGES;
    if (all[kind] == NULL) {
        all[kind] = calloc(1, sizeof *all[kind]);
        if (kind < KINDS) {
            kind_images(kind, 0, all[kind]);
        } else {
            d.state = kind;
            fill_noise(&d, all[kind]->old, DRAWN_ROOM);
            all[kind]->old_n = DRAWN_ROOM;
        }
    }
    return all[kind];
}

/* The digest of the old image that is there is given, so that each patch is
 * begun, whatever its head says. */
static bool head_fits(const struct made *m, struct bl_delta_info *info)
{
    return info->in_place && info->old_size <= m->old_n &&
           info->new_size <= MADE_ROOM && info->block <= BLOCK_MOST &&
           bl_in_place_memory(info) <= MEMORY_MOST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct device d[2];
    struct bl_delta_info info;
    const struct made *m;
    uint8_t digest[BL_SHA256_SIZE];

    if (size < LEAD ||
        bl_delta_head(data + LEAD, size - LEAD, &info) != BL_OK) {
        return 0;
    }
    m = image(data[0]);
    if (!head_fits(m, &info)) {
        return 0;
    }
    bl_sha256(m->old, info.old_size, digest);
    memset(d, 0, sizeof d);
    for (uint32_t k = 0; k < 2; k++) {
        d[k].patch = data + LEAD;
        d[k].patch_n = (uint32_t)(size - LEAD);
        d[k].place.old_digest = digest;
    }
    uint32_t unit = 1u << (data[1] % 9);
    if (device_open(&d[0], m, &info, unit) &&
        device_open(&d[1], m, &info, unit)) {
        both(&d[0], &d[1], m, &info,
             (uint32_t)data[2] | (uint32_t)data[3] << 8);
    }
    sim_flash_close(&d[0].flash);
    sim_flash_close(&d[1].flash);
    return 0;
}

/* Blocks of 256 bytes change places, whole and in parts, so that slots and
 * the stash are wanted. */
static void shuffle(struct made *m, struct dice *d)
{
    uint32_t piece = 40 + dice_roll(d, 300), n = (uint32_t)m->old_n / piece;

    memcpy(m->now, m->old, m->old_n);
    m->now_n = m->old_n;
    for (uint32_t k = 0; k + 1 < n; k++) {
        uint32_t to = k + dice_roll(d, n - k < 4 ? n - k : 4);

        for (uint32_t j = 0; j < piece; j++) {
            uint8_t was = m->now[k * piece + j];
            m->now[k * piece + j] = m->now[to * piece + j];
            m->now[to * piece + j] = was;
        }
    }
}

/* One whose order of blocks, slots and stash are drawn. */
static size_t fresh_drawn(uint8_t *data, size_t size, size_t max_size,
                          struct dice *d)
{
    static struct drawn_pair pair;

    data[0] = (uint8_t)(KINDS + dice_roll(d, NOISES));
    if (drawn_make(d, image(data[0])->old, &pair) &&
        pair.patch_n <= max_size - LEAD) {
        memcpy(data + LEAD, pair.patch, pair.patch_n);
        size = LEAD + pair.patch_n;
    }
    return size;
}

/* A good patch for the image of data[0]. */
static size_t fresh_made(uint8_t *data, size_t size, size_t max_size,
                         struct dice *d)
{
    static struct made m;
    struct buffer patch = BUFFER(SIZE_MAX);
    struct diff_options o;

    data[0] = (uint8_t)dice_roll(d, KINDS);
    kind_images(data[0], dice_roll(d, 1U << 30), &m);
    if (dice_roll(d, 2) == 0) {
        shuffle(&m, d);
    }
    diff_defaults(&o);
    o.effort = 0;
    o.ram = 6500 + dice_roll(d, 6000);
    o.isa = dice_roll(d, 2) == 0 ? data[0] % BL_DELTA_ISAS : DIFF_DETECT;
    o.in_place = true;
    o.block = 256U << dice_roll(d, 2);
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

static size_t fresh(uint8_t *data, size_t size, size_t max_size,
                    struct dice *d)
{
    if (max_size < LEAD) {
        return size;
    }
    for (uint32_t k = 0; k < LEAD; k++) {
        data[k] = (uint8_t)dice_roll(d, 256);
    }
    return dice_roll(d, 4) == 0 ? fresh_made(data, size, max_size, d)
                                : fresh_drawn(data, size, max_size, d);
}

/* Seldom in the head. */
static void damage_most(uint8_t *data, size_t size, struct dice *d)
{
    size_t head = size > LEAD + 24 && dice_roll(d, 6) != 0 ? LEAD + 16 : 1;

    if (size > head) {
        damage(d, data + head, size - head);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned int seed)
{
    struct dice d = {seed};
    uint32_t what = dice_roll(&d, ONE_FRESH_IN);

    if (what == 0 || size <= LEAD) {
        size = fresh(data, size, max_size, &d);
    }
    if (size > LEAD && what % 4 == 1 && max_size > LEAD) {
        return LEAD +
               LLVMFuzzerMutate(data + LEAD, size - LEAD, max_size - LEAD);
    }
    if (what % 4 == 2 && size >= LEAD) { /* another cut of the same patch */
        data[2] = (uint8_t)dice_roll(&d, 256);
        data[3] = (uint8_t)dice_roll(&d, 256);
        return size;
    }
    if (what != 0 || dice_roll(&d, 4) != 0) {
        damage_most(data, size, &d);
    }
    return size;
}
