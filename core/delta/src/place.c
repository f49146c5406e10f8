/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <string.h>

#include "codec.h"

typedef char bl_place_fits[sizeof(struct bl_place) <= BL_PLACE_FIXED ? 1 : -1];

static uint32_t bitmap(const struct bl_head *h)
{
    uint32_t size = h->size[0] > h->size[1] ? h->size[0] : h->size[1];

    return ((bl_place_pages(size, h->block) + 31) / 32) * 4;
}

uint32_t bl_place_memory(const struct bl_head *h)
{
    uint32_t pieces = h->stash > 0 ? BL_PLACE_PIECES : 0;

    return BL_PLACE_FIXED + 4U * h->slots + 2 * bitmap(h) + h->slots +
           pieces * (uint32_t)sizeof(struct bl_piece);
}

struct bl_place *bl_place_link(const struct bl_head *h, void *memory)
{
    struct bl_place *p = memory;
    uint8_t *at = (uint8_t *)memory + BL_PLACE_FIXED;

    p->pieces = (struct bl_piece *)(void *)at;
    at += h->stash > 0 ? BL_PLACE_PIECES * sizeof(struct bl_piece) : 0;
    p->held = (uint32_t *)(void *)at;
    p->done = at + 4U * h->slots;
    p->touched = p->done + bitmap(h);
    p->order = p->touched + bitmap(h);
    return p;
}

void bl_place_start(struct bl_place *p, const struct bl_head *h)
{
    uint32_t size = h->size[0] > h->size[1] ? h->size[0] : h->size[1];
    uint32_t i;

    p->pages = bl_place_pages(size, h->block);
    p->page = UINT32_MAX;
    p->bits = h->block;
    p->slots = h->slots;
    p->stash = h->stash;
    p->slot = BL_PLACE_NONE;
    for (i = 0; i < h->slots; i++) {
        p->held[i] = UINT32_MAX;
        p->order[i] = (uint8_t)i;
    }
    bl_counters(p->next, 2);
    bl_counters(&p->end, 1);
    bl_counters(&p->turn, 1);
    bl_counters(p->save, 2);
    bl_counters(p->go_on, 4);
    bl_counters(p->choice, BL_PLACE_CHOICES);
    bl_counters(p->anew, 6);
}

uint32_t bl_place_slot(const struct bl_place *p, uint32_t page)
{
    uint32_t i;

    for (i = 0; i < p->slots; i++) {
        if (p->held[i] == page) {
            return i;
        }
    }
    return BL_PLACE_NONE;
}

uint32_t bl_place_stashed(const struct bl_place *p, uint32_t offset)
{
    uint32_t grain = offset >> (p->bits - BL_PLACE_GRAINS);
    uint32_t at = 0;
    uint32_t i;

    for (i = 0; i < p->pieces_n; i++) {
        const struct bl_piece *piece = &p->pieces[i];

        if (grain - piece->first < piece->n) {
            return at + (grain - piece->first);
        }
        at += piece->n;
    }
    return UINT32_MAX;
}

bool bl_place_gone(const struct bl_place *p, uint32_t page)
{
    return bl_place_bit(p->done, page) &&
           bl_place_slot(p, page) == BL_PLACE_NONE;
}

#if BL_DELTA_ENCODE
bool bl_place_lost(const struct bl_place *p, uint32_t offset)
{
    return bl_place_gone(p, offset >> p->bits) &&
           bl_place_stashed(p, offset) == UINT32_MAX;
}
#endif

/* --- which page --- */

#if BL_DELTA_ENCODE
static const struct bl_page *said_page(const struct bl_codec *c)
{
    return &c->plan->pages[c->paged->index];
}

static bool said_end(const struct bl_codec *c)
{
    return c->paged->index == c->plan->pages_n;
}

/* Does the page after this one lie on the other side? */
static bool said_turn(const struct bl_codec *c)
{
    const struct bl_page *now = said_page(c);

    return c->paged->index + 1 < c->plan->pages_n &&
           now[1].page + 1 == now->page + (c->paged->backwards != 0 ? 2U : 0);
}
#endif

static bool possible(const struct bl_codec *c, uint32_t page)
{
    const struct bl_place *p = c->paged;

    return page < bl_place_pages(c->now.size, p->bits) &&
           !bl_place_bit(p->done, page);
}

