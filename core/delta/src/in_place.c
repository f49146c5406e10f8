/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder over the old image: blocks, slots, going on. The work area and
 * its checkpoints are in in_place_keep.c. */
#include "in_place.h"

#include <string.h>

#include "bowline/sha256.h"

/* Portions of output begin at multiples of BL_OUT, and a unit of flash has at
 * most 256 bytes. */
typedef char bl_in_place_fits[BL_OUT % BL_IN_PLACE_UNIT == 0 ? 1 : -1];

/* --- what it needs --- */

static uint32_t up(uint32_t n, uint32_t to)
{
    return (n + to - 1) & ~(to - 1);
}

uint32_t bl_in_place_memory(const struct bl_delta_info *info)
{
    return info->in_place ? up(info->ram + 4 * info->slots, 8) : 0;
}

uint32_t bl_in_place_work(const struct bl_delta_info *info,
                          const struct bl_flash *flash)
{
    if (!info->in_place || info->block < flash->erase_size ||
        flash->write_size > BL_IN_PLACE_UNIT) {
        return 0;
    }
    return info->slots * info->block +
           2 * bl_in_place_area(info, flash->write_size);
}

/* --- flash --- */

bl_status bl_in_place_write(struct bl_applier *a, uint32_t offset,
                            const uint8_t *data, uint32_t n)
{
    const struct bl_flash *f = a->p->flash;
    uint8_t back[BL_IN_PLACE_BACK];
    bl_status status = f->write(f->ctx, offset, data, n);
    uint32_t i;
    uint32_t k;

    for (i = 0; i < n && status == BL_OK; i += k) {
        k = n - i < sizeof back ? n - i : (uint32_t)sizeof back;
        status = f->read(f->ctx, offset + i, back, k);
        if (status == BL_OK && memcmp(back, data + i, k) != 0) {
            status = BL_READ_BACK;
        }
    }
    return status;
}

/* What is less than a unit of flash at the end, is filled up. */
bl_status bl_in_place_put(struct bl_applier *a, uint32_t offset,
                          const uint8_t *data, uint32_t n)
{
    uint32_t unit = a->p->flash->write_size;
    uint32_t whole = n & ~(unit - 1);
    uint8_t last[BL_IN_PLACE_UNIT];
    bl_status status = BL_OK;

    if (whole > 0) {
        status = bl_in_place_write(a, offset, data, whole);
    }
    if (status == BL_OK && whole < n) {
        memset(last, a->p->flash->erased, unit);
        memcpy(last, data + whole, n - whole);
        status = bl_in_place_write(a, offset + whole, last, unit);
    }
    return status;
}

bl_status bl_in_place_sync(const struct bl_applier *a)
{
    const struct bl_flash *f = a->p->flash;

    return f->sync(f->ctx);
}

static uint32_t block_at(const struct bl_applier *a, uint32_t page)
{
    return a->p->image.offset + page * a->info.block;
}

static uint32_t slot_at(const struct bl_applier *a, uint32_t slot)
{
    return a->p->work.offset + slot * a->info.block;
}

/* --- the decoder's images --- */

/* After a cut the decoder may be before a block was saved, while the image's
 * is gone. */
uint32_t bl_in_place_held(const struct bl_applier *a, uint32_t offset)
{
    uint32_t i;

    for (i = 0; i < a->info.slots; i++) {
        if (a->held[i] == offset / a->info.block) {
            return slot_at(a, i) + offset % a->info.block;
        }
    }
    return a->p->image.offset + offset;
}

/* A stash that differs comes with another checkpoint: that of the last one is
 * the decoder's. */
static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct bl_applier *a = ctx;
    const struct bl_flash *f = a->p->flash;
    const struct bl_place *place = bl_delta_codec(a->decoder)->paged;
    uint32_t at = bl_in_place_held(a, offset);
    uint32_t grains = bl_place_stashed(place, offset);

    if (at == a->p->image.offset + offset && grains != UINT32_MAX) {
        at = bl_in_place_stash(a, a->area, grains) +
             offset % (a->info.block >> BL_PLACE_GRAINS);
    }
    return f->read(f->ctx, at, out, n);
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    (void)ctx;
    (void)offset;
    (void)out;
    (void)n;
    return BL_ARGUMENT; /* never, in place */
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct bl_applier *a = ctx;

    return bl_in_place_put(
        a, a->p->image.offset + bl_delta_written(a->decoder), data, n);
}

/* --- a block begins --- */

