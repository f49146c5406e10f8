/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate_write.h"

#include <string.h>

enum {
    AT_BLOCK, /* 0 */
    AT_STORED_PADDING,
    AT_STORED_LENGTH,
    AT_STORED,
    AT_COUNTS, /* HLIT, HDIST, HCLEN */
    AT_CODES,
    AT_LENGTHS,
    AT_RUNS,
    AT_SYMBOL,
    AT_PLAIN,
    AT_COPY,
    AT_HIGH,
    AT_LOW,
    AT_PADDING,
    AT_END,
    AT_ERROR
};

typedef struct bl_deflate_writer writer;
typedef struct bl_deflate_sink sink;

void bl_deflate_write_start(writer *w)
{
    memset(w, 0, sizeof *w);
}

/* `n` bits, at most 16, the lowest first. */
static bl_status give(writer *w, const sink *s, unsigned bits, unsigned n)
{
    uint32_t held = w->held | (uint32_t)bits << w->count;
    unsigned count = w->count + n;
    bl_status status = BL_OK;

    while (count >= 8 && status == BL_OK) {
        status = s->put(s->ctx, (uint8_t)held);
        held >>= 8;
        count -= 8;
    }
    w->held = (uint8_t)held;
    w->count = (uint8_t)count;
    return status;
}

/* Codes for `n` symbols with lengths from `from` on. A length that more than
 * 256 symbols have, which no encoder makes, has no place in `rank`. */
static bl_status number(const struct bl_deflate_lengths *l, unsigned from,
                        unsigned n, uint16_t first[BL_DEFLATE_BITS + 1],
                        uint8_t *rank)
{
    uint16_t count[BL_DEFLATE_BITS + 1];
    unsigned code = 0;
    unsigned i;

    memset(count, 0, sizeof count);
    for (i = 0; i < n; i++) {
        unsigned length = bl_deflate_length(l, from + i);

        rank[i] = (uint8_t)count[length];
        if (++count[length] > 256 && length != 0) {
            return BL_DELTA_FORMAT;
        }
    }
    count[0] = 0;
    for (i = 1; i <= BL_DEFLATE_BITS; i++) {
        code = (code + count[i - 1]) * 2;
        first[i] = (uint16_t)code;
        if (code + count[i] > 1U << i) {
            return BL_DELTA_FORMAT;
        }
    }
    return BL_OK;
}

/* A Huffman code, whose highest bit goes first. */
static bl_status give_code(writer *w, const sink *s, unsigned length,
                           unsigned code)
{
    unsigned turned = 0;
    unsigned i;

    if (length == 0) {
        return BL_DELTA_FORMAT;
    }
    for (i = 0; i < length; i++) {
        turned = turned << 1 | (code >> i & 1U);
    }
    return give(w, s, turned, length);
}

static bl_status give_literal(writer *w, const sink *s, unsigned symbol)
{
    unsigned length = bl_deflate_length(&w->lengths, symbol);

    return give_code(w, s, length,
                     (unsigned)w->literal_first[length] +
                         w->literal_rank[symbol]);
}

/* Also a symbol of the code length code. */
static bl_status give_distance(writer *w, const sink *s, unsigned length,
                               unsigned symbol)
{
    return give_code(w, s, length,
                     (unsigned)w->distance_first[length] +
                         w->distance_rank[symbol]);
}

static bl_status number_literals(writer *w)
{
    return number(&w->lengths, 0, BL_DEFLATE_LITERALS, w->literal_first,
                  w->literal_rank);
}

static bl_status number_distances(writer *w)
{
    return number(&w->lengths, BL_DEFLATE_LITERALS, BL_DEFLATE_DISTANCES,
                  w->distance_first, w->distance_rank);
}

static void block_ends(writer *w)
{
    w->state = (w->head & BL_DEFLATE_FINAL) != 0 ? AT_PADDING : AT_BLOCK;
}

static bl_status take_head(writer *w, const sink *s, unsigned token)
{
    unsigned type = token & BL_DEFLATE_TYPE;
    unsigned form = token >> BL_DEFLATE_FORM;
    bl_status status =
        give(w, s, type << 1 | (token & BL_DEFLATE_FINAL ? 1U : 0), 3);

    if (status != BL_OK) {
        return status;
    }
    w->head = (uint8_t)token;
    w->index = 0;
    if (type == BL_DEFLATE_DYNAMIC && form <= BL_DEFLATE_RUNS_SENT) {
        w->state = form == BL_DEFLATE_RUNS_SENT ? AT_COUNTS : AT_CODES;
        w->codes = BL_DEFLATE_CODES;
        return BL_OK;
    }
    if (type == BL_DEFLATE_STORED && form == 0) {
        w->state = AT_STORED_PADDING;
        return BL_OK;
    }
    if (type != BL_DEFLATE_FIXED || form != 0) {
        return BL_DELTA_FORMAT;
    }
    w->state = AT_SYMBOL;
    bl_deflate_fixed(&w->lengths);
    status = number_literals(w);
    return status == BL_OK ? number_distances(w) : status;
}

