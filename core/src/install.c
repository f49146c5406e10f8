/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why resuming is safe, in one place. Bytes are programmed in ascending order;
 * cells of CELL bytes that the payload leaves erased are not programmed. After
 * a cut, let b be the erase block of the last byte that does not read as
 * erased.
 *   - What lies before b is right: a unit that a cut left undefined comes
 *     behind all that was programmed, and a cut erase as well, since a block
 *     is erased only when everything before it is in place.
 *   - b is erased again. Cut in the middle of that: b is found again, or, when
 *     nothing of it is left to read, an earlier block.
 *   - What lies behind b reads as erased and need not hold what is written to
 *     it. So, in an installation that goes on after a cut, each block is
 *     erased just before the first write into it: `doubt` is where the blocks
 *     begin of which nothing is known. Erasing them all beforehand would not
 *     do: cut, it might leave something to read far behind the place where
 *     the payload ends, and b would be wrong.
 */
#include "bowline/slot.h"

#include "storage.h"

enum {
    CELL = 256,    /* the least erase block, the largest write unit */
    DIRECT = 4096, /* portions of this size are written from where they are */
    COPY = 256
};

#define NO_DOUBT UINT32_MAX

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bl_status latch(struct bl_install *install, bl_status status)
{
    if (install->status == BL_OK) {
        install->status = status;
    }
    return install->status;
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

/* --- Programming --------------------------------------------------------- */

/* Erases the block of `at` when nothing is known about it. */
static bl_status settle_doubt(struct bl_install *install, uint32_t at)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t block = at & ~(flash->erase_size - 1);

    if (at < install->doubt) {
        return BL_OK;
    }
    install->doubt = block + flash->erase_size;
    return flash->erase(flash->ctx, install->area.offset + block,
                        flash->erase_size);
}

/* The bytes from `at` that belong to one cell. */
static uint32_t cell(uint32_t at, uint32_t n)
{
    return least(n, CELL - at % CELL);
}

/* How many of `n` bytes, which begin a programmed run, belong to it: up to a
 * cell that stays erased, or to the place where a doubt has to be settled. */
static uint32_t run_length(const struct bl_install *install, uint32_t at,
                           const uint8_t *data, uint32_t n)
{
    uint8_t erased = install->layout->flash->erased;
    uint32_t run = cell(at, n);

    while (run < n) {
        uint32_t next = cell(at + run, n - run);

        if (bl_all(data + run, next, erased) || at + run >= install->doubt) {
            break;
        }
        run += next;
    }
    return run;
}

static bl_status program(struct bl_install *install, const uint8_t *data,
                         uint32_t n)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t at = install->done;

    while (n > 0) {
        uint32_t part = cell(at, n);

        if (!bl_all(data, part, flash->erased)) {
            if (settle_doubt(install, at) != BL_OK) {
                return BL_FLASH;
            }
            part = run_length(install, at, data, n);
            if (flash->write(flash->ctx, install->area.offset + at, data,
                             part) != BL_OK) {
                return BL_FLASH;
            }
        }
        at += part;
        data += part;
        n -= part;
    }
    return BL_OK;
}

/*
 * What is hashed is what flash gave back; comparing it as well costs little
 * and tells bad flash from a bad payload. In pieces of `back`: a small one
 * stays in the processor's cache from the reading to the hashing.
 */
static bl_status read_back(struct bl_install *install, const uint8_t *data,
                           uint32_t n, uint8_t *back, uint32_t back_size)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t at = install->area.offset + install->done;

    while (n > 0) {
        uint32_t part = least(n, back_size);

        if (flash->read(flash->ctx, at, back, part) != BL_OK) {
            return BL_FLASH;
        }
        if (memcmp(back, data, part) != 0) {
            return BL_READ_BACK;
        }
        bl_sha256_update(&install->hash, back, part);
        at += part;
        data += part;
        n -= part;
    }
    return BL_OK;
}

/* `n` bytes to flash and back, of which the first `real` are payload. */
static bl_status portion(struct bl_install *install, const uint8_t *data,
                         uint32_t n, uint32_t real, uint8_t *back,
                         uint32_t back_size)
{
    bl_status status = program(install, data, n);

    if (status == BL_OK) {
        status = read_back(install, data, real, back, back_size);
    }
    if (status != BL_OK) {
        return latch(install, status);
    }
    install->done += real;
    return BL_OK;
}

static bl_status flush(struct bl_install *install)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t real = install->io_used;
    uint32_t n = bl_round_up(real, flash->write_size);

    if (real == 0) {
        return BL_OK;
    }
    memset(install->io + real, flash->erased, n - real);
    install->io_used = 0;
    return portion(install, install->io, n, real,
                   install->io + install->io_half, install->io_half);
}

