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
#include "install_private.h"

#include "storage.h"

enum {
    CELL = 256,    /* the least erase block, the largest write unit */
    DIRECT = 4096, /* portions of this size are written from where they are */
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

bl_status bl_install_latch(struct bl_install *install, bl_status status)
{
    if (install->status == BL_OK) {
        install->status = status;
    }
    return install->status;
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
        return bl_install_latch(install, status);
    }
    install->done += real;
    return BL_OK;
}

bl_status bl_install_flush(struct bl_install *install)
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
    return install->io_used == goal ? bl_install_flush(install) : BL_OK;
}

/* Small portions are collected; of a large one only what completes a unit
 * that was begun, and the rest is written from where it is. */
bl_status bl_install_take(struct bl_install *install, const uint8_t *data,
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

bl_verdict bl_install_verdict(const struct bl_install *install,
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
    *whole = bl_install_verdict(install, digest) == BL_GOOD;
    if (!*whole) {
        install->hash = hash;
        install->done = done;
    }
    return BL_OK;
}

bl_status bl_install_go_on(struct bl_install *install)
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