static bl_status take_padding(writer *w, const sink *s, unsigned token)
{
    unsigned n = (8U - w->count) & 7U;

    w->state = w->state == AT_PADDING ? AT_END : AT_STORED_LENGTH;
    return token >> n == 0 ? give(w, s, token, n) : BL_DELTA_FORMAT;
}

static bl_status take_stored_length(writer *w, const sink *s, unsigned token)
{
    bl_status status;

    if (w->index++ == 0) {
        w->stored = (uint16_t)token;
        return BL_OK;
    }
    w->stored = (uint16_t)(w->stored | token << 8);
    w->index = 0;
    w->state = AT_STORED;
    if (w->stored == 0) {
        block_ends(w);
    }
    status = give(w, s, w->stored, 16);
    return status == BL_OK ? give(w, s, ~(unsigned)w->stored & 0xFFFFU, 16)
                           : status;
}

static bl_status take_stored(writer *w, const sink *s, unsigned token)
{
    w->inflated++;
    if (++w->index == w->stored) {
        block_ends(w);
    }
    return give(w, s, token, 8);
}

static bl_status take_counts(writer *w, unsigned token)
{
    if (w->index == 0) {
        w->literals = (uint16_t)(token + 257);
    } else if (w->index == 1) {
        w->distances = (uint16_t)(token + 1);
    } else {
        w->codes = (uint8_t)(token + 4);
    }
    if (++w->index == 3) {
        w->index = 0;
        w->state = AT_CODES;
        if (w->literals > BL_DEFLATE_LITERALS_SENT ||
            w->distances > BL_DEFLATE_DISTANCES_SENT ||
            token + 4 > BL_DEFLATE_CODES) {
            return BL_DELTA_FORMAT;
        }
        memset(w->code + w->codes, 0, BL_DEFLATE_CODES - (size_t)w->codes);
    }
    return BL_OK;
}

/* The counts and the code length code; this is numbered where later the
 * distances are. */
static bl_status give_codes(writer *w, const sink *s)
{
    struct bl_deflate_lengths l;
    bl_status status = give(w, s,
                            (w->literals - 257U) | (w->distances - 1U) << 5 |
                                (w->codes - 4U) << 10,
                            14);
    unsigned i;

    for (i = 0; status == BL_OK && i < w->codes; i++) {
        status = give(w, s, w->code[i], 3);
    }
    if (status != BL_OK) {
        return status;
    }
    memset(&l, 0, sizeof l);
    for (i = 0; i < BL_DEFLATE_CODES; i++) {
        bl_deflate_set_length(&l, bl_deflate_order(i), w->code[i]);
    }
    return number(&l, 0, BL_DEFLATE_CODES, w->distance_first,
                  w->distance_rank);
}

static unsigned code_length(const writer *w, unsigned symbol)
{
    unsigned i = 0;

    while (bl_deflate_order(i) != symbol) {
        i++;
    }
    return w->code[i];
}

static bl_status give_run(writer *w, const sink *s,
                          const struct bl_deflate_run *run)
{
    bl_status status =
        give_distance(w, s, code_length(w, run->symbol), run->symbol);

    return status == BL_OK
               ? give(w, s, run->extra, bl_deflate_run_bits(run->symbol))
               : status;
}

/* The lengths are whole: the block's symbols follow. */
static bl_status head_ends(writer *w)
{
    bl_status status = number_literals(w);

    w->state = AT_SYMBOL;
    return status == BL_OK ? number_distances(w) : status;
}

static bl_status give_lengths(writer *w, const sink *s)
{
    bool joined = w->head >> BL_DEFLATE_FORM == BL_DEFLATE_RUNS_JOINED;
    unsigned i = 0;
    bl_status status;

    w->literals = (uint16_t)bl_deflate_literals(&w->lengths);
    w->distances = (uint16_t)bl_deflate_distances(&w->lengths);
    while (w->codes > 4 && w->code[w->codes - 1] == 0) {
        w->codes--;
    }
    status = give_codes(w, s);
    while (status == BL_OK && i < (unsigned)w->literals + w->distances) {
        struct bl_deflate_run run = bl_deflate_run_at(&w->lengths, w->literals,
                                                      w->distances, joined, i);

        status = give_run(w, s, &run);
        i += run.lengths;
    }
    return status == BL_OK ? head_ends(w) : status;
}

