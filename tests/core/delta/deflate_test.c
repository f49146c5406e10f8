/* SPDX-License-Identifier: Apache-2.0 */
/* Deflate streams become tokens and the same streams again. */
#include "deflate_rig.h"

#include "cmocka_all.h"
#include <string.h>
#include <zlib.h>

/* Tokens of `stream`, from which the same stream comes. */
static void check_stream(const struct bytes *stream, struct bytes *tokens)
{
    struct bytes again = {0};
    uint32_t end = 0;

    assert_int_equal(rig_tokens(tokens, stream, &end), BL_OK);
    assert_int_equal(end, stream->n);
    assert_int_equal(rig_stream(&again, tokens), BL_OK);
    assert_int_equal(again.n, stream->n);
    assert_memory_equal(again.p, stream->p, stream->n);
    bytes_free(&again);
}

static void check_data(const struct bytes *data, int level, int strategy,
                       int memory, bool flush)
{
    struct bytes stream = {0};
    struct bytes tokens = {0};

    rig_deflate(&stream, data, level, strategy, memory, flush);
    check_stream(&stream, &tokens);
    bytes_free(&stream);
    bytes_free(&tokens);
}

static void every_level_and_strategy_comes_back_bit_for_bit(void **state)
{
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED,
                                     Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    int kind;
    int level;
    size_t i;

    (void)state;
    for (kind = 0; kind < RIG_KINDS; kind++) {
        struct bytes data = {0};

        rig_data(&data, kind, 70000, 1);
        for (level = 0; level <= 9; level++) {
            for (i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
                check_data(&data, level, strategies[i], 8, false);
            }
        }
        check_data(&data, 6, Z_DEFAULT_STRATEGY, 1, true);
        check_data(&data, 9, Z_DEFAULT_STRATEGY, 9, true);
        bytes_free(&data);
    }
}

static void nothing_and_every_short_length_come_back(void **state)
{
    size_t n;
    int level;

    (void)state;
    for (n = 0; n < 80; n++) {
        for (level = 0; level < 10; level += 3) {
            struct bytes data = {0};

            bytes_add(&data, "", 0);
            rig_data(&data, (int)(n % RIG_KINDS), n, (uint32_t)n);
            check_data(&data, level, Z_DEFAULT_STRATEGY, 8, n % 2 == 1);
            bytes_free(&data);
        }
    }
}

static void random_inputs_come_back(void **state)
{
    uint32_t seed = 7;
    int i;

    (void)state;
    for (i = 0; i < 600; i++) {
        struct bytes data = {0};

        rig_data(&data, (int)(rig_random(&seed) % RIG_KINDS),
                 rig_random(&seed) % 3000 + 1, rig_random(&seed));
        check_data(
            &data, (int)(rig_random(&seed) % 10), (int)(rig_random(&seed) % 5),
            (int)(rig_random(&seed) % 9) + 1, rig_random(&seed) % 3 == 0);
        bytes_free(&data);
    }
}

static void text_has_its_literals_and_copies_as_tokens(void **state)
{
    /* "abca" (zlib finds nothing at a stream's first byte), a copy of 257
     * from 3 back, 'x', 0xF6 */
    static const uint8_t want[] = {BL_DEFLATE_FIXED | BL_DEFLATE_FINAL,
                                   'a',
                                   'b',
                                   'c',
                                   'a',
                                   BL_DEFLATE_COPY,
                                   254,
                                   0,
                                   2,
                                   'x',
                                   BL_DEFLATE_PLAIN,
                                   0xF6,
                                   BL_DEFLATE_END,
                                   0};
    struct bytes data = {0};
    struct bytes stream = {0};
    struct bytes tokens = {0};
    int i;

    (void)state;
    for (i = 0; i < 87; i++) {
        bytes_add(&data, "abc", 3);
    }
    bytes_add(&data, "x\xf6", 2);
    rig_deflate(&stream, &data, 9, Z_FIXED, 8, false);
    check_stream(&stream, &tokens);
    assert_int_equal(tokens.n, sizeof want);
    assert_memory_equal(tokens.p, want, sizeof want);
    bytes_free(&data);
    bytes_free(&stream);
    bytes_free(&tokens);
}

/* The head of a first block with the runs that other encoders choose: any
 * that stand for the same lengths. */
