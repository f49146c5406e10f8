/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate streams and their tokens. First byte even: the rest is a stream;
 * what can be read must be written again the same. Odd: the rest are tokens.
 */
#include <stdlib.h>
#include <string.h>

#include "deflate_read.h"
#include "deflate_write.h"

enum { STREAM = 1 << 15, TOKENS = 1 << 17 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *p;
    size_t n;
};

struct room {
    uint8_t p[STREAM];
    size_t n;
};

static bl_status get(void *ctx, uint32_t offset, uint8_t *byte)
{
    const struct bytes *b = ctx;

    if (offset >= b->n) {
        abort();
    }
    *byte = b->p[offset];
    return BL_OK;
}

static bl_status put(void *ctx, uint8_t byte)
{
    struct room *r = ctx;

    if (r->n == STREAM) {
        return BL_NO_SPACE;
    }
    r->p[r->n++] = byte;
    return BL_OK;
}

/* All tokens of a stream: how many bytes; 0: it is none. *end: its bytes. */
static size_t read_all(struct bytes stream, uint8_t *tokens, uint32_t *end)
{
    struct bl_deflate_source source = {&stream, get};
    struct bl_deflate_reader r;
    size_t at = 0;
    unsigned n = 1;

    bl_deflate_read_start(&r, 0, (uint32_t)stream.n);
    while (at + BL_DEFLATE_COPY_SIZE <= TOKENS) {
        if (bl_deflate_read(&r, &source, tokens + at, &n) != BL_OK) {
            return 0;
        }
        if (n == 0) {
            *end = bl_deflate_read_end(&r);
            return at;
        }
        at += n;
    }
    return 0;
}

/* BL_OK: they are a whole stream, and none is left over. */
static bl_status write_all(struct bytes tokens, struct room *out)
{
    struct bl_deflate_sink sink = {out, put};
    struct bl_deflate_writer w;
    bl_status status = BL_OK;
    size_t at = 0;

    out->n = 0;
    bl_deflate_write_start(&w);
    while (at < tokens.n && status == BL_OK) {
        size_t before = out->n;

        status = bl_deflate_write(&w, &sink, tokens.p[at++]);
        if (out->n - before > BL_DEFLATE_BURST) {
            abort();
        }
    }
    return status == BL_OK &&
                   bl_deflate_write_phase(&w) != BL_DEFLATE_AT_NOTHING
               ? BL_DELTA_FORMAT
               : status;
}

static void there_and_back(struct bytes stream)
{
    static uint8_t tokens[TOKENS];
    static struct room again;
    uint32_t end = 0;
    struct bytes t = {tokens, read_all(stream, tokens, &end)};
    bl_status status;

    if (t.n == 0) {
        return;
    }
    status = write_all(t, &again);
    if (status == BL_NO_SPACE) {
        return;
    }
    if (status != BL_OK || again.n != end || end > stream.n ||
        memcmp(again.p, stream.p, end) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct room made;
    struct bytes rest = {data + 1, size - 1};

    if (size < 2) {
        return 0;
    }
    if (data[0] % 2 == 0) {
        there_and_back(rest);
    } else if (write_all(rest, &made) == BL_OK) {
        struct bytes stream = {made.p, made.n};

        there_and_back(stream);
    }
    return 0;
}