/* Symbols that have codes only in fixed blocks. */
static void clear_unsent(struct bl_deflate_lengths *l)
{
    unsigned i;

    for (i = BL_DEFLATE_LITERALS_SENT; i < BL_DEFLATE_LITERALS; i++) {
        bl_deflate_set_length(l, i, 0);
    }
    for (i = BL_DEFLATE_DISTANCES_SENT; i < BL_DEFLATE_DISTANCES; i++) {
        bl_deflate_set_length(l, BL_DEFLATE_LITERALS + i, 0);
    }
}

static bl_status take_code(writer *w, const sink *s, unsigned token)
{
    w->code[w->index++] = (uint8_t)token;
    if (token > 7) {
        return BL_DELTA_FORMAT;
    }
    if (w->index < w->codes) {
        return BL_OK;
    }
    w->index = 0;
    if (w->head >> BL_DEFLATE_FORM == BL_DEFLATE_RUNS_SENT) {
        w->state = AT_RUNS;
        memset(&w->lengths, 0, sizeof w->lengths);
        return give_codes(w, s);
    }
    w->state = AT_LENGTHS; /* those of the block before are a guess */
    clear_unsent(&w->lengths);
    return BL_OK;
}

static bl_status take_length(writer *w, const sink *s, unsigned token)
{
    unsigned gap = BL_DEFLATE_LITERALS - BL_DEFLATE_LITERALS_SENT;
    unsigned i = w->index++;

    if (token > BL_DEFLATE_BITS) {
        return BL_DELTA_FORMAT;
    }
    bl_deflate_set_length(&w->lengths,
                          i < BL_DEFLATE_LITERALS_SENT ? i : i + gap, token);
    if (w->index == BL_DEFLATE_LITERALS_SENT + BL_DEFLATE_DISTANCES_SENT) {
        return give_lengths(w, s);
    }
    return BL_OK;
}

static bool run_of_token(unsigned token, struct bl_deflate_run *run)
{
    unsigned symbol = token >= 0x80   ? 18
                      : token >= 0x20 ? 17
                      : token >= 0x10 ? 16
                                      : token;
    unsigned extra = symbol < 16 ? 0 : token & (symbol == 18 ? 0x7FU : 0x0FU);

    run->symbol = (uint8_t)symbol;
    run->extra = (uint8_t)extra;
    run->lengths = (uint8_t)(bl_deflate_run_least(symbol) + extra);
    return token < 0x30 || token >= 0x80
               ? extra >> bl_deflate_run_bits(symbol) == 0
               : false;
}

static bl_status take_run(writer *w, const sink *s, unsigned token)
{
    unsigned gap = BL_DEFLATE_LITERALS - (unsigned)w->literals;
    unsigned total = (unsigned)w->literals + w->distances;
    struct bl_deflate_run run;
    unsigned length;
    unsigned i = w->index;
    bl_status status;

    if (!run_of_token(token, &run) || run.lengths > total - i ||
        (run.symbol == 16 && i == 0)) {
        return BL_DELTA_FORMAT;
    }
    length = run.symbol < 16 ? run.symbol : 0;
    if (run.symbol == 16) {
        unsigned before = i - 1;

        length = bl_deflate_length(
            &w->lengths, before < w->literals ? before : before + gap);
    }
    for (; i < w->index + (unsigned)run.lengths; i++) {
        bl_deflate_set_length(&w->lengths, i < w->literals ? i : i + gap,
                              length);
    }
    w->index = (uint16_t)i;
    status = give_run(w, s, &run);
    return status == BL_OK && i == total ? head_ends(w) : status;
}

static bl_status take_literal(writer *w, const sink *s, unsigned token)
{
    w->state = AT_SYMBOL;
    w->inflated++;
    return give_literal(w, s, token);
}

static bl_status take_symbol(writer *w, const sink *s, unsigned token)
{
    switch (token) {
    case BL_DEFLATE_PLAIN:
        w->state = AT_PLAIN;
        return BL_OK;
    case BL_DEFLATE_COPY:
        w->state = AT_COPY;
        return BL_OK;
    case BL_DEFLATE_END:
        block_ends(w);
        return give_literal(w, s, BL_DEFLATE_EOB);
    default:
        return take_literal(w, s, token);
    }
}