static bool is_held(const struct bl_applier *a, uint32_t page)
{
    uint32_t i = 0;

    while (i < a->info.slots && a->held[i] != page) {
        i++;
    }
    return i < a->info.slots;
}

/* Does a cut find no more what it must decode again? */
static bool must_keep(const struct bl_applier *a,
                      const struct bl_delta_page *page, bool save)
{
    const struct bl_place *place = bl_delta_codec(a->decoder)->paged;
    uint32_t gone = page->page;

    if (a->sequence == 0 || place->event == BL_PLACE_STASH) {
        return true;
    }
    if (save) {
        gone = a->held[page->slot];
    } else if (is_held(a, gone)) {
        return false;
    }
    return gone != UINT32_MAX && bl_place_bit(place->touched, gone);
}

static bl_status save_block(struct bl_applier *a,
                            const struct bl_delta_page *page)
{
    const struct bl_flash *f = a->p->flash;
    uint8_t part[BL_IN_PLACE_UNIT];
    bl_status status = f->erase(f->ctx, slot_at(a, page->slot), a->info.block);
    uint32_t i;

    a->held[page->slot] = UINT32_MAX;
    for (i = 0; i < a->info.block && status == BL_OK; i += sizeof part) {
        status =
            f->read(f->ctx, block_at(a, page->page) + i, part, sizeof part);
        if (status == BL_OK) {
            status = bl_in_place_write(a, slot_at(a, page->slot) + i, part,
                                       sizeof part);
        }
    }
    return status == BL_OK ? bl_in_place_sync(a) : status;
}

/* Saves the block, if the patch says so and it is not done yet. */
static bl_status save_page(struct bl_applier *a,
                           const struct bl_delta_page *page)
{
    bl_status status = save_block(a, page);

    if (status == BL_OK) {
        status = bl_in_place_note(a, page);
    }
    if (status == BL_NO_SPACE) {
        status = bl_in_place_keep(a, page);
        if (status == BL_OK) {
            status = save_block(a, page);
        }
        if (status == BL_OK) {
            status = bl_in_place_note(a, page);
        }
    }
    if (status == BL_OK) {
        a->held[page->slot] = page->page;
        a->saves = page->saves;
    }
    return status;
}

static bl_status begin_page(struct bl_applier *a,
                            const struct bl_delta_page *page)
{
    const struct bl_flash *f = a->p->flash;
    bool save = page->slot != BL_DELTA_NOT_SAVED && page->saves > a->saves;
    bl_status status = BL_OK;

    if (must_keep(a, page, save)) {
        status = bl_in_place_keep(a, page);
    }
    if (status == BL_OK && save) {
        status = save_page(a, page);
    }
    if (status == BL_OK) {
        status = f->erase(f->ctx, block_at(a, page->page), a->info.block);
    }
    if (a->p->tick != NULL) {
        a->p->tick(a->p->ctx, page->page * a->info.block);
    }
    return status;
}

/* --- from begin to end --- */

static bl_status step(struct bl_applier *a, bool *whole)
{
    uint8_t part[BL_DELTA_HEAD];
    struct bl_delta_page page;
    uint32_t got;
    size_t taken;
    bl_status status = BL_OK;

    if (bl_delta_page(a->decoder, &page)) {
        status = begin_page(a, &page);
    }
    if (status == BL_OK) {
        status = a->p->patch(a->p->ctx, bl_delta_taken(a->decoder), part,
                             sizeof part, &got);
    }
    if (status != BL_OK) {
        return status;
    }
    return got > 0 ? bl_delta_data(a->decoder, part, got, &taken)
                   : bl_delta_end(a->decoder, whole);
}

static bl_status digest_of(const struct bl_applier *a, uint32_t size,
                           uint8_t digest[BL_SHA256_SIZE])
{
    const struct bl_flash *f = a->p->flash;
    struct bl_sha256 hash;
    uint8_t part[BL_IN_PLACE_UNIT];
    bl_status status = BL_OK;
    uint32_t i;
    uint32_t n;

    bl_sha256_init(&hash);
    for (i = 0; i < size && status == BL_OK; i += n) {
        n = size - i < sizeof part ? size - i : (uint32_t)sizeof part;
        status = f->read(f->ctx, a->p->image.offset + i, part, n);
        bl_sha256_update(&hash, part, n);
    }
    bl_sha256_final(&hash, digest);
    return status;
}

