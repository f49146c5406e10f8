/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An installation from its claim on a slot to the envelope that makes the slot
 * READY. How bytes get to flash, and where they go on after a cut, is
 * install_write.c.
 */
#include "bowline/slot.h"

#include "install_private.h"
#include "storage.h"

enum { COPY = 256 };

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* --- Claiming the slot --------------------------------------------------- */

static bl_status erase_area(const struct bl_layout *layout,
                            const struct bl_area *area)
{
    const struct bl_flash *flash = layout->flash;

    return flash->erase(flash->ctx, area->offset, area->size) == BL_OK
               ? BL_OK
               : BL_FLASH;
}

static bl_status erase_slot(const struct bl_layout *layout, uint8_t slot)
{
    bl_status status = erase_area(layout, &layout->manifest[slot]);
    uint32_t i;

    for (i = 0; i < layout->n_components && status == BL_OK; i++) {
        const struct bl_component *c = &layout->component[i];

        if (c->kind == BL_COMPONENT_SLOTS) {
            status = erase_area(layout, &c->area[slot]);
        } else if (c->kind == BL_COMPONENT_STAGE) {
            status = erase_area(layout, &c->area[0]);
        }
    }
    return status;
}

/* Saves the state with another record for the slot; unchanged on error. */
static bl_status save_slot(struct bl_install *install,
                           const struct bl_slot_record *record)
{
    struct bl_slot_record *slot = &install->state->slot[install->slot];
    struct bl_slot_record before = *slot;
    bl_status status;

    *slot = *record;
    status = bl_state_save(install->layout, install->state);
    if (status != BL_OK) {
        *slot = before;
    }
    return status;
}

/*
 * EMPTY is saved before anything is erased and WRITING after: a cut between
 * finds EMPTY, and everything is erased again. WRITING therefore means that
 * the slot held nothing when this manifest's payloads began to be written.
 */
static bl_status save_empty(struct bl_install *install)
{
    struct bl_slot_record empty;

    if (install->state->slot[install->slot].status == BL_SLOT_EMPTY) {
        return BL_OK;
    }
    memset(&empty, 0, sizeof empty);
    return save_slot(install, &empty);
}

static bl_status claim(struct bl_install *install,
                       const struct bl_slot_record *writing)
{
    bl_status status = save_empty(install);

    if (status == BL_OK) {
        status = erase_slot(install->layout, install->slot);
    }
    if (status == BL_OK) {
        status = save_slot(install, writing);
    }
    return status;
}

static bool same_release(const struct bl_slot_record *a,
                         const struct bl_slot_record *b)
{
    return a->status == b->status &&
           memcmp(a->manifest, b->manifest, sizeof a->manifest) == 0;
}

static bool same_terms(const struct bl_slot_record *a,
                       const struct bl_slot_record *b)
{
    return a->permitted == b->permitted && a->sequence == b->sequence &&
           a->root_version == b->root_version;
}

static void prepare(struct bl_install *install, const struct bl_layout *layout,
                    struct bl_state *state, uint8_t slot, uint8_t *io,
                    uint32_t io_size)
{
    uint32_t unit = layout->flash->write_size;

    memset(install, 0, sizeof *install);
    install->layout = layout;
    install->state = state;
    install->slot = slot;
    install->io = io;
    install->io_size = io_size & ~(unit - 1);
    install->io_half = io_size / 2 & ~(unit - 1);
}

bl_status bl_install_open(struct bl_install *install,
                          const struct bl_layout *layout,
                          struct bl_state *state, uint8_t slot,
                          const uint8_t manifest_digest[32], uint64_t sequence,
                          uint32_t root_version, bool permitted, uint8_t *io,
                          uint32_t io_size, bool *resumed)
{
    struct bl_slot_record writing;
    bl_status status = BL_OK;

    if (slot > BL_SLOT_B) {
        return BL_ARGUMENT;
    }
    if (slot == state->active || slot == state->trial) {
        return BL_BUSY;
    }
    prepare(install, layout, state, slot, io, io_size);
    if (install->io_half == 0) {
        return BL_BUFFER;
    }
    memset(&writing, 0, sizeof writing);
    writing.status = BL_SLOT_WRITING;
    writing.permitted = permitted ? 1 : 0;
    writing.root_version = root_version;
    writing.sequence = sequence;
    memcpy(writing.manifest, manifest_digest, sizeof writing.manifest);
    install->resumed = same_release(&state->slot[slot], &writing);
    if (!install->resumed) {
        status = claim(install, &writing);
    } else if (!same_terms(&state->slot[slot], &writing)) {
        status = save_slot(install, &writing);
    }
    if (status == BL_OK) {
        *resumed = install->resumed;
    }
    return status;
}

