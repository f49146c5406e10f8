/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate_read.h"

#include <string.h>

enum {
    AT_BLOCK, /* 0: with limit 0 nothing is read */
    AT_STORED_PADDING,
    AT_STORED_LENGTH,
    AT_STORED,
    AT_COUNTS, /* HLIT, HDIST, HCLEN */
    AT_CODES,
    AT_LENGTHS,
    AT_RUNS,
    AT_SYMBOLS,
    AT_PADDING,
    AT_END,
    AT_ERROR
};

typedef struct bl_deflate_reader reader;
typedef struct bl_deflate_source source;

void bl_deflate_read_start(reader *r, uint32_t offset, uint32_t limit)
{
    memset(r, 0, sizeof *r);
    r->limit = limit;
    r->bits.next = offset;
}

/* `n` bits, at most 16, the first one lowest. */
static bl_status take(reader *r, const source *s, unsigned n, unsigned *out)
{
    uint32_t value = r->bits.held;
    unsigned count = r->bits.count;

    while (count < n) {
        uint8_t byte = 0;
        bl_status status;

        if (r->bits.next >= r->limit) {
            return BL_DELTA_FORMAT;
        }
        status = s->get(s->ctx, r->bits.next, &byte);
        if (status != BL_OK) {
            return status;
        }
        r->bits.next++;
        value |= (uint32_t)byte << count;
        count += 8;
    }
    *out = value & ((1U << n) - 1U);
    r->bits.held = (uint8_t)(value >> n);
    r->bits.count = (uint8_t)(count - n);
    return BL_OK;
}

/* Sorts `n` symbols with lengths from `first` on. Incomplete codes are
 * accepted (deflate has one of a single distance); what they leave out is
 * found when it is met. */
static bl_status sort(const struct bl_deflate_lengths *l, unsigned first,
                      unsigned n, uint16_t count[BL_DEFLATE_BITS + 1],
                      uint8_t *symbols)
{
    uint16_t at[BL_DEFLATE_BITS + 1];
    int left = 1;
    unsigned i;

    memset(count, 0, sizeof at);
    for (i = 0; i < n; i++) {
        count[bl_deflate_length(l, first + i)]++;
    }
    count[0] = 0;
    at[0] = 0;
    for (i = 1; i <= BL_DEFLATE_BITS; i++) {
        at[i] = (uint16_t)(at[i - 1] + count[i - 1]);
        left = left * 2 - count[i];
        if (left < 0) {
            return BL_DELTA_FORMAT;
        }
    }
    for (i = 0; i < n; i++) {
        unsigned length = bl_deflate_length(l, first + i);

        if (length != 0) {
            symbols[at[length]++] = (uint8_t)i;
        }
    }
    return BL_OK;
}

static bl_status sort_literals(reader *r)
{
    unsigned i;

    memset(r->literal_low, 0, sizeof r->literal_low);
    for (i = 0; i < 256; i++) {
        r->literal_low[bl_deflate_length(&r->lengths, i)]++;
    }
    return sort(&r->lengths, 0, BL_DEFLATE_LITERALS, r->literal_count,
                r->literal);
}

static bl_status sort_distances(reader *r)
{
    return sort(&r->lengths, BL_DEFLATE_LITERALS, BL_DEFLATE_DISTANCES,
                r->distance_count, r->distance);
}

static bl_status symbol(reader *r, const source *s, const uint16_t *count,
                        const uint16_t *low, const uint8_t *symbols,
                        unsigned *out)
{
    int code = 0;
    int first = 0;
    unsigned index = 0;
    unsigned length;

    for (length = 1; length <= BL_DEFLATE_BITS; length++) {
        unsigned bit;
        bl_status status = take(r, s, 1, &bit);

        if (status != BL_OK) {
            return status;
        }
        code |= (int)bit;
        if (code - first < count[length]) {
            unsigned i = (unsigned)(code - first);

            *out = symbols[index + i];
            *out += low != NULL && i >= low[length] ? 256U : 0;
            return BL_OK;
        }
        index += count[length];
        first = (first + count[length]) * 2;
        code *= 2;
    }
    return BL_DELTA_FORMAT;
}

static bl_status distance_symbol(reader *r, const source *s, unsigned *out)
{
    return symbol(r, s, r->distance_count, NULL, r->distance, out);
}

