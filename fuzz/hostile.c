/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "codec.h"
#include "draw.h"
#include "hostile_memory.h"

enum {
    RAM = 2 * 1024 * 1024, /* a head that wants more is refused */
    GAPS = 16,
    PAGES = HOSTILE_NOW / 256 + 64,
    SLOTS = 256
};

/* What the codec calls, counted (linked with --wrap). */
bool __real_bl_delta_codec_step(struct bl_codec *c);
bool __wrap_bl_delta_codec_step(struct bl_codec *c);
void __real_bl_delta_site_find(struct bl_view *v, uint32_t at,
                               struct bl_sweep *w, struct bl_site *out);
void __wrap_bl_delta_site_find(struct bl_view *v, uint32_t at,
                               struct bl_sweep *w, struct bl_site *out);

/* One application. */
struct run {
    struct hostile *h;
    const uint8_t *old;
    uint32_t old_n, limit, puts;
    const struct bl_delta *d;
    struct bl_delta_info info;
    uint8_t begun[PAGES]; /* in place, by page */
    uint32_t held[SLOTS]; /* by slot: its page + 1 */
    struct bl_piece piece[BL_PLACE_PIECES];
    uint32_t pieces; /* in the stash */
    uint8_t *memory;
    uint32_t gap[GAPS], gaps;
};

static struct hostile_work work;

bool __wrap_bl_delta_codec_step(struct bl_codec *c)
{
    work.steps++;
    return __real_bl_delta_codec_step(c);
}

void __wrap_bl_delta_site_find(struct bl_view *v, uint32_t at,
                               struct bl_sweep *w, struct bl_site *out)
{
    work.sites++;
    __real_bl_delta_site_find(v, at, w, out);
}

/* --- the images --- */

static bl_status breaks(struct run *r, const char *promise)
{
    r->h->broken = promise;
    return BL_FLASH;
}

/* In place: begun, and in no slot? */
static bool is_gone(const struct run *r, uint32_t page)
{
    if (page >= PAGES || r->begun[page] == 0) {
        return false;
    }
    for (uint32_t i = 0; i < r->info.slots; i++) {
        if (r->held[i] == page + 1) {
            return false;
        }
    }
    return true;
}

/* Nor in the stash? `grain`: of the image's. */
static bool is_lost(const struct run *r, uint32_t grain)
{
    if (!is_gone(r, grain >> BL_PLACE_GRAINS)) {
        return false;
    }
    for (uint32_t i = 0; i < r->pieces; i++) {
        if (grain - r->piece[i].first < r->piece[i].n) {
            return false;
        }
    }
    return true;
}

static bool any_lost(const struct run *r, uint32_t offset, uint32_t n)
{
    uint32_t grain = r->info.block >> BL_PLACE_GRAINS;

    for (uint32_t k = offset / grain; k <= (offset + n - 1) / grain; k++) {
        if (is_lost(r, k)) {
            return true;
        }
    }
    return false;
}

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    struct run *r = ctx;

    work.reads++;
    if (offset > r->old_n || n > r->old_n - offset) {
        return breaks(r, "reads stay within the old image");
    }
    if (r->info.in_place && any_lost(r, offset, n)) {
        return breaks(r, "what is lost in place is not read");
    }
    memcpy(out, r->old + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    struct run *r = ctx;

    work.reads++;
    if (r->info.in_place || offset > r->puts || n > r->puts - offset) {
        return breaks(r, "only what was written is read back");
    }
    memcpy(out, r->h->now + offset, n);
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct run *r = ctx;
    uint32_t at = r->info.in_place ? bl_delta_written(r->d) : r->puts;
    uint32_t block = r->info.block;

    if (at > r->limit || n > r->limit - at || n > r->limit - r->puts) {
        return breaks(r, "no more is written than the head says");
    }
    if (r->info.in_place &&
        (n > block - at % block || r->begun[at / block] != 1)) {
        return breaks(r, "what is written lies within a block that began");
    }
    memcpy(r->h->now + at, data, n);
    r->puts += n;
    return BL_OK;
}