/* --- One payload --------------------------------------------------------- */

/* Makes a component the one that is written. */
static bl_status choose(struct bl_install *install, bl_span id, uint32_t size)
{
    struct bl_area area;
    bool writable;
    uint32_t index;
    bl_status status = bl_component_find(install->layout, id, &index);

    if (status == BL_OK) {
        status =
            bl_slot_area(install->layout, install->slot, id, &area, &writable);
    }
    if (status != BL_OK) {
        return status;
    }
    if (!writable) {
        return BL_COMPONENT_FORBIDDEN;
    }
    if (size > area.size) {
        return BL_NO_SPACE;
    }
    install->component = (uint8_t)index;
    install->area = area;
    install->size = size;
    return BL_OK;
}

static void start(struct bl_install *install)
{
    install->status = BL_OK;
    install->io_used = 0;
    install->done = 0;
    install->doubt = BL_NO_DOUBT;
    install->begun = true;
    bl_sha256_init(&install->hash);
}

/* Is nothing in the chosen component's area since bl_install_open? */
static bool untouched(const struct bl_install *install)
{
    return !install->resumed &&
           (install->touched & 1u << install->component) == 0;
}

static void touch(struct bl_install *install)
{
    install->touched = (uint8_t)(install->touched | 1u << install->component);
}

/* Is this the payload that is under way, in good order? */
static bool under_way(const struct bl_install *install, bl_span id,
                      uint32_t size, const uint8_t digest[32])
{
    return install->begun && install->status == BL_OK &&
           install->size == size && memcmp(install->digest, digest, 32) == 0 &&
           bl_span_equal(install->layout->component[install->component].id,
                         id);
}

bl_status bl_install_begin(struct bl_install *install, bl_span component_id,
                           uint32_t size, const uint8_t digest[32],
                           uint32_t *offset)
{
    bl_status status;

    if (under_way(install, component_id, size, digest)) {
        *offset = bl_install_pause(install);
        return BL_OK;
    }
    status = choose(install, component_id, size);
    if (status != BL_OK) {
        return status;
    }
    memcpy(install->digest, digest, sizeof install->digest);
    start(install);
    if (!untouched(install)) {
        status = bl_install_go_on(install);
    }
    if (status != BL_OK) {
        return bl_install_latch(install, status);
    }
    touch(install);
    *offset = install->done;
    return BL_OK;
}

/* Not WRITING while it erases, for the reason given at `claim`. */
static bl_status erase_chosen(struct bl_install *install)
{
    struct bl_slot_record writing = install->state->slot[install->slot];
    bl_status status = save_empty(install);

    if (status == BL_OK) {
        status = erase_area(install->layout, &install->area);
    }
    if (status == BL_OK) {
        status = save_slot(install, &writing);
    }
    return status;
}

bl_status bl_install_restart(struct bl_install *install)
{
    bool clean = install->status == BL_OK && install->done == 0 &&
                 install->doubt == BL_NO_DOUBT;
    bl_status status;

    if (!install->begun) {
        return BL_BUSY;
    }
    start(install);
    if (clean) {
        return BL_OK;
    }
    status = erase_chosen(install);
    return status == BL_OK ? BL_OK : bl_install_latch(install, status);
}

bl_status bl_install_data(struct bl_install *install, const void *data,
                          size_t n)
{
    const uint8_t *p = data;
    uint32_t left = install->size - install->done - install->io_used;

    if (!install->begun) {
        return BL_BUSY;
    }
    if (install->status == BL_OK && n > left) {
        bl_install_latch(install, BL_PAYLOAD_LONG);
    }
    while (n > 0 && install->status == BL_OK) {
        uint32_t taken;

        bl_install_latch(install,
                         bl_install_take(install, p, (uint32_t)n, &taken));
        p += taken;
        n -= taken;
    }
    return install->status;
}

uint32_t bl_install_pause(struct bl_install *install)
{
    install->io_used = 0;
    return install->done;
}