/* BL_OK: it is the image; `other`: it is not. */
static bl_status check(const struct bl_applier *a, uint32_t size,
                       const uint8_t *whole, const uint8_t *begin,
                       bl_status other)
{
    uint8_t digest[BL_SHA256_SIZE];
    bl_status status = digest_of(a, size, digest);

    if (status != BL_OK) {
        return status;
    }
    return memcmp(digest, whole != NULL ? whole : begin,
                  whole != NULL ? sizeof digest : BL_DELTA_CHECK) == 0
               ? BL_OK
               : other;
}

static bl_status start(struct bl_applier *a)
{
    const struct bl_delta_info *i = &a->info;
    bl_status status =
        check(a, i->old_size, a->p->old_digest, i->old_check, BL_DELTA_BASE);

    memset(a->held, 0xFF, 4 * (size_t)i->slots);
    if (status == BL_OK && (a->stale || a->sequence > 0)) {
        status = bl_in_place_clear(a);
    }
    if (status == BL_OK) {
        status = bl_delta_start(i, &a->io, a->p->image.size, a->p->image.size,
                                a->p->memory, a->p->memory_size, &a->decoder);
    }
    return status;
}

static bl_status finish(struct bl_applier *a)
{
    bl_status status = bl_in_place_sync(a);

    if (status == BL_OK) {
        status = check(a, a->info.new_size, a->p->new_digest,
                       a->info.new_check, BL_DELTA_FAILED);
    }
    if (status == BL_OK && a->sequence > 0) {
        status = bl_in_place_end(a);
    }
    return status;
}

/* The patch's head, and whether all that it needs is there. */
static bl_status open(struct bl_applier *a, const struct bl_in_place *p)
{
    uint8_t head[BL_DELTA_HEAD];
    uint32_t got;
    uint32_t work;
    uint32_t n;
    bl_status status;

    memset(a, 0, sizeof *a);
    a->p = p;
    a->io.ctx = a;
    a->io.old = read_old;
    a->io.written = read_new;
    a->io.write = write_new;
    status = p->patch(p->ctx, 0, head, sizeof head, &got);
    if (status == BL_OK) {
        status = bl_delta_head(head, got, &a->info);
    }
    if (status != BL_OK) {
        return status == BL_BUFFER ? BL_DELTA_FORMAT : status;
    }
    a->id = bl_in_place_crc(0, head, a->info.n);
    work = bl_in_place_work(&a->info, p->flash);
    n = a->info.old_size > a->info.new_size ? a->info.old_size
                                            : a->info.new_size;
    if (work == 0) {
        return BL_DELTA;
    }
    if (p->memory_size < bl_in_place_memory(&a->info)) {
        return BL_DELTA_RAM;
    }
    a->held = (uint32_t *)(void *)((uint8_t *)p->memory + up(a->info.ram, 8));
    return p->work.size < work || n > p->image.size ||
                   p->image.size % a->info.block != 0
               ? BL_NO_SPACE
               : BL_OK;
}

bl_status bl_in_place_run(const struct bl_in_place *p)
{
    struct bl_applier a;
    bool whole = false;
    bl_status status = open(&a, p);

    if (status == BL_OK) {
        status = bl_in_place_find(&a);
    }
    if (status == BL_OK && a.ended &&
        check(&a, a.info.new_size, p->new_digest, a.info.new_check,
              BL_DELTA_FAILED) == BL_OK) {
        return BL_OK;
    }
    if (status == BL_OK) {
        status =
            a.sequence > 0 && !a.ended ? bl_in_place_take_up(&a) : start(&a);
    }
    while (status == BL_OK && !whole) {
        status = step(&a, &whole);
    }
    return status == BL_OK ? finish(&a) : status;
}

bl_status bl_in_place_look(const struct bl_in_place *p,
                           enum bl_in_place_state *out)
{
    struct bl_applier a;
    bl_status status = open(&a, p);

    if (status == BL_OK) {
        status = bl_in_place_find(&a);
    }
    if (status == BL_OK) {
        *out = a.sequence == 0 ? BL_IN_PLACE_NOTHING
               : a.ended       ? BL_IN_PLACE_DONE
                               : BL_IN_PLACE_BEGUN;
    }
    return status;
}

bl_status bl_in_place_forget(const struct bl_in_place *p)
{
    struct bl_applier a;
    bl_status status = open(&a, p);

    if (status == BL_OK) {
        status = bl_in_place_find(&a);
    }
    if (status == BL_OK && a.sequence > 0) {
        status = a.ended ? bl_in_place_clear(&a) : BL_BUSY;
    }
    return status;
}
