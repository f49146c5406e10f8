/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include <string.h>

#include "bowline/sha256.h"
#include "code.h"

enum { PAGE = 700, STEP = 8, HEAD = 24 };

/* --- deflate members: one block of the fixed code --- */

struct bits {
    uint8_t *p;
    size_t n, room;
    uint32_t held, count;
};

static void put_bits(struct bits *b, uint32_t value, uint32_t n)
{
    b->held |= value << b->count;
    b->count += n;
    while (b->count >= 8) {
        if (b->n < b->room) {
            b->p[b->n++] = (uint8_t)b->held;
        }
        b->held >>= 8;
        b->count -= 8;
    }
}

/* Huffman codes come with their first bit first. */
static void put_code(struct bits *b, uint32_t code, uint32_t n)
{
    while (n > 0) {
        n--;
        put_bits(b, code >> n & 1, 1);
    }
}

static void put_symbol(struct bits *b, uint32_t s)
{
    if (s < 144) {
        put_code(b, 0x30 + s, 8);
    } else if (s < 256) {
        put_code(b, 0x190 + s - 144, 9);
    } else if (s < 280) {
        put_code(b, s - 256, 7);
    } else {
        put_code(b, 0xc0 + s - 280, 8);
    }
}

/* A copy of 3 to 10 bytes from 1 to 4 back, or of 8 from 17 to 24 back. */
static void put_copy(struct bits *b, uint32_t length, uint32_t distance)
{
    put_symbol(b, 257 + length - 3);
    if (distance <= 4) {
        put_code(b, distance - 1, 5);
    } else {
        put_code(b, 8, 5);
        put_bits(b, distance - 17, 3);
    }
}

static uint32_t match_at(const uint8_t *p, size_t at, size_t n, size_t back)
{
    uint32_t k = 0;
    while (back <= at && k < 10 && at + k < n &&
           p[at + k] == p[at + k - back]) {
        k++;
    }
    return k;
}

static void deflate_all(struct bits *b, const uint8_t *p, size_t n)
{
    put_bits(b, 3, 3);
    for (size_t at = 0; at < n;) {
        uint32_t length = 0, distance = 0;
        for (uint32_t back = 1; back <= 24; back += back == 4 ? 13 : 1) {
            uint32_t k = match_at(p, at, n, back);
            if (k > length) {
                length = k;
                distance = back;
            }
        }
        if (length >= 3) {
            put_copy(b, length, distance);
            at += length;
        } else {
            put_symbol(b, p[at++]);
        }
    }
    put_symbol(b, 256);
    put_bits(b, 0, 7);
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;
    for (size_t k = 0; k < n; k++) {
        crc ^= p[k];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
        }
    }
    return ~crc;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (uint32_t k = 0; k < 4; k++) {
        p[k] = (uint8_t)(v >> 8 * k);
    }
}

/* Words, of which some are others when `edit` is another number. */
static void make_page(uint32_t seed, uint32_t edit, uint8_t *page)
{
    struct dice d = {seed};
    struct dice e = {edit};
    for (size_t at = 0; at + 8 <= PAGE; at += 8) {
        uint32_t word = dice_roll(&d, 9);
        if (edit != 0 && dice_roll(&e, 12) == 0) {
            word = dice_roll(&e, 9);
        }
        memcpy(page + at,
               "<p class=\"wide\">the cat sat on a mat, and"
               " then it left the house.</p>" +
                   word * 7,
               8);
    }
}

static size_t add_member(uint8_t *p, size_t n, size_t room, uint32_t seed,
                         uint32_t edit)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    uint8_t page[PAGE] = {0};
    struct bits b = {p, n, room < 8 ? 0 : room - 8, 0, 0};
    if (room < n + 1024) {
        return n;
    }
    make_page(seed, edit, page);
    memcpy(p + n, head, sizeof head);
    b.n += sizeof head;
    deflate_all(&b, page, PAGE);
    put32(p + b.n, crc32_of(page, PAGE));
    put32(p + b.n + 4, PAGE);
    return b.n + 8;
}

/* --- what code is wrapped into --- */

/* One segment of code, one of noise; checksum and SHA-256 behind. */
static size_t wrap_esp(uint8_t *p, size_t n, size_t room, uint32_t isa)
{
    uint8_t sum = 0xef;
    size_t body = (n + 3) & ~(size_t)3, end;
    if (body + HEAD + 100 > room) {
        return n;
    }
    memset(p + n, 0, body - n);
    memmove(p + HEAD + STEP, p, body);
    memset(p, 0, HEAD);
    p[0] = 0xe9;
    p[1] = 1;
    p[12] = isa == BL_DELTA_RISCV ? 5 : 9;
    p[23] = 1;
    put32(p + HEAD, 0x42000000 + HEAD + STEP);
    put32(p + HEAD + 4, (uint32_t)body);
    end = HEAD + STEP + body;
    for (size_t k = HEAD + STEP; k < end; k++) {
        sum ^= p[k];
    }
    while (end % 16 != 15) {
        p[end++] = 0;
    }
    p[end++] = sum;
    bl_sha256(p, end, p + end);
    return end + BL_SHA256_SIZE;
}

