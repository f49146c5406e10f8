/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One unit of a copy: predicted, corrected. Candidates come from the map, from
 * exceptions learnt before, from where an Xtensa literal's value is found, and
 * from the old bytes as they are. When none is right: the target outright, a
 * recent difference, or the bytes, with the prediction as a guess.
 */
#include "codec.h"

#include <string.h>

enum {
    CANDIDATES = 5,
    SYNC = 64,  /* old bytes before a copy that are walked to find units */
    NEAR = 256, /* of targets to the prediction */
    FAR_MODEL = 4,
    WINDOW = 16 /* words, to either side, in which a literal is looked for */
};

/* How a candidate came about; numbers stand in contexts. */
enum type { BY_MAP, BY_EXCEPTION, UNCHANGED, BY_CONTENT };

struct unit {
    struct bl_site site;
    uint32_t at;      /* offset in the old image */
    uint32_t skip;    /* bytes that an earlier page has */
    uint32_t take;    /* bytes that this one has */
    uint32_t was;     /* what its distance counts from */
    uint32_t address; /* the same in the new image */
    uint32_t class;
    uint32_t predicted; /* target */
    uint32_t mask;      /* of its bytes in a word */
    uint32_t said;      /* in encoding: the new bytes */
    uint32_t candidate[CANDIDATES];
    uint8_t type[CANDIDATES];
    uint32_t candidates;
    uint32_t entry; /* of the map that the target is in */
    uint32_t entry2;
};

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

/* An address of the old image as one of the new. `state`: bits that are none
 * of the address but kept. *entry: which one of the maps it falls to. */
static uint32_t map_address(const struct bl_codec *c, uint32_t address,
                            uint32_t state, uint32_t *entry)
{
    uint32_t bits = address & state;
    uint32_t offset;

    if (!bl_view_offset(&c->old, address - bits, &offset)) {
        return map_ram(c, address, entry);
    }
    *entry = bl_map_find(&c->map[0], offset);
    offset = map_offset(&c->map[0], offset, *entry);
    if (offset < c->now.size) {
        return bl_view_address(&c->now, offset) + bits;
    }
    if (offset == c->now.size) {
        return bl_view_address(&c->now, offset - 1) + 1 + bits;
    }
    return address;
}

static uint32_t map_target(const struct bl_codec *c, uint32_t target,
                           uint32_t kind, uint32_t *entry)
{
    if (kind == BL_SITE_RAM) {
        return map_ram(c, target, entry);
    }
    return map_address(c, target, kind == BL_SITE_POINTER ? c->isa->thumb : 0U,
                       entry);
}

/* --- exceptions --- */

static struct bl_exception *find_exception(const struct bl_codec *c,
                                           uint32_t from)
{
    uint32_t i;

    for (i = 0; i < c->exceptions_n; i++) {
        if (c->exceptions[i].from == from) {
            return &c->exceptions[i];
        }
    }
    return NULL;
}

/* The oldest one gives way. */
static void learn_exception(struct bl_codec *c, uint32_t from, uint32_t to)
{
    struct bl_exception *e = find_exception(c, from);
    uint32_t size = (uint32_t)c->head.exceptions * BL_EXCEPTIONS_UNIT;

    if (size == 0) {
        return;
    }
    if (e == NULL) {
        e = &c->exceptions[c->exceptions_next];
        c->exceptions_next = (uint8_t)((c->exceptions_next + 1U) % size);
        if (c->exceptions_n < size) {
            c->exceptions_n++;
        }
    }
    e->from = from;
    e->to = to;
}

/* --- candidates --- */

static uint32_t mask_of(uint32_t n)
{
    return n == 4 ? UINT32_MAX : (1U << (8 * n)) - 1;
}

static BL_ONCE void add_word(struct unit *u, uint32_t word, uint32_t type)
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

static void add_target(const struct bl_codec *c, struct unit *u,
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
static void add_content(struct bl_codec *c, struct unit *u)
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
        value = map_address(c, value, 0, &t);
    }
    for (k = 0; k < WINDOW * 4; k += 4) {
        if (now >= k && literal_is(c, now - k, value)) {
            add_target(c, u, &u->site, u->predicted - k, BY_CONTENT);
            return;
        }
        if (literal_is(c, now + k, value)) {
            add_target(c, u, &u->site, u->predicted + k, BY_CONTENT);
            return;
        }
    }
}
#endif

