/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_flash.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ERASED = 0, WRITTEN = 1, FAINT = 2, UNDEFINED = 3 };

enum {
    UNITS = FLEET_PAGE / FLEET_WRITE, /* of a page */
    A_BYTE = 4,                       /* states of units in a byte */
    BLANK = 0xFF
};

struct fleet_page {
    uint8_t bytes[FLEET_PAGE];
    uint8_t unit[UNITS / A_BYTE]; /* follows `bytes`: see fleet_flash_page */
    _Atomic uint32_t users;
};

static _Atomic uint64_t pages_there;

/* --- Pages --------------------------------------------------------------- */

static void page_drop(struct fleet_page **place)
{
    struct fleet_page *page = *place;

    *place = NULL;
    if (page != NULL && atomic_fetch_sub(&page->users, 1) == 1) {
        free(page);
        atomic_fetch_sub(&pages_there, 1);
    }
}

static struct fleet_page *page_new(const struct fleet_page *like)
{
    struct fleet_page *page = malloc(sizeof *page);

    if (page == NULL) {
        return NULL;
    }
    if (like != NULL) {
        memcpy(page->bytes, like->bytes, sizeof page->bytes);
        memcpy(page->unit, like->unit, sizeof page->unit);
    } else {
        memset(page->bytes, BLANK, sizeof page->bytes);
        memset(page->unit, ERASED, sizeof page->unit);
    }
    atomic_init(&page->users, 1);
    atomic_fetch_add(&pages_there, 1);
    return page;
}

/* A page of one's own, to be written to; NULL when there is no memory. */
static struct fleet_page *page_own(struct fleet_flash *f, uint32_t i)
{
    struct fleet_page *page = f->page[i];

    if (page != NULL && atomic_load(&page->users) == 1) {
        return page;
    }
    page = page_new(page);
    if (page == NULL) {
        f->breach = "out of memory";
        return NULL;
    }
    page_drop(&f->page[i]);
    f->page[i] = page;
    return page;
}

static uint8_t state_get(const struct fleet_page *page, uint32_t unit)
{
    return (uint8_t)((unsigned)page->unit[unit / A_BYTE] >>
                         (2 * (unit % A_BYTE)) &
                     3U);
}

static void state_set(struct fleet_page *page, uint32_t unit, uint8_t state)
{
    uint32_t shift = 2 * (unit % A_BYTE);
    uint8_t *byte = &page->unit[unit / A_BYTE];

    *byte = (uint8_t)((*byte & ~(3U << shift)) | ((unsigned)state << shift));
}

static uint8_t *unit_bytes(struct fleet_page *page, uint32_t unit)
{
    return page->bytes + (size_t)unit * FLEET_WRITE;
}

/* --- What chance leaves, by seed, operation and place -------------------- */

static uint32_t chance(const struct fleet_flash *f, uint32_t place)
{
    uint64_t x = f->ops * 0x9E3779B97F4A7C15u + place;

    x ^= (uint64_t)f->seed << 32;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}

/* Never by chance what an erased unit looks like: that is FAINT. */
static void unit_garble(struct fleet_flash *f, struct fleet_page *page,
                        uint32_t number)
{
    uint32_t unit = number % UNITS;
    uint8_t *p = unit_bytes(page, unit);
    uint32_t i;

    for (i = 0; i < FLEET_WRITE; i++) {
        p[i] = (uint8_t)chance(f, number * FLEET_WRITE + i);
    }
    if (p[0] == BLANK) {
        p[0] = BLANK ^ 0x10;
    }
    state_set(page, unit, UNDEFINED);
}

/* --- The contract -------------------------------------------------------- */

static bl_status breach(struct fleet_flash *f, const char *what)
{
    if (f->breach == NULL) {
        f->breach = what;
    }
    return BL_FLASH;
}

static bool inside(const struct fleet_flash *f, uint32_t offset, uint32_t n)
{
    return n <= f->flash.size && offset <= f->flash.size - n;
}

/* Counts one operation; true when the power is cut at it. */
static bool cut_now(struct fleet_flash *f)
{
    f->ops++;
    f->dead = f->ops == f->cut_at;
    return f->dead;
}

