/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots and the root document in flash: writing what was verified, verifying
 * what was written.
 */
#ifndef BOWLINE_SLOT_H
#define BOWLINE_SLOT_H

#include "bowline/sha256.h"
#include "bowline/state.h"
#include "bowline/suit.h"

/*
 * Reads a slot's envelope into `buffer`: BL_NO_IMAGE when there is none,
 * BL_BUFFER when it does not fit. Its content is not to be trusted yet.
 */
bl_status bl_slot_envelope(const struct bl_layout *layout, uint8_t slot,
                           uint8_t *buffer, size_t size,
                           bl_span *out) BL_MUST_CHECK;

/* SHA-256 over the first `size` bytes of a component in `slot`, as stored. */
bl_status bl_slot_digest(const struct bl_layout *layout, uint8_t slot,
                         bl_span component_id, uint32_t size, uint8_t *io,
                         size_t io_size, uint8_t digest[32]) BL_MUST_CHECK;

/*
 * Where a component lies in a slot, BL_COMPONENT when there is none. One of
 * kind BL_COMPONENT_ACTIVE is the running image as whoever writes `slot` sees
 * it: the other slot's.
 */
bl_status bl_slot_area(const struct bl_layout *layout, uint8_t slot,
                       bl_span component_id, struct bl_area *area,
                       bool *writable) BL_MUST_CHECK;

/* The same as bl_suit_component wants it. */
bl_status bl_slot_component(const struct bl_layout *layout, uint8_t slot,
                            bl_span component_id,
                            struct bl_suit_component *out) BL_MUST_CHECK;

/*
 * Installation of one manifest into one slot. Streaming, resumable:
 *
 *   bl_install_open    erases and claims the slot for this manifest, or finds
 *                      that an interrupted installation of the very same one
 *                      can go on
 *   bl_install_begin   one payload; says from which offset to download
 *   bl_install_data    its bytes, in order, in any portions
 *   bl_install_end     flushes, checks length and digest over what was read
 *                      back from flash
 *   bl_install_close   the envelope is stored and read back, the slot READY
 *
 * Each byte is hashed once, and not as it came but as flash gives it back.
 * Power cut at any point: the other slot is untouched and boots; after
 * bl_install_open the download goes on where flash is still erased (the last
 * erase block that was being written is done again).
 *
 * `io` is the installation's own from bl_install_data to bl_install_end: it
 * holds bytes that wait for their write unit. Whoever needs it in between (a
 * transfer has broken, the device polls) calls bl_install_pause.
 */
struct bl_install {
    const struct bl_layout *layout;
    struct bl_state *state;
    uint8_t *io; /* caller's buffer */
    uint32_t io_size;
    uint32_t io_half; /* collected here, read back into the other half */
    uint32_t io_used;
    uint8_t slot;
    uint8_t component; /* its number in the layout */
    uint8_t touched;   /* mask of components begun since bl_install_open */
    bool resumed;
    bool begun;
    struct bl_area area;
    uint32_t size;  /* of the payload */
    uint32_t done;  /* bytes in flash */
    uint32_t doubt; /* install.c */
    uint8_t digest[32];
    struct bl_sha256 hash;
    bl_status status; /* latched first error */
    /* the payload that was last found good, so that the manifest's own
     * image-match need not read it all again */
    bl_span verified_id;
    uint32_t verified_size;
    uint8_t verified_digest[32];
};

/* `state` is saved when it changes; it and `io` outlive the installation.
 * `io` has room for two write units at least (BL_BUFFER); it works in halves,
 * and larger portions than that go to flash from the caller's own memory.
 * The slot must not be the active one, nor one on trial (BL_BUSY). */
bl_status bl_install_open(struct bl_install *install,
                          const struct bl_layout *layout,
                          struct bl_state *state, uint8_t slot,
                          const uint8_t manifest_digest[32], uint64_t sequence,
                          uint32_t root_version, bool permitted, uint8_t *io,
                          uint32_t io_size, bool *resumed) BL_MUST_CHECK;
/* BL_NO_SPACE before anything is written when it cannot fit. `*offset` is
 * where the download starts: equal to `size` when it is all there. */
