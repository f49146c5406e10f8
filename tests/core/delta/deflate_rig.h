/* SPDX-License-Identifier: Apache-2.0 */
/* Deflate streams and their tokens in memory, and zlib to compare with. */
#ifndef TESTS_DEFLATE_RIG_H
#define TESTS_DEFLATE_RIG_H

#include "deflate_read.h"
#include "deflate_write.h"

struct bytes {
    uint8_t *p;
    size_t n;
    size_t capacity;
};

void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_free(struct bytes *b);

/* A text as web pages are, a picture's bytes, or zeros: by `kind`. */
enum { RIG_TEXT, RIG_NOISE, RIG_ZEROS, RIG_MIXED, RIG_KINDS };
void rig_data(struct bytes *out, int kind, size_t n, uint32_t seed);
uint32_t rig_random(uint32_t *seed);

/* zlib's deflate; with `flush` now and then one of its flushes. */
void rig_deflate(struct bytes *out, const struct bytes *data, int level,
                 int strategy, int memory, bool flush);
/* zlib's inflate: false when it finds fault with the stream. */
bool rig_inflate(struct bytes *out, const struct bytes *stream);

/* All token bytes; BL_OK with where the stream ends. */
bl_status rig_tokens(struct bytes *out, const struct bytes *stream,
                     uint32_t *end);
/* The stream of token bytes. BL_DELTA_FORMAT also when they are too few or
 * too many. */
bl_status rig_stream(struct bytes *out, const struct bytes *tokens);

#endif