static void choose_runs(struct bytes *out, const uint8_t *lengths,
                        unsigned literals, unsigned distances, uint32_t *seed)
{
    uint8_t sent[BL_DEFLATE_LENGTHS];
    unsigned total = literals + distances;
    unsigned i = 0;

    memcpy(sent, lengths, literals);
    memcpy(sent + literals, lengths + BL_DEFLATE_LITERALS_SENT, distances);
    while (i < total) {
        unsigned n = 1;
        unsigned most;
        uint8_t token = sent[i];

        while (i + n < total && sent[i + n] == sent[i]) {
            n++;
        }
        most = n > 138 ? 138 : n;
        n = rig_random(seed) % most + 1;
        if (token == 0 && n >= 3) {
            token = (uint8_t)(n > 10 ? 0x80U | (n - 11) : 0x20U | (n - 3));
        } else if (i > 0 && n >= 3 && sent[i] == sent[i - 1]) {
            n = n > 6 ? 6 : n;
            token = (uint8_t)(0x10U | (n - 3));
        } else {
            n = 1;
        }
        bytes_add(out, &token, 1);
        i += n;
    }
}

/* A code length code in which every symbol has a code: 13 of 4 bits and 6
 * of 5. */
static void add_codes(struct bytes *out)
{
    uint8_t codes[BL_DEFLATE_CODES];
    unsigned i;

    for (i = 0; i < BL_DEFLATE_CODES; i++) {
        codes[i] = i < 13 ? 4 : 5;
    }
    bytes_add(out, codes, sizeof codes);
}

enum { LENGTHS_AT = 1 + BL_DEFLATE_CODES, SYMBOLS_AT = LENGTHS_AT + 316 };

static void change_form(struct bytes *out, const struct bytes *tokens,
                        unsigned form, uint32_t *seed)
{
    const uint8_t *lengths = tokens->p + LENGTHS_AT;
    uint8_t head = (uint8_t)(tokens->p[0] | form << BL_DEFLATE_FORM);
    uint8_t counts[3] = {BL_DEFLATE_LITERALS_SENT - 257,
                         BL_DEFLATE_DISTANCES_SENT - 1, BL_DEFLATE_CODES - 4};

    assert_int_equal(tokens->p[0] & BL_DEFLATE_TYPE, BL_DEFLATE_DYNAMIC);
    bytes_add(out, &head, 1);
    if (form == BL_DEFLATE_RUNS_SENT) {
        bytes_add(out, counts, sizeof counts);
        add_codes(out);
        choose_runs(out, lengths, BL_DEFLATE_LITERALS_SENT,
                    BL_DEFLATE_DISTANCES_SENT, seed);
    } else {
        add_codes(out);
        bytes_add(out, lengths, 316);
    }
    bytes_add(out, tokens->p + SYMBOLS_AT, tokens->n - SYMBOLS_AT);
}

static void heads_of_other_encoders_come_back_and_are_valid(void **state)
{
    uint32_t seed = 3;
    unsigned form;
    int i;

    (void)state;
    for (i = 0; i < 60; i++) {
        struct bytes data = {0};
        struct bytes stream = {0};
        struct bytes tokens = {0};

        rig_data(&data, RIG_TEXT, 900 + (size_t)i * 30, (uint32_t)i);
        rig_deflate(&stream, &data, 9, Z_DEFAULT_STRATEGY, 8, false);
        check_stream(&stream, &tokens);
        for (form = 0; form <= BL_DEFLATE_RUNS_SENT; form++) {
            struct bytes other = {0};
            struct bytes built = {0};
            struct bytes reread = {0};
            struct bytes inflated = {0};

            change_form(&other, &tokens, form, &seed);
            assert_int_equal(rig_stream(&built, &other), BL_OK);
            assert_true(rig_inflate(&inflated, &built));
            assert_int_equal(inflated.n, data.n);
            assert_memory_equal(inflated.p, data.p, data.n);
            check_stream(&built, &reread);
            bytes_free(&other);
            bytes_free(&built);
            bytes_free(&reread);
            bytes_free(&inflated);
        }
        bytes_free(&data);
        bytes_free(&stream);
        bytes_free(&tokens);
    }
}

static void a_stream_cut_anywhere_ends_in_format(void **state)
{
    struct bytes data = {0};
    struct bytes stream = {0};
    size_t n;

    (void)state;
    rig_data(&data, RIG_MIXED, 6000, 5);
    rig_deflate(&stream, &data, 9, Z_DEFAULT_STRATEGY, 1, true);
    for (n = 0; n < stream.n; n += n < 400 ? 1 : 37) {
        struct bytes cut = {stream.p, n, n};
        struct bytes tokens = {0};
        uint32_t end;

        assert_int_equal(rig_tokens(&tokens, &cut, &end), BL_DELTA_FORMAT);
        bytes_free(&tokens);
    }
    bytes_free(&data);
    bytes_free(&stream);
}

/* Either refused, or a stream whose tokens give it back up to its end; and
 * what zlib can read has tokens, with one exception: 258 as 227 + 31. */
static void check_broken(const struct bytes *stream)
{
    struct bytes tokens = {0};
    struct bytes again = {0};
    uint32_t end = 0;

    if (rig_tokens(&tokens, stream, &end) == BL_OK) {
        assert_int_equal(rig_stream(&again, &tokens), BL_OK);
        assert_int_equal(again.n, end);
        assert_memory_equal(again.p, stream->p, end);
    }
    bytes_free(&tokens);
    bytes_free(&again);
}