bl_status bl_install_begin(struct bl_install *install, bl_span component_id,
                           uint32_t size, const uint8_t digest[32],
                           uint32_t *offset) BL_MUST_CHECK;
/* Starts this payload again from nothing: the sender ignored the offset, or
 * the resumed bytes were not the same image. */
bl_status bl_install_restart(struct bl_install *install) BL_MUST_CHECK;
/* BL_PAYLOAD_LONG as soon as one byte too many arrives. */
bl_status bl_install_data(struct bl_install *install, const void *data,
                          size_t n) BL_MUST_CHECK;
/* Forgets the bytes that are not in flash yet and says from which offset on
 * the rest is to be sent. `io` is free until the next bl_install_data. */
uint32_t bl_install_pause(struct bl_install *install);
/* BL_PAYLOAD_SHORT, BL_PAYLOAD_DIGEST, BL_FLASH, BL_READ_BACK. After
 * BL_PAYLOAD_SHORT bl_install_data may go on. */
bl_status bl_install_end(struct bl_install *install) BL_MUST_CHECK;
/* Begin to end in one, for SUIT's directives write and copy: the payload is
 * at hand, and the manifest's image-match is what judges it. `from` is read
 * as bl_slot_area says for the slot that is written. */
bl_status bl_install_content(struct bl_install *install, bl_span component_id,
                             bl_span content) BL_MUST_CHECK;
bl_status bl_install_copy(struct bl_install *install, bl_span to, bl_span from,
                          uint32_t size) BL_MUST_CHECK;
/* The same for x-apply, with the decoder of bowline/delta.h: patch and base
 * are read where they lie. After a power cut the decoder begins anew, and the
 * image goes on where it was. BL_DELTA..., BL_PAYLOAD_DIGEST, or what
 * bl_install_begin and bl_install_data say. In the library of deltas, which
 * firmware without them does not link. */
struct bl_workspace {
    void *memory; /* the decoder's, aligned for uint64_t */
    size_t size;
    void (*busy)(void *ctx); /* called now and then; NULL: not */
    void *ctx;
};
bl_status bl_install_apply(struct bl_install *install,
                           const struct bl_suit_apply *apply,
                           const struct bl_workspace *space) BL_MUST_CHECK;
bl_status bl_install_close(struct bl_install *install,
                           bl_span envelope) BL_MUST_CHECK;

/*
 * A slot's own verdict, from flash: its envelope can be read and scanned, its
 * digest is as named, every component's image matches (SUIT's invocation
 * procedure up to invoke, which must be of component 0 and have checked its
 * image). `identity` lends vendor, class and device id only: what asks for a
 * clock, a battery or a version to update from was settled before the
 * installation. BL_OK means that `*out` is set, be it bad; BL_NO_IMAGE that no
 * envelope is there. On error its `whole` is BL_BAD.
 */
struct bl_slot_facts {
    bl_verdict whole;     /* envelope well formed, all digests match */
    bl_verdict signed_ok; /* authentic under the given root document */
    uint64_t sequence;
    uint8_t manifest[32];
    uint32_t image_size; /* of component 0 */
    uint8_t image_digest[32];
};

bl_status bl_slot_check(const struct bl_layout *layout, uint8_t slot,
                        const struct bl_root *root,
                        const struct bl_suit_platform *identity,
                        const struct bl_crypto *crypto,
                        uint8_t *envelope_buffer, size_t envelope_size,
                        uint8_t *io, size_t io_size,
                        struct bl_slot_facts *out) BL_MUST_CHECK;

/*
 * The root document in flash: two copies, each `u32 length, u32 crc, bytes`.
 * Load takes the valid copy with the higher version. Save writes the older or
 * invalid copy: power-safe. Save does not judge; bl_root_accept does.
 * `*out` and `buffer` may change also when load fails.
 */
bl_status bl_root_load(const struct bl_layout *layout, uint8_t *buffer,
                       size_t size, bl_span *document,
                       struct bl_root *out) BL_MUST_CHECK;
bl_status bl_root_save(const struct bl_layout *layout, bl_span document,
                       uint8_t *io, size_t io_size) BL_MUST_CHECK;

#endif