/* The code length code; it lies where later the distances are. */
static bl_status read_codes(reader *r, const source *s)
{
    unsigned i;

    memset(r->code, 0, sizeof r->code);
    for (i = 0; i < r->codes; i++) {
        unsigned length;
        bl_status status = take(r, s, 3, &length);

        if (status != BL_OK) {
            return status;
        }
        r->code[i] = (uint8_t)length;
    }
    memset(&r->lengths, 0, sizeof r->lengths);
    for (i = 0; i < BL_DEFLATE_CODES; i++) {
        bl_deflate_set_length(&r->lengths,
                              BL_DEFLATE_LITERALS + bl_deflate_order(i),
                              r->code[i]);
    }
    return sort_distances(r);
}

static bl_status read_run(reader *r, const source *s,
                          struct bl_deflate_run *run)
{
    unsigned name;
    unsigned extra = 0;
    bl_status status = distance_symbol(r, s, &name);

    if (status == BL_OK) {
        status = take(r, s, bl_deflate_run_bits(name), &extra);
    }
    if (status == BL_OK) {
        run->symbol = (uint8_t)name;
        run->extra = (uint8_t)extra;
        run->lengths = (uint8_t)(bl_deflate_run_least(name) + extra);
    }
    return status;
}

/* Enters a run; `i` counts the lengths that were sent. */
static bl_status enter(reader *r, const struct bl_deflate_run *run,
                       unsigned *i)
{
    unsigned total = (unsigned)r->literals + r->distances;
    unsigned gap = BL_DEFLATE_LITERALS - (unsigned)r->literals;
    unsigned length = run->symbol < 16 ? run->symbol : 0;
    unsigned k;

    if (run->lengths > total - *i || (run->symbol == 16 && *i == 0)) {
        return BL_DELTA_FORMAT;
    }
    if (run->symbol == 16) {
        unsigned before = *i - 1;

        length = bl_deflate_length(
            &r->lengths, before < r->literals ? before : before + gap);
    }
    for (k = 0; k < run->lengths; k++, (*i)++) {
        bl_deflate_set_length(&r->lengths, *i < r->literals ? *i : *i + gap,
                              length);
    }
    return BL_OK;
}

static bl_status read_lengths(reader *r, const source *s)
{
    unsigned total = (unsigned)r->literals + r->distances;
    unsigned i = 0;
    bl_status status = BL_OK;

    memset(&r->lengths, 0, sizeof r->lengths);
    while (status == BL_OK && i < total) {
        struct bl_deflate_run run;

        status = read_run(r, s, &run);
        if (status == BL_OK) {
            status = enter(r, &run, &i);
        }
    }
    return status;
}

/* Do the lengths stand there in the runs that follow from them? */
static bl_status compare_runs(reader *r, const source *s, bool joined,
                              bool *same)
{
    unsigned total = (unsigned)r->literals + r->distances;
    unsigned i = 0;

    *same = bl_deflate_literals(&r->lengths) == r->literals &&
            bl_deflate_distances(&r->lengths) == r->distances &&
            (r->codes == 4 || r->code[r->codes - 1] != 0);
    r->bits = r->runs;
    while (*same && i < total) {
        struct bl_deflate_run want = bl_deflate_run_at(
            &r->lengths, r->literals, r->distances, joined, i);
        struct bl_deflate_run run;
        bl_status status = read_run(r, s, &run);

        if (status != BL_OK) {
            return status;
        }
        *same = run.symbol == want.symbol && run.extra == want.extra;
        i += want.lengths;
    }
    return BL_OK;
}

static bl_status find_form(reader *r, const source *s)
{
    unsigned form;

    for (form = BL_DEFLATE_RUNS_APART; form < BL_DEFLATE_RUNS_SENT; form++) {
        bool same;
        bl_status status =
            compare_runs(r, s, form == BL_DEFLATE_RUNS_JOINED, &same);

        if (status != BL_OK) {
            return status;
        }
        if (same) {
            break;
        }
    }
    if (form == BL_DEFLATE_RUNS_SENT) {
        r->bits = r->runs;
    }
    r->head = (uint8_t)(r->head | form << BL_DEFLATE_FORM);
    return BL_OK;
}

static bl_status read_dynamic(reader *r, const source *s)
{
    unsigned counts;
    bl_status status = take(r, s, 14, &counts);

    if (status != BL_OK) {
        return status;
    }
    r->literals = (uint16_t)((counts & 31U) + 257);
    r->distances = (uint16_t)((counts >> 5 & 31U) + 1);
    r->codes = (uint8_t)((counts >> 10) + 4);
    if (r->literals > BL_DEFLATE_LITERALS_SENT ||
        r->distances > BL_DEFLATE_DISTANCES_SENT ||
        r->codes > BL_DEFLATE_CODES) {
        return BL_DELTA_FORMAT;
    }
    status = read_codes(r, s);
    r->runs = r->bits;
    if (status == BL_OK) {
        status = read_lengths(r, s);
    }
    if (status == BL_OK) {
        status = sort_literals(r);
    }
    return status == BL_OK ? find_form(r, s) : status;
}