/* One segment of code and data, 32 bits. */
static size_t wrap_elf(uint8_t *p, size_t n, size_t room, uint32_t isa)
{
    static const uint8_t machine[BL_DELTA_ISAS] = {0, 40, 243, 94, 183, 62};
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    enum { AT = 52, SEGMENT = 32, ALL = AT + SEGMENT };
    if (n + ALL > room || isa == BL_DELTA_PLAIN) {
        return n;
    }
    memmove(p + ALL, p, n);
    memset(p, 0, ALL);
    memcpy(p, magic, sizeof magic);
    p[16] = n % 2 == 0 ? 2 : 3;
    p[18] = machine[isa];
    put32(p + 28, AT);
    p[42] = SEGMENT;
    p[44] = 1;
    p[AT] = 1;
    put32(p + AT + 4, ALL);
    put32(p + AT + 8, 0x42000000);
    put32(p + AT + 16, (uint32_t)n);
    put32(p + AT + 20, (uint32_t)n);
    p[AT + 24] = 5;
    return n + ALL;
}

/* --- pairs --- */

enum { RAW, ESP, ELF, MEMBERS, WRAPS };

static size_t link_wrapped(struct code *c, uint32_t wrap, uint32_t edit,
                           uint32_t seed, uint8_t *p)
{
    size_t n = code_link(c, p, MADE_ROOM);
    if (n == 0) {
        return 0;
    }
    if (wrap == MEMBERS) {
        n = add_member(p, n, MADE_ROOM, seed, 0);
        n = add_member(p, n, MADE_ROOM, seed + 1, edit);
    }
    if (wrap == ESP) {
        return wrap_esp(p, n, MADE_ROOM, c->isa);
    }
    return wrap == ELF ? wrap_elf(p, n, MADE_ROOM, c->isa) : n;
}

void made_images(struct dice *d, uint32_t kind, uint32_t functions,
                 struct made *m)
{
    struct code c;
    uint32_t isa = kind % BL_DELTA_ISAS;
    uint32_t wrap = kind / BL_DELTA_ISAS % WRAPS;
    uint32_t base = wrap == RAW ? 0x08004000 : 0x42000000;
    uint32_t seed = dice_roll(d, 1U << 30);
    code_make(d, &c, isa, base, 1 + functions);
    m->old_n = link_wrapped(&c, wrap, 0, seed, m->old);
    code_revise(d, &c);
    m->now_n = link_wrapped(&c, wrap, 1 + dice_roll(d, 1000), seed, m->now);
}

/* Neither code nor any order, or nearly nothing. */
static void made_noise(struct dice *d, struct made *m)
{
    m->old_n = 1 + dice_roll(d, dice_roll(d, 2) == 0 ? 40 : 5000);
    fill_noise(d, m->old, m->old_n);
    memcpy(m->now, m->old, m->old_n);
    m->now_n = m->old_n;
    if (dice_roll(d, 4) == 0) {
        m->now_n = 1 + dice_roll(d, 2000);
        fill_noise(d, m->now, m->now_n);
    } else {
        mutate(d, m->now, &m->now_n, MADE_ROOM / 2);
    }
}

void made_pair(uint32_t number, struct made *m)
{
    static const uint32_t rams[] = {12, 6, 16, 8, 32};
    struct dice d = {number * 2654435761U + 1};
    uint32_t kind = dice_roll(&d, 1U << 20);
    diff_defaults(&m->options);
    m->options.ram = rams[dice_roll(&d, 5)] * 1024;
    m->options.effort = number % 16 == 15 ? 6 : (uint8_t)(number % 2);
    if (number % 8 == 7) {
        made_noise(&d, m);
    } else {
        made_images(&d, kind, dice_roll(&d, number % 4 == 0 ? 64 : 24), m);
    }
    if (number % 8 == 6) {
        mutate(&d, m->now, &m->now_n, MADE_ROOM);
    }
    if (dice_roll(&d, 2) == 0) {
        m->options.isa = (uint8_t)(kind % BL_DELTA_ISAS);
    } else if (dice_roll(&d, 8) == 0) {
        m->options.isa = (uint8_t)dice_roll(&d, BL_DELTA_ISAS);
    }
    if (dice_roll(&d, 8) == 0) {
        m->options.in_place = true;
        m->options.block = 256U << dice_roll(&d, 4);
        m->options.spare = dice_roll(&d, 3);
    }
    if (dice_roll(&d, 16) == 0) {
        memcpy(m->now, m->old, m->old_n);
        m->now_n = m->old_n;
    }
}