static void flipped_bits_are_refused_or_come_back(void **state)
{
    size_t bit;
    int level;

    (void)state;
    for (level = 0; level < 10; level += 3) {
        struct bytes data = {0};
        struct bytes stream = {0};

        rig_data(&data, RIG_TEXT, 900, 5);
        rig_deflate(&stream, &data, level, Z_DEFAULT_STRATEGY, 8, true);
        for (bit = 0; bit < stream.n * 8; bit++) {
            stream.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
            check_broken(&stream);
            stream.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        bytes_free(&data);
        bytes_free(&stream);
    }
}

static void noise_is_no_stream_or_one_that_comes_back(void **state)
{
    uint32_t seed = 11;
    int i;

    (void)state;
    for (i = 0; i < 20000; i++) {
        struct bytes noise = {0};

        rig_data(&noise, RIG_NOISE, rig_random(&seed) % 300 + 1,
                 rig_random(&seed));
        if (i % 2 == 0) {
            noise.p[0] = (uint8_t)((noise.p[0] & 0xF8U) | 5U);
        }
        check_broken(&noise);
        bytes_free(&noise);
    }
}

static void hostile_tokens_end_cleanly(void **state)
{
    uint32_t seed = 23;
    struct bytes data = {0};
    struct bytes stream = {0};
    struct bytes tokens = {0};
    int refused = 0;
    int i;

    (void)state;
    rig_data(&data, RIG_TEXT, 1500, 9);
    rig_deflate(&stream, &data, 9, Z_DEFAULT_STRATEGY, 8, false);
    check_stream(&stream, &tokens);
    for (i = 0; i < 6000; i++) {
        struct bytes out = {0};
        size_t at = rig_random(&seed) % tokens.n;
        uint8_t kept = tokens.p[at];

        tokens.p[at] = (uint8_t)rig_random(&seed);
        refused += rig_stream(&out, &tokens) != BL_OK;
        tokens.p[at] = kept;
        bytes_free(&out);
    }
    assert_in_range(refused, 1000, 6000);
    bytes_free(&data);
    bytes_free(&stream);
    bytes_free(&tokens);
}

static void random_tokens_end_cleanly(void **state)
{
    uint32_t seed = 29;
    int i;

    (void)state;
    for (i = 0; i < 20000; i++) {
        struct bytes tokens = {0};
        struct bytes out = {0};
        bool refused;

        rig_data(&tokens, RIG_NOISE, rig_random(&seed) % 400 + 1,
                 rig_random(&seed));
        tokens.p[0] = (uint8_t)(i % 32);
        refused = rig_stream(&out, &tokens) != BL_OK;
        assert_true(refused || tokens.p[0] % 4 != 3);
        bytes_free(&tokens);
        bytes_free(&out);
    }
}

/* A distance that points before the stream's begin is no token. */
static void a_copy_of_nothing_is_refused(void **state)
{
    static uint8_t early[] = {
        BL_DEFLATE_FIXED | BL_DEFLATE_FINAL, 'a', BL_DEFLATE_COPY, 0, 0, 1};
    static uint8_t far[] = {
        BL_DEFLATE_FIXED | BL_DEFLATE_FINAL, 'a', BL_DEFLATE_COPY, 0, 0x80, 0};
    struct bytes tokens = {early, sizeof early, sizeof early};
    struct bytes out = {0};

    (void)state;
    assert_int_equal(rig_stream(&out, &tokens), BL_DELTA_FORMAT);
    tokens.p = far;
    assert_int_equal(rig_stream(&out, &tokens), BL_DELTA_FORMAT);
    bytes_free(&out);
}

static void the_states_are_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct bl_deflate_reader) <= 720);
    assert_true(sizeof(struct bl_deflate_writer) <= 640);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_and_strategy_comes_back_bit_for_bit),
        cmocka_unit_test(nothing_and_every_short_length_come_back),
        cmocka_unit_test(random_inputs_come_back),
        cmocka_unit_test(text_has_its_literals_and_copies_as_tokens),
        cmocka_unit_test(heads_of_other_encoders_come_back_and_are_valid),
        cmocka_unit_test(a_stream_cut_anywhere_ends_in_format),
        cmocka_unit_test(flipped_bits_are_refused_or_come_back),
        cmocka_unit_test(noise_is_no_stream_or_one_that_comes_back),
        cmocka_unit_test(hostile_tokens_end_cleanly),
        cmocka_unit_test(random_tokens_end_cleanly),
        cmocka_unit_test(a_copy_of_nothing_is_refused),
        cmocka_unit_test(the_states_are_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