/* Not the likely page, but one so far from it. */
static uint32_t code_jump(struct bl_codec *c, uint32_t likely)
{
    struct bl_place *p = c->paged;
    uint32_t d = BL_SAY(said_page(c)->page - likely);

    d = p->backwards != 0 ? 0U - d : d;
    d = (uint32_t)bl_code_signed(&c->rc, (int32_t)d,
                                 &c->number.operations.seek);
    if (bl_code_flag(&c->rc, BL_SAY(said_turn(c)), &p->turn) != 0) {
        p->backwards ^= 1;
        d = 0U - d;
    }
    return likely + (p->backwards != 0 ? 0U - d : d);
}

/* False: there is no further page. */
static bool code_page(struct bl_codec *c, uint32_t *page)
{
    struct bl_place *p = c->paged;
    uint32_t likely = p->page + (p->backwards != 0 ? UINT32_MAX : 1U);
    uint32_t y = 0;

    if (possible(c, likely)) {
        y = bl_code_flag(&c->rc,
                         BL_SAY(!said_end(c) && said_page(c)->page == likely),
                         &p->next[p->straight]);
    }
    p->straight = (uint8_t)y;
    *page = likely;
    if (y == 0) {
        if (bl_code_flag(&c->rc, BL_SAY(said_end(c)), &p->end) != 0) {
            return false;
        }
        *page = code_jump(c, likely);
    }
    return true;
}

/* --- what of it is saved --- */

#if BL_DELTA_ENCODE
static bool said_more(const struct bl_codec *c)
{
    return c->paged->said < said_page(c)->pieces_n;
}

static uint32_t said_choice(const struct bl_codec *c)
{
    const struct bl_place *p = c->paged;
    uint32_t i = 0;

    while (i + 1 < p->slots && p->order[i] != said_page(c)->slot) {
        i++;
    }
    return i;
}
#endif

/* How many slots were filled before the one. */
static uint32_t code_choice(struct bl_codec *c, uint32_t said)
{
    struct bl_place *p = c->paged;
    uint32_t i = 0;

    while (i + 1 < p->slots) {
        uint32_t k = i < BL_PLACE_CHOICES ? i : BL_PLACE_CHOICES - 1U;

        if (bl_code_flag(&c->rc, said > i, &p->choice[k]) == 0) {
            break;
        }
        i++;
    }
    return i;
}

/* Returns the page that was in the slot, or UINT32_MAX. */
static uint32_t code_save(struct bl_codec *c)
{
    struct bl_place *p = c->paged;
    uint32_t was;
    uint32_t i = 0;

    p->slot = (uint8_t)bl_code_flag(
        &c->rc, BL_SAY(said_page(c)->slot != BL_PLACE_NONE),
        &p->save[p->slot != BL_PLACE_NONE ? 1 : 0]);
    if (p->slot == 0 || p->page >= bl_place_pages(c->old.size, p->bits)) {
        p->slot = BL_PLACE_NONE;
        return UINT32_MAX;
    }
    if (p->slots == 0) {
        c->status = BL_DELTA_FORMAT;
        return UINT32_MAX;
    }
    i = code_choice(c, BL_SAY(said_choice(c)));
    p->slot = p->order[i];
    memmove(p->order + i, p->order + i + 1, p->slots - i - 1U);
    p->order[p->slots - 1U] = p->slot;
    was = p->held[p->slot];
    p->held[p->slot] = p->page;
    p->saves++;
    return was;
}

/* --- the stash --- */

/* What of it is not needed any more goes. Returns how many grains stay. */
static uint32_t code_drops(struct bl_codec *c)
{
    struct bl_place *p = c->paged;
    uint32_t n = p->pieces_n;
    uint32_t used = 0;
    uint32_t at = 0;
    uint32_t gone = 0;
    uint32_t i;

    p->pieces_n = 0;
    for (i = 0; i < n; i++) {
        struct bl_piece piece = p->pieces[i];

        piece.was = (uint8_t)at;
        at += piece.n;
        gone = bl_code_flag(&c->rc, BL_SAY(said_page(c)->drop >> i & 1),
                            &p->drop[gone]);
        if (gone == 0) {
            used += piece.n;
            p->pieces[p->pieces_n++] = piece;
        }
    }
    return used;
}

/* A piece of this page, or of the one that was in its slot before. */
static void code_piece(struct bl_codec *c, uint32_t was)
{
    struct bl_place *p = c->paged;
    struct bl_piece *piece = &p->pieces[p->pieces_n++];
    uint32_t page = p->page;
    uint32_t start;
#if BL_DELTA_ENCODE
    const struct bl_piece *said = &said_page(c)->pieces[c->paged->said++];
#endif

    if (was != UINT32_MAX &&
        bl_code_flag(&c->rc, BL_SAY(said->first >> BL_PLACE_GRAINS == was),
                     &p->other) != 0) {
        page = was;
    }
    start = bl_code_bits(&c->rc, BL_SAY(said->first & (BL_GRAINS - 1U)),
                         BL_PLACE_GRAINS);
    piece->first = (page << BL_PLACE_GRAINS) + start;
    piece->n = (uint8_t)(1 + bl_code_bits(&c->rc, BL_SAY(said->n - 1U),
                                          BL_PLACE_GRAINS));
    piece->was = BL_PLACE_NEW;
    if (start + piece->n > BL_GRAINS) {
        c->status = BL_DELTA_FORMAT;
    }
}