static bl_status read_head(reader *r, const source *s)
{
    unsigned head;
    bl_status status = take(r, s, 3, &head);

    if (status != BL_OK) {
        return status;
    }
    r->head = (uint8_t)(head >> 1 | (head & 1U) * BL_DEFLATE_FINAL);
    r->index = 0;
    switch (head >> 1) {
    case BL_DEFLATE_STORED:
        r->state = AT_STORED_PADDING;
        return BL_OK;
    case BL_DEFLATE_FIXED:
        r->state = AT_SYMBOLS;
        bl_deflate_fixed(&r->lengths);
        status = sort_literals(r);
        return status == BL_OK ? sort_distances(r) : status;
    case BL_DEFLATE_DYNAMIC:
        status = read_dynamic(r, s);
        r->state = r->head >> BL_DEFLATE_FORM == BL_DEFLATE_RUNS_SENT
                       ? AT_COUNTS
                       : AT_CODES;
        return status;
    default:
        return BL_DELTA_FORMAT;
    }
}

static void block_ends(reader *r)
{
    r->state = (r->head & BL_DEFLATE_FINAL) != 0 ? AT_PADDING : AT_BLOCK;
}

static bl_status read_padding(reader *r, const source *s, uint8_t *out)
{
    unsigned bits;
    bl_status status = take(r, s, r->bits.count, &bits);

    *out = (uint8_t)bits;
    r->state = r->state == AT_PADDING ? AT_END : AT_STORED_LENGTH;
    return status;
}

static bl_status read_stored_length(reader *r, const source *s, uint8_t *out)
{
    unsigned length;
    unsigned inverse;
    bl_status status;

    if (r->index++ == 1) {
        *out = (uint8_t)(r->stored >> 8);
        r->index = 0;
        r->state = AT_STORED;
        if (r->stored == 0) {
            block_ends(r);
        }
        return BL_OK;
    }
    status = take(r, s, 16, &length);
    if (status == BL_OK) {
        status = take(r, s, 16, &inverse);
    }
    if (status != BL_OK) {
        return status;
    }
    r->stored = (uint16_t)length;
    *out = (uint8_t)length;
    return (length ^ inverse) == 0xFFFFU ? BL_OK : BL_DELTA_FORMAT;
}

static bl_status read_stored(reader *r, const source *s, uint8_t *out)
{
    unsigned byte = 0;
    bl_status status = take(r, s, 8, &byte);

    *out = (uint8_t)byte;
    r->inflated++;
    if (++r->index == r->stored) {
        block_ends(r);
    }
    return status;
}

/* The block's head has been given as tokens: its symbols follow. */
static bl_status head_ends(reader *r)
{
    r->state = AT_SYMBOLS;
    return sort_distances(r);
}

static bl_status give_counts(reader *r, uint8_t *out)
{
    *out = (uint8_t)(r->index == 0   ? r->literals - 257
                     : r->index == 1 ? r->distances - 1
                                     : r->codes - 4);
    if (++r->index == 3) {
        r->index = 0;
        r->state = AT_CODES;
    }
    return BL_OK;
}

static bl_status give_code(reader *r, uint8_t *out)
{
    bool sent = r->head >> BL_DEFLATE_FORM == BL_DEFLATE_RUNS_SENT;

    *out = r->code[r->index++];
    if (r->index == (sent ? r->codes : BL_DEFLATE_CODES)) {
        r->index = 0;
        r->state = sent ? AT_RUNS : AT_LENGTHS;
    }
    return BL_OK;
}

static bl_status give_length(reader *r, uint8_t *out)
{
    unsigned gap = BL_DEFLATE_LITERALS - BL_DEFLATE_LITERALS_SENT;
    unsigned i = r->index++;

    *out = (uint8_t)bl_deflate_length(
        &r->lengths, i < BL_DEFLATE_LITERALS_SENT ? i : i + gap);
    if (r->index == BL_DEFLATE_LITERALS_SENT + BL_DEFLATE_DISTANCES_SENT) {
        return head_ends(r);
    }
    return BL_OK;
}