/* What comes into the stash is there, what stays was in it; it has room. */
static bool stash_begins(struct run *r, const struct bl_place *p)
{
    uint32_t grains = 0;

    if (p->pieces_n > BL_PLACE_PIECES) {
        return false;
    }
    for (uint32_t i = 0; i < p->pieces_n; i++) {
        const struct bl_piece *k = &p->pieces[i];
        uint32_t at = 0;
        uint32_t j = 0;

        grains += k->n;
        if (k->was == BL_PLACE_NEW) {
            if (is_gone(r, k->first >> BL_PLACE_GRAINS)) {
                return false;
            }
            continue;
        }
        while (j < r->pieces && at != k->was) {
            at += r->piece[j++].n;
        }
        if (j == r->pieces || r->piece[j].first != k->first ||
            r->piece[j].n != k->n) {
            return false;
        }
    }
    memcpy(r->piece, p->pieces, p->pieces_n * sizeof *p->pieces);
    r->pieces = p->pieces_n;
    return grains * (r->info.block >> BL_PLACE_GRAINS) <= r->info.stash;
}

/* A block begins: once only, and its slot is one of them. */
static bool page_begins(struct run *r)
{
    struct bl_delta_page p;

    if (!bl_delta_page(r->d, &p)) {
        return true;
    }
    if (p.page >= PAGES || p.page * r->info.block >= r->limit ||
        r->begun[p.page] != 0) {
        return false;
    }
    const struct bl_place *place =
        bl_delta_codec((struct bl_delta *)(void *)r->memory)->paged;

    if (place->event == BL_PLACE_STASH && !stash_begins(r, place)) {
        return false;
    }
    r->begun[p.page] = 1;
    if (p.slot != BL_DELTA_NOT_SAVED) {
        if (p.slot >= r->info.slots) {
            return false;
        }
        r->held[p.slot] = p.page + 1;
    }
    return true;
}

/* --- memory: it ends where its array does; the gaps are watched --- */

static uint64_t arena[2][RAM / 8];

static void watch(const struct run *r)
{
    for (uint32_t i = 0; i < r->gaps; i++) {
        ASAN_POISON_MEMORY_REGION(r->memory + r->gap[i], HOSTILE_GAP);
    }
    ASAN_POISON_MEMORY_REGION(r->memory - HOSTILE_GAP, HOSTILE_GAP);
}

static void let_go(const struct run *r)
{
    for (uint32_t i = 0; i < r->gaps; i++) {
        ASAN_UNPOISON_MEMORY_REGION(r->memory + r->gap[i], HOSTILE_GAP);
    }
    ASAN_UNPOISON_MEMORY_REGION(r->memory - HOSTILE_GAP, HOSTILE_GAP);
}

static uint8_t *memory_of(uint32_t half, uint32_t ram)
{
    return (uint8_t *)(arena[half] + RAM / 8) - ram;
}

/* Copied to the other half, what was there spoilt. */
static bl_status move(struct run *r, const struct bl_delta_io *io,
                      struct bl_delta **d)
{
    uint32_t ram = r->info.ram;
    uint8_t *from = r->memory;

    let_go(r);
    r->memory = memory_of(from == memory_of(0, ram) ? 1 : 0, ram);
    memcpy(r->memory, from, ram);
    memset(from, 0x5A, ram);
    bl_status status = bl_delta_resume(r->memory, ram, io, d);
    r->d = *d;
    watch(r);
    return status;
}

/* --- the run --- */

/* The patch ends where its array does. */
static bl_status give(struct bl_delta *d, const uint8_t *patch, size_t n,
                      size_t *taken)
{
    static uint64_t room[HOSTILE_PATCH / 8];
    uint8_t *p = (uint8_t *)(room + HOSTILE_PATCH / 8) - n;

    memcpy(p, patch, n);
    return bl_delta_data(d, p, n, taken);
}

static size_t portion(struct draw *d, size_t n)
{
    static const uint16_t most[] = {1, 3, 40, 500};
    size_t size = 1 + draw(d, most[draw(d, 4)]);

    return size < n ? size : n;
}