static bl_status fleet_read(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    struct fleet_flash *f = ctx;
    uint8_t *out = data;

    if (f->dead) {
        return BL_FLASH;
    }
    if (!inside(f, offset, n)) {
        return breach(f, "read outside the flash");
    }
    while (n > 0) {
        const struct fleet_page *page = f->page[offset / FLEET_PAGE];
        uint32_t at = offset % FLEET_PAGE;
        uint32_t part = n < FLEET_PAGE - at ? n : FLEET_PAGE - at;

        if (page == NULL) {
            memset(out, BLANK, part);
        } else {
            memcpy(out, page->bytes + at, part);
        }
        out += part;
        offset += part;
        n -= part;
    }
    return BL_OK;
}

static bl_status write_check(struct fleet_flash *f, uint32_t offset,
                             uint32_t n)
{
    uint32_t unit;

    if (!inside(f, offset, n)) {
        return breach(f, "write outside the flash");
    }
    if (n == 0 || offset % FLEET_WRITE != 0 || n % FLEET_WRITE != 0) {
        return breach(f, "write not in whole units");
    }
    for (unit = offset / FLEET_WRITE; unit < (offset + n) / FLEET_WRITE;
         unit++) {
        const struct fleet_page *page = f->page[unit / UNITS];
        uint8_t state = page == NULL ? ERASED : state_get(page, unit % UNITS);

        if (state != ERASED && state != FAINT) {
            return breach(f, "write to a unit that is not erased");
        }
    }
    return BL_OK;
}

static bl_status unit_write(struct fleet_flash *f, uint32_t number,
                            const uint8_t *data)
{
    struct fleet_page *page = page_own(f, number / UNITS);
    uint32_t unit = number % UNITS;

    if (page == NULL) {
        return BL_FLASH;
    }
    if (state_get(page, unit) == FAINT) {
        unit_garble(f, page, number);
        return BL_OK;
    }
    memcpy(unit_bytes(page, unit), data, FLEET_WRITE);
    state_set(page, unit, WRITTEN);
    return BL_OK;
}

/* The unit at which the power went. */
static bl_status unit_tear(struct fleet_flash *f, uint32_t number)
{
    struct fleet_page *page;

    if (f->cut != SIM_CUT_PARTIAL && f->cut != SIM_CUT_FAINT) {
        return BL_OK;
    }
    page = page_own(f, number / UNITS);
    if (page == NULL) {
        return BL_FLASH;
    }
    if (f->cut == SIM_CUT_PARTIAL) {
        unit_garble(f, page, number);
    } else {
        state_set(page, number % UNITS, FAINT);
    }
    return BL_OK;
}

static bl_status fleet_write(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    struct fleet_flash *f = ctx;
    uint32_t first = offset / FLEET_WRITE;
    uint32_t units = n / FLEET_WRITE;
    uint32_t whole = units;
    const uint8_t *from = data;
    bl_status status = BL_OK;

    if (f->dead || write_check(f, offset, n) != BL_OK) {
        return BL_FLASH;
    }
    if (cut_now(f) && f->cut != SIM_CUT_COMPLETE) {
        whole = f->cut == SIM_CUT_ABSENT ? 0 : chance(f, 0) % units;
    }
    for (uint32_t i = 0; i < whole && status == BL_OK; i++) {
        status = unit_write(f, first + i, from + (size_t)i * FLEET_WRITE);
    }
    if (status == BL_OK && whole < units) {
        status = unit_tear(f, first + whole);
    }
    return f->dead ? BL_FLASH : status;
}

static bool looks_erased(struct fleet_page *page, uint32_t unit)
{
    const uint8_t *p = unit_bytes(page, unit);

    for (uint32_t i = 0; i < FLEET_WRITE; i++) {
        if (p[i] != BLANK) {
            return false;
        }
    }
    return true;
}

/* A cut erase leaves every unit of the blocks undefined, whatever it reads. */
static bl_status page_half_erase(struct fleet_flash *f, uint32_t i)
{
    struct fleet_page *page = page_own(f, i);

    if (page == NULL) {
        return BL_FLASH;
    }
    for (uint32_t unit = 0; unit < UNITS; unit++) {
        uint32_t number = i * UNITS + unit;
        uint32_t c = chance(f, number) % 4;

        if (f->cut == SIM_CUT_FAINT || c == 0) {
            memset(unit_bytes(page, unit), BLANK, FLEET_WRITE);
        } else if (c == 1) {
            unit_garble(f, page, number);
        }
        state_set(page, unit, looks_erased(page, unit) ? FAINT : UNDEFINED);
    }
    return BL_OK;
}

