/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying a patch over the old image itself, for devices without a second
 * slot (docs/DELTA-IN-PLACE.md). The power may go at any time: the next call
 * of bl_in_place_run goes on, and ends in the new image.
 *
 * From the first block that is overwritten there is no way back: nothing but
 * going on gives an image. So the patch is whole and checked (by the digest
 * that the manifest names) before it begins, can be read again after a cut,
 * and what calls this does not lie in the image: it is the boot loader, or
 * code beside it.
 *
 * Beside the image a work area is needed: bl_in_place_work says how much.
 *   slots         blocks that old ones are saved in: one, the journal, and as
 *                 many spare ones as the patch was made for
 *   two areas     in turn a copy of the decoder's memory (a checkpoint), and
 *                 behind it a note of each block that was saved since
 * After a cut the decoder starts at the last checkpoint and decodes again what
 * it had decoded since. That needs the same old bytes: before the last copy of
 * an old block that was read since the last checkpoint goes, another
 * checkpoint is made. The device sees to that itself, whatever the patch says.
 */
#ifndef BOWLINE_DELTA_IN_PLACE_H
#define BOWLINE_DELTA_IN_PLACE_H

#include "bowline/delta.h"
#include "bowline/flash.h"

struct bl_in_place {
    const struct bl_flash *flash;
    struct bl_area image; /* what is here is overwritten, whole blocks of it:
                             as many as the larger image has */
    struct bl_area work;
    /* Up to n bytes of the patch from `offset` on; *got 0: it ends there. The
     * same bytes whenever they are asked for. */
    bl_status (*patch)(void *ctx, uint32_t offset, void *out, uint32_t n,
                       uint32_t *got);
    /* NULL, or called after each block: feeds a watchdog, shows `written`
     * bytes. */
    void (*tick)(void *ctx, uint32_t written);
    void *ctx;
    /* SHA-256 that the images must have; NULL: the patch's head is believed,
     * which has the first bytes of both. */
    const uint8_t *old_digest;
    const uint8_t *new_digest;
    void *memory; /* aligned for uint64_t */
    size_t memory_size;
};

enum bl_in_place_state {
    BL_IN_PLACE_NOTHING, /* the image is what it was */
    BL_IN_PLACE_BEGUN,   /* it is neither: go on, do not start it */
    BL_IN_PLACE_DONE     /* it is the new one */
};

/* Bytes of memory, and of the work area, that a patch needs. 0: not possible
 * on that flash (its blocks are larger than the patch's, or it is no patch for
 * one slot). */
uint32_t bl_in_place_memory(const struct bl_delta_info *info);
uint32_t bl_in_place_work(const struct bl_delta_info *info,
                          const struct bl_flash *flash);

/* How far the patch is, by the work area alone; BL_DELTA_BASE: another patch
 * is under way there. For a boot loader, before it starts the image. */
bl_status bl_in_place_look(const struct bl_in_place *p,
                           enum bl_in_place_state *out) BL_MUST_CHECK;

/*
 * Begins or goes on, to the end. Until the first block is overwritten errors
 * leave the old image as it was: BL_DELTA_BASE: it is not the patch's;
 * BL_DELTA_RAM, BL_NO_SPACE: memory or an area is too small; BL_DELTA_FORMAT.
 * BL_DELTA_FAILED: all was written, and it is not the new image (the patch was
 * not checked before, or flash is failing): a whole image is needed.
 * BL_FLASH, BL_READ_BACK: call again, perhaps after a reset.
 */
bl_status bl_in_place_run(const struct bl_in_place *p) BL_MUST_CHECK;

/* Empties the work area when the end was noted elsewhere: BL_IN_PLACE_NOTHING
 * from then on. BL_BUSY, nothing done, while a patch is begun. */
bl_status bl_in_place_forget(const struct bl_in_place *p) BL_MUST_CHECK;

#endif
