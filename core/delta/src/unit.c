/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over the units of a copy, in windows: a flag for a window whose
 * units are as predicted, else one for each; choices where there are several
 * candidates. And the units of literals.
 */
#include "unit.h"

enum { SYNC = 64 /* old bytes before a copy that are walked to find units */ };

static inline uint32_t clip_of(const struct bl_codec *c)
{
#if BL_DELTA_IN_PLACE
    return c->clip;
#else
    (void)c;
    return 0;
#endif
}

/* --- flags --- */

#if BL_DELTA_ENCODE
static bool is_said(const struct bl_unit *u, uint32_t i)
{
    return ((u->said ^ u->candidate[i]) & u->mask) == 0;
}
#endif

/* Several candidates: each in turn. Returns which one is right, or how many
 * there are. */
static uint32_t choose(struct bl_codec *c, const struct bl_unit *u)
{
    uint32_t i;

    BL_ACCOUNT(c, BL_COST_SITES);
    BL_TALLY(c, sites);
    for (i = 0; i < u->candidates; i++) {
        uint32_t type = u->type[i];
        uint8_t *h = bl_candidate_history(c, type, u->class);
        bool right = bl_code_gate(&c->rc, &c->model, BL_GATE_CANDIDATE,
                                  BL_SAY(is_said(u, i)),
                                  (u->class * BL_TYPES + type) * 4 + (*h & 3),
                                  type * 32 + (u->entry & 31)) != 0;

        *h = (uint8_t)(*h << 1 | (right ? 0 : 1));
        if (right) {
            break;
        }
    }
    return i;
}

static uint32_t group_of(const struct bl_unit *u)
{
    if (u->site.kind != BL_SITE_NONE) {
        return bl_site_group(u->site.kind);
    }
    return u->site.length > 2 ? 1 : u->site.length == 1 ? 2 : 0;
}

/* One candidate: 0 when it is right, else 1. */
static uint32_t check(struct bl_codec *c, const struct bl_unit *u)
{
    uint32_t n = u->site.length;
    uint32_t does =
        n == 1 ? 0x60 | (u->at & 3) | ((u->site.word & 0xFF) == 0 ? 4U : 0U)
               : c->isa->opcode(u->site.word, n);

    BL_ACCOUNT(c, BL_COST_FLAGS);
    BL_TALLY(c, flags);
    return bl_code_gate(&c->rc, &c->model, BL_GATE_UNIT,
                        BL_SAY(!is_said(u, 0)),
                        (c->history.misses & 15) * 8 + group_of(u), does);
}

static void pass_unit(struct bl_codec *c, struct bl_unit *u, uint32_t now)
{
    const struct bl_isa *isa = c->isa;

    if (isa->after != NULL && u->site.length == 4) {
        bl_unit_place(c, u); /* of no site, too */
        isa->after(&c->sweep, u->at, u->address, u->site.word, now);
    }
    c->from += u->take;
    c->left -= u->take;
}

static void put_unit(struct bl_codec *c, struct bl_unit *u, uint32_t now)
{
    pass_unit(c, u, now);
    bl_put(c, now >> (8 * bl_unit_skip(u)), u->take);
}

/* In place, an instruction that reaches beyond the page is told in both: each
 * page puts out its part. */
static bool may_reach(const struct bl_codec *c, const struct bl_unit *u)
{
    return BL_PAGED(c) != NULL && c->left == c->stop - c->position &&
           u->site.length <= c->now.size - (c->position - bl_unit_skip(u));
}

/* Which unit, and what of it is put out: that at c->from; a single byte at the
 * ragged ends of a copy. */
