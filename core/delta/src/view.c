/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <string.h>

#include "place.h"

#define NOWHERE 0xF0000000U /* an address that nothing refers to */

static const struct bl_region *region_at(const struct bl_view *v,
                                         uint32_t offset)
{
    uint32_t i;

    for (i = 0; i < v->regions_n; i++) {
        const struct bl_region *r = &v->regions[i];

        if (offset - r->offset < r->length) {
            return r;
        }
    }
    return NULL;
}

const struct bl_region *bl_view_here(struct bl_view *v, uint32_t offset)
{
    const struct bl_region *r = region_at(v, offset);
    struct bl_region *here = &v->here;

    here->offset = offset;
    here->length = 1;
    here->address = NOWHERE + offset;
    here->kind = BL_REGION_DATA;
    if (v->regions_n == 0) {
        here->offset = 0;
        here->length = UINT32_MAX;
        here->address = NOWHERE;
        here->kind = BL_REGION_CODE;
    } else if (r != NULL) {
        *here = *r;
    }
    return here;
}

void bl_view_close(struct bl_view *v)
{
    uint32_t high = 0;
    uint32_t i;

    v->low = UINT32_MAX;
    for (i = 0; i < v->regions_n; i++) {
        const struct bl_region *r = &v->regions[i];

        if (r->address > UINT32_MAX - r->length) {
            return;
        }
        v->low = r->address < v->low ? r->address : v->low;
        high = r->address + r->length > high ? r->address + r->length : high;
    }
    if (high - v->low > UINT32_MAX - 2) {
        return;
    }
    v->span = high - v->low;
    v->may[0].low = v->low;
    v->may[0].high = v->span + 2; /* Thumb's bit 0 on top of it */
    for (i = 0; i < v->code->rams; i++) {
        v->may[1 + i].low = v->code->ram[i].low;
        v->may[1 + i].high = v->code->ram[i].high - v->code->ram[i].low;
    }
}

uint32_t bl_view_address(const struct bl_view *v, uint32_t offset)
{
    const struct bl_region *r = region_at(v, offset);

    return r != NULL ? r->address + (offset - r->offset) : NOWHERE + offset;
}

const struct bl_region *bl_view_loaded(const struct bl_view *v,
                                       uint32_t address)
{
    uint32_t i;

    if (v->span != 0 && address - v->low > v->span) {
        return NULL;
    }
    for (i = 0; i < v->regions_n; i++) {
        const struct bl_region *r = &v->regions[i];

        if (address - r->address <= r->length) {
            return r;
        }
    }
    return NULL;
}

bool bl_view_offset(const struct bl_view *v, uint32_t address,
                    uint32_t *offset)
{
    const struct bl_region *r = bl_view_loaded(v, address);

    if (r == NULL) {
        return false;
    }
    *offset = r->offset + (address - r->address);
    return true;
}

#if BL_DELTA_ELF
/* The table of symbols that relocations count in. */
static enum bl_role symbols(const struct bl_view *v, uint32_t kind,
                            uint32_t *base)
{
    uint32_t i;

    for (i = 0; i < v->regions_n; i++) {
        if (v->regions[i].kind == kind) {
            *base = v->regions[i].address;
            return kind == BL_REGION_SYMBOLS_16 ? BL_ROLE_SYMBOL_16
                                                : BL_ROLE_SYMBOL_24;
        }
    }
    return BL_ROLE_NONE;
}

enum bl_role bl_view_role(const struct bl_view *v, const struct bl_region *r,
                          uint32_t offset, uint32_t *base)
{
    uint32_t kind = r->kind;
    uint32_t at = offset - r->offset;

    if (kind == BL_REGION_TABLE) {
        *base = r->address;
        return BL_ROLE_TABLE;
    }
    if ((kind == BL_REGION_SYMBOLS_16 && at % 16 == 0) ||
        (kind == BL_REGION_SYMBOLS_24 && at % 24 == 0)) {
        *base = r->address + r->length;
        return BL_ROLE_TABLE;
    }
    if (kind == BL_REGION_RELOCS_8 && at % 8 == 4) {
        return symbols(v, BL_REGION_SYMBOLS_16, base);
    }
    if (kind == BL_REGION_RELOCS_24 && at % 24 == 12) {
        return symbols(v, BL_REGION_SYMBOLS_24, base);
    }
    return BL_ROLE_NONE;
}

#endif

bool bl_view_executable(const struct bl_view *v, uint32_t offset)
{
    const struct bl_region *r = region_at(v, offset);

    return r != NULL ? r->kind == BL_REGION_CODE : v->regions_n == 0;
}

bool bl_view_ram(const struct bl_code *code, uint32_t address)
{
    uint32_t i;

    for (i = 0; i < code->rams; i++) {
        const struct bl_range *r = &code->ram[i];

        if (address >= r->low && address < r->high) {
            return true;
        }
    }
    return false;
}

/* A word, byte by byte. */
static uint32_t bytes_at(struct bl_view *v, uint32_t offset)
{
    uint32_t word = 0;
    uint32_t i;

    for (i = 4; i > 0; i--) {
        word = word << 8 | bl_view_byte(v, offset + i - 1);
    }
    return word;
}

