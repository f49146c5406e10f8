/* SPDX-License-Identifier: Apache-2.0 */
#include "code_guess.h"

#include <stdlib.h>

enum {
    TARGETS = 2048,   /* functions, and strings, that are looked at */
    VOTES = 1 << 21,  /* base addresses, voted for */
    BASE_ALIGN = 256, /* of a base address; at worst: */
    BASE_ALIGN_LEAST = 16,
    VOTES_LEAST = 6,  /* to believe in a base address */
    NUMBERS = 256,    /* words below are no addresses */
    STRING_LEAST = 5, /* bytes of a text */
    RAM_PAGE = 4096,
    RAM_LEAST = 3, /* words that make a page of RAM */
    RAM_GAP = 16   /* pages without a word between two of RAM */
};

void places_free(struct places *p)
{
    free(p->at);
    p->at = NULL;
    p->n = p->room = 0;
}

/* Memory that is short only makes the guess worse. */
static bool place_add(struct places *p, uint32_t at)
{
    if (p->n == p->room) {
        uint32_t room = p->room == 0 ? 4096 : p->room * 2;
        uint32_t *more = realloc(p->at, room * sizeof *more);
        if (more == NULL) {
            return false;
        }
        p->at = more;
        p->room = room;
    }
    p->at[p->n++] = at;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void places_sort(struct places *p)
{
    if (p->n != 0) {
        qsort(p->at, p->n, sizeof *p->at, by_value);
    }
}

/* Keeps what is there `least` times or more, once; says how many were there
 * again. */
static uint32_t places_unique(struct places *p, uint32_t least)
{
    uint32_t kept = 0, again = 0;
    places_sort(p);
    for (uint32_t k = 0; k < p->n;) {
        uint32_t end = k;
        while (end < p->n && p->at[end] == p->at[k]) {
            end++;
        }
        again += end - k - 1;
        if (end - k >= least) {
            p->at[kept++] = p->at[k];
        }
        k = end;
    }
    p->n = kept;
    return again;
}

static int32_t extend(uint32_t v, unsigned bits)
{
    return (int32_t)(v << (32 - bits)) >> (32 - bits);
}

static bool thumb_call(const struct image *i, uint32_t o, int32_t *jump)
{
    uint32_t h = image_u16(i, o), g = image_u16(i, o + 2);
    if ((h & 0xf800) != 0xf000 || (g & 0xd000) != 0xd000) {
        return false;
    }
    uint32_t s = h >> 10 & 1, a = (g >> 13 & 1) ^ s ^ 1,
             b = (g >> 11 & 1) ^ s ^ 1;
    *jump = 4 + extend(s << 24 | a << 23 | b << 22 | (h & 0x3ff) << 12 |
                           (g & 0x7ff) << 1,
                       25);
    return true;
}

static bool riscv_call(const struct image *i, uint32_t o, int32_t *jump)
{
    uint32_t w = image_u32(i, o);
    if ((w & 0xfff) == 0x0ef) { /* jal ra */
        *jump = extend((w >> 31) << 20 | (w >> 12 & 255) << 12 |
                           (w >> 20 & 1) << 11 | (w >> 21 & 0x3ff) << 1,
                       21);
        return true;
    }
    uint32_t v = image_u32(i, o + 4);
    if ((w & 0xfff) == 0x097 && (v & 0xfffff) == 0x080e7) {
        *jump = (int32_t)((w & 0xfffff000u) + (uint32_t)extend(v >> 20, 12));
        return true;
    }
    return false;
}

static bool call_at(const struct image *i, uint8_t isa, uint32_t o,
                    int32_t *jump)
{
    uint32_t w;
    switch (isa) {
    case BL_DELTA_THUMB:
        return thumb_call(i, o, jump);
    case BL_DELTA_RISCV:
        return riscv_call(i, o, jump);
    case BL_DELTA_XTENSA:
        w = image_u32(i, o) & 0xffffff;
        *jump = extend(w >> 6, 18) * 4 + 4 - (int32_t)(o & 3);
        return (w & 15) == 5;
    case BL_DELTA_AARCH64:
        w = image_u32(i, o);
        *jump = extend(w & 0x3ffffff, 26) * 4;
        return w >> 26 == 0x25;
    case BL_DELTA_X86_64:
        *jump = (int32_t)(image_u32(i, o + 1) + 5);
        return i->p[o] == 0xe8;
    default:
        return false;
    }
}

static uint32_t call_step(uint8_t isa)
{
    switch (isa) {
    case BL_DELTA_AARCH64:
        return 4;
    case BL_DELTA_THUMB:
    case BL_DELTA_RISCV:
        return 2;
    default:
        return 1;
    }
}

uint32_t guess_functions(const struct image *i, uint8_t isa,
                         struct places *out)
{
    uint32_t step = call_step(isa);
    for (uint32_t o = 0; i->n >= 8 && o <= i->n - 8; o += step) {
        int32_t jump;
        if (!call_at(i, isa, o, &jump) || jump == 0) {
            continue;
        }
        int64_t target = (int64_t)o + jump;
        if (target >= 0 && target < (int64_t)i->n &&
            !place_add(out, (uint32_t)target)) {
            break;
        }
    }
    return places_unique(out, 2);
}

static bool printable(uint8_t c)
{
    return (c >= 32 && c < 127) || c == '\n' || c == '\t' || c == '\r' ||
           c == 27;
}

void guess_strings(const struct image *i, struct places *out)
{
    uint32_t start = 0;
    bool begun = false; /* a zero, then only text */
    for (uint32_t o = 0; o < i->n; o++) {
        uint8_t c = i->p[o];
        if (c == 0) {
            if (begun && o - start >= STRING_LEAST && !place_add(out, start)) {
                return;
            }
            start = o + 1;
            begun = true;
        } else if (!printable(c)) {
            begun = false;
        }
    }
}

/* Evenly chosen, so that the work is bounded. */
static void places_thin(struct places *p, uint32_t most)
{
    if (p->n <= most) {
        return;
    }
    for (uint32_t k = 0; k < most; k++) {
        p->at[k] = p->at[(uint64_t)k * p->n / most];
    }
    p->n = most;
}

/* LUI and what adds the lower part next: a whole address. */
static bool riscv_pair(const struct image *i, uint32_t o, uint32_t *address)
{
    uint32_t w = image_u32(i, o), v = image_u32(i, o + 4);
    uint32_t reg = w >> 7 & 31, op = v & 0x7f;
    if ((w & 0x7f) != 0x37 || reg == 0 || (v >> 15 & 31) != reg) {
        return false;
    }
    if (op == 0x03 || (op == 0x13 && (v >> 12 & 7) == 0)) {
        *address = (w & 0xfffff000u) + (uint32_t)extend(v >> 20, 12);
        return true;
    }
    if (op == 0x23) {
        *address = (w & 0xfffff000u) +
                   (uint32_t)extend((v >> 25) << 5 | (v >> 7 & 31), 12);
        return true;
    }
    return false;
}

/* What may be a pointer at an offset. */
static bool pointer_at(const struct image *i, uint8_t isa, uint32_t o,
                       uint32_t *address)
{
    if (isa == BL_DELTA_RISCV && riscv_pair(i, o, address)) {
        return true;
    }
    *address = image_u32(i, o);
    return (o & 3) == 0;
}

static void words_of(const struct image *i, uint8_t isa, struct places *out)
{
    for (uint32_t o = 0; i->n >= 4 && o <= i->n - 4; o += 2) {
        uint32_t w;
        if (pointer_at(i, isa, o, &w) && w >= NUMBERS && w < 0xf0000000u &&
            !place_add(out, w)) {
            break;
        }
    }
    places_unique(out, 1);
}

/* Places by their low bits, so that only such meet as give an aligned base. */
struct wheel {
    uint32_t align;
    uint32_t first[BASE_ALIGN + 1];
    uint32_t at[TARGETS];
};

static void wheel_fill(struct wheel *w, const struct places *p)
{
    uint32_t next[BASE_ALIGN];
    uint32_t n = p->n < TARGETS ? p->n : TARGETS;
    memset(w->first, 0, sizeof w->first);
    for (uint32_t k = 0; k < n; k++) {
        w->first[p->at[k] % w->align + 1]++;
    }
    for (uint32_t k = 0; k < w->align; k++) {
        w->first[k + 1] += w->first[k];
        next[k] = w->first[k];
    }
    for (uint32_t k = 0; k < n; k++) {
        w->at[next[p->at[k] % w->align]++] = p->at[k];
    }
}

/* All bases at which a word, its lowest bit being `bit`, points at a place. */
static void vote(const struct places *words, const struct places *places,
                 uint32_t align, uint32_t bit, struct places *votes)
{
    struct wheel w = {.align = align};
    wheel_fill(&w, places);
    for (uint32_t k = 0; k < words->n; k++) {
        uint32_t to = words->at[k] - bit, low = to % align;
        if ((words->at[k] & 1) != bit) {
            continue;
        }
        for (uint32_t j = w.first[low]; j < w.first[low + 1]; j++) {
            if (to >= w.at[j] &&
                (votes->n >= VOTES || !place_add(votes, to - w.at[j]))) {
                return;
            }
        }
    }
}

static bool most_voted(struct places *votes, uint32_t limit, uint32_t *base)
{
    uint32_t best = 0, second = 0;
    places_sort(votes);
    for (uint32_t k = 0; k < votes->n;) {
        uint32_t end = k;
        while (end < votes->n && votes->at[end] == votes->at[k]) {
            end++;
        }
        if (votes->at[k] <= limit && end - k > best) {
            second = best;
            best = end - k;
            *base = votes->at[k];
        } else if (end - k > second) {
            second = end - k;
        }
        k = end;
    }
    return best >= VOTES_LEAST && best > second;
}

/* The pointers that a base of this alignment may have, and no more of them
 * than keeps the work bounded. */
static bool base_by_votes(const struct image *i, uint8_t isa,
                          const struct places *functions,
                          const struct places *strings, uint32_t align,
                          uint32_t *base)
{
    struct places words = {0}, votes = {0};
    words_of(i, isa, &words);
    places_thin(&words, (uint32_t)(VOTES / (2 * TARGETS)) * align);
    vote(&words, functions, align, isa == BL_DELTA_THUMB ? 1 : 0, &votes);
    vote(&words, strings, align, 0, &votes);
    bool found = most_voted(&votes, UINT32_MAX - i->n, base);
    places_free(&words);
    places_free(&votes);
    return found;
}

bool guess_base(const struct image *i, uint8_t isa,
                const struct places *functions, uint32_t *base)
{
    struct places strings = {0}, some = {0};
    guess_strings(i, &strings);
    for (uint32_t k = 0; k < functions->n; k++) {
        (void)place_add(&some, functions->at[k]);
    }
    places_thin(&strings, TARGETS / 2);
    places_thin(&some, TARGETS);
    bool found =
        base_by_votes(i, isa, &some, &strings, BASE_ALIGN, base) ||
        base_by_votes(i, isa, &some, &strings, BASE_ALIGN_LEAST, base);
    places_free(&strings);
    places_free(&some);
    return found;
}

/* What may be a RAM address at all: ARM's RAM region; else high addresses, so
 * that numbers and texts do not count. */
static struct bl_range ram_world(uint8_t isa)
{
    struct bl_range thumb = {0x1fff0000, 0x20800000};
    struct bl_range other = {0x20000000, 0x90000000};
    return isa == BL_DELTA_THUMB ? thumb : other;
}

static void ram_words(const struct image *i, uint8_t isa, uint32_t base,
                      struct places *pages)
{
    struct bl_range world = ram_world(isa);
    for (uint32_t o = 0; i->n >= 4 && o <= i->n - 4; o += 2) {
        uint32_t w;
        bool found = isa == BL_DELTA_RISCV ? riscv_pair(i, o, &w)
                                           : pointer_at(i, isa, o, &w);
        if (found && w >= world.low && w < world.high &&
            !(w >= base && w - base < i->n) &&
            !place_add(pages, w / RAM_PAGE)) {
            return;
        }
    }
    places_sort(pages);
}

/* The stretch of pages with most words; pages that few words name do not
 * count. */
struct bl_range guess_ram(const struct image *i, uint8_t isa, uint32_t base)
{
    struct places pages = {0};
    struct bl_range best = {0, 0}, run = {0, 0};
    uint32_t most = 0, count = 0;
    ram_words(i, isa, base, &pages);
    for (uint32_t k = 0; k < pages.n;) {
        uint32_t end = k, page = pages.at[k];
        while (end < pages.n && pages.at[end] == page) {
            end++;
        }
        if (end - k >= RAM_LEAST) {
            if (run.high == 0 || page > run.high + RAM_GAP) {
                run.low = page;
                count = 0;
            }
            run.high = page + 1;
            count += end - k;
            if (count > most) {
                most = count;
                best = run;
            }
        }
        k = end;
    }
    places_free(&pages);
    best.low *= RAM_PAGE;
    best.high *= RAM_PAGE;
    return best;
}
