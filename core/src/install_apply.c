/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SUIT's x-apply: the image is built from a patch and a base that both lie in
 * flash. After a power cut the decoder begins again from the patch's first
 * byte, and what it gives before the place where the image goes on is dropped:
 * it needs no place in flash to keep its memory, and the time that this costs
 * is the processor's, not the network's.
 */
#include "install_apply.h"

#include "bowline/delta.h"

enum { CHUNK = 256 };

struct work {
    struct bl_install *install;
    const struct bl_suit_apply *apply;
    const struct bl_workspace *space;
    struct bl_area base;
    struct bl_area patch;
    uint32_t drop; /* bytes of output that flash holds already */
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The last bytes may wait for their write unit still. */
bl_status bl_install_written(const struct bl_install *install, uint32_t offset,
                             void *out, uint32_t n)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t all = install->done + install->io_used;
    uint32_t stored = 0;

    if (offset > all || n > all - offset) {
        return BL_DELTA_FORMAT;
    }
    if (offset < install->done) {
        stored = least(n, install->done - offset);
        if (flash->read(flash->ctx, install->area.offset + offset, out,
                        stored) != BL_OK) {
            return BL_FLASH;
        }
    }
    if (n > stored) {
        memcpy((uint8_t *)out + stored,
               install->io + (offset + stored - install->done), n - stored);
    }
    return BL_OK;
}

bl_status bl_delta_fits(const struct bl_delta_info *info, uint32_t base_size,
                        const uint8_t base_digest[32], uint32_t size,
                        const uint8_t digest[32])
{
    if (info->in_place) {
        return BL_DELTA;
    }
    if (info->old_size != base_size ||
        memcmp(info->old_check, base_digest, BL_DELTA_CHECK) != 0) {
        return BL_DELTA_BASE;
    }
    return info->new_size != size ||
                   memcmp(info->new_check, digest, BL_DELTA_CHECK) != 0
               ? BL_DELTA_FORMAT
               : BL_OK;
}

/* --- What the decoder reads and writes ------------------------------------
 */

static bl_status on_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct work *w = (const struct work *)ctx;
    const struct bl_flash *flash = w->install->layout->flash;

    if (offset > w->apply->base_size || n > w->apply->base_size - offset) {
        return BL_DELTA_FORMAT;
    }
    return flash->read(flash->ctx, w->base.offset + offset, out, n);
}

static bl_status on_written(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct work *w = (const struct work *)ctx;

    return bl_install_written(w->install, offset, out, n);
}

static bl_status on_write(void *ctx, const void *data, uint32_t n)
{
    struct work *w = (struct work *)ctx;
    uint32_t drop = least(n, w->drop);

    w->drop -= drop;
    return n == drop ? BL_OK
                     : bl_install_data(w->install,
                                       (const uint8_t *)data + drop, n - drop);
}

/* --- One run of the decoder -----------------------------------------------
 */

static void breathe(const struct work *w)
{
    if (w->space->busy != NULL) {
        w->space->busy(w->space->ctx);
    }
}

static bl_status read_patch(const struct work *w, uint32_t at, uint8_t *chunk,
                            uint32_t n)
{
    const struct bl_flash *flash = w->install->layout->flash;

    return flash->read(flash->ctx, w->patch.offset + at, chunk, n) == BL_OK
               ? BL_OK
               : BL_FLASH;
}

static bl_status open_patch(struct work *w, const struct bl_delta_io *io,
                            struct bl_delta **decoder)
{
    const struct bl_suit_apply *a = w->apply;
    uint32_t n = least(a->patch_size, BL_DELTA_HEAD);
    uint8_t head[BL_DELTA_HEAD];
    struct bl_delta_info info;
    bl_status s = read_patch(w, 0, head, n);

    if (s == BL_OK) {
        s = bl_delta_head(head, n, &info);
    }
    if (s == BL_OK) {
        s = bl_delta_fits(&info, a->base_size, a->base_digest, a->size,
                          a->digest);
    }
    if (s == BL_OK) {
        s = bl_delta_start(&info, io, a->base_size, a->size, w->space->memory,
                           w->space->size, decoder);
    }
    return s == BL_BUFFER ? BL_DELTA_FORMAT : s;
}

static bl_status feed(const struct work *w, struct bl_delta *decoder)
{
    uint8_t chunk[CHUNK];
    uint32_t at = 0;
    bl_status s = BL_OK;

    while (s == BL_OK && at < w->apply->patch_size) {
        uint32_t n = least(w->apply->patch_size - at, CHUNK);
        size_t taken = 0;

        s = read_patch(w, at, chunk, n);
        if (s == BL_OK) {
            s = bl_delta_data(decoder, chunk, n, &taken);
            at += (uint32_t)taken;
        }
        breathe(w);
    }
    return s;
}

static bl_status build(struct work *w)
{
    struct bl_delta_io io = {NULL, on_old, on_written, on_write};
    struct bl_delta *decoder = NULL;
    bool whole = false;
    bl_status s;

    io.ctx = w;
    w->drop = w->install->done;
    s = open_patch(w, &io, &decoder);
    if (s == BL_OK) {
        s = feed(w, decoder);
    }
    while (s == BL_OK && !whole) {
        s = bl_delta_end(decoder, &whole);
        breathe(w);
    }
    return s == BL_OK ? bl_install_end(w->install) : s;
}

/* --- The directive --------------------------------------------------------
 */

/* An area of at least `size` bytes. */
static bl_status find(const struct bl_install *install, bl_span id,
                      uint32_t size, struct bl_area *area)
{
    bool writable;
    bl_status s =
        bl_slot_area(install->layout, install->slot, id, area, &writable);

    return s == BL_OK && size > area->size ? BL_NO_SPACE : s;
}

bl_status bl_install_apply(struct bl_install *install,
                           const struct bl_suit_apply *apply,
                           const struct bl_workspace *space)
{
    struct work w;
    uint32_t offset = 0;
    bl_status s;

    w.install = install;
    w.apply = apply;
    w.space = space;
    s = find(install, apply->base, apply->base_size, &w.base);
    if (s == BL_OK) {
        s = find(install, apply->patch, apply->patch_size, &w.patch);
    }
    if (s == BL_OK) {
        s = bl_install_begin(install, apply->component, apply->size,
                             apply->digest, &offset);
    }
    if (s != BL_OK) {
        return s;
    }
    if (offset == apply->size) {
        s = bl_install_end(install);
    } else {
        s = build(&w);
    }
    if (s != BL_OK && offset > 0 && install->status != BL_FLASH &&
        install->status != BL_READ_BACK) {
        /* What was there may be another's; one try in one piece. */
        s = bl_install_restart(install);
        s = s == BL_OK ? build(&w) : s;
    }
    return s;
}