static bl_status give_run(reader *r, const source *s, uint8_t *out)
{
    struct bl_deflate_run run;
    bl_status status = read_run(r, s, &run);

    if (status != BL_OK) {
        return status;
    }
    *out =
        (uint8_t)(run.symbol < 16
                      ? run.symbol
                      : (run.symbol == 18 ? 0x80U : (run.symbol - 15U) << 4) |
                            run.extra);
    r->index = (uint16_t)(r->index + run.lengths);
    return r->index == r->literals + r->distances ? head_ends(r) : BL_OK;
}

static bl_status read_copy(reader *r, const source *s, unsigned name,
                           uint8_t *out)
{
    unsigned extra;
    unsigned distance;
    bl_status status;

    name -= 257;
    if (name > 28) {
        return BL_DELTA_FORMAT;
    }
    status = take(r, s, bl_deflate_length_bits(name), &extra);
    if (status != BL_OK) {
        return status;
    }
    extra += bl_deflate_length_base(name);
    out[0] = BL_DEFLATE_COPY;
    out[1] = (uint8_t)extra;
    if (name == 27 && extra == 255) {
        return BL_DELTA_FORMAT; /* 258 by a way that has no token */
    }
    status = distance_symbol(r, s, &name);
    if (status == BL_OK && name >= BL_DEFLATE_DISTANCES_SENT) {
        status = BL_DELTA_FORMAT;
    }
    if (status == BL_OK) {
        status = take(r, s, bl_deflate_distance_bits(name), &distance);
    }
    if (status != BL_OK) {
        return status;
    }
    distance += bl_deflate_distance_base(name);
    out[2] = (uint8_t)(distance >> 8);
    out[3] = (uint8_t)distance;
    if (distance >= r->inflated) {
        return BL_DELTA_FORMAT;
    }
    r->inflated += extra + 3;
    return BL_OK;
}

static bl_status read_symbol(reader *r, const source *s, uint8_t *out,
                             unsigned *n)
{
    unsigned name;
    bl_status status =
        symbol(r, s, r->literal_count, r->literal_low, r->literal, &name);

    if (status != BL_OK) {
        return status;
    }
    if (name > BL_DEFLATE_EOB) {
        *n = BL_DEFLATE_COPY_SIZE;
        return read_copy(r, s, name, out);
    }
    if (name == BL_DEFLATE_EOB) {
        out[0] = BL_DEFLATE_END;
        block_ends(r);
        return BL_OK;
    }
    r->inflated++;
    if (name >= BL_DEFLATE_PLAIN && name <= BL_DEFLATE_COPY) {
        *n = 2;
        out[0] = BL_DEFLATE_PLAIN;
    }
    out[*n - 1] = (uint8_t)name;
    return BL_OK;
}

static bl_status step(reader *r, const source *s, uint8_t *out, unsigned *n)
{
    bl_status status;

    switch (r->state) {
    case AT_BLOCK:
        status = read_head(r, s);
        out[0] = r->head;
        return status;
    case AT_STORED_PADDING:
    case AT_PADDING:
        return read_padding(r, s, out);
    case AT_STORED_LENGTH:
        return read_stored_length(r, s, out);
    case AT_STORED:
        return read_stored(r, s, out);
    case AT_COUNTS:
        return give_counts(r, out);
    case AT_CODES:
        return give_code(r, out);
    case AT_LENGTHS:
        return give_length(r, out);
    case AT_RUNS:
        return give_run(r, s, out);
    case AT_SYMBOLS:
        return read_symbol(r, s, out, n);
    default:
        return BL_DELTA_FORMAT;
    }
}

bl_status bl_deflate_read(reader *r, const source *s,
                          uint8_t out[BL_DEFLATE_COPY_SIZE], unsigned *n)
{
    unsigned given = 1;
    bl_status status;

    if (r->state == AT_END) {
        *n = 0;
        return BL_OK;
    }
    status = step(r, s, out, &given);
    if (status != BL_OK) {
        r->state = AT_ERROR;
        return status;
    }
    r->at += given;
    *n = given;
    return BL_OK;
}

enum bl_deflate_phase bl_deflate_read_phase(const reader *r)
{
    switch (r->state) {
    case AT_SYMBOLS:
        return BL_DEFLATE_AT_SYMBOL;
    case AT_STORED:
        return BL_DEFLATE_AT_STORED;
    case AT_CODES:
    case AT_LENGTHS:
    case AT_RUNS:
        return BL_DEFLATE_AT_CODE;
    case AT_END:
    case AT_ERROR:
        return BL_DEFLATE_AT_NOTHING;
    default:
        return BL_DEFLATE_AT_BLOCK;
    }
}