static bl_status fleet_erase(void *ctx, uint32_t offset, uint32_t n)
{
    struct fleet_flash *f = ctx;
    bl_status status = BL_OK;
    bool half;

    if (f->dead) {
        return BL_FLASH;
    }
    if (!inside(f, offset, n)) {
        return breach(f, "erase outside the flash");
    }
    if (n == 0 || offset % FLEET_ERASE != 0 || n % FLEET_ERASE != 0) {
        return breach(f, "erase not of whole blocks");
    }
    half = cut_now(f) && f->cut != SIM_CUT_COMPLETE;
    if (half && f->cut == SIM_CUT_ABSENT) {
        return BL_FLASH;
    }
    for (uint32_t i = offset / FLEET_PAGE; i < (offset + n) / FLEET_PAGE;
         i++) {
        if (half) {
            status = page_half_erase(f, i);
        } else {
            page_drop(&f->page[i]);
        }
    }
    return f->dead ? BL_FLASH : status;
}

static bl_status fleet_sync(void *ctx)
{
    const struct fleet_flash *f = ctx;

    return f->dead ? BL_FLASH : BL_OK;
}

/* --- Life ---------------------------------------------------------------- */

int fleet_flash_open(struct fleet_flash *f, uint32_t size)
{
    memset(f, 0, sizeof *f);
    f->flash = (struct bl_flash){f,           size,        FLEET_ERASE,
                                 FLEET_WRITE, BLANK,       fleet_read,
                                 fleet_write, fleet_erase, fleet_sync};
    f->cut_at = SIM_NO_CUT;
    f->page = calloc(size / FLEET_PAGE, sizeof(struct fleet_page *));
    return f->page == NULL ? -1 : 0;
}

int fleet_flash_clone(struct fleet_flash *f, const struct fleet_flash *from)
{
    if (fleet_flash_open(f, from->flash.size) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < fleet_flash_n_pages(f); i++) {
        f->page[i] = from->page[i];
        if (f->page[i] != NULL) {
            atomic_fetch_add(&f->page[i]->users, 1);
        }
    }
    return 0;
}

void fleet_flash_close(struct fleet_flash *f)
{
    for (uint32_t i = 0; f->page != NULL && i < fleet_flash_n_pages(f); i++) {
        page_drop(&f->page[i]);
    }
    free(f->page);
    f->page = NULL;
}

void fleet_flash_cut_in(struct fleet_flash *f, uint64_t n, enum sim_cut cut)
{
    f->cut_at = f->ops + n;
    f->cut = cut;
}

void fleet_flash_power_on(struct fleet_flash *f)
{
    f->dead = false;
    f->cut_at = SIM_NO_CUT;
}

uint64_t fleet_flash_pages(void)
{
    return atomic_load(&pages_there);
}

/* --- Keeping it ---------------------------------------------------------- */

_Static_assert(offsetof(struct fleet_page, unit) == FLEET_PAGE &&
                   FLEET_PAGE_KEPT ==
                       FLEET_PAGE + sizeof(((struct fleet_page *)0)->unit),
               "bytes and unit states are kept in one piece");

uint32_t fleet_flash_n_pages(const struct fleet_flash *f)
{
    return f->flash.size / FLEET_PAGE;
}

const uint8_t *fleet_flash_page(const struct fleet_flash *f, uint32_t i)
{
    return (const uint8_t *)f->page[i];
}

int fleet_flash_set_page(struct fleet_flash *f, uint32_t i,
                         const uint8_t kept[FLEET_PAGE_KEPT])
{
    struct fleet_page *page = page_own(f, i);

    if (page == NULL) {
        return -1;
    }
    memcpy(page->bytes, kept, sizeof page->bytes);
    memcpy(page->unit, kept + FLEET_PAGE, sizeof page->unit);
    return 0;
}