static bl_status give_length_symbol(writer *w, const sink *s)
{
    unsigned symbol = w->length == 255 ? 28 : 0;
    unsigned bits;
    bl_status status;

    while (symbol < 27 && bl_deflate_length_base(symbol + 1) <= w->length) {
        symbol++;
    }
    bits = bl_deflate_length_bits(symbol);
    status = give_literal(w, s, 257 + symbol);
    return status == BL_OK
               ? give(w, s, w->length - bl_deflate_length_base(symbol), bits)
               : status;
}

static bl_status take_distance(writer *w, const sink *s, unsigned token)
{
    unsigned distance = (unsigned)w->high << 8 | token;
    unsigned symbol = 0;
    bl_status status;

    w->state = AT_SYMBOL;
    if (distance > 0x7FFF || distance >= w->inflated) {
        return BL_DELTA_FORMAT;
    }
    w->inflated += w->length + 3U;
    while (symbol < BL_DEFLATE_DISTANCES_SENT - 1 &&
           bl_deflate_distance_base(symbol + 1) <= distance) {
        symbol++;
    }
    status = give_length_symbol(w, s);
    if (status == BL_OK) {
        status = give_distance(
            w, s, bl_deflate_length(&w->lengths, BL_DEFLATE_LITERALS + symbol),
            symbol);
    }
    return status == BL_OK
               ? give(w, s, distance - bl_deflate_distance_base(symbol),
                      bl_deflate_distance_bits(symbol))
               : status;
}

static bl_status step(writer *w, const sink *s, unsigned token)
{
    switch (w->state) {
    case AT_BLOCK:
        return take_head(w, s, token);
    case AT_STORED_PADDING:
    case AT_PADDING:
        return take_padding(w, s, token);
    case AT_STORED_LENGTH:
        return take_stored_length(w, s, token);
    case AT_STORED:
        return take_stored(w, s, token);
    case AT_COUNTS:
        return take_counts(w, token);
    case AT_CODES:
        return take_code(w, s, token);
    case AT_LENGTHS:
        return take_length(w, s, token);
    case AT_RUNS:
        return take_run(w, s, token);
    case AT_SYMBOL:
        return take_symbol(w, s, token);
    case AT_PLAIN:
        return take_literal(w, s, token);
    case AT_COPY:
        w->length = (uint8_t)token;
        w->state = AT_HIGH;
        return BL_OK;
    case AT_HIGH:
        w->high = (uint8_t)token;
        w->state = AT_LOW;
        return BL_OK;
    case AT_LOW:
        return take_distance(w, s, token);
    default:
        return BL_DELTA_FORMAT;
    }
}

bl_status bl_deflate_write(writer *w, const sink *s, uint8_t token)
{
    bl_status status = step(w, s, token);

    if (status != BL_OK) {
        w->state = AT_ERROR;
        return status;
    }
    w->at++;
    return BL_OK;
}

enum bl_deflate_phase bl_deflate_write_phase(const writer *w)
{
    switch (w->state) {
    case AT_SYMBOL:
    case AT_PLAIN:
        return BL_DEFLATE_AT_SYMBOL;
    case AT_COPY:
        return BL_DEFLATE_AT_LENGTH;
    case AT_HIGH:
        return BL_DEFLATE_AT_HIGH;
    case AT_LOW:
        return BL_DEFLATE_AT_LOW;
    case AT_CODES:
    case AT_LENGTHS:
    case AT_RUNS:
        return BL_DEFLATE_AT_CODE;
    case AT_STORED:
        return BL_DEFLATE_AT_STORED;
    case AT_END:
    case AT_ERROR:
        return BL_DEFLATE_AT_NOTHING;
    default:
        return BL_DEFLATE_AT_BLOCK;
    }
}

bool bl_deflate_write_within(const writer *w)
{
    return w->state >= AT_PLAIN && w->state <= AT_LOW;
}

int bl_deflate_write_place(const writer *w, int *before)
{
    unsigned gap = BL_DEFLATE_LITERALS - BL_DEFLATE_LITERALS_SENT;
    unsigned i = w->index;

    if (w->state == AT_CODES) {
        *before = w->code[i];
        return (int)i;
    }
    if (w->state == AT_LENGTHS) {
        i += i < BL_DEFLATE_LITERALS_SENT ? 0 : gap;
        *before = (int)bl_deflate_length(&w->lengths, i);
        return (int)w->index + BL_DEFLATE_CODES;
    }
    *before = -1;
    return -1;
}