static void find_unit(struct bl_codec *c, struct bl_unit *u)
{
    struct bl_site *s = &u->site;

    u->at = c->from;
#if BL_DELTA_IN_PLACE
    u->skip = c->clip;
    u->at -= c->clip;
    c->clip = 0;
#endif
    u->candidates = 0;
    if (c->raw == 0) {
        bl_site_find(&c->old, u->at, &c->sweep, s);
        u->take = s->length - bl_unit_skip(u);
        if (s->length <= bl_unit_skip(u)) {
            c->raw = 1;
        } else if (u->take > c->left) {
            u->take = c->left;
            if (may_reach(c, u)) {
                BL_PAGED(c)->carry = (uint8_t)(bl_unit_skip(u) + u->take);
            } else {
                c->raw = c->left;
            }
        }
    }
    if (c->raw > 0) {
        c->raw--;
        u->at = c->from;
        u->skip = 0;
        u->take = 1;
        s->kind = BL_SITE_NONE;
        s->length = 1;
        s->word = bl_view_word(&c->old, u->at);
    }
#if BL_DELTA_ENCODE
    u->said =
        bl_get(c->plan->now.data + c->position - bl_unit_skip(u), s->length);
#endif
}

#if BL_DELTA_ENCODE
/* Are all units of the window that have one candidate as it says? Nothing is
 * changed. */
static bool is_quiet(struct bl_codec *c)
{
    struct bl_sweep sweep = c->sweep;
    uint32_t from = c->from;
    uint32_t left = c->left;
    uint32_t position = c->position;
    uint32_t raw = c->raw;
    uint8_t clip = c->clip;
    uint8_t carry = BL_PAGED(c) != NULL ? BL_PAGED(c)->carry : 0;
    bool quiet = true;

    while (quiet && c->left > 0 && c->from < c->window) {
        struct bl_unit u;

        find_unit(c, &u);
        bl_unit_predict(c, &u);
        quiet = u.candidates > 1 || is_said(&u, 0);
        pass_unit(c, &u, u.said);
        c->position += u.take;
    }
    c->sweep = sweep;
    c->from = from;
    c->left = left;
    c->position = position;
    c->raw = raw;
    c->clip = clip;
    if (BL_PAGED(c) != NULL) {
        BL_PAGED(c)->carry = carry;
    }
    return quiet;
}
#endif

/* Begins a window: one flag for all of its units. */
static void code_window(struct bl_codec *c)
{
    struct bl_history *h = &c->history;
    uint32_t rest;

    c->window = (c->from | (BL_WINDOW - 1)) + 1;
    bl_view_near(&c->old, c->window - BL_WINDOW);
    BL_ACCOUNT(c, BL_COST_FLAGS);
    rest = c->left < BL_WINDOW
               ? bl_bits(c->left)
               : 16 + (h->windows & 7) +
                     8 * bl_view_region(&c->old, c->from)->kind;
    c->quiet =
        bl_code_gate(&c->rc, &c->model, BL_GATE_WINDOW, BL_SAY(is_quiet(c)),
                     bl_map_find(&c->map[0], c->from), rest) != 0;
    h->windows = h->windows << 1 | (c->quiet ? 0U : 1U);
}

/* Near targets that move as the next n bytes of the copy do. */
static void find_stay(struct bl_codec *c, uint32_t n, struct bl_stay *stay)
{
    const struct bl_region *old = bl_view_region(&c->old, c->from);
    const struct bl_region *now = bl_view_region(&c->now, c->position);
    const struct bl_kept *k = &c->kept[0];
    uint32_t by = now->address + (c->position - now->offset) -
                  (old->address + (c->from - old->offset));

    stay->length = 0;
    stay->from = k->from;
    stay->n = k->by == by && (by & 3) == 0 &&
                      now->length - (c->position - now->offset) >= n
                  ? k->n
                  : 0;
}

/* Units that are as they were, for sure. */
static void skip_units(struct bl_codec *c)
{
    uint32_t end = c->left < 4 ? c->from : c->from + c->left - 3;
    struct bl_stay stay;
    uint32_t n;

    end = end < c->window ? end : c->window;
    find_stay(c, end - c->from, &stay);
    n = bl_site_skip(&c->old, c->from, end, &c->sweep, &stay);
    bl_put_old(c, c->from, n);
    c->from += n;
    c->left -= n;
    if (stay.length != 0) {
        c->history.unit = stay.word;
        c->history.unit_n = stay.length;
    }
}

