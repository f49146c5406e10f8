/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints of the applier for one slot, in two areas in turn. An area:
 *   head    written last: magic, sequence, bytes of memory, which patch,
 *           CRC-32 of the memory, CRC-32 of this head
 *   memory  the decoder's, as it was at a block's begin
 *   stash   pieces of old blocks, as the decoder says
 *   notes   of blocks that were saved since, each with a CRC-32
 * What a cut leaves of any of them has a wrong CRC, or is not there.
 */
#include "in_place.h"

#include <string.h>

enum {
    BEGUN = 0x50494C42, /* "BLIP": magic of a checkpoint, */
    ENDED = 0x45494C42, /* "BLIE": and of the end */
    HEAD = 32,
    NOTE = 16,
    NOTES = 4 /* room for so many more than there are slots */
};

/* --- layout --- */

static uint32_t up(uint32_t n, uint32_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static uint32_t unit_of(const struct bl_applier *a)
{
    return a->p->flash->write_size;
}

static uint32_t memory_at(uint32_t unit)
{
    return up(HEAD, unit);
}

static uint32_t stash_at(const struct bl_delta_info *info, uint32_t unit)
{
    return memory_at(unit) + up(info->ram, unit);
}

static uint32_t notes_at(const struct bl_delta_info *info, uint32_t unit)
{
    return stash_at(info, unit) + up(info->stash, unit);
}

uint32_t bl_in_place_area(const struct bl_delta_info *info, uint32_t unit)
{
    return up(notes_at(info, unit) + (info->slots + NOTES) * up(NOTE, unit),
              info->block);
}

static uint32_t area_at(const struct bl_applier *a, uint32_t area)
{
    return a->p->work.offset + a->info.slots * a->info.block +
           area * bl_in_place_area(&a->info, unit_of(a));
}

uint32_t bl_in_place_stash(const struct bl_applier *a, uint32_t area,
                           uint32_t grains)
{
    return area_at(a, area) + stash_at(&a->info, unit_of(a)) +
           grains * (a->info.block >> BL_PLACE_GRAINS);
}

/* --- bytes --- */

uint32_t bl_in_place_crc(uint32_t crc, const uint8_t *data, uint32_t n)
{
    uint32_t i;
    uint32_t k;

    crc = ~crc;
    for (i = 0; i < n; i++) {
        crc ^= data[i];
        for (k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (0xEDB88320U & (0U - (crc & 1)));
        }
    }
    return ~crc;
}

static bl_status read(const struct bl_applier *a, uint32_t offset,
                      uint8_t *out, uint32_t n)
{
    const struct bl_flash *f = a->p->flash;

    return f->read(f->ctx, offset, out, n);
}

/* --- heads --- */

struct head {
    uint32_t sequence;
    uint32_t crc; /* of the memory */
    bool whole;   /* it is a head */
    bool mine;    /* of this patch */
    bool ended;
};

static void head_put(const struct bl_applier *a, uint32_t magic, uint32_t crc,
                     uint8_t out[HEAD])
{
    bl_set(out, magic, 4);
    bl_set(out + 4, a->sequence, 4);
    bl_set(out + 8, a->info.ram, 4);
    bl_set(out + 12, a->id, 4);
    memcpy(out + 16, a->info.old_check, 4);
    memcpy(out + 20, a->info.new_check, 4);
    bl_set(out + 24, crc, 4);
    bl_set(out + 28, bl_in_place_crc(0, out, 28), 4);
}

static bl_status head_read(const struct bl_applier *a, uint32_t area,
                           struct head *h)
{
    uint8_t is[HEAD];
    uint8_t must[HEAD];
    bl_status status = read(a, area_at(a, area), is, HEAD);

    memset(h, 0, sizeof *h);
    if (status != BL_OK || (bl_get4(is) != BEGUN && bl_get4(is) != ENDED) ||
        bl_get4(is + 28) != bl_in_place_crc(0, is, 28)) {
        return status;
    }
    head_put(a, 0, 0, must);
    h->whole = true;
    h->ended = bl_get4(is) == ENDED;
    h->mine = memcmp(is + 8, must + 8, 16) == 0;
    h->sequence = bl_get4(is + 4);
    h->crc = bl_get4(is + 24);
    return BL_OK;
}

/* --- notes --- */

static bool is_erased(const struct bl_applier *a, const uint8_t *note)
{
    uint32_t i = 0;

    while (i < NOTE && note[i] == a->p->flash->erased) {
        i++;
    }
    return i == NOTE;
}

static void note_take(struct bl_applier *a, const uint8_t *note)
{
    uint32_t page = bl_get4(note + 4);

    if (bl_get4(note + 12) != bl_in_place_crc(a->sequence, note, 12)) {
        return; /* a cut one */
    }
    if (note[0] < a->info.slots) {
        a->held[note[0]] = page;
        a->saves = bl_get4(note + 8);
    }
}

/* Reads all notes of the checkpoint. */
static bl_status notes_take(struct bl_applier *a)
{
    uint32_t end = bl_in_place_area(&a->info, unit_of(a));
    uint32_t step = up(NOTE, unit_of(a));
    uint8_t note[NOTE];
    bl_status status = BL_OK;

    a->note = notes_at(&a->info, unit_of(a));
    while (a->note + step <= end && status == BL_OK) {
        status = read(a, area_at(a, a->area) + a->note, note, NOTE);
        if (status == BL_OK && is_erased(a, note)) {
            break;
        }
        if (status == BL_OK) {
            note_take(a, note);
            a->note += step;
        }
    }
    return status;
}

/* A unit that a cut left looking as erased may not take what is written: the
 * next one is tried. */
bl_status bl_in_place_note(struct bl_applier *a,
                           const struct bl_delta_page *page)
{
    uint32_t end = bl_in_place_area(&a->info, unit_of(a));
    uint8_t note[NOTE] = {0};
    bl_status status = BL_READ_BACK;

    note[0] = (uint8_t)page->slot;
    bl_set(note + 4, page->page, 4);
    bl_set(note + 8, page->saves, 4);
    bl_set(note + 12, bl_in_place_crc(a->sequence, note, 12), 4);
    while (status == BL_READ_BACK) {
        uint32_t at = area_at(a, a->area) + a->note;

        if (a->note + up(NOTE, unit_of(a)) > end) {
            return BL_NO_SPACE;
        }
        a->note += up(NOTE, unit_of(a));
        status = bl_in_place_put(a, at, note, NOTE);
    }
    return status == BL_OK ? bl_in_place_sync(a) : status;
}

/* --- checkpoints --- */

/* A checkpoint whose memory is damaged is none: flash is failing then, as the
 * head is written behind it. */
bl_status bl_in_place_find(struct bl_applier *a)
{
    struct head h;
    struct head last = {0};
    uint32_t area;
    bl_status status = BL_OK;

    for (area = 0; area < 2 && status == BL_OK; area++) {
        status = head_read(a, area, &h);
        if (status == BL_OK && h.whole && h.sequence > last.sequence) {
            last = h;
            a->area = area;
        }
    }
    if (status != BL_OK || !last.whole) {
        return status;
    }
    if (!last.mine) {
        a->stale = last.ended;
        return last.ended ? BL_OK : BL_DELTA_BASE;
    }
    a->sequence = last.sequence;
    a->ended = last.ended;
    a->crc = last.crc;
    return BL_OK;
}

bl_status bl_in_place_take_up(struct bl_applier *a)
{
    const struct bl_place *place;
    uint32_t at = area_at(a, a->area) + memory_at(unit_of(a));
    bl_status status = read(a, at, a->p->memory, a->info.ram);

    if (status != BL_OK) {
        return status;
    }
    if (bl_in_place_crc(0, a->p->memory, a->info.ram) != a->crc) {
        return BL_READ_BACK;
    }
    status =
        bl_delta_resume(a->p->memory, a->p->memory_size, &a->io, &a->decoder);
    if (status != BL_OK) {
        return status;
    }
    place = bl_delta_codec(a->decoder)->paged;
    memcpy(a->held, place->held, 4 * (size_t)a->info.slots);
    a->saves = place->saves;
    if (place->slot != BL_PLACE_NONE) {
        /* which is said, but only its note tells that it was done */
        a->held[place->slot] = UINT32_MAX;
        a->saves--;
    }
    return notes_take(a);
}

static bl_status erase_area(const struct bl_applier *a, uint32_t area)
{
    const struct bl_flash *f = a->p->flash;

    return f->erase(f->ctx, area_at(a, area),
                    bl_in_place_area(&a->info, unit_of(a)));
}

/* Where a piece is now: `at` grains into the stash, if it is as it was. */
static uint32_t piece_at(const struct bl_applier *a,
                         const struct bl_piece *piece, uint32_t at)
{
    const struct bl_place *place = bl_delta_codec(a->decoder)->paged;
    uint32_t block = a->info.block;

    if (place->event != BL_PLACE_STASH) {
        return bl_in_place_stash(a, a->area, at);
    }
    return piece->was != BL_PLACE_NEW
               ? bl_in_place_stash(a, a->area, piece->was)
               : bl_in_place_held(a,
                                  piece->first * (block >> BL_PLACE_GRAINS));
}

/* The stash goes along to the other area. */
static bl_status keep_stash(struct bl_applier *a, uint32_t area)
{
    const struct bl_flash *f = a->p->flash;
    const struct bl_place *place = bl_delta_codec(a->decoder)->paged;
    uint8_t part[BL_IN_PLACE_UNIT];
    bl_status status = BL_OK;
    uint32_t to = bl_in_place_stash(a, area, 0);
    uint32_t at = 0;
    uint32_t n = 0;
    uint32_t i;
    uint32_t k;

    for (i = 0; i < place->pieces_n; i++) {
        uint32_t from = piece_at(a, &place->pieces[i], at);
        uint32_t left =
            place->pieces[i].n * (a->info.block >> BL_PLACE_GRAINS);

        at += place->pieces[i].n;
        for (; left > 0 && status == BL_OK; left -= k) {
            k = left < sizeof part - n ? left : (uint32_t)sizeof part - n;
            status = f->read(f->ctx, from, part + n, k);
            from += k;
            n += k;
            if (n == sizeof part && status == BL_OK) {
                status = bl_in_place_write(a, to, part, n);
                to += n;
                n = 0;
            }
        }
    }
    return status == BL_OK ? bl_in_place_put(a, to, part, n) : status;
}

bl_status bl_in_place_keep(struct bl_applier *a,
                           const struct bl_delta_page *page)
{
    struct bl_place *place = bl_delta_codec(a->decoder)->paged;
    uint32_t area = a->area ^ 1U;
    uint32_t at = area_at(a, area);
    uint8_t head[HEAD];
    bl_status status = erase_area(a, area);

    if (status == BL_OK) {
        status = bl_in_place_sync(a);
    }
    if (status == BL_OK) {
        status = keep_stash(a, area);
    }
    place->event = BL_PLACE_PAGE;
    memset(place->touched, 0, (place->pages + 7) / 8);
    a->saves = page->saves - (page->slot != BL_DELTA_NOT_SAVED ? 1U : 0U);
    a->sequence++;
    head_put(a, BEGUN, bl_in_place_crc(0, a->p->memory, a->info.ram), head);
    if (status == BL_OK) {
        status = bl_in_place_put(a, at + memory_at(unit_of(a)), a->p->memory,
                                 a->info.ram);
    }
    if (status == BL_OK) {
        status = bl_in_place_sync(a);
    }
    if (status == BL_OK) {
        status = bl_in_place_put(a, at, head, HEAD);
    }
    a->area = area;
    a->note = notes_at(&a->info, unit_of(a));
    return status == BL_OK ? bl_in_place_sync(a) : status;
}

bl_status bl_in_place_end(struct bl_applier *a)
{
    uint32_t area = a->area ^ 1U;
    uint8_t head[HEAD];
    bl_status status = erase_area(a, area);

    a->sequence++;
    head_put(a, ENDED, 0, head);
    if (status == BL_OK) {
        status = bl_in_place_put(a, area_at(a, area), head, HEAD);
    }
    return status == BL_OK ? bl_in_place_sync(a) : status;
}

/* The older one first: alone, it would be taken for the last. */
bl_status bl_in_place_clear(struct bl_applier *a)
{
    bl_status status = erase_area(a, a->area ^ 1U);

    if (status == BL_OK) {
        status = bl_in_place_sync(a);
    }
    if (status == BL_OK) {
        status = erase_area(a, a->area);
    }
    a->sequence = 0;
    return status == BL_OK ? bl_in_place_sync(a) : status;
}