/* What the stash holds from this page on. */
static void code_stash(struct bl_codec *c, uint32_t was)
{
    struct bl_place *p = c->paged;
    uint32_t room = (uint32_t)p->stash << (BL_PLACE_GRAINS - 4);
    uint32_t used;

    if (room == 0) {
        return;
    }
    p->stashed = (uint8_t)bl_code_flag(&c->rc, BL_SAY(said_page(c)->stash),
                                       &p->anew[p->stashed]);
    if (p->stashed == 0) {
        return;
    }
    used = code_drops(c);
    while (p->pieces_n < BL_PLACE_PIECES &&
           bl_code_flag(&c->rc, BL_SAY(said_more(c)), &p->more) != 0) {
        code_piece(c, was);
        used += p->pieces[p->pieces_n - 1U].n;
    }
    if (used > room) {
        c->status = BL_DELTA_FORMAT;
    }
}

/* --- a page begins --- */

/* Going backwards, a page likely begins with what the last one began with. */
static void first_to_front(struct bl_codec *c)
{
    const struct bl_place *p = c->paged;
    uint32_t i = 0;

    if (p->joined != 0 || p->copied == 0) {
        return;
    }
    while (i < BL_APART - 1 && c->apart[i] != p->first) {
        i++;
    }
    memmove(c->apart + 1, c->apart, i * sizeof c->apart[0]);
    c->apart[0] = p->first;
}

static void begin_page(struct bl_codec *c, uint32_t page)
{
    struct bl_place *p = c->paged;
    uint32_t at = page << p->bits;
    uint32_t rest = c->now.size - at;

    p->joined = at == c->position && c->position > 0 ? 1 : 0;
    first_to_front(c);
    p->page = page;
    p->fresh = 1;
    p->copied = 0;
    c->from += at - c->position;
    c->position = at;
    c->stop = at + (rest < 1U << p->bits ? rest : 1U << p->bits);
    c->place = bl_map_place(&c->map[0], at, &c->place_from);
    bl_place_set(p->done, page);
    code_stash(c, code_save(c));
#if BL_DELTA_ENCODE
    p->index++;
    p->said = 0;
    while (c->operation_at > at) {
        c->operation--;
        c->operation_at -= c->plan->operations[c->operation].length;
    }
#else
    p->event = p->stashed != 0 ? BL_PLACE_STASH : BL_PLACE_PAGE;
    c->written = at;
    bl_view_forget(&c->cache);
#endif
}

void bl_place_next(struct bl_codec *c)
{
    uint32_t page;

#if !BL_DELTA_ENCODE
    bl_put_flush(c);
#endif
    if (!code_page(c, &page)) {
        c->phase = BL_PHASE_DONE;
    } else if (!possible(c, page)) {
        c->status = BL_DELTA_FORMAT;
    } else {
        begin_page(c, page);
    }
}

#if BL_DELTA_ENCODE
/* A distance may lead to what stands for new bytes. */
static bool said_goes_on(const struct bl_codec *c, uint32_t said)
{
    return said <= c->old.size && said == c->position + c->apart[0];
}
#endif

bool bl_place_goes_on(struct bl_codec *c, uint32_t said)
{
    struct bl_place *p = c->paged;
    uint32_t set = (p->joined != 0 ? 2U : 0U) + (c->literal ? 1U : 0U);
    bool again = p->fresh != 0;

    (void)said;
    p->fresh = 0;
    if (!again) {
        return false;
    }
    if (bl_code_flag(&c->rc, BL_SAY(said_goes_on(c, said)), &p->go_on[set]) ==
        0) {
        p->carry = 0;
        return false;
    }
    p->joined = p->joined != 0 && c->from == c->position + c->apart[0] ? 2 : 0;
    p->carry = p->joined != 0 ? p->carry : 0;
    c->from = c->position + c->apart[0];
    return true;
}

void bl_place_copy(struct bl_codec *c)
{
    struct bl_place *p = c->paged;

    if (p->copied == 0) {
        p->copied = 1;
        p->first = c->apart[0];
    }
}