/* Takes some of the bytes into io; flushes when `goal` is reached. */
static bl_status collect(struct bl_install *install, const uint8_t *data,
                         uint32_t n, uint32_t goal, uint32_t *taken)
{
    *taken = least(n, goal - install->io_used);
    memcpy(install->io + install->io_used, data, *taken);
    install->io_used += *taken;
    return install->io_used == goal ? flush(install) : BL_OK;
}

/* Small portions are collected; of a large one only what completes a unit
 * that was begun, and the rest is written from where it is. */
static bl_status take(struct bl_install *install, const uint8_t *data,
                      uint32_t n, uint32_t *taken)
{
    uint32_t unit = install->layout->flash->write_size;

    if (n < least(install->io_half, DIRECT)) {
        return collect(install, data, n, install->io_half, taken);
    }
    if (install->io_used > 0) {
        return collect(install, data, n, bl_round_up(install->io_used, unit),
                       taken);
    }
    *taken = n & ~(unit - 1);
    return portion(install, data, *taken, *taken, install->io,
                   install->io_size);
}

/* --- Where to go on ------------------------------------------------------ */

/* `*end` is behind the last byte, of the payload's, that is not erased. */
static bl_status find_end(struct bl_install *install, uint32_t *end)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t at = install->size;

    while (at > 0) {
        uint32_t n = least(at, install->io_size);

        if (flash->read(flash->ctx, install->area.offset + at - n, install->io,
                        n) != BL_OK) {
            return BL_FLASH;
        }
        if (!bl_all(install->io, n, flash->erased)) {
            while (install->io[n - 1] == flash->erased) {
                n--;
                at--;
            }
            break;
        }
        at -= n;
    }
    *end = at;
    return BL_OK;
}

/* Hashes what is in flash, from `done` up to `end`. */
static bl_status hash_stored(struct bl_install *install, uint32_t end)
{
    const struct bl_flash *flash = install->layout->flash;

    while (install->done < end) {
        uint32_t n = least(end - install->done, install->io_size);

        if (flash->read(flash->ctx, install->area.offset + install->done,
                        install->io, n) != BL_OK) {
            return BL_FLASH;
        }
        bl_sha256_update(&install->hash, install->io, n);
        install->done += n;
    }
    return BL_OK;
}

static bl_verdict digest_verdict(const struct bl_install *install,
                                 uint8_t digest[32])
{
    struct bl_sha256 hash = install->hash;

    bl_sha256_final(&hash, digest);
    return bl_equal(digest, install->digest, 32);
}

/* The payload may be there to its end: cut after the last byte. If it is not,
 * the hash is again what it was. */
static bl_status try_whole(struct bl_install *install, bool *whole)
{
    struct bl_sha256 hash = install->hash;
    uint32_t done = install->done;
    uint8_t digest[32];
    bl_status status = hash_stored(install, install->size);

    if (status != BL_OK) {
        return status;
    }
    *whole = digest_verdict(install, digest) == BL_GOOD;
    if (!*whole) {
        install->hash = hash;
        install->done = done;
    }
    return BL_OK;
}

static bl_status go_on(struct bl_install *install)
{
    const struct bl_flash *flash = install->layout->flash;
    uint32_t block;
    uint32_t end;
    bool whole = false;
    bl_status status = find_end(install, &end);

    if (status != BL_OK) {
        return status;
    }
    block = end == 0 ? 0 : (end - 1) & ~(flash->erase_size - 1);
    status = hash_stored(install, block);
    if (status == BL_OK && end > 0 &&
        install->size - end < flash->erase_size) {
        status = try_whole(install, &whole);
    }
    if (status != BL_OK || whole) {
        return status;
    }
    if (end > 0 && flash->erase(flash->ctx, install->area.offset + block,
                                flash->erase_size) != BL_OK) {
        return BL_FLASH;
    }
    if (install->resumed) {
        install->doubt = end > 0 ? block + flash->erase_size : 0;
    }
    return BL_OK;
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
    install->doubt = NO_DOUBT;
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
        status = go_on(install);
    }
    if (status != BL_OK) {
        return latch(install, status);
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
                 install->doubt == NO_DOUBT;
    bl_status status;

    if (!install->begun) {
        return BL_BUSY;
    }
    start(install);
    if (clean) {
        return BL_OK;
    }
    status = erase_chosen(install);
    return status == BL_OK ? BL_OK : latch(install, status);
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
        latch(install, BL_PAYLOAD_LONG);
    }
    while (n > 0 && install->status == BL_OK) {
        uint32_t taken;

        latch(install, take(install, p, (uint32_t)n, &taken));
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
    if (flush(install) != BL_OK || flash->sync(flash->ctx) != BL_OK) {
        return latch(install, BL_FLASH);
    }
    c = &install->layout->component[install->component];
    *verdict = digest_verdict(install, digest);
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
    return verdict == BL_GOOD ? BL_OK : latch(install, BL_PAYLOAD_DIGEST);
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
        return latch(install, status);
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
            return latch(install, BL_FLASH);
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