/* One unit that takes bytes of the patch, and those before it that take none.
 */
void bl_unit_copy(struct bl_codec *c)
{
    struct bl_unit u;
    uint32_t now;
    uint32_t right;

    if (c->from >= c->window) {
        code_window(c);
    }
    do {
        if (c->quiet && c->raw == 0 && clip_of(c) == 0 &&
            c->isa->size[0] != 0) {
            skip_units(c);
            if (c->left == 0 || c->from >= c->window) {
                return;
            }
        }
        find_unit(c, &u);
        right = 0;
        if (u.site.kind == BL_SITE_NONE && c->quiet) {
            pass_unit(c, &u, u.site.word);
            bl_put_word(c, u.site.word >> (8 * bl_unit_skip(&u)), u.take);
            continue;
        }
        bl_unit_predict(c, &u);
        if (u.candidates > 1) {
            right = choose(c, &u);
        } else if (!c->quiet) {
            right = check(c, &u);
        }
        if (right < u.candidates) {
            now = u.candidate[right];
            if (!c->quiet) {
                c->history.misses <<= 1;
            }
        } else {
            now = bl_unit_correct(c, &u);
        }
        put_unit(c, &u, now);
    } while (c->quiet && u.candidates < 2 && c->left > 0 &&
             c->from < c->window);
}

void bl_unit_literal(struct bl_codec *c)
{
    uint32_t n = c->isa->literal;
    uint32_t now = 0;
    uint32_t i;

    if ((c->position & (n - 1)) != 0 || n > c->left) {
        n = 1;
    }
    if (c->raw == 0) {
        now = bl_code_bytes(c, n,
                            BL_SAY(bl_get(c->plan->now.data + c->position, n)),
                            0, 0, BL_GUESS_NONE);
    }
    for (i = 0; c->raw != 0 && i < n; i++) {
        uint32_t byte = i < c->raw ? bl_now_byte(c, c->position - c->raw + i)
                                   : now >> (8 * (i - c->raw)) & 255;

        now |= byte << (8 * i);
    }
    bl_put(c, now, n);
    c->left -= n;
}

/* In place: the copy goes on from the page before. */
static bool is_joined(struct bl_codec *c)
{
    if (BL_PAGED(c) == NULL || BL_PAGED(c)->joined != 2) {
        return false;
    }
    BL_PAGED(c)->joined = 1;
    c->clip = BL_PAGED(c)->carry;
    BL_PAGED(c)->carry = 0;
    return true;
}

/* The unit that was cut by a page's begin is told whole. */
static bool begins_page(const struct bl_codec *c)
{
    return BL_PAGED(c) != NULL && c->position > BL_SITE_UNIT &&
           c->position == BL_PAGED(c)->page << BL_PAGED(c)->bits;
}

void bl_unit_start(struct bl_codec *c)
{
    uint32_t back = c->left < SYNC ? c->left & ~3U : (uint32_t)SYNC;
    uint32_t at = c->from > back ? (c->from - back) & ~3U : 0;
    uint32_t last = at;
    struct bl_site s;

    c->raw = 0;
    c->clip = 0;
    c->window = 0;
    if (is_joined(c)) {
        return;
    }
    bl_sweep_start(&c->sweep);
    if (c->isa->find == NULL) {
        return;
    }
    while (at < c->from) {
        last = at;
        bl_site_find(&c->old, at, &c->sweep, &s);
        at += s.length;
    }
    if (at > c->from && begins_page(c)) {
        c->clip = (uint8_t)(c->from - last);
    } else {
        c->raw = at - c->from < c->left ? at - c->from : c->left;
    }
    bl_sweep_start(&c->sweep);
}
