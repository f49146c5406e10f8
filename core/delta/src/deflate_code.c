/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate_code.h"

void bl_deflate_set_length(struct bl_deflate_lengths *l, unsigned i,
                           unsigned length)
{
    unsigned shift = i % 2 * 4;
    unsigned kept = l->pair[i / 2] & (0xF0U >> shift);

    l->pair[i / 2] = (uint8_t)(kept | (length & 15U) << shift);
}

void bl_deflate_fixed(struct bl_deflate_lengths *l)
{
    unsigned i;

    for (i = 0; i < BL_DEFLATE_LENGTHS; i++) {
        unsigned length = i < 144   ? 8
                          : i < 256 ? 9
                          : i < 280 ? 7
                          : i < 288 ? 8
                                    : 5;

        bl_deflate_set_length(l, i, length);
    }
}

unsigned bl_deflate_literals(const struct bl_deflate_lengths *l)
{
    unsigned n = BL_DEFLATE_LITERALS_SENT;

    while (n > 257 && bl_deflate_length(l, n - 1) == 0) {
        n--;
    }
    return n;
}

unsigned bl_deflate_distances(const struct bl_deflate_lengths *l)
{
    unsigned n = BL_DEFLATE_DISTANCES_SENT;

    while (n > 1 && bl_deflate_length(l, BL_DEFLATE_LITERALS + n - 1) == 0) {
        n--;
    }
    return n;
}

/* Length `i` of those that are sent. */
static unsigned sent(const struct bl_deflate_lengths *l, unsigned literals,
                     unsigned i)
{
    return bl_deflate_length(
        l, i < literals ? i : BL_DEFLATE_LITERALS + i - literals);
}

static struct bl_deflate_run run(unsigned symbol, unsigned lengths)
{
    struct bl_deflate_run r;

    r.symbol = (uint8_t)symbol;
    r.lengths = (uint8_t)lengths;
    r.extra = (uint8_t)(lengths - bl_deflate_run_least(symbol));
    return r;
}

struct bl_deflate_run bl_deflate_run_at(const struct bl_deflate_lengths *l,
                                        unsigned literals, unsigned distances,
                                        bool joined, unsigned i)
{
    unsigned begin = joined || i < literals ? 0 : literals;
    unsigned end = !joined && i < literals ? literals : literals + distances;
    unsigned length = sent(l, literals, i);
    unsigned most = length == 0 ? 138 : 6;
    unsigned n = 1;

    while (n < most && i + n < end && sent(l, literals, i + n) == length) {
        n++;
    }
    if (length == 0 && n >= 3) {
        return run(n > 10 ? 18 : 17, n);
    }
    if (length != 0 && n >= 3 && i > begin &&
        sent(l, literals, i - 1) == length) {
        return run(16, n);
    }
    return run(length, 1);
}

unsigned bl_deflate_run_bits(unsigned symbol)
{
    return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

unsigned bl_deflate_run_least(unsigned symbol)
{
    return symbol == 18 ? 11 : symbol >= 16 ? 3 : 1;
}

unsigned bl_deflate_order(unsigned i)
{
    static const uint8_t order[BL_DEFLATE_CODES] = {
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

    return order[i];
}

unsigned bl_deflate_length_bits(unsigned symbol)
{
    return symbol < 8 || symbol == 28 ? 0 : symbol / 4 - 1;
}

unsigned bl_deflate_length_base(unsigned symbol)
{
    if (symbol < 8) {
        return symbol;
    }
    return symbol == 28 ? 255 : (4 + symbol % 4) << (symbol / 4 - 1);
}

unsigned bl_deflate_distance_bits(unsigned symbol)
{
    return symbol < 4 ? 0 : symbol / 2 - 1;
}

unsigned bl_deflate_distance_base(unsigned symbol)
{
    return symbol < 4 ? symbol : (2 + symbol % 2) << (symbol / 2 - 1);
}