/* Flushes; the digest of what flash holds becomes the verified one. */
static bl_status finish(struct bl_install *install, bl_verdict *verdict)
{
    const struct bl_flash *flash = install->layout->flash;
    const struct bl_component *c;
    uint8_t digest[32];

    if (!install->begun) {
        return BL_BUSY;
    }
    if (install->status != BL_OK) {
        return install->status;
    }
    if (install->done + install->io_used < install->size) {
        return BL_PAYLOAD_SHORT;
    }
    if (bl_install_flush(install) != BL_OK ||
        flash->sync(flash->ctx) != BL_OK) {
        return bl_install_latch(install, BL_FLASH);
    }
    c = &install->layout->component[install->component];
    *verdict = bl_install_verdict(install, digest);
    install->verified_id = c->id;
    install->verified_size = install->size;
    memcpy(install->verified_digest, digest, sizeof digest);
    return BL_OK;
}

bl_status bl_install_end(struct bl_install *install)
{
    bl_verdict verdict = BL_BAD;
    bl_status status = finish(install, &verdict);

    if (status != BL_OK) {
        return status;
    }
    return verdict == BL_GOOD ? BL_OK
                              : bl_install_latch(install, BL_PAYLOAD_DIGEST);
}

/* --- Payloads that are at hand ------------------------------------------- */

/* Begins one from nothing, whatever lies there. */
static bl_status begin_anew(struct bl_install *install, bl_span id,
                            uint32_t size)
{
    bl_status status = choose(install, id, size);

    if (status != BL_OK) {
        return status;
    }
    memset(install->digest, 0, sizeof install->digest);
    start(install);
    if (!untouched(install)) {
        status = erase_chosen(install);
    }
    if (status != BL_OK) {
        return bl_install_latch(install, status);
    }
    touch(install);
    return BL_OK;
}

bl_status bl_install_content(struct bl_install *install, bl_span component_id,
                             bl_span content)
{
    bl_verdict ignored;
    bl_status status;

    if (content.n > UINT32_MAX) {
        return BL_NO_SPACE;
    }
    status = begin_anew(install, component_id, (uint32_t)content.n);
    if (status == BL_OK) {
        status = bl_install_data(install, content.p, content.n);
    }
    return status == BL_OK ? finish(install, &ignored) : status;
}

static bl_status copy_bytes(struct bl_install *install, uint32_t from)
{
    const struct bl_flash *flash = install->layout->flash;
    uint8_t chunk[COPY];
    uint32_t at = 0;
    bl_status status = BL_OK;

    while (at < install->size && status == BL_OK) {
        uint32_t n = least(install->size - at, sizeof chunk);

        if (flash->read(flash->ctx, from + at, chunk, n) != BL_OK) {
            return bl_install_latch(install, BL_FLASH);
        }
        status = bl_install_data(install, chunk, n);
        at += n;
    }
    return status;
}

bl_status bl_install_copy(struct bl_install *install, bl_span to, bl_span from,
                          uint32_t size)
{
    struct bl_area source;
    bool writable;
    bl_verdict ignored;
    bl_status status =
        bl_slot_area(install->layout, install->slot, from, &source, &writable);

    if (status != BL_OK) {
        return status;
    }
    if (bl_span_equal(to, from)) {
        return BL_ARGUMENT;
    }
    if (size > source.size) {
        return BL_NO_SPACE;
    }
    status = begin_anew(install, to, size);
    if (status == BL_OK) {
        status = copy_bytes(install, source.offset);
    }
    return status == BL_OK ? finish(install, &ignored) : status;
}

/* --- Closing ------------------------------------------------------------- */

/*
 * Power cut: the slot is WRITING until the envelope has been read back, and a
 * resumed installation comes here again. The manifest area is erased once
 * more, since a cut may have left half an envelope in it.
 */
bl_status bl_install_close(struct bl_install *install, bl_span envelope)
{
    const struct bl_layout *layout = install->layout;
    struct bl_slot_record ready = install->state->slot[install->slot];
    uint8_t head[4];
    bl_status status;

    if (ready.status != BL_SLOT_WRITING) {
        return BL_BUSY;
    }
    if (envelope.n == 0 || envelope.n > UINT32_MAX) {
        return BL_ARGUMENT;
    }
    bl_put32(head, (uint32_t)envelope.n);
    status = bl_flash_store(layout->flash, &layout->manifest[install->slot],
                            bl_span_of(head, sizeof head), envelope,
                            install->io, install->io_size);
    if (status != BL_OK) {
        return status;
    }
    ready.status = BL_SLOT_READY;
    install->begun = false;
    return save_slot(install, &ready);
}
