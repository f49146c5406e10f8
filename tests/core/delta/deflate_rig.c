/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate_rig.h"

#include "cmocka_all.h"
#include <string.h>
#include <zlib.h>

void bytes_add(struct bytes *b, const void *p, size_t n)
{
    if (b->n + n > b->capacity) {
        b->capacity = (b->n + n) * 2 + 64;
        b->p = realloc(b->p, b->capacity);
        assert_non_null(b->p);
    }
    if (n > 0) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

void bytes_free(struct bytes *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}

uint32_t rig_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void add_word(struct bytes *out, uint32_t *seed)
{
    static const char *const words[] = {"<div class=\"",
                                        "\">",
                                        "</div>",
                                        "function ",
                                        "(e){",
                                        "}",
                                        "return ",
                                        "document.",
                                        "getElementById(\"",
                                        "\")",
                                        ".style.",
                                        "display=",
                                        "\"none\"",
                                        ";",
                                        "var ",
                                        "const ",
                                        "color:",
                                        "#",
                                        "px;",
                                        "margin:",
                                        "\xc3\xa4",
                                        "\xf5\xf6\xf7",
                                        "0",
                                        "17",
                                        "255",
                                        "e.target.value"};
    size_t n = sizeof words / sizeof words[0];
    const char *word = words[rig_random(seed) % n];

    bytes_add(out, word, strlen(word));
    if (rig_random(seed) % 5 == 0) {
        char name[4] = {(char)('a' + rig_random(seed) % 26),
                        (char)('a' + rig_random(seed) % 26),
                        (char)('a' + rig_random(seed) % 26), '.'};

        bytes_add(out, name, sizeof name);
    }
}

void rig_data(struct bytes *out, int kind, size_t n, uint32_t seed)
{
    size_t begin = out->n;

    while (out->n - begin < n) {
        uint8_t noise = (uint8_t)rig_random(&seed);
        bool mixed = kind == RIG_MIXED && (out->n >> 12) % 2 == 0;

        if (kind == RIG_NOISE || mixed) {
            bytes_add(out, &noise, 1);
        } else if (kind == RIG_ZEROS) {
            bytes_add(out, "", 1);
        } else {
            add_word(out, &seed);
        }
    }
    out->n = begin + n;
}

static void run_deflate(z_stream *z, struct bytes *out, int flush)
{
    do {
        uint8_t buffer[4096];

        z->next_out = buffer;
        z->avail_out = sizeof buffer;
        assert_int_not_equal(deflate(z, flush), Z_STREAM_ERROR);
        bytes_add(out, buffer, sizeof buffer - z->avail_out);
    } while (z->avail_out == 0);
}

void rig_deflate(struct bytes *out, const struct bytes *data, int level,
                 int strategy, int memory, bool flush)
{
    static const int flushes[] = {Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK,
                                  Z_FULL_FLUSH};
    z_stream z;
    size_t at = 0;
    unsigned i = 0;

    memset(&z, 0, sizeof z);
    assert_int_equal(
        deflateInit2(&z, level, Z_DEFLATED, -15, memory, strategy), Z_OK);
    while (flush && data->n - at > 700) {
        z.next_in = data->p + at;
        z.avail_in = 700;
        run_deflate(&z, out, flushes[i++ % 4]);
        at += 700;
    }
    z.next_in = data->p + at;
    z.avail_in = (uInt)(data->n - at);
    run_deflate(&z, out, Z_FINISH);
    deflateEnd(&z);
}

bool rig_inflate(struct bytes *out, const struct bytes *stream)
{
    z_stream z;
    int result = Z_OK;

    memset(&z, 0, sizeof z);
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    z.next_in = stream->p;
    z.avail_in = (uInt)stream->n;
    while (result == Z_OK) {
        uint8_t buffer[4096];

        z.next_out = buffer;
        z.avail_out = sizeof buffer;
        result = inflate(&z, Z_NO_FLUSH);
        bytes_add(out, buffer, sizeof buffer - z.avail_out);
    }
    inflateEnd(&z);
    return result == Z_STREAM_END && z.avail_in == 0;
}

static bl_status get(void *ctx, uint32_t offset, uint8_t *byte)
{
    const struct bytes *b = ctx;

    assert_true(offset < b->n);
    *byte = b->p[offset];
    return BL_OK;
}

bl_status rig_tokens(struct bytes *out, const struct bytes *stream,
                     uint32_t *end)
{
    struct bytes copy = *stream;
    struct bl_deflate_source source = {&copy, get};
    struct bl_deflate_reader r;
    unsigned n = 1;

    bl_deflate_read_start(&r, 0, (uint32_t)stream->n);
    while (n > 0) {
        uint8_t token[BL_DEFLATE_COPY_SIZE];
        bl_status status = bl_deflate_read(&r, &source, token, &n);

        if (status != BL_OK) {
            assert_int_equal(bl_deflate_read(&r, &source, token, &n),
                             BL_DELTA_FORMAT); /* it is final */
            return status;
        }
        bytes_add(out, token, n);
        assert_int_equal(r.at, out->n);
    }
    assert_int_equal(bl_deflate_read_phase(&r), BL_DEFLATE_AT_NOTHING);
    *end = bl_deflate_read_end(&r);
    return BL_OK;
}

static bl_status put(void *ctx, uint8_t byte)
{
    bytes_add(ctx, &byte, 1);
    return BL_OK;
}

bl_status rig_stream(struct bytes *out, const struct bytes *tokens)
{
    struct bl_deflate_sink sink = {out, put};
    struct bl_deflate_writer w;
    size_t i;

    bl_deflate_write_start(&w);
    for (i = 0; i < tokens->n; i++) {
        size_t before = out->n;
        bl_status status = bl_deflate_write(&w, &sink, tokens->p[i]);

        assert_true(out->n - before <= BL_DEFLATE_BURST);
        if (status != BL_OK) {
            assert_int_equal(bl_deflate_write(&w, &sink, 0),
                             BL_DELTA_FORMAT); /* it is final */
            return status;
        }
    }
    return bl_deflate_write_phase(&w) == BL_DEFLATE_AT_NOTHING
               ? BL_OK
               : BL_DELTA_FORMAT;
}
