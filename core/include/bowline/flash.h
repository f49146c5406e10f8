/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core needs of a platform's flash, and where things lie in it.
 *
 * A port gives one const struct bl_flash: geometry and four functions. All
 * offsets and lengths are bytes from the start of the area that the port
 * hands to Bowline. Functions return BL_OK or BL_FLASH, block until done, and
 * are called from one thread at a time.
 *
 * Contract, also when the power is cut in the middle of a call:
 *   erase  sets whole erase blocks to `erased`. Cut: any mix of old, erased
 *          and undefined bytes within those blocks, none outside.
 *   write  programs erased bytes; offset and length are multiples of
 *          write_size. Cut: any prefix of whole write units holds the new
 *          bytes, the unit at the cut is undefined, the rest is erased.
 *          Never called twice for a unit without an erase between, but
 *          for one that a cut left undefined and that reads as erased:
 *          nobody can tell, and what was written is read back.
 *   sync   when it returns, all before it is durable (no-op on raw flash).
 */
#ifndef BOWLINE_FLASH_H
#define BOWLINE_FLASH_H

#include "bowline/span.h"
#include "bowline/status.h"

struct bl_flash {
    void *ctx;
    uint32_t size;
    uint32_t erase_size; /* a power of two, at least 256 */
    uint32_t write_size; /* a power of two, 1 to 256 */
    uint8_t erased;      /* value of an erased byte: 0xFF on NOR */
    bl_status (*read)(void *ctx, uint32_t offset, void *data, uint32_t n);
    bl_status (*write)(void *ctx, uint32_t offset, const void *data,
                       uint32_t n);
    bl_status (*erase)(void *ctx, uint32_t offset, uint32_t n);
    bl_status (*sync)(void *ctx);
};

struct bl_area {
    uint32_t offset; /* multiple of erase_size */
    uint32_t size;   /* multiple of erase_size */
};

/* A component (SUIT section 3.4 of RFC 9124) as this device stores it. */
enum bl_component_kind {
    BL_COMPONENT_SLOTS = 0,  /* one area in each slot, the idle one written */
    BL_COMPONENT_ACTIVE = 1, /* read-only view of the running image of `of` */
    BL_COMPONENT_STAGE = 2   /* one scratch area, area[0] */
};

struct bl_component {
    bl_span id; /* encoded component id: a CBOR array of byte strings */
    uint8_t kind;
    uint8_t of;
    struct bl_area area[2];
};

enum {
    BL_LAYOUT_COMPONENTS = 8, /* at most */
    BL_ROOT_AREA = 4096       /* at least */
};

enum { BL_SLOT_A = 0, BL_SLOT_B = 1, BL_SLOT_NONE = 0xFF };

/*
 * The device's storage, one constant for bootloader and firmware alike.
 *   root[2]      two copies of the root document, 8 bytes of head each; at
 *                least BL_ROOT_AREA, so that any root document fits that is
 *                ever published
 *   state[2]     the state record's two blocks (state.h)
 *   journal[2]   the journal's two blocks (journal.h)
 *   manifest[2]  the envelope of each slot: u32 length, envelope (slot.h)
 *   component    images; component 0 is the one that is booted
 * bl_layout_check says BL_ARGUMENT when areas overlap, are not aligned, or
 * are too small.
 */
struct bl_layout {
    const struct bl_flash *flash;
    struct bl_area root[2];
    struct bl_area state[2];
    struct bl_area journal[2];
    struct bl_area manifest[2];
    const struct bl_component *component;
    uint32_t n_components;
};

bl_status bl_layout_check(const struct bl_layout *layout) BL_MUST_CHECK;

#endif
