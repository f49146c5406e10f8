/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a unit is likely to be in the new image: its target by the map, by
 * where an Xtensa literal's value is found, or the old bytes as they are.
 */
#include "unit.h"

enum { WINDOW = 16 /* words, to either side, in which a literal is sought */ };

/* Whose targets lie together, elsewhere; their bytes are not told by the
 * distance alone. */
#define POOLS                                                                 \
    (BL_KIND(BL_SITE_HALF) | BL_KIND(BL_SITE_HIGH) | BL_KIND(BL_SITE_LOW) |   \
     BL_KIND(BL_SITE_L32R))
#define ABSOLUTE                                                              \
    (BL_KIND(BL_SITE_POINTER) | BL_KIND(BL_SITE_RAM) | BL_KIND(BL_SITE_HALF))

/* --- the map --- */

static uint32_t map_offset(const struct bl_map *m, uint32_t offset, uint32_t i)
{
    if (m->n == 0) {
        return offset;
    }
    return offset + bl_map_shift(m, i > 0 ? i - 1 : 0);
}

static uint32_t map_ram(const struct bl_codec *c, uint32_t address,
                        uint32_t *entry)
{
    uint32_t i = bl_map_find(&c->map[1], address);

    *entry = i;
    return i > 0 ? address + bl_map_shift(&c->map[1], i - 1) : address;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* What holds for `address`, in region `r`, at `old` in the old image and `now`
 * in the new one: so does it for those around it, of the same regions and
 * entry of the map. The first of the regions that have an address counts. */
static void keep_move(struct bl_codec *c, struct bl_kept *k,
                      const struct bl_region *r, uint32_t address,
                      uint32_t old, uint32_t now)
{
    const struct bl_region *to = bl_view_region(&c->now, now);
    const struct bl_region *e = c->old.regions;
    const struct bl_map *m = &c->map[0];
    uint32_t into = now - to->offset;
    uint32_t before = least(address - r->address, into);
    uint32_t behind =
        least(r->length - (address - r->address), to->length - into);

    if (k->entry > 0) {
        before = least(before, old - bl_map_start_at(m, k->entry - 1));
    }
    if (k->entry < m->n) {
        behind = least(behind, bl_map_start_at(m, k->entry) - old);
    }
    for (; e != r; e++) {
        before = least(before, address - (e->address + e->length) - 1);
        behind = least(behind, e->address - address);
    }
    k->from = address - before;
    k->n = before + behind;
    k->by = to->address + into - address;
}

/* An address of the old image, referred to by a site of that kind, as one of
 * the new. *entry: which one of the maps it falls to. */
static uint32_t map_address(struct bl_codec *c, uint32_t address,
                            uint32_t kind, uint32_t *entry)
{
    uint32_t bits = kind == BL_SITE_POINTER ? address & c->isa->thumb : 0;
    struct bl_kept *k = &c->kept[(BL_KIND(kind) & POOLS) != 0 ? 1 : 0];
    const struct bl_region *r;
    uint32_t offset;
    uint32_t now;

    address -= bits;
    if (address - k->from < k->n) {
        *entry = k->entry;
        return address + k->by + bits;
    }
    r = bl_view_loaded(&c->old, address);
    if (r == NULL) {
        return map_ram(c, address + bits, entry);
    }
    offset = r->offset + (address - r->address);
    *entry = bl_map_find(&c->map[0], offset);
    now = map_offset(&c->map[0], offset, *entry);
    if (now < c->now.size && (BL_KIND(kind) & (BL_KINDS_NEAR | POOLS)) != 0) {
        k->entry = *entry;
        keep_move(c, k, r, address, offset, now);
        return address + k->by + bits;
    }
    return now < c->now.size    ? bl_view_address(&c->now, now) + bits
           : now == c->now.size ? bl_view_address(&c->now, now - 1) + 1 + bits
                                : address + bits;
}

static uint32_t map_target(struct bl_codec *c, uint32_t target, uint32_t kind,
                           uint32_t *entry)
{
    return kind == BL_SITE_RAM ? map_ram(c, target, entry)
                               : map_address(c, target, kind, entry);
}

/* --- candidates --- */

static BL_ONCE void add_word(struct bl_unit *u, uint32_t word, uint32_t type)
{
    uint32_t i;

    for (i = 0; i < u->candidates; i++) {
        if (((u->candidate[i] ^ word) & u->mask) == 0) {
            return;
        }
    }
    u->candidate[u->candidates] = word;
    u->type[u->candidates] = (uint8_t)type;
    u->candidates++;
}

static void add_target(const struct bl_codec *c, struct bl_unit *u,
                       const struct bl_site *s, uint32_t target, uint32_t type)
{
    uint32_t word = s->word;

    if (bl_site_write(&c->code, s, u->was, u->address, target, &c->sweep,
                      &word)) {
        add_word(u, word, type);
    }
}

#if BL_DELTA_CONTENT
static bool literal_is(struct bl_codec *c, uint32_t at, uint32_t value)
{
    return at <= c->position && c->position - at >= 4 &&
           bl_now_word(c, at) == value;
}

/* Literals are shared and sorted anew with each link: the one that holds the
 * mapped value of the old literal, nearest to where the map expects it. */
static void add_content(struct bl_codec *c, struct bl_unit *u)
{
    uint32_t old;
    uint32_t now;
    uint32_t value;
    uint32_t t;
    uint32_t k;

    if ((c->flags & BL_HEAD_IN_PLACE) != 0 ||
        !bl_view_offset(&c->old, u->site.target, &old) ||
        old > c->old.size - 4 || c->old.size < 4 ||
        !bl_view_offset(&c->now, u->predicted, &now)) {
        return;
    }
    value = bl_view_word(&c->old, old);
    if (bl_view_offset(&c->old, value, &t) || bl_view_ram(&c->code, value)) {
        value = map_address(c, value, BL_SITE_NONE, &t);
    }
    for (k = 0; k < WINDOW * 4; k += 4) {
        if (now >= k && literal_is(c, now - k, value)) {
            add_target(c, u, &u->site, u->predicted - k, BL_BY_CONTENT);
            return;
        }
        if (literal_is(c, now + k, value)) {
            add_target(c, u, &u->site, u->predicted + k, BL_BY_CONTENT);
            return;
        }
    }
}
#endif

void bl_unit_place(struct bl_codec *c, struct bl_unit *u)
{
    uint32_t position = c->position - bl_unit_skip(u);
    const struct bl_region *r = bl_view_region(&c->now, position);

    u->was = u->site.address;
    u->address = r->address + (position - r->offset);
#if BL_DELTA_ELF
    if (u->site.kind == BL_SITE_TABLE || u->site.kind == BL_SITE_SYMBOL) {
        (void)bl_view_role(&c->old, bl_view_region(&c->old, u->at), u->at,
                           &u->was);
        (void)bl_view_role(&c->now, r, position, &u->address);
    }
#endif
}

/* Do the place and the target move alike? Then the bytes are what they were. A
 * quick answer: it may be false where they are, too. */
static bool stays(const struct bl_unit *u)
{
    uint32_t by = u->predicted - u->site.target;
    uint32_t place = u->address - u->was;

    if ((BL_KIND(u->site.kind) & ABSOLUTE) != 0) {
        return by == 0;
    }
    return by == place && (place & 3) == 0 &&
           (BL_KIND(u->site.kind) & POOLS) == 0;
}

void bl_unit_predict(struct bl_codec *c, struct bl_unit *u)
{
    u->class = bl_site_class(u->site.kind);
    u->mask = bl_unit_mask(u->site.length);
    if (u->site.kind == BL_SITE_NONE) {
        add_word(u, u->site.word, BL_UNCHANGED);
        return;
    }
    bl_unit_place(c, u);
    u->predicted = map_target(c, u->site.target, u->site.kind, &u->entry);
    if (stays(u)) {
        add_word(u, u->site.word, BL_BY_MAP);
        return;
    }
#if BL_DELTA_CONTENT
    if (u->site.kind == BL_SITE_L32R) {
        add_content(c, u);
    }
#endif
    add_target(c, u, &u->site, u->predicted, BL_BY_MAP);
    add_word(u, u->site.word, BL_UNCHANGED);
}