static bl_status feed(struct run *r, const struct bl_delta_io *io,
                      struct bl_delta *d, const uint8_t *patch, size_t n,
                      uint32_t portions)
{
    struct draw dice = {NULL, 0, portions};
    bl_status status = BL_OK;
    bool whole = false;
    size_t at = 0;

    while (status == BL_OK && !whole) {
        size_t taken = 0;

        if (portions != 0 && draw(&dice, 4) == 0 && move(r, io, &d) != BL_OK) {
            return breaks(r, "what was kept can be taken up");
        }
        status = at == n ? bl_delta_end(d, &whole)
                 : portions == 0
                     ? bl_delta_data(d, patch + at, n - at, &taken)
                     : give(d, patch + at, portion(&dice, n - at), &taken);
        at += taken;
        if (status == BL_OK && r->info.in_place && !page_begins(r)) {
            return breaks(r, "each block begins once");
        }
        if (at > n || at != bl_delta_taken(d)) {
            return breaks(r, "what was taken is told rightly");
        }
    }
    if (whole && !r->info.in_place && r->puts != r->limit) {
        return breaks(r, "a whole image has the size in the head");
    }
    return status;
}

static void check_work(struct run *r)
{
    const struct bl_delta_info *i = &r->info;
    uint64_t n = r->limit;
    uint64_t entries = i->ram / 6; /* of maps, there is no room for more */
    uint64_t units =
        i->deflate ? HOSTILE_UNITS * ((uint64_t)i->old_size + n) : 0;
    uint64_t each = i->deflate ? HOSTILE_STEPS_STREAM : HOSTILE_STEPS;

    r->h->work = work;
    if (work.steps > each * n + 2 * entries + units + HOSTILE_STEPS_HEAD ||
        work.sites > HOSTILE_SITES * n ||
        work.reads > HOSTILE_READS * n + units + HOSTILE_READS_HEAD) {
        (void)breaks(r, "work is bounded for each byte");
    }
}

static void start(struct run *r, const uint8_t *patch, size_t n,
                  uint32_t portions)
{
    const struct bl_delta_io io = {r, read_old, read_new, write_new};
    struct bl_delta *d;

    r->limit = r->info.new_size;
    r->memory = memory_of(0, r->info.ram);
    r->h->status = bl_delta_start(&r->info, &io, r->old_n, HOSTILE_NOW,
                                  r->memory, r->info.ram, &d);
    if (r->h->status != BL_OK) {
        r->h->refused = true;
        return;
    }
    r->d = d;
    r->old_n = r->info.old_size;
    r->gaps = hostile_gaps(patch, n, r->gap, GAPS);
    memset(r->begun, 0, sizeof r->begun);
    r->pieces = 0;
    memset(r->held, 0, sizeof r->held[0] * r->info.slots);
    if (r->info.in_place) {
        memset(r->h->now, 0, r->limit);
    }
    watch(r);
    r->h->status = feed(r, &io, d, patch, n, portions);
    let_go(r);
    r->h->now_n = r->info.in_place ? r->limit : r->puts;
    check_work(r);
}

void hostile_apply(const uint8_t *old, uint32_t old_n, const uint8_t *patch,
                   size_t n, uint32_t portions, struct hostile *h)
{
    static struct run r;

    r.h = h;
    r.old = old;
    r.old_n = old_n;
    r.puts = 0;
    h->broken = NULL;
    h->refused = false;
    h->now_n = 0;
    memset(&work, 0, sizeof work);
    h->work = work;
    h->status = bl_delta_head(patch, n, &r.info);
    if (h->status == BL_OK && r.info.ram > RAM - HOSTILE_GAP) {
        h->status = BL_DELTA_RAM;
    }
    if (h->status != BL_OK) {
        h->refused = true;
        return;
    }
    start(&r, patch, n, portions);
}

bool hostile_same(const struct hostile *a, const struct hostile *b)
{
    return a->status == b->status && a->now_n == b->now_n &&
           memcmp(a->now, b->now, a->now_n) == 0;
}