#if BL_DELTA_ENCODE

uint8_t bl_view_byte(struct bl_view *v, uint32_t offset)
{
    if (offset >= v->size ||
        (BL_PAGED(v) != NULL && bl_place_lost(v->paged, offset))) {
        return 0;
    }
    return v->data[offset];
}

uint32_t bl_view_word(struct bl_view *v, uint32_t offset)
{
    if (BL_PAGED(v) == NULL && offset < v->size && v->size - offset >= 4) {
        return bl_get4(v->data + offset);
    }
    return bytes_at(v, offset);
}

#else

#if BL_DELTA_IN_PLACE
/* A line lies in one page. Where that was begun and is in no slot, grain by
 * grain: what is in no stash stays zero. */
static void fill_kept(const struct bl_view *v, uint8_t *out, uint32_t at,
                      uint32_t n)
{
    struct bl_cache *c = v->cache;
    uint32_t grain = 1U << (v->paged->bits - BL_PLACE_GRAINS);
    bool gone = bl_place_gone(v->paged, at >> v->paged->bits);
    uint32_t step = gone && grain < BL_LINE ? grain : (uint32_t)BL_LINE;
    uint32_t i;

    bl_place_set(v->paged->touched, at >> v->paged->bits);
    for (i = 0; i < n; i += step) {
        uint32_t k = n - i < step ? n - i : step;

        if (c->status == BL_OK &&
            (!gone || bl_place_stashed(v->paged, at + i) != UINT32_MAX)) {
            c->status = c->io->old(c->io->ctx, at + i, out + i, k);
        }
    }
}
#endif

/* A failed read leaves zeros and its status; nothing is read after it. */
static void fill(const struct bl_view *v, uint8_t *out, uint32_t at)
{
    struct bl_cache *c = v->cache;
    uint32_t n;

    n = at >= v->size ? 0 : v->size - at < BL_LINE ? v->size - at : BL_LINE;
    if (n < BL_LINE || BL_PAGED(v) != NULL) {
        memset(out, 0, BL_LINE);
    }
    if (n == 0) {
        return;
    }
#if BL_DELTA_IN_PLACE
    if (v->paged != NULL) {
        fill_kept(v, out, at, n);
        return;
    }
#endif
    if (c->status == BL_OK) {
        c->status = c->io->old(c->io->ctx, at, out, n);
    }
    if (c->status != BL_OK) {
        memset(out, 0, BL_LINE);
    }
}

void bl_view_forget(struct bl_cache *c)
{
    uint32_t i;

    c->near_at = 1U << 31; /* far from all that is asked for */
    for (i = 0; i < BL_LINES; i++) {
        c->line[i].at = UINT32_MAX;
    }
}

void bl_view_near(struct bl_view *v, uint32_t offset)
{
    struct bl_cache *c = v->cache;
    uint32_t i;

    c->near_at = offset;
    for (i = 0; i < BL_NEAR; i += BL_LINE) {
        fill(v, c->near + i, offset + i);
    }
}

uint8_t bl_view_byte(struct bl_view *v, uint32_t offset)
{
    struct bl_cache *c = v->cache;
    uint32_t at = offset & ~(uint32_t)(BL_LINE - 1);
    uint32_t i = 0;

    if (offset - c->near_at < BL_NEAR) {
        return c->near[offset - c->near_at];
    }
    while (i < BL_LINES && c->line[i].at != at) {
        i++;
    }
    if (i == BL_LINES) {
        i = c->next;
        c->next = (uint8_t)((i + 1) % BL_LINES);
        c->line[i].at = at;
        fill(v, c->line[i].bytes, at);
    }
    return c->line[i].bytes[offset % BL_LINE];
}

uint32_t bl_view_word(struct bl_view *v, uint32_t offset)
{
    struct bl_cache *c = v->cache;

    if (offset - c->near_at < BL_NEAR - 3) {
        return bl_get4(c->near + (offset - c->near_at));
    }
    return bytes_at(v, offset);
}

#endif

#if BL_DELTA_ESP

/* ESP32 and ESP8266 have their code between these addresses. */
static uint32_t esp_kind(uint32_t address)
{
    return address >= 0x40000000U && address < 0x50000000U ? BL_REGION_CODE
                                                           : BL_REGION_DATA;
}

uint32_t bl_view_esp(struct bl_view *v, uint32_t first,
                     struct bl_region *regions, uint32_t limit)
{
    uint32_t at = first;
    uint32_t n = 0;
    uint32_t count = bl_view_byte(v, 1);

    if (bl_view_byte(v, 0) != 0xE9) {
        return 0;
    }
    while (n < count && n < limit && at < v->size && v->size - at > 8) {
        uint32_t length = bl_view_word(v, at + 4);

        if (length > v->size - at - 8) {
            break;
        }
        regions[n].offset = at + 8;
        regions[n].address = bl_view_word(v, at);
        regions[n].length = length;
        regions[n].kind = esp_kind(regions[n].address);
        at += 8 + length;
        n++;
    }
    return n;
}

#endif
