/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoder's memory, kept behind the image that it writes. A place is a
 * number of erase blocks and holds a head and the memory:
 *
 *   0  magic "BLD1"      12  about: SHA-256 of base, payload and patch
 *   4  bytes of memory   44  zero
 *   8  output so far     48  CRC-32 of all that, and of the memory
 *
 * The output's count chooses the place, so that neighbours lie in places of
 * their own. A decoder that is further than the flash it wrote to is of no
 * use: after a cut the last erase block is done again. Hence an older one is
 * always left when one is written, where there is room for two.
 */
#include "client_delta.h"

#include "storage.h"

enum { HEAD = 52, HEAD_CRC = 48, MAGIC = 0x31444C42 };

struct places {
    struct bl_area first;
    uint32_t n;
    uint32_t every; /* bytes of output */
};

static uint32_t greatest(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* What is kept for this base, payload and patch is for no other. */
static void about(const struct bl_client *c, uint8_t out[32])
{
    const struct bl_client_delta *d = &c->delta;
    struct bl_sha256 h;

    bl_sha256_init(&h);
    bl_sha256_update(&h, c->image_digest, 32);
    bl_sha256_update(&h, d->payload, 32);
    bl_sha256_update(&h, d->patch, 32);
    bl_sha256_final(&h, out);
}

/*
 * The places behind the image. Their size does not hang on the decoder's, so
 * that they are where they were before the power cut, when `ram` is not known
 * yet: it is of the memory that the firmware gives.
 */
static bool find_places(const struct bl_client *c, struct places *out)
{
    const struct bl_install *install = &c->install;
    uint32_t block = c->config.layout->flash->erase_size;
    uint32_t size = c->config.delta_memory_size;
    uint32_t end = bl_round_up(install->size, block);
    uint32_t keep = c->config.delta_keep;

    if (keep == BL_DELTA_KEEP_NONE || c->delta.size <= BL_DELTA_SMALL ||
        end >= install->area.size || size > install->area.size) {
        return false;
    }
    out->first.offset = install->area.offset + end;
    out->first.size = bl_round_up(HEAD + size, block);
    out->n = (install->area.size - end) / out->first.size;
    if (out->n > BL_DELTA_PLACES) {
        out->n = BL_DELTA_PLACES;
    }
    out->every = greatest(keep == 0 ? BL_DELTA_KEEP : keep, 2 * block);
    return out->n > 0;
}

static struct bl_area place(const struct places *places, uint32_t i)
{
    struct bl_area area = places->first;

    area.offset += i * area.size;
    return area;
}

static void put_head(const struct bl_client *c, uint32_t written,
                     uint8_t head[HEAD])
{
    const struct bl_client_delta *d = &c->delta;
    uint32_t crc;

    memset(head, 0, HEAD);
    bl_put32(head, MAGIC);
    bl_put32(head + 4, d->ram);
    bl_put32(head + 8, written);
    about(c, head + 12);
    crc = bl_crc32(0, head, HEAD_CRC);
    bl_put32(head + HEAD_CRC, bl_crc32(crc, c->config.delta_memory, d->ram));
}

/* Into a place that was never used since the slot was erased, or after an
 * erase: what a cut left may read as erased and not keep what is written. */
static bl_status store(const struct bl_client *c, const struct places *places,
                       uint32_t written)
{
    const struct bl_install *install = &c->install;
    uint32_t turn = written / places->every;
    struct bl_area area = place(places, turn % places->n);
    bool fresh = !install->resumed && turn <= places->n;
    uint8_t bytes[HEAD];
    bl_span head = bl_span_of(bytes, HEAD);
    bl_span body = bl_span_of(c->config.delta_memory, c->delta.ram);
    uint8_t *io = install->io + install->io_half; /* free between portions */

    put_head(c, written, bytes);
    return fresh ? bl_flash_fill(install->layout->flash, &area, head, body, io,
                                 install->io_half)
                 : bl_flash_store(install->layout->flash, &area, head, body,
                                  io, install->io_half);
}

void bl_client_delta_keep(struct bl_client *c)
{
    struct bl_client_delta *d = &c->delta;
    uint32_t written = bl_delta_written(d->decoder);
    struct places places;
    bl_status s;

    if (!find_places(c, &places) || written / places.every <= d->kept) {
        return;
    }
    d->kept = written / places.every;
    s = store(c, &places, written);
    (void)s; /* an older one will do, or none */
}

/* --- After a power cut ----------------------------------------------------
 */

/* The head of a place, when it may be of use; its output, else 0. */
static uint32_t look(const struct bl_client *c, const struct bl_area *area,
                     uint8_t head[HEAD])
{
    const struct bl_flash *flash = c->config.layout->flash;
    uint8_t wanted[32];
    uint32_t ram;

    if (flash->read(flash->ctx, area->offset, head, HEAD) != BL_OK) {
        return 0;
    }
    about(c, wanted);
    ram = bl_get32(head + 4);
    return bl_get32(head) == MAGIC && ram > 0 &&
                   ram <= c->config.delta_memory_size &&
                   memcmp(head + 12, wanted, 32) == 0
               ? bl_get32(head + 8)
               : 0;
}

static bool resume(struct bl_client *c, const struct bl_area *area,
                   uint32_t written)
{
    const struct bl_flash *flash = c->config.layout->flash;
    struct bl_client_delta *d = &c->delta;
    uint8_t *memory = c->config.delta_memory;
    uint8_t head[HEAD];
    uint32_t crc;

    if (look(c, area, head) != written ||
        flash->read(flash->ctx, area->offset + HEAD, memory,
                    bl_get32(head + 4)) != BL_OK) {
        return false;
    }
    d->ram = bl_get32(head + 4);
    crc = bl_crc32(bl_crc32(0, head, HEAD_CRC), memory, d->ram);
    if (crc != bl_get32(head + HEAD_CRC) ||
        bl_delta_resume(memory, c->config.delta_memory_size, &d->io,
                        &d->decoder) != BL_OK) {
        return false;
    }
    d->received = bl_delta_taken(d->decoder);
    return bl_delta_written(d->decoder) == written && d->received <= d->size;
}

/* The place with the most output that is less than `below`. */
static uint32_t best_below(const struct bl_client *c,
                           const struct places *places, uint32_t below,
                           struct bl_area *out)
{
    uint8_t head[HEAD];
    uint32_t best = 0;

    for (uint32_t i = 0; i < places->n; i++) {
        struct bl_area area = place(places, i);
        uint32_t written = look(c, &area, head);

        if (written > best && written < below) {
            best = written;
            *out = area;
        }
    }
    return best;
}

bool bl_client_delta_find(struct bl_client *c)
{
    struct bl_client_delta *d = &c->delta;
    uint32_t below = c->install.done + 1;
    struct bl_area area = {0, 0};
    struct places places;

    if (!find_places(c, &places)) {
        return false;
    }
    while ((below = best_below(c, &places, below, &area)) > 0) {
        if (resume(c, &area, below)) {
            d->kept = below / places.every;
            return true;
        }
    }
    d->decoder = NULL;
    d->received = 0;
    return false;
}