#if BL_DELTA_PIC
static void add_other(struct bl_codec *c, struct unit *u)
{
    struct bl_site s = u->site;

    s.kind = s.kind2;
    s.target = s.target2;
    add_target(c, u, &s, map_target(c, s.target, s.kind, &u->entry2),
               BY_CONTENT);
}
#endif

/* How often the last ones of this type and class were wrong. */
static uint8_t *candidate_history(struct bl_codec *c, uint32_t type,
                                  uint32_t class)
{
    return &c->history.candidates[type * BL_SITE_CLASSES + class];
}

/* What a distance in the unit counts from. */
static void find_place(struct bl_codec *c, struct unit *u)
{
    uint32_t position = c->position - u->skip;
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

static void find_candidates(struct bl_codec *c, struct unit *u)
{
    const struct bl_exception *e;
    bool first;

    u->class = bl_site_class(u->site.kind);
    u->mask = mask_of(u->site.length);
    if (u->site.kind == BL_SITE_NONE) {
        add_word(u, u->site.word, UNCHANGED);
        return;
    }
    find_place(c, u);
    e = find_exception(c, u->site.target);
    first =
        e != NULL && (*candidate_history(c, BY_EXCEPTION, u->class) & 3) <= 1;
    u->predicted = map_target(c, u->site.target, u->site.kind, &u->entry);
#if BL_DELTA_CONTENT
    if (u->site.kind == BL_SITE_L32R) {
        add_content(c, u);
    }
#endif
    if (first) {
        add_target(c, u, &u->site, e->to, BY_EXCEPTION);
    }
    add_target(c, u, &u->site, u->predicted, BY_MAP);
    if (e != NULL && !first) {
        add_target(c, u, &u->site, e->to, BY_EXCEPTION);
    }
#if BL_DELTA_PIC
    if (u->site.kind2 != BL_SITE_NONE) {
        add_other(c, u);
    }
#endif
    add_word(u, u->site.word, UNCHANGED);
}

/* --- flags --- */

#if BL_DELTA_ENCODE
static bool is_said(const struct unit *u, uint32_t i)
{
    return ((u->said ^ u->candidate[i]) & u->mask) == 0;
}
#endif

/* What tells whether the i-th candidate is right: its type with how often such
 * ones were, the part of the map that its target is in, the units before, the
 * instruction. Returns the set of weights. */
static uint32_t choice_contexts(const struct bl_codec *c, const struct unit *u,
                                uint32_t i, uint32_t past,
                                uint32_t context[BL_GATE_CONTEXTS])
{
    uint32_t type = u->type[i];
    uint32_t last = i + 1 == u->candidates ? BL_TYPES : 0;

    context[0] = (u->class * BL_TYPES + type) * 4 + (past & 3);
    context[1] = type * 32 + (u->entry & 31);
    context[2] = type * 32 + (last ^ (c->history.misses & 31));
    context[3] = c->isa->opcode(u->site.word, u->site.length);
    return type + last;
}

/* Several candidates: each in turn. Returns which one is right, or how many
 * there are. */
static uint32_t choose(struct bl_codec *c, const struct unit *u)
{
    uint32_t i;

    BL_ACCOUNT(c, BL_COST_SITES);
    BL_TALLY(c, sites);
    for (i = 0; i < u->candidates; i++) {
        uint8_t *h = candidate_history(c, u->type[i], u->class);
        uint32_t context[BL_GATE_CONTEXTS];
        uint32_t set = choice_contexts(c, u, i, *h, context);
        bool right = BL_SAY(is_said(u, i));

        right = bl_code_gate(&c->rc, &c->model, BL_GATE_CANDIDATE, right,
                             context, set) != 0;
        *h = (uint8_t)(*h << 1 | (right ? 0 : 1));
        if (right) {
            break;
        }
    }
    return i;
}

static uint32_t group_of(const struct unit *u)
{
    if (u->site.kind != BL_SITE_NONE) {
        return bl_site_group(u->site.kind);
    }
    return u->site.length > 2 ? 1 : u->site.length == 1 ? 2 : 0;
}

/* One candidate: 0 when it is right, else 1. */
static uint32_t check(struct bl_codec *c, const struct unit *u)
{
    uint32_t context[BL_GATE_CONTEXTS];
    uint32_t n = u->site.length;
    bool wrong = BL_SAY(!is_said(u, 0));

    BL_ACCOUNT(c, BL_COST_FLAGS);
    BL_TALLY(c, flags);
    context[0] =
        c->missed == 0
            ? 64 + (c->window - c->from) / 2
            : group_of(u) * 8 + (uint32_t)(c->missed < 7 ? c->missed : 7);
    context[1] = (c->history.misses & 15) * 8 + group_of(u);
    context[2] =
        n == 1 ? 0x60 | (u->at & 3) | ((u->site.word & 0xFF) == 0 ? 4U : 0U)
               : c->isa->opcode(u->site.word, n);
    context[3] =
        c->missed == 0 ? n : 4 + (c->history.misses & 31) * 4 + (n & 3);
    wrong =
        bl_code_gate(&c->rc, &c->model, BL_GATE_UNIT, wrong, context, 0) != 0;
    c->missed += wrong ? 1 : 0;
    return wrong;
}

/* --- targets said outright --- */

static bool has_target(uint32_t kind)
{
    return kind == BL_SITE_POINTER || kind == BL_SITE_RAM ||
           kind == BL_SITE_RELATIVE || kind == BL_SITE_TABLE ||
           kind == BL_SITE_CALL || kind == BL_SITE_L32R;
}

/* Of calls and loads of literals. */
static uint32_t target_shift(const struct bl_codec *c, uint32_t kind)
{
    return bl_site_numbers(kind) < 2 ? c->isa->shift : 0U;
}

static void recent_front(struct bl_codec *c, uint32_t i, uint32_t target)
{
    uint32_t *r = c->history.recent;

    memmove(r + 1, r, i * sizeof *r);
    r[0] = target;
}

#if BL_DELTA_ENCODE
static uint32_t recent_find(const struct bl_codec *c, uint32_t target)
{
    uint32_t i = 0;

    while (i < BL_RECENT && c->history.recent[i] != target) {
        i++;
    }
    return i;
}
#endif

static uint32_t code_recent(struct bl_codec *c, uint32_t i)
{
    uint32_t x = 1;
    uint32_t bit = 4;

    while (bit > 0) {
        bit--;
        x = x * 2 + bl_code_flag(&c->rc, i >> bit & 1, &c->choices.recent[x]);
    }
    return x - BL_RECENT;
}

/* Near the prediction, or one of the recent ones, or anywhere. */
static uint32_t code_target(struct bl_codec *c, uint32_t target,
                            const struct unit *u)
{
    bl_counter *choice = &c->choices.target[u->class * 4];
    uint32_t shift = target_shift(c, u->site.kind);
    struct bl_number *m = c->number.operations.target;
    int32_t d = (int32_t)(target - u->predicted) >> shift;
    uint32_t i;

    if (bl_code_flag(&c->rc, BL_SAY(d < NEAR && d > -NEAR ? 1U : 0U),
                     &choice[0]) != 0) {
        d = bl_code_signed(&c->rc, d, &m[bl_site_numbers(u->site.kind)]);
        return u->predicted + ((uint32_t)d << shift);
    }
    i = BL_SAY(recent_find(c, target));
    if (bl_code_flag(&c->rc, BL_SAY(i < BL_RECENT ? 1U : 0U), &choice[1]) !=
        0) {
        i = code_recent(c, i);
        target = c->history.recent[i];
    } else {
        i = BL_RECENT - 1;
        d = bl_code_signed(&c->rc, d, &m[FAR_MODEL]);
        target = u->predicted + ((uint32_t)d << shift);
    }
    recent_front(c, i, target);
    return target;
}

#if BL_DELTA_ENCODE
static uint32_t difference_find(const uint32_t *list, uint32_t d)
{
    uint32_t i = 0;

    while (i < BL_DIFFERENCES && (list[i] == 0 || list[i] != d)) {
        i++;
    }
    return i;
}

/* What a table says of all its entries when something has grown: a difference
 * that was seen before costs less than a target. */
static bool seen(const struct bl_codec *c, const struct unit *u)
{
    uint32_t n = u->site.length;
    uint32_t d = (u->said - u->candidate[0]) & u->mask;

    return u->site.kind != BL_SITE_CALL && u->site.kind != BL_SITE_L32R &&
           difference_find(c->history.difference[n - 2], d) < BL_DIFFERENCES;
}

/* Can the new bytes be said by their target? */
static bool target_of(struct bl_codec *c, const struct unit *u,
                      uint32_t *target)
{
    uint32_t again = u->site.word;
    uint32_t t;

    if (!bl_site_read(&c->code, &u->site, u->address, u->said, target) ||
        !bl_site_write(&c->code, &u->site, u->was, u->address, *target,
                       &c->sweep, &again) ||
        ((again ^ u->said) & u->mask) != 0 ||
        ((*target - u->predicted) &
         ((1U << target_shift(c, u->site.kind)) - 1U)) != 0) {
        return false;
    }
    return u->site.kind == BL_SITE_CALL || u->site.kind == BL_SITE_L32R ||
           bl_view_offset(&c->now, *target & ~1U, &t) ||
           bl_view_ram(&c->code, *target);
}
#endif

/* Returns false when the unit is not told by its target. A target that
 * cannot be written leaves the old bytes. */
static bool correct_target(struct bl_codec *c, const struct unit *u,
                           uint32_t *now)
{
    uint32_t target = 0;
    bool can = BL_SAY(!seen(c, u) && target_of(c, u, &target));

    BL_ACCOUNT(c, BL_COST_TARGETS);
    if (bl_code_flag(&c->rc, can, &c->choices.target[u->class * 4 + 3]) == 0) {
        return false;
    }
    target = code_target(c, target, u);
    *now = u->site.word;
    if (!bl_site_write(&c->code, &u->site, u->was, u->address, target,
                       &c->sweep, now)) {
        *now = u->site.word;
    }
    learn_exception(c, u->site.target, target);
    return true;
}

/* --- recent differences --- */

/* To the front; what is not yet there pushes the last one out. */
static void difference_front(uint32_t *list, uint32_t d)
{
    uint32_t i = 0;

    while (i < BL_DIFFERENCES - 1 && list[i] != d) {
        i++;
    }
    memmove(list + 1, list, i * sizeof *list);
    list[0] = d;
}

static bool correct_difference(struct bl_codec *c, const struct unit *u,
                               uint32_t *now)
{
    uint32_t n = u->site.length;
    uint32_t row = n - 2;
    uint32_t *list = c->history.difference[row];
    uint8_t *hits = &c->history.difference_hits[row];
    bl_counter *choice = c->choices.difference[row];
    uint32_t said =
        BL_SAY(difference_find(list, (u->said - u->candidate[0]) & u->mask));
    uint32_t i = 0;
    uint32_t hit;

    BL_ACCOUNT(c, BL_COST_DIFFERENCES);
    hit = bl_code_flag(&c->rc, BL_SAY(said < BL_DIFFERENCES ? 1U : 0U),
                       &choice[*hits & 3]);
    *hits = (uint8_t)((uint32_t)*hits << 1 | hit);
    if (hit == 0) {
        return false;
    }
    while (i < BL_DIFFERENCES - 1 &&
           bl_code_flag(&c->rc, said == i, &choice[4 + i]) == 0) {
        i++;
    }
    c->history.change[n] = list[i];
    *now = u->candidate[0] + list[i];
    difference_front(list, list[i]);
    return true;
}

/* --- bytes --- */

/* Contexts of a lone byte: those before it, its phase, the predicted one. */
static void contexts_single(const struct bl_codec *c, uint32_t *v,
                            const struct bl_byte *b)
{
    uint32_t last = bl_last(c);
    uint32_t phase = c->position & 3;

    v[0] = 10 + phase;
    v[1] = last & 0xFF;
    v[2] = last & 0xFFFF;
    v[3] = (uint32_t)b->guess[0];
    v[4] = last >> 24 | phase << 8;
    v[5] = b->guess[0] < 0 ? last & 0xFFFFFF
                           : (uint32_t)b->guess[0] | (last & 0xFF) << 8;
}

/* Of the j-th byte of a unit: `head`, those of the unit before it. */
static void contexts_unit(const struct bl_codec *c, uint32_t *v, uint32_t j,
                          uint32_t head, const struct bl_byte *b)
{
    const struct bl_history *h = &c->history;
    uint32_t m = b->place;
    uint32_t op = c->isa->opcode(h->unit[0], h->unit_n[0]);
    uint32_t before = j > 0 ? head & 0xFF : op;
    uint32_t guess = m | (uint32_t)b->guess[0] << 8;

    v[0] = m;
    v[1] = m | before << 8;
    v[2] = m | ((head << 8 | op) & 0xFFFFFF) << 6;
    v[3] = guess;
    v[4] = guess | before << 16;
    v[5] = (bl_last(c) << (8 * j) | (head & mask_of(j))) & 0xFFFF;
    if (b->guess[0] < 0) {
        v[4] = m | (uint32_t)c->isa->opcode(h->unit[1], h->unit_n[1]) << 8 |
               op << 16 | (head & 0xFF) << 24;
    }
}

static void hash_contexts(struct bl_byte *b, const uint32_t *v, uint32_t salt)
{
    uint32_t k;

    for (k = 0; k < BL_CONTEXTS; k++) {
        b->context[k] = bl_mix(v[k], salt + k);
    }
    if (b->guess[0] < 0) {
        b->context[3] = 0; /* has nothing to go by */
    }
}

/* What there is to guess the bytes by. */
enum guess { BY_NOTHING, BY_PREDICTION, BY_SITE };

/* n bytes, as a word. Guesses are `predicted` and `again` (the prediction plus
 * the last difference). */
static uint32_t code_bytes(struct bl_codec *c, uint32_t n, uint32_t said,
                           uint32_t predicted, uint32_t again,
                           enum guess guess)
{
    static const uint8_t first_place[BL_SITE_UNIT + 1] = {0, 0, 1, 3, 6};
    uint32_t order = n == 2 || n == 4 ? c->isa->order : 0U;
    uint32_t head = 0;
    uint32_t now = 0;
    uint32_t j;

    (void)said;
    for (j = 0; j < n; j++) {
        uint32_t at = 8 * (j ^ order);
        uint32_t v[BL_CONTEXTS];
        uint32_t byte;
        struct bl_byte b;

        b.guess[0] =
            guess != BY_NOTHING ? (int32_t)(predicted >> at & 255) : -1;
        b.guess[1] = guess != BY_NOTHING ? (int32_t)(again >> at & 255) : -1;
        b.place = first_place[n] + j;
        if (n == 1) {
            contexts_single(c, v, &b);
            b.place = guess != BY_NOTHING ? 0 : 10;
        } else {
            contexts_unit(c, v, j, head, &b);
            v[0] += guess == BY_SITE ? 16U : 0U;
        }
        hash_contexts(&b, v, n == 1 ? 0x100 : 0x1000);
        byte = bl_code_byte(&c->rc, &c->model, BL_SAY(said >> at & 255), &b);
        head = head << 8 | byte;
        now |= byte << at;
    }
    return now;
}

static uint32_t correct_bytes(struct bl_codec *c, const struct unit *u)
{
    uint32_t n = u->site.length;
    uint32_t value = u->candidate[0];
    uint32_t now;
    uint32_t d;

    BL_ACCOUNT(c, BL_COST_MISSED);
    now =
        code_bytes(c, n, BL_SAY(u->said), value, value + c->history.change[n],
                   u->site.kind != BL_SITE_NONE ? BY_SITE : BY_PREDICTION);
    d = (now - value) & u->mask;
    c->history.change[n] = d;
    if (n > 1 && d != 0) {
        difference_front(c->history.difference[n - 2], d);
    }
    return now;
}

/* --- units --- */

static uint32_t missed(struct bl_codec *c, const struct unit *u)
{
    uint32_t now;

    BL_TALLY(c, missed);
    c->history.misses = c->history.misses << 1 | 1;
    c->history.run = 0;
    if ((has_target(u->site.kind) && correct_target(c, u, &now)) ||
        (u->site.length > 1 && correct_difference(c, u, &now))) {
        return now;
    }
    return correct_bytes(c, u);
}

static void pass_unit(struct bl_codec *c, struct unit *u, uint32_t now)
{
    const struct bl_isa *isa = c->isa;

    if (isa->after != NULL && u->site.length == 4) {
        find_place(c, u); /* of no site, too */
        isa->after(&c->sweep, u->at, u->address, u->site.word, now);
    }
    c->from += u->take;
    c->left -= u->take;
}

static void put_unit(struct bl_codec *c, struct unit *u, uint32_t now)
{
    pass_unit(c, u, now);
    bl_put(c, now >> (8 * u->skip), u->take);
}

/* In place, an instruction that reaches beyond the page is told in both: each
 * page puts out its part. */
static bool may_reach(const struct bl_codec *c, const struct unit *u)
{
    return c->paged != NULL && c->left == c->stop - c->position &&
           u->site.length <= c->now.size - (c->position - u->skip);
}

/* Which unit, and what of it is put out: that at c->from; a single byte at the
 * ragged ends of a copy. */
static void find_unit(struct bl_codec *c, struct unit *u)
{
    struct bl_site *s = &u->site;

    u->skip = c->clip;
    u->at = c->from - c->clip;
    c->clip = 0;
    u->candidates = 0;
    if (c->raw == 0) {
        bl_site_find(&c->old, u->at, &c->sweep, s);
        u->take = s->length - u->skip;
        if (s->length <= u->skip) {
            c->raw = 1;
        } else if (u->take > c->left) {
            u->take = c->left;
            if (may_reach(c, u)) {
                c->paged->carry = (uint8_t)(u->skip + u->take);
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
    u->said = bl_get(c->plan->now.data + c->position - u->skip, s->length);
#endif
}

#if BL_DELTA_ENCODE
/* Are all units of the window that have one candidate as it says? Nothing is
 * changed. Exceptions come and go within a window: they do not count. */
static bool is_quiet(struct bl_codec *c)
{
    struct bl_sweep sweep = c->sweep;
    uint32_t from = c->from;
    uint32_t left = c->left;
    uint32_t position = c->position;
    uint32_t raw = c->raw;
    uint8_t clip = c->clip;
    uint8_t exceptions_n = c->exceptions_n;
    uint8_t carry = c->paged != NULL ? c->paged->carry : 0;
    bool quiet = true;

    c->exceptions_n = 0;
    while (quiet && c->left > 0 && c->from < c->window) {
        struct unit u;

        find_unit(c, &u);
        find_candidates(c, &u);
        quiet = u.candidates > 1 || is_said(&u, 0);
        pass_unit(c, &u, u.said);
        c->position += u.take;
    }
    c->exceptions_n = exceptions_n;
    c->sweep = sweep;
    c->from = from;
    c->left = left;
    c->position = position;
    c->raw = raw;
    c->clip = clip;
    if (c->paged != NULL) {
        c->paged->carry = carry;
    }
    return quiet;
}
#endif

static uint32_t log_of(uint32_t v)
{
    uint32_t n = 0;

    for (; v != 0; v >>= 1) {
        n++;
    }
    return n;
}

/* Begins a window: one flag for all of its units. */
static void code_window(struct bl_codec *c)
{
    struct bl_history *h = &c->history;
    uint32_t context[BL_GATE_CONTEXTS];

    c->missed = 0;
    c->window = (c->from | (BL_WINDOW - 1)) + 1;
    bl_view_near(&c->old, c->window - BL_WINDOW);
    BL_ACCOUNT(c, BL_COST_FLAGS);
    context[0] = h->windows & 127;
    context[1] = bl_map_find(&c->map[0], c->from);
    context[2] = log_of(h->run) * 4 + (h->windows & 3);
    context[3] = c->left < BL_WINDOW
                     ? log_of(c->left)
                     : 16 + (h->windows & 7) +
                           8 * bl_view_region(&c->old, c->from)->kind;
    c->quiet = bl_code_gate(&c->rc, &c->model, BL_GATE_WINDOW,
                            BL_SAY(is_quiet(c)), context, 0) != 0;
    h->windows = h->windows << 1 | (c->quiet ? 0U : 1U);
    h->run++;
}

/* One unit that takes bytes of the patch, and those before it that take none.
 */
void bl_unit_copy(struct bl_codec *c)
{
    struct unit u;
    uint32_t now;
    uint32_t right;

    if (c->from >= c->window) {
        code_window(c);
    }
    do {
        find_unit(c, &u);
        right = 0;
        if (u.site.kind == BL_SITE_NONE && c->quiet) {
            pass_unit(c, &u, u.site.word);
            bl_put_word(c, u.site.word >> (8 * u.skip), u.take);
            continue;
        }
        find_candidates(c, &u);
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
            now = missed(c, &u);
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
        now = code_bytes(c, n,
                         BL_SAY(bl_get(c->plan->now.data + c->position, n)), 0,
                         0, BY_NOTHING);
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
    if (c->paged == NULL || c->paged->joined != 2) {
        return false;
    }
    c->paged->joined = 1;
    c->clip = c->paged->carry;
    c->paged->carry = 0;
    return true;
}

/* The unit that was cut by a page's begin is told whole. */
static bool begins_page(const struct bl_codec *c)
{
    return c->paged != NULL && c->position > BL_SITE_UNIT &&
           c->position == c->paged->page << c->paged->bits;
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
